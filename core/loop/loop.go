// Package loop is the client for hosts without threads: the same calls,
// retries, deadlines and subscriptions as package core, driven by events instead
// of goroutines. A host carries out the requests that a Client makes of it and
// hands in what came of them, with the time; nothing here blocks, sleeps or
// reads a clock. The WASM module is a Client with exports round it, and a test
// can drive one through a network that exists only in its head.
package loop

import (
	"encoding/base64"
	"strconv"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// Host is what a Client needs done. Every method returns at once and calls no
// method of the Client; the outcome comes in through the Client's methods of the
// same family, in a later event.
type Host interface {
	// HTTPRequest sends a request and answers with HTTPResponse or HTTPFailed. The
	// request is valid until HTTPRequest returns.
	HTTPRequest(id int32, r *Request)
	// HTTPAbort says that nobody waits for the answer any more.
	HTTPAbort(id int32)
	// StreamOpen opens a WebSocket and answers with StreamData for each text
	// frame and at last StreamClosed.
	StreamOpen(id int32, r *Request)
	// StreamClose closes it; StreamClosed may still follow.
	StreamClose(id int32)
	// HasSockets reports whether there is TCP here. Where there is none, the other
	// socket methods are never called.
	HasSockets() bool
	// SocketOpen opens a connection and answers with SocketOpened, SocketData for
	// what comes, and at last SocketClosed. The argument is valid until it returns.
	SocketOpen(id int32, d *Dial)
	// SocketWrite sends bytes on a connection that is open; they are valid until it
	// returns.
	SocketWrite(id int32, b []byte)
	// SocketClose closes a connection, or gives up opening it. What was written
	// before is still sent. SocketClosed may still follow, and so may data, which
	// nobody reads any more.
	SocketClose(id int32)
	// Due says that Tick has something to do now, because another client of the
	// same engine has published to a reader of this one.
	Due()
	// Log takes a message about connections, without secrets.
	Log(level int32, message string)
}

// Levels of log messages.
const (
	logInfo    = 1
	logWarning = 2
)

// Request is one HTTP request or WebSocket upgrade.
type Request struct {
	Method, URL string
	// Authorization is the value of that header, "" without credentials.
	Authorization string
	Body          []byte
	// Timeout is how long the answer is waited for.
	Timeout span.Duration
	// Lane groups requests that must reach the server in order and be answered in
	// order, 0 for a request that stands alone. Where one of a lane fails, those
	// after it must fail too.
	Lane int32
}

// Completion is the end of a submitted frame.
type Completion struct {
	Tag   int32
	Reply value.Value
	Err   *errs.Error
}

// Client is one client. It is used by one thread at a time.
type Client struct {
	cfg    *config.Config
	host   Host
	policy *session.Policy
	engine *engine.Engine // memory://
	// engines is told when the engine is no longer needed; may be nil.
	engines Engines
	auth    string
	// base is the address without credentials, endpoint that of commands.
	base, endpoint string
	now            int64
	closed         bool

	lastID   int32
	lastLane int32
	lastSub  int64
	inFlight int                 // calls over HTTP
	frames   map[int32]frame     // submitted and not yet completed, by tag
	waiting  map[int32]*exchange // HTTP requests under way, by id
	streams  map[int32]*webSocket
	sockets  map[int32]*socket
	lines    *lines // of a native wire
	subs     map[int64]*subscription
	timers   timers

	call        session.Call // the one under way on the engine
	outgoing    []Request    // those that send makes
	body        []byte       // of the native request being made
	unwritten   []*socket    // what has something to write
	completions []Completion
	idle        []*job // for calls to come
}

// frame is a submitted frame that waits for something.
type frame interface {
	// giveUp completes it with an error.
	giveUp(err *errs.Error)
}

// Engines finds the engine of a memory:// name; a nil Engines gives every client
// its own.
type Engines interface {
	Engine(name string) *engine.Engine
	// Release says that a client of the name was closed.
	Release(name string)
}

// Open returns a client for an address (config.Parse). rand gives random bits.
func Open(now int64, address string, opts value.Value, getenv func(string) string, host Host, rand func() uint64, engines Engines) (*Client, *errs.Error) {
	cfg, err := config.Parse(address, opts, getenv)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, host: host, now: now, base: cfg.String(), endpoint: cfg.String() + envelope.Path,
		policy: &session.Policy{DefaultTimeout: cfg.Timeout, MaxRetries: cfg.MaxRetries, Backoff: cfg.Backoff, Rand: rand},
		frames: map[int32]frame{}, waiting: map[int32]*exchange{}, streams: map[int32]*webSocket{}, sockets: map[int32]*socket{}, subs: map[int64]*subscription{}}
	switch {
	case cfg.Native() && !host.HasSockets():
		return nil, errs.New(errs.Unsupported, cfg.Scheme+":// needs TCP, which a browser does not have; use http:// and the port of the server's HTTP listener")
	case cfg.Native():
		c.lines = &lines{c: c}
	case cfg.Scheme == config.Memory && engines != nil:
		c.engines, c.engine = engines, engines.Engine(cfg.Name)
	case cfg.Scheme == config.Memory:
		c.engine = engine.New(engine.Options{Rand: rand})
	case cfg.APIKey != "":
		c.auth = "Bearer " + cfg.APIKey
	case cfg.Username != "":
		c.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(cfg.Username+":"+cfg.Password))
	}
	return c, nil
}

