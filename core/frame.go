package core

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// Frame runs one request frame (session.ParseFrame) and returns its reply: what
// host bindings call when they may block.
func (c *Client) Frame(ctx context.Context, frame string) (value.Value, error) {
	type outcome struct {
		v   value.Value
		err error
	}
	if ctx.Err() != nil {
		err := canceled(ctx)
		err.Transport = c.cfg.Scheme
		return value.Nil, err
	}
	timeout := time.Duration(0)
	if d, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(d), 1)
	}
	done := make(chan outcome, 1)
	cancel := c.Go(frame, timeout, func(v value.Value, err error) { done <- outcome{v, err} })
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
	cancel()
	o := <-done
	if e, ok := o.err.(*errs.Error); ok && e.Code == errs.Canceled {
		why := canceled(ctx)
		e.Code, e.Message = why.Code, why.Message
	}
	return o.v, o.err
}

// Do runs one request frame on the calling goroutine: what host bindings call that
// wait for nothing but its end, which its deadline brings in any case. timeout 0
// means the client's.
func (c *Client) Do(frame string, timeout time.Duration) (value.Value, error) {
	f, err := session.ParseFrame(frame)
	if err != nil {
		err.Transport = c.cfg.Scheme
		return value.Nil, err
	}
	deadline := c.until(timeout)
	return c.guarded(&f, func() (value.Value, error) {
		if f.Op != session.OpNext {
			return c.frame(context.Background(), &f, deadline)
		}
		v, err := c.nextItems(&f, deadline, nil, nil)
		return c.settle(&f, v, err)
	})
}

func (c *Client) until(timeout time.Duration) time.Time {
	if timeout <= 0 {
		timeout = c.cfg.Timeout
	}
	return time.Now().Add(timeout)
}

// Go runs one request frame and calls done with its reply, exactly once. It runs
// inline if it cannot block and on a goroutine otherwise. timeout 0 means the
// client's. The function it returns cancels the call: done is then called at
// once with errs.Canceled unless it was called already.
func (c *Client) Go(frame string, timeout time.Duration, done func(value.Value, error)) (cancel func()) {
	f, err := session.ParseFrame(frame)
	if err != nil {
		err.Transport = c.cfg.Scheme
		done(value.Nil, err)
		return func() {}
	}
	deadline := c.until(timeout)
	if c.engine != nil && f.Op != session.OpNext {
		done(c.guarded(&f, func() (value.Value, error) { return c.frame(context.Background(), &f, deadline) }))
		return func() {}
	}
	var finished atomic.Bool
	claim := func() bool { return !finished.Swap(true) }
	ctx, stop := context.WithCancel(context.Background())
	c.workers.run(func() {
		defer stop()
		claimed := false
		v, err := c.guarded(&f, func() (value.Value, error) {
			if f.Op != session.OpNext {
				return c.frame(ctx, &f, deadline)
			}
			// Items are claimed before they leave the subscription: a cancelled
			// reader loses none.
			v, err := c.nextItems(&f, deadline, ctx.Done(), func() bool { claimed = claim(); return claimed })
			return c.settle(&f, v, err)
		})
		if claimed || claim() {
			done(v, err)
		}
	})
	return func() {
		if !claim() {
			return
		}
		stop()
		e := errs.New(errs.Canceled, "the caller cancelled the call")
		e.Command, e.Transport = f.Name, c.cfg.Scheme
		e.MaybeApplied = mutates(&f)
		done(value.Nil, e)
	}
}

// guarded runs a frame and turns a panic into an error: a defect of ours must not
// end the host's process. The client is unusable from then on, because nobody
// knows in which state the panic left it.
func (c *Client) guarded(f *session.Frame, run func() (value.Value, error)) (v value.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			c.panicked.Store(true)
			c.log(LogWarning, "panic: "+fmt.Sprint(r)+"\n"+string(debug.Stack()))
			v, err = value.Nil, c.panicError(f.Name)
		}
	}()
	if c.panicked.Load() {
		return value.Nil, c.panicError(f.Name)
	}
	testPanic(f.Name)
	return run()
}

func (c *Client) panicError(name string) *errs.Error {
	return &errs.Error{Code: errs.Panic, Command: name, Transport: c.cfg.Scheme, MaybeApplied: true,
		Message: "a defect inside libsynap; this client is unusable, open a new one"}
}

// mutates reports whether a cancelled frame may have changed something.
func mutates(f *session.Frame) bool {
	switch f.Op {
	case session.OpTyped:
		cmd := command.Lookup(f.Name)
		return cmd != nil && cmd.Traits.Mutates
	case session.OpRaw, session.OpBatch:
		return true
	}
	return false
}

