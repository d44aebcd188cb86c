package loop

import (
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// job is a submitted frame under way: one call, or the calls of a batch.
type job struct {
	tag      int32
	batch    bool
	deadline int64
	calls    []*session.Call
	early    []value.Value // outcomes of a batch's calls that never started
	round    int           // replies of earlier rounds are stale
	pending  int           // requests of this round without answer
	lane     int32
	finish   func(*job) // instead of a completion, for polls of followers
	done     bool
}

// exchange is one HTTP request under way.
type exchange struct {
	job   *job
	round int
	call  *session.Call
	rest  bool // REST, not envelope
}

// Submit runs one request frame (session.ParseFrame); its end comes out of
// Completions under the tag, at once if it need not wait. timeout 0 means the
// client's.
func (c *Client) Submit(now int64, tag int32, frame string, timeout span.Duration) {
	c.now = max(c.now, now)
	f, err := session.ParseFrame(frame)
	if err == nil && c.closed {
		err = c.closedError()
	}
	if err != nil {
		err.Command = f.Name
		c.complete(tag, value.Nil, err)
		return
	}
	if timeout <= 0 {
		timeout = c.cfg.Timeout
	}
	deadline := c.now + int64(timeout)
	switch f.Op {
	case session.OpTyped, session.OpRaw:
		call, err := c.start(&f, deadline)
		if err != nil {
			c.complete(tag, value.Nil, err)
			return
		}
		c.run(&job{tag: tag, deadline: deadline, calls: []*session.Call{call}})
	case session.OpBatch:
		c.run(c.batch(tag, f.Batch, deadline))
	case session.OpSubscribe:
		c.subscribe(tag, &f, deadline)
	case session.OpNext:
		c.next(tag, f.ID, f.Max, deadline)
	case session.OpUnsubscribe:
		if s := c.subs[f.ID]; s != nil {
			s.end(nil)
		}
		c.complete(tag, value.Nil, nil)
	}
}

// start begins the call of a typed or raw frame.
func (c *Client) start(f *session.Frame, deadline int64) (*session.Call, *errs.Error) {
	call := &session.Call{}
	if f.Op == session.OpRaw {
		call.StartRaw(c.policy, c.wire(), f.Name, f.Payload, deadline)
		return call, nil
	}
	cmd := command.Lookup(f.Name)
	if cmd == nil {
		return nil, &errs.Error{Code: errs.Unsupported, Command: f.Name, Message: "unknown command " + f.Name}
	}
	call.Start(c.policy, c.wire(), cmd, f.Args, deadline)
	return call, nil
}

func (c *Client) batch(tag int32, frames []session.Frame, deadline int64) *job {
	j := &job{tag: tag, batch: true, deadline: deadline, early: make([]value.Value, len(frames))}
	for i := range frames {
		call, err := c.start(&frames[i], deadline)
		if err != nil {
			err.Transport = c.cfg.Scheme
			j.early[i] = session.Outcome(value.Nil, err)
			continue
		}
		j.calls = append(j.calls, call)
	}
	return j
}

// run carries a job as far as it goes without waiting.
func (c *Client) run(j *job) {
	if len(c.jobs)+len(j.calls) > c.cfg.MaxInFlight {
		for _, call := range j.calls {
			call.Failed(&errs.Error{Code: errs.ResourceExhausted, Retryable: true, Message: "more than max_in_flight calls at once; nothing was sent"})
		}
		c.finish(j)
		return
	}
	for range j.calls {
		c.policy.Started()
	}
	if c.engine != nil {
		for _, call := range j.calls {
			c.runEngine(call)
		}
		c.finish(j)
		return
	}
	if j.finish == nil {
		c.jobs[j.tag] = j
	}
	c.at(j.deadline, j, func() { c.expire(j) })
	c.send(j)
}

func (c *Client) runEngine(call *session.Call) {
	face := engine.Raw
	if call.Raw() {
		face = engine.Envelope
	}
	for !call.Done() {
		step := call.Steps()[0]
		reply, text := c.engine.Exec(c.now, face, step.Command, "", step.Payload)
		if text != "" {
			call.Reply(value.Nil, errs.FromServer(text))
		} else {
			call.Reply(reply, nil)
		}
	}
}

// send makes the next round of a job's requests.
func (c *Client) send(j *job) {
	if j.done {
		return
	}
	j.round++
	type out struct {
		x exchange
		r *Request
		i int32
	}
	var outs []out
	for _, call := range j.calls {
		if call.Done() {
			continue
		}
		mark := len(outs)
		steps := call.Steps()
		for i := range steps {
			id := c.id()
			r, err := c.request(id, &steps[i], j)
			if err != nil {
				call.Failed(err)
				outs = outs[:mark]
				break
			}
			outs = append(outs, out{exchange{j, j.round, call, steps[i].Method != ""}, r, id})
		}
	}
	if len(outs) == 0 {
		c.finish(j)
		return
	}
	if len(outs) > 1 {
		c.lastLane = c.lastLane%(1<<30) + 1
		for i := range outs {
			outs[i].r.Lane = c.lastLane
		}
	}
	j.pending = len(outs)
	for i := range outs {
		c.waiting[outs[i].i] = &outs[i].x
		c.host.HTTPRequest(outs[i].i, outs[i].r)
	}
}

func (c *Client) request(id int32, step *session.Step, j *job) (*Request, *errs.Error) {
	r := &Request{Method: "POST", URL: c.cfg.String() + envelope.Path, Authorization: c.auth, Timeout: span.Duration(j.deadline - c.now)}
	var err *errs.Error
	if step.Method != "" {
		r.Method, r.URL = step.Method, c.cfg.String()+step.Path
		r.Body, err = envelope.AppendBody(nil, step.Payload)
	} else {
		r.Body, err = envelope.AppendCommand(make([]byte, 0, 256), step.Command, c.requestID(id), step.Payload)
	}
	return r, err
}

// HTTPResponse hands in the answer to a request.
func (c *Client) HTTPResponse(now int64, id int32, status int, body string) {
	c.now = max(c.now, now)
	x := c.take(id)
	if x == nil {
		return
	}
	if x.rest {
		x.call.Reply(envelope.ParseREST(status, body))
	} else {
		x.call.Reply(envelope.ParseCommand(status, body, c.requestID(id)))
	}
	c.answered(x.job)
}

// HTTPFailed hands in that a request gets no answer: sent says whether the
// server may have seen it, why what the host knows.
func (c *Client) HTTPFailed(now int64, id int32, sent bool, why string) {
	c.now = max(c.now, now)
	x := c.take(id)
	if x == nil {
		return
	}
	e := errs.New(errs.Connection, "cannot reach "+c.cfg.String()+": "+why)
	if sent {
		e.Message = "the connection to " + c.cfg.String() + " broke before the reply was complete: " + why
	}
	x.call.Broken(c.now, e, sent)
	if x.call.Done() && !sent && e.Code == errs.Connection {
		c.host.Log(2, e.Message)
	}
	c.answered(x.job)
}

// take returns the exchange of a request unless it is stale.
func (c *Client) take(id int32) *exchange {
	x := c.waiting[id]
	if x == nil {
		return nil
	}
	delete(c.waiting, id)
	if x.job.done || x.round != x.job.round {
		return nil
	}
	x.job.pending--
	return x
}

// answered goes on with a job when the round has all its answers.
func (c *Client) answered(j *job) {
	if j.pending > 0 {
		return
	}
	wakeAt := int64(0)
	left := false
	for _, call := range j.calls {
		if !call.Done() {
			left = true
			wakeAt = max(wakeAt, call.WakeAt())
		}
	}
	switch {
	case !left:
		c.finish(j)
	case wakeAt > c.now:
		c.at(wakeAt, j, func() { c.send(j) })
	default:
		c.send(j)
	}
}

// expire ends a job whose deadline has passed.
func (c *Client) expire(j *job) {
	if j.done {
		return
	}
	for _, call := range j.calls {
		call.Expired(j.pending > 0)
	}
	c.finish(j)
}

// Cancel ends a submitted frame with errs.Canceled; a frame that is done or
// unknown is left alone.
func (c *Client) Cancel(now int64, tag int32) {
	c.now = max(c.now, now)
	canceled := func() *errs.Error { return errs.New(errs.Canceled, "the caller cancelled the call") }
	if j := c.jobs[tag]; j != nil {
		for _, call := range j.calls {
			call.Cancel(canceled(), j.pending > 0)
		}
		c.finish(j)
		return
	}
	for _, s := range c.subs {
		if s.reader != nil && s.reader.tag == tag {
			s.reader = nil
			c.complete(tag, value.Nil, canceled())
		}
	}
}

// finish completes a job.
func (c *Client) finish(j *job) {
	if j.done {
		return
	}
	j.done = true
	delete(c.jobs, j.tag)
	if j.pending > 0 {
		for id, x := range c.waiting {
			if x.job == j {
				delete(c.waiting, id)
				c.host.HTTPAbort(id)
			}
		}
	}
	if j.finish != nil {
		j.finish(j)
		return
	}
	if !j.batch {
		v, err := j.calls[0].Result()
		c.complete(j.tag, v, err)
		return
	}
	next := 0
	out := make([]value.Value, len(j.early))
	for i := range out {
		if out[i] = j.early[i]; !out[i].IsNil() {
			continue
		}
		v, err := j.calls[next].Result()
		next++
		if err != nil {
			err.Transport = c.cfg.Scheme
		}
		out[i] = session.Outcome(v, err)
	}
	c.complete(j.tag, value.Array(out...), nil)
}
