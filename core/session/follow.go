package session

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
)

// Follower is the state of a stream or queue that is followed by polling. A
// driver asks Steps, exchanges them, hands in the replies and waits Wait before
// it polls again:
//
//	stream.follow: [consume from the resume point, stats]. The stats come second,
//	so that events of a recreated room are never taken for those of the old one.
//	queue.follow:  [consume], and up to prefetch times while messages come.
type Follower struct {
	cmd     *command.Command
	args    []value.Value
	policy  *Policy
	minWait span.Duration
	maxWait span.Duration
	wait    span.Duration
	failed  int // consecutive broken polls

	// streams
	offset     int64
	generation int64
	known      bool // generation is known
	lost       int64
	// queues
	prefetch int
	busy     bool // the last poll brought messages
}

const (
	followLimit = 256
	// Waits between empty polls double from the first to the second. Polling the
	// embedded engine costs microseconds, a server a round trip.
	directMinWait, directMaxWait = span.Millisecond, 20 * span.Millisecond
	wireMinWait, wireMaxWait     = 10 * span.Millisecond, 250 * span.Millisecond
)

// NewFollower returns the state for a validated stream.follow or queue.follow.
func NewFollower(cmd *command.Command, args []value.Value, wire Wire, policy *Policy) *Follower {
	f := &Follower{cmd: cmd, args: args, policy: policy, minWait: wireMinWait, maxWait: wireMaxWait}
	if wire == Direct {
		f.minWait, f.maxWait = directMinWait, directMaxWait
	}
	f.wait = f.minWait
	n, given := args[2].AsInt()
	if f.Stream() {
		f.offset = n
	} else if f.prefetch = int(n); !given {
		f.prefetch = 1
	}
	return f
}

// Stream reports whether a stream is followed: its polls may be repeated, those
// of a queue take messages.
func (f *Follower) Stream() bool { return f.cmd.Name == "stream.follow" }

// Saw hands in the StreamStats record that was read before the first poll, so
// that a room recreated between the two is noticed.
func (f *Follower) Saw(stats value.Value) {
	fields := command.Lookup("stream.stats").Reply.Record.Fields
	for i := range fields {
		if fields[i].Name == "generation" && f.Stream() {
			f.generation, f.known = stats.Index(i).AsInt()
		}
	}
}

// Transient reports whether err says nothing about the room or queue itself, so
// that a follower lives on and polls again.
func Transient(err *errs.Error) bool {
	switch err.Code {
	case errs.Connection, errs.Timeout, errs.ResourceExhausted:
		return true
	case errs.Server:
		return err.Retryable
	}
	return false
}

// Steps are the exchanges of the next poll, for at most max items.
func (f *Follower) Steps(max int) []Step {
	if f.Stream() {
		room := value.Str("room")
		return []Step{
			{Command: "stream.consume", Idempotent: true, Payload: value.Map(room, f.args[0],
				value.Str("subscriber_id"), f.args[1],
				value.Str("from_offset"), value.Int(f.offset),
				value.Str("limit"), value.Int(int64(min(max, followLimit))))},
			{Command: "stream.stats", Idempotent: true, Payload: value.Map(room, f.args[0])},
		}
	}
	p := value.Map(value.Str("queue"), f.args[0], value.Str("consumer_id"), f.args[1])
	steps := make([]Step, 1)
	if f.busy {
		steps = make([]Step, max1(min(max, f.prefetch)))
	}
	for i := range steps {
		steps[i] = Step{Command: "queue.consume", Payload: p}
	}
	return steps
}

func max1(n int) int { return max(n, 1) }

// Wait is how long to wait before the next poll after one without items.
func (f *Follower) Wait() span.Duration {
	w := f.wait
	f.wait = min(2*f.wait, f.maxWait)
	return w
}

// Broken hands in that a poll failed on its way. The follower lives on: the
// driver waits as long as told and polls again. Messages of a queue that were
// taken by the failed poll come back at their deadline.
func (f *Follower) Broken() span.Duration {
	f.failed++
	return max(f.policy.BackoffFor(f.failed), f.minWait)
}

// Replies hands in the replies of a poll, in order, each with its error, and
// returns the items it brought. A non-nil error ends the follower.
func (f *Follower) Replies(replies []value.Value, failures []*errs.Error) ([]value.Value, *errs.Error) {
	f.failed = 0
	var items []value.Value
	var err *errs.Error
	if f.Stream() {
		items, err = f.streamReplies(replies, failures)
	} else {
		items, err = f.queueReplies(replies, failures)
	}
	if len(items) > 0 {
		f.wait = f.minWait
	}
	return items, err
}

func (f *Follower) queueReplies(replies []value.Value, failures []*errs.Error) ([]value.Value, *errs.Error) {
	var items []value.Value
	for i, r := range replies {
		if err := failures[i]; err != nil {
			if len(items) > 0 || Transient(err) { // what was taken must reach the reader
				break
			}
			return nil, err
		}
		if m := r.Field("message"); !m.IsNil() {
			item, err := decodeRecord(f.cmd, m)
			if err != nil {
				return items, err
			}
			items = append(items, item)
		}
	}
	f.busy = len(items) > 0
	return items, nil
}

func (f *Follower) streamReplies(replies []value.Value, failures []*errs.Error) ([]value.Value, *errs.Error) {
	for _, err := range failures {
		if err != nil && err.Code == errs.NotFound {
			// The room was there when following began. It is waited for: a server that
			// restarts has none until somebody creates it anew.
			return nil, nil
		}
	}
	if err := failures[0]; err != nil {
		earliest, evicted := earliestRetained(err.Message)
		if !evicted {
			return nil, err
		}
		if f.lost >= 0 {
			f.lost += earliest - f.offset
		}
		f.offset = earliest
		return nil, nil
	}
	if failures[1] != nil {
		return nil, failures[1]
	}
	generation, ok := replies[1].Field("generation").AsInt()
	if !ok {
		return nil, badReply(f.cmd, "has no generation")
	}
	recreated := f.known && generation != f.generation
	f.generation, f.known = generation, true
	if recreated {
		// The events of this poll may be of either room: read the new one anew.
		f.offset, f.lost = 0, -1
		return nil, nil
	}
	events := replies[0].Field("events")
	items := make([]value.Value, 0, events.Len())
	for i := 0; i < events.Len(); i++ {
		item, err := decodeRecord(f.cmd, events.Index(i))
		if err != nil {
			return nil, err
		}
		offset, _ := item.Index(0).AsInt()
		if offset > f.offset && f.lost >= 0 { // a gap inside the buffer
			f.lost += offset - f.offset
		}
		items = append(items, withLost(item, f.lost))
		f.lost, f.offset = 0, offset+1
	}
	return items, nil
}

// withLost returns the record with its last field, lost, set.
func withLost(record value.Value, lost int64) value.Value {
	if lost == 0 {
		return record
	}
	fields := append([]value.Value(nil), record.Items()...)
	fields[len(fields)-1] = value.Int(lost)
	return value.Array(fields...)
}

// earliestRetained reads the offset from the text with which the server refuses
// an evicted one (protocol: stream rule 4).
func earliestRetained(text string) (int64, bool) {
	const mark = "out of range; earliest retained offset is "
	i := strings.Index(text, mark)
	if i < 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(text[i+len(mark):], 10, 64)
	return n, err == nil
}
