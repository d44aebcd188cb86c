package engine_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestKVVectors(t *testing.T) { replay(t, "http-kv", nil) }

func TestKVEdges(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		// Integers at both ends; an overflow changes nothing.
		{"kv.set", `{"key":"n","value":9223372036854775807}`, `{"success":true}`},
		{"kv.incr", `{"key":"n"}`, `Invalid value: Integer overflow on INCR/DECR`},
		{"kv.decr", `{"key":"n","amount":-1}`, `Invalid value: Integer overflow on INCR/DECR`},
		{"kv.incr", `{"key":"n","amount":0}`, `{"value":9223372036854775807}`},
		{"kv.incr", `{"key":"n","amount":-9223372036854775808}`, `{"value":-1}`},
		{"kv.decr", `{"key":"min","amount":9223372036854775807}`, `{"value":-9223372036854775807}`},
		{"kv.decr", `{"key":"min"}`, `{"value":-9223372036854775808}`},
		{"kv.decr", `{"key":"min"}`, `Invalid value: Integer overflow on INCR/DECR`},
		{"kv.incr", `{"key":"one","amount":18446744073709551615}`, `{"value":1}`},
		{"kv.incr", `{"key":"one","amount":1.0}`, `{"value":2}`},
		{"kv.set", `{"key":"t","value":"\t +007 \n"}`, `{"success":true}`},
		{"kv.incr", `{"key":"t"}`, `{"value":8}`},
		{"kv.set", `{"key":"t","value":"1_0"}`, `{"success":true}`},
		{"kv.incr", `{"key":"t"}`, `Invalid value: Value is not a valid integer`},
		// Numbers keep their form.
		{"kv.set", `{"key":"f","value":18446744073709551615}`, `{"success":true}`},
		{"kv.get", `{"key":"f"}`, `"18446744073709551615"`},
		{"kv.mget", `{"keys":["f"]}`, `{"values":[18446744073709551615]}`},
		{"kv.set", `{"key":"f","value":[-0.0,1E5,1e16,18446744073709551616,1.10]}`, `{"success":true}`},
		{"kv.get", `{"key":"f"}`, `"[-0.0,100000.0,1e+16,1.8446744073709552e+19,1.1]"`},
		// What is no JSON as a whole is null for mget.
		{"kv.set", `{"key":"j","value":"12 apples"}`, `{"success":true}`},
		{"kv.mget", `{"keys":["j","none"]}`, `{"values":[null,null]}`},
		// A cut inside a character.
		{"kv.set", `{"key":"u","value":"aé"}`, `{"success":true}`},
		{"kv.getrange", `{"key":"u","start":0,"end":1}`, `"<binary data: 2 bytes>"`},
		{"kv.getrange", `{"key":"u","start":-9223372036854775808,"end":9223372036854775807}`, `"aé"`},
		{"kv.getrange", `{"key":"u","start":9223372036854775807,"end":-9223372036854775808}`, `null`},
		// The decoder's words.
		{"kv.mget", `{"keys":["a",1]}`, "Invalid request: Invalid keys array: invalid type: integer `1`, expected a string"},
		{"kv.mget", `{"keys":[1.0]}`, "Invalid request: Invalid keys array: invalid type: floating point `1.0`, expected a string"},
		{"kv.mget", `{"keys":[1e21]}`, "Invalid request: Invalid keys array: invalid type: floating point `1000000000000000000000.0`, expected a string"},
		{"kv.mget", `{"keys":[null]}`, "Invalid request: Invalid keys array: invalid type: null, expected a string"},
		{"kv.mget", `{"keys":[true]}`, "Invalid request: Invalid keys array: invalid type: boolean `true`, expected a string"},
		{"kv.mdel", `{"keys":[[]]}`, "Invalid request: Invalid keys array: invalid type: sequence, expected a string"},
		{"kv.mdel", `{"keys":[{}]}`, "Invalid request: Invalid keys array: invalid type: map, expected a string"},
		{"kv.mdel", `{"keys":"a\"\n"}`, "Invalid request: Invalid keys array: invalid type: string \"a\\\"\\n\", expected a sequence"},
		{"kv.mdel", `{"keys":null}`, "Invalid request: Invalid keys array: invalid type: null, expected a sequence"},
		{"kv.mdel", `null`, "Invalid request: Missing 'keys' field"},
		// A payload that is no object has no fields.
		{"kv.get", `["key"]`, "Invalid request: Missing 'key' field"},
		{"kv.dbsize", `5`, `{"size":5}`},
		{"kv.mset", `{"pairs":[{"key":"a","value":1},{"key":"b"}]}`, "Invalid request: Each pair must have 'value'"},
		{"kv.exists", `{"key":"a"}`, `{"exists":false}`},
		{"kv.mset", `{"pairs":[{"key":"a","value":1},{"key":"a","value":2}]}`, `{"success":true}`},
		{"kv.get", `{"key":"a"}`, `"2"`},
	})
}

