package runner

import (
	"os"
	"strings"
	"testing"
)

// said is a step whose command answered the payload over HTTP.
func said(command, payload string) string {
	return `{"command":"` + command + `","payload":{"key":"k"},"reply":{"status":200,"body":{"success":true,"request_id":"r","payload":` + payload + `,"error":null}}}`
}

// refused is a step whose command answered the error over HTTP.
func refused(command, text string) string {
	return `{"command":"` + command + `","payload":{"key":"k"},"reply":{"status":200,"body":{"success":false,"request_id":"r","payload":null,"error":` + text + `}}}`
}

const (
	pass = iota
	fail
	none
)

func TestHostRulesOfTheNativeWires(t *testing.T) {
	const unsupported = `[null,[2,0,0,"no form","%s","%w"]]`
	for _, c := range []struct {
		wire, steps, answer string
		want                int
	}{
		// 1: no form.
		{"synap", said("key.type", `{"type":"string"}`), unsupported, none},
		{"synap", said("list.linsert", `{"length":2}`), unsupported, none},
		{"memory", said("key.type", `{"type":"string"}`), unsupported, fail},
		{"synap", said("key.type", `{"type":"string"}`), `[{"type":"list"}]`, fail},
		{"synap", refused("key.rename", `"Key not found: k"`), unsupported, none},
		// 2: members that cannot be derived.
		{"synap", said("kv.flushdb", `{"flushed":3}`), `[{}]`, pass},
		{"synap", said("kv.flushdb", `{"flushed":3}`), `[{"flushed":null}]`, pass},
		{"synap", said("kv.flushdb", `{"flushed":3}`), `[{"flushed":2}]`, fail},
		{"synap", said("kv.flushdb", `{"flushed":3}`), `[null]`, fail},
		{"synap", said("kv.del", `{"deleted":3}`), `[{}]`, fail},
		{"http", said("kv.flushdb", `{"flushed":3}`), `[{}]`, fail},
		{"resp3", said("pubsub.publish", `{"message_id":{"$any":"uuid"},"topic":"t"}`), `[{"topic":"t"}]`, pass},
		{"synap", said("pubsub.publish", `{"message_id":{"$any":"uuid"},"topic":"t"}`), `[{"topic":"t"}]`, fail},
		{"synap", said("queue.consume", `{"message":{"id":"i","headers":{},"max_retries":3}}`), `[{"message":{"id":"i"}}]`, pass},
		{"synap", said("queue.consume", `{"message":{"id":"i","headers":{},"max_retries":3}}`), `[{"message":{"headers":{}}}]`, fail},
		{"synap", said("stream.consume", `{"events":[{"id":"a","room":"r"},{"id":"b","room":"r"}],"next_offset":2}`), `[{"events":[{"id":"a"},{"id":"b"}],"next_offset":2}]`, pass},
		{"synap", said("stream.consume", `{"events":[{"id":"a","room":"r"},{"id":"b","room":"r"}],"next_offset":2}`), `[{"events":[{"id":"a"}],"next_offset":2}]`, fail},
		// 3: texts and their JSON texts.
		{"synap", said("kv.getset", `"\"v\""`), `["v"]`, pass},
		{"synap", said("kv.getset", `"\"v\""`), `["w"]`, fail},
		{"synap", said("kv.get", `"\"v\""`), `["v"]`, fail},
		{"http", said("kv.getset", `"\"v\""`), `["v"]`, fail},
		{"resp3", said("hyperloglog.pfadd", `{"values":["\"a\"","1"]}`), `[{"values":["a","1"]}]`, pass},
		{"resp3", said("hyperloglog.pfadd", `{"values":["\"a\"","1"]}`), `[{"values":["1","a"]}]`, fail},
		{"resp3", said("kv.append", `{"$unordered":["\"a\"","\"b\"","1"]}`), `[["1","b","a"]]`, pass},
		{"resp3", said("kv.append", `{"$unordered":["\"a\"","\"b\"","1"]}`), `[["1","b","c"]]`, fail},
		{"synap", said("kv.mget", `{"values":[5,{"a":[1]},null,"x"]}`), `[{"values":["5","{\"a\": [1]}","plain","x"]}]`, pass},
		{"synap", said("kv.mget", `{"values":[5]}`), `[{"values":["6"]}]`, fail},
		{"synap", said("kv.mget", `{"values":[null]}`), `[{"values":["6"]}]`, fail},
		{"synap", said("kv.mget", `{"values":["x"]}`), `[{"values":[null]}]`, fail},
		{"http", said("kv.mget", `{"values":[5]}`), `[{"values":["5"]}]`, fail},
		{"synap", said("kv.getrange", `{"values":[5]}`), `[{"values":["5"]}]`, fail},
		// 4: errors.
		{"resp3", refused("kv.ttl", `"Key not found: k"`), `[null,[7,0,0,"the key is missing","kv.ttl","resp3"]]`, pass},
		{"resp3", refused("kv.ttl", `"Key not found: k"`), `[null,[1,0,0,"the key is missing","kv.ttl","resp3"]]`, fail},
		{"http", refused("kv.ttl", `"Key not found: k"`), `[null,[7,404,0,"the key is missing","kv.ttl","http"]]`, fail},
		{"synap", refused("kv.get", `"Invalid request: Missing 'key' field"`), `[null,[1,0,0,"key must be a text","kv.get","synap"]]`, pass},
		{"synap", refused("kv.get", `"Invalid request: Missing 'key' field"`), `[null,[12,0,0,"key must be a text","kv.get","synap"]]`, fail},
		{"synap", refused("kv.get", `"Invalid request: Missing 'key' field"`), `[null,[1,0,2,"key must be a text","kv.get","synap"]]`, fail},
		{"http", refused("kv.get", `"Invalid request: Missing 'key' field"`), `[null,[1,400,0,"key must be a text","kv.get","http"]]`, fail},
		{"synap", refused("queue.ack", `"Queue not found: q"`), `[null,[7,0,0,"Queue not found: q","queue.ack","synap"]]`, pass},
		{"synap", refused("queue.ack", `"Queue not found: q"`), `[null,[7,404,0,"Queue not found: q","queue.ack",null]]`, pass},
		{"synap", refused("queue.ack", `"Queue not found: q"`), `[null,[7,400,0,"Queue not found: q","queue.ack","synap"]]`, fail},
		{"synap", refused("queue.ack", `"Queue not found: q"`), `[null,[7,0,0,"Queue not found: p","queue.ack","synap"]]`, fail},
		{"synap", refused("queue.ack", `"Queue not found: q"`), `[null,[7,0,0,"Queue not found: q","queue.ack","resp3"]]`, fail},
		{"synap", refused("stream.stats", `"Invalid request: Room 'r' not found"`), `[null,[7,0,0,"Room 'r' not found","stream.stats","synap"]]`, pass},
		{"synap", refused("stream.stats", `"Invalid request: Room 'r' not found"`), `[null,[7,0,0,"Room 's' not found","stream.stats","synap"]]`, fail},
		{"synap", refused("stream.stats", `"Invalid request: Room 'r' not found"`), `[{}]`, fail},
		{"synap", refused("script.eval", `{"$contains":["Internal error: ","NOPE"]}`), `[null,[12,0,0,"Internal error: NOPE","script.eval","synap"]]`, pass},
		{"synap", refused("script.eval", `{"$contains":["Internal error: ","NOPE"]}`), `[null,[12,0,0,"Internal error: X","script.eval","synap"]]`, fail},
	} {
		wire := c.wire
		answer := strings.NewReplacer("%s", strings.Split(c.steps, `"`)[3], "%w", wire).Replace(c.answer)
		t.Setenv(driverVariable, answer)
		dir := write(t, map[string]string{"http-a": file("http-command", `{"name":"a","steps":[`+c.steps+`]}`)})
		want := map[int]Result{pass: {Passed: 1}, fail: {Failed: 1}, none: {NoForm: 1}}[c.want]
		if result, lines := run(t, Options{Dir: dir, Role: "host", Driver: os.Args[0], Addr: wire + "://x:1"}); result != want {
			t.Errorf("%s over %s: %q", answer, wire, lines)
		}
	}
}

