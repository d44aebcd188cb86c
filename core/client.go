// Package core is the Synap client. Open gives a Client for an address:
//
//	client, err := core.Open("http://localhost:15500")
//	if err != nil { … }
//	defer client.Close()
//	_, err = client.KV.Set(ctx, "user:1", "John Doe", &core.KVSetOptions{TTL: 3600})
//	name, found, err := client.KV.Get(ctx, "user:1")
//
// memory:// is the embedded engine: the same client with no server.
//
// Every call has a deadline: that of its context, else the option timeout (5 s).
// Every error is a *errs.Error; errors.Is(err, errs.NotFound) and the like tell
// them apart. Calls are repeated only where that is safe; an error says with
// MaybeApplied whether its command may have taken effect.
package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/transport"
	"github.com/libsynap/libsynap/core/value"
)

// Client is a Synap client. It is safe for concurrent use by any number of
// goroutines; open one per server and share it.
type Client struct {
	families // the typed commands: KV, Queue, Stream, PubSub

	cfg    *config.Config
	policy *session.Policy
	engine *engine.Engine   // memory://
	server transport.Driver // all other addresses
	log    func(level int, message string)

	inFlight atomic.Int64
	closed   atomic.Bool
	panicked atomic.Bool
	done     chan struct{} // closed by Close

	workers workers // of Go

	mu     sync.Mutex
	subs   map[int64]*Subscription
	nextID int64
}

// Option is one setting of Open.
type Option struct {
	name string
	val  value.Value
	log  func(level int, message string)
}

// With sets an option by its name: timeout, connect_timeout, max_retries,
// backoff, pool_size, max_in_flight, max_reply_bytes, api_key, username,
// password, tls_ca, tls_cert, tls_key, tls_insecure or push. The same names
// stand in an address's query and, as SYNAP_TIMEOUT and so on, in the
// environment. A time.Duration, string, bool or number is accepted as v.
func With(name string, v any) Option {
	switch v := v.(type) {
	case time.Duration:
		return Option{name: name, val: value.Float(v.Seconds())}
	case string:
		return Option{name: name, val: value.Str(v)}
	case bool:
		return Option{name: name, val: value.Bool(v)}
	case int:
		return Option{name: name, val: value.Int(int64(v))}
	case float64:
		return Option{name: name, val: value.Float(v)}
	}
	return Option{name: name, val: value.Array()} // refused by Open, with the name
}

// WithTimeout sets the deadline of calls whose context has none.
func WithTimeout(d time.Duration) Option { return With("timeout", d) }

// WithAPIKey sends the key as a bearer token.
func WithAPIKey(key string) Option { return With("api_key", key) }

// Levels of log messages.
const (
	LogInfo    = 1
	LogWarning = 2
)

// WithLog hands messages about connections to log, which must not block.
// Messages never hold secrets.
func WithLog(log func(level int, message string)) Option { return Option{log: log} }

// Open returns a client for an address: memory://[name], http://, https://,
// synap:// (SynapRPC) or resp3://, these two also as synaps:// and resp3s:// over TLS,
// with user:password@ and options in the query if wanted. It opens no
// connection; an address or option that is wrong is an error at once. An empty
// address means the environment variable SYNAP_URL.
func Open(address string, opts ...Option) (*Client, error) {
	var kv []value.Value
	log := func(int, string) {}
	for _, o := range opts {
		if o.log != nil {
			log = o.log
			continue
		}
		kv = append(kv, value.Str(o.name), o.val)
	}
	return OpenWith(address, value.Map(kv...), os.Getenv, log)
}

// OpenWith is Open with the options as a map from name to value, and with the
// host's own view of the environment: what host bindings use.
func OpenWith(address string, opts value.Value, getenv func(string) string, log func(level int, message string)) (*Client, error) {
	cfg, bad := config.Parse(address, opts, getenv)
	if bad != nil {
		return nil, bad
	}
	c := &Client{
		cfg: cfg, log: log, done: make(chan struct{}), subs: map[int64]*Subscription{},
		policy: &session.Policy{DefaultTimeout: cfg.Timeout, MaxRetries: cfg.MaxRetries, Backoff: cfg.Backoff, Rand: rand.Uint64},
	}
	if cfg.Scheme == config.Memory {
		c.engine = openStore(cfg.Name)
	} else if c.server, bad = transport.Open(cfg); bad != nil {
		return nil, bad
	}
	c.families.bind(c)
	return c, nil
}

