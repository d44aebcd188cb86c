package session

import (
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Hashes and lists hold JSON text on all wires, text itself with its quotes.
func TestWhatHashesAndListsAreGiven(t *testing.T) {
	s := value.Str
	for name, c := range map[string]struct {
		command string
		args    []value.Value
		http    string // envelope
		direct  string // the engine's Raw face
		native  string // the arguments
	}{
		"a text":            {"hash.set", []value.Value{s("h"), s("f"), s("123")}, `hash.set {"key":"h","field":"f","value":"123"}`, `hash.set {"key":"h","field":"f","value":"\"123\""}`, `["h","f","\"123\""]`},
		"JSON":              {"hash.set_json", []value.Value{s("h"), s("f"), js(t, `{"b":1,"a":2}`)}, `hash.set {"key":"h","field":"f","value":{"b":1,"a":2}}`, `hash.set {"key":"h","field":"f","value":"{\"a\":2,\"b\":1}"}`, `["h","f","{\"a\":2,\"b\":1}"]`},
		"null":              {"hash.set_json", []value.Value{s("h"), s("f"), value.Nil}, `hash.set {"key":"h","field":"f","value":null}`, `hash.set {"key":"h","field":"f","value":"null"}`, `["h","f","null"]`},
		"pairs, last wins":  {"hash.mset", []value.Value{s("h"), pairs("a", "1", "b", "2", "a", "3")}, `hash.mset {"key":"h","fields":{"a":"3","b":"2"}}`, `hash.mset {"key":"h","fields":{"a":"\"3\"","b":"\"2\""}}`, `["h","a","\"1\"","b","\"2\"","a","\"3\""]`},
		"a list":            {"list.rpush", []value.Value{s("l"), strs("a", "null")}, `list.rpush {"key":"l","values":["a","null"]}`, `list.rpush {"key":"l","values":["\"a\"","\"null\""]}`, `["l","\"a\"","\"null\""]`},
		"keys of a script":  {"script.eval", []value.Value{s("return 1"), strs("k"), strs("a", "b")}, `script.eval {"script":"return 1","keys":["k"],"args":["a","b"]}`, "", `["return 1",1,"k","a","b"]`},
		"no keys":           {"script.eval", []value.Value{s("return 1")}, `script.eval {"script":"return 1"}`, "", `["return 1",0]`},
		"a queued write":    {"transaction.hash_set", []value.Value{s("me"), s("h"), s("f"), s("x")}, `hash.set {"client_id":"me","key":"h","field":"f","value":"x"}`, "", `["me","HSET","h","f","\"x\""]`},
		"a queued pop of 1": {"transaction.list_lpop", []value.Value{s("me"), s("l")}, `list.lpop {"client_id":"me","key":"l","count":1}`, "", `["me","LPOP","l"]`},
		// Quirk: of count 0 the server reports how many remain (protocol: http-data quirk 10).
		"lrem of all": {"list.lrem", []value.Value{s("l"), value.Int(0), s("x")}, `list.lrem {"key":"l","count":9223372036854775807,"value":"x"}`, "", ""},
	} {
		cmd := lookup(t, c.command)
		args, bad := cmd.Validate(c.args)
		if bad != nil {
			t.Fatal(name, bad)
		}
		for wire, want := range map[Wire]string{HTTP: c.http, Direct: c.direct, RPC: c.native, RESP3: c.native} {
			steps, err := plan(nil, wire, cmd, args)
			if want == "" {
				continue
			}
			if err != nil || len(steps) != 1 {
				t.Errorf("%s on wire %d: %v", name, wire, err)
				continue
			}
			got := sent(steps[0])
			if wire.Native() {
				b, _ := value.AppendJSON(nil, value.Array(steps[0].Args...))
				got = string(b)
			}
			if got != want {
				t.Errorf("%s on wire %d: %s, not %s", name, wire, got, want)
			}
		}
	}
}

func TestStoredValuesReadAlike(t *testing.T) {
	for _, c := range []struct{ stored, text string }{
		{`"x"`, "x"}, {`"1"`, "1"}, {"1", "1"}, {`{"a":1}`, `{"a":1}`}, {"plain", "plain"}, {`"torn`, `"torn`}, {"", ""},
	} {
		if got := unstored(value.Str(c.stored), true); !value.Equal(got, value.Str(c.text)) {
			t.Errorf("%q reads %v natively", c.stored, got)
		}
		parsed := parseStored(value.Str(c.stored)) // what the envelope holds
		if got := unstored(parsed, false); !value.Equal(got, value.Str(c.text)) {
			t.Errorf("%q reads %v over HTTP", c.stored, got)
		}
	}
	for _, asText := range []bool{false, true} {
		null := value.Nil
		if asText {
			null = value.Str("null")
		}
		if got := unstored(null, asText); !got.IsNil() {
			t.Errorf("null reads %v", got)
		}
	}
	if b := value.BytesOf("\xff"); !value.Equal(storedText(b), b) || !value.Equal(unstored(b, true), b) {
		t.Error("bytes change")
	}
}

// Some errors are results: nothing to pop, no list, a name that is taken.
func TestErrorsThatAreResults(t *testing.T) {
	s := value.Str
	for _, c := range []struct {
		command, error string
		args           []value.Value
		want           value.Value // Nil with code: the call fails
		code           errs.Code
	}{
		{"list.lpop", "Not found", []value.Value{s("l")}, value.Nil, 0},
		{"list.lpop_many", "Not found", []value.Value{s("l"), value.Int(2)}, value.Array(), 0},
		{"list.lrem", "Not found", []value.Value{s("l"), value.Int(1), s("x")}, value.Int(0), 0},
		{"list.ltrim", "Not found", []value.Value{s("l")}, value.Bool(false), 0},
		{"list.lset", "Not found", []value.Value{s("l"), value.Int(0), s("x")}, value.Nil, errs.NotFound},
		{"list.lindex", "Index out of range", []value.Value{s("l"), value.Int(9)}, value.Nil, errs.InvalidArgument},
		{"key.renamenx", "Invalid request: Destination key already exists", []value.Value{s("a"), s("b")}, value.Bool(false), 0},
		{"key.renamenx", "Key not found: a", []value.Value{s("a"), s("b")}, value.Nil, errs.NotFound},
		{"key.copy", "Invalid request: Destination key already exists and replace=false", []value.Value{s("a"), s("b")}, value.Bool(false), 0},
	} {
		call := begin(t, steady(0), c.command, c.args...)
		call.Reply(value.Nil, errs.FromServer(c.error))
		got, err := call.Result()
		if c.code != 0 {
			if err == nil || err.Code != c.code {
				t.Errorf("%s: %v", c.command, err)
			}
		} else if err != nil || !call.Done() || !value.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v (%v)", c.command, got, c.want, err)
		}
	}
}

