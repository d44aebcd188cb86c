package envelope

import (
	"math"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func TestRequestBytes(t *testing.T) {
	s := value.Str
	for _, c := range []struct {
		command, id string
		payload     value.Value
		want        string
	}{
		{"kv.get", "1", value.Map(s("key"), s("a")), `{"command":"kv.get","request_id":"1","payload":{"key":"a"}}`},
		{"kv.keys", "zz", value.Nil, `{"command":"kv.keys","request_id":"zz","payload":null}`},
		{"kv.set", "2", value.Map(s("key"), s("é\n\"\x00"), s("value"), value.BytesOf("text")), `{"command":"kv.set","request_id":"2","payload":{"key":"é\n\"\u0000","value":"text"}}`},
		{"queue.publish", "3", value.Map(s("queue"), s("q"), s("payload"), value.ByteArray("\x00\x7f\xff")), `{"command":"queue.publish","request_id":"3","payload":{"queue":"q","payload":[0,127,255]}}`},
		{"stream.publish", "4", value.Map(s("data"), value.Array(value.Float(1), value.Int(math.MaxInt64), value.Uint(math.MaxUint64), value.Bool(true))),
			`{"command":"stream.publish","request_id":"4","payload":{"data":[1.0,9223372036854775807,18446744073709551615,true]}}`},
		{"odd\"name", "5", value.Array(), `{"command":"odd\"name","request_id":"5","payload":[]}`},
	} {
		got, err := AppendCommand([]byte("before"), c.command, c.id, c.payload)
		if err != nil || string(got) != "before"+c.want {
			t.Errorf("%s, not %s (%v)", got, c.want, err)
		}
	}
	if got, err := AppendBody(nil, value.Map(s("value"), s("x"))); err != nil || string(got) != `{"value":"x"}` {
		t.Errorf("%s %v", got, err)
	}
}

func TestWhatHTTPCannotCarryIsNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		payload value.Value
		says    string
	}{
		"bytes":      {value.Map(value.Str("value"), value.BytesOf("\xde\xad\xbe\xef")), "synap://"},
		"NaN":        {value.Map(value.Str("value"), value.Float(math.NaN())), "NaN"},
		"an int key": {value.Map(value.Int(1), value.Nil), "text keys"},
	} {
		_, err := AppendCommand(nil, "kv.set", "1", c.payload)
		_, rest := AppendBody(nil, c.payload)
		for _, err := range []*errs.Error{err, rest} {
			if err == nil || err.Code != errs.InvalidArgument || !strings.Contains(err.Message, c.says) || err.MaybeApplied {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := AppendCommand(nil, "\xff", "1", value.Nil); err == nil || err.Code != errs.InvalidArgument {
		t.Errorf("a name that is no text: %v", err)
	}
}

// The server reads 2,097,152 bytes and answers 413 for one more (protocol:
// http-data 1).
func TestBodiesOverTheServersLimitAreNotSent(t *testing.T) {
	const frame = len(`{"command":"kv.set","request_id":"1","payload":""}`)
	fits := value.Str(strings.Repeat("x", MaxBody-frame))
	if b, err := AppendCommand([]byte("what stood there before does not count"), "kv.set", "1", fits); err != nil {
		t.Errorf("%d bytes: %v", len(b), err)
	}
	over := value.Str(strings.Repeat("x", MaxBody-frame+1))
	_, err := AppendCommand(nil, "kv.set", "1", over)
	if err == nil || err.Code != errs.TooLarge || !strings.Contains(err.Message, "2097153 bytes") || !strings.Contains(err.Message, "2097152") || err.MaybeApplied {
		t.Errorf("%v", err)
	}
	if _, err := AppendBody(nil, value.Str(strings.Repeat("x", MaxBody-2))); err != nil {
		t.Error(err)
	}
	if _, err := AppendBody(nil, value.Str(strings.Repeat("x", MaxBody-1))); err == nil || err.Code != errs.TooLarge {
		t.Error(err)
	}
	// Escapes count as they travel.
	if _, err := AppendBody(nil, value.Str(strings.Repeat("\x01", MaxBody/6+1))); err == nil || err.Code != errs.TooLarge {
		t.Error(err)
	}
}

func TestPathSegments(t *testing.T) {
	for in, want := range map[string]string{
		"key": "key", "a/b": "a%2Fb", "100%": "100%25", "a b": "a%20b", "a+b": "a%2Bb", "?#&=": "%3F%23%26%3D", "é": "%C3%A9", "\x00": "%00",
		".": "%2E", "..": "%2E%2E", "...": "...", "a.b-c_d~e": "a.b-c_d~e", "a:b": "a%3Ab", "getall": "getall",
	} {
		if got := string(AppendPathSegment([]byte("/"), in)); got != "/"+want {
			t.Errorf("%q is %s, not %s", in, got, want)
		}
	}
}

func TestRepliesOfTheEnvelope(t *testing.T) {
	for body, want := range map[string]value.Value{
		`{"success":true,"request_id":"7","payload":null,"error":null}`:                              value.Nil,
		`{"success":true,"request_id":"7","payload":"x","error":null}`:                               value.Str("x"),
		` {"error":null,"extra":[{}],"payload":{"a":[1,2]},"request_id":"7","success":true} ` + "\n": value.Map(value.Str("a"), value.ByteArray("\x01\x02")),
		`{"success":true,"request_id":"7","payload":false}`:                                          value.Bool(false),
	} {
		if got, err := ParseCommand(200, body, "7"); err != nil || !value.Equal(got, want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	_, err := ParseCommand(200, `{"success":false,"request_id":"7","payload":null,"error":"Queue not found: jobs"}`, "7")
	if err == nil || err.Code != errs.NotFound || err.Status != 404 || err.Message != "Queue not found: jobs" || err.MaybeApplied {
		t.Errorf("%v", err)
	}
}

// What is no Synap envelope is an error, and nobody knows what became of the
// command.
func TestRepliesThatAreNoEnvelope(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": "", "text": "OK", "HTML": "<html><body>It works!</body></html>", "an array": `[{"success":true,"request_id":"7","payload":1}]`,
		"a text": `"success"`, "null": "null", "a number": "1",
		"another request":               `{"success":true,"request_id":"8","payload":1,"error":null}`,
		"no request id":                 `{"success":true,"payload":1,"error":null}`,
		"a request id that is a number": `{"success":true,"request_id":7,"payload":1,"error":null}`,
		"a failure of another request":  `{"success":false,"request_id":"8","payload":null,"error":"Not found"}`,
		"no success":                    `{"request_id":"7","payload":1,"error":null}`,
		"success as text":               `{"success":"true","request_id":"7","payload":1,"error":null}`,
		"no payload":                    `{"success":true,"request_id":"7","error":null}`,
		"a failure without text":        `{"success":false,"request_id":"7","payload":null,"error":null}`,
		"a failure with an object":      `{"success":false,"request_id":"7","payload":null,"error":{"message":"x"}}`,
		"two values":                    `{"success":true,"request_id":"7","payload":1,"error":null}{}`,
		"bad UTF-8":                     "{\"success\":true,\"request_id\":\"7\",\"payload\":\"\xff\",\"error\":null}",
		"nested beyond any bound":       `{"success":true,"request_id":"7","payload":` + strings.Repeat("[", 10_000),
		"another program's JSON":        `{"status":"ok"}`,
	} {
		v, err := ParseCommand(200, body, "7")
		if err == nil || err.Code != errs.Protocol || !err.MaybeApplied || err.Retryable || !v.IsNil() {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := `{"success":true,"request_id":"7","payload":{"a":"b\u00e9"},"error":null}`
	for n := range whole {
		if _, err := ParseCommand(200, whole[:n], "7"); err == nil || err.Code != errs.Protocol {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
}

func TestStatusesOtherThan200(t *testing.T) {
	const (
		text = "Failed to parse the request body as JSON: expected value at line 1 column 1"
		page = "<html><head><title>502 Bad Gateway</title></head></html>"
		json = `{"code":%d,"error":"Internal error: boom"}`
	)
	type meaning struct {
		code             errs.Code
		retryable, maybe bool
	}
	for status, want := range map[int]meaning{
		400: {errs.InvalidArgument, false, false},
		401: {errs.Unauthenticated, false, false},
		403: {errs.PermissionDenied, false, false},
		404: {errs.Protocol, false, false},
		405: {errs.Protocol, false, false},
		413: {errs.TooLarge, false, false},
		415: {errs.Protocol, false, false},
		422: {errs.InvalidArgument, false, false},
		429: {errs.ResourceExhausted, true, false},
		500: {errs.Server, false, true},
		501: {errs.Server, false, true},
		502: {errs.Server, true, true},
		503: {errs.Server, true, true},
		504: {errs.Server, true, true},
		507: {errs.ResourceExhausted, true, false},
		// What no Synap server sends.
		204: {errs.Protocol, false, true}, 301: {errs.Protocol, false, true}, 302: {errs.Protocol, false, true}, 418: {errs.Protocol, false, true}, 599: {errs.Server, false, true},
	} {
		for _, body := range []string{"", text, page, json, `{"error":5}`, "[]", "null", `{"truncated":`} {
			for _, parse := range []func() (value.Value, *errs.Error){
				func() (value.Value, *errs.Error) { return ParseCommand(status, body, "7") },
				func() (value.Value, *errs.Error) { return ParseREST(status, body) },
			} {
				v, err := parse()
				if err == nil || err.Code != want.code || err.Retryable != want.retryable || err.MaybeApplied != want.maybe || err.Status != status || !v.IsNil() {
					t.Errorf("%d with %q: %+v", status, body, err)
				}
				if err == nil {
					continue
				}
				if err.Message == "" || strings.Contains(err.Message, "<") || strings.Contains(err.Message, "{") {
					t.Errorf("%d with %q says %q", status, body, err.Message)
				}
				if body == text && err.Message != text {
					t.Errorf("%d hides the server's text behind %q", status, err.Message)
				}
			}
		}
	}
}

// The REST routes say in JSON what the envelope says in its error member.
func TestJSONBodiesOfFailuresNameTheError(t *testing.T) {
	for body, want := range map[string]errs.Code{
		`{"code":404,"error":"Queue not found: q"}`:                                   errs.NotFound,
		`{"code":400,"error":"Invalid value: Value is not a valid integer"}`:          errs.InvalidArgument,
		`{"code":507,"error":"Queue is full: q"}`:                                     errs.ResourceExhausted,
		`{"code":403,"error":"Forbidden: Insufficient permissions for resource: kv"}`: errs.PermissionDenied,
	} {
		_, err := ParseREST(404, body)
		if err == nil || err.Code != want || err.Status != 404 || !strings.Contains(body, err.Message) || err.MaybeApplied {
			t.Errorf("%s: %v", body, err)
		}
	}
	_, err := ParseCommand(500, `{"code":500,"error":"Internal error: boom"}`, "7")
	if err == nil || err.Message != "Internal error: boom" || !err.MaybeApplied {
		t.Errorf("%v", err)
	}
}

func TestLongBodiesAreClipped(t *testing.T) {
	_, err := ParseCommand(500, strings.Repeat("é", 1000), "7")
	if err == nil || len(err.Message) > 320 || !strings.HasSuffix(err.Message, "…") {
		t.Errorf("%d bytes: %.40s", len(err.Message), err.Message)
	}
	if _, err := ParseCommand(400, "bad \xff text", "7"); err == nil || err.Message != "bad \uFFFD text" {
		t.Errorf("%q", err.Message)
	}
}

func TestRepliesOfREST(t *testing.T) {
	for body, want := range map[string]value.Value{
		`{"length":5}`: value.Map(value.Str("length"), value.Int(5)), `"old"`: value.Str("old"), "null": value.Nil, `[1]`: value.ByteArray("\x01"),
		// A record that has a member called error among others is no failure.
		`{"error":"x","length":1}`: value.Map(value.Str("error"), value.Str("x"), value.Str("length"), value.Int(1)),
		`{"error":null}`:           value.Map(value.Str("error"), value.Nil),
	} {
		if got, err := ParseREST(200, body); err != nil || !value.Equal(got, want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, body := range []string{"", "OK", "<html>", `{"length":`, "1 2"} {
		if _, err := ParseREST(200, body); err == nil || err.Code != errs.Protocol || !err.MaybeApplied {
			t.Errorf("%q: %v", body, err)
		}
	}
	// Quirk: some routes report a failure with status 200 (protocol: http-messaging 1).
	if _, err := ParseREST(200, `{"error":"Topic not found"}`); err == nil || err.Code != errs.NotFound || err.Message != "Topic not found" {
		t.Errorf("%v", err)
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{
		`{"success":true,"request_id":"7","payload":{"a":[1,2]},"error":null}`, `{"success":false,"request_id":"7","payload":null,"error":"Not found"}`,
		`[]`, ``, `{"success":true,"success":false,"request_id":"7","payload":1}`, `{"success":true,"request_id":"7","payload":"\ud83d\ude00"} `, "<html>",
	} {
		f.Add(200, s)
		f.Add(503, s)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		v, err := ParseCommand(status, body, "7")
		if err != nil {
			if !v.IsNil() || err.Message == "" || err.Code == 0 || !strings.Contains(err.Error(), err.Code.String()) {
				t.Fatalf("%d %q: %v", status, body, err)
			}
			return
		}
		if status != 200 {
			t.Fatalf("status %d is a success", status)
		}
		// What it answers is what the body holds for the same request.
		whole, bad := value.ParseJSON(body)
		if bad != nil || !value.Equal(whole.Field("payload"), v) || !value.Equal(whole.Field("request_id"), value.Str("7")) || !value.Equal(whole.Field("success"), value.Bool(true)) {
			t.Fatalf("%q is not the success that was read from it: %v", body, bad)
		}
	})
}
