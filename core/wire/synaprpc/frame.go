// Package synaprpc is the codec of the SynapRPC wire (synap://): frames, requests,
// replies and the tagged values in them, bytes in and bytes out, with no I/O
// (protocol: synaprpc 1 to 3).
package synaprpc

import (
	"encoding/binary"
	"errors"
)

// MaxBody is the largest body of a frame (protocol: synaprpc 1).
const MaxBody = 536_870_912

// PushID is the id of frames that answer no request.
const PushID = 0xFFFFFFFF

// Errors of the decoders. Any of them means that the connection is of no more use.
var (
	ErrEmptyFrame = errors.New("synaprpc: a frame of no bytes")
	ErrFrameSize  = errors.New("synaprpc: the frame is over the size limit")
	ErrMessage    = errors.New("synaprpc: the frame holds no message")
	ErrValue      = errors.New("synaprpc: a value has no known tag")
	ErrDepth      = errors.New("synaprpc: values are nested too deep")
)

// Size returns how many bytes the first frame in buf has, prefix included, or 0
// if buf is too short to tell. limit bounds the body.
func Size(buf []byte, limit int) (int, error) {
	if len(buf) < 4 {
		return 0, nil
	}
	n := binary.LittleEndian.Uint32(buf)
	switch {
	case n == 0:
		return 0, ErrEmptyFrame
	case uint64(n) > uint64(limit):
		return 0, ErrFrameSize
	}
	return 4 + int(n), nil
}

// open reserves the prefix of a frame; seal fills it in.
func open(dst []byte) (out []byte, start int) {
	return append(dst, 0, 0, 0, 0), len(dst)
}

func seal(dst []byte, start int) []byte {
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}