// Settings are the options that a host's own I/O is to follow, by their names;
// connect_timeout is in milliseconds. They hold the TLS secrets.
func (c *Client) Settings() value.Value {
	cfg := c.cfg
	return value.Map(
		value.Str("connect_timeout"), value.Int(int64(cfg.ConnectTimeout/span.Millisecond)),
		value.Str("pool_size"), value.Int(int64(cfg.PoolSize)),
		value.Str("max_reply_bytes"), value.Int(int64(cfg.MaxReplyBytes)),
		value.Str("tls_ca"), value.Str(cfg.TLSCA),
		value.Str("tls_cert"), value.Str(cfg.TLSCert),
		value.Str("tls_key"), value.Str(cfg.TLSKey),
		value.Str("tls_insecure"), value.Bool(cfg.TLSInsecure))
}

func (c *Client) wire() session.Wire {
	switch {
	case c.engine != nil:
		return session.Direct
	case c.lines != nil:
		return wireOf(c.cfg)
	}
	return session.HTTP
}

// Completions takes what has been completed since the last time. The list is
// valid until the next event; a caller that has used it clears it, so that the
// replies are not kept until then.
func (c *Client) Completions() []Completion {
	out := c.completions
	c.completions = out[:0]
	return out
}

// WakeAt is when Tick is due, 0 if there is nothing to wait for.
func (c *Client) WakeAt() int64 { return c.timers.next() }

// Tick does what is due.
func (c *Client) Tick(now int64) {
	c.now = max(c.now, now)
	c.timers.run(c.now)
	c.flush()
}

// Cancel ends a submitted frame with errs.Canceled; a frame that is done or
// unknown is left alone.
func (c *Client) Cancel(now int64, tag int32) {
	c.now = max(c.now, now)
	if f := c.frames[tag]; f != nil {
		f.giveUp(errs.New(errs.Canceled, "the caller cancelled the call"))
	}
	c.flush()
}

// Close ends the client: frames in flight complete with errs.Closed.
func (c *Client) Close(now int64) {
	c.now = max(c.now, now)
	if c.closed {
		return
	}
	c.closed = true
	for _, f := range c.frames {
		f.giveUp(c.closedError())
	}
	for _, s := range c.subs {
		s.end(nil)
	}
	if c.lines != nil {
		c.lines.stop()
	}
	c.flush()
	if c.engines != nil {
		c.engines.Release(c.cfg.Name)
	}
}

func (c *Client) closedError() *errs.Error {
	return &errs.Error{Code: errs.Closed, Message: "the client is closed"}
}

// complete ends a submitted frame.
func (c *Client) complete(tag int32, v value.Value, err *errs.Error) {
	delete(c.frames, tag)
	c.completions = append(c.completions, Completion{tag, v, c.about(err)})
}

// about says in an error which transport it is of.
func (c *Client) about(err *errs.Error) *errs.Error {
	if err != nil {
		err.Transport = c.cfg.Scheme
	}
	return err
}

func (c *Client) id() int32 {
	c.lastID = c.lastID%(1<<30) + 1
	return c.lastID
}

func (c *Client) requestID(id int32) string { return strconv.FormatInt(int64(id), 36) }
