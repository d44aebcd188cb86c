package session

import (
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func TestWhatIsSentOverHTTP(t *testing.T) {
	s, i, yes := value.Str, value.Int, value.Bool(true)
	for name, c := range map[string]struct {
		command string
		args    []value.Value
		want    []string
	}{
		"a read":                 {"kv.get", []value.Value{s("k")}, []string{`kv.get {"key":"k"}`}},
		"the empty key":          {"kv.get", []value.Value{s("")}, []string{`kv.get {"key":""}`}},
		"a plain set":            {"kv.set", []value.Value{s("k"), s("v"), i(60)}, []string{`kv.set {"key":"k","value":"v","ttl":60}`}},
		"bytes that are text":    {"kv.set", []value.Value{s("k"), value.BytesOf("v")}, []string{`kv.set {"key":"k","value":"v"}`}},
		"false options":          {"kv.set", []value.Value{s("k"), s("v"), value.Nil, value.Bool(false), value.Bool(false)}, []string{`kv.set {"key":"k","value":"v","nx":false,"xx":false}`}},
		"set_json keeps order":   {"kv.set_json", []value.Value{s("k"), js(t, `{"b":1.0,"a":[1]}`)}, []string{`kv.set {"key":"k","value":"{\"b\":1.0,\"a\":[1]}"}`}},
		"set_json of null":       {"kv.set_json", []value.Value{s("k"), value.Nil}, []string{`kv.set {"key":"k","value":"null"}`}},
		"set_json of a text":     {"kv.set_json", []value.Value{s("k"), s("x")}, []string{`kv.set {"key":"k","value":"\"x\""}`}},
		"another name":           {"kv.delete", []value.Value{s("k")}, []string{`kv.del {"key":"k"}`}},
		"incrby":                 {"kv.incrby", []value.Value{s("k"), i(-5)}, []string{`kv.incr {"key":"k","amount":-5}`}},
		"no options":             {"kv.scan", nil, []string{`kv.scan {}`}},
		"some options":           {"kv.scan", []value.Value{value.Nil, i(5)}, []string{`kv.scan {"limit":5}`}},
		"null as data":           {"stream.publish", []value.Value{s("r"), s("e"), value.Nil}, []string{`stream.publish {"room":"r","event":"e","data":null}`}},
		"a renamed member":       {"pubsub.publish", []value.Value{s("t"), js(t, `{"z":1,"a":2}`), value.Map(s("m"), s("n"))}, []string{`pubsub.publish {"topic":"t","payload":{"z":1,"a":2},"metadata":{"m":"n"}}`}},
		"a payload of bytes":     {"queue.publish", []value.Value{s("q"), value.BytesOf("\x00\xff"), i(0)}, []string{`queue.publish {"queue":"q","payload":[0,255],"priority":0}`}},
		"nothing of what is not": {"stream.create", []value.Value{s("r"), i(1), i(24)}, []string{`stream.create {"room":"r"}`}},
		"requeue":                {"queue.nack", []value.Value{s("q"), s("m"), value.Bool(false)}, []string{`queue.nack {"queue":"q","message_id":"m","requeue":false}`}},
		// Quirk: options beside config are ignored (protocol: queue quirks).
		"queue options inside config": {"queue.create", []value.Value{s("q"), i(10), value.Nil, i(0)}, []string{`queue.create {"name":"q","config":{"max_depth":10,"default_max_retries":0}}`}},
		"no queue options":            {"queue.create", []value.Value{s("q")}, []string{`queue.create {"name":"q"}`}},
		// Quirk: the envelope ignores nx, xx and keepttl (protocol: http-data quirk 5).
		"nx goes over REST":      {"kv.set", []value.Value{s("k/1"), s("v"), i(5), yes}, []string{`POST /kv/set {"key":"k/1","value":"v","ttl":5,"nx":true}`}},
		"xx goes over REST":      {"kv.set", []value.Value{s("k"), s("v"), value.Nil, value.Nil, yes}, []string{`POST /kv/set {"key":"k","value":"v","xx":true}`}},
		"keepttl goes over REST": {"kv.set", []value.Value{s(""), s("v"), value.Nil, value.Nil, value.Nil, yes}, []string{`POST /kv/set {"key":"","value":"v","keepttl":true}`}},
		// Quirk: the envelope stores JSON text for these (protocol: http-data quirk 4).
		"append goes over REST":   {"kv.append", []value.Value{s("a/b?c"), s("x")}, []string{`POST /kv/a%2Fb%3Fc/append {"value":"x"}`}},
		"setrange goes over REST": {"kv.setrange", []value.Value{s("k"), i(3), s("x")}, []string{`POST /kv/k/setrange {"offset":3,"value":"x"}`}},
		"getset goes over REST":   {"kv.getset", []value.Value{s("é"), s("x")}, []string{`POST /kv/%C3%A9/getset {"value":"x"}`}},
		"a key of two dots":       {"kv.append", []value.Value{s(".."), s("x")}, []string{`POST /kv/%2E%2E/append {"value":"x"}`}},
		"a key that is a brace":   {"kv.append", []value.Value{s("{key}"), s("x")}, []string{`POST /kv/%7Bkey%7D/append {"value":"x"}`}},
		// Quirk: MSET quotes text, MGET answers null for it (protocol: http-data quirk 3).
		"mset is one set for each pair": {"kv.mset", []value.Value{pairs("a", "1", "a", "2")}, []string{`kv.set {"key":"a","value":"1"}`, `kv.set {"key":"a","value":"2"}`}},
		"mget is one get for each key":  {"kv.mget", []value.Value{strs("a", "b")}, []string{`kv.get {"key":"a"}`, `kv.get {"key":"b"}`}},
		"mdel is one command":           {"kv.mdel", []value.Value{strs("a", "b")}, []string{`kv.mdel {"keys":["a","b"]}`}},
	} {
		call := begin(t, steady(0), c.command, c.args...)
		if call.Done() {
			_, err := call.Result()
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, step := range call.Steps() {
			got = append(got, sent(step))
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n%s\nnot\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// Quirk: MSETNX quotes text too; a script stores it as it is (protocol: http-data
// quirk 3).
func TestMsetnxIsAScript(t *testing.T) {
	c := begin(t, steady(3), "kv.msetnx", pairs("a", "1", "b", "é"))
	step := c.Steps()[0]
	if step.Command != "script.eval" || step.Method != "" {
		t.Fatal(step.Command)
	}
	if !value.Equal(step.Payload.Field("keys"), strs("a", "b")) || !value.Equal(step.Payload.Field("args"), strs("1", "é")) {
		t.Error("keys and values do not match")
	}
	script, _ := step.Payload.Field("script").AsStr()
	for _, part := range []string{"redis.call('exists', KEYS[i])", "redis.call('set', KEYS[i], ARGV[i])", "return 0", "return 1"} {
		if !strings.Contains(script, part) {
			t.Errorf("%q lacks %q", script, part)
		}
	}
	if strings.Index(script, "return 0") > strings.Index(script, "'set'") {
		t.Error("the script sets before it has looked at all keys")
	}
}

// Quirk: an empty path segment is a 404 (protocol: http-data 1).
func TestTheEmptyKeyHasNoPath(t *testing.T) {
	for name, args := range map[string][]value.Value{
		"kv.append": {str(""), str("x")}, "kv.setrange": {str(""), value.Int(0), str("x")}, "kv.getset": {str(""), str("x")},
	} {
		c := begin(t, steady(0), name, args...)
		if err := failure(t, c, errs.InvalidArgument); !strings.Contains(err.Message, "key must not be empty") || err.MaybeApplied {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingToAskIsNoQuestion(t *testing.T) {
	for _, c := range []*Call{begin(t, steady(0), "kv.mget", strs()), begin(t, steady(0), "kv.mset", pairs())} {
		want := value.Nil
		if c.cmd.Name == "kv.mget" {
			want = value.Array()
		}
		if v := result(t, c); !value.Equal(v, want) {
			t.Errorf("%s: %s", c.cmd.Name, v.Kind())
		}
	}
}

func TestEveryPairMustBeWritten(t *testing.T) {
	c := begin(t, steady(0), "kv.mset", pairs("a", "1", "b", "2"))
	c.Reply(js(t, `{"success":true}`), nil)
	if c.Done() {
		t.Fatal("done after the first of two")
	}
	c.Reply(js(t, `{"success":true}`), nil)
	if v := result(t, c); !v.IsNil() {
		t.Error(v.Kind())
	}
}

// A conditional write that is repeated would meet what its own first attempt
// wrote, and report that nothing was written.
func TestConditionalWritesAreNotRepeated(t *testing.T) {
	yes := value.Bool(true)
	for _, args := range [][]value.Value{
		{str("k"), str("v"), value.Nil, yes}, {str("k"), str("v"), value.Nil, value.Nil, yes}, {str("k"), str("v"), value.Nil, value.Nil, value.Nil, yes},
	} {
		if c := begin(t, steady(3), "kv.set", args...); c.Steps()[0].Idempotent {
			t.Error("may be repeated")
		}
	}
	if c := begin(t, steady(3), "kv.set", str("k"), str("v")); !c.Steps()[0].Idempotent {
		t.Error("a plain set may not be repeated")
	}
}
