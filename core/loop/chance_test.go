package loop

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/value"
)

// TestChance drives a client through a network that delays, loses and cuts, and
// checks what must hold whatever happens: every frame ends once, no increment is
// lost or doubled beyond what its error admits, and nothing is left at the end.
func TestChance(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playChance(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func playChance(t *testing.T, r *rand.Rand) {
	w := open(t, "http://h", str("timeout"), value.Float(0.2), str("max_retries"), value.Int(int64(r.IntN(4))))
	tag := int32(0)
	increments := map[int32]bool{}
	batches := map[int32]bool{}
	for range 200 {
		switch n := r.IntN(20); {
		case n < 4:
			tag++
			increments[tag] = true
			w.call(tag, "kv.incr", str("n"))
		case n < 6:
			tag++
			batches[tag] = true
			w.batch(tag, "kv.incr", args(str("n")), "kv.get", args(str("n")), "kv.incr", args(str("n")))
		case n < 7:
			tag++
			w.call(tag, "kv.mget", strs("n", "m"))
		case n < 8 && tag > 0:
			w.c.Cancel(w.now, 1+r.Int32N(tag))
			w.settle()
		case n < 10:
			w.to(w.now + int64(r.IntN(50))*ms)
		case n < 11 && w.c.WakeAt() != 0:
			w.wake()
		case len(w.pending) > 0 && n < 18:
			w.answer()
		case len(w.pending) > 0:
			w.breakLane(r)
		}
	}
	w.to(w.now + second)
	if r.IntN(2) == 0 {
		w.c.Close(w.now)
		w.settle()
	}
	if len(w.done) != int(tag) {
		t.Fatalf("%d of %d frames have ended", len(w.done), tag)
	}
	w.atRest()

	sure, perhaps := int64(0), int64(0)
	count := func(failed, applied bool) {
		if !failed {
			sure++
		} else if applied {
			perhaps++
		}
	}
	for tag, done := range w.done {
		switch {
		case increments[tag]:
			count(done.Err != nil, done.Err != nil && done.Err.MaybeApplied)
		case batches[tag] && done.Err != nil:
			if done.Err.MaybeApplied {
				perhaps += 2
			}
		case batches[tag]:
			for _, i := range []int{0, 2} {
				outcome := done.Reply.Index(i)
				flags, _ := outcome.Index(1).Index(2).AsInt()
				count(outcome.Len() == 2, flags&2 != 0)
			}
		}
	}
	reply, _ := w.server.Exec(w.now, 0, "kv.get", "", value.Map(str("key"), str("n")))
	var n int64
	if s, ok := reply.AsStr(); ok {
		fmt.Sscan(s, &n)
	}
	if n < sure || n > sure+perhaps {
		t.Errorf("the counter is %d after %d increments and %d that may have been applied", n, sure, perhaps)
	}
}

// breakLane fails the oldest request, and with it the rest of its lane. Whether
// the server saw it is a matter of chance; the client knows only if it cannot.
func (w *world) breakLane(r *rand.Rand) {
	w.t.Helper()
	sent := r.IntN(2) == 0
	lane := w.pending[0].Lane
	if sent && r.IntN(2) == 0 {
		w.serve(&w.pending[0].Request)
	}
	w.fail(sent)
	for lane != 0 {
		i := 0
		for i < len(w.pending) && w.pending[i].Lane != lane {
			i++
		}
		if i == len(w.pending) {
			return
		}
		id := w.pending[i].id
		w.pending = without(w.pending, id)
		w.c.HTTPFailed(w.now, id, false, "an earlier request of the lane failed")
		w.settle()
	}
}

func TestTimersInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h timers
	type due struct{ at, seq int }
	var got []due
	stopped := map[due]bool{}
	var all []*timer
	for seq := range 2000 {
		d := due{r.IntN(100), seq}
		tm := &timer{}
		h.set(tm, int64(d.at), func() { got = append(got, d) })
		all = append(all, tm)
	}
	for seq, tm := range all {
		if r.IntN(3) == 0 {
			h.stop(tm)
			h.stop(tm)
			stopped[due{int(tm.at), seq}] = true
		}
	}
	for now := range 100 {
		if next := h.next(); len(h.heap) > 0 && next < int64(now) {
			t.Fatalf("%d is overdue at %d", next, now)
		}
		h.run(int64(now))
	}
	if len(got) != 2000-len(stopped) || len(h.heap) != 0 {
		t.Fatalf("%d timers went off and %d were stopped; %d are left", len(got), len(stopped), len(h.heap))
	}
	for i, d := range got {
		if stopped[d] || (i > 0 && (got[i-1].at > d.at || (got[i-1].at == d.at && got[i-1].seq > d.seq))) {
			t.Fatalf("%v comes after %v", d, got[i-1])
		}
	}
	again := &timer{}
	h.set(again, 5, func() {})
	h.set(again, int64(time.Second), func() {}) // instead
	if len(h.heap) != 1 || h.next() != int64(time.Second) {
		t.Errorf("next is %d", h.next())
	}
}