// String names the server without credentials.
func (c *Client) String() string { return "synap client for " + c.cfg.String() }

// Close ends the client: calls in flight fail with errs.Closed, subscriptions
// end, connections close. Closing twice is an error too.
func (c *Client) Close() error {
	if c.closed.Swap(true) {
		return c.closedError("")
	}
	close(c.done)
	c.mu.Lock()
	subs := c.subs
	c.subs = nil
	c.mu.Unlock()
	for _, s := range subs {
		s.Close()
	}
	if c.server != nil {
		c.server.Close()
	}
	c.workers.close()
	if c.engine != nil {
		closeStore(c.cfg.Name, c.engine)
	}
	return nil
}

func (c *Client) closedError(name string) *errs.Error {
	return &errs.Error{Code: errs.Closed, Command: name, Transport: c.cfg.Scheme, Message: "the client is closed"}
}

func (c *Client) wire() session.Wire {
	switch {
	case c.engine != nil:
		return session.Direct
	case c.cfg.RPC():
		return session.RPC
	case c.cfg.RESP3():
		return session.RESP3
	}
	return session.HTTP
}

// Call runs a command of the table with positional arguments; trailing ones may
// be left out and nil means absent. It is what the typed methods use.
func (c *Client) Call(ctx context.Context, cmd *command.Command, args ...value.Value) (value.Value, error) {
	t := newTrip()
	t.call.Start(c.policy, c.wire(), cmd, args, c.deadline(ctx))
	return c.run(ctx, t)
}

// Command runs any command by the server's own name, with the payload and the
// reply of the server's command envelope. Use it for what has no typed method.
// Only what is known to end the server process is refused.
func (c *Client) Command(ctx context.Context, name string, payload value.Value) (value.Value, error) {
	t := newTrip()
	t.call.StartRaw(c.policy, c.wire(), name, payload, c.deadline(ctx))
	return c.run(ctx, t)
}

func (c *Client) deadline(ctx context.Context) int64 {
	if d, ok := ctx.Deadline(); ok {
		return d.UnixNano()
	}
	return time.Now().Add(c.cfg.Timeout).UnixNano()
}

// run carries a trip's call out, and gives it up when ctx ends. It releases the trip.
func (c *Client) run(ctx context.Context, t *trip) (value.Value, error) {
	v, err := c.runUntil(ctx, t)
	if e, failed := err.(*errs.Error); failed && e.Code == errs.Timeout && e.Cause == nil {
		if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
			e.Cause = context.DeadlineExceeded // it was the context's deadline that passed
		}
	}
	return v, err
}

func (c *Client) runUntil(ctx context.Context, t *trip) (value.Value, error) {
	if c.engine == nil && ctx.Done() != nil && ctx.Err() == nil {
		return c.runCancellable(ctx, t)
	}
	if ctx.Err() != nil {
		t.call.Cancel(canceled(ctx), false)
	} else {
		c.drive(ctx, t)
	}
	v, err := c.result(&t.call)
	t.release()
	return v, err
}

func (c *Client) result(call *session.Call) (value.Value, error) {
	v, err := call.Result()
	if err != nil {
		err.Transport = c.cfg.Scheme
		return value.Nil, err
	}
	return v, nil
}

// grace is how long after a context's deadline a call may bring its own result,
// which knows better what became of it.
const grace = 100 * time.Millisecond

// runCancellable drives the call on a goroutine of its own: an exchange cannot be
// interrupted without losing its connection, so it is left to end by itself and
// its reply goes nowhere.
func (c *Client) runCancellable(ctx context.Context, t *trip) (value.Value, error) {
	left := t.call // the trip belongs to its goroutine from here on
	type outcome struct {
		v   value.Value
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		c.drive(ctx, t)
		v, err := c.result(&t.call)
		t.release()
		done <- outcome{v, err}
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		select {
		case o := <-done:
			return o.v, o.err
		case <-time.After(grace):
		}
	}
	left.Cancel(canceled(ctx), true)
	return c.result(&left)
}

// canceled is the error of a call that its context ended.
func canceled(ctx context.Context) *errs.Error {
	err := errs.New(errs.Canceled, "the caller cancelled the call")
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errs.New(errs.Timeout, "the deadline passed before the server answered")
	}
	err.Cause = ctx.Err()
	return err
}
