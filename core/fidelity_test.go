package core

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

// texts are values that other clients turn into something else on the way.
var texts = map[string]string{
	"digits": "123", "a word of JSON": "true", "null": "null", "an object": "{}", "quotes": `"quoted"`, "a float": "1.0", "nothing": "", "emoji": "🎉 naïve",
	"NUL": "a\x00b", "controls": "\x01\x1f\x7f\r\n\t", "a megabyte": repeat("0123456789abcdef", 1<<16), "a placeholder": "<binary data: 4 bytes>",
	"spaces": "  ", "a backslash": `\u0041`, "last of the plane": "\uffff",
}

var keys = map[string]string{"plain": "key", "slash": "a/b", "percent": "100%25", "space and plus": "a b+c", "beyond ASCII": "ключ", "NUL": "a\x00b", "dots": "..", "query": "?a=b#c", "braces": "{key}"}

func TestTextComesBackAsItWas(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client) {
		for name, want := range texts {
			check := func(what, got string, found bool, err error) {
				t.Helper()
				if err != nil || !found || got != want {
					t.Errorf("%s, %s: %.40q %v %v", name, what, got, found, err)
				}
			}
			if ok, err := c.KV.Set(background, "k", want, nil); !ok || err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got, found, err := c.KV.Get(background, "k")
			check("set and get", got, found, err)
			b, err := c.KV.GetBytes(background, "k")
			check("get_bytes", string(b), b != nil, err)
			// The reply tells text from bytes.
			if v, err := call(c, "kv.get", value.Str("k")); err != nil || !value.Equal(v, value.Str(want)) {
				t.Errorf("%s is a %s: %v", name, v.Kind(), err)
			}
			if err := c.KV.Mset(background, []Pair{{"m1", want}, {"m2", "other"}}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got, found, err = c.KV.Get(background, "m1")
			check("mset and get", got, found, err)
			values, err := c.KV.Mget(background, []string{"m1", "missing", "k", "m2"})
			if err != nil || len(values) != 4 || values[1].Found || values[3].Value != "other" {
				t.Fatalf("%s: %v %v", name, values, err)
			}
			check("mset and mget", values[0].Value, values[0].Found, err)
			check("set and mget", values[2].Value, values[2].Found, err)
			old, had, err := c.KV.Getset(background, "k", "replaced")
			if name == "a placeholder" && c.wire() == session.HTTP {
				failed(t, err, errs.BinaryValue) // nobody can tell
			} else {
				check("getset", old, had, err)
			}
			c.KV.Delete(background, "k")
			if n, err := c.KV.Append(background, "k", want); err != nil || n != int64(len(want)) {
				t.Errorf("%s: append says %d, %v", name, n, err)
			}
			got, found, err = c.KV.Get(background, "k")
			check("append and get", got, found || want == "", err)
			if n, err := c.KV.Setrange(background, "k", int64(len(want)), "!"); err != nil || n != int64(len(want))+1 {
				t.Errorf("%s: setrange says %d, %v", name, n, err)
			}
			got, _, err = c.KV.Get(background, "k")
			check("setrange and get", strings.TrimSuffix(got, "!"), true, err)
			if ok, err := c.KV.Msetnx(background, []Pair{{"nx:" + name, want}}); err != nil || !ok {
				t.Errorf("%s: %v %v", name, ok, err)
			}
			got, found, err = c.KV.Get(background, "nx:"+name)
			check("msetnx and get", got, found, err)
		}
	})
}

