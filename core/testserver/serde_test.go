package testserver

import (
	"strconv"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// read reads a body and returns status and text of the refusal.
func read(s *shape, body string) (int, string) {
	d := decoder{p: value.Parser{S: body}}
	_, err := s.decode(&d, make([]value.Value, maxFields))
	if err == nil {
		err = d.p.End()
	}
	if err == nil {
		return 200, ""
	}
	return badBody(body, err)
}

// The texts are the server's own, positions included.
func TestBodyRefusals(t *testing.T) {
	publish := routeBody(t, "POST", "/stream/{room}/publish")
	unsubscribe := routeBody(t, "POST", "/pubsub/unsubscribe")
	key := routeBody(t, "POST", "/auth/keys")
	tests := []struct {
		shape  *shape
		body   string
		status int
		text   string // after the prefix that goes with the status
	}{
		{envelopeBody, `{"command":"kv.get","request_id":"1","payload":{}}`, 200, ""},
		{envelopeBody, ` [ "kv.get" , "1" , null ] `, 200, ""},
		{envelopeBody, `{"command":"a","request_id":"1","payload":{"k":1,"k":2}}`, 200, ""},
		{envelopeBody, `5`, 422, "invalid type: integer `5`, expected struct Request at line 1 column 1"},
		{envelopeBody, `null`, 422, "invalid type: null, expected struct Request at line 1 column 4"},
		{envelopeBody, `["kv.get","a"]`, 422, "invalid length 2, expected struct Request with 3 elements at line 1 column 14"},
		{envelopeBody, `["kv.get","a",1,2]`, 400, "trailing characters at line 1 column 17"},
		{envelopeBody, `{"command":"kv.get","command":"kv.get"}`, 422, "duplicate field `command` at line 1 column 29"},
		{envelopeBody, "{\"command\":\"kv.get\",\n\"request_id\":[]}", 422, "request_id: invalid type: sequence, expected a string at line 2 column 13"},
		{envelopeBody, `{"command":{}}`, 422, "command: invalid type: map, expected a string at line 1 column 11"},
		{envelopeBody, `{"command":"kv.get"}`, 422, "missing field `request_id` at line 1 column 20"},
		{envelopeBody, ``, 400, "EOF while parsing a value at line 1 column 0"},
		{envelopeBody, `{"comm`, 400, "EOF while parsing a string at line 1 column 6"},
		{envelopeBody, `{"command":"x","request_id":"1","payload":{}} x`, 400, "trailing characters at line 1 column 47"},
		{envelopeBody, `{"command":"x","request_id":"1","payload":1e400}`, 400, "number out of range at line 1 column 47"},
		// What is wrong first is told, also before a later syntax error.
		{envelopeBody, `{"command":5,"request_id":`, 422, "command: invalid type: integer `5`, expected a string at line 1 column 12"},

		{kvSetBody, `{"key":"k","value":null,"ttl":null,"expiry":null}`, 200, ""},
		{kvSetBody, `{"key":"k","value":1,"nx":null}`, 422, "nx: invalid type: null, expected a boolean at line 1 column 30"},
		{kvSetBody, `{"key":"k","value":1,"ttl":-1}`, 422, "ttl: invalid value: integer `-1`, expected u64 at line 1 column 29"},
		{kvSetBody, `{"key":"k","value":1,"ttl":1.5}`, 422, "ttl: invalid type: floating point `1.5`, expected u64 at line 1 column 30"},
		{kvSetBody, `{"key":"k","value":1,"ttl":true}`, 422, "ttl: invalid type: boolean `true`, expected u64 at line 1 column 31"},
		{kvSetBody, `{"key":"k","value":1,"expiry":{"Seconds":5}}`, 422, "expiry: missing field `type` at line 1 column 43"},
		{kvSetBody, `{"key":"k","value":1,"expiry":5}`, 422, "expiry: invalid type: integer `5`, expected adjacently tagged enum Expiry at line 1 column 31"},
		{kvSetBody, `{"key":"k","value":1,"expiry":{"type":"days","value":5}}`, 422, "expiry.type: unknown variant `days`, expected one of `seconds`, `milliseconds`, `unix_seconds`, `unix_milliseconds` at line 1 column 44"},
		{kvMSetNXBody, `{"pairs":[["a",1],{"key":"b","value":null}]}`, 200, ""},
		{kvMSetNXBody, `{"pairs":[["k99.z"]]}`, 422, "pairs[0]: data did not match any variant of untagged enum MSetNxPair at line 1 column 20"},
		{kvMSetNXBody, `{"pairs":[["a",1],{"key":"b"}]}`, 422, "pairs[1]: data did not match any variant of untagged enum MSetNxPair at line 1 column 30"},

		{queuePublishBody, `{"payload":[0,255]}`, 200, ""},
		{queuePublishBody, `{"payload":"text"}`, 422, "payload: invalid type: string \"text\", expected a sequence at line 1 column 17"},
		{queuePublishBody, `{"payload":[1,256]}`, 422, "payload[1]: invalid value: integer `256`, expected u8 at line 1 column 17"},
		{queuePublishBody, `{"payload":[1.5]}`, 422, "payload[0]: invalid type: floating point `1.5`, expected u8 at line 1 column 15"},
		{queuePublishBody, `{"payload":[1],"max_retries":4294967296}`, 422, "max_retries: invalid value: integer `4294967296`, expected u32 at line 1 column 39"},
		{queuePublishBody, `{"payload":[1,]}`, 400, "trailing comma at line 1 column 15"},
		{queuePublishBody, `{"payload":[1`, 400, "EOF while parsing a list at line 1 column 13"},

		{publish, `{"event":"e","data":null}`, 200, ""},
		{publish, `{"event":"e"}`, 422, "missing field `data` at line 1 column 13"},
		{unsubscribe, `{"subscriber_id":"s","topics":null}`, 200, ""},
		{unsubscribe, `{"subscriber_id":"s","topics":[1]}`, 422, "topics[0]: invalid type: integer `1`, expected a string at line 1 column 32"},
		{pubsubPublishBody, `{"payload":1,"data":2}`, 422, "duplicate field `payload` at line 1 column 19"},
		{pubsubPublishBody, `{"data":1,"metadata":{"k":1}}`, 422, "metadata.k: invalid type: integer `1`, expected a string at line 1 column 27"},

		{topicBody, `{"retention_policy":{"max_messages":1,"type":"Messages"}}`, 200, ""},
		{topicBody, `{"retention_policy":{"type":"Combined","max_bytes":null}}`, 200, ""},
		{topicBody, `{"retention_policy":{"type":"Infinite"}}`, 200, ""},
		{topicBody, `{"retention_policy":{"type":"messages","max_messages":1}}`, 422, "retention_policy.type: unknown variant `messages`, expected one of `Time`, `Size`, `Messages`, `Combined`, `Infinite` at line 1 column 38"},
		{topicBody, `{"retention_policy":{"type":"Time"}}`, 422, "retention_policy: missing field `retention_secs` at line 1 column 36"},
		{topicBody, `{"retention_policy":{"type":"Size","max_bytes":"1"}}`, 422, "retention_policy: invalid type: string \"1\", expected u64 at line 1 column 52"},
		{topicBody, `{"retention_policy":"Infinite"}`, 422, "retention_policy: invalid type: string \"Infinite\", expected internally tagged enum RetentionPolicyRequest at line 1 column 30"},
		{key, `{"name":"k","permissions":[{"resource":"x"}]}`, 422, "permissions[0]: missing field `action` at line 1 column 43"},
	}
	for _, test := range tests {
		want := test.text
		switch test.status {
		case 400:
			want = "Failed to parse the request body as JSON: " + want
		case 422:
			want = "Failed to deserialize the JSON body into the target type: " + want
		}
		status, text := read(test.shape, test.body)
		if status != test.status || text != want {
			t.Errorf("%s\n got %d %s\nwant %d %s", test.body, status, text, test.status, want)
		}
	}
}

// routeBody finds the body of a route by its method and path.
func routeBody(t *testing.T, method, path string) *shape {
	for _, family := range families {
		for i := range family {
			if family[i].method == method && family[i].path == path {
				return family[i].body
			}
		}
	}
	t.Fatalf("no route %s %s", method, path)
	return nil
}

// Nesting is limited as on the server: 100 levels pass, 130 do not.
func TestBodyDepth(t *testing.T) {
	for depth, want := range map[int]int{100: 200, 130: 400} {
		body := `{"command":"c","request_id":"r","payload":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}"
		if got, text := read(envelopeBody, body); got != want {
			t.Errorf("depth %d: %d %s, want %d", depth, got, text, want)
		}
	}
}

// No route may have more parameters or members than a request has room for.
func TestRoutesFit(t *testing.T) {
	for _, family := range families {
		for i := range family {
			r := &family[i]
			if len(r.params) > maxParams || (r.body != nil && len(r.body.fields) > maxFields) {
				t.Errorf("%s %s is too large", r.method, r.path)
			}
		}
	}
}

func TestContentTypes(t *testing.T) {
	for contentType, want := range map[string]bool{
		"application/json": true, "APPLICATION/JSON": true, "application/json; charset=utf-8": true, "application/vnd.x+json": true,
		"": false, "text/plain": false, "text/json": false, "application/jsonp": false, "application/+json": false, "application/": false, "json": false,
	} {
		if isJSON([]byte(contentType)) != want {
			t.Errorf("%q: %v, want %v", contentType, !want, want)
		}
	}
}

func TestPercentDecoding(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a%2Fb": "a/b", "%61": "a", "a+b": "a+b", "%zz": "%zz", "%": "%", "a%2": "a%2", "%c3%a9x%": "éx%", "%25%41": "%A", "%00": "\x00",
	} {
		if got := percentDecode([]byte(in)); got != want {
			t.Errorf("%s: %s, want %s", strconv.Quote(in), strconv.Quote(got), strconv.Quote(want))
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"gzip": true, "GZIP": true, "br, gzip": true, "deflate, gzip;q=0.5": true, "gzip; q=1.0": true, "x-gzip": true,
		"br, deflate": false, "identity": false, "gzip;q=0": false, "gzip; q=0.000, br": false, "gzipped": false,
	} {
		if acceptsGzip(accept) != want {
			t.Errorf("%q: %v, want %v", accept, !want, want)
		}
	}
}
