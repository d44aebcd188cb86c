package engine_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// clock drives one engine through virtual time.
type clock struct {
	t   *testing.T
	e   *engine.Engine
	now int64
}

func newClock(t *testing.T) *clock { return &clock{t, engine.New(engine.Options{}), start} }

func (c *clock) wait(seconds float64) { c.now += int64(seconds * 1e9) }

// do runs a command that must succeed; payload is JSON text.
func (c *clock) do(face engine.Face, name, payload string) value.Value {
	c.t.Helper()
	reply, errText := c.try(face, name, payload)
	if errText != "" {
		c.t.Fatalf("%s %s: %s", name, payload, errText)
	}
	return reply
}

func (c *clock) try(face engine.Face, name, payload string) (value.Value, string) {
	c.t.Helper()
	p, err := value.ParseJSON(payload)
	if err != nil {
		c.t.Fatalf("%s: %v", payload, err)
	}
	return c.e.Exec(c.now, face, name, "r", p)
}

// expect runs an envelope command and compares the reply as JSON text.
func (c *clock) expect(name, payload, want string) {
	c.t.Helper()
	if got := text(c.do(engine.Envelope, name, payload)); got != want {
		c.t.Errorf("%s %s: got %s, want %s", name, payload, got, want)
	}
}

func (c *clock) consume(queue string) value.Value {
	c.t.Helper()
	return c.do(engine.Envelope, "queue.consume", `{"queue":"`+queue+`","consumer_id":"c"}`).Field("message")
}

func payloadOf(m value.Value) string {
	s, _ := m.Field("payload").AsByteArray()
	return s
}

func TestDeadlineRedeliversAndDeadLetters(t *testing.T) { // protocol: queue rules 2 and 5
	c := newClock(t)
	c.do(engine.Envelope, "queue.create", `{"name":"q","config":{"ack_deadline_secs":10}}`)
	c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[1],"max_retries":1}`)
	id := text(c.consume("q").Field("id"))
	c.wait(9)
	if !c.consume("q").IsNil() {
		t.Fatal("redelivered before the deadline")
	}
	c.wait(3)
	m := c.consume("q")
	if got := text(m.Field("retry_count")); got != "1" || text(m.Field("id")) != id {
		t.Fatalf("after the deadline: retry_count %s", got)
	}
	if _, errText := c.try(engine.Envelope, "queue.ack", `{"queue":"q","message_id":`+id+`}`); errText != "" {
		t.Fatalf("ack in time: %s", errText)
	}
	c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[2],"max_retries":0}`)
	id = text(c.consume("q").Field("id"))
	c.wait(12)
	if _, errText := c.try(engine.Envelope, "queue.ack", `{"queue":"q","message_id":`+id+`}`); !strings.HasPrefix(errText, "Message not found: ") {
		t.Fatalf("a late ack: %q", errText)
	}
	c.expect("queue.stats", `{"queue":"q"}`, `{"acked":1,"consumed":3,"consumers":0,"dead_lettered":1,"depth":0,"nacked":2,"published":2}`)
}