// What the server keeps is the text itself: other clients read the same.
func TestTheServerStoresTheTextItself(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client) {
		if _, err := c.KV.Append(background, "k", "ab"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.KV.Append(background, "k", "cd"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.KV.Setrange(background, "k", 5, "x"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.KV.Getset(background, "g", "new"); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{"k": "abcd\x00x", "g": "new"} {
			payload := value.Map(value.Str("key"), value.Str(key), value.Str("type"), value.Str("bytes"))
			if c.wire().Native() { // there it is bytes anyway
				payload = value.Map(value.Str("key"), value.Str(key))
			}
			v, err := c.Command(background, "kv.get", payload)
			s, ok := v.AsByteArray()
			if c.wire().Native() {
				s, ok = v.AsStr()
			}
			if err != nil || !ok || s != want {
				t.Errorf("%q, not %q: %v", s, want, err)
			}
		}
		if n, err := c.KV.Strlen(background, "k"); err != nil || n != 6 {
			t.Errorf("%d %v", n, err)
		}
	})
}

func TestBytesThatAreNoText(t *testing.T) {
	const bytes = "\xde\xad\xbe\xef"
	c := open(t, "memory://")
	if _, err := c.KV.Set(background, "k", bytes, nil); err != nil {
		t.Fatal(err)
	}
	if v, err := call(c, "kv.get", value.Str("k")); err != nil || !value.Equal(v, value.BytesOf(bytes)) {
		t.Errorf("%s %v", v.Kind(), err)
	}
	if err := c.KV.Mset(background, []Pair{{"m", bytes}, {"n", "text"}}); err != nil {
		t.Fatal(err)
	}
	if v, err := call(c, "kv.mget", value.Array(value.Str("m"), value.Str("n"), value.Str("o"))); err != nil || !value.Equal(v, value.Array(value.BytesOf(bytes), value.Str("text"), value.Nil)) {
		t.Errorf("%s %v", v.Kind(), err)
	}
	if old, _, err := c.KV.Getset(background, "k", "x"); err != nil || old != bytes {
		t.Errorf("%q %v", old, err)
	}
	if part, found, err := c.KV.Getrange(background, "m", 1, 2); err != nil || !found || part != "\xad\xbe" {
		t.Errorf("%q %v", part, err)
	}

	// HTTP cannot carry them; nothing is sent, and the error says where to go.
	s := serve(t, testserver.Config{})
	h := open(t, s.URL())
	for name, write := range map[string]func() error{
		"set":      func() error { _, err := h.KV.Set(background, "k", bytes, nil); return err },
		"set nx":   func() error { _, err := h.KV.Set(background, "k", bytes, &KVSetOptions{Nx: true}); return err },
		"mset":     func() error { return h.KV.Mset(background, []Pair{{"k", "text"}, {"l", bytes}}) },
		"msetnx":   func() error { _, err := h.KV.Msetnx(background, []Pair{{"k", bytes}}); return err },
		"append":   func() error { _, err := h.KV.Append(background, "k", bytes); return err },
		"setrange": func() error { _, err := h.KV.Setrange(background, "k", 0, bytes); return err },
		"getset":   func() error { _, _, err := h.KV.Getset(background, "k", bytes); return err },
	} {
		if e := failed(t, write(), errs.InvalidArgument); !strings.Contains(e.Message, "synap://") || e.MaybeApplied {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if found, err := h.KV.Exists(background, "k"); err != nil || found {
		t.Errorf("something was written: %v", err)
	}
	// Bytes that are text are carried, as text.
	if _, err := call(h, "kv.set", value.Str("k"), value.BytesOf("naïve")); err != nil {
		t.Error(err)
	}
	if v, err := call(h, "kv.get", value.Str("k")); err != nil || !value.Equal(v, value.Str("naïve")) {
		t.Errorf("%s %v", v.Kind(), err)
	}

	// What others have stored is read all the same: another wire wrote these.
	direct := func(key, val string) {
		t.Helper()
		if _, text := s.Engine().Exec(time.Now().UnixNano(), 1, "kv.set", "", value.Map(value.Str("key"), value.Str(key), value.Str("value"), value.BytesOf(val))); text != "" {
			t.Fatal(text)
		}
	}
	direct("k", bytes)
	direct("e", "é")
	if v, err := call(h, "kv.get", value.Str("k")); err != nil || !value.Equal(v, value.BytesOf(bytes)) {
		t.Errorf("%s %v", v.Kind(), err)
	}
	if b, err := h.KV.GetBytes(background, "k"); err != nil || string(b) != bytes {
		t.Errorf("%x %v", b, err)
	}
	if v, err := call(h, "kv.mget", value.Array(value.Str("k"), value.Str("missing"), value.Str("e"))); err != nil || !value.Equal(v, value.Array(value.BytesOf(bytes), value.Nil, value.Str("é"))) {
		t.Errorf("%s %v", v.Kind(), err)
	}
	if part, found, err := h.KV.Getrange(background, "e", 0, 0); err != nil || !found || part != "\xc3" {
		t.Errorf("half a character: %q %v", part, err)
	}
	_, _, err := h.KV.Getset(background, "k", "new")
	if e := failed(t, err, errs.BinaryValue); !e.MaybeApplied {
		t.Errorf("%+v", e)
	}
	if s, _, err := h.KV.Get(background, "k"); err != nil || s != "new" {
		t.Errorf("the new value is not set: %q %v", s, err)
	}
}

func TestKeysOfEveryKind(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client) {
		for name, key := range keys {
			if _, err := c.KV.Set(background, key, name, nil); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			// These have the key in their path.
			if _, err := c.KV.Append(background, key, "+"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if old, found, err := c.KV.Getset(background, key, name); err != nil || !found || old != name+"+" {
				t.Errorf("%s: %q %v", name, old, err)
			}
		}
		all, err := c.KV.Keys(background)
		if err != nil || len(all) != len(keys) {
			t.Errorf("%q %v", all, err)
		}
		for name, key := range keys {
			if !slices.Contains(all, key) {
				t.Errorf("%s is not listed", name)
			}
		}
		// The empty key is a key like any other, but has no place in a path.
		if _, err := c.KV.Set(background, "", "empty", nil); err != nil {
			t.Error(err)
		}
		if s, found, err := c.KV.Get(background, ""); err != nil || !found || s != "empty" {
			t.Errorf("%q %v", s, err)
		}
		_, err = c.KV.Append(background, "", "x")
		if c.wire() != session.HTTP {
			if err != nil {
				t.Error(err)
			}
		} else if e := failed(t, err, errs.InvalidArgument); !strings.Contains(e.Message, "key must not be empty") || e.MaybeApplied {
			t.Errorf("%+v", e)
		}
		_, err = c.KV.Set(background, "\xff", "x", nil)
		failed(t, err, errs.InvalidArgument)
	})
}

func TestConditionalWrites(t *testing.T) {
	withEnvelope(t, func(t *testing.T, c *Client) {
		set := func(val string, o KVSetOptions, want bool) {
			t.Helper()
			if ok, err := c.KV.Set(background, "k", val, &o); err != nil || ok != want {
				t.Errorf("%v %v", ok, err)
			}
		}
		set("1", KVSetOptions{Xx: true}, false)
		set("1", KVSetOptions{Nx: true, TTL: 100}, true)
		set("2", KVSetOptions{Nx: true}, false)
		set("3", KVSetOptions{Xx: true, Keepttl: true}, true)
		if ttl, ok, err := c.KV.TTL(background, "k"); err != nil || !ok || ttl < 98 || ttl > 100 {
			t.Errorf("%d %v %v", ttl, ok, err)
		}
		set("4", KVSetOptions{Xx: true}, true)
		if _, ok, err := c.KV.TTL(background, "k"); err != nil || ok {
			t.Errorf("%v %v", ok, err)
		}
		set("5", KVSetOptions{}, true)
		if s, _, err := c.KV.Get(background, "k"); err != nil || s != "5" {
			t.Errorf("%q %v", s, err)
		}
		_, err := c.KV.Set(background, "k", "v", &KVSetOptions{Nx: true, Xx: true})
		failed(t, err, errs.InvalidArgument)
		if ok, err := c.KV.Msetnx(background, []Pair{{"a", "1"}, {"k", "2"}}); err != nil || ok {
			t.Errorf("%v %v", ok, err)
		}
		if found, err := c.KV.Exists(background, "a"); err != nil || found {
			t.Errorf("msetnx set one of two: %v", err)
		}
	})
}

func TestNumbersStayExact(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client) {
		if n, err := c.KV.Incrby(background, "n", math.MaxInt64); err != nil || n != math.MaxInt64 {
			t.Errorf("%d %v", n, err)
		}
		_, err := c.KV.Incr(background, "n")
		failed(t, err, errs.InvalidArgument)
		if n, err := c.KV.Decrby(background, "m", math.MaxInt64); err != nil || n != -math.MaxInt64 {
			t.Errorf("%d %v", n, err)
		}
		if n, err := c.KV.Decr(background, "m"); err != nil || n != math.MinInt64 {
			t.Errorf("%d %v", n, err)
		}
		type record struct {
			ID   int64   `json:"id"`
			Rate float64 `json:"rate"`
			Big  uint64  `json:"big"`
		}
		want := record{math.MaxInt64, 0.1, math.MaxUint64}
		if _, err := c.KV.SetJSON(background, "r", want, nil); err != nil {
			t.Fatal(err)
		}
		var got record
		if found, err := c.KV.GetJSON(background, "r", &got); err != nil || !found || got != want {
			t.Errorf("%+v %v %v", got, found, err)
		}
		// Without a type to go by, integers are exact all the same.
		var loose any
		if found, err := c.KV.GetJSON(background, "r", &loose); err != nil || !found || !reflect.DeepEqual(loose, map[string]any{"id": int64(math.MaxInt64), "rate": 0.1, "big": uint64(math.MaxUint64)}) {
			t.Errorf("%#v %v %v", loose, found, err)
		}
		var wrong int
		_, err = c.KV.GetJSON(background, "r", &wrong)
		failed(t, err, errs.InvalidArgument)
		if found, err := c.KV.GetJSON(background, "missing", &got); err != nil || found {
			t.Errorf("%v %v", found, err)
		}
		if _, err := c.KV.Set(background, "r", "{not json", nil); err != nil {
			t.Fatal(err)
		}
		_, err = c.KV.GetJSON(background, "r", &got)
		failed(t, err, errs.InvalidArgument)
	})
}