// TestKVCounters: every writer counts as a set, yet only some as a new key, and
// every deletion takes one off (protocol: http-data quirk 8).
func TestKVCounters(t *testing.T) {
	w := newWorld()
	w.steps(t, engine.Envelope, []step{
		{"kv.incr", `{"key":"a"}`, `{"value":1}`},
		{"kv.append", `{"key":"b","value":1}`, `{"length":1}`},
		{"kv.setrange", `{"key":"c","offset":0,"value":1}`, `{"length":1}`},
		{"kv.msetnx", `{"pairs":[{"key":"d","value":1},{"key":"e","value":1}]}`, `{"success":true}`},
		{"kv.dbsize", `{}`, `{"size":0}`},
		{"kv.mdel", `{"keys":["a","b","none"]}`, `{"deleted":2}`},
		{"kv.dbsize", `{}`, `{"size":0}`},
		{"kv.getset", `{"key":"f","value":1}`, `null`},
		{"kv.mset", `{"pairs":[{"key":"g","value":1},{"key":"h","value":1}]}`, `{"success":true}`},
		{"kv.dbsize", `{}`, `{"size":1}`},
		{"kv.strlen", `{"key":"g"}`, `{"length":1}`},
		{"kv.getrange", `{"key":"g","start":0,"end":0}`, `"1"`},
		{"kv.getrange", `{"key":"g","start":1,"end":0}`, `null`},
		{"kv.getrange", `{"key":"none","start":0,"end":0}`, `null`},
		{"kv.mget", `{"keys":["g","none"]}`, `{"values":[1,null]}`},
		{"kv.exists", `{"key":"g"}`, `{"exists":true}`},
	})
	v, _ := w.run(engine.Envelope, "kv.stats", `{}`)
	const want = `{"dels":2,"gets":6,"hits":3,"misses":3,"sets":8}`
	if got := text(v.Field("operations")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := text(v.Field("total_keys")); got != "1" {
		t.Errorf("total_keys %s", got)
	}
	// 64 a key beside key and value; six keys of one byte with a value of one.
	if got := text(v.Field("total_memory_bytes")); got != strconv.Itoa(6*66) {
		t.Errorf("total_memory_bytes %s", got)
	}
}

// TestKVUnswept: between expiry and sweep a key is half there.
func TestKVUnswept(t *testing.T) {
	w := newWorld()
	w.now = start - start%second // on a tick
	w.steps(t, engine.Envelope, []step{
		{"kv.set", `{"key":"a","value":"v","ttl":0}`, `{"success":true}`},
		{"kv.ttl", `{"key":"a"}`, `{"ttl":0}`},
		{"kv.exists", `{"key":"a"}`, `{"exists":false}`},
		{"kv.keys", `{}`, `{"count":1,"keys":["a"]}`},
		{"kv.append", `{"key":"a","value":1}`, `{"length":1}`}, // starts anew, without TTL
		{"kv.ttl", `{"key":"a"}`, `{"ttl":null}`},
		{"kv.expire", `{"key":"a","ttl":0}`, `{"result":true}`},
		{"kv.get", `{"key":"a"}`, `null`}, // removes it
		{"kv.ttl", `{"key":"a"}`, `Key not found: a`},
		{"kv.set", `{"key":"b","value":"v","ttl":0}`, `{"success":true}`},
		{"kv.msetnx", `{"pairs":[{"key":"b","value":1}]}`, `{"success":true}`},
		{"kv.get", `{"key":"b"}`, `"1"`},
	})
	w.must(t, engine.Envelope, "kv.set", `{"key":"c","value":"v","ttl":1}`)
	w.now += second - 1
	w.steps(t, engine.Envelope, []step{
		{"kv.get", `{"key":"c"}`, `"v"`},
		{"kv.ttl", `{"key":"c"}`, `{"ttl":0}`},
	})
	w.now++
	w.steps(t, engine.Envelope, []step{{"kv.ttl", `{"key":"c"}`, `Key not found: c`}})
}

// TestKVSweepAgainstMap compares the store with a plain map through random
// writes, TTL changes and waits.
func TestKVSweepAgainstMap(t *testing.T) {
	w := newWorld()
	w.now = start - start%second
	rnd := rand.New(rand.NewPCG(1, 2))
	type held struct {
		val     string
		expires int64
	}
	model := map[string]held{}
	for i := range 20_000 {
		key := "k" + strconv.Itoa(rnd.IntN(50))
		ttl := rnd.IntN(20)
		_, exists := model[key]
		switch rnd.IntN(7) {
		case 0:
			w.must(t, engine.Raw, "kv.set", `{"key":"`+key+`","value":"`+strconv.Itoa(i)+`"}`)
			model[key] = held{strconv.Itoa(i), 0}
		case 1, 2:
			w.must(t, engine.Raw, "kv.set", `{"key":"`+key+`","value":"`+strconv.Itoa(i)+`","ttl":`+strconv.Itoa(ttl+1)+`}`)
			model[key] = held{strconv.Itoa(i), w.now + int64(ttl+1)*second}
		case 3:
			w.must(t, engine.Raw, "kv.expire", `{"key":"`+key+`","ttl":`+strconv.Itoa(ttl+1)+`}`)
			if exists {
				model[key] = held{model[key].val, w.now + int64(ttl+1)*second}
			}
		case 4:
			w.must(t, engine.Raw, "kv.persist", `{"key":"`+key+`"}`)
			if exists {
				model[key] = held{model[key].val, 0}
			}
		case 5:
			w.must(t, engine.Raw, "kv.del", `{"key":"`+key+`"}`)
			delete(model, key)
		case 6:
			w.now += int64(rnd.IntN(30)) * second / 10
			for k, h := range model {
				if h.expires != 0 && h.expires <= w.now {
					delete(model, k)
				}
			}
		}
		v, _ := w.run(engine.Raw, "kv.get", `{"key":"`+key+`"}`)
		got, ok := v.AsStr()
		if h, exists := model[key]; ok != exists || got != h.val {
			t.Fatalf("step %d, %s: got %s, want %v", i, key, text(v), h)
		}
		if v, _ := w.run(engine.Raw, "kv.keys", `{}`); v.Field("keys").Len() != len(model) {
			t.Fatalf("step %d: %d keys, want %d", i, v.Field("keys").Len(), len(model))
		}
	}
}

// TestKVRawSet: the conditions of the REST route (protocol: http-data 2).
func TestKVRawSet(t *testing.T) {
	w := newWorld()
	now := strconv.FormatInt(start/1e6, 10)
	w.steps(t, engine.Raw, []step{
		{"kv.set", `{"key":"k","value":"a","xx":true}`, `{"success":true,"written":false}`},
		{"kv.set", `{"key":"k","value":"a","nx":true,"get":true}`, `{"success":true,"written":true}`},
		{"kv.set", `{"key":"k","value":"b","nx":true,"get":true}`, `{"old_value":"a","success":true,"written":false}`},
		{"kv.set", `{"key":"k","value":"b","nx":true,"xx":true}`, `{"success":true,"written":false}`},
		{"kv.set", `{"key":"k","value":"b","xx":true,"ttl":5,"expiry":{"type":"milliseconds","value":2500}}`, `{"success":true,"written":true}`},
		{"kv.ttl", `{"key":"k"}`, `{"ttl":2}`},
		{"kv.set", `{"key":"k","value":1,"keepttl":true,"ttl":100}`, `{"success":true,"written":true}`},
		{"kv.ttl", `{"key":"k"}`, `{"ttl":2}`},
		{"kv.incr", `{"key":"k"}`, `{"value":2}`},
		{"kv.ttl", `{"key":"k"}`, `{"ttl":2}`},
		{"kv.set", `{"key":"k","value":"x","expiry":{"type":"unix_seconds","value":` + strconv.FormatInt(start/second+11, 10) + `}}`, `{"success":true,"written":true}`},
		{"kv.ttl", `{"key":"k"}`, `{"ttl":10}`},
		{"kv.set", `{"key":"k","value":"x","expiry":{"type":"unix_milliseconds","value":` + now + `}}`, `{"success":true,"written":true}`},
		{"kv.get", `{"key":"k"}`, `null`},
		{"kv.set", `{"key":"k","value":"x","expiry":{"type":"unix_seconds","value":0}}`, `{"success":true,"written":true}`},
		{"kv.exists", `{"key":"k"}`, `{"exists":false}`},
		{"kv.set", `{"key":"k","value":"x","expiry":{"type":"milliseconds","value":18446744073709551615}}`, `{"success":true,"written":true}`},
		{"kv.exists", `{"key":"k"}`, `{"exists":true}`},
		{"kv.append", `{"key":"k","value":"y"}`, `{"length":2}`},
		{"kv.setrange", `{"key":"k","offset":1,"value":"z"}`, `{"length":2}`},
		{"kv.get", `{"key":"k"}`, `"xz"`},
		{"kv.append", `{"key":"k","value":{"b":1,"a":2}}`, `{"length":15}`},
		{"kv.get", `{"key":"k"}`, `"xz{\"a\":2,\"b\":1}"`},
	})
	reply, _ := w.Exec(w.now, engine.Raw, "kv.get", "", value.Map(value.Str("key"), value.Str("k"), value.Str("type"), value.Str("bytes")))
	if reply.Kind() != value.KindBytes {
		t.Errorf("get of bytes: %s", reply.Kind())
	}
}
