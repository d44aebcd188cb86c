package sim

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/loop"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// follow is a subscription and who reads it.
type follow struct {
	a    *actor
	n    int
	name string // the command
	args []value.Value
	id   int64 // the subscription, 0 until it stands
	over error // why it has ended
	slow int64 // how long the reader pauses at most

	awaited string // the last item, "" if it need not come
	arrived bool

	check   checker
	goodbye bool // it is being ended on purpose
}

// checker judges the items of a follow.
type checker interface {
	// stands is called when the subscription is confirmed.
	stands()
	// item takes an item with its count of lost ones, and returns what the item is
	// known by and what is wrong with it.
	item(v value.Value) (known, wrong string)
	// last makes the source produce a final item and returns what it is known by.
	last(mark string) string
	// passed reports whether the item that was awaited has come or been counted as
	// lost, now that another has come.
	passed(known, awaited string) bool
}

func (f *follow) String() string {
	return f.a.String() + " #" + strconv.Itoa(f.n) + " " + f.name
}

// doFollow begins a subscription.
func doFollow(w *world, o op, r *rand.Rand) {
	a := w.someone(r)
	f := &follow{a: a, n: o.n, slow: []int64{0, 0, 50, 400}[r.IntN(4)] * ms}
	buffer := value.Int([]int64{2, 8, 1024}[r.IntN(3)])
	switch kind := r.IntN(6); {
	case kind < 2 && a.scheme != "resp3":
		topics := [][]string{{topicName(0)}, {topicName(1), topicName(2)}, {"news.*"}, {"news.*", topicName(1)}}[r.IntN(4)]
		f.name, f.args = "pubsub.subscribe", []value.Value{strs(topics...), buffer}
		f.check = newPushCheck(f, topics, "", func(v value.Value) (topic, id string, lost int64) {
			lost, _ = v.Index(5).AsInt()
			return text(v.Index(0)), text(v.Index(1)), lost
		})
	case kind < 3 && a.scheme != "resp3":
		patterns := [][]string{{counter(0)}, {counter(1), counter(2)}, {"w*"}}[r.IntN(3)]
		f.name, f.args = "kv.watch", []value.Value{strs(patterns...), buffer}
		f.check = newPushCheck(f, patterns, watchPrefix, func(v value.Value) (topic, id string, lost int64) {
			lost, _ = v.Index(5).AsInt()
			return watchPrefix + text(v.Index(0)), text(v.Index(2)), lost
		})
	case kind < 5:
		room := roomName(r.IntN(roomCount))
		from := int64(0)
		f.name, f.args = "stream.follow", []value.Value{str(room), str("f" + strconv.Itoa(o.n)), value.Int(from)}
		f.check = &streamCheck{f: f, name: room, from: from}
	default:
		for _, other := range a.follows {
			if other.name == "queue.follow" {
				return // one to a queue, so that it must get all
			}
		}
		f.name, f.args = "queue.follow", []value.Value{str(ownQueue(a.n)), str("f" + strconv.Itoa(o.n)), value.Int(1 + r.Int64N(4))}
		f.check = &queueCheck{f: f, queue: ownQueue(a.n), seen: map[string]bool{}}
	}
	a.follows = append(a.follows, f)
	f.begin()
}

func (f *follow) begin() {
	w := f.a.w
	timeout := between(f.a.r, 50, 800) * ms
	limit := w.now + timeout + lateness
	w.logf("%s %s, within %d ms", f, show(value.Array(f.args...)), timeout/ms)
	frame := value.Array(value.Int(int64(session.OpSubscribe)), str(f.name), value.Array(f.args...))
	if c, ok := f.check.(*streamCheck); ok {
		c.born = w.ledger.rooms[c.name]
	}
	f.a.submit(timeout, frame, func(done loop.Completion) {
		if w.now > limit {
			w.violated("%s: opening ended after its deadline", f)
		}
		if done.Err != nil {
			w.logf("%s: %v", f, done.Err)
			f.over = done.Err
			w.unopened = true
			if w.weather.fine && done.Err.Code != errs.Timeout && done.Err.Code != errs.Canceled && done.Err.Code != errs.Closed && done.Err.Code != errs.ResourceExhausted {
				w.violated("%s: cannot be opened in fine weather: %v", f, done.Err)
			}
			return
		}
		f.id, _ = done.Reply.AsInt()
		w.logf("%s stands", f)
		f.check.stands()
		f.read()
	})
}

// read asks for items again and again.
func (f *follow) read() {
	a := f.a
	w := a.w
	if f.over != nil || f.goodbye || a.closed {
		return
	}
	timeout := between(a.r, 10, 400) * ms
	limit := w.now + timeout + lateness
	frame := value.Array(value.Int(int64(session.OpNext)), value.Int(f.id), value.Int(1+a.r.Int64N(6)))
	a.submit(timeout, frame, func(done loop.Completion) {
		if w.now > limit {
			w.violated("%s: reading ended after its deadline", f)
		}
		if done.Err != nil {
			if done.Err.Code == errs.Canceled {
				w.after(0, f.read)
				return
			}
			w.logf("%s: %v", f, done.Err)
			f.over = done.Err
			if w.weather.fine && !f.goodbye && done.Err.Code != errs.Closed {
				w.violated("%s ended in fine weather: %v", f, done.Err)
			}
			return
		}
		for i := range done.Reply.Len() {
			v := done.Reply.Index(i)
			w.logf("%s: %s", f, show(v))
			known, wrong := f.check.item(v)
			if wrong != "" {
				w.violated("%s: %s: %s", f, show(v), wrong)
			}
			w.items++
			f.arrived = f.arrived || f.check.passed(known, f.awaited)
		}
		wait := int64(0)
		if f.slow > 0 && a.r.IntN(3) == 0 {
			wait = between(a.r, 0, f.slow)
		}
		w.after(wait, f.read)
	})
}

// doUnfollow ends a subscription.
func doUnfollow(w *world, _ op, r *rand.Rand) {
	a := w.someone(r)
	if len(a.follows) > 0 {
		a.follows[r.IntN(len(a.follows))].end()
	}
}

func (f *follow) end() {
	if f.id == 0 || f.over != nil || f.goodbye || f.a.closed {
		return
	}
	f.goodbye = true
	f.a.w.logf("%s: unsubscribe", f)
	f.a.submit(second, value.Array(value.Int(int64(session.OpUnsubscribe)), value.Int(f.id)), func(done loop.Completion) {
		if done.Err != nil {
			f.a.w.violated("%s: cannot be ended: %v", f, done.Err)
		}
	})
}

// listening reports whether it must hear what comes.
func (f *follow) listening() bool {
	return f.id != 0 && f.over == nil && !f.goodbye && !f.a.closed
}

// matches reports whether a topic is one of the names, as far as they are used
// here.
func matches(names []string, topic string) bool {
	for _, name := range names {
		before, glob := strings.CutSuffix(name, "*")
		if name == topic || (glob && strings.HasPrefix(topic, before)) {
			return true
		}
	}
	return false
}
