package engine_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestPubSubVectors(t *testing.T) { replay(t, "http-pubsub", nil) }

// TestPubSubCounts: duplicates, and what a bad pattern leaves behind, in the
// registry (protocol: pub/sub quirks).
func TestPubSubCounts(t *testing.T) {
	c := newClock(t)
	stats := func(topics, subscribers, patterns string) {
		t.Helper()
		s := c.do(engine.Envelope, "pubsub.stats", `{}`)
		if text(s.Field("total_topics")) != topics || text(s.Field("total_subscribers")) != subscribers || text(s.Field("total_wildcard_subscriptions")) != patterns {
			t.Errorf("got %s, want %s topics, %s subscribers, %s patterns", text(s), topics, subscribers, patterns)
		}
	}
	reply := c.do(engine.Envelope, "pubsub.subscribe", `{"topics":["a",1,"a","b*","b*"]}`)
	if text(reply.Field("topics")) != `["a","a","b*","b*"]` || text(reply.Field("subscription_count")) != "4" {
		t.Errorf("got %s", text(reply))
	}
	stats("1", "3", "2")
	c.try(engine.Envelope, "pubsub.subscribe", `{"topics":["c","#.x"]}`)
	if got := text(c.do(engine.Envelope, "pubsub.topics", `null`).Field("count")); got != "2" {
		t.Errorf("%s topics listed", got)
	}
	stats("1", "3", "2") // not seen before the next change
	c.expect("pubsub.unsubscribe", `{"subscriber_id":"nobody"}`, `{"unsubscribed":0}`)
	stats("2", "4", "2")
	id := str(reply, "subscriber_id")
	c.expect("pubsub.unsubscribe", `{"subscriber_id":"`+id+`","topics":[]}`, `{"unsubscribed":0}`)
	c.expect("pubsub.unsubscribe", `{"subscriber_id":"`+id+`","topics":["b*","b*","c"]}`, `{"unsubscribed":2}`)
	c.expect("pubsub.unsubscribe", `{"subscriber_id":"`+id+`","topics":"a"}`, `{"unsubscribed":1}`)
	stats("2", "1", "0")
}

// TestPubSubDelivery: what a subscriber gets, once, in order, until it closes.
func TestPubSubDelivery(t *testing.T) {
	c := newClock(t)
	woken := 0
	s, errText := c.e.Subscribe(c.now, []string{"t.*", "t.a", "t.#"}, 100, engine.DropOldest, func() { woken++ })
	if errText != "" {
		t.Fatal(errText)
	}
	for i := range 20 {
		c.do(engine.Envelope, "pubsub.publish", `{"topic":"t.a","data":{"n":`+strconv.Itoa(i)+`},"metadata":{"k":"v","n":1}}`)
	}
	if woken != 1 {
		t.Errorf("woken %d times for one empty buffer", woken)
	}
	first, _ := s.Take(1)
	if m := first[0]; m.Topic != "t.a" || text(m.Payload) != `{"n":0}` || text(m.Metadata) != `{"k":"v"}` || m.Timestamp != start/second || len(m.ID) != 36 {
		t.Errorf("got %+v", m)
	}
	rest, lost := s.Take(100)
	if len(rest) != 19 || text(rest[18].Payload) != `{"n":19}` || lost != 0 {
		t.Errorf("%d messages, lost %d", len(rest), lost)
	}
	c.do(engine.Envelope, "pubsub.publish", `{"topic":"t.b","payload":null,"data":1}`)
	if woken != 2 {
		t.Errorf("woken %d times for two empty buffers", woken)
	}
	if m, _ := s.Take(9); len(m) != 1 || !m[0].Payload.IsNil() || !m[0].Metadata.IsNil() {
		t.Errorf("got %+v", m)
	}
	c.expect("pubsub.unsubscribe", `{"subscriber_id":"`+s.ID()+`","topics":["t.*","t.#"]}`, `{"unsubscribed":2}`)
	c.do(engine.Envelope, "pubsub.publish", `{"topic":"t.b","payload":1}`)
	if m, _ := s.Take(9); len(m) != 0 {
		t.Error("a message of a topic that was left")
	}
	s.Close()
	s.Close()
	if got := text(c.do(engine.Envelope, "pubsub.info", `{"topic":"t.a"}`).Field("subscriber_count")); got != "0" {
		t.Errorf("subscriber_count %s after closing", got)
	}
}

