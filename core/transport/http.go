// Package transport holds the native drivers: HTTP over fasthttp, and WebSocket
// for pushes. They move bytes and report what became of them; what that means
// for a call is decided in core/session. Never built into WASM.
package transport

import (
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
	tls    *tls.Config // nil for http
	client fasthttp.HostClient
	slots  chan struct{} // one per connection that may be used at once
	// requests are prepared for the command envelope: address and headers are set
	// once, a call only puts its body in.
	requests sync.Pool
	header   []byte // what follows the request line of a pipelined request
	auth     string
	lastID   atomic.Uint64
	piped    pipePool
}

const userAgent = "libsynap"

// idleLimit is how long an unused connection is kept.
const idleLimit = 60 * time.Second

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
	h.client = fasthttp.HostClient{
		Addr:                      cfg.Host,
		IsTLS:                     h.tls != nil,
		DialTimeout:               h.dial,
		MaxConns:                  cfg.PoolSize,
		MaxIdleConnDuration:       idleLimit,
		MaxIdemponentCallAttempts: 1, // repeating is for core/session to decide
		ReadBufferSize:            16 << 10,
		MaxResponseBodySize:       cfg.MaxReplyBytes,
		NoDefaultUserAgentHeader:  true,
		DisablePathNormalizing:    true,
		SecureErrorLogMessage:     true,
	}
	h.requests.New = func() any { return h.request("POST", envelope.Path) }
	h.header = h.pipelineHeader()
	return h, nil
}

// request returns a request with all that does not depend on the call.
func (h *HTTP) request(method, path string) *fasthttp.Request {
	r := &fasthttp.Request{}
	r.URI().DisablePathNormalizing = true
	r.SetRequestURI(h.cfg.Scheme + "://" + h.cfg.Host + h.cfg.Path + path)
	r.Header.SetMethod(method)
	r.Header.SetContentType("application/json")
	r.Header.SetUserAgent(userAgent)
	if h.auth != "" {
		r.Header.Set("Authorization", h.auth)
	}
	return r
}

// dialError marks a failure before anything was sent.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

// dial opens a connection, TLS included.
func (h *HTTP) dial(addr string, timeout time.Duration) (net.Conn, error) {
	if timeout <= 0 || timeout > h.cfg.ConnectTimeout {
		timeout = h.cfg.ConnectTimeout
	}
	conn, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		return nil, dialError{err}
	}
	conn = &liveConn{TCPConn: conn.(*net.TCPConn), used: time.Now()}
	if h.tls == nil {
		return conn, nil
	}
	secure := tls.Client(conn, h.tls)
	_ = conn.SetDeadline(time.Now().Add(timeout))
	if err := secure.Handshake(); err != nil {
		conn.Close()
		return nil, dialError{err}
	}
	_ = conn.SetDeadline(time.Time{})
	return secure, nil
}

// Broken says why steps got no reply.
type Broken struct {
	Err     *errs.Error
	Sent    bool // the server may have seen them
	Expired bool // the deadline passed
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

// Exchange sends the steps in order and hands each reply to deliver, in order.
// One step travels on a pooled connection, several are pipelined on one
// connection. It returns nil when every step has its reply.
func (h *HTTP) Exchange(steps []Encoded, deadline time.Time, deliver func(value.Value, *errs.Error)) *Broken {
	if broken := h.acquire(deadline); broken != nil {
		return broken
	}
	defer func() { <-h.slots }()
	if len(steps) == 1 {
		return h.single(&steps[0], deadline, deliver)
	}
	return h.pipeline(steps, deadline, deliver)
}

// acquire waits for a free connection slot.
func (h *HTTP) acquire(deadline time.Time) *Broken {
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
	}
}

var responses = sync.Pool{New: func() any { return &fasthttp.Response{} }}

func (h *HTTP) single(step *Encoded, deadline time.Time, deliver func(value.Value, *errs.Error)) *Broken {
	var req *fasthttp.Request
	if s := step.step; s.Method != "" {
		req = h.request(s.Method, s.Path)
	} else {
		req = h.requests.Get().(*fasthttp.Request)
		defer h.requests.Put(req)
	}
	req.SetBodyRaw(step.body)
	resp := responses.Get().(*fasthttp.Response)
	err := h.client.DoDeadline(req, resp, deadline)
	if err != nil {
		resp.Reset()
		responses.Put(resp)
		return h.broken(err, deadline)
	}
	status, body := resp.StatusCode(), string(resp.Body())
	resp.Reset()
	responses.Put(resp)
	deliver(step.parse(status, body))
	return nil
}

// broken turns an I/O error into what it means for a call.
func (h *HTTP) broken(err error, deadline time.Time) *Broken {
	var dial dialError
	notSent := errors.As(err, &dial) || errors.Is(err, errStale)
	if !time.Now().Before(deadline) {
		return &Broken{Expired: true, Sent: !notSent}
	}
	switch {
	case notSent:
		return &Broken{Err: errs.New(errs.Connection, "cannot reach "+h.cfg.String()+": "+reason(err)+". Is the server running there?")}
	case errors.Is(err, fasthttp.ErrTimeout), errors.Is(err, fasthttp.ErrDialTimeout):
		return &Broken{Expired: true, Sent: true}
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return &Broken{Sent: true, Err: errs.New(errs.TooLarge, "the reply is larger than max_reply_bytes ("+strconv.Itoa(h.cfg.MaxReplyBytes)+"); it was discarded")}
	case errors.As(err, new(net.Error)), errors.Is(err, fasthttp.ErrConnectionClosed), isBroken(err):
		return &Broken{Sent: true, Err: errs.New(errs.Connection, "the connection to "+h.cfg.String()+" broke before the reply was complete: "+reason(err))}
	}
	return &Broken{Sent: true, Err: errs.New(errs.Protocol, "the reply of "+h.cfg.String()+" is not HTTP: is this the port of a Synap server's HTTP listener?")}
}

// Close closes idle connections; those in use close when their exchange ends.
func (h *HTTP) Close() {
	h.client.CloseIdleConnections()
	h.piped.close()
}
