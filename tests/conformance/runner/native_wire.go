package runner

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// nativeWire is what tells the two native wires apart.
type nativeWire struct {
	scheme  string                            // of addresses
	size    func(buf []byte) (int, error)     // of the first reply in buf, 0 if that cannot be told yet
	read    func(reply []byte) (any, error)   // a reply in the notation of the vectors
	write   func(request any) ([]byte, error) // a request of that notation
	isPush  func(reply any) bool
	textual bool // bytes are readable as text
}

// nativeWires are the native wires by the transport of vector files.
var nativeWires = map[string]*nativeWire{
	"synaprpc": {scheme: "synap", size: rpcSize, read: rpcReply, write: rpcRequest, isPush: rpcIsPush},
	"resp3":    {scheme: "resp3", size: respSize, read: respReply, write: respRequest, isPush: respIsPush, textual: true},
}

// show writes bytes for a report: what they mean, if anything, and as they are.
func (w *nativeWire) show(b []byte) string {
	raw := hex.EncodeToString(b)
	if w.textual {
		raw = fmt.Sprintf("%q", b)
	}
	if v, err := w.read(b); err == nil {
		return clip(writeJSON(v)) + " as " + clip(raw)
	}
	return clip(raw)
}

// differ says how bytes differ, "" if they do not.
func (w *nativeWire) differ(want, got []byte) string {
	if string(want) == string(got) {
		return ""
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	return fmt.Sprintf("bytes differ from %d on\n    expected %s\n    got      %s", at, w.show(want), w.show(got))
}

// match compares a reply with the recorded one: the bytes unless they are
// volatile, and in any case what they mean.
func (w *nativeWire) match(b Bindings, want *recorded, volatile bool, got []byte) string {
	if !volatile && want.bytes != nil {
		if d := w.differ(want.bytes, got); d != "" {
			return d
		}
	}
	v, err := w.read(got)
	if err != nil {
		return fmt.Sprintf("%v\n    got %s", err, w.show(got))
	}
	return b.Match(want.pattern, v)
}

// nativeConn is a connection of a native wire. Pushes and replies are read apart:
// which of the two comes first is not promised (protocol: synaprpc 8), only the
// order among each.
type nativeConn struct {
	wire            *nativeWire
	conn            net.Conn
	in              []byte
	replies, pushes [][]byte
}

func dialNative(w *nativeWire, addr string) (*nativeConn, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	return &nativeConn{wire: w, conn: conn}, err
}

// next returns the next reply, or the next push.
func (c *nativeConn) next(push bool) ([]byte, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	wanted := &c.replies
	if push {
		wanted = &c.pushes
	}
	for len(*wanted) == 0 {
		if err := c.sort(); err != nil {
			return nil, err
		}
		if len(*wanted) > 0 {
			break
		}
		if err := c.fill(); err != nil {
			return nil, fmt.Errorf("nothing to read: %w%s", err, c.pending())
		}
	}
	b := (*wanted)[0]
	*wanted = (*wanted)[1:]
	return b, nil
}

// sort takes what came apart into replies and pushes. What cannot be read is a
// reply: the comparison will say so.
func (c *nativeConn) sort() error {
	for {
		n, err := c.wire.size(c.in)
		if err != nil {
			return fmt.Errorf("no reply: %w%s", err, c.pending())
		}
		if n == 0 || n > len(c.in) {
			return nil
		}
		b := c.in[:n:n]
		c.in = c.in[n:]
		if v, err := c.wire.read(b); err == nil && c.wire.isPush(v) {
			c.pushes = append(c.pushes, b)
		} else {
			c.replies = append(c.replies, b)
		}
	}
}

func (c *nativeConn) fill() error {
	var buf [65536]byte
	n, err := c.conn.Read(buf[:])
	c.in = append(c.in, buf[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// pending shows what came and no step has read.
func (c *nativeConn) pending() string {
	var out strings.Builder
	for _, list := range [][][]byte{c.replies, c.pushes} {
		for _, b := range list {
			out.WriteString("\n    unread " + c.wire.show(b))
		}
	}
	if len(c.in) > 0 {
		out.WriteString("\n    unread " + c.wire.show(c.in))
	}
	return out.String()
}

// silent reports that nothing comes for a while; the connection stays open.
func (c *nativeConn) silent(d time.Duration) string {
	_ = c.conn.SetReadDeadline(time.Now().Add(d))
	err := c.fill()
	switch _ = c.sort(); {
	case c.pending() != "":
		return "expected silence" + c.pending()
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("expected silence, the connection ended: %v", err)
	}
	return ""
}

// ended reports that the server closes without another byte. A server that closes
// while bytes of the client are unread resets the connection.
func (c *nativeConn) ended() string {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	err := c.fill()
	switch _ = c.sort(); {
	case c.pending() != "":
		return "expected the end of the connection" + c.pending()
	case err != io.EOF && !errors.Is(err, syscall.ECONNRESET):
		return fmt.Sprintf("expected the end of the connection: %v", err)
	}
	return ""
}
