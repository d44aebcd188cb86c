package testserver

import "testing"

// restStep is a request and what is answered to it.
type restStep struct {
	method, path, body string
	status             int
	want               string
}

func play(t *testing.T, s *Server, steps []restStep) {
	t.Helper()
	for i, x := range steps {
		resp, got := ask(t, s, x.method, x.path, x.body)
		if resp.StatusCode != x.status || got != x.want {
			t.Fatalf("step %d, %s %s %s: %d %s, want %d %s", i, x.method, x.path, x.body, resp.StatusCode, got, x.status, x.want)
		}
	}
}

const unreadable = "Failed to deserialize the JSON body into the target type: "

// TestHashRoutes: fields may be called anything that a path can hold, and bodies
// are of one of two forms.
func TestHashRoutes(t *testing.T) {
	play(t, start(t, Config{}), []restStep{
		{"POST", "/hash/a%2Fb/set", `{"field":"len","value":"x"}`, 200, `{"created":true,"key":"a/b","field":"len"}`},
		{"GET", "/hash/a%2Fb/len", "", 200, `{"length":1}`},
		{"GET", "/hash/a%2Fb/l%65n", "", 200, `"x"`},
		{"GET", "/hash/a%2Fb/len/exists", "", 200, `{"exists":true}`},
		{"POST", "/hash/h/mset", `[]`, 200, `{"success":true,"key":"h"}`},
		{"GET", "/key/h/exists", "", 200, `{"key":"h","exists":false}`},
		{"POST", "/hash/h/mset", `5`, 422, unreadable + "data did not match any variant of untagged enum HashMSetRequest"},
		{"POST", "/hash/h/mset", `{"fields":[]}`, 422, unreadable + "data did not match any variant of untagged enum HashMSetRequest"},
		{"POST", "/hash/h/mset", `[{"field":"a","value":1},{"field":"a","value":"2"}]`, 200, `{"success":true,"key":"h"}`},
		{"POST", "/hash/h/mget", `{"fields":["a"]}`, 200, `["2"]`},
		{"POST", "/hash/h/incrby", `{"field":"n","increment":-9223372036854775808}`, 200, `{"value":-9223372036854775808}`},
		{"POST", "/hash/h/incrby", `{"field":"n","increment":9223372036854775808}`, 422,
			unreadable + "increment: invalid value: integer `9223372036854775808`, expected i64 at line 1 column 44"},
		{"POST", "/hash/h/incrbyfloat", `{"field":"f","increment":"1"}`, 422, unreadable + `increment: invalid type: string "1", expected f64 at line 1 column 28`},
	})
}

func TestListRoutes(t *testing.T) {
	play(t, start(t, Config{}), []restStep{
		{"POST", "/list/l/rpush", `{"values":[1,"1",null]}`, 200, `{"length":3,"key":"l"}`},
		{"GET", "/list/l/range?start=-2&stop=x", "", 200, `{"values":["1",null],"key":"l"}`},
		{"GET", "/list/l/index/-9223372036854775808", "", 200, `{"value":1,"key":"l","index":-9223372036854775808}`},
		{"GET", "/list/l/index/9223372036854775808", "", 400, "Invalid URL: Cannot parse value at index 1 with value `9223372036854775808` to a `i64`"},
		{"POST", "/list/l/lpop", `{"count":null}`, 200, `{"values":[1],"key":"l"}`},
		{"POST", "/list/empty/rpush", `{"values":[]}`, 200, `{"length":0,"key":"empty"}`},
		{"GET", "/list/empty/len", "", 200, `{"length":0,"key":"empty"}`},
		{"GET", "/list/none/len", "", 404, `{"code":404,"error":"Not found"}`},
	})
}

// TestTransactionRoutes: all callers of the routes share one transaction, which
// the routes' own writes neither enter nor disturb.
func TestTransactionRoutes(t *testing.T) {
	envelope := func(command, payload string) string {
		return `{"command":"` + command + `","request_id":"q","payload":` + payload + `}`
	}
	const path = "/api/v1/command"
	play(t, start(t, Config{}), []restStep{
		{"POST", "/transaction/watch", `{"keys":["k"]}`, 200, `{"success":true,"message":"Keys watched"}`},
		{"POST", "/kv/set", `{"key":"k","value":"v","client_id":"rest_client"}`, 200, `{"success":true,"key":"k","written":true}`},
		{"POST", "/hash/k/set", `{"field":"f","value":1}`, 200, `{"created":true,"key":"k","field":"f"}`},
		{"POST", path, envelope("hash.incrby", `{"key":"k","field":"f","increment":1,"client_id":"rest_client"}`), 200,
			`{"success":true,"request_id":"q","payload":{"success":true,"queued":true},"error":null}`},
		{"POST", "/transaction/exec", "", 200, `{"results":[{"value":2}]}`},
		{"POST", "/transaction/multi", "", 200, `{"success":true,"message":"Transaction started"}`},
		{"POST", "/transaction/watch", `{"keys":[5]}`, 422, unreadable + "keys[0]: invalid type: integer `5`, expected a string at line 1 column 10"},
		{"POST", path, envelope("list.lpop", `{"key":"none","count":1,"client_id":"rest_client"}`), 200,
			`{"success":true,"request_id":"q","payload":{"success":true,"queued":true},"error":null}`},
		{"POST", "/transaction/exec", "", 404, `{"code":404,"error":"Not found"}`},
	})
}

func TestScriptRoutes(t *testing.T) {
	s := start(t, Config{})
	if resp, body := ask(t, s, "POST", "/script/eval", `{"script":"return redis.call('nope')"}`); resp.StatusCode != 500 {
		t.Errorf("a failing redis.call: %d %s", resp.StatusCode, body)
	}
	if resp, body := ask(t, s, "POST", "/script/eval", `{"script":"return KEYS","keys":null}`); resp.StatusCode != 422 {
		t.Errorf("null for the keys: %d %s", resp.StatusCode, body)
	}
}