// TestPubSubBadPattern: nothing is delivered to a subscriber that failed.
func TestPubSubBadPattern(t *testing.T) {
	c := newClock(t)
	s, errText := c.e.Subscribe(c.now, []string{"a", "b.#.c"}, 10, engine.DropOldest, func() { t.Error("woken") })
	if errText == "" {
		t.Fatal("no error")
	}
	c.do(engine.Envelope, "pubsub.publish", `{"topic":"a","payload":1}`)
	if m, _ := s.Take(9); len(m) != 0 {
		t.Error("delivered")
	}
}

// TestPubSubConcurrent: many publishers, subscribers that come and go and read at
// once; each message arrives once, those of one publisher in order.
func TestPubSubConcurrent(t *testing.T) {
	e := engine.New(engine.Options{})
	const publishers, each = 4, 500
	type reader struct {
		sub  *engine.Subscriber
		wake chan struct{}
	}
	var readers, writers sync.WaitGroup
	for _, topic := range []string{"t.a", "t.*", "#"} {
		r := reader{wake: make(chan struct{}, 1)}
		var errText string
		r.sub, errText = e.Subscribe(start, []string{topic, "t.a"}, publishers*each, engine.DropOldest, func() {
			select {
			case r.wake <- struct{}{}:
			default:
			}
		})
		if errText != "" {
			t.Fatal(errText)
		}
		readers.Go(func() {
			last := map[int64]int64{}
			for got := 0; got < publishers*each; {
				<-r.wake
				messages, lost := r.sub.Take(publishers * each)
				if lost != 0 {
					t.Errorf("lost %d", lost)
				}
				for _, m := range messages {
					p, _ := m.Payload.Index(0).AsInt()
					n, _ := m.Payload.Index(1).AsInt()
					if n != last[p]+1 {
						t.Errorf("publisher %d: message %d after %d", p, n, last[p])
					}
					last[p] = n
				}
				got += len(messages)
			}
		})
	}
	for p := range publishers {
		writers.Go(func() {
			for n := range each {
				payload := value.Map(value.Str("topic"), value.Str("t.a"), value.Str("payload"), value.Array(value.Int(int64(p)), value.Int(int64(n+1))))
				reply, errText := e.Exec(start+int64(n), engine.Raw, "pubsub.publish", "", payload)
				if matched, _ := reply.Field("subscribers_matched").AsInt(); errText != "" || matched < 3 {
					t.Errorf("%s, matched %d", errText, matched)
				}
				if n%10 == 0 {
					s, _ := e.Subscribe(start, []string{"t.a", fmt.Sprint("x.", n, "*")}, 1, engine.Detach, nil)
					s.Close()
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
}

// TestPubSubTogether: one connection's subscribers hand over in the order of
// publishing; one that is abandoned only counts.
func TestPubSubTogether(t *testing.T) {
	c := newClock(t)
	var subs []*engine.Subscriber
	for _, topic := range []string{"a", "b", "#"} {
		s, errText := c.e.Subscribe(c.now, []string{topic}, 10, engine.Detach, func() {})
		if errText != "" {
			t.Fatal(errText)
		}
		subs = append(subs, s)
	}
	for i := range 4 {
		c.do(engine.Envelope, "pubsub.publish", `{"topic":"`+"ab"[i%2:i%2+1]+`","data":`+strconv.Itoa(i)+`}`)
	}
	got := ""
	for _, a := range engine.TakeTogether(subs) {
		got += text(a.Payload)
	}
	if got != "00112233" {
		t.Errorf("handed over %s", got)
	}
	subs[0].Abandon()
	for range 100 { // more than its buffer held
		c.do(engine.Envelope, "pubsub.publish", `{"topic":"a","data":1}`)
	}
	reply := c.do(engine.Envelope, "pubsub.publish", `{"topic":"a","data":1}`)
	if text(reply.Field("subscribers_matched")) != "2" || len(engine.TakeTogether(subs[:1])) != 0 || len(engine.TakeTogether(nil)) != 0 {
		t.Errorf("after it was abandoned: %s", text(reply))
	}
}

// TestTogether: nobody sees what is between.
func TestTogether(t *testing.T) {
	c := newClock(t)
	c.e.Together(c.now, engine.Raw, func(exec func(string, value.Value) (value.Value, string)) {
		for range 3 {
			if _, errText := exec("kv.incr", value.Map(value.Str("key"), value.Str("n"))); errText != "" {
				t.Error(errText)
			}
		}
		if _, errText := exec("no.such", value.Nil); errText != "Unknown command: no.such" {
			t.Error(errText)
		}
	})
	c.expect("kv.get", `{"key":"n"}`, `"3"`)
}
