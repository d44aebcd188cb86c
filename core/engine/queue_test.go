package engine_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
)

func TestQueueVectors(t *testing.T) { replay(t, "http-queue", nil) }

// TestQueueAgainstSlice compares a queue with a slice that is ordered by the words
// of the protocol, through random publishing, consuming, rejecting and acking.
func TestQueueAgainstSlice(t *testing.T) {
	type message struct{ n, priority int }
	c := newClock(t)
	c.do(engine.Envelope, "queue.create", `{"name":"q","config":{"default_max_retries":1000,"ack_deadline_secs":4000}}`)
	rnd := rand.New(rand.NewPCG(3, 4))
	var waiting []message
	var taken []string // ids
	held := map[string]message{}
	for n := range 30_000 {
		switch rnd.IntN(8) {
		case 0, 1, 2: // before the first of lower priority
			m := message{n, rnd.IntN(10)}
			c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[`+strconv.Itoa(n%256)+`,`+strconv.Itoa(n/256)+`],"priority":`+strconv.Itoa(m.priority)+`}`)
			at := slices.IndexFunc(waiting, func(w message) bool { return w.priority < m.priority })
			if at < 0 {
				at = len(waiting)
			}
			waiting = slices.Insert(waiting, at, m)
		case 3, 4, 5:
			v := c.consume("q")
			if len(waiting) == 0 {
				if !v.IsNil() {
					t.Fatalf("step %d: a message out of nothing", n)
				}
				continue
			}
			want := waiting[0]
			waiting = waiting[1:]
			if got := payloadOf(v); got != string([]byte{byte(want.n), byte(want.n / 256)}) {
				t.Fatalf("step %d: got %v, want message %d", n, []byte(got), want.n)
			}
			id := str(v, "id")
			held[id] = want
			taken = append(taken, id)
		default:
			if len(taken) == 0 {
				continue
			}
			i := rnd.IntN(len(taken))
			id := taken[i]
			taken = slices.Delete(taken, i, i+1)
			if rnd.IntN(3) > 0 { // to the very end
				c.do(engine.Envelope, "queue.nack", `{"queue":"q","message_id":"`+id+`"}`)
				waiting = append(waiting, held[id])
			} else {
				c.do(engine.Envelope, "queue.ack", `{"queue":"q","message_id":"`+id+`"}`)
			}
			delete(held, id)
		}
		if n%5000 == 4999 {
			c.do(engine.Envelope, "queue.purge", `{"queue":"q"}`)
			waiting = nil
		}
	}
	stats := c.do(engine.Envelope, "queue.stats", `{"queue":"q"}`)
	if got := text(stats.Field("depth")); got != strconv.Itoa(len(waiting)) {
		t.Errorf("depth %s, want %d", got, len(waiting))
	}
}

// TestQueueRedeliveryInOrder: what passes its deadline comes back in the order in
// which it was consumed, and not what was acked or consumed later.
func TestQueueRedeliveryInOrder(t *testing.T) {
	c := newClock(t)
	c.do(engine.Envelope, "queue.create", `{"name":"q","config":{"ack_deadline_secs":5}}`)
	var ids []string
	for n := range 6 {
		c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[`+strconv.Itoa(n)+`]}`)
		ids = append(ids, str(c.consume("q"), "id"))
		if n == 3 {
			c.wait(4)
		}
	}
	c.do(engine.Envelope, "queue.ack", `{"queue":"q","message_id":"`+ids[1]+`"}`)
	c.wait(2)
	var back []byte
	for m := c.consume("q"); !m.IsNil(); m = c.consume("q") {
		back = append(back, payloadOf(m)...)
	}
	if want := []byte{0, 2, 3}; string(back) != string(want) {
		t.Errorf("came back: %v, want %v", back, want)
	}
}

