package runner

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/value"
)

// driver is a running program that holds a client of one binding. Frames of a
// little-endian u32 length and one MessagePack value go both ways over its
// standard input and output:
//
//	["open", address]     close the client that is open, open another
//	[1, command, payload] run a raw command
//
// and it answers each with [reply], or [nil, [code, status, flags, message,
// command, transport]] where flags are 1 retryable and 2 may have been applied,
// and transport is nil if the error type of the binding does not name it.
// End of input ends it.
type driver struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

// startDriver starts the program of a command line; words are split at spaces.
func startDriver(line string) (*driver, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil, errors.New("the driver's command line is empty")
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &driver{cmd, in, out}, nil
}

// close ends the driver; one that does not end by itself is killed.
func (d *driver) close() {
	d.in.Close()
	ended := make(chan struct{})
	go func() {
		d.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		d.cmd.Process.Kill()
		<-ended
	}
}

// ask sends a request and returns the reply.
func (d *driver) ask(request value.Value) (value.Value, error) {
	frame := value.AppendMsgpack(make([]byte, 4), request)
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-4))
	if _, err := d.in.Write(frame); err != nil {
		return value.Nil, fmt.Errorf("the driver is gone: %w", err)
	}
	type outcome struct {
		v   value.Value
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		v, err := d.read()
		done <- outcome{v, err}
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-time.After(patience):
		d.cmd.Process.Kill()
		return value.Nil, errors.New("the driver does not answer; it was killed")
	}
}

func (d *driver) read() (value.Value, error) {
	var size [4]byte
	if _, err := io.ReadFull(d.out, size[:]); err != nil {
		return value.Nil, fmt.Errorf("the driver ended: %w", err)
	}
	text := make([]byte, binary.LittleEndian.Uint32(size[:]))
	if _, err := io.ReadFull(d.out, text); err != nil {
		return value.Nil, fmt.Errorf("the driver ended: %w", err)
	}
	v, rest, err := value.ParseMsgpack(string(text))
	if err == nil && rest != "" {
		err = errors.New("something stands after it")
	}
	if err != nil {
		return value.Nil, fmt.Errorf("the driver's reply is not MessagePack: %w", err)
	}
	return v, nil
}
