package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core"
)

var background = context.Background()

// sdkCase is one row: what one of the two clients sees of what the other did.
type sdkCase struct {
	name string
	want string // what anyone would expect; any other answer is a difference
	run  func(w *wire) string
	// only names the wires that the case is about, "" all.
	only string
}

// wire is one address of the server, seen by both clients. Every wire has a server
// of its own.
type wire struct {
	scheme string
	ours   *core.Client
	pushes *core.Client // ours over HTTP, which has pushes whatever the wire
	sdk    at
}

// said is what our client got, as show has it for the SDK.
func said(v any, err error) string {
	if err != nil {
		return code(err)
	}
	return show(v, nil)
}

func (w *wire) ourGet(key string) string {
	v, found, err := w.ours.KV.Get(background, key)
	if err == nil && !found {
		return "null"
	}
	return said(v, err)
}

// then runs the SDK's call and, unless it raised something, asks for what it did.
func (w *wire) then(look func() string, method string, args ...any) string {
	if _, err := w.sdk.call(method, args...); err != nil {
		return show(nil, err)
	}
	return look()
}

func (w *wire) sdkSays(method string, args ...any) string { return show(w.sdk.call(method, args...)) }

func (w *wire) put(key, val string) {
	if _, err := w.ours.KV.Set(background, key, val, nil); err != nil {
		panic(err)
	}
}

const notText = "\xff\x00\r\n$-1"

