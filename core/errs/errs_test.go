package errs

import (
	"errors"
	"fmt"
	"net"
	"testing"
)

// The numbers are part of the C ABI: they never change meaning.
func TestCodesKeepTheirNumbers(t *testing.T) {
	want := []string{"InvalidArgument", "Unsupported", "Timeout", "Connection", "Unauthenticated", "PermissionDenied", "NotFound", "AlreadyExists",
		"ResourceExhausted", "TooLarge", "BinaryValue", "Server", "Protocol", "Closed", "Canceled", "Fork", "Panic"}
	if len(Table) != len(want) {
		t.Fatalf("%d codes, not %d", len(Table), len(want))
	}
	for i, name := range want {
		info := Table[i]
		if int(info.Code) != i+1 || info.Name != name || info.Code.String() != name || info.Doc == "" {
			t.Errorf("code %d is %+v, not %s", i+1, info, name)
		}
	}
	for _, c := range []Code{0, -1, 18} {
		if got, want := c.String(), fmt.Sprintf("Code(%d)", int(c)); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

func TestErrorsAreToldApart(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", &Error{Code: Timeout, Message: "too slow", Command: "kv.incr", Status: 503, MaybeApplied: true, Retryable: true})
	if !errors.Is(err, Timeout) || errors.Is(err, Connection) {
		t.Error("errors.Is does not follow the code")
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != Timeout {
		t.Error("errors.As finds no *Error")
	}
	var n net.Error
	if !errors.As(err, &n) || !n.Timeout() {
		t.Error("a timeout is no net.Error with Timeout")
	}
	if New(Closed, "x").Timeout() {
		t.Error("a closed client is a timeout")
	}
	if got, want := e.Error(), "synap: kv.incr: too slow (Timeout, status 503, may have been applied)"; got != want {
		t.Errorf("%q", got)
	}
	if got, want := New(Closed, "the client is closed").Error(), "synap: the client is closed (Closed)"; got != want {
		t.Errorf("%q", got)
	}
	if cause := errors.New("why"); !errors.Is(&Error{Code: Canceled, Cause: cause}, cause) || errors.Is(e, cause) {
		t.Error("an error does not unwrap to its cause")
	}
	if Timeout.Error() != "synap: Timeout" {
		t.Error(Timeout.Error())
	}
}

// protocol: http-messaging 1 "Error families", http-data 16.
func TestServerTextsHaveTheirCodeAndStatus(t *testing.T) {
	for text, want := range map[string]struct {
		code   Code
		status int
	}{
		"Invalid request: Missing 'key' field":                                         {InvalidArgument, 400},
		"Invalid request: Room 'x' not found":                                          {NotFound, 400},
		"Invalid request: Room 'x' already exists":                                     {AlreadyExists, 400},
		"Invalid request: Room 'it's not found' already exists":                        {AlreadyExists, 400},
		"Invalid request: Topic 'x' not found":                                         {NotFound, 400},
		"Invalid request: Stream offset 0 out of range; earliest retained offset is 3": {InvalidArgument, 400},
		"Invalid request: FLUSHDB is disabled. Set allow_flush_commands":               {InvalidArgument, 400},
		"Invalid value: Value is not a valid integer":                                  {InvalidArgument, 400},
		"Index out of range":                                                           {InvalidArgument, 400},
		"Unknown command: kv.nope":                                                     {Unsupported, 0},
		"Queue not found: jobs":                                                        {NotFound, 404},
		"Message not found: 0190":                                                      {NotFound, 404},
		"Key not found: k":                                                             {NotFound, 404},
		"Not found":                                                                    {NotFound, 404},
		"Topic not found":                                                              {NotFound, 404},
		"Key expired":                                                                  {NotFound, 410},
		"Queue is full: jobs":                                                          {ResourceExhausted, 507},
		"Memory limit exceeded":                                                        {ResourceExhausted, 507},
		"Unauthorized: no":                                                             {Unauthenticated, 401},
		"Forbidden: Insufficient permissions for resource: queue:x, action: read": {PermissionDenied, 403},
		"Internal error: boom":         {Server, 500},
		"something that no page names": {Server, 0},
		"":                             {Server, 0},
	} {
		e := FromServer(text)
		if e.Code != want.code || e.Status != want.status || e.Message != text {
			t.Errorf("%q: %v %d %q, want %v %d", text, e.Code, e.Status, e.Message, want.code, want.status)
		}
		if e.Retryable != (want.code == ResourceExhausted) || e.MaybeApplied {
			t.Errorf("%q: retryable %v, maybe applied %v", text, e.Retryable, e.MaybeApplied)
		}
	}
}
