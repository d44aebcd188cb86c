package runner

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// nativeServerPlayer sends the recorded requests of a native wire to a server and
// compares its replies: the role server for SynapRPC and RESP3.
type nativeServerPlayer struct {
	file    *File
	wire    *nativeWire
	running string // address of a server that is not ours, "" to start our own
	servers servers
}

func newNativeServerPlayer(o *Options, f *File) (player, error) {
	return &nativeServerPlayer{f, nativeWires[f.Transport], o.Addr, servers{}}, nil
}

func (p *nativeServerPlayer) close() { p.servers.close() }

func (p *nativeServerPlayer) play(c *Case) (int, error) {
	steps, err := parseNative(c)
	if err != nil {
		return 0, err
	}
	addr, done, err := p.address(c)
	if err != nil {
		return 0, err
	}
	defer done()
	t := &nativeTalk{wire: p.wire, addr: addr, conns: map[string]*nativeConn{}, bound: Bindings{}}
	defer t.close()
	for i, s := range steps {
		time.Sleep(time.Duration(s.WaitMS) * time.Millisecond)
		if d := t.step(s); d != "" {
			return 0, &Failure{i, d}
		}
	}
	if d := t.leftovers(); d != "" {
		return 0, &Failure{len(steps) - 1, d}
	}
	return 0, nil
}

func (p *nativeServerPlayer) address(c *Case) (addr string, done func(), err error) {
	done = func() {}
	if p.running == "" {
		server, done, err := p.servers.get(p.file, c)
		if err != nil {
			return "", nil, err
		}
		if p.wire.scheme == "synap" {
			return server.RPCAddr(), done, nil
		}
		return server.RESP3Addr(), done, nil
	}
	addr, ours := strings.CutPrefix(strings.TrimSuffix(p.running, "/"), p.wire.scheme+"://")
	if !ours {
		return "", nil, noForm("the running server is reached over another wire")
	}
	if why := needsOtherServer(p.file, c); why != "" {
		return "", nil, noForm(why)
	}
	return addr, done, nil
}

// nativeTalk is one case's conversation with a server. Connections are opened when
// a step names them first.
type nativeTalk struct {
	wire  *nativeWire
	addr  string
	conns map[string]*nativeConn
	bound Bindings
}

func (t *nativeTalk) close() {
	for _, c := range t.conns {
		c.conn.Close()
	}
}

func (t *nativeTalk) conn(name string) (*nativeConn, error) {
	if c := t.conns[name]; c != nil {
		return c, nil
	}
	c, err := dialNative(t.wire, t.addr)
	if err == nil {
		t.conns[name] = c
	}
	return c, err
}

// step plays one step and returns what differs, "" if nothing.
func (t *nativeTalk) step(s *nativeStep) string {
	c, err := t.conn(s.Conn)
	if err != nil {
		return err.Error()
	}
	switch {
	case s.HalfClose:
		if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
			return "closing the sending side: " + err.Error()
		}
		return ""
	case s.Expect == "closed":
		return c.ended()
	case s.Expect == "silence":
		return c.silent(time.Duration(s.MS) * time.Millisecond)
	case s.push != nil:
		got, err := c.next(true)
		if err != nil {
			return "push: " + err.Error()
		}
		return named("push", t.wire.match(t.bound, s.push, s.Volatile, got))
	case s.sent != nil:
		if err := t.send(c, s); err != nil {
			return err.Error()
		}
	}
	return t.recv(c, s)
}

func named(what, d string) string {
	if d == "" {
		return ""
	}
	return what + ": " + d
}

// send sends the recorded bytes, or builds the request again if it holds what the
// server said before.
func (t *nativeTalk) send(c *nativeConn, s *nativeStep) error {
	out := s.sent
	if s.SendVolatile {
		request, err := t.bound.Expand(s.request)
		if err != nil {
			return err
		}
		if out, err = t.wire.write(request); err != nil {
			return err
		}
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := c.conn.Write(out)
	// A server may end a connection before it has read everything; whether it
	// should is what the steps after this one say.
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return err
}

// recv reads the replies of a step. Those of recv_any_order come in any order.
func (t *nativeTalk) recv(c *nativeConn, s *nativeStep) string {
	open := append([]*recorded(nil), s.replies...)
	for len(open) > 0 {
		got, err := c.next(false)
		if err != nil {
			return "reply: " + err.Error()
		}
		found, d := -1, ""
		for i, want := range open {
			if d = t.wire.match(t.bound, want, s.Volatile, got); d == "" {
				found = i
				break
			}
		}
		if found < 0 {
			if len(s.replies) > 1 {
				d = fmt.Sprintf("none of %d recorded replies is %s", len(open), t.wire.show(got))
			}
			return "reply: " + d
		}
		open = append(open[:found], open[found+1:]...)
	}
	return ""
}

// leftovers says what the server sent beyond what the steps read. A moment is
// enough: a server that answers twice does so at once.
func (t *nativeTalk) leftovers() string {
	for name, c := range t.conns {
		_ = c.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		_ = c.fill()
		_ = c.sort()
		if left := c.pending(); left != "" {
			return fmt.Sprintf("after it more came on connection %q than was recorded%s", name, left)
		}
	}
	return ""
}
