package runner

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// reply is the MessagePack of [id, result].
func reply(t *testing.T, id, result string) value.Value {
	t.Helper()
	v, err := value.ParseJSON("[" + id + "," + result + "]")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCodecsAreCompared(t *testing.T) {
	const ping = `"send":["PING"],"send_raw":"*1\r\n$4\r\nPING\r\n"`
	for name, c := range map[string]struct {
		steps string
		want  Result
	}{
		"right":           {`{` + ping + `,"recv":{"simple":"PONG"},"recv_raw":"+PONG\r\n"}`, Result{Passed: 1}},
		"another request": {`{"send":["PONG"],"send_raw":"*1\r\n$4\r\nPING\r\n"}`, Result{Failed: 1}},
		"another reply":   {`{` + ping + `,"recv":{"simple":"PONG"},"recv_raw":"+PANG\r\n"}`, Result{Failed: 1}},
		"text for number": {`{` + ping + `,"recv":{"int":1},"recv_raw":"+1\r\n"}`, Result{Failed: 1}},
		"error for text":  {`{` + ping + `,"recv":{"simple":"ERR"},"recv_raw":"-ERR\r\n"}`, Result{Failed: 1}},
		"two replies":     {`{` + ping + `,"recv":{"simple":"PONG"},"recv_raw":"+PONG\r\n+PONG\r\n"}`, Result{Failed: 1}},
		"half a reply":    {`{` + ping + `,"recv":{"bulk":"ab"},"recv_raw":"$2\r\nab"}`, Result{Failed: 1}},
		"raw bytes":       {`{"note":"x","send_raw":"PING\r\n"},{"expect":"closed"}`, Result{NoForm: 1}},
		"raw with reply":  {`{"note":"x","send_raw":"PING\r\n","recv":{"simple":"PONG"},"recv_raw":"+PANG\r\n"}`, Result{Failed: 1}},
		"reference": {`{` + ping + `,"recv":{"bulk":{"$bind":"u"}},"recv_raw":"$1\r\nx\r\n","volatile":true},
			{"send":["GET",{"$ref":"u"}],"send_raw":"*2\r\n$3\r\nGET\r\n$1\r\nx\r\n","send_volatile":true}`, Result{Passed: 1}},
		"time":      {`{` + ping + `,"recv":{"int":{"$any":"timestamp_s"}},"recv_raw":":5\r\n","volatile":true}`, Result{Passed: 1}},
		"left step": {`{` + ping + `},{"expect":"silence","ms":1}`, Result{Passed: 1}},
	} {
		dir := write(t, map[string]string{"resp3-a": file("resp3", `{"name":"a","steps":[`+c.steps+`]}`)})
		if result, lines := run(t, Options{Dir: dir, Role: "client"}); result != c.want {
			t.Errorf("%s: %+v %q", name, result, lines)
		}
	}
}

// Every kind of value goes through our codec and back as the notation has it.
func TestCodecKnowsEveryKind(t *testing.T) {
	const values = `[null,"Null",{"Bool":true},{"Int":-5},{"Float":1.5},{"Float":{"$float":"-inf"}},{"Bytes":{"$hex":"00ff"}},{"Str":"é"},` +
		`{"Array":["Null",{"Int":1}]},{"Map":[[{"Str":"k"},{"Float":2}],[{"Int":1},"Null"]]}]`
	list := plain(parse(t, values)).([]any)[1:]
	request := map[string]any{"id": parse(t, "7"), "command": "X", "args": list}
	want, err := rpcRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := (rpcCodec{}).request(request); err != nil || string(got) != string(want) {
		t.Errorf("made %x, want %x, %v", got, want, err)
	}
	for _, v := range list {
		tagged, err := rpcTagged(v)
		if err != nil {
			t.Fatal(err)
		}
		frame := rpcFrame(value.Array(value.Int(7), value.Map(value.Str("Ok"), tagged)))
		ours, err := (rpcCodec{}).reply(frame)
		if err != nil {
			t.Fatal(err)
		}
		own, err := rpcReply(frame)
		if err != nil {
			t.Fatal(err)
		}
		if want := writeJSON(map[string]any{"id": parse(t, "7"), "result": one("Ok", v)}); writeJSON(ours) != want || writeJSON(own) != want {
			t.Errorf("of %s our codec makes %s, the runner %s", want, writeJSON(ours), writeJSON(own))
		}
	}
}

func TestOnlyWhatAServerEmitsIsRead(t *testing.T) {
	for name, text := range map[string]string{
		"a long integer":   "92d0014281a24f6ba44e756c6c",
		"three members":    "930181a24f6ba44e756c6c01",
		"a bare value":     "920181a24f6ba27878",
		"an unknown tag":   "920181a24f6b81a3466f6f01",
		"another result":   "920181a24f4ba44e756c6c",
		"text in Int":      "920181a24f6b81a3496e74a131",
		"bytes after it":   "920181a24f6ba44e756c6c00",
		"half":             "920181a24f6ba44e75",
		"an error as Null": "920181a3457272c0",
	} {
		body, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := rpcReply(append([]byte{byte(len(body)), 0, 0, 0}, body...)); err == nil {
			t.Errorf("%s reads as %s", name, writeJSON(v))
		}
	}
	for _, text := range []string{"", "\r\n", "x\r\n", ":\r\n", ":01\r\n", "$-1\r\n", "*-1\r\n", "$1\r\nab\r\n", "$02\r\nab\r\n", "_x\r\n", "#x\r\n", "+a\r\nb", "~0\r\n", "*1\r\n"} {
		if v, err := respReply([]byte(text)); err == nil {
			t.Errorf("%q reads as %s", text, writeJSON(v))
		}
	}
	for text, want := range map[string]string{
		"*2\r\n,inf\r\n#t\r\n":    `{"array":[{"double":{"float":"inf"}},{"bool":true}]}`,
		"%1\r\n+a\r\n*1\r\n_\r\n": `{"map":[[{"simple":"a"},{"array":[{"null":true}]}]]}`,
		"$2\r\n\r\n\r\n":          `{"bulk":"\r\n"}`,
		"$1\r\n\xff\r\n":          `{"bulk":{"hex":"ff"}}`,
		">1\r\n:-5\r\n":           `{"push":[{"int":-5}]}`,
	} {
		if v, err := respReply([]byte(text)); err != nil || writeJSON(v) != want {
			t.Errorf("%q: %s, %v", text, writeJSON(v), err)
		}
	}
}

func TestShowIsReadable(t *testing.T) {
	resp, rpc := nativeWires["resp3"], nativeWires["synaprpc"]
	frame, _ := hex.DecodeString("0b000000920181a24f6ba44e756c6c")
	for got, parts := range map[string][]string{
		resp.differ([]byte("+OK\r\n"), []byte("+NO\r\n")): {"from 1 on", `{"simple":"OK"} as "+OK\r\n"`, `{"simple":"NO"} as "+NO\r\n"`},
		rpc.differ(frame, frame[:7]):                      {"from 7 on", `{"id":1,"result":{"Ok":"Null"}} as 0b0000`, "got      0b000000920181"},
	} {
		for _, part := range parts {
			if !strings.Contains(got, part) {
				t.Errorf("%q lacks %q", got, part)
			}
		}
	}
}
