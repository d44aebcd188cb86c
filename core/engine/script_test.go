package engine_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestScriptVectors(t *testing.T) { replay(t, "http-script", nil) }

// eval returns a script's result as JSON, or the first line of its error text.
func (w *world) eval(script, keys, args string) string {
	v, errText := w.run(engine.Envelope, "script.eval", `{"script":`+text(value.Str(script))+`,"keys":`+keys+`,"args":`+args+`}`)
	if errText != "" {
		first, _, _ := strings.Cut(errText, "\n")
		return first
	}
	return text(v.Field("result"))
}

func TestScriptCalls(t *testing.T) {
	w := newWorld()
	const failed = "Internal error: runtime error: "
	for _, c := range [][2]string{
		{`return redis.call('SeT', KEYS[1], 2.0)`, `"OK"`},
		{`return redis.call('get', KEYS[1])`, `"2"`},
		{`return redis.call('set', KEYS[1], true)`, `"OK"`},
		{`return redis.call('get', KEYS[1])`, `"1"`},
		{`return redis.call('set', KEYS[1], nil)`, `"OK"`},
		{`return redis.call('get', KEYS[1])`, `""`},
		{`return redis.call('incr', KEYS[1])`, failed + `Invalid value: Value is not a valid integer`},
		{`return redis.call('del', KEYS[1], KEYS[1])`, `1`},
		{`return redis.call('incrby', KEYS[1], '5')`, `5`},
		{`return redis.call('decrby', KEYS[1], -2)`, `7`},
		{`return redis.call('incr', KEYS[1], 1.5)`, failed + `INCR received non-integer argument: 1.5`},
		{`return redis.call('ttl', KEYS[1])`, `-1`},
		{`return redis.call('expire', KEYS[1], 100)`, `1`},
		{`return redis.call('ttl', KEYS[1])`, `100`},
		{`return redis.call('persist', KEYS[1])`, `1`},
		{`return redis.call('persist', 'none')`, `0`},
		{`return redis.call('expire', KEYS[1], -1)`, failed + `EXPIRE received non-unsigned-integer argument: -1`},
		{`return redis.call('set', KEYS[1], 'x', 'y')`, failed + `SET received non-unsigned-integer argument: y`},
		{`return redis.call('set', 'gone', 'x', 0)`, `"OK"`},
		{`return redis.call('exists', 'gone', KEYS[1])`, `1`},
		{`return redis.call('hset', 'h', 'f', 'a\255')`, `1`},
		{`return #redis.call('hget', 'h', 'f')`, `2`},
		{`return redis.call('hset', 'h', 'f', 1)`, `0`},
		{`return redis.call('hdel', 'h')`, failed + `HDEL requires at least 2 argument(s)`},
		{`return redis.call('hdel', 'h', 'f', 'f')`, `1`},
		{`return redis.call('hexists', 'h', 'f')`, `0`},
		{`return redis.call('lpush', 'l', 1, 2, 3)`, `3`},
		{`return redis.call('lpop', 'l', 2)`, `["3","2"]`},
		{`return redis.call('lpop', 'l', -1)`, failed + `LPOP expects non-negative integer, got -1`},
		{`return redis.call('rpop', 'l', 0)`, `null`},
		{`return redis.call('rpop', 'l', 9)`, `"1"`},
		{`return redis.call('rpop', 'l')`, `null`},
		{`return redis.call('rpush', 'l')`, failed + `RPUSH requires at least 2 argument(s)`},
		// Writes made before an error stay.
		{`redis.call('set', 'kept', ARGV[1]) error('no')`, `Invalid request: [string "script"]:1: no`},
		{`return redis.call('get', 'kept')`, `"7"`},
	} {
		if got := w.eval(c[0], `["k"]`, `[7]`); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
}

func TestScriptArguments(t *testing.T) {
	w := newWorld()
	w.steps(t, engine.Envelope, []step{
		{"script.eval", `{"script":"return 1","keys":null}`, `Invalid request: keys must be an array`},
		{"script.evalsha", `{"sha1":"ff","args":{}}`, `Invalid request: args must be an array`},
		{"script.evalsha", `{"sha1":"ff","args":[]}`, `Invalid request: NOSCRIPT ff`},
		{"script.load", `{"script":"return 1"}`, `{"sha1":"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"}`},
		{"script.flush", `{}`, `{"cleared":1}`},
	})
	if got := w.eval(`return {KEYS[1], KEYS[2], ARGV[1], ARGV[2], #ARGV[3]}`, `[1.0,true]`, `[{"b":1,"a":[null]},"",null]`); got != `["1.0","true","{\"a\":[null],\"b\":1}","",0]` {
		t.Errorf("got %s", got)
	}
}

// TestScriptMoment: a script sees one time, and it is the engine's.
func TestScriptMoment(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "kv.set", `{"key":"k","value":"v","ttl":10}`)
	w.now += 9 * second
	if got := w.eval(`return redis.call('ttl', 'k')`, `[]`, `[]`); got != `1` {
		t.Errorf("ttl after 9 s: %s", got)
	}
	w.now += second
	if got := w.eval(`return redis.call('exists', 'k')`, `[]`, `[]`); got != `0` {
		t.Errorf("exists after 10 s: %s", got)
	}
}

// TestScriptWatch: what scripts write to strings reaches watchers.
func TestScriptWatch(t *testing.T) {
	w := newWorld()
	s, _ := w.Subscribe(w.now, []string{"__watch@0__:k"}, 100, engine.DropOldest, nil)
	w.eval(`redis.call('set', 'k', 1) redis.call('incr', 'k') redis.call('expire', 'k', 5) redis.call('del', 'k') redis.call('hset', 'k', 'f', 1)`, `[]`, `[]`)
	want := []string{"set k 1", "incrby k 2", "expire k ", "del k "}
	if got := events(s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestScriptAtomic: nothing comes between the calls of a script.
func TestScriptAtomic(t *testing.T) {
	w := newWorld()
	const script = `{"script":"local n = redis.call('get', 'n') or 0 for i = 1, 50 do n = n + 1 end redis.call('set', 'n', n) return n"}`
	payload, _ := value.ParseJSON(script)
	var clients sync.WaitGroup
	for range 4 {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for range 25 {
				w.Exec(start, engine.Envelope, "script.eval", "r", payload)
				w.Exec(start, engine.Envelope, "key.exists", "r", value.Map(value.Str("key"), value.Str("n")))
			}
		}()
	}
	clients.Wait()
	if got := w.must(t, engine.Envelope, "kv.get", `{"key":"n"}`); got != `"5000"` {
		t.Errorf("got %s, want 5000", got)
	}
}

// TestScriptWithoutRunner: an engine without interpreter says so.
func TestScriptWithoutRunner(t *testing.T) {
	w := &world{Engine: engine.New(engine.Options{}), now: start}
	for _, name := range []string{"eval", "evalsha", "load", "exists", "flush", "kill"} {
		if _, errText := w.run(engine.Envelope, "script."+name, `{}`); errText != "Internal error: scripting is not part of this build" {
			t.Errorf("script.%s: %q", name, errText)
		}
	}
}