func (c *Client) frame(ctx context.Context, f *session.Frame, deadline time.Time) (value.Value, error) {
	v, err := c.frameResult(ctx, f, deadline)
	return c.settle(f, v, err)
}

// settle says in an error what it is about.
func (c *Client) settle(f *session.Frame, v value.Value, err *errs.Error) (value.Value, error) {
	if err == nil {
		return v, nil
	}
	if err.Command == "" {
		err.Command = f.Name
	}
	err.Transport = c.cfg.Scheme
	return value.Nil, err
}

func (c *Client) nextItems(f *session.Frame, deadline time.Time, stop <-chan struct{}, claim func() bool) (value.Value, *errs.Error) {
	s, err := c.subscription(f.ID)
	if err != nil {
		return value.Nil, err
	}
	items, err := s.wait(stop, deadline, f.Max, claim)
	return value.Array(items...), err
}

func (c *Client) frameResult(ctx context.Context, f *session.Frame, deadline time.Time) (value.Value, *errs.Error) {
	if c.closed.Load() {
		return value.Nil, c.closedError(f.Name)
	}
	switch f.Op {
	case session.OpTyped, session.OpRaw:
		t := newTrip()
		if err := c.startFrame(&t.call, f, deadline); err != nil {
			return value.Nil, err
		}
		c.drive(ctx, t)
		v, err := t.call.Result()
		t.release() // not after a panic
		return v, err
	case session.OpBatch:
		return c.batch(ctx, f.Batch, deadline), nil
	case session.OpSubscribe:
		cmd := command.Lookup(f.Name)
		if cmd == nil {
			return value.Nil, unknown(f.Name)
		}
		s, err := c.subscribe(ctx, cmd, f.Args, deadline)
		if err != nil {
			return value.Nil, err
		}
		return value.Int(s.id), nil
	}
	s, err := c.subscription(f.ID)
	if err == nil {
		s.Close()
	}
	return value.Nil, nil
}

func unknown(name string) *errs.Error {
	return &errs.Error{Code: errs.Unsupported, Command: name, Message: "unknown command " + name}
}

// startFrame begins the call of a typed or raw frame.
func (c *Client) startFrame(call *session.Call, f *session.Frame, deadline time.Time) *errs.Error {
	if f.Op == session.OpRaw {
		call.StartRaw(c.policy, c.wire(), f.Name, f.Payload, deadline.UnixNano())
		return nil
	}
	cmd := command.Lookup(f.Name)
	if cmd == nil {
		return unknown(f.Name)
	}
	call.Start(c.policy, c.wire(), cmd, f.Args, deadline.UnixNano())
	return nil
}

// batch runs many commands in order in as few round trips as possible, and
// returns their outcomes.
func (c *Client) batch(ctx context.Context, frames []session.Frame, deadline time.Time) value.Value {
	out := make([]value.Value, len(frames))
	calls := make([]session.Call, len(frames))
	running := make([]*session.Call, 0, len(frames))
	for i := range frames {
		if err := c.startFrame(&calls[i], &frames[i], deadline); err != nil {
			err.Transport = c.cfg.Scheme
			out[i] = session.Outcome(value.Nil, err)
			continue
		}
		running = append(running, &calls[i])
	}
	if len(running) > 0 {
		t := newTrip()
		t.calls = running
		c.drive(ctx, t)
		t.release()
	}
	for i := range calls {
		if out[i].IsNil() {
			v, err := calls[i].Result()
			if err != nil {
				err.Transport = c.cfg.Scheme
			}
			out[i] = session.Outcome(v, err)
		}
	}
	return value.Array(out...)
}

// workers are goroutines of a client that wait for more to do: a new one would grow
// its stack again for every call.
type workers struct {
	mu     sync.Mutex
	idle   []chan func()
	closed bool
}

const mostIdle = 256

// run has a goroutine do the job.
func (w *workers) run(job func()) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		next := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		next <- job
		return
	}
	w.mu.Unlock()
	go w.work(job)
}

func (w *workers) work(job func()) {
	next := make(chan func(), 1)
	for ok := true; ok; job, ok = <-next {
		job()
		w.mu.Lock()
		if w.closed || len(w.idle) == mostIdle {
			w.mu.Unlock()
			return
		}
		w.idle = append(w.idle, next)
		w.mu.Unlock()
	}
}

// close ends those who are idle, and the others when they are done.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, next := range w.idle {
		close(next)
	}
	w.idle = nil
}
