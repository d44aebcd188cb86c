package host

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"github.com/libsynap/libsynap/core/transport"
)

// dial is a connection that the module wants opened.
type dial struct {
	id      int32
	host    string
	port    int64
	tls     bool
	timeout time.Duration
}

// socket is a connection of a native wire. One goroutine reads it and one writes,
// so that neither end waits for the other to read first.
type socket struct {
	c      *Client
	id     int32
	cancel context.CancelFunc // gives up opening it

	mu     sync.Mutex
	conn   net.Conn // nil until it stands
	out    []byte   // to be written; the module bounds it by its calls in flight
	spare  []byte
	more   *sync.Cond // signalled when out or ending changes
	ending bool       // nobody reads any more; what is in out still goes out
}

const (
	socketBuffer = 64 << 10
	// goodbye is how long a server may take to read what was written before a close.
	goodbye = 500 * time.Millisecond
)

// openSocket opens a connection; in.mu is held.
func (c *Client) openSocket(d dial) {
	if c.net == nil || c.dead != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.net.ctx, d.timeout)
	s := &socket{c: c, id: d.id, cancel: cancel}
	s.more = sync.NewCond(&s.mu)
	c.sockets[d.id] = s
	go s.run(ctx, d)
}

// run opens the connection and hands in what comes until it ends.
func (s *socket) run(ctx context.Context, d dial) {
	conn, err := s.c.net.dialSocket(ctx, d)
	if err == nil && !s.adopt(conn) {
		conn.Close()
		err = net.ErrClosed
	}
	s.cancel()
	if err != nil {
		s.closed(err)
		return
	}
	defer conn.Close()
	go s.write(conn)
	in := s.c.in
	in.event(fnSocketOpened, s.c.id, s.id)
	buf := make([]byte, socketBuffer)
	for {
		n, err := conn.Read(buf)
		if n > 0 && !s.ended() {
			in.input(fnSocketData, s.c.id, unsafe.String(&buf[0], n), s.id)
		}
		if err != nil {
			s.closed(err)
			s.end()
			return
		}
	}
}

// dialSocket opens a connection, TLS included.
func (n *network) dialSocket(ctx context.Context, d dial) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(d.host, strconv.FormatInt(d.port, 10)))
	if err != nil || !d.tls {
		return conn, err
	}
	settings := n.secrets.Clone()
	settings.ServerName = d.host
	secure := tls.Client(conn, settings)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// adopt takes a connection that stands, unless nobody wants it any more.
func (s *socket) adopt(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	s.conn = conn
	return true
}

func (s *socket) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// closed tells the module that the connection is gone, unless it has closed it
// itself.
func (s *socket) closed(err error) {
	in := s.c.in
	in.mu.Lock()
	known := s.c.sockets[s.id] == s
	delete(s.c.sockets, s.id)
	in.mu.Unlock()
	if known {
		in.input(fnSocketClosed, s.c.id, why(err), s.id)
	}
}

// why says why a connection is gone.
func why(err error) string {
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		return "its certificate is not trusted (" + untrusted.Err.Error() + "); name its authority with tls_ca"
	case errors.Is(err, io.EOF):
		return "the server closed the connection"
	case errors.Is(err, context.DeadlineExceeded):
		return "it took longer than connect_timeout"
	}
	return transport.Reason(err)
}

// send takes bytes to be written; in.mu may be held.
func (s *socket) send(b []byte) {
	s.mu.Lock()
	s.out = append(s.out, b...)
	s.mu.Unlock()
	s.more.Signal()
}

// end closes the connection when what is to be written is written; in.mu may be
// held.
func (s *socket) end() {
	s.mu.Lock()
	s.ending = true
	if s.conn != nil {
		_ = s.conn.SetDeadline(time.Now().Add(goodbye))
	}
	s.mu.Unlock()
	s.cancel()
	s.more.Signal()
}

// write writes what there is until the connection ends.
func (s *socket) write(conn net.Conn) {
	for {
		s.mu.Lock()
		for len(s.out) == 0 && !s.ending {
			s.more.Wait()
		}
		buf, over := s.out, len(s.out) == 0
		s.out, s.spare = s.spare[:0], nil
		s.mu.Unlock()
		if over {
			break
		}
		if _, err := conn.Write(buf); err != nil {
			conn.Close() // the reader tells
			return
		}
		if cap(buf) <= 1<<20 {
			s.mu.Lock()
			s.spare = buf
			s.mu.Unlock()
		}
	}
	// The server works off what it has read and then closes.
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}
