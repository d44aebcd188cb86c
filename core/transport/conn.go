package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
)

// errStale says that a pooled connection turned out to be closed before anything
// was written to it.
var errStale = errors.New("the pooled connection was closed by the server")

// restLimit is how long a connection may rest before its next write checks that
// the server has not closed it meanwhile. Younger ones are not worth a system
// call.
const restLimit = 500 * time.Millisecond

// liveConn is a TCP connection that refuses to write when the server has closed
// it while it rested: without the check a command could be lost in a dead
// connection, and nobody could tell that it was never seen.
type liveConn struct {
	*net.TCPConn
	used time.Time
}

func (c *liveConn) Write(b []byte) (int, error) {
	now := time.Now()
	if now.Sub(c.used) > restLimit && c.closedByPeer() {
		return 0, errStale
	}
	c.used = now
	return c.TCPConn.Write(b)
}

func (c *liveConn) closedByPeer() bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	closed := false
	_ = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = (n == 0 && err == nil) || (err != nil && err != syscall.EAGAIN && err != syscall.EINTR)
		return true
	})
	return closed
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
	case errors.Is(err, io.EOF):
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