var sdkCases = []sdkCase{
	{name: "a text of the SDK, read by us", want: `"wört"`, run: func(w *wire) string {
		return w.then(func() string { return w.ourGet("a") }, "kv.set", "a", "wört")
	}},
	{name: "a text of ours, read by the SDK", want: `"wört\r\n"`, run: func(w *wire) string {
		w.put("b", "wört\r\n")
		return w.sdkSays("kv.get", "b")
	}},
	{name: "an object of the SDK, read by us", want: `{"n":[1,null]}`, run: func(w *wire) string {
		return w.then(func() string {
			var v any
			_, err := w.ours.KV.GetJSON(background, "c", &v)
			return said(v, err)
		}, "kv.set", "c", object{"n": []any{1, nil}})
	}},
	{name: "an object of ours, read by the SDK", want: `{"n":[1,null]}`, run: func(w *wire) string {
		if _, err := w.ours.KV.SetJSON(background, "d", object{"n": []any{1, nil}}, nil); err != nil {
			return code(err)
		}
		return w.sdkSays("kv.get", "d")
	}},
	{name: "bytes of the SDK, read by us", want: `{"bytes":"ff000d0a242d31"}`, run: func(w *wire) string {
		return w.then(func() string {
			v, err := w.ours.KV.GetBytes(background, "e")
			return said(bytesOf(string(v)), err)
		}, "kv.set", "e", bytesOf(notText))
	}},
	{name: "bytes of ours, read by the SDK", want: `{"bytes":"ff000d0a242d31"}`, only: "synap resp3", run: func(w *wire) string {
		w.put("f", notText)
		return w.sdkSays("kv.get", "f")
	}},
	{name: "the call after such a read", want: `"next"`, only: "synap resp3", run: func(w *wire) string {
		w.put("f2", "next")
		w.put("f", notText)
		_, _ = w.sdk.call("kv.get", "f")
		return w.sdkSays("kv.get", "f2")
	}},
	{name: `the text "12", read by the SDK`, want: `"12"`, run: func(w *wire) string {
		w.put("g", "12")
		return w.sdkSays("kv.get", "g")
	}},
	{name: "1 MiB there and back", want: `1048576`, run: func(w *wire) string {
		return w.then(func() string {
			v, err := w.sdk.call("kv.get", "h")
			if s, ok := v.(string); ok && err == nil {
				return fmt.Sprint(len(s))
			}
			return show(v, err)
		}, "kv.set", "h", strings.Repeat("x", 1<<20))
	}},
	{name: "TTL of a value that the SDK set with ttl=100", want: "100", run: func(w *wire) string {
		return w.then(func() string {
			n, has, err := w.ours.KV.TTL(background, "i")
			switch {
			case err != nil:
				return code(err)
			case !has:
				return "none"
			case n == 99: // a second may have begun
				n = 100
			}
			return fmt.Sprint(n)
		}, "kv.set", "i", "v", 100)
	}},
	{name: "a missing key, read by the SDK", want: "null", run: func(w *wire) string { return w.sdkSays("kv.get", "none") }},
	{name: "exists, of a key of ours and of none", want: "true false", run: func(w *wire) string {
		w.put("j", "v")
		return w.sdkSays("kv.exists", "j") + " " + w.sdkSays("kv.exists", "none")
	}},
	{name: "delete by the SDK, seen by us", want: "null", run: func(w *wire) string {
		w.put("k", "v")
		return w.then(func() string { return w.ourGet("k") }, "kv.delete", "k")
	}},
	{name: "incr by the SDK and by us in turn", want: "1 2 7 6", run: func(w *wire) string {
		out := w.sdkSays("kv.incr", "l")
		n, err := w.ours.KV.Incr(background, "l")
		out += " " + said(n, err) + " " + w.sdkSays("kv.incr", "l", 5)
		n, err = w.ours.KV.Decr(background, "l")
		return out + " " + said(n, err)
	}},
	{name: "incr of a text", want: "SynapException", run: func(w *wire) string {
		w.put("m", "text")
		return w.sdkSays("kv.incr", "m")
	}},
	{name: "scan of a prefix", want: `["p:1"]`, run: func(w *wire) string {
		w.put("p:1", "v")
		v, err := w.sdk.call("kv.scan", "p:")
		if list, ok := v.([]any); ok && len(list) > 1 {
			return "all keys"
		}
		return show(v, err)
	}},
	{name: "stats", want: "figures", run: func(w *wire) string {
		v, err := w.sdk.call("kv.stats")
		if m, ok := v.(object); ok && err == nil && m["total_keys"] != nil {
			return "figures"
		}
		return show(v, err)
	}},

	{name: "a queue of the SDK with max_size=1, published to twice", want: "ResourceExhausted", run: func(w *wire) string {
		return w.then(func() string {
			for range 2 {
				if _, err := w.ours.Queue.Publish(background, "small", []byte("v"), nil); err != nil {
					return code(err)
				}
			}
			return "no limit"
		}, "queue.create_queue", "small", 1)
	}},
	{name: "a message of the SDK, consumed by us", want: `"hello" priority 9`, run: func(w *wire) string {
		if _, err := w.sdk.call("queue.create_queue", "q1"); err != nil {
			return show(nil, err)
		}
		return w.then(func() string {
			m, err := w.ours.Queue.Consume(background, "q1", "c")
			if err != nil || m == nil {
				return said("nothing", err)
			}
			return fmt.Sprintf("%q priority %d", m.Payload, m.Priority)
		}, "queue.publish", "q1", "hello", 9)
	}},
	{name: "a message of ours, consumed and acked by the SDK", want: `"hello" {"bytes":"ff000d0a242d31"} 0 left`, run: func(w *wire) string {
		if err := w.ours.Queue.Create(background, "q2", nil); err != nil {
			return code(err)
		}
		var out string
		for _, payload := range []string{"hello", notText} {
			if _, err := w.ours.Queue.Publish(background, "q2", []byte(payload), nil); err != nil {
				return code(err)
			}
			m, err := w.sdk.call("queue.consume", "q2", "c")
			if err != nil {
				out += show(nil, err) + " "
				continue
			}
			out += show(field(m, "payload"), nil) + " "
			if _, err := w.sdk.call("queue.ack", "q2", field(m, "id")); err != nil {
				out += show(nil, err) + " "
			}
		}
		s, err := w.ours.Queue.Stats(background, "q2")
		if err != nil {
			return code(err)
		}
		return out + fmt.Sprint(s.Depth, " left")
	}},
	{name: "the reads of two keys after such bytes as a message", want: `"one" "two"`, run: func(w *wire) string {
		w.put("f3", "one")
		w.put("f4", "two")
		if err := w.ours.Queue.Create(background, "q5", nil); err != nil {
			return code(err)
		}
		if _, err := w.ours.Queue.Publish(background, "q5", []byte(notText), nil); err != nil {
			return code(err)
		}
		_, _ = w.sdk.call("queue.consume", "q5", "c")
		return w.sdkSays("kv.get", "f3") + " " + w.sdkSays("kv.get", "f4")
	}},
	{name: "a message that the SDK nacked, consumed by us", want: `"again" retry 1`, run: func(w *wire) string {
		if err := w.ours.Queue.Create(background, "q3", nil); err != nil {
			return code(err)
		}
		if _, err := w.ours.Queue.Publish(background, "q3", []byte("again"), nil); err != nil {
			return code(err)
		}
		m, err := w.sdk.call("queue.consume", "q3", "c")
		if err != nil {
			return show(nil, err)
		}
		return w.then(func() string {
			m, err := w.ours.Queue.Consume(background, "q3", "c")
			if err != nil || m == nil {
				return said("nothing", err)
			}
			return fmt.Sprintf("%q retry %d", m.Payload, m.RetryCount)
		}, "queue.nack", "q3", field(m, "id"))
	}},
	{name: "an empty queue, consumed by the SDK", want: "null", run: func(w *wire) string {
		if err := w.ours.Queue.Create(background, "q4", nil); err != nil {
			return code(err)
		}
		return w.sdkSays("queue.consume", "q4", "c")
	}},
	{name: "figures of a queue", want: "1", run: func(w *wire) string {
		if _, err := w.ours.Queue.Publish(background, "q4", []byte("v"), nil); err != nil {
			return code(err)
		}
		v, err := w.sdk.call("queue.stats", "q4")
		if err == nil && field(v, "depth") != nil {
			return show(field(v, "depth"), nil)
		}
		return show(v, err)
	}},

	{name: "an event of the SDK, read by us", want: `0 "made" {"n":1}`, run: func(w *wire) string {
		if _, err := w.sdk.call("stream.create_room", "r1"); err != nil {
			return show(nil, err)
		}
		return w.then(func() string { return w.ourEvents("r1") }, "stream.publish", "r1", "made", object{"n": 1})
	}},
	{name: "an event of ours, read by the SDK", want: `made {"n":1}`, run: func(w *wire) string {
		if err := w.publishEvents("r2", 1); err != nil {
			return code(err)
		}
		v, err := w.sdk.call("stream.read", "r2")
		events, ok := v.([]any)
		if err != nil || !ok || len(events) != 1 {
			return show(v, err)
		}
		return fmt.Sprint(field(events[0], "event"), " ", show(field(events[0], "data"), nil))
	}},
	{name: "three events, read by the SDK with limit=2", want: "2", run: func(w *wire) string {
		if err := w.publishEvents("r3", 3); err != nil {
			return code(err)
		}
		v, err := w.sdk.call("stream.read", "r3", 0, 2)
		if events, ok := v.([]any); ok && err == nil {
			return fmt.Sprint(len(events))
		}
		return show(v, err)
	}},

	{name: "an object that the SDK published, delivered to us", want: `{"n":1}`, run: func(w *wire) string {
		f, err := w.pushes.PubSub.Subscribe(background, []string{"t1"}, nil)
		if err != nil {
			return code(err)
		}
		defer f.Close()
		return w.then(func() string {
			ctx, cancel := context.WithTimeout(background, 2*time.Second)
			defer cancel()
			m, err := f.Next(ctx)
			if err != nil {
				return code(err)
			}
			return m.Message.String()
		}, "pubsub.publish", "t1", object{"n": 1})
	}},
	{name: "an object of ours, delivered to the SDK", want: `{"n":1}`, run: func(w *wire) string {
		if err := w.sdk.open("messages", "pubsub.observe", []string{"t2"}); err != nil {
			return show(nil, err)
		}
		if _, err := w.pushes.PubSub.Publish(background, "t2", object{"n": 1}, nil); err != nil {
			return code(err)
		}
		v, err := w.sdk.next("messages")
		if err != nil {
			return "nothing comes"
		}
		return show(field(v, "payload"), nil)
	}},
	{name: "a key that we set, watched by the SDK", want: `"w" set "v"`, run: func(w *wire) string {
		if err := w.sdk.open("changes", "kv.watch", "w"); err != nil {
			return show(nil, err)
		}
		w.put("w", "v")
		v, err := w.sdk.next("changes")
		if err != nil {
			return show(nil, err)
		}
		return show(field(v, "key"), nil) + " " + fmt.Sprint(field(v, "event")) + " " + show(field(v, "value"), nil)
	}},
}

func (w *wire) publishEvents(room string, n int) error {
	if err := w.ours.Stream.Create(background, room, nil); err != nil {
		return err
	}
	for range n {
		if _, err := w.ours.Stream.Publish(background, room, "made", object{"n": 1}); err != nil {
			return err
		}
	}
	return nil
}

func (w *wire) ourEvents(room string) string {
	events, err := w.ours.Stream.Consume(background, room, "us", nil)
	if err != nil || len(events) != 1 {
		return said(len(events), err)
	}
	e := events[0]
	return fmt.Sprintf("%d %q %s", e.Offset, e.Event, e.Data)
}
