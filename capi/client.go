package main

import (
	"sync"
	"sync/atomic"
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
	core     *core.Client
	queue    *completions
	done     chan struct{} // closed by close
	poisoned atomic.Bool   // an export panicked

	mu        sync.Mutex
	submitted map[uint64]*submission // in flight, by tag
	calls     map[uint64]*blocking   // started and not yet waited for, by id
	lastID    uint64
}

func newClient(c *core.Client) *client {
	return &client{core: c, queue: newCompletions(), done: make(chan struct{}),
		submitted: map[uint64]*submission{}, calls: map[uint64]*blocking{}}
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
		b.v, b.err = v, c.verdict(err)
		close(b.done)
	})
	return b
}

// wait reports whether the call ended within d. When the client is closed
// meanwhile the call ends with errs.Closed.
func (c *client) wait(b *blocking, d time.Duration) bool {
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
	case <-c.done:
		b.cancel()
		<-b.done
	case <-timer.C:
		return false
	}
	return true
}

// startedIDs are above all tags that a caller may choose, so that cancel can take
// either.
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

// submission is a submitted call in flight.
type submission struct{ cancel func() }

func (c *client) submit(frame string, timeout time.Duration, tag uint64) error {
	if tag >= startedIDs {
		return errs.New(errs.InvalidArgument, "the tag must be below 2^63")
	}
	s := &submission{}
	c.mu.Lock()
	_, busy := c.submitted[tag]
	if !busy {
		c.submitted[tag] = s
	}
	c.mu.Unlock()
	if busy {
		return errs.New(errs.InvalidArgument, "a call with this tag is in flight")
	}
	cancel := c.core.Go(frame, timeout, func(v value.Value, err error) { c.complete(tag, s, v, err) })
	c.mu.Lock()
	s.cancel = cancel
	c.mu.Unlock()
	if c.isClosed() { // close may have come before there was something to cancel
		cancel()
	}
	return nil
}

// complete puts the end of a submitted call into the queue, once. It does so under
// the lock, so that close finds every call either in flight or in the queue.
func (c *client) complete(tag uint64, s *submission, v value.Value, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.submitted[tag] != s {
		return
	}
	delete(c.submitted, tag)
	defer func() { // on a goroutine of core, where a panic would end the process
		if r := recover(); r != nil {
			c.queue.put(tag, value.Nil, c.poison(r))
		}
	}()
	c.queue.put(tag, v, c.verdict(err))
}

// poison makes the client unusable after a panic, because nobody knows in which
// state that left it.
func (c *client) poison(cause any) *errs.Error {
	c.poisoned.Store(true)
	return panicked(cause)
}

func (c *client) cancel(id uint64) {
	var cancel func()
	c.mu.Lock()
	if s := c.submitted[id]; s != nil {
		cancel = s.cancel
	} else if b := c.calls[id]; b != nil {
		cancel = b.cancel
		delete(c.calls, id)
	}
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (c *client) isClosed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// close ends the client; every call in flight ends with errs.Closed, now.
func (c *client) close() {
	close(c.done)
	_ = c.core.Close()
	c.mu.Lock()
	inFlight := make(map[uint64]*submission, len(c.submitted))
	cancels := make([]func(), 0, len(c.submitted))
	for tag, s := range c.submitted {
		inFlight[tag] = s
		if s.cancel != nil {
			cancels = append(cancels, s.cancel)
		}
	}
	c.mu.Unlock()
	for _, cancel := range cancels {
		cancel()
	}
	// What remains is in the hands of another thread, which may be too late.
	for tag, s := range inFlight {
		c.complete(tag, s, value.Nil, &errs.Error{Code: errs.Canceled, MaybeApplied: true})
	}
	c.queue.close()
}

// verdict tells a call that close ended from one that its caller cancelled.
func (c *client) verdict(err error) error {
	if err == nil || !c.isClosed() {
		return err
	}
	x, ok := err.(*errs.Error)
	if !ok || x.Code != errs.Canceled {
		return err
	}
	closed := *x
	closed.Code, closed.Message = errs.Closed, "the client was closed before the call ended"
	return &closed
}

// appendCompletion encodes [tag, reply] or [tag, nil, error].
func appendCompletion(dst []byte, tag uint64, v value.Value, err error) []byte {
	if err == nil {
		dst = value.AppendMsgpackArray(dst, 2)
		dst = value.AppendMsgpack(dst, value.Uint(tag))
		return value.AppendMsgpack(dst, v)
	}
	return value.AppendMsgpack(dst, value.Array(value.Uint(tag), value.Nil, session.ErrorValue(failure(err))))
}

// failure is the error as the one type that crosses the boundary.
func failure(err error) *errs.Error {
	if x, ok := err.(*errs.Error); ok {
		return x
	}
	return errs.New(errs.Server, err.Error())
}
