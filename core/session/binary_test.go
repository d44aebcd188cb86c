package session

import (
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Quirk: over HTTP a value that is not UTF-8 is read as the text
// "<binary data: N bytes>" (protocol: http-data, readers). The same text may have
// been stored. One question as byte array tells them apart.
const hidden = "<binary data: 3 bytes>"

func TestPlaceholdersAreReplacedByTheBytes(t *testing.T) {
	bytes := value.ByteArray("\xff\x00\xfe")
	literal := value.ByteArray(hidden)
	for name, c := range map[string]struct {
		command string
		args    []value.Value
		answer  value.Value
		want    value.Value
	}{
		"get of bytes":                    {"kv.get", []value.Value{str("k")}, bytes, value.BytesOf("\xff\x00\xfe")},
		"get of the literal text":         {"kv.get", []value.Value{str("k")}, literal, str(hidden)},
		"get of a key that is gone since": {"kv.get", []value.Value{str("k")}, value.Nil, value.Nil},
		"get_bytes of bytes":              {"kv.get_bytes", []value.Value{str("k")}, bytes, value.BytesOf("\xff\x00\xfe")},
		"get_bytes of the literal text":   {"kv.get_bytes", []value.Value{str("k")}, literal, value.BytesOf(hidden)},
		"a value that is empty since":     {"kv.get_bytes", []value.Value{str("k")}, value.Array(), value.BytesOf("")},
		// Three bytes of a longer value, cut inside a character.
		"getrange from the start":       {"kv.getrange", []value.Value{str("k"), value.Int(0), value.Int(2)}, value.ByteArray("\xff\x00\xfeabc"), value.BytesOf("\xff\x00\xfe")},
		"getrange from the end":         {"kv.getrange", []value.Value{str("k"), value.Int(-3), value.Int(-1)}, value.ByteArray("abc\xff\x00\xfe"), value.BytesOf("\xff\x00\xfe")},
		"getrange of half a character":  {"kv.getrange", []value.Value{str("k"), value.Int(0), value.Int(2)}, value.ByteArray("ab\xc3\xa9"), value.BytesOf("ab\xc3")},
		"getrange of the literal text":  {"kv.getrange", []value.Value{str("k"), value.Int(0), value.Int(100)}, literal, str(hidden)},
		"getrange beyond what is left":  {"kv.getrange", []value.Value{str("k"), value.Int(5), value.Int(9)}, value.ByteArray("ab"), value.Nil},
		"getrange of all of int64":      {"kv.getrange", []value.Value{str("k"), value.Int(-1 << 63), value.Int(1<<63 - 1)}, bytes, value.BytesOf("\xff\x00\xfe")},
		"getrange with ends that cross": {"kv.getrange", []value.Value{str("k"), value.Int(2), value.Int(1)}, bytes, value.Nil},
	} {
		call := begin(t, steady(0), c.command, c.args...)
		call.Reply(str(hidden), nil)
		if call.Done() {
			t.Errorf("%s: handed out without a question", name)
			continue
		}
		if steps := call.Steps(); len(steps) != 1 || sent(steps[0]) != `kv.get {"key":"k","type":"bytes"}` || !steps[0].Idempotent {
			t.Errorf("%s: asks %s", name, sent(call.Steps()[0]))
		}
		call.Reply(c.answer, nil)
		if v := result(t, call); !value.Equal(v, c.want) {
			t.Errorf("%s: %s", name, v.Kind())
		}
	}
}

func TestPlaceholdersInJSON(t *testing.T) {
	c := begin(t, steady(0), "kv.get_json", str("k"))
	c.Reply(str(hidden), nil)
	c.Reply(value.ByteArray("\xff\x00\xfe"), nil)
	if err := failure(t, c, errs.InvalidArgument); !strings.Contains(err.Message, "not JSON") {
		t.Errorf("%v", err)
	}
}

func TestPlaceholdersAmongSeveralValues(t *testing.T) {
	c := begin(t, steady(3), "kv.mget", strs("a", "b", "c", "d"))
	for _, r := range []value.Value{str(hidden), str("plain"), value.Nil, str("<binary data: 22 bytes>")} {
		c.Reply(r, nil)
	}
	steps := c.Steps()
	if c.Done() || len(steps) != 2 || sent(steps[0]) != `kv.get {"key":"a","type":"bytes"}` || sent(steps[1]) != `kv.get {"key":"d","type":"bytes"}` {
		t.Fatalf("%d questions", len(steps))
	}
	// The questions may be repeated like any read.
	c.Reply(value.ByteArray("\xff\x00\xfe"), nil)
	c.Broken(start, connection(), true)
	if steps = c.Steps(); c.Done() || len(steps) != 1 || sent(steps[0]) != `kv.get {"key":"d","type":"bytes"}` {
		t.Fatalf("%d questions left", len(steps))
	}
	c.Reply(value.ByteArray("<binary data: 22 bytes>"), nil)
	want := value.Array(value.BytesOf("\xff\x00\xfe"), str("plain"), value.Nil, str("<binary data: 22 bytes>"))
	if v := result(t, c); !value.Equal(v, want) {
		t.Error("the values were put together wrongly")
	}
}

// The old value that getset replaced is gone from the server: nothing can be asked
// any more, and the placeholder must not be handed out as data.
func TestAPlaceholderInPlaceOfAnOldValueIsAnError(t *testing.T) {
	c := begin(t, steady(3), "kv.getset", str("k"), str("new"))
	c.Reply(str(hidden), nil)
	if err := failure(t, c, errs.BinaryValue); !err.MaybeApplied || !strings.Contains(err.Message, hidden) || !strings.Contains(err.Message, "synap://") {
		t.Errorf("%+v", err)
	}
}

func TestWhatOnlyLooksLikeAPlaceholderIsData(t *testing.T) {
	for _, s := range []string{"<binary data: 0 bytes>", "<binary data: -3 bytes>", "<binary data:  bytes>", "<binary data: bytes>", "<binary data: 3 bytes> ", " <binary data: 3 bytes>",
		"<binary data: 3 byte>", "<binary data: x bytes>", "<binary data: 99999999999999999999 bytes>", "<binary data: 3.0 bytes>", "<Binary data: 3 bytes>", ""} {
		c := begin(t, steady(0), "kv.get", str("k"))
		c.Reply(str(s), nil)
		if v := result(t, c); !value.Equal(v, str(s)) {
			t.Errorf("%q is asked about", s)
		}
	}
}

// An unknown queue looks like an empty one (protocol: queue quirks): one question
// per queue tells them apart.
func TestConsumeAsksOnceWhetherTheQueueExists(t *testing.T) {
	p := steady(3)
	consume := func(queue string) *Call { return begin(t, p, "queue.consume", str(queue), str("worker")) }
	empty, message := js(t, `{"message":null}`), js(t, `{"message":{"id":"i","payload":[120],"priority":5,"retry_count":0,"max_retries":3,"headers":{}}}`)

	c := consume("jobs")
	c.Reply(empty, nil)
	if c.Done() || sent(c.Steps()[0]) != `queue.stats {"queue":"jobs"}` {
		t.Fatal("an empty reply of an unknown queue is believed")
	}
	// Taking a message may not be repeated; the question may.
	c.Broken(start, connection(), true)
	if c.Done() {
		t.Fatal("the question is not repeated")
	}
	c.Reply(js(t, `{"depth":0,"consumers":0,"published":0,"consumed":0,"acked":0,"nacked":0,"dead_lettered":0}`), nil)
	if v := result(t, c); !v.IsNil() {
		t.Error("an empty queue has a message")
	}
	c = consume("jobs")
	c.Reply(empty, nil)
	if v := result(t, c); !v.IsNil() {
		t.Error("an empty queue has a message")
	}
	// A queue that gave a message exists.
	c = consume("other")
	c.Reply(message, nil)
	if v := result(t, c); !value.Equal(v.Index(1), value.BytesOf("x")) {
		t.Error("not the message")
	}
	c = consume("other")
	c.Reply(empty, nil)
	if v := result(t, c); !v.IsNil() {
		t.Error("an empty queue has a message")
	}
	for range 2 { // an unknown one is asked about each time
		c = consume("typo")
		c.Reply(empty, nil)
		c.Reply(value.Nil, errs.FromServer("Queue not found: typo"))
		if err := failure(t, c, errs.NotFound); err.Command != "queue.consume" || err.MaybeApplied {
			t.Errorf("%+v", err)
		}
	}
	c = consume("slow")
	c.Reply(empty, nil)
	c.Expired(true)
	if err := failure(t, c, errs.Timeout); err.MaybeApplied {
		t.Error("no message was taken, and none may be lost")
	}
	// What is remembered is bounded.
	for n := range 3 * maxKnownQueues {
		p.learnQueue(strings.Repeat("q", n%50) + string(rune('a'+n%20)) + strings.Repeat("r", n/50))
	}
	if len(p.queues) > maxKnownQueues {
		t.Errorf("%d queues are remembered", len(p.queues))
	}
}

// The engine answers an unknown queue the same way.
func TestConsumeAsksTheEngineToo(t *testing.T) {
	c := &Call{}
	c.Start(steady(0), Direct, lookup(t, "queue.consume"), []value.Value{str("typo"), str("w")}, start+second)
	c.Reply(js(t, `{"message":null}`), nil)
	if c.Done() || sent(c.Steps()[0]) != `queue.stats {"queue":"typo"}` {
		t.Fatal("not asked")
	}
	c.Reply(value.Nil, errs.FromServer("Queue not found: typo"))
	failure(t, c, errs.NotFound)
}