func TestStreamDataKeepsItsType(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client) {
		if err := c.Stream.Create(background, "room", nil); err != nil {
			t.Fatal(err)
		}
		failed(t, c.Stream.Create(background, "room", nil), errs.AlreadyExists)
		var sent []value.Value
		for _, text := range []string{`"123"`, `123`, `1.0`, `-0.0`, `9223372036854775807`, `-9223372036854775808`, `18446744073709551615`, `1e+21`, `true`, `null`, `"null"`, `""`, `"é🎉\u0000"`,
			`[]`, `[1,2,255]`, `[1.0,256,"x",null]`, `{}`, `{"a":{"b":[1,2.5]},"c":"d"}`} {
			v, err := value.ParseJSON(text)
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, v)
			if n, err := c.Stream.Publish(background, "room", "kind", v); err != nil || n != int64(len(sent)-1) {
				t.Errorf("%s: %d %v", text, n, err)
			}
		}
		events, err := c.Stream.Consume(background, "room", "me", nil)
		if err != nil || len(events) != len(sent) {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for n, e := range events {
			if !value.Equal(e.Data.Value(), sent[n]) || e.Offset != int64(n) || e.Event != "kind" || e.ID == "" || time.Since(time.Unix(e.Timestamp, 0)).Abs() > 5*time.Second {
				want, _ := value.AppendJSON(nil, sent[n])
				t.Errorf("%+v for %s", e, want)
			}
		}
		events, err = c.Stream.Consume(background, "room", "me", &StreamConsumeOptions{FromOffset: 4, Limit: Int64(2)})
		if err != nil || len(events) != 2 || events[0].Offset != 4 {
			t.Errorf("%+v %v", events, err)
		}
		if events, err = c.Stream.Consume(background, "room", "me", &StreamConsumeOptions{Limit: Int64(0)}); err != nil || len(events) != 0 {
			t.Errorf("%+v %v", events, err)
		}
		_, err = c.Stream.Publish(background, "nowhere", "e", 1)
		failed(t, err, errs.NotFound)
		_, err = c.Stream.Publish(background, "room", "e", math.NaN())
		failed(t, err, errs.InvalidArgument)
	})
}