// A command without a form is left out of its case only if nothing rests on it.
func TestHostLeavesOutWhatOnlyReads(t *testing.T) {
	two := func(command string) string {
		return said(command, `{"a":1}`) + "," + refused("kv.ttl", `"Unknown command: x"`)
	}
	t.Setenv(driverVariable, `[null,[2,0,0,"no form","x",null]]`)
	for command, want := range map[string]string{"key.type": "none of its commands", "key.rename": "key.rename has no form over synap"} {
		dir := write(t, map[string]string{"http-a": file("http-command", `{"name":"a","steps":[`+two(command)+`]}`)})
		result, lines := run(t, Options{Dir: dir, Role: "host", Driver: os.Args[0], Addr: "synap://x:1", Verbose: true})
		if result != (Result{NoForm: 1}) || !strings.Contains(lines[2], want) {
			t.Errorf("%s: %+v %q", command, result, lines)
		}
		if line := lines[len(lines)-2]; !strings.HasPrefix(line, "commands without a form on this wire: "+command) {
			t.Errorf("%s: %q", command, line)
		}
	}
}

func TestCasesThatDifferNativelyAreNamed(t *testing.T) {
	nativeDiffers["resp3/test/differs"] = "it is a test"
	t.Cleanup(func() { delete(nativeDiffers, "resp3/test/differs") })
	t.Setenv(driverVariable, `["v"]`)
	for _, c := range []struct {
		wire, recorded string
		want           Result
	}{
		{"resp3", `"w"`, Result{NoForm: 1}},
		{"resp3", `"v"`, Result{Failed: 1}},
		{"synap", `"w"`, Result{Failed: 1}},
		{"memory", `"v"`, Result{Passed: 1}},
	} {
		dir := write(t, map[string]string{"http-a": file("http-command", `{"name":"test/differs","steps":[`+said("kv.get", c.recorded)+`]}`)})
		if result, lines := run(t, Options{Dir: dir, Role: "host", Driver: os.Args[0], Addr: c.wire + "://x:1"}); result != c.want {
			t.Errorf("%s over %s: %q", c.recorded, c.wire, lines)
		}
	}
}