// TestQueueDeadlineIsKept: a consumer always has its full time, and the message is
// back within two seconds after it (protocol: queue rule 5).
func TestQueueDeadlineIsKept(t *testing.T) {
	for _, into := range []float64{0, 0.001, 0.5, 0.999} { // the second in which it is consumed
		c := newClock(t)
		c.now = start - start%second
		c.wait(into)
		c.do(engine.Envelope, "queue.create", `{"name":"q","config":{"ack_deadline_secs":10}}`)
		c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[1]}`)
		c.consume("q")
		c.wait(9.999)
		if !c.consume("q").IsNil() {
			t.Errorf("consumed %g s into a second: back before its deadline", into)
		}
		c.wait(2)
		if c.consume("q").IsNil() {
			t.Errorf("consumed %g s into a second: not back after its deadline", into)
		}
	}
}

// TestQueueLimits: what counts for depth and prefetch (protocol: queue rules 6, 7).
func TestQueueLimits(t *testing.T) {
	c := newClock(t)
	c.do(engine.Envelope, "queue.create", `{"name":"q","config":{"max_depth":1,"prefetch_limit":2}}`)
	var ids []string
	for range 2 { // in flight does not count
		c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[1]}`)
		ids = append(ids, str(c.consume("q"), "id"))
	}
	c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[1]}`)
	if !c.consume("q").IsNil() {
		t.Error("a third message for a consumer that may hold two")
	}
	for _, id := range ids { // requeueing may exceed the depth
		c.do(engine.Envelope, "queue.nack", `{"queue":"q","message_id":"`+id+`"}`)
	}
	c.expect("queue.stats", `{"queue":"q"}`, `{"acked":0,"consumed":2,"consumers":0,"dead_lettered":0,"depth":3,"nacked":2,"published":3}`)
	if _, errText := c.try(engine.Envelope, "queue.publish", `{"queue":"q","payload":[1]}`); errText != "Queue is full: q" {
		t.Errorf("got %q", errText)
	}
}

// TestQueueBigNumbers: numbers wrap where the server's do (protocol: queue quirks).
func TestQueueBigNumbers(t *testing.T) {
	c := newClock(t)
	for _, test := range []struct{ config, publish, priority, retries string }{
		{``, `"priority":261,"max_retries":4294967297`, "5", "1"},
		{``, `"priority":18446744073709551615`, "9", "3"},
		{``, `"priority":-1,"max_retries":-1`, "5", "3"},
		{``, `"priority":2.5,"max_retries":"7"`, "5", "3"},
		{`"default_priority":12,"default_max_retries":4294967298`, ``, "9", "2"},
		{`"default_priority":256`, ``, "0", "3"},
		{`"default_priority":"9","max_depth":-1`, ``, "5", "3"},
	} {
		c.do(engine.Envelope, "queue.create", `{"name":"q","config":{`+test.config+`}}`)
		extra := test.publish
		if extra != "" {
			extra = "," + extra
		}
		c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[1]`+extra+`}`)
		m := c.consume("q")
		if p, r := text(m.Field("priority")), text(m.Field("max_retries")); p != test.priority || r != test.retries {
			t.Errorf("config %s, publish %s: priority %s, max_retries %s", test.config, test.publish, p, r)
		}
		c.do(engine.Envelope, "queue.delete", `{"queue":"q"}`)
	}
}

// TestQueueDefaultDepths: the server's own settings, and what it fills in beside
// given ones (protocol: queue rule 11).
func TestQueueDefaultDepths(t *testing.T) {
	c := newClock(t)
	for config, depth := range map[string]int{`{}`: 10_000, `{"max_depth":null}`: 10_000, `{"prefetch_limit":0}`: 100_000} {
		c.do(engine.Envelope, "queue.create", `{"name":"q","config":`+config+`}`)
		n := 0
		for errText := ""; errText == ""; n++ {
			_, errText = c.try(engine.Raw, "queue.publish", `{"queue":"q","payload":"x"}`)
		}
		if n-1 != depth {
			t.Errorf("config %s: full at %d, want %d", config, n-1, depth)
		}
		c.do(engine.Envelope, "queue.delete", `{"queue":"q"}`)
	}
}
