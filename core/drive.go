package core

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/transport"
	"github.com/libsynap/libsynap/core/value"
)

// drive carries calls out until all have their result, or gives them up when ctx
// ends. Several calls (a batch) share their exchanges: the steps of all travel in
// order on one connection.
func (c *Client) drive(ctx context.Context, t *trip) {
	calls := t.calls
	if !c.admit(calls) {
		return
	}
	defer c.inFlight.Add(-int64(len(calls)))
	if c.engine != nil {
		for _, call := range calls {
			c.driveEngine(call)
		}
		return
	}
	for {
		wakeAt := c.exchange(ctx, t)
		if wakeAt < 0 {
			return
		}
		if wait := time.Until(time.Unix(0, wakeAt)); wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-c.done:
			case <-ctx.Done():
			}
			timer.Stop()
		}
		if c.gaveUp(ctx, calls) {
			return
		}
	}
}

// gaveUp ends calls that wait for another attempt which nobody wants any more.
func (c *Client) gaveUp(ctx context.Context, calls []*session.Call) bool {
	if !c.closed.Load() && ctx.Err() == nil {
		return false
	}
	for _, call := range calls {
		switch {
		case c.closed.Load():
			call.Cancel(c.closedError(""), false)
		default:
			call.Cancel(canceled(ctx), false)
		}
	}
	return true
}

// admit counts the calls in, or fails them all.
func (c *Client) admit(calls []*session.Call) bool {
	n := int64(len(calls))
	if c.inFlight.Add(n) > int64(c.cfg.MaxInFlight) && n <= int64(c.cfg.MaxInFlight) {
		c.inFlight.Add(-n)
		for _, call := range calls {
			call.Failed(&errs.Error{Code: errs.ResourceExhausted, Retryable: true,
				Message: "more than max_in_flight (" + strconv.Itoa(c.cfg.MaxInFlight) + ") calls at once; nothing was sent"})
		}
		return false
	}
	if c.closed.Load() {
		c.inFlight.Add(-n)
		for _, call := range calls {
			call.Failed(c.closedError(""))
		}
		return false
	}
	for range calls {
		c.policy.Started()
	}
	return true
}

func (c *Client) driveEngine(call *session.Call) {
	face := engine.Program
	if call.Raw() {
		face = engine.Envelope
	}
	for !call.Done() {
		step := call.Steps()[0]
		reply, text := c.engine.Exec(time.Now().UnixNano(), face, step.Command, "", step.Payload)
		if text != "" {
			call.Reply(value.Nil, errs.FromServer(text))
		} else {
			call.Reply(reply, nil)
		}
	}
}

// trip is what it takes to drive calls; it is used again.
type trip struct {
	call    session.Call // of a trip with one
	one     [1]*session.Call
	calls   []*session.Call
	encoded []transport.Encoded
	owners  []*session.Call // of encoded
	next    int             // which of owners is replied to next
	deliver func(value.Value, *errs.Error)
}

var trips = sync.Pool{New: func() any {
	t := &trip{}
	t.deliver = func(v value.Value, err *errs.Error) {
		t.owners[t.next].Reply(v, err)
		t.next++
	}
	return t
}}

// newTrip returns a trip of one call, to be started by the caller.
func newTrip() *trip {
	t := trips.Get().(*trip)
	t.one[0] = &t.call
	t.calls = t.one[:]
	return t
}

// mostKept is how long the lists of a trip are that is used again.
const mostKept = 256

func (t *trip) release() {
	if cap(t.encoded) > mostKept {
		t.encoded, t.owners = nil, nil
	}
	clear(t.encoded[:cap(t.encoded)])
	clear(t.owners[:cap(t.owners)])
	t.call, t.calls = session.Call{}, nil
	trips.Put(t)
}

// exchange makes one round trip for all calls that are not done. It returns when
// the next round is due, -1 if none is.
func (c *Client) exchange(ctx context.Context, t *trip) (wakeAt int64) {
	deadline := int64(-1)
	calls, encoded, owners := t.calls, t.encoded[:0], t.owners[:0]
	for _, call := range calls {
		if call.Done() {
			continue
		}
		mark := len(encoded)
		steps := call.Steps()
		for i := range steps {
			e, err := c.server.Encode(&steps[i])
			if err != nil {
				call.Failed(err)
				encoded, owners = encoded[:mark], owners[:mark]
				break
			}
			encoded, owners = append(encoded, e), append(owners, call)
		}
		if !call.Done() && (deadline < 0 || call.Deadline < deadline) {
			deadline = call.Deadline
		}
	}
	t.encoded, t.owners, t.next = encoded, owners, 0
	if len(encoded) == 0 {
		return -1
	}
	broken := c.server.Exchange(ctx, encoded, time.Unix(0, deadline), t.deliver)
	next := t.next
	if broken != nil {
		c.broken(owners[next:], broken, broken.Sent-next, time.Now().UnixNano())
	}
	wakeAt = -1
	for _, call := range calls {
		if !call.Done() {
			wakeAt = max(wakeAt, call.WakeAt())
		}
	}
	return wakeAt
}

// broken tells every call that lost steps, once each. owners are the calls of the
// steps without reply, of which the first sent ones have gone out.
func (c *Client) broken(owners []*session.Call, broken *transport.Broken, sent int, now int64) {
	var last *session.Call
	for i, call := range owners {
		if call == last {
			continue
		}
		last = call
		switch {
		case c.closed.Load():
			call.Cancel(c.closedError(""), i < sent)
		case broken.Expired:
			call.Expired(i < sent)
		default:
			err := *broken.Err
			if i > 0 && err.Code != errs.Connection && sent > 0 {
				// That was the first reply's fault.
				err = errs.Error{Code: errs.Connection, Message: "the connection was given up because of an earlier reply of the batch: " + err.Message}
			}
			call.Broken(now, &err, i < sent)
			if !call.Done() {
				c.log(LogWarning, "repeating a call: "+err.Message)
			}
		}
	}
}
