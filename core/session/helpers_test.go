package session

import (
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// start is the virtual time at which the calls of these tests begin.
const start = int64(1_000_000_000_000)

const second = int64(time.Second)

// steady returns a Policy whose waits are all as long as they can be.
func steady(retries int) *Policy {
	return &Policy{DefaultTimeout: 5 * time.Second, MaxRetries: retries, Backoff: 50 * time.Millisecond, Rand: func() uint64 { return 1<<64 - 1 }}
}

func lookup(t *testing.T, name string) *command.Command {
	t.Helper()
	cmd := command.Lookup(name)
	if cmd == nil {
		t.Fatalf("no command %s", name)
	}
	return cmd
}

// begin starts a typed call over HTTP with five seconds to live.
func begin(t *testing.T, p *Policy, name string, args ...value.Value) *Call {
	t.Helper()
	c := &Call{}
	c.Start(p, HTTP, lookup(t, name), args, start+5*second)
	return c
}

func str(s string) value.Value { return value.Str(s) }

func strs(list ...string) value.Value {
	items := make([]value.Value, len(list))
	for i, s := range list {
		items[i] = value.Str(s)
	}
	return value.Array(items...)
}

func pairs(kv ...string) value.Value {
	var items []value.Value
	for i := 0; i < len(kv); i += 2 {
		items = append(items, value.Array(value.Str(kv[i]), value.TextOrBytes(kv[i+1])))
	}
	return value.Array(items...)
}

// js parses JSON, for replies and what is expected.
func js(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.ParseJSON(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// sent is a step as the tests write it: command, or method and path, and payload.
func sent(s Step) string {
	b, err := value.AppendJSON(nil, s.Payload)
	if err != nil {
		return s.Command + " " + err.Error()
	}
	if s.Method != "" {
		return s.Method + " " + s.Path + " " + string(b)
	}
	return s.Command + " " + string(b)
}

func connection() *errs.Error { return errs.New(errs.Connection, "the connection broke") }

// result fails the test unless the call succeeded.
func result(t *testing.T, c *Call) value.Value {
	t.Helper()
	if !c.Done() {
		t.Fatal("the call is not done")
	}
	v, err := c.Result()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// failure fails the test unless the call failed with the code.
func failure(t *testing.T, c *Call, code errs.Code) *errs.Error {
	t.Helper()
	if !c.Done() {
		t.Fatal("the call is not done")
	}
	v, err := c.Result()
	if err == nil {
		t.Fatalf("succeeded with %s", v.Kind())
	}
	if err.Code != code {
		t.Fatalf("%v, want %v", err, code)
	}
	if err.Command == "" {
		t.Errorf("%v names no command", err)
	}
	return err
}
