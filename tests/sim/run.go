package sim

import (
	"fmt"
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// Plan says what of a seed's run takes place.
type Plan struct {
	Seed    uint64
	Skip    map[int]bool // operations that are left out, by place
	Calm    [faults]bool // faults that are left out
	Verbose bool         // keep the log
}

// Outcome is what came of a run.
type Outcome struct {
	Violations []string
	Log        []string
	Weather    string
	Ops        int // operations that took place
	Calls      int
	Failed     int // calls that ended with an error
	Items      int
}

// Run plays a seed.
func Run(p Plan) Outcome {
	w := runWorld(p)
	return w.outcome()
}

func runWorld(p Plan) *world {
	w := &world{seed: p.Seed, now: epoch, verbose: p.Verbose, ledger: newLedger()}
	w.weather = forecast(p.Seed).without(p.Calm)
	w.r = w.random("world", 0)
	w.stock = w.r.IntN(3) == 0
	for range 1 + w.r.IntN(3) {
		w.actors = append(w.actors, newActor(w))
	}
	w.server = newServer(w)
	for _, a := range w.actors {
		a.open()
	}
	w.forecast = w.weather.String()
	w.logf("%d clients, latency up to %d ms, %s", len(w.actors), w.weather.latency/ms, w.forecast)
	w.play(script(p.Seed), p.Skip)
	w.end()
	return w
}

func (w *world) outcome() Outcome {
	out := Outcome{Violations: w.violations, Log: w.log, Weather: w.forecast, Ops: w.ops, Calls: len(w.calls), Items: w.items}
	for _, c := range w.calls {
		for _, part := range c.parts {
			if part.err != nil {
				out.Failed++
				break
			}
		}
	}
	return out
}

// play lets the operations and what befalls the server happen.
func (w *world) play(ops []op, skip map[int]bool) {
	w.trouble()
	w.chatter()
	for i, o := range ops {
		w.until(w.now + o.wait)
		if skip[i] || len(w.violations) > 0 {
			continue
		}
		w.ops++
		o.do(w, o, w.random("op", i))
	}
	w.until(w.now + 200*ms)
}

// trouble plans restarts and freezes.
func (w *world) trouble() {
	r := w.random("trouble", 0)
	for at := int64(0); at < 4*second; at += 200 * ms {
		kill, freeze := w.strikes(r, restart), w.strikes(r, frozen)
		wait := between(r, 0, 400*ms)
		when := w.now + at + between(r, 0, 200*ms)
		if kill {
			w.at(when, func() {
				if w.weather.odds[restart] > 0 { // the weather may have cleared
					w.server.stop(wait)
				}
			})
		}
		if freeze {
			w.at(when, func() {
				if w.weather.odds[frozen] > 0 {
					w.server.freeze(wait)
				}
			})
		}
	}
}

// chatter lets others publish too, in some runs, until the weather clears.
func (w *world) chatter() {
	r := w.random("chatter", 0)
	pace := []int64{0, 0, 10, 50}[r.IntN(4)] * ms
	if pace == 0 {
		return
	}
	n := 0
	var next func()
	next = func() {
		if w.cleared {
			return
		}
		n++
		mark := "other" + strconv.Itoa(n)
		switch what := r.IntN(5); {
		case !w.server.up:
		case what == 0:
			w.server.operate("stream.publish", str("room"), str(roomName(r.IntN(roomCount))), str("event"), str(mark), str("data"), str(mark))
		case what < 3:
			w.server.operate("pubsub.publish", str("topic"), str(topicName(r.IntN(topicCount))), str("payload"), str(mark))
		default:
			w.server.operate("kv.incr", str("key"), str(counter(r.IntN(counterCount))), str("amount"), value.Int(r.Int64N(1<<40)))
		}
		w.after(between(r, ms, pace), next)
	}
	w.after(0, next)
}

// How long things may take once the weather has cleared.
const (
	settling = 3 * second
	patience = 12 * second
)

// end clears the weather, sees that all recovers, closes everything and judges.
func (w *world) end() {
	if len(w.violations) > 0 {
		return
	}
	w.clear()
	w.until(w.now + settling)
	for _, c := range w.calls {
		if !c.ended && w.now > c.deadline+lateness {
			w.violated("%s has not ended", c)
		}
	}
	if len(w.violations) > 0 {
		return
	}
	w.hearLast()
	if w.r.IntN(40) == 0 { // connections rest, those of calls are closed
		w.until(w.now + 70*second)
		w.hearLast()
	}
	if len(w.violations) > 0 {
		return
	}
	for i, a := range w.actors {
		if i%2 == 0 {
			for _, f := range a.follows {
				f.end()
			}
			w.until(w.now + 100*ms)
		}
	}
	for _, a := range w.actors {
		if !a.closed {
			a.close()
			a.nothingLeft()
		}
	}
	w.until(w.now + 10*second) // what is still under way arrives
	for _, a := range w.everyone {
		a.nothingLeft()
	}
	// Over SynapRPC only a subscriber whose id is known can be ended; it would
	// outlive its connection.
	left, _ := w.server.operate("pubsub.stats").Field("total_subscribers").AsInt()
	if w.weather.fine && !w.unopened && left > 0 {
		w.violated("%d subscriptions are left on the server", left)
	}
	if len(w.violations) > 0 {
		return
	}
	w.judge()
	w.drain()
}

// hearLast lets every source of a subscription produce a last item, which must
// come however often the connection broke.
func (w *world) hearLast() {
	var all []*follow
	for _, a := range w.actors {
		for _, f := range a.follows {
			if f.listening() {
				w.lasts++
				f.arrived = false
				f.awaited = f.check.last("last" + strconv.Itoa(w.lasts))
				w.logf("%s: awaits %q", f, f.awaited)
				all = append(all, f)
			}
		}
	}
	for limit := w.now + patience; w.now < limit; w.until(w.now + 100*ms) {
		missing := false
		for _, f := range all {
			missing = missing || (f.listening() && !f.arrived)
		}
		if !missing || len(w.violations) > 0 {
			return
		}
	}
	for _, f := range all {
		if f.listening() && !f.arrived {
			w.violated("%s is deaf: %q does not come", f, f.awaited)
		}
	}
}

// drain takes what is left in the queues: all that was published and not acked, and
// nothing else.
func (w *world) drain() {
	left := map[string]int{}
	for _, m := range w.ledger.published {
		if !m.acked {
			left[m.id]++
		}
	}
	w.until(w.now + 60*second) // past every deadline
	var names []string
	for i := range queueCount {
		names = append(names, queueName(i))
	}
	for _, a := range w.everyone {
		names = append(names, ownQueue(a.n))
	}
	for _, name := range names {
		for {
			m := w.server.operate("queue.consume", str("queue"), str(name), str("consumer_id"), str("drain")).Field("message")
			if m.IsNil() {
				break
			}
			left[text(m.Field("id"))]--
		}
	}
	for _, m := range w.ledger.published {
		if n := left[m.id]; n != 0 {
			w.violated("message %s of %s: %d too few in the queue", m.name, m.queue, n)
		}
	}
	if n := len(left); n > len(w.ledger.published) {
		w.violated("the queues hold what was not published")
	}
}

func (o Outcome) String() string {
	return fmt.Sprintf("%d operations, %d calls (%d failed), %d items, %s", o.Ops, o.Calls, o.Failed, o.Items, o.Weather)
}