func TestRequeuedMessagesStayBehind(t *testing.T) { // protocol: queue rules 1 and 4
	c := newClock(t)
	c.do(engine.Envelope, "queue.create", `{"name":"q"}`)
	publish := func(n, priority int) {
		c.do(engine.Envelope, "queue.publish", `{"queue":"q","payload":[`+strconv.Itoa(n)+`],"priority":`+strconv.Itoa(priority)+`}`)
	}
	publish(1, 9)
	publish(2, 5)
	m := c.consume("q")
	c.do(engine.Envelope, "queue.nack", `{"queue":"q","message_id":`+text(m.Field("id"))+`}`)
	publish(3, 5) // no message of lower priority waits: it goes to the end
	publish(4, 7) // before the first one of lower priority
	var order []byte
	for m := c.consume("q"); !m.IsNil(); m = c.consume("q") {
		order = append(order, payloadOf(m)...)
	}
	if want := []byte{4, 2, 1, 3}; string(order) != string(want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestStreamEviction(t *testing.T) { // protocol: stream rules 3 and 4
	c := newClock(t)
	c.do(engine.Envelope, "stream.create", `{"room":"r"}`)
	fill := func(n int) {
		for range n {
			c.do(engine.Envelope, "stream.publish", `{"room":"r","event":"e","data":1}`)
		}
	}
	fill(10_005)
	if _, errText := c.try(engine.Envelope, "stream.consume", `{"room":"r","subscriber_id":"s"}`); errText != "Invalid request: Stream offset 0 out of range; earliest retained offset is 5" {
		t.Fatalf("below the oldest: %q", errText)
	}
	c.do(engine.Envelope, "stream.consume", `{"room":"r","subscriber_id":"slow","from_offset":5,"limit":0}`)
	fill(1000) // a subscriber that has not read holds the events back
	stats := c.do(engine.Envelope, "stream.stats", `{"room":"r"}`)
	if text(stats.Field("min_offset")) != "5" || text(stats.Field("message_count")) != "11000" || text(stats.Field("dropped")) != "0" {
		t.Errorf("held back: %s", text(stats))
	}
}

func TestStreamRetention(t *testing.T) { // protocol: stream rule 5
	c := newClock(t)
	c.do(engine.Envelope, "stream.create", `{"room":"r"}`)
	c.do(engine.Envelope, "stream.publish", `{"room":"r","event":"e","data":1}`)
	c.wait(1800)
	c.do(engine.Envelope, "stream.publish", `{"room":"r","event":"e","data":2}`)
	c.wait(1900)
	stats := c.do(engine.Envelope, "stream.stats", `{"room":"r"}`)
	if text(stats.Field("message_count")) != "1" || text(stats.Field("min_offset")) != "1" {
		t.Errorf("after an hour: %s", text(stats))
	}
}

func TestRecreatedRoomHasAnotherGeneration(t *testing.T) {
	c := newClock(t)
	seen := map[string]bool{}
	for range 3 { // within one millisecond
		c.do(engine.Envelope, "stream.create", `{"room":"r"}`)
		seen[text(c.do(engine.Envelope, "stream.stats", `{"room":"r"}`).Field("generation"))] = true
		c.do(engine.Envelope, "stream.delete", `{"room":"r"}`)
	}
	if len(seen) != 3 {
		t.Errorf("%d generations of 3 rooms", len(seen))
	}
}

func TestExpiryBetweenSweeps(t *testing.T) { // protocol: http-data 2, expiry
	c := newClock(t)
	c.do(engine.Envelope, "kv.set", `{"key":"k","value":"v","ttl":10}`)
	c.wait(0.5)
	c.expect("kv.ttl", `{"key":"k"}`, `{"ttl":9}`)
	c.now += 95 * second / 10 // due, and the sweep of this tick comes with it
	c.expect("kv.get", `{"key":"k"}`, `null`)
	c.wait(0.2)
	if _, errText := c.try(engine.Envelope, "kv.ttl", `{"key":"k"}`); errText != "Key not found: k" {
		t.Errorf("ttl after the sweep: %q", errText)
	}
	c.do(engine.Envelope, "kv.set", `{"key":"k","value":"v","ttl":10}`)
	c.do(engine.Envelope, "kv.set", `{"key":"k","value":"w"}`) // drops the TTL
	c.wait(100)
	c.expect("kv.get", `{"key":"k"}`, `"w"`)
	c.do(engine.Envelope, "kv.set", `{"key":"k","value":"v","ttl":18446744073709551615}`)
	c.wait(1e6)
	c.expect("kv.exists", `{"key":"k"}`, `{"exists":true}`)
}

// The clock of an engine never goes back, whatever a caller brings.
func TestTimeNeverGoesBack(t *testing.T) {
	c := newClock(t)
	c.do(engine.Envelope, "kv.set", `{"key":"k","value":"v","ttl":10}`)
	c.wait(60)
	c.expect("kv.exists", `{"key":"k"}`, `{"exists":false}`)
	c.wait(-120)
	c.expect("kv.exists", `{"key":"k"}`, `{"exists":false}`)
	c.do(engine.Envelope, "kv.set", `{"key":"k","value":"v","ttl":10}`)
	c.expect("kv.ttl", `{"key":"k"}`, `{"ttl":10}`)
	c.wait(120) // where the clock stood
	c.expect("kv.ttl", `{"key":"k"}`, `{"ttl":10}`)
}

func TestPatterns(t *testing.T) { // protocol: http-messaging 4, pattern rules
	for _, p := range []struct{ pattern, yes, no string }{
		{"p.*", "p. p.a", "p p.a.b P.a"},
		{"p.*.c", "p.a.c p..c", "p.a.d p.a.b.c p.c"},
		{"user:*", "user: user:1", "usr:1 user:1.x"},
		{"a-*-b", "a--b a-x-b a-x-y-b", "a-b a-x-"},
		{"a**b", "ab axb", "a b"},
		{"a*a", "aa aba", "a ab"},
		{"a*b*c", "abc aXbYc abbc", "acb ab"},
		{"p.#", "p p.a p.a.b", "px.a q"},
		{"#", "anything __watch@0__:k a.b.c", ""},
		{"p.a#", "p.a#", "p.ab p.a"},
	} {
		c := newClock(t)
		c.do(engine.Envelope, "pubsub.subscribe", `{"topics":["`+p.pattern+`"]}`)
		match := func(topics, want string) {
			for _, topic := range strings.Fields(topics) {
				got := text(c.do(engine.Envelope, "pubsub.publish", `{"topic":"`+topic+`","payload":1}`).Field("subscribers_matched"))
				if got != want {
					t.Errorf("pattern %s, topic %s: matched %s, want %s", p.pattern, topic, got, want)
				}
			}
		}
		match(p.yes, "1")
		match(p.no, "0")
	}
}

// A pattern error in the middle leaves the earlier topics subscribed (protocol:
// pub/sub quirks).
func TestBadPatternLeavesEarlierTopics(t *testing.T) {
	c := newClock(t)
	if _, errText := c.try(engine.Envelope, "pubsub.subscribe", `{"topics":["a","#.b"]}`); errText != "Invalid value: # wildcard must be at the end of pattern" {
		t.Fatalf("got %q", errText)
	}
	if got := text(c.do(engine.Envelope, "pubsub.publish", `{"topic":"a","payload":1}`).Field("subscribers_matched")); got != "1" {
		t.Errorf("matched %s", got)
	}
}

func (c *clock) subscribe(buffer int, overflow engine.Overflow, topics ...string) *engine.Subscriber {
	c.t.Helper()
	s, errText := c.e.Subscribe(c.now, topics, buffer, overflow, func() {})
	if errText != "" {
		c.t.Fatal(errText)
	}
	return s
}

func TestWatchEvents(t *testing.T) { // protocol: websocket, /kv/ws
	c := newClock(t)
	c.do(engine.Envelope, "kv.set", `{"key":"k","value":"before"}`) // nobody watches: not counted
	s := c.subscribe(100, engine.DropOldest, "__watch@0__:k")
	for _, step := range []struct{ name, payload, want string }{
		{"kv.set", `{"key":"k","value":5}`, `{"event":"set","key":"k","value":"5","version":1}`},
		{"kv.incr", `{"key":"k"}`, `{"event":"incrby","key":"k","value":"6","version":2}`},
		{"kv.decr", `{"key":"k","amount":8}`, `{"event":"decrby","key":"k","value":"-2","version":3}`},
		{"kv.append", `{"key":"k","value":"x"}`, `{"event":"append","key":"k","value":"-2\"x\"","version":4}`},
		{"kv.setrange", `{"key":"k","offset":0,"value":1}`, `{"event":"setrange","key":"k","value":"12\"x\"","version":5}`},
		{"kv.getset", `{"key":"k","value":1}`, `{"event":"set","key":"k","value":"1","version":6}`},
		{"kv.expire", `{"key":"k","ttl":9}`, `{"event":"expire","key":"k","version":7}`},
		{"kv.persist", `{"key":"k"}`, `{"event":"persist","key":"k","version":8}`},
		{"kv.mset", `{"pairs":[{"key":"k","value":1}]}`, ``},
		{"kv.del", `{"key":"k"}`, `{"event":"del","key":"k","version":9}`},
		{"kv.del", `{"key":"k"}`, ``},
		{"kv.msetnx", `{"pairs":[{"key":"k","value":1}]}`, ``},
		{"kv.mdel", `{"keys":["k"]}`, `{"event":"del","key":"k","version":1}`},
		{"kv.set", `{"key":"k","value":"` + strings.Repeat("x", 65_537) + `"}`, `{"event":"set","key":"k","truncated":true,"version":1}`},
		{"kv.flushdb", `{}`, ``},
		{"kv.set", `{"key":"k","value":"v"}`, `{"event":"set","key":"k","value":"v","version":1}`},
	} {
		c.do(engine.Envelope, step.name, step.payload)
		messages, _ := s.Take(10)
		switch {
		case step.want == "" && len(messages) == 0:
		case len(messages) != 1:
			t.Errorf("%s: %d events", step.name, len(messages))
		case text(messages[0].Payload) != step.want:
			t.Errorf("%s: got %s, want %s", step.name, text(messages[0].Payload), step.want)
		}
	}
}

func TestFullBuffers(t *testing.T) {
	c := newClock(t)
	publish := func(n int) {
		for i := range n {
			c.do(engine.Envelope, "pubsub.publish", `{"topic":"t","payload":`+strconv.Itoa(i)+`}`)
		}
	}
	for _, test := range []struct {
		overflow engine.Overflow
		first    string
		lost     int
		slow     string
	}{{engine.DropOldest, "3", 3, "0"}, {engine.DropNewest, "0", 3, "0"}, {engine.Detach, "0", 0, "1"}} {
		s := c.subscribe(2, test.overflow, "t")
		publish(5)
		messages, lost := s.Take(10)
		if len(messages) != 2 || text(messages[0].Payload) != test.first || lost != test.lost {
			t.Errorf("overflow %d: %d messages, first %s, lost %d", test.overflow, len(messages), text(messages[0].Payload), lost)
		}
		if got := text(c.do(engine.Envelope, "pubsub.stats", `{}`).Field("slow_consumers_dropped")); got != test.slow {
			t.Errorf("overflow %d: slow_consumers_dropped %s, want %s", test.overflow, got, test.slow)
		}
		publish(1)
		after, _ := s.Take(10)
		if detached := len(after) == 0; detached != (test.overflow == engine.Detach) {
			t.Errorf("overflow %d: %d messages after the buffer was read", test.overflow, len(after))
		}
		s.Close()
	}
}

// The Raw face stores and returns text and bytes as they are.
func TestRawFaceFidelity(t *testing.T) {
	c := newClock(t)
	raw := func(name string, kv ...value.Value) value.Value {
		t.Helper()
		reply, errText := c.e.Exec(c.now, engine.Raw, name, "", value.Map(kv...))
		if errText != "" {
			t.Fatalf("%s: %s", name, errText)
		}
		return reply
	}
	key, val := value.Str("key"), value.Str("value")
	for _, v := range []value.Value{value.Str("123"), value.Str("true"), value.Str("null"), value.Str("{}"), value.Str(""),
		value.Str("\U0001f600"), value.Str("a\x00b"), value.Str(strings.Repeat("x", 1<<20)), value.BytesOf("\xde\xad\xbe\xef")} {
		raw("kv.set", key, value.Str("k"), val, v)
		if got := raw("kv.get", key, value.Str("k")); !value.Equal(got, v) {
			t.Errorf("set then get: %.40v", got)
		}
		raw("kv.mset", value.Str("pairs"), value.Array(value.Map(key, value.Str("m"), val, v)))
		if got := raw("kv.mget", value.Str("keys"), value.Array(value.Str("m"))).Field("values").Index(0); !value.Equal(got, v) {
			t.Errorf("mset then mget: %.40v", got)
		}
		if got := raw("kv.getset", key, value.Str("m"), val, v); !value.Equal(got, v) {
			t.Errorf("getset: %.40v", got)
		}
	}
}

// A SETRANGE far out ends the server's process (protocol: http-data 14); here it
// is an error.
func TestHugeOffsetIsAnError(t *testing.T) {
	c := newClock(t)
	for _, offset := range []string{"9223372036854775807", "18446744073709551615", "536870913"} {
		if _, errText := c.try(engine.Envelope, "kv.setrange", `{"key":"k","offset":`+offset+`,"value":"x"}`); errText == "" {
			t.Errorf("offset %s was accepted", offset)
		}
	}
}

// Many clients at once: no message is lost, doubled or changed.
func TestConcurrentQueue(t *testing.T) {
	e := engine.New(engine.Options{})
	exec := func(name string, kv ...value.Value) value.Value {
		reply, errText := e.Exec(start, engine.Raw, name, "", value.Map(kv...))
		if errText != "" {
			t.Errorf("%s: %s", name, errText)
		}
		return reply
	}
	queue := value.Str("queue")
	exec("queue.create", value.Str("name"), value.Str("q"))
	const publishers, each = 8, 500
	var (
		mu   sync.Mutex
		seen = map[string]int{}
		wg   sync.WaitGroup
	)
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				exec("queue.publish", queue, value.Str("q"), value.Str("payload"), value.BytesOf(strconv.Itoa(p)+"-"+strconv.Itoa(i)))
				m := exec("queue.consume", queue, value.Str("q"), value.Str("consumer_id"), value.Str(strconv.Itoa(p))).Field("message")
				if m.IsNil() {
					continue
				}
				mu.Lock()
				seen[payloadOf(m)]++
				mu.Unlock()
				exec("queue.ack", queue, value.Str("q"), value.Str("message_id"), m.Field("id"))
			}
		})
	}
	wg.Wait()
	for m := exec("queue.consume", queue, value.Str("q"), value.Str("consumer_id"), value.Str("last")).Field("message"); !m.IsNil(); {
		seen[payloadOf(m)]++
		m = exec("queue.consume", queue, value.Str("q"), value.Str("consumer_id"), value.Str("last")).Field("message")
	}
	if len(seen) != publishers*each {
		t.Errorf("%d messages of %d", len(seen), publishers*each)
	}
	for m, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", m, n)
		}
	}
}
