package transport

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
)

// conn is a connection to the server. It serves one exchange at a time: requests
// are written, then their replies are read in order.
type conn struct {
	net.Conn // the TCP connection, or TLS over it
	tcp      *net.TCPConn
	r        *bufio.Reader
	rests    time.Time // since when it waits for the next exchange
}

// close ends the connection at once. TLS gets no farewell: it could have to wait
// for a server that reads nothing.
func (c *conn) close() { c.tcp.Close() }

// checkAfter is how long a connection may rest before it is asked whether the
// server has closed it meanwhile. A younger one is not worth a system call.
const checkAfter = 5 * time.Millisecond

// gone reports whether the server has closed a resting connection, or has sent
// what nobody asked for (a farewell, TLS or 408). A command written to it would be
// lost, and nobody could tell that it was never seen.
func (c *conn) gone() bool {
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	// Control, because Read refuses once the last exchange's deadline has passed.
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = err != syscall.EAGAIN && err != syscall.EINTR
	})
	return gone || err != nil
}

// pool holds the open connections of one address.
type pool struct {
	mu     sync.Mutex
	open   map[*conn]struct{} // resting or in use
	idle   []*conn            // resting, the last used at the end
	reaper *time.Timer        // set while any rests
	closed bool
}

// add takes a new connection in; false means that the pool is closed.
func (p *pool) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if p.open == nil {
		p.open = map[*conn]struct{}{}
	}
	p.open[c] = struct{}{}
	return true
}

// drop closes a connection that is of no further use.
func (p *pool) drop(c *conn) {
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
	c.close()
}

// take returns a resting connection that is alive, or nil. One that holds bytes
// nobody asked for is not: they would be taken for the next reply.
func (p *pool) take() *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if c.r.Buffered() == 0 && (time.Since(c.rests) < checkAfter || !c.gone()) {
			return c
		}
		p.drop(c)
	}
}

// put lets a connection rest until the next exchange.
func (p *pool) put(c *conn) {
	c.rests = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed { // close has closed it too
		return
	}
	p.idle = append(p.idle, c)
	if p.reaper == nil {
		p.reaper = time.AfterFunc(session.IdleLimit, p.reap)
	}
}

// reap closes what has rested too long.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for ; n < len(p.idle) && time.Since(p.idle[n].rests) >= session.IdleLimit; n++ {
		delete(p.open, p.idle[n])
		p.idle[n].close()
	}
	p.idle = slices.Delete(p.idle, 0, n)
	p.reaper = nil
	if len(p.idle) > 0 && !p.closed {
		p.reaper = time.AfterFunc(session.IdleLimit-time.Since(p.idle[0].rests), p.reap)
	}
}

// close closes all connections, those in use too.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.idle = true, nil
	if p.reaper != nil {
		p.reaper.Stop()
	}
	for c := range p.open {
		c.close()
	}
}

// isBroken reports whether err says that the peer went away.
func isBroken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// reason is the innermost text of an I/O error: without the addresses that Go
// puts before it.
func reason(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return "no such host " + dns.Name
	case errors.As(err, &op):
		return reason(op.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed by the server"
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err.Error()
	}
	return err.Error()
}

// tlsConfig builds the TLS settings of https.
func tlsConfig(cfg *config.Config) (*tls.Config, *errs.Error) {
	host, _, _ := net.SplitHostPort(cfg.Host)
	t := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: cfg.TLSInsecure}
	if cfg.TLSCA != "" {
		pem, err := pemText("tls_ca", cfg.TLSCA)
		if err != nil {
			return nil, err
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errs.New(errs.InvalidArgument, "tls_ca holds no certificate")
		}
	}
	if cfg.TLSCert != "" {
		cert, err := pemText("tls_cert", cfg.TLSCert)
		if err != nil {
			return nil, err
		}
		key, err := pemText("tls_key", cfg.TLSKey)
		if err != nil {
			return nil, err
		}
		pair, bad := tls.X509KeyPair(cert, key)
		if bad != nil {
			return nil, errs.New(errs.InvalidArgument, "tls_cert and tls_key are not a certificate and its key")
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// pemText returns PEM text given as such or as the name of a file.
func pemText(option, s string) ([]byte, *errs.Error) {
	if strings.HasPrefix(strings.TrimSpace(s), "-----BEGIN") {
		return []byte(s), nil
	}
	b, err := os.ReadFile(s)
	if err != nil {
		return nil, errs.New(errs.InvalidArgument, option+" cannot be read: "+reason(err))
	}
	return b, nil
}
