// Package envelope is the codec of the HTTP wire: the command envelope and the
// REST routes, bytes in and bytes out, with no I/O (protocol: http-messaging 1).
package envelope

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Path is the route of the command envelope.
const Path = "/api/v1/command"

// MaxBody is the largest request body that the server reads (protocol:
// auth-and-ops 4). One byte more is refused here instead of with a 413, which a
// much larger upload would not even get to see.
const MaxBody = 2_097_152

// AppendCommand appends the body of POST /api/v1/command.
func AppendCommand(dst []byte, command, requestID string, payload value.Value) ([]byte, *errs.Error) {
	start := len(dst)
	dst = append(dst, `{"command":`...)
	dst, err := value.AppendJSONStr(dst, command)
	if err != nil {
		return dst, errs.New(errs.InvalidArgument, "the command's name is not valid UTF-8")
	}
	dst = append(dst, `,"request_id":"`...)
	dst = append(dst, requestID...)
	dst = append(dst, `","payload":`...)
	dst, bad := AppendBody(dst, payload)
	if bad != nil {
		return dst, bad
	}
	dst = append(dst, '}')
	return dst, checkSize(len(dst) - start)
}

// AppendBody appends the body of a REST request.
func AppendBody(dst []byte, payload value.Value) ([]byte, *errs.Error) {
	start := len(dst)
	dst, err := value.AppendJSON(dst, payload)
	switch err {
	case nil:
		return dst, checkSize(len(dst) - start)
	case value.ErrJSONBytes:
		return dst, errs.New(errs.InvalidArgument, "HTTP carries only text: these bytes are not valid UTF-8. Use synap:// or memory://, or encode them as text")
	case value.ErrJSONFloat:
		return dst, errs.New(errs.InvalidArgument, "JSON cannot carry NaN or an infinity")
	}
	return dst, errs.New(errs.InvalidArgument, "a JSON object needs text keys")
}

func checkSize(n int) *errs.Error {
	if n <= MaxBody {
		return nil
	}
	return errs.New(errs.TooLarge, "the request is "+strconv.Itoa(n)+" bytes of JSON; the server reads at most "+strconv.Itoa(MaxBody)+" over HTTP. Nothing was sent")
}

// AppendPathSegment appends s percent-encoded as one segment of a path. The
// segments . and .. are encoded too: left plain they would climb the path.
func AppendPathSegment(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	if s == "." || s == ".." {
		return append(dst, strings.Repeat("%2E", len(s))...)
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// ParseCommand reads the reply to a command envelope. The body must answer
// requestID.
func ParseCommand(status int, body, requestID string) (value.Value, *errs.Error) {
	if status != 200 {
		return value.Nil, statusError(status, body)
	}
	var (
		success    value.Value
		id, text   value.Value
		payload    value.Value
		hasPayload bool
	)
	p := value.Parser{S: body}
	err := p.Object(func(key string) (err error) {
		switch key {
		case "success":
			success, err = p.Value()
		case "request_id":
			id, err = p.Value()
		case "payload":
			hasPayload = true
			payload, err = p.Value()
		case "error":
			text, err = p.Value()
		default:
			_, err = p.Value()
		}
		return err
	})
	if err == nil {
		err = p.End()
	}
	if err != nil {
		return value.Nil, notSynap(status, "the reply is not a JSON object: "+err.Error())
	}
	ok, isBool := success.AsBool()
	if !isBool || !hasPayload {
		return value.Nil, notSynap(status, "the reply is not a Synap envelope")
	}
	if got, _ := id.AsStr(); got != requestID {
		return value.Nil, notSynap(status, "the reply answers another request (its request_id does not match); it was discarded")
	}
	if ok {
		return payload, nil
	}
	message, isText := text.AsStr()
	if !isText {
		return value.Nil, notSynap(status, "the reply reports a failure without a text")
	}
	return value.Nil, errs.FromServer(message)
}

// ParseREST reads the reply of a REST route.
func ParseREST(status int, body string) (value.Value, *errs.Error) {
	if status != 200 {
		return value.Nil, statusError(status, body)
	}
	v, err := value.ParseJSON(body)
	if err != nil {
		return value.Nil, notSynap(status, "the reply is not JSON: "+err.Error())
	}
	// Some routes report a failure with status 200 (protocol: http-messaging 1).
	if text, ok := v.Field("error").AsStr(); ok && v.Len() == 1 {
		return value.Nil, errs.FromServer(text)
	}
	return v, nil
}

func notSynap(status int, message string) *errs.Error {
	return &errs.Error{Code: errs.Protocol, Status: status, Message: message, MaybeApplied: true}
}

// statusError says what a status other than 200 means.
func statusError(status int, body string) *errs.Error {
	e := &errs.Error{Status: status, Message: bodyText(body)}
	if v, err := value.ParseJSON(body); err == nil {
		if text, ok := v.Field("error").AsStr(); ok {
			e = errs.FromServer(text)
			e.Status = status
			if e.Code != errs.Server {
				return e
			}
		}
	}
	say := func(code errs.Code, message string) {
		e.Code = code
		if e.Message == "" {
			e.Message = message
		}
	}
	switch status {
	case 400, 422:
		say(errs.InvalidArgument, "the server refused the request as malformed")
	case 401:
		say(errs.Unauthenticated, "the server wants credentials, or refuses these: check api_key, or username and password")
	case 403:
		say(errs.PermissionDenied, "the credentials do not allow this")
	case 404:
		say(errs.Protocol, "the server has no such route: is this the address of a Synap server?")
	case 405, 415:
		say(errs.Protocol, "the server does not take this request: is this the address of a Synap server?")
	case 413:
		say(errs.TooLarge, "the request is larger than the server reads")
	case 429:
		say(errs.ResourceExhausted, "too many requests: slow down")
		e.Retryable = true
	case 502, 503, 504:
		say(errs.Server, "the server is not available")
		e.Retryable, e.MaybeApplied = true, true
	case 507:
		say(errs.ResourceExhausted, "the server is out of memory")
		e.Retryable = true
	default:
		if status >= 500 {
			say(errs.Server, "the server failed")
		} else {
			say(errs.Protocol, "unexpected status "+strconv.Itoa(status))
		}
		e.MaybeApplied = true
	}
	return e
}

// bodyText is a text body shortened to what a message can hold; pages are left out.
func bodyText(body string) string {
	body = strings.Join(strings.Fields(body), " ")
	if strings.HasPrefix(body, "<") || strings.HasPrefix(body, "{") {
		return ""
	}
	if len(body) > 300 {
		body = body[:300] + "…"
	}
	return strings.ToValidUTF8(body, "\uFFFD")
}
