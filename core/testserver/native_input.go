package testserver

import (
	"net"
	"slices"
	"time"
)

// input takes messages out of what a client sends, which comes in pieces of any
// size.
type input struct {
	conn net.Conn
	idle time.Duration // how long a client may take for a message; zero for ever
	buf  []byte
	from int // where what has not been taken begins
}

const (
	// firstRead is the room for what is read at once, at first.
	firstRead = 16 << 10
	// keptRoom is what a buffer may keep of the room that it took.
	keptRoom = 1 << 20
)

// next returns the next message. measure says how long the message at the start of
// the bytes is, or 0 if it cannot tell yet. pause is called before waiting for the
// client.
func (in *input) next(measure func(buf []byte) (int, error), pause func()) (string, error) {
	begun := time.Time{}
	for {
		rest := in.buf[in.from:]
		n, err := measure(rest)
		if err != nil {
			return "", err
		}
		if n > 0 && n <= len(rest) {
			in.from += n
			return string(rest[:n]), nil
		}
		pause()
		if begun.IsZero() && in.idle > 0 {
			begun = time.Now()
			in.conn.SetReadDeadline(begun.Add(in.idle))
		}
		if err := in.read(n); err != nil {
			return "", err
		}
	}
}

// read reads what has come. It makes room for a message of n bytes step by step:
// an announcement alone costs nothing.
func (in *input) read(n int) error {
	if in.from == len(in.buf) && cap(in.buf) > keptRoom {
		in.buf, in.from = nil, 0
	}
	if in.from > 0 {
		in.buf = append(in.buf[:0], in.buf[in.from:]...)
		in.from = 0
	}
	if cap(in.buf)-len(in.buf) < firstRead/4 {
		in.buf = slices.Grow(in.buf, max(firstRead, min(n-len(in.buf), len(in.buf))))
	}
	got, err := in.conn.Read(in.buf[len(in.buf):cap(in.buf)])
	in.buf = in.buf[:len(in.buf)+got]
	if got > 0 {
		return nil
	}
	return err
}
