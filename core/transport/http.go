// Package transport holds the native drivers: HTTP, and WebSocket for pushes. They
// move bytes and report what became of them; what that means for a call is decided
// in core/session. Never built into WASM.
package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// HTTP is the driver of one server address. It is safe for concurrent use.
type HTTP struct {
	cfg    *config.Config
	tls    *tls.Config   // nil for http
	slots  chan struct{} // one per exchange that may be under way at once
	pool   pool
	header []byte // what stands between request line and content length
	auth   string
	lastID atomic.Uint64
	ctx    context.Context // ends with Close
	end    context.CancelFunc
}

const userAgent = "libsynap"

// NewHTTP returns a driver; it opens no connection yet.
func NewHTTP(cfg *config.Config) (*HTTP, *errs.Error) {
	h := &HTTP{cfg: cfg, slots: make(chan struct{}, cfg.PoolSize)}
	if cfg.Scheme == config.HTTPS {
		var err *errs.Error
		if h.tls, err = tlsConfig(cfg); err != nil {
			return nil, err
		}
	}
	switch {
	case cfg.APIKey != "":
		h.auth = "Bearer " + cfg.APIKey
	case cfg.Username != "":
		h.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(cfg.Username+":"+cfg.Password))
	}
	h.header = h.commonHeader()
	h.ctx, h.end = context.WithCancel(context.Background())
	return h, nil
}

// dialError marks a failure before anything was sent.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

// dial opens a connection, TLS included.
func (h *HTTP) dial(deadline time.Time) (*conn, error) {
	limit := time.Now().Add(h.cfg.ConnectTimeout)
	if deadline.Before(limit) {
		limit = deadline
	}
	ctx, cancel := context.WithDeadline(h.ctx, limit)
	defer cancel()
	plain, err := new(net.Dialer).DialContext(ctx, "tcp", h.cfg.Host)
	if err != nil {
		return nil, dialError{err}
	}
	c := &conn{Conn: plain, tcp: plain.(*net.TCPConn)}
	if h.tls != nil {
		secure := tls.Client(plain, h.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			plain.Close()
			return nil, dialError{err}
		}
		c.Conn = secure
	}
	c.r = bufio.NewReaderSize(c, 16<<10)
	if !h.pool.add(c) {
		c.close()
		return nil, dialError{net.ErrClosed}
	}
	return c, nil
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

// Encode gives a step its bytes. It fails on what HTTP cannot carry, before
// anything is sent.
func (h *HTTP) Encode(step *session.Step) (Encoded, *errs.Error) {
	e := Encoded{step: step}
	var err *errs.Error
	if step.Method != "" {
		e.body, err = envelope.AppendBody(nil, step.Payload)
		return e, err
	}
	e.id = strconv.FormatUint(h.lastID.Add(1), 36)
	e.body, err = envelope.AppendCommand(make([]byte, 0, 256), step.Command, e.id, step.Payload)
	return e, err
}

// parse reads the reply to a step.
func (e *Encoded) parse(status int, body string) (value.Value, *errs.Error) {
	if e.step.Method != "" {
		return envelope.ParseREST(status, body)
	}
	return envelope.ParseCommand(status, body, e.id)
}

// acquire waits for a slot.
func (h *HTTP) acquire(ctx context.Context, deadline time.Time) *Broken {
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return &Broken{Expired: true}
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return &Broken{Expired: true}
		}
		return &Broken{Err: errs.New(errs.Canceled, "the caller cancelled the call")}
	case <-h.ctx.Done():
		return &Broken{Err: errs.New(errs.Closed, "the client is closed")}
	}
}

// broken turns an I/O error into what it means for a call. sent is how many steps
// were handed to the connection.
func (h *HTTP) broken(err error, sent int, deadline time.Time) *Broken {
	b := &Broken{Sent: sent}
	var untrusted *tls.CertificateVerificationError
	server := h.cfg.String()
	switch {
	case !time.Now().Before(deadline):
		b.Expired = true
	case errors.As(err, &untrusted):
		b.Err = errs.New(errs.Connection, "the certificate of "+server+" is not trusted: "+untrusted.Err.Error()+". Name its authority with tls_ca")
	case errors.As(err, new(dialError)):
		b.Err = errs.New(errs.Connection, "cannot reach "+server+": "+reason(err)+". Is the server running there?")
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		b.Err = errs.New(errs.TooLarge, "the reply is larger than max_reply_bytes ("+strconv.Itoa(h.cfg.MaxReplyBytes)+"); it was discarded")
	case errors.As(err, new(net.Error)), isBroken(err):
		b.Err = errs.New(errs.Connection, "the connection to "+server+" broke before the reply was complete: "+reason(err))
	default:
		b.Err = errs.New(errs.Protocol, "the reply of "+server+" is not HTTP: is this the port of a Synap server's HTTP listener?")
	}
	return b
}

// Close closes all connections: exchanges under way break.
func (h *HTTP) Close() {
	h.end()
	h.pool.close()
}
