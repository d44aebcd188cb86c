package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/libsynap/libsynap/core/errs"
)

// family is a kind of error text with what it means: the status that it has on
// the REST routes and the code of the client's error (protocol: http-messaging 1
// "Error families", http-data 16).
type family struct {
	start  string
	status int
	codes  []errs.Code
}

var families = []family{
	{"Invalid request: ", 400, []errs.Code{errs.InvalidArgument, errs.NotFound, errs.AlreadyExists}},
	{"Invalid value: ", 400, []errs.Code{errs.InvalidArgument}},
	{"Index out of range", 400, []errs.Code{errs.InvalidArgument}},
	{"Unknown command: ", 0, []errs.Code{errs.Unsupported}},
	{"Queue not found: ", 404, []errs.Code{errs.NotFound}},
	{"Message not found: ", 404, []errs.Code{errs.NotFound}},
	{"Key not found: ", 404, []errs.Code{errs.NotFound}},
	{"Not found", 404, []errs.Code{errs.NotFound}},
	{"Key expired", 410, []errs.Code{errs.NotFound}},
	{"Queue is full: ", 507, []errs.Code{errs.ResourceExhausted}},
	{"Memory limit exceeded", 507, []errs.Code{errs.ResourceExhausted}},
	{"Internal error: ", 500, []errs.Code{errs.Server}},
	{"Unauthorized: ", 401, []errs.Code{errs.Unauthenticated}},
	{"Forbidden: ", 403, []errs.Code{errs.PermissionDenied}},
}

// statusCodes are the codes of errors for replies that never came to a command.
// A status that is not listed may have any code.
var statusCodes = map[int]errs.Code{
	400: errs.InvalidArgument,
	401: errs.Unauthenticated,
	403: errs.PermissionDenied,
	413: errs.TooLarge,
	422: errs.InvalidArgument,
	429: errs.ResourceExhausted,
	507: errs.ResourceExhausted,
}

// checkError returns how err differs from the error that a client must make of a
// failed command with the recorded text.
func checkError(err error, command, transport string, text func(string) string) string {
	e, d := clientError(err, command, transport)
	if d != "" {
		return d
	}
	if d := text(e.Message); d != "" {
		return "the error's message: " + d
	}
	for _, f := range families {
		if !strings.HasPrefix(e.Message, f.start) {
			continue
		}
		if e.Status != f.status {
			return fmt.Sprintf("the status of the error %q: expected %d, got %d", e.Message, f.status, e.Status)
		}
		if !slices.Contains(f.codes, e.Code) {
			return fmt.Sprintf("the code of the error %q: expected one of %v, got %v", e.Message, f.codes, e.Code)
		}
		break
	}
	if e.MaybeApplied {
		return fmt.Sprintf("the error %q says that the command may have been applied; the server refused it", e.Message)
	}
	return ""
}

// checkStatus returns how err differs from the error that a client must make of
// a status other than 200.
func checkStatus(err error, command, transport string, status int) string {
	e, d := clientError(err, command, transport)
	if d != "" {
		return d
	}
	if e.Status != status {
		return fmt.Sprintf("the error's status: expected %d, got %d (%v)", status, e.Status, e)
	}
	if code, ok := statusCodes[status]; ok && e.Code != code {
		return fmt.Sprintf("the error's code for status %d: expected %v, got %v (%v)", status, code, e.Code, e)
	}
	return ""
}

func clientError(err error, command, transport string) (*errs.Error, string) {
	if err == nil {
		return nil, "expected an error, the call succeeded"
	}
	var e *errs.Error
	if !errors.As(err, &e) {
		return nil, fmt.Sprintf("expected a *errs.Error, got %T: %v", err, err)
	}
	if e.Message == "" || e.Command != command || e.Transport != transport {
		return nil, fmt.Sprintf("the error has message %q, command %q, transport %q; expected a message, %q and %q", e.Message, e.Command, e.Transport, command, transport)
	}
	return e, ""
}

// envelopeOf takes a recorded envelope apart. ok is false if it is none.
func envelopeOf(body any) (success bool, payload, text any, ok bool) {
	object, isObject := body.(map[string]any)
	success, isBool := object["success"].(bool)
	payload, hasPayload := object["payload"]
	text, hasError := object["error"]
	_, hasID := object["request_id"]
	return success, payload, text, isObject && isBool && hasPayload && hasError && hasID
}
