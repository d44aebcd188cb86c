package main

import (
	"sync"
	"time"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// clients are the open clients by handle.
var clients handles[*client]

// client is what a synap_client handle stands for.
type client struct {
	core  *core.Client
	queue *completions

	mu      sync.Mutex
	cancels map[uint64]func()    // of submitted calls, by tag
	calls   map[uint64]*blocking // started and not yet waited for, by id
	lastID  uint64
}

func newClient(c *core.Client) *client {
	return &client{core: c, queue: newCompletions(), cancels: map[uint64]func(){}, calls: map[uint64]*blocking{}}
}

// blocking is a call that somebody waits for.
type blocking struct {
	done   chan struct{}
	v      value.Value
	err    error
	cancel func()
}

func (c *client) start(frame string, timeout time.Duration) *blocking {
	b := &blocking{done: make(chan struct{})}
	b.cancel = c.core.Go(frame, timeout, func(v value.Value, err error) {
		b.v, b.err = v, err
		close(b.done)
	})
	return b
}

// wait reports whether the call ended within d.
func (b *blocking) wait(d time.Duration) bool {
	select {
	case <-b.done:
		return true
	default:
	}
	if d <= 0 {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-b.done:
		return true
	case <-timer.C:
		return false
	}
}

// run makes a call and waits for its end, which its deadline brings in any case.
func (c *client) run(frame string, timeout time.Duration) (value.Value, error) {
	b := c.start(frame, timeout)
	<-b.done
	return b.v, b.err
}

// startedIDs are above all tags that a caller would choose, so that cancel can
// take either.
const startedIDs = 1 << 63

func (c *client) keep(b *blocking) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	id := startedIDs | c.lastID
	c.calls[id] = b
	return id
}

func (c *client) kept(id uint64) *blocking {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[id]
}

func (c *client) forget(id uint64) {
	c.mu.Lock()
	delete(c.calls, id)
	c.mu.Unlock()
}

func (c *client) submit(frame string, timeout time.Duration, tag uint64) {
	// The call may end before Go returns: then there is nothing to cancel.
	ended := false
	cancel := c.core.Go(frame, timeout, func(v value.Value, err error) {
		c.mu.Lock()
		ended = true
		delete(c.cancels, tag)
		c.mu.Unlock()
		c.queue.put(tag, v, err)
	})
	c.mu.Lock()
	if !ended {
		c.cancels[tag] = cancel
	}
	c.mu.Unlock()
}

func (c *client) cancel(id uint64) {
	c.mu.Lock()
	cancel := c.cancels[id]
	if b := c.calls[id]; b != nil {
		cancel = b.cancel
		delete(c.calls, id)
	}
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// close ends the client; every call in flight ends with errs.Closed.
func (c *client) close() {
	_ = c.core.Close()
	c.mu.Lock()
	cancels := c.cancels
	c.cancels, c.calls = map[uint64]func(){}, map[uint64]*blocking{}
	c.mu.Unlock()
	for _, cancel := range cancels {
		cancel()
	}
	c.queue.close()
}

// completion encodes [tag, reply] or [tag, nil, error].
func completion(dst []byte, tag uint64, v value.Value, err error) []byte {
	if err == nil {
		dst = value.AppendMsgpackArray(dst, 2)
		dst = value.AppendMsgpack(dst, value.Uint(tag))
		return value.AppendMsgpack(dst, v)
	}
	e, ok := err.(*errs.Error)
	if !ok {
		e = errs.New(errs.Server, err.Error())
	}
	return value.AppendMsgpack(dst, value.Array(value.Uint(tag), value.Nil, session.ErrorValue(e)))
}
