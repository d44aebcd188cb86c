package engine_test

import (
	"slices"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
)

func TestKeyVectors(t *testing.T) { replay(t, "http-key", nil) }

// step is one command, JSON in and out; want is the reply or the error text.
type step struct{ command, payload, want string }

func (w *world) steps(t *testing.T, face engine.Face, steps []step) {
	t.Helper()
	for i, s := range steps {
		v, errText := w.run(face, s.command, s.payload)
		got := text(v)
		if errText != "" {
			got = errText
		}
		if got != s.want {
			t.Fatalf("step %d, %s %s: got %s, want %s", i, s.command, s.payload, got, s.want)
		}
	}
}

// TestKeyStoresAreSeparate: one name in three stores; only what key.type reports
// moves, and only what it reports is overwritten.
func TestKeyStoresAreSeparate(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"kv.set", `{"key":"n","value":"s"}`, `{"success":true}`},
		{"key.type", `{"key":"n"}`, `{"key":"n","type":"string"}`},
		{"hash.set", `{"key":"n","field":"f","value":1}`, `{"created":true,"field":"f","key":"n"}`},
		{"key.type", `{"key":"n"}`, `{"key":"n","type":"hash"}`},
		{"list.rpush", `{"key":"n","values":["a","b"]}`, `{"key":"n","length":2}`},
		{"key.type", `{"key":"n"}`, `{"key":"n","type":"list"}`},
		{"key.rename", `{"source":"n","destination":"m"}`, `{"destination":"m","source":"n","success":true}`},
		{"key.type", `{"key":"m"}`, `{"key":"m","type":"list"}`},
		{"key.type", `{"key":"n"}`, `{"key":"n","type":"hash"}`},
		{"key.rename", `{"source":"n","destination":"m"}`, `{"destination":"m","source":"n","success":true}`},
		{"list.llen", `{"key":"m"}`, `{"key":"m","length":0}`},
		{"hash.len", `{"key":"m"}`, `{"length":1}`},
		{"key.type", `{"key":"n"}`, `{"key":"n","type":"string"}`},
		{"kv.get", `{"key":"n"}`, `"s"`},
	})
}

// TestKeyOneElementList: renaming leaves it, and renaming onto it appends
// (protocol: http-data quirk 11).
func TestKeyOneElementList(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"list.rpush", `{"key":"one","values":[1]}`, `{"key":"one","length":1}`},
		{"list.rpush", `{"key":"two","values":[2,3]}`, `{"key":"two","length":2}`},
		{"key.rename", `{"source":"two","destination":"one"}`, `{"destination":"one","source":"two","success":true}`},
		{"list.lrange", `{"key":"one"}`, `{"key":"one","values":[1,2,3]}`},
		{"list.lrange", `{"key":"two"}`, `Not found`},
		{"key.copy", `{"source":"one","destination":"three"}`, `{"destination":"three","source":"one","success":true}`},
		{"list.lrange", `{"key":"three"}`, `{"key":"three","values":[1,2,3]}`},
		{"list.llen", `{"key":"one"}`, `{"key":"one","length":3}`},
	})
}

func TestKeyErrors(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"kv.set", `{"key":"a","value":1}`, `{"success":true}`},
		{"hash.set", `{"key":"b","field":"f","value":1}`, `{"created":true,"field":"f","key":"b"}`},
		{"key.renamenx", `{"source":"a","destination":"b"}`, `Invalid request: Destination key already exists`},
		{"key.renamenx", `{"source":"none","destination":"b"}`, `Invalid request: Destination key already exists`},
		{"key.renamenx", `{"source":"none","destination":"c"}`, `Key not found: none`},
		{"key.copy", `{"source":"none","destination":"b"}`, `Key not found: none`},
		{"key.copy", `{"source":"a","destination":"b","replace":1}`, `Invalid request: Destination key already exists and replace=false`},
		{"key.copy", `{"source":"a","destination":"b","replace":true}`, `{"destination":"b","source":"a","success":true}`},
		{"key.type", `{"key":"b"}`, `{"key":"b","type":"string"}`},
		{"key.type", `null`, `Invalid request: Missing 'key' field`},
		{"key.exists", `{"key":5}`, `Invalid request: Missing 'key' field`},
	})
}

// TestKeyTTLTravels in whole seconds: what is left below one is nothing.
func TestKeyTTLTravels(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "kv.set", `{"key":"a","value":"v","ttl":10}`)
	w.now += 2*second + second/2
	w.must(t, engine.Envelope, "key.copy", `{"source":"a","destination":"b"}`)
	w.now += 6*second + second*9/10
	if got := w.must(t, engine.Envelope, "kv.exists", `{"key":"b"}`); got != `{"exists":true}` {
		t.Errorf("9.4 s after the write the copy is gone: %s", got)
	}
	w.now += second / 5
	if got := w.must(t, engine.Envelope, "kv.exists", `{"key":"b"}`); got != `{"exists":false}` {
		t.Error("the copy lives on though it was given 7 s, not 7.5")
	}
	w.must(t, engine.Envelope, "key.rename", `{"source":"a","destination":"c"}`)
	if got := w.must(t, engine.Envelope, "kv.exists", `{"key":"c"}`); got != `{"exists":false}` {
		t.Error("0.4 s of TTL were carried over")
	}
	if got := w.must(t, engine.Envelope, "kv.exists", `{"key":"a"}`); got != `{"exists":false}` {
		t.Error("the source is still there")
	}
}

// events returns what has reached a watcher, as "event key value".
func events(s *engine.Subscriber) []string {
	var out []string
	msgs, _ := s.Take(100)
	for _, m := range msgs {
		out = append(out, str(m.Payload, "event")+" "+str(m.Payload, "key")+" "+str(m.Payload, "value"))
	}
	return out
}

// TestKeyWatch: a rename sets the target, then deletes the source (protocol:
// websocket, KV watch). Other stores are silent.
func TestKeyWatch(t *testing.T) {
	w := newWorld()
	s, errText := w.Subscribe(w.now, []string{"__watch@0__:*"}, 100, engine.DropOldest, nil)
	if errText != "" {
		t.Fatal(errText)
	}
	w.must(t, engine.Envelope, "kv.set", `{"key":"a","value":{"x":1}}`)
	w.must(t, engine.Envelope, "kv.set", `{"key":"b","value":"old"}`)
	w.must(t, engine.Envelope, "key.rename", `{"source":"a","destination":"b"}`)
	w.must(t, engine.Envelope, "key.copy", `{"source":"b","destination":"c"}`)
	w.must(t, engine.Envelope, "hash.set", `{"key":"h","field":"f","value":1}`)
	w.must(t, engine.Envelope, "key.rename", `{"source":"h","destination":"i"}`)
	want := []string{`set a {"x":1}`, `set b old`, `del b `, `set b {"x":1}`, `del a `, `set c {"x":1}`}
	if got := events(s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestKeyRandom: every string is found in time, nothing else ever.
func TestKeyRandom(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "hash.set", `{"key":"h","field":"f","value":1}`)
	w.must(t, engine.Envelope, "kv.mset", `{"pairs":[{"key":"a","value":1},{"key":"b","value":1},{"key":"c","value":1}]}`)
	w.must(t, engine.Envelope, "kv.set", `{"key":"gone","value":1,"ttl":0}`)
	seen := map[string]bool{}
	for range 100 {
		seen[w.must(t, engine.Envelope, "key.randomkey", `{}`)] = true
	}
	if len(seen) != 3 || !seen[`{"key":"a"}`] || !seen[`{"key":"b"}`] || !seen[`{"key":"c"}`] {
		t.Errorf("got %v", seen)
	}
}