func TestQueuePayloadsOfEveryByte(t *testing.T) {
	withEnvelope(t, func(t *testing.T, c *Client) {
		if err := c.Queue.Create(background, "q", &QueueCreateOptions{MaxDepth: 3, AckDeadlineSecs: 60, DefaultMaxRetries: Int64(1), DefaultPriority: Int64(2)}); err != nil {
			t.Fatal(err)
		}
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for name, payload := range map[string][]byte{"every byte": all, "nothing": {}, "text": []byte("naïve"), "JSON": []byte(`{"a":1}`), "half a megabyte": []byte(repeat("\xff", 500_000))} {
			id, err := c.Queue.Publish(background, "q", payload, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			m, err := c.Queue.Consume(background, "q", "w")
			if err != nil || m == nil || m.MessageID != id || string(m.Payload) != string(payload) || m.Priority != 2 || m.RetryCount != 0 || m.MaxRetries == nil || *m.MaxRetries != 1 {
				t.Fatalf("%s: %.200v %v", name, fmt.Sprintf("%+v", m), err)
			}
			if err := c.Queue.Ack(background, "q", id); err != nil {
				t.Error(err)
			}
			failed(t, c.Queue.Ack(background, "q", id), errs.NotFound)
		}
		if m, err := c.Queue.Consume(background, "q", "w"); err != nil || m != nil {
			t.Errorf("%+v %v", m, err)
		}
		_, err := c.Queue.Consume(background, "typo", "w")
		failed(t, err, errs.NotFound)
		_, err = c.Queue.Publish(background, "typo", nil, nil)
		failed(t, err, errs.NotFound)
		// Priority 0 and no retries are not the absence of both.
		low, err := c.Queue.Publish(background, "q", []byte("low"), &QueuePublishOptions{Priority: Int64(0), MaxRetries: Int64(0)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Queue.Publish(background, "q", []byte("high"), &QueuePublishOptions{Priority: Int64(9)}); err != nil {
			t.Fatal(err)
		}
		first, err := c.Queue.Consume(background, "q", "w")
		if err != nil || string(first.Payload) != "high" {
			t.Fatalf("%+v %v", first, err)
		}
		second, err := c.Queue.Consume(background, "q", "w")
		if err != nil || second.MessageID != low || second.Priority != 0 || *second.MaxRetries != 0 {
			t.Fatalf("%+v %v", second, err)
		}
		if err := c.Queue.Nack(background, "q", low, nil); err != nil { // dead on the first nack
			t.Error(err)
		}
		if err := c.Queue.Nack(background, "q", first.MessageID, &QueueNackOptions{Requeue: Bool(false)}); err != nil {
			t.Error(err)
		}
		if s, err := c.Queue.Stats(background, "q"); err != nil || s.DeadLettered != 1 || s.Depth != 0 {
			t.Errorf("%+v %v", s, err)
		}
		for range 3 {
			if _, err := c.Queue.Publish(background, "q", []byte("x"), nil); err != nil {
				t.Fatal(err)
			}
		}
		_, err = c.Queue.Publish(background, "q", []byte("x"), nil)
		if e := failed(t, err, errs.ResourceExhausted); !e.Retryable || e.MaybeApplied || e.Status != 507 {
			t.Errorf("%+v", e)
		}
	})
}

// A payload that does not fit a request is refused with the reason, not cut.
func TestPayloadsOverTheLimit(t *testing.T) {
	c := open(t, serve(t, testserver.Config{}).URL())
	if err := c.Queue.Create(background, "q", nil); err != nil {
		t.Fatal(err)
	}
	_, err := c.Queue.Publish(background, "q", []byte(repeat("\xff", 600_000)), nil)
	if e := failed(t, err, errs.TooLarge); e.MaybeApplied || !strings.Contains(e.Message, "2097152") {
		t.Errorf("%+v", e)
	}
}

func TestRawCommandsAreTheServersOwn(t *testing.T) {
	withEnvelope(t, func(t *testing.T, c *Client) {
		raw := func(name, payload string) (value.Value, error) {
			p, err := value.ParseJSON(payload)
			if err != nil {
				t.Fatal(err)
			}
			return c.Command(background, name, p)
		}
		for _, step := range []struct{ name, payload, want string }{
			{"kv.set", `{"key":"k","value":{"b":1,"a":2.0}}`, `{"success":true}`},
			{"kv.get", `{"key":"k"}`, `"{\"a\":2.0,\"b\":1}"`},
			{"kv.mset", `{"pairs":[{"key":"m","value":"x"}]}`, `{"success":true}`},
			{"kv.get", `{"key":"m"}`, `"\"x\""`}, // quirk: mset stores quotes
			{"kv.mget", `{"keys":["m","k"]}`, `{"values":["x",{"a":2.0,"b":1}]}`},
			{"kv.exists", `{"key":"m"}`, `{"exists":true}`},
		} {
			v, err := raw(step.name, step.payload)
			want, _ := value.ParseJSON(step.want)
			if got, _ := value.AppendSortedJSON(nil, v); err != nil || !value.Equal(v, want) {
				t.Errorf("%s %s: %s, not %s (%v)", step.name, step.payload, got, step.want, err)
			}
		}
		_, err := raw("kv.nope", `{}`)
		if e := failed(t, err, errs.Unsupported); e.Command != "kv.nope" {
			t.Errorf("%+v", e)
		}
		_, err = raw("kv.get", `{}`)
		failed(t, err, errs.InvalidArgument)
		// Quirk: a huge offset ends the server's process (protocol: http-data 14).
		_, err = raw("kv.setrange", `{"key":"k","offset":18446744073709551615,"value":"x"}`)
		if e := failed(t, err, errs.InvalidArgument); !strings.Contains(e.Message, "offset") {
			t.Errorf("%+v", e)
		}
	})
}

func TestBatches(t *testing.T) {
	withEnvelope(t, func(t *testing.T, c *Client) {
		i, s := value.Int, value.Str
		typed := func(name string, args ...value.Value) value.Value {
			return value.Array(i(0), s(name), value.Array(args...))
		}
		list := []value.Value{
			typed("kv.set", s("k"), s("v")),
			typed("kv.get", s("k")),
			typed("kv.get", s("missing")),
			typed("kv.incr", s("k")), // not an integer
			typed("kv.get"),          // refused before it is sent
			typed("kv.nope"),
			value.Array(i(1), s("kv.get"), value.Map(s("key"), s("k"))),
			typed("kv.mget", value.Array(s("k"), s("missing"), s("k"))),
			typed("kv.mset", value.Array(value.Array(s("a"), s("1")), value.Array(s("b"), s("2")))),
			typed("kv.mget", value.Array(s("a"), s("b"))),
			typed("queue.consume", s("typo"), s("w")),
			typed("kv.set", s("k"), s("w"), value.Nil, value.Bool(true)),
			typed("kv.mget", value.Array()),
		}
		v, err := c.Frame(background, string(value.AppendMsgpack(nil, value.Array(i(2), value.Array(list...)))))
		if err != nil {
			t.Fatal(err)
		}
		if got := outcomes(t, v, err); got != "ok ok ok InvalidArgument InvalidArgument Unsupported ok ok ok ok NotFound ok ok" {
			t.Errorf("%s", got)
		}
		for n, want := range map[int]value.Value{0: value.Bool(true), 1: s("v"), 2: value.Nil, 6: s("v"), 7: value.Array(s("v"), value.Nil, s("v")),
			8: value.Nil, 9: value.Array(s("1"), s("2")), 11: value.Bool(false), 12: value.Array()} {
			if got := v.Index(n).Index(0); !value.Equal(got, want) {
				t.Errorf("command %d: %s", n, got.Kind())
			}
		}
		if v, err := c.Frame(background, string(value.AppendMsgpack(nil, value.Array(i(2), value.Array())))); err != nil || v.Len() != 0 || v.Kind() != value.KindArray {
			t.Errorf("an empty batch: %v", err)
		}
	})
}
