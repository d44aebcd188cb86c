package errs

import "strings"

// serverTexts maps how a server error text starts to its code and REST status
// (protocol: http-messaging 1 "Error families", http-data 16). First match wins.
var serverTexts = []struct {
	prefix, suffix string
	code           Code
	status         int
}{
	{"Invalid request: Room '", "not found", NotFound, 400},
	{"Invalid request: Topic '", "not found", NotFound, 400},
	{"Invalid request: Topic '", "already exists", AlreadyExists, 400},
	{"Invalid request: Consumer group '", "not found", NotFound, 400},
	{"Invalid request: Consumer group '", "already exists", AlreadyExists, 400},
	{"Invalid request: Member ", "not found", NotFound, 400},
	{"Invalid request: Member ", "not found in group", NotFound, 400},
	{"Invalid request: Partition ", "not found", NotFound, 400},
	{"Invalid request: Destination key already exists", "", AlreadyExists, 400},
	{"Invalid request: NOSCRIPT ", "", NotFound, 400},
	{"Invalid request: Room '", "already exists", AlreadyExists, 400},
	{"Invalid request: ", "", InvalidArgument, 400},
	{"Invalid value: ", "", InvalidArgument, 400},
	{"Index out of range", "", InvalidArgument, 400},
	{"Unknown command: ", "", Unsupported, 0},
	{"Queue not found: ", "", NotFound, 404},
	{"Message not found: ", "", NotFound, 404},
	{"Key not found: ", "", NotFound, 404},
	{"Topic not found", "", NotFound, 404},
	{"Not found", "", NotFound, 404},
	{"Key expired", "", NotFound, 410},
	{"Queue is full: ", "", ResourceExhausted, 507},
	{"Memory limit exceeded", "", ResourceExhausted, 507},
	{"Unauthorized: ", "", Unauthenticated, 401},
	{"Forbidden: ", "", PermissionDenied, 403},
	{"Insufficient permissions", "", PermissionDenied, 403},
	{"Internal error: ", "", Server, 500},
}

// FromServer returns the Error for a text that the server reported. A command
// that the server refused was not applied.
func FromServer(text string) *Error {
	for _, t := range serverTexts {
		if strings.HasPrefix(text, t.prefix) && strings.HasSuffix(text, t.suffix) {
			return &Error{Code: t.code, Status: t.status, Message: text, Retryable: t.code == ResourceExhausted}
		}
	}
	return New(Server, text)
}
