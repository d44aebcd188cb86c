package engine_test

import (
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestHashVectors(t *testing.T) { replay(t, "http-hash", nil) }

func TestHashEdges(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"hash.set", `{"key":"h","field":"n","value":"007"}`, `{"created":true,"field":"n","key":"h"}`},
		{"hash.incrby", `{"key":"h","field":"n","increment":1}`, `Invalid value: Field value is not a valid integer`},
		{"hash.set", `{"key":"h","field":"n","value":1.0}`, `{"created":false,"field":"n","key":"h"}`},
		{"hash.get", `{"key":"h","field":"n"}`, `{"found":true,"value":1.0}`},
		{"hash.incrby", `{"key":"h","field":"n","increment":1}`, `Invalid value: Field value is not a valid integer`},
		{"hash.incrbyfloat", `{"key":"h","field":"n","increment":2}`, `{"value":3.0}`},
		{"hash.get", `{"key":"h","field":"n"}`, `{"found":true,"value":3}`},
		{"hash.incrby", `{"key":"h","field":"n","increment":4}`, `{"value":7}`},
		{"hash.incrby", `{"key":"h","field":"min","increment":-9223372036854775808}`, `{"value":-9223372036854775808}`},
		{"hash.incrby", `{"key":"h","field":"min","increment":-1}`, `Invalid value: Integer overflow`},
		{"hash.incrby", `{"key":"h","field":"min","increment":0}`, `{"value":-9223372036854775808}`},
		{"hash.incrby", `{"key":"h","field":"x","increment":9223372036854775808}`, `Invalid request: Missing 'increment' field`},
		{"hash.incrbyfloat", `{"key":"h","field":"big","increment":1e308}`, `{"value":1e+308}`},
		{"hash.incrbyfloat", `{"key":"h","field":"big","increment":1e308}`, `{"value":null}`},
		{"hash.get", `{"key":"h","field":"big"}`, `{"found":true,"value":"inf"}`},
		{"hash.incrbyfloat", `{"key":"h","field":"big","increment":1}`, `{"value":null}`},
		{"hash.incrbyfloat", `{"key":"h","field":"e","increment":1e21}`, `{"value":1e+21}`},
		{"hash.incrby", `{"key":"h","field":"e","increment":1}`, `Invalid value: Field value is not a valid integer`},
		{"hash.mget", `{"key":"h","fields":["n",5,"none"]}`, `{"values":[7,null]}`},
		{"hash.del", `{"key":"h","fields":["n",5,"n","none"],"field":"e"}`, `{"deleted":1}`},
		{"hash.del", `{"key":"h","fields":null,"field":"e"}`, `{"deleted":1}`},
		{"hash.set", `{"key":"","field":"","value":null}`, `{"created":true,"field":"","key":""}`},
		{"hash.get", `{"key":"","field":""}`, `{"found":true,"value":null}`},
		{"hash.mset", `{"key":"empty","fields":{}}`, `{"success":true}`},
		{"key.exists", `{"key":"empty"}`, `{"exists":false,"key":"empty"}`},
		{"hash.mset", `[]`, `Invalid request: Missing 'key' field`},
		{"hash.setnx", `{"key":"new","field":"f","value":[1,{"b":2,"a":1}]}`, `{"created":true}`},
		{"hash.vals", `{"key":"new"}`, `{"count":1,"values":[[1,{"a":1,"b":2}]]}`},
	})
}

// TestHashStats: what counts and what drifts (protocol: http-data quirk 20).
func TestHashStats(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "hash.mset", `{"key":"h","fields":{"a":1,"b":2}}`)
	w.must(t, engine.Envelope, "hash.mset", `{"key":"h","fields":{"a":1}}`)
	w.must(t, engine.Envelope, "hash.set", `{"key":"i","field":"a","value":1}`)
	w.must(t, engine.Envelope, "hash.set", `{"key":"i","field":"a","value":2}`)
	w.must(t, engine.Envelope, "hash.get", `{"key":"none","field":"a"}`)
	w.must(t, engine.Envelope, "hash.mget", `{"key":"h","fields":["a"]}`)
	w.must(t, engine.Envelope, "hash.incrby", `{"key":"h","field":"c","increment":1}`)
	w.must(t, engine.Envelope, "hash.setnx", `{"key":"h","field":"c","value":1}`)
	w.must(t, engine.Envelope, "hash.del", `{"key":"h","field":"none"}`)
	const want = `{"operations":{"hdel_count":1,"hget_count":1,"hset_count":6},"total_fields":4,"total_hashes":0}`
	if got := w.must(t, engine.Envelope, "hash.stats", `{}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestHashRaw: text and bytes come back as they were; each face reads what the
// other stored in its own manner.
func TestHashRaw(t *testing.T) {
	w := newWorld()
	set := func(field string, v value.Value) {
		t.Helper()
		payload := value.Map(value.Str("key"), value.Str("h"), value.Str("field"), value.Str(field), value.Str("value"), v)
		if _, errText := w.Exec(w.now, engine.Raw, "hash.set", "r", payload); errText != "" {
			t.Fatal(errText)
		}
	}
	set("text", value.Str("plain"))
	set("bytes", value.BytesOf("\xff\x00"))
	set("number", value.Str("10"))
	set("json", value.Map(value.Str("b"), value.Int(1), value.Str("a"), value.Float(2)))
	all, _ := w.run(engine.Raw, "hash.getall", `{"key":"h"}`)
	want := value.Map(
		value.Str("bytes"), value.BytesOf("\xff\x00"), value.Str("json"), value.Str(`{"a":2.0,"b":1}`),
		value.Str("number"), value.Str("10"), value.Str("text"), value.Str("plain"))
	if got := all.Field("fields"); !value.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	w.steps(t, engine.Raw, []step{
		{"hash.incrby", `{"key":"h","field":"number","increment":5}`, `{"value":15}`},
		{"hash.mget", `{"key":"h","fields":["text","none"]}`, `{"values":["plain",null]}`},
		{"hash.vals", `{"key":"none"}`, `{"count":0,"values":[]}`},
	})
	w.steps(t, engine.Envelope, []step{
		{"hash.get", `{"key":"h","field":"text"}`, `{"found":true,"value":"plain"}`},
		{"hash.get", `{"key":"h","field":"bytes"}`, `{"found":true,"value":"` + "\uFFFD" + `\u0000"}`},
		{"hash.get", `{"key":"h","field":"json"}`, `{"found":true,"value":{"a":2.0,"b":1}}`},
		{"hash.set", `{"key":"h","field":"text","value":"quoted"}`, `{"created":false,"field":"text","key":"h"}`},
	})
	w.steps(t, engine.Raw, []step{{"hash.get", `{"key":"h","field":"text"}`, `{"found":true,"value":"\"quoted\""}`}})
}
