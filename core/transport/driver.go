package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// Driver moves the bytes of one server address. It is safe for concurrent use.
type Driver interface {
	// Encode gives a step its bytes. It fails on what the wire cannot carry, before
	// anything is sent.
	Encode(step *session.Step) (Encoded, *errs.Error)
	// Exchange sends the steps in order on one connection and hands each reply to
	// deliver, in order. It returns nil when every step has its reply.
	Exchange(ctx context.Context, steps []Encoded, deadline time.Time, deliver func(value.Value, *errs.Error)) *Broken
	// OpenPush connects a subscription to pushes and returns when the server has
	// confirmed it, or ctx ends.
	OpenPush(ctx context.Context, cmd *command.Command, names []string, opts PushOptions, deadline time.Time) (*Push, *errs.Error)
	// Close closes all connections: exchanges under way break.
	Close()
}

// Open returns the driver for a configuration; it opens no connection yet.
func Open(cfg *config.Config) (Driver, *errs.Error) {
	if cfg.Native() {
		return NewNative(cfg)
	}
	return NewHTTP(cfg)
}

// Broken says why steps got no reply.
type Broken struct {
	Err     *errs.Error
	Expired bool // the deadline passed
	// Sent is how many steps, from the first, the server may have seen.
	Sent int
}

// Encoded is a step in the form in which it travels.
type Encoded struct {
	step *session.Step
	body []byte
	id   string
}

// dialError marks a failure before anything was sent.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

// dial opens a connection, TLS included.
func dial(ctx context.Context, cfg *config.Config, secrets *tls.Config, deadline time.Time) (net.Conn, *net.TCPConn, error) {
	limit := time.Now().Add(cfg.ConnectTimeout)
	if deadline.Before(limit) {
		limit = deadline
	}
	ctx, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	plain, err := new(net.Dialer).DialContext(ctx, "tcp", cfg.Host)
	if err != nil {
		return nil, nil, dialError{err}
	}
	tcp := plain.(*net.TCPConn)
	if secrets == nil {
		return plain, tcp, nil
	}
	secure := tls.Client(plain, secrets)
	if err := secure.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, nil, dialError{err}
	}
	return secure, tcp, nil
}

// broken turns an I/O error into what it means for a call; neither Err nor Expired
// is set for what is not an I/O error. sent is how many steps were handed to the
// connection.
func broken(cfg *config.Config, err error, sent int, deadline time.Time) *Broken {
	b := &Broken{Sent: sent}
	var untrusted *tls.CertificateVerificationError
	server := cfg.String()
	switch {
	case !time.Now().Before(deadline):
		b.Expired = true
	case errors.As(err, &untrusted):
		b.Err = errs.New(errs.Connection, "the certificate of "+server+" is not trusted: "+untrusted.Err.Error()+". Name its authority with tls_ca")
	case errors.As(err, new(dialError)):
		b.Err = session.Unreachable(server, reason(err))
	case errors.As(err, new(net.Error)), isBroken(err):
		b.Err = errs.New(errs.Connection, "the connection to "+server+" broke before the reply was complete: "+reason(err))
	}
	return b
}