// A command that waits in a transaction is not sent twice: exec would carry it out
// twice.
func TestQueuedCommandsAreNotRepeated(t *testing.T) {
	for payload, again := range map[string]bool{
		`{"key":"k","value":"v"}`:                  true,
		`{"key":"k","value":"v","client_id":"me"}`: false,
	} {
		for _, wire := range []Wire{HTTP, RPC} {
			call := &Call{}
			call.StartRaw(steady(3), wire, "kv.set", js(t, payload), start+5*second)
			if steps := call.Steps(); len(steps) != 1 || steps[0].Idempotent != again {
				t.Errorf("%s on wire %d: %+v", payload, wire, steps)
			}
		}
	}
	call := begin(t, steady(3), "transaction.kv_set", value.Str("me"), value.Str("k"), value.Str("v"))
	call.Broken(start, connection(), true)
	if _, err := call.Result(); !call.Done() || err == nil || !err.MaybeApplied {
		t.Error("a queued write was repeated")
	}
}

// A write that meets no transaction is carried out at once over HTTP, and says so.
func TestAWriteWithoutTransactionSaysSo(t *testing.T) {
	for reply, want := range map[string]bool{`{"success":true,"queued":true}`: true, `{"success":true}`: false} {
		call := begin(t, steady(0), "transaction.kv_set", value.Str("me"), value.Str("k"), value.Str("v"))
		call.Reply(js(t, reply), nil)
		if got, err := call.Result(); err != nil || !value.Equal(got, value.Bool(want)) {
			t.Errorf("%s: %v %v", reply, got, err)
		}
	}
}
