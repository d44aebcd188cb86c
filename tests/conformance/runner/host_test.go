package runner

import (
	"encoding/binary"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// driverVariable makes the test binary play a driver that answers every request
// with the MessagePack of this JSON text, or ends at once if it is "end".
const driverVariable = "CONFORMANCE_TEST_DRIVER"

func TestMain(m *testing.M) {
	if text := os.Getenv(driverVariable); text != "" {
		fakeDriver(text)
		return
	}
	os.Exit(m.Run())
}

func fakeDriver(text string) {
	reply, err := value.ParseJSON(text)
	for err == nil {
		var size [4]byte
		if _, err = io.ReadFull(os.Stdin, size[:]); err != nil {
			break
		}
		request := make([]byte, binary.LittleEndian.Uint32(size[:]))
		if _, err = io.ReadFull(os.Stdin, request); err != nil {
			break
		}
		answer := reply
		if strings.Contains(string(request[:6]), "open") {
			answer = value.Array(value.Nil)
		}
		frame := value.AppendMsgpack(make([]byte, 4), answer)
		binary.LittleEndian.PutUint32(frame, uint32(len(frame)-4))
		os.Stdout.Write(frame)
	}
}

func TestHostComparesReplies(t *testing.T) {
	const failing = `{"command":"queue.ack","payload":{"queue":"q","message_id":"m"},"reply":{"status":200,"body":{"success":false,"request_id":"r","payload":null,"error":"Queue not found: q"}}}`
	for _, c := range []struct {
		step, answer string
		passes       bool
	}{
		{get(`{"n":1,"id":{"$any":"uuid"}}`), `[{"n":1.0,"id":"00000000-0000-4000-8000-000000000001"}]`, true},
		{get(`{"n":1}`), `[{"n":2}]`, false},
		{get(`"1"`), `[1]`, false},
		{get(`null`), `[null]`, true},
		{get(`null`), `[]`, false},
		{get(`null`), `[null,null,null]`, false},
		{get(`null`), `null`, false},
		{get(`null`), `[null,[7,404,0,"Queue not found: q","kv.get","memory"]]`, false},
		{failing, `[null,[7,404,0,"Queue not found: q","queue.ack","memory"]]`, true},
		{failing, `[null,[7,404,0,"Queue not found: q","queue.ack",null]]`, true},
		{failing, `[null,[7,404,0,"Queue not found: x","queue.ack","memory"]]`, false},
		{failing, `[null,[7,400,0,"Queue not found: q","queue.ack","memory"]]`, false},
		{failing, `[null,[1,404,0,"Queue not found: q","queue.ack","memory"]]`, false},
		{failing, `[null,[7,404,2,"Queue not found: q","queue.ack","memory"]]`, false},
		{failing, `[null,[7,404,0,"Queue not found: q","queue.ack","http"]]`, false},
		{failing, `[null,[7,404,0,"Queue not found: q","queue.nack","memory"]]`, false},
		{failing, `[null,[7,404,0,"Queue not found: q"]]`, false},
		{failing, `[null]`, false},
		{failing, `end`, false},
	} {
		t.Setenv(driverVariable, c.answer)
		dir := write(t, map[string]string{"http-a": file("http-command", `{"name":"a","steps":[`+c.step+`]}`)})
		result, lines := run(t, Options{Dir: dir, Role: "host", Driver: os.Args[0]})
		if want := (Result{Passed: 1}); c.passes && result != want {
			t.Errorf("%s: %q", c.answer, lines)
		}
		if want := (Result{Failed: 1}); !c.passes && result != want {
			t.Errorf("%s: %q", c.answer, lines)
		}
	}
}

func TestHostForms(t *testing.T) {
	const begin = `{"command":"transaction.multi","payload":{%s},"reply":{"status":200,"body":{"success":true,"request_id":"r","payload":{"$any":"any"},"error":null}}}`
	t.Setenv(driverVariable, `[null]`)
	for name, c := range map[string]struct {
		step string
		form bool
	}{
		"command":                  {get(`null`), true},
		"REST":                     {`{"method":"GET","path":"/health","reply":{"status":200}}`, false},
		"headers":                  {strings.Replace(get(`null`), `{`, `{"headers":{"authorization":"Bearer x"},`, 1), false},
		"status":                   {`{"command":"kv.get","payload":{"key":"k"},"reply":{"status":401,"body":{"$empty":true}}}`, false},
		"transaction by client id": {strings.Replace(begin, "%s", `"client_id":"c"`, 1), true},
		"transaction by request":   {strings.Replace(begin, "%s", ``, 1), false},
	} {
		dir := write(t, map[string]string{"http-a": file("http-command", `{"name":"a","steps":[`+c.step+`]}`)})
		if result, lines := run(t, Options{Dir: dir, Role: "host", Driver: os.Args[0]}); (result.NoForm == 0) != c.form || result.Failed > 0 {
			t.Errorf("%s: %+v %q", name, result, lines)
		}
	}
}

// In WASM the embedded engine is built without some families. Where a server
// answers, that is no excuse.
func TestHostWithoutAFamily(t *testing.T) {
	const lacking = `[null,[2,0,0,"%s","kv.get",null]]`
	for _, c := range []struct {
		message, addr string
		want          Result
	}{
		{"Unknown command: kv.get (memory:// of the WASM module has the families key)", "", Result{NoForm: 1}},
		{"Unknown command: kv.get (memory:// of the WASM module has the families key)", "http://x:1", Result{Failed: 1}},
		{"Internal error: scripting is not part of this build", "", Result{NoForm: 1}},
		{"Internal error: scripting is not part of this build", "http://x:1", Result{Failed: 1}},
		{"Unknown command: kv.get", "", Result{Failed: 1}},
	} {
		t.Setenv(driverVariable, strings.Replace(lacking, "%s", c.message, 1))
		dir := write(t, map[string]string{"http-a": file("http-command", `{"name":"a","steps":[`+get(`"v"`)+`]}`)})
		if result, lines := run(t, Options{Dir: dir, Role: "host", Driver: os.Args[0], Addr: c.addr}); result != c.want {
			t.Errorf("%s at %q: %q", c.message, c.addr, lines)
		}
	}
}
