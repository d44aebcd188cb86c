package core

import (
	"context"
	"strconv"
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
func (c *Client) drive(ctx context.Context, calls ...*session.Call) {
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
		wakeAt := c.exchange(ctx, calls)
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

// exchange makes one round trip for all calls that are not done. It returns when
// the next round is due, -1 if none is.
func (c *Client) exchange(ctx context.Context, calls []*session.Call) (wakeAt int64) {
	var (
		encoded  []transport.Encoded
		owners   []*session.Call
		deadline = int64(-1)
		one      [1]transport.Encoded
		oneOwner [1]*session.Call
	)
	encoded, owners = one[:0], oneOwner[:0]
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
	if len(encoded) == 0 {
		return -1
	}
	next := 0
	broken := c.server.Exchange(ctx, encoded, time.Unix(0, deadline), func(v value.Value, err *errs.Error) {
		owners[next].Reply(v, err)
		next++
	})
	now := time.Now().UnixNano()
	if broken != nil {
		c.broken(owners[next:], broken, broken.Sent-next, now)
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
