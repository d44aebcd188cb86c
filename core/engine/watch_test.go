package engine_test

import (
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// TestWatchVectors replays the WebSocket vectors of KV watch on a subscription of
// the engine: opening is subscribing, receiving is taking. Connections that the
// server refuses for their address never reach the engine.
func TestWatchVectors(t *testing.T) {
	events := 0
	for _, c := range vectorCases(t, "ws-kv-watch") {
		t.Run(str(c, "name"), func(t *testing.T) {
			w := newWorld()
			var sub *engine.Subscriber
			for i, step := range c.Field("steps").Items() {
				fail := func(diff string) {
					if diff != "" {
						t.Fatalf("step %d, %.200s: %s", i, text(step), diff)
					}
				}
				want, receive := step.Get("recv")
				quiet, none := step.Field("recv_none_ms").AsInt()
				switch {
				case str(step, "open") != "":
					if step.Field("refused").IsNil() {
						sub = w.open(t, str(step, "open"))
					}
				case receive && str(want, "type") == "connected":
					fail(w.match(want, value.Map(
						value.Str("type"), value.Str("connected"), value.Str("subscriber_id"), value.Str(sub.ID()),
						value.Str("topics"), want.Field("topics"), value.Str("subscription_count"), want.Field("subscription_count"))))
				case receive:
					messages, _ := sub.Take(1)
					if len(messages) == 0 {
						fail("no event")
					}
					m := &messages[0]
					fail(w.match(want, value.Map(
						value.Str("type"), value.Str("message"), value.Str("message_id"), value.Str(m.ID), value.Str("topic"), value.Str(m.Topic),
						value.Str("payload"), m.Payload, value.Str("metadata"), m.Metadata, value.Str("timestamp"), value.Int(m.Timestamp))))
					events++
				case none:
					w.now += quiet * 1e6
					w.Advance(w.now)
					if messages, _ := sub.Take(1); len(messages) > 0 {
						fail("an event: " + text(messages[0].Payload))
					}
				case str(step, "command") != "":
					reply, errText := w.Exec(w.now, engine.Envelope, str(step, "command"), "r", w.expand(step.Field("payload")))
					if errText != "" {
						fail(errText)
					}
					fail(w.match(step.Field("reply").Field("body").Field("payload"), reply))
				case step.Field("close").IsNil():
					fail("an unknown step")
				}
			}
		})
	}
	if events < 30 {
		t.Errorf("%d events compared", events)
	}
}

// open subscribes as the route of the path does, which ignores other parameters.
func (w *world) open(t *testing.T, path string) *engine.Subscriber {
	t.Helper()
	route, query, _ := strings.Cut(path, "?")
	list, _, _ := strings.Cut(query[strings.Index(query, "=")+1:], "&")
	names := strings.Split(list, ",")
	for i := range names {
		if route == "/kv/ws" {
			names[i] = "__watch@0__:" + names[i]
		}
	}
	s, errText := w.Subscribe(w.now, names, 1024, engine.Detach, nil)
	if errText != "" {
		t.Fatal(errText)
	}
	return s
}

// taken returns the events that came, as JSON.
func taken(s *engine.Subscriber) string {
	messages, _ := s.Take(100)
	var all []string
	for _, m := range messages {
		all = append(all, text(m.Payload))
	}
	return strings.Join(all, " ")
}

func TestWatchEdges(t *testing.T) {
	c := newClock(t)
	c.now = start - start%second
	s := c.subscribe(100, engine.DropOldest, "__watch@0__:k", "__watch@0__:k*")
	expect := func(want string, commands ...string) {
		t.Helper()
		for i := 0; i < len(commands); i += 2 {
			c.do(engine.Envelope, commands[i], commands[i+1])
		}
		if got := taken(s); got != want {
			t.Errorf("%s: got %s, want %s", commands[0], got, want)
		}
	}
	// The event tells which way the number went.
	expect(`{"event":"decrby","key":"k","value":"-3","version":1}`, "kv.incr", `{"key":"k","amount":-3}`)
	expect(`{"event":"incrby","key":"k","value":"0","version":2}`, "kv.decr", `{"key":"k","amount":-3}`)
	expect(`{"event":"incrby","key":"k","value":"0","version":3}`, "kv.decr", `{"key":"k","amount":0}`)
	expect(``, "kv.strlen", `{"key":"k"}`, "kv.expire", `{"key":"none","ttl":5}`, "kv.persist", `{"key":"none"}`)

	// The sweep says nothing and versions go on; a read that comes first does.
	expect(`{"event":"set","key":"k","value":"v","version":4}`, "kv.set", `{"key":"k","value":"v","ttl":1}`)
	c.wait(2)
	expect(`{"event":"set","key":"k","value":"v","version":5}`, "kv.set", `{"key":"k","value":"v","ttl":0}`)
	expect(`{"event":"expired","key":"k","version":6}`, "kv.get", `{"key":"k"}`)
	expect(`{"event":"set","key":"k","value":"v","version":1}`, "kv.get", `{"key":"k"}`, "kv.set", `{"key":"k","value":"v"}`)

	// Bytes that are no text are withheld, 65,536 bytes of text are not.
	if _, errText := c.e.Exec(c.now, engine.Raw, "kv.set", "", value.Map(value.Str("key"), value.Str("k"), value.Str("value"), value.BytesOf("\xff"))); errText != "" {
		t.Fatal(errText)
	}
	expect(`{"event":"set","key":"k","truncated":true,"version":2} {"event":"append","key":"k","truncated":true,"version":3}`, "kv.ttl", `{"key":"k"}`, "kv.mget", `{"keys":["k"]}`, "kv.append", `{"key":"k","value":1}`)
	full := strings.Repeat("é", 32_768)
	expect(`{"event":"set","key":"k","value":"`+full+`","version":4}`, "kv.set", `{"key":"k","value":"`+full+`"}`)
	expect(`{"event":"append","key":"k","truncated":true,"version":5}`, "kv.append", `{"key":"k","value":1}`)

	// A key that is deleted while nobody watches starts again.
	s.Close()
	c.do(engine.Envelope, "kv.del", `{"key":"k"}`)
	s = c.subscribe(100, engine.DropOldest, "__watch@0__:*")
	expect(`{"event":"set","key":"k","value":"v","version":1} {"event":"del","key":"k","version":2}`, "kv.set", `{"key":"k","value":"v"}`, "kv.del", `{"key":"k"}`)

	// Watch events are messages like any other.
	c.expect("pubsub.info", `{"topic":"__watch@0__:k"}`, `{"created_at":`+text(value.Int(start/second))+`,"message_count":13,"subscriber_count":0,"topic":"__watch@0__:k"}`)
}
