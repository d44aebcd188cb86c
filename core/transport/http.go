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
	"sync"
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

	mu  sync.Mutex
	rpc *Native // where pushes come from if not from WebSockets
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

// dial opens a connection of the pool.
func (h *HTTP) dial(deadline time.Time) (*conn, error) {
	secure, tcp, err := dial(h.ctx, h.cfg, h.tls, deadline)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: secure, tcp: tcp, r: bufio.NewReaderSize(secure, 16<<10)}
	if !h.pool.add(c) {
		c.close()
		return nil, dialError{net.ErrClosed}
	}
	return c, nil
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
	if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		return &Broken{Sent: sent, Err: errs.New(errs.TooLarge, "the reply is larger than max_reply_bytes ("+strconv.Itoa(h.cfg.MaxReplyBytes)+"); it was discarded")}
	}
	b := broken(h.cfg, err, sent, deadline)
	if b.Err == nil && !b.Expired {
		b.Err = errs.New(errs.Protocol, "the reply of "+h.cfg.String()+" is not HTTP: is this the port of a Synap server's HTTP listener?")
	}
	return b
}

// pushes returns the driver of the SynapRPC listener that pushes come from.
func (h *HTTP) pushes() (*Native, *errs.Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rpc == nil {
		n, err := NewNative(h.cfg.PushConfig())
		if err != nil {
			return nil, err
		}
		if h.ctx.Err() != nil {
			n.Close()
		}
		h.rpc = n
	}
	return h.rpc, nil
}

// Close closes all connections: exchanges under way break.
func (h *HTTP) Close() {
	h.end()
	h.pool.close()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rpc != nil {
		h.rpc.Close()
	}
}
