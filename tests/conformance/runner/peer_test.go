package runner

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
)

func TestPeerComparesRequests(t *testing.T) {
	right := func() *http.Request {
		r := httptest.NewRequest("POST", commandPath, strings.NewReader(`{"payload":{"n":1,"f":1.0},"command":"kv.set","request_id":"x1"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer k")
		return r
	}
	with := func(body string) *http.Request {
		r := httptest.NewRequest("POST", commandPath, strings.NewReader(body))
		r.Header = right().Header
		return r
	}
	for name, c := range map[string]struct {
		r  *http.Request
		ok bool
	}{
		"right":             {right(), true},
		"another method":    {func() *http.Request { r := right(); r.Method = "PUT"; return r }(), false},
		"another path":      {func() *http.Request { r := right(); r.RequestURI = "/kv/set"; return r }(), false},
		"no content type":   {func() *http.Request { r := right(); r.Header.Del("Content-Type"); return r }(), false},
		"gzip":              {func() *http.Request { r := right(); r.Header.Set("Content-Encoding", "gzip"); return r }(), false},
		"no credentials":    {func() *http.Request { r := right(); r.Header.Del("Authorization"); return r }(), false},
		"an integer as 1.0": {with(`{"payload":{"n":1.0,"f":1.0},"command":"kv.set","request_id":"x1"}`), false},
		"a double as 1":     {with(`{"payload":{"n":1,"f":1},"command":"kv.set","request_id":"x1"}`), false},
		"another command":   {with(`{"payload":{"n":1,"f":1.0},"command":"kv.get","request_id":"x1"}`), false},
		"a number as id":    {with(`{"payload":{"n":1,"f":1.0},"command":"kv.set","request_id":1}`), false},
		"no payload":        {with(`{"command":"kv.set","request_id":"x1"}`), false},
		"one member more":   {with(`{"payload":{"n":1,"f":1.0},"command":"kv.set","request_id":"x1","v":1}`), false},
		"a member twice":    {with(`{"payload":{"n":1,"f":1.0,"n":1},"command":"kv.set","request_id":"x1"}`), false},
		"no JSON":           {with(`{`), false},
	} {
		x := &exchange{command: "kv.set", payload: parse(t, `{"n":1,"f":1.0}`), authorization: "Bearer k"}
		id, wrong := x.compare(c.r)
		if (wrong == "") != c.ok || (c.ok && id != "x1") {
			t.Errorf("%s: id %q, wrong %q", name, id, wrong)
		}
	}
}

func TestClientErrors(t *testing.T) {
	full := func() *errs.Error {
		return &errs.Error{Code: errs.NotFound, Status: 404, Message: "Queue not found: q", Command: "queue.ack", Transport: "http"}
	}
	same := func(message string) string { return sameValue("Queue not found: q", message, true, "") }
	for name, c := range map[string]struct {
		change func(e *errs.Error) error
		ok     bool
	}{
		"right":             {func(e *errs.Error) error { return e }, true},
		"no error":          {func(e *errs.Error) error { return nil }, false},
		"another type":      {func(e *errs.Error) error { return errors.New(e.Message) }, false},
		"another message":   {func(e *errs.Error) error { e.Message += "x"; return e }, false},
		"another status":    {func(e *errs.Error) error { e.Status = 400; return e }, false},
		"another code":      {func(e *errs.Error) error { e.Code = errs.Server; return e }, false},
		"another command":   {func(e *errs.Error) error { e.Command = ""; return e }, false},
		"another transport": {func(e *errs.Error) error { e.Transport = "memory"; return e }, false},
		"maybe applied":     {func(e *errs.Error) error { e.MaybeApplied = true; return e }, false},
	} {
		if d := checkError(c.change(full()), "queue.ack", "http", same); (d == "") != c.ok {
			t.Errorf("%s: %q", name, d)
		}
	}
	for _, c := range []struct {
		code        errs.Code
		got, status int
		ok          bool
	}{
		{errs.Unauthenticated, 401, 401, true}, {errs.PermissionDenied, 401, 401, false}, {errs.Unauthenticated, 403, 401, false},
		{errs.PermissionDenied, 403, 403, true}, {errs.TooLarge, 413, 413, true}, {errs.InvalidArgument, 413, 413, false},
		{errs.InvalidArgument, 422, 422, true}, {errs.Protocol, 415, 415, true},
	} {
		e := &errs.Error{Code: c.code, Status: c.got, Message: "m", Command: "kv.get", Transport: "http"}
		if d := checkStatus(e, "kv.get", "http", c.status); (d == "") != c.ok {
			t.Errorf("%v with status %d for %d: %q", c.code, c.got, c.status, d)
		}
	}
}

func TestUpgradeIsCompared(t *testing.T) {
	sub, ok, err := subscriptionOf(Bindings{"KEY": "sk_1"}, &Step{Open: "/pubsub/ws?topics=a.*,b.%23&api_key=${KEY}"})
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	for target, ok := range map[string]bool{
		"/pubsub/ws?topics=a.*,b.%23":              true,
		"/pubsub/ws?topics=a.%2A,b.%23":            true,
		"/pubsub/ws?topics=a.*,b.#":                false,
		"/pubsub/ws?topics=b.%23,a.*":              false,
		"/pubsub/ws?topics=a.*":                    false,
		"/pubsub/ws?topics=a.*,b.%23&x=1":          false,
		"/kv/ws?keys=a.*,b.%23":                    false,
		"/pubsub/ws?api_key=sk_1&topics=a.*,b.%23": false,
	} {
		r := &http.Request{RequestURI: target, Header: http.Header{"Authorization": {"Bearer sk_1"}}}
		if d := sub.compare(r); (d == "") != ok {
			t.Errorf("%s: %q", target, d)
		}
		r.Header.Del("Authorization")
		if sub.compare(r) == "" {
			t.Errorf("%s without credentials is accepted", target)
		}
	}
	for _, open := range []string{"/queue/q/ws/c", "/stream/r/ws/s", "/kv/ws?keys=a&mode=notify"} {
		if _, ok, _ := subscriptionOf(Bindings{}, &Step{Open: open}); ok {
			t.Errorf("%s has a form", open)
		}
	}
}

func TestRecordOfAFrame(t *testing.T) {
	watch, subscribe := command.Lookup("kv.watch"), command.Lookup("pubsub.subscribe")
	frame := func(payload string) map[string]any {
		return parse(t, `{"type":"message","message_id":"m","topic":"t","payload":`+payload+`,"metadata":null,"timestamp":5}`).(map[string]any)
	}
	for _, c := range []struct {
		cmd           *command.Command
		payload, want string
	}{
		{subscribe, `{"x":1}`, `["t",{"x":1},"m",5,{},0]`},
		{watch, `{"key":"k","event":"set","version":2,"value":"v"}`, `["k","set","v",2,false,0]`},
		{watch, `{"key":"k","event":"set","version":2,"truncated":true}`, `["k","set",null,2,true,0]`},
		{watch, `{"forged":true}`, ``},
	} {
		item, isItem, d := record(c.cmd, frame(c.payload))
		if d != "" || isItem != (c.want != "") || (isItem && writeJSON(item) != c.want) {
			t.Errorf("%s %s: %s %v %q", c.cmd.Name, c.payload, writeJSON(item), isItem, d)
		}
	}
}
