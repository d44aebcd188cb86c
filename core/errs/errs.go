// Package errs holds the error codes of libsynap and the one Error type that
// every failure of every host becomes.
package errs

import "strconv"

// Code says what kind of failure an Error is. A Code is itself an error, so that
// errors.Is(err, errs.Timeout) reads well. The numbers are part of the C ABI and
// never change meaning.
type Code int32

// The codes.
const (
	InvalidArgument   Code = iota + 1 // the input is wrong; nothing was sent, or the server refused it unchanged
	Unsupported                       // the command has no form on this transport, or the server does not know it
	Timeout                           // the deadline passed
	Connection                        // the server cannot be reached, or the connection broke
	Unauthenticated                   // no credentials or wrong ones (HTTP 401)
	PermissionDenied                  // the credentials do not allow this (HTTP 403)
	NotFound                          // the named queue, room, message, topic or key does not exist
	AlreadyExists                     // what was to be created exists
	ResourceExhausted                 // a limit is reached: queue full, memory, rate, too many calls in flight
	TooLarge                          // a request or reply is over a size limit
	BinaryValue                       // a value is not text and this wire can only carry text
	Server                            // the server reported an error of its own
	Protocol                          // the reply is not what the protocol allows
	Closed                            // the client or subscription is closed
	Canceled                          // the caller cancelled the call
	Fork                              // the process was forked after the client was opened
	Panic                             // a defect inside libsynap; the client is unusable
)

// Info describes a code for generated headers and classes.
type Info struct {
	Code Code
	Name string // CamelCase; SYNAP_E… and exception names derive from it
	Doc  string
}

// Table lists all codes in order.
var Table = []Info{
	{InvalidArgument, "InvalidArgument", "The input is wrong. Nothing was applied: correct the call."},
	{Unsupported, "Unsupported", "The command has no form on this transport, or the server does not know it. Use another transport."},
	{Timeout, "Timeout", "The deadline passed. If maybe_applied is set the command may have taken effect."},
	{Connection, "Connection", "The server cannot be reached or the connection broke. If maybe_applied is set the command may have taken effect."},
	{Unauthenticated, "Unauthenticated", "Credentials are missing or wrong (HTTP 401)."},
	{PermissionDenied, "PermissionDenied", "The credentials do not allow this (HTTP 403)."},
	{NotFound, "NotFound", "The queue, room, message, topic or key named does not exist."},
	{AlreadyExists, "AlreadyExists", "What was to be created exists."},
	{ResourceExhausted, "ResourceExhausted", "A limit is reached: queue full, memory, rate, calls in flight. Try later."},
	{TooLarge, "TooLarge", "A request or reply is over a size limit."},
	{BinaryValue, "BinaryValue", "The value is not text and this wire can only carry text. Use synap:// or memory://."},
	{Server, "Server", "The server reported an error of its own."},
	{Protocol, "Protocol", "The reply is not what the protocol allows; something between may not be a Synap server."},
	{Closed, "Closed", "The client or subscription is closed."},
	{Canceled, "Canceled", "The call was cancelled. If maybe_applied is set the command may have taken effect."},
	{Fork, "Fork", "The process was forked after the library was loaded. Load it in the child, after the fork."},
	{Panic, "Panic", "A defect inside libsynap. This client is unusable; open a new one and report the message."},
}

// String returns the code's name.
func (c Code) String() string {
	if c >= 1 && int(c) <= len(Table) {
		return Table[c-1].Name
	}
	return "Code(" + strconv.Itoa(int(c)) + ")"
}

// Error makes a Code an error: the target of errors.Is.
func (c Code) Error() string { return "synap: " + c.String() }

// Error is one failed call.
type Error struct {
	Code Code
	// Status is the HTTP status of the failure, 0 where there is none. Command
	// errors of the envelope, which travel as 200, have the status that the same
	// error has on the REST routes (protocol: http-messaging 1, "Error families").
	Status int
	// Message says what happened and, where the library knows, what to do. For
	// errors that the server reported it is the server's text.
	Message string
	// Command is the command that failed, "" outside a call.
	Command string
	// Transport is the scheme of the address: memory, http, https, synap, resp3.
	Transport string
	// Retryable says that the same call may succeed later.
	Retryable bool
	// MaybeApplied says that the command may have taken effect on the server.
	MaybeApplied bool
	// Cause is what the error came of where that matters to Go callers: the
	// context's own error when a context ended the call.
	Cause error
}

// New returns an Error with a code and message.
func New(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// Error returns command, message and what is known of its effect.
func (e *Error) Error() string {
	s := "synap: "
	if e.Command != "" {
		s += e.Command + ": "
	}
	s += e.Message + " (" + e.Code.String()
	if e.Status != 0 {
		s += ", status " + strconv.Itoa(e.Status)
	}
	if e.MaybeApplied {
		s += ", may have been applied"
	}
	return s + ")"
}

// Is makes errors.Is(err, code) work.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// Unwrap returns Cause.
func (e *Error) Unwrap() error { return e.Cause }

// Timeout reports whether the deadline passed (net.Error).
func (e *Error) Timeout() bool { return e.Code == Timeout }

// Temporary reports whether the same call may succeed later (net.Error).
func (e *Error) Temporary() bool { return e.Retryable }
