// Package session holds the sans-I/O state machines of the client: the life of a
// call (validation, steps, retries, deadline) and of the followers. Nothing here
// opens a socket, starts a goroutine or reads a clock: a driver carries out the
// steps and hands in what came of them and what time it is.
package session

import (
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Call is one call from validation to result. A driver runs it so:
//
//	for !call.Done() {
//		send call.Steps() in order on one connection
//		call.Reply(…) for each reply, or call.Broken(…) when no more will come
//		call.Next(now); wait until call.WakeAt() if that is later
//	}
//	call.Result()
//
// A Call is used by one goroutine at a time.
type Call struct {
	cmd  *command.Command // nil for a raw command
	name string
	args []value.Value
	// On a native wire, also of a raw command: whose form the steps have, and the
	// payload that its reply is made of.
	entry   *command.Command
	payload value.Value
	wire    Wire
	// Deadline is when the call ends in any case, Unix nanoseconds.
	Deadline int64

	policy  *Policy
	attempt int
	wakeAt  int64
	exposed bool          // a step went out in an earlier attempt and got no reply
	bare    bool          // one step, its own reply
	asked   bool          // the extra question of this call has been put
	pending []int         // which of first the question is about
	first   []value.Value // the replies that led to the question

	steps    []Step
	replies  []value.Value
	answered int
	oneStep  [1]Step
	oneReply [1]value.Value

	done   bool
	result value.Value
	err    *errs.Error
}

// Start begins a typed call with positional arguments.
func (c *Call) Start(policy *Policy, wire Wire, cmd *command.Command, args []value.Value, deadline int64) {
	*c = Call{cmd: cmd, name: cmd.Name, wire: wire, policy: policy, Deadline: deadline}
	args, err := cmd.Validate(args)
	if err == nil {
		c.args = args
		c.steps, err = plan(c.oneStep[:0], wire, cmd, args)
	}
	c.entry = cmd
	c.begin(err)
}

// StartRaw begins a raw command: the server's own name and payload, and its own
// reply. Only what would end the server is refused.
func (c *Call) StartRaw(policy *Policy, wire Wire, name string, payload value.Value, deadline int64) {
	*c = Call{name: name, wire: wire, policy: policy, Deadline: deadline}
	err := command.Guard(name, payload)
	if err == nil && wire.Native() {
		c.entry, c.steps, err = planRaw(c.oneStep[:0], wire, name, payload)
		c.payload = payload
	} else {
		c.steps = append(c.oneStep[:0], Step{Command: name, Payload: payload, Idempotent: repeatable(name, payload)})
	}
	c.begin(err)
}

// StartStep begins a call that is one step, with the step's own reply: what a
// Follower asks. On the engine it runs on the Raw face like a typed call.
func (c *Call) StartStep(policy *Policy, wire Wire, step Step, deadline int64) {
	*c = Call{name: step.Command, wire: wire, policy: policy, Deadline: deadline, bare: true}
	if wire.Native() {
		var err *errs.Error
		c.entry, c.steps, err = planRaw(c.oneStep[:0], wire, step.Command, step.Payload)
		c.begin(err)
		return
	}
	c.steps = append(c.oneStep[:0], step)
	c.begin(nil)
}

func (c *Call) begin(err *errs.Error) {
	if err != nil {
		c.fail(err)
		return
	}
	c.replies = c.oneReply[:0]
	if len(c.steps) == 0 { // mget of no keys
		c.finish()
	}
}

// Raw reports whether the call is a raw command, which meets the engine on its
// Envelope face.
func (c *Call) Raw() bool { return c.cmd == nil && !c.bare }

// Done reports whether the call has its result.
func (c *Call) Done() bool { return c.done }

// Result returns what the call came to. The error is nil or a *errs.Error.
func (c *Call) Result() (value.Value, *errs.Error) { return c.result, c.err }

// WakeAt is the time before which the steps should not be sent, 0 for at once.
func (c *Call) WakeAt() int64 { return c.wakeAt }

// Steps are the exchanges to make now, in order.
func (c *Call) Steps() []Step { return c.steps[c.answered:] }

// Reply hands in the reply to the first of Steps that has none yet.
func (c *Call) Reply(payload value.Value, err *errs.Error) {
	if c.done {
		return
	}
	step := &c.steps[c.answered]
	if err != nil && c.isResult(err) {
		return
	}
	if err != nil && err.Code == errs.NotFound && c.wire.Native() && !c.asked && formOf(c.entry, c.wire).Kind == "length" {
		payload, err = value.Int(0), nil
	}
	if err != nil {
		// The other steps went out on the same connection.
		err.MaybeApplied = c.maybe(err.MaybeApplied || len(c.steps) > 1)
		if err.MaybeApplied && !step.Idempotent {
			err.Retryable = false
		}
		c.fail(err)
		return
	}
	if c.wire.Native() {
		if payload, err = c.fromNative(step, payload); err != nil {
			c.fail(err)
			return
		}
	}
	c.replies = append(c.replies, payload)
	c.answered++
	if c.answered == len(c.steps) {
		c.finish()
	}
}

// maybe reports whether the call may have changed something on the server,
// although it fails: sent says whether steps without reply have gone out.
func (c *Call) maybe(sent bool) bool {
	c.exposed = c.exposed || sent
	if c.asked { // a question changes nothing, and what led to it changed nothing
		return false
	}
	return c.mutates() && (c.exposed || c.answered > 0)
}

func (c *Call) mutates() bool {
	if c.cmd != nil {
		return c.cmd.Traits.Mutates
	}
	return !command.ReadOnly(c.name)
}

// Touched reports whether a call that is done has changed something on the server,
// or may have.
func (c *Call) Touched() bool {
	if c.err != nil {
		return c.err.MaybeApplied
	}
	return c.mutates()
}

// repeatable reports whether the steps without reply may be sent again.
func (c *Call) repeatable(sent bool) bool {
	for _, s := range c.steps[c.answered:] {
		if sent && !s.Idempotent {
			return false
		}
	}
	return true
}

// Broken hands in that the steps without reply get none: how says why, sent
// whether the server may have seen them. The call is repeated if its connection
// broke, that is safe, and its policy and deadline allow it.
func (c *Call) Broken(now int64, how *errs.Error, sent bool) {
	if c.done {
		return
	}
	again := how.Code == errs.Connection && c.repeatable(sent)
	how.MaybeApplied = c.maybe(sent)
	if again && now < c.Deadline {
		if wait, ok := c.policy.retry(c.attempt); ok && now+int64(wait) < c.Deadline {
			c.attempt++
			c.wakeAt = now + int64(wait)
			return
		}
	}
	how.Retryable = again
	c.fail(how)
}

// Expired ends the call because its deadline passed. sent says whether a step is
// on its way without a reply.
func (c *Call) Expired(sent bool) {
	if c.done {
		return
	}
	err := errs.New(errs.Timeout, "the deadline passed before the server answered; raise timeout if it is only slow")
	if !sent {
		err.Message = "the deadline passed before the server could be reached"
	}
	err.Retryable, err.MaybeApplied = c.repeatable(sent), c.maybe(sent)
	c.fail(err)
}

// Cancel ends the call because its caller gave it up.
func (c *Call) Cancel(err *errs.Error, sent bool) {
	if c.done {
		return
	}
	err.MaybeApplied = c.maybe(sent)
	c.fail(err)
}

// Failed ends the call with an error found on the way out, before sending.
func (c *Call) Failed(err *errs.Error) {
	if !c.done {
		c.fail(err)
	}
}

func (c *Call) fail(err *errs.Error) {
	err.Command = c.name
	c.done, c.err, c.steps, c.answered = true, err, nil, 0
}

// finish makes the result of the replies, or asks one more question.
func (c *Call) finish() {
	if len(c.replies) == 0 && c.cmd == nil {
		c.done, c.result = true, rawNothing(c.entry)
		return
	}
	if c.cmd == nil {
		c.done, c.result = true, c.replies[0]
		return
	}
	if len(c.replies) == 0 && c.wire.Native() {
		c.done, c.result = true, nothingAsked(c.cmd)
		return
	}
	if c.wire == HTTP || c.cmd.HTTP.Check != "" {
		if c.askMore() || c.done {
			return
		}
	}
	c.result, c.err = c.assemble()
	if c.err != nil {
		c.err.Command = c.name
	}
	c.done = true
}

// assemble builds the result from the replies.
func (c *Call) assemble() (value.Value, *errs.Error) {
	h := &c.cmd.HTTP
	field := c.cmd.Reply.Field
	if c.wire == HTTP {
		if alt := alternative(c.cmd, c.args); alt != nil {
			h = alt
		}
		if h.Shape == command.Each {
			if c.cmd.Reply.Kind == command.ReplyNothing {
				return value.Nil, nil
			}
			return decode(c.cmd, "", value.Array(append([]value.Value(nil), c.replies...)...), false)
		}
		if h.Field != "" {
			field = h.Field
		}
	} else if alt := alternative(c.cmd, c.args); c.wire == Direct && alt != nil && alt.Field != "" {
		field = alt.Field
	}
	return decode(c.cmd, field, c.replies[0], c.wire != HTTP)
}

// askMore starts a further exchange where the replies leave a question open, and
// reports whether it did.
func (c *Call) askMore() bool {
	h := &c.cmd.HTTP
	if h.Check != "" && !c.asked && c.emptyMessage() {
		// The server answers an unknown queue like an empty one (protocol: queue
		// quirks). One question per queue tells them apart.
		queue, _ := c.args[0].AsStr()
		if c.policy.KnownQueue(queue) {
			return false
		}
		c.asked = true
		check := Step{Command: h.Check, Payload: value.Map(value.Str("queue"), c.args[0]), Idempotent: true}
		if c.wire.Native() {
			_, steps, err := planRaw(nil, c.wire, h.Check, check.Payload)
			if err != nil {
				return false
			}
			check = steps[0]
		}
		c.ask(check)
		return true
	}
	if c.asked && h.Check != "" {
		// The answer to that question: the queue exists and is empty.
		queue, _ := c.args[0].AsStr()
		c.policy.learnQueue(queue)
		c.replies = append(c.oneReply[:0], value.Map(value.Str("message"), value.Nil))
		return false
	}
	if h.Check != "" {
		queue, _ := c.args[0].AsStr()
		c.policy.learnQueue(queue)
	}
	return c.wire == HTTP && c.resolvePlaceholders()
}

func (c *Call) emptyMessage() bool {
	m, ok := c.replies[0].Get("message")
	return ok && m.IsNil()
}

// ask replaces the steps by a further one.
func (c *Call) ask(s Step) {
	c.steps, c.replies, c.answered, c.wakeAt = append(c.oneStep[:0], s), c.oneReply[:0], 0, 0
}
