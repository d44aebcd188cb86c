package engine_test

import (
	"strconv"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// object builds a payload.
func object(kv ...any) value.Value {
	items := make([]value.Value, len(kv))
	for i, x := range kv {
		switch x := x.(type) {
		case string:
			items[i] = value.Str(x)
		case int:
			items[i] = value.Int(int64(x))
		case value.Value:
			items[i] = x
		}
	}
	return value.Map(items...)
}

// bench runs commands on a clock that goes on a microsecond each.
type bench struct {
	b   *testing.B
	e   *engine.Engine
	now int64
}

func newBench(b *testing.B) *bench {
	b.ReportAllocs()
	return &bench{b, engine.New(engine.Options{}), start}
}

func (b *bench) exec(name string, payload value.Value) value.Value {
	b.now += 1000
	reply, errText := b.e.Exec(b.now, engine.Raw, name, "", payload)
	if errText != "" {
		b.b.Fatal(errText)
	}
	return reply
}

func keys(n int) []value.Value {
	out := make([]value.Value, n)
	for i := range out {
		out[i] = object("key", "key:"+strconv.Itoa(i), "value", "some value of ordinary length")
	}
	return out
}

func BenchmarkKVSet(b *testing.B) {
	w, payloads := newBench(b), keys(10_000)
	for i := 0; b.Loop(); i++ {
		w.exec("kv.set", payloads[i%len(payloads)])
	}
}

func BenchmarkKVSetTTL(b *testing.B) {
	w := newBench(b)
	payloads := keys(10_000)
	for i := range payloads {
		payloads[i] = object("key", payloads[i].Field("key"), "value", "v", "ttl", 60+i%60)
	}
	for i := 0; b.Loop(); i++ {
		w.exec("kv.set", payloads[i%len(payloads)])
	}
}

func BenchmarkKVGet(b *testing.B) {
	w, payloads := newBench(b), keys(10_000)
	for _, p := range payloads {
		w.exec("kv.set", p)
	}
	for i := 0; b.Loop(); i++ {
		w.exec("kv.get", payloads[i%len(payloads)])
	}
}

// BenchmarkKVSetWatched is a set while one pattern watches other keys.
func BenchmarkKVSetWatched(b *testing.B) {
	w, payloads := newBench(b), keys(10_000)
	w.e.Subscribe(start, []string{"__watch@0__:other:*"}, 10, engine.DropOldest, nil)
	for i := 0; b.Loop(); i++ {
		w.exec("kv.set", payloads[i%len(payloads)])
	}
}

// BenchmarkQueueCycle publishes, consumes and acks one message.
func BenchmarkQueueCycle(b *testing.B) {
	w := newBench(b)
	w.exec("queue.create", object("name", "q"))
	publish, consume := object("queue", "q", "payload", value.BytesOf("0123456789")), object("queue", "q", "consumer_id", "c")
	for b.Loop() {
		w.exec("queue.publish", publish)
		w.exec("queue.ack", object("queue", "q", "message_id", w.exec("queue.consume", consume).Field("message").Field("id")))
	}
}

// BenchmarkQueueDeep is a cycle in a queue that holds 50,000 messages of mixed
// priorities, half of them requeued and thus out of order.
func BenchmarkQueueDeep(b *testing.B) {
	w := newBench(b)
	w.exec("queue.create", object("name", "q", "config", object("max_depth", 1_000_000, "default_max_retries", 1_000_000_000)))
	publish := make([]value.Value, 10)
	for p := range publish {
		publish[p] = object("queue", "q", "payload", value.BytesOf("0123456789"), "priority", p)
	}
	consume := object("queue", "q", "consumer_id", "c")
	nack := func() {
		w.exec("queue.nack", object("queue", "q", "message_id", w.exec("queue.consume", consume).Field("message").Field("id")))
	}
	for i := range 50_000 {
		w.exec("queue.publish", publish[i*7%10])
	}
	for range 25_000 {
		nack()
	}
	for i := 0; b.Loop(); i++ {
		w.exec("queue.publish", publish[i*7%10])
		w.exec("queue.ack", object("queue", "q", "message_id", w.exec("queue.consume", consume).Field("message").Field("id")))
		nack()
	}
}

// BenchmarkPublish delivers to one subscriber by name and one by pattern.
func BenchmarkPublish(b *testing.B) {
	w := newBench(b)
	w.e.Subscribe(start, []string{"news.sport"}, 1000, engine.DropOldest, nil)
	w.e.Subscribe(start, []string{"news.*"}, 1000, engine.DropOldest, nil)
	payload := object("topic", "news.sport", "payload", "some news")
	for b.Loop() {
		w.exec("pubsub.publish", payload)
	}
}

func BenchmarkStreamPublish(b *testing.B) {
	w := newBench(b)
	w.exec("stream.create", object("room", "r"))
	payload := object("room", "r", "event", "e", "data", object("user", "u1", "n", 5))
	for b.Loop() {
		w.exec("stream.publish", payload)
	}
}

// BenchmarkStreamConsume reads 100 events at a time.
func BenchmarkStreamConsume(b *testing.B) {
	w := newBench(b)
	w.exec("stream.create", object("room", "r"))
	for range 5000 {
		w.exec("stream.publish", object("room", "r", "event", "e", "data", 1))
	}
	payload := object("room", "r", "subscriber_id", "s", "from_offset", 2000)
	for b.Loop() {
		w.exec("stream.consume", payload)
	}
}
