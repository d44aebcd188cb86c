package loop

import (
	"strconv"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// job is calls under way: the one of a frame, those of a batch, or a poll.
type job struct {
	c        *Client
	tag      int32
	tagged   bool // it is a submitted frame
	batch    bool
	deadline int64
	calls    []*session.Call
	early    []value.Value // outcomes of a batch's calls that never started
	ids      []int32       // the requests of this round
	pending  int           // those of them without answer
	counted  bool          // the calls count as in flight
	expiry   timer
	retry    timer
	then     func(*job) // instead of a completion
	done     bool

	// What a job of one call and one request needs, which nearly all are.
	call    session.Call
	oneCall [1]*session.Call
	oneID   [1]int32
	oneX    exchange

	native round

	// Made once for a job that is used again.
	onExpire, onRetry func()
}

// keptJobs is how many jobs are kept for calls to come: a job is large, and making
// one costs as much as encoding the request.
const keptJobs = 64

// job returns a job for one call.
func (c *Client) job(tag int32, deadline int64) *job {
	n := len(c.idle)
	if n == 0 {
		j := &job{c: c, tag: tag, tagged: true, deadline: deadline}
		j.onExpire, j.onRetry = j.expire, j.send
		return j
	}
	j := c.idle[n-1]
	c.idle = c.idle[:n-1]
	j.tag, j.deadline, j.counted, j.done = tag, deadline, false, false
	return j
}

// reuse keeps a job that is over and that nothing refers to any more.
func (c *Client) reuse(j *job) {
	if len(c.idle) < keptJobs && c.lines == nil && !j.batch && j.then == nil && j.pending == 0 {
		j.call, j.calls, j.ids = session.Call{}, nil, nil // a reply may be large
		c.idle = append(c.idle, j)
	}
}

// single makes j a job of one call, and returns it.
func (j *job) single() *session.Call {
	j.oneCall[0] = &j.call
	j.calls = j.oneCall[:]
	return &j.call
}

// exchange is one HTTP request under way.
type exchange struct {
	job  *job
	call *session.Call
	rest bool // REST, not envelope
	// left is how many steps of the call, this one included, had no reply when it
	// was sent. Replies are the call's in order: one that comes out of order shows
	// in this number.
	left int
	// first is the first exchange of the call in this round, and there broken says
	// that the call has been told that the round failed.
	first  *exchange
	broken bool
}

// Submit runs one request frame (session.ParseFrame); its end comes out of
// Completions under the tag, at once if it need not wait. timeout 0 means the
// client's.
func (c *Client) Submit(now int64, tag int32, text string, timeout span.Duration) {
	c.now = max(c.now, now)
	c.submit(tag, text, timeout)
	c.flush()
}

func (c *Client) submit(tag int32, text string, timeout span.Duration) {
	f, err := session.ParseFrame(text)
	switch {
	case err != nil:
	case c.closed:
		err = c.closedError()
	case c.frames[tag] != nil:
		// The frame in flight keeps the tag, so that its own end still comes.
		err = errs.New(errs.InvalidArgument, "the tag is that of a frame in flight")
		err.Command = f.Name
		c.completions = append(c.completions, Completion{tag, value.Nil, c.about(err)})
		return
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
		if c.engine != nil {
			v, err := c.ask(&f, deadline)
			c.complete(tag, v, err)
			return
		}
		j := c.job(tag, deadline)
		if err := c.start(j.single(), &f, deadline); err != nil {
			c.complete(tag, value.Nil, err)
			return
		}
		c.run(j)
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

// ask carries a typed or raw frame out on the engine, where nothing waits.
func (c *Client) ask(f *session.Frame, deadline int64) (value.Value, *errs.Error) {
	if err := c.start(&c.call, f, deadline); err != nil {
		return value.Nil, err
	}
	c.policy.Started()
	c.runEngine(&c.call)
	return c.call.Result()
}

// start begins the call of a typed or raw frame.
func (c *Client) start(call *session.Call, f *session.Frame, deadline int64) *errs.Error {
	if f.Op == session.OpRaw {
		call.StartRaw(c.policy, c.wire(), f.Name, f.Payload, deadline)
		return nil
	}
	cmd := command.Lookup(f.Name)
	if cmd == nil {
		return &errs.Error{Code: errs.Unsupported, Command: f.Name, Message: "unknown command " + f.Name}
	}
	call.Start(c.policy, c.wire(), cmd, f.Args, deadline)
	return nil
}

func (c *Client) batch(tag int32, frames []session.Frame, deadline int64) *job {
	j := &job{c: c, tag: tag, tagged: true, batch: true, deadline: deadline, early: make([]value.Value, len(frames))}
	all := make([]session.Call, len(frames))
	j.calls = make([]*session.Call, 0, len(frames))
	for i := range frames {
		call := &all[i]
		if err := c.start(call, &frames[i], deadline); err != nil {
			j.early[i] = session.Outcome(value.Nil, c.about(err))
			continue
		}
		j.calls = append(j.calls, call)
	}
	return j
}

// run carries a job as far as it goes without waiting.
func (c *Client) run(j *job) {
	n := len(j.calls)
	if c.inFlight+n > c.cfg.MaxInFlight && n <= c.cfg.MaxInFlight {
		for _, call := range j.calls {
			call.Failed(&errs.Error{Code: errs.ResourceExhausted, Retryable: true,
				Message: "more than max_in_flight (" + strconv.Itoa(c.cfg.MaxInFlight) + ") calls at once; nothing was sent"})
		}
		j.finish()
		return
	}
	for range j.calls {
		c.policy.Started()
	}
	if c.engine != nil {
		for _, call := range j.calls {
			c.runEngine(call)
		}
		j.finish()
		return
	}
	c.inFlight += n
	j.counted = true
	if j.tagged {
		c.frames[j.tag] = j
	}
	if j.onExpire == nil {
		j.onExpire, j.onRetry = j.expire, j.send
	}
	c.timers.set(&j.expiry, j.deadline, j.onExpire)
	j.send()
}

func (c *Client) runEngine(call *session.Call) {
	face := engine.Program
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

// send makes the next round of requests.
func (j *job) send() {
	c := j.c
	if c.now >= j.deadline { // a tick that came late
		j.expire()
		return
	}
	if c.lines != nil {
		c.lines.send(j)
		return
	}
	j.ids = j.oneID[:0]
	n := 0
	for _, call := range j.calls {
		if call.Done() {
			continue
		}
		mark := n
		steps := call.Steps()
		var first *exchange
		for i := range steps {
			x := &j.oneX
			if n > 0 {
				x = &exchange{}
			}
			if first == nil {
				first = x
			}
			*x = exchange{job: j, call: call, rest: steps[i].Method != "", left: len(steps) - i, first: first}
			id := c.id()
			if err := c.encode(n, id, &steps[i], j.deadline); err != nil {
				call.Failed(err)
				for _, id := range j.ids[mark:] {
					delete(c.waiting, id)
				}
				n, j.ids = mark, j.ids[:mark]
				break
			}
			c.waiting[id] = x
			n, j.ids = n+1, append(j.ids, id)
		}
	}
	if n == 0 {
		j.finish()
		return
	}
	lane := int32(0)
	if n > 1 {
		c.lastLane = c.lastLane%(1<<30) + 1
		lane = c.lastLane
	}
	j.pending = n
	for i := range c.outgoing[:n] {
		r := &c.outgoing[i]
		r.Lane = lane
		c.host.HTTPRequest(j.ids[i], r)
		if cap(r.Body) > keptBody {
			r.Body = nil
		}
	}
	if n > keptRequests {
		c.outgoing = nil
	}
}

// How much space for requests is kept for the next: many large ones would be held
// for ever.
const (
	keptBody     = 4096
	keptRequests = 64
)

// encode makes the n-th outgoing request.
func (c *Client) encode(n int, id int32, step *session.Step, deadline int64) (err *errs.Error) {
	if n == len(c.outgoing) {
		c.outgoing = append(c.outgoing, Request{Body: make([]byte, 0, 256)})
	}
	r := &c.outgoing[n]
	*r = Request{Method: "POST", URL: c.endpoint, Authorization: c.auth, Timeout: span.Duration(deadline - c.now), Body: r.Body[:0]}
	if step.Method != "" {
		r.Method, r.URL = step.Method, c.base+step.Path
		r.Body, err = envelope.AppendBody(r.Body, step.Payload)
	} else {
		r.Body, err = envelope.AppendCommand(r.Body, step.Command, c.requestID(id), step.Payload)
	}
	return err
}

// HTTPResponse hands in the answer to a request.
func (c *Client) HTTPResponse(now int64, id int32, status int, body string) {
	c.now = max(c.now, now)
	x := c.take(id)
	if x == nil {
		return
	}
	switch {
	case !x.call.Done() && len(x.call.Steps()) != x.left:
		x.call.Broken(c.now, errs.New(errs.Protocol, "the host answered the requests of one call out of order"), true)
	case len(body) > c.cfg.MaxReplyBytes:
		c.tooLarge(x)
	case x.rest:
		v, err := envelope.ParseREST(status, body)
		x.call.Reply(v, c.redacted(err))
	default:
		v, err := envelope.ParseCommand(status, body, c.requestID(id))
		x.call.Reply(v, c.redacted(err))
	}
	x.job.answered()
}

// HTTPTooLarge hands in that the answer to a request is larger than
// max_reply_bytes, from a host that stops reading there.
func (c *Client) HTTPTooLarge(now int64, id int32) {
	c.now = max(c.now, now)
	if x := c.take(id); x != nil {
		c.tooLarge(x)
		x.job.answered()
	}
}

func (c *Client) tooLarge(x *exchange) {
	x.call.Broken(c.now, errs.New(errs.TooLarge, "the reply is larger than max_reply_bytes ("+strconv.Itoa(c.cfg.MaxReplyBytes)+"); it was discarded"), true)
}

// HTTPFailed hands in that a request gets no answer: sent says whether the
// server may have seen it, why what the host knows.
func (c *Client) HTTPFailed(now int64, id int32, sent bool, why string) {
	c.now = max(c.now, now)
	x := c.take(id)
	if x == nil {
		return
	}
	switch {
	case x.first.broken: // by an earlier request of the same call
	case c.now >= x.job.deadline:
		x.call.Expired(sent)
	default:
		x.first.broken = true
		e := errs.New(errs.Connection, "cannot reach "+c.base+": "+why)
		if sent {
			e.Message = "the connection to " + c.base + " broke before the reply was complete: " + why
		}
		x.call.Broken(c.now, e, sent)
		if !x.call.Done() {
			c.host.Log(logWarning, "repeating a call: "+e.Message)
		}
	}
	x.job.answered()
}

// take returns the exchange of a request that is waited for.
func (c *Client) take(id int32) *exchange {
	x := c.waiting[id]
	if x != nil {
		delete(c.waiting, id)
		x.job.pending--
	}
	return x
}

// answered goes on with a job when the round has all its answers.
func (j *job) answered() {
	if j.pending > 0 {
		return
	}
	left, wakeAt := false, int64(0)
	for _, call := range j.calls {
		if !call.Done() {
			left, wakeAt = true, max(wakeAt, call.WakeAt())
		}
	}
	switch {
	case !left:
		j.finish()
	case wakeAt > j.c.now:
		j.c.timers.set(&j.retry, wakeAt, j.onRetry)
	default:
		j.send()
	}
}

// expire ends a job whose deadline has passed.
func (j *job) expire() {
	for _, call := range j.calls {
		call.Expired(j.pending > 0)
	}
	j.finish()
}

// giveUp ends a job from outside. A batch ends as a whole, also the calls of it
// that have their results.
func (j *job) giveUp(err *errs.Error) {
	for _, call := range j.calls {
		own := *err
		call.Cancel(&own, j.pending > 0)
		err.MaybeApplied = err.MaybeApplied || call.Touched()
	}
	if j.batch {
		j.then = func(*job) { j.c.complete(j.tag, value.Nil, err) }
	}
	j.finish()
}

// finish ends a job all of whose calls have their results. Requests without
// answer are given up.
func (j *job) finish() {
	if j.done {
		return
	}
	c := j.c
	j.done = true
	if j.counted {
		c.inFlight -= len(j.calls)
		c.timers.stop(&j.expiry)
		c.timers.stop(&j.retry)
	}
	if j.pending > 0 && c.lines != nil {
		j.native.line.abandon(j)
	} else if j.pending > 0 {
		for _, id := range j.ids {
			if c.waiting[id] != nil {
				delete(c.waiting, id)
				c.host.HTTPAbort(id)
			}
		}
	}
	switch {
	case j.then != nil:
		j.then(j)
	case j.batch:
		c.complete(j.tag, j.outcomes(), nil)
	default:
		v, err := j.calls[0].Result()
		c.complete(j.tag, v, err)
		c.reuse(j)
	}
}

// outcomes is the reply of a batch.
func (j *job) outcomes() value.Value {
	next := 0
	out := make([]value.Value, len(j.early))
	for i := range out {
		if out[i] = j.early[i]; !out[i].IsNil() {
			continue
		}
		v, err := j.calls[next].Result()
		next++
		out[i] = session.Outcome(v, j.c.about(err))
	}
	return value.Array(out...)
}

// redacted masks secrets that a server echoed into an error.
func (c *Client) redacted(err *errs.Error) *errs.Error {
	if err != nil {
		err.Message = c.cfg.Redact(err.Message)
	}
	return err
}
