// Package loop is the client for hosts without threads: the same calls,
// retries, deadlines and subscriptions as package core, driven by events instead
// of goroutines. A host carries out the requests that a Client makes of it and
// hands in what came of them, with the time; nothing here blocks, sleeps or
// reads a clock. The WASM module is a Client with exports round it, and a test
// can drive one through a network that exists only in its head.
package loop

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
)

// Host is what a Client needs done. Every method returns at once; the outcome
// comes in through the Client's methods of the same family, in a later call.
type Host interface {
	// HTTPRequest sends a request and answers with HTTPResponse or HTTPFailed.
	HTTPRequest(id int32, r *Request)
	// HTTPAbort says that nobody waits for the answer any more.
	HTTPAbort(id int32)
	// StreamOpen opens a WebSocket and answers with StreamOpened and StreamData,
	// at last StreamClosed.
	StreamOpen(id int32, r *Request)
	// StreamClose closes it; StreamClosed may still follow.
	StreamClose(id int32)
	// Log takes a message about connections, without secrets.
	Log(level int32, message string)
}

// Request is one HTTP request or WebSocket upgrade.
type Request struct {
	Method, URL string
	// Authorization is the value of that header, "" without credentials.
	Authorization string
	Body          []byte
	// Timeout is how long the answer is waited for.
	Timeout span.Duration
	// Lane groups requests that must reach the server in order and be answered in
	// order, 0 for a request that stands alone.
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
	engine *engine.Engine
	auth   string
	now    int64
	closed bool

	lastID   int32
	lastLane int32
	jobs     map[int32]*job      // by tag
	waiting  map[int32]*exchange // HTTP requests under way, by id
	streams  map[int32]*push     // WebSockets, by id
	subs     map[int64]*subscription
	lastSub  int64
	timers   []timer // sorted by time

	completions []Completion
}

// timer is something to do at a time. One that belongs to a job is void when the
// job is done.
type timer struct {
	at  int64
	job *job
	do  func()
}

// Engines finds the engine of a memory:// name; a nil Engines gives every client
// its own.
type Engines interface {
	Engine(name string) *engine.Engine
}

// Open returns a client for an address (config.Parse). rand gives random bits.
func Open(now int64, address string, opts value.Value, getenv func(string) string, host Host, rand func() uint64, engines Engines) (*Client, *errs.Error) {
	cfg, err := config.Parse(address, opts, getenv)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, host: host, now: now,
		policy: &session.Policy{DefaultTimeout: cfg.Timeout, MaxRetries: cfg.MaxRetries, Backoff: cfg.Backoff, Rand: rand},
		jobs:   map[int32]*job{}, waiting: map[int32]*exchange{}, streams: map[int32]*push{}, subs: map[int64]*subscription{}}
	switch {
	case cfg.Scheme == config.Memory && engines != nil:
		c.engine = engines.Engine(cfg.Name)
	case cfg.Scheme == config.Memory:
		c.engine = engine.New(engine.Options{Rand: rand})
	case cfg.APIKey != "":
		c.auth = "Bearer " + cfg.APIKey
	case cfg.Username != "":
		c.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(cfg.Username+":"+cfg.Password))
	}
	return c, nil
}

func (c *Client) wire() session.Wire {
	if c.engine != nil {
		return session.Direct
	}
	return session.HTTP
}

// Completions takes what has been completed since the last time.
func (c *Client) Completions() []Completion {
	out := c.completions
	c.completions = nil
	return out
}

// at runs do when the time has come.
func (c *Client) at(when int64, j *job, do func()) {
	i, _ := slices.BinarySearchFunc(c.timers, when, func(t timer, w int64) int {
		if t.at <= w {
			return -1
		}
		return 1
	})
	c.timers = slices.Insert(c.timers, i, timer{when, j, do})
}

// WakeAt is when Tick is due, 0 if there is nothing to wait for.
func (c *Client) WakeAt() int64 {
	for len(c.timers) > 0 && c.timers[0].job != nil && c.timers[0].job.done {
		c.timers = c.timers[1:]
	}
	if len(c.timers) == 0 {
		return 0
	}
	return c.timers[0].at
}

// Tick does what is due.
func (c *Client) Tick(now int64) {
	c.now = max(c.now, now)
	for len(c.timers) > 0 && c.timers[0].at <= c.now {
		t := c.timers[0]
		c.timers = c.timers[1:]
		if t.job == nil || !t.job.done {
			t.do()
		}
	}
}

// Close ends the client: frames in flight complete with errs.Closed.
func (c *Client) Close(now int64) {
	c.now = max(c.now, now)
	if c.closed {
		return
	}
	c.closed = true
	for _, s := range c.subs {
		s.end(nil)
	}
	for id, x := range c.waiting {
		c.host.HTTPAbort(id)
		x.call.Cancel(c.closedError(), true)
	}
	c.waiting = map[int32]*exchange{}
	for _, j := range c.jobs {
		for _, call := range j.calls {
			call.Cancel(c.closedError(), false)
		}
		c.finish(j)
	}
	c.timers = nil
}

func (c *Client) closedError() *errs.Error {
	return &errs.Error{Code: errs.Closed, Transport: c.cfg.Scheme, Message: "the client is closed"}
}

func (c *Client) complete(tag int32, v value.Value, err *errs.Error) {
	if err != nil {
		err.Transport = c.cfg.Scheme
		v = value.Nil
	}
	c.completions = append(c.completions, Completion{tag, v, err})
}

func (c *Client) id() int32 {
	c.lastID = c.lastID%(1<<30) + 1
	return c.lastID
}

func (c *Client) requestID(id int32) string { return strconv.FormatInt(int64(id), 36) }
