// Package wspush is the codec of the WebSocket push routes /pubsub/ws and /kv/ws
// (protocol: websocket): upgrade paths out, text frames in.
package wspush

import (
	"strings"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Path returns the path and query of the upgrade request for route and names
// (topics or keys).
func Path(route string, names []string) (string, *errs.Error) {
	param := "topics"
	if route == "/kv/ws" {
		param = "keys"
	}
	out := append([]byte(route), '?')
	out = append(out, param...)
	out = append(out, '=')
	for i, name := range names {
		if strings.Contains(name, ",") {
			return "", errs.New(errs.InvalidArgument, "a name with a comma cannot be subscribed to over WebSocket, which joins names with commas")
		}
		if name == "" {
			return "", errs.New(errs.InvalidArgument, "an empty name cannot be subscribed to over WebSocket, which leaves empty names out")
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = appendQuery(out, name)
	}
	return string(out), nil
}

func appendQuery(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~*:@/$!", c) >= 0:
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// Kind is what a frame is.
type Kind uint8

// The kinds.
const (
	Ignored Kind = iota // a type that this client does not know
	Welcome             // the subscription stands
	Message             // an item
	Failure             // the server ends the subscription
)

// Frame is one decoded text frame.
type Frame struct {
	Kind Kind
	Item value.Value // the frame's object
	Err  *errs.Error // of Failure
}

// Parse decodes a text frame.
func Parse(text string) (Frame, *errs.Error) {
	v, err := value.ParseJSON(text)
	if err != nil || v.Kind() != value.KindMap {
		return Frame{}, errs.New(errs.Protocol, "a push frame is not a JSON object")
	}
	if reason, ok := v.Field("error").AsStr(); ok {
		return Frame{Kind: Failure, Err: errs.FromServer(reason)}, nil
	}
	switch t, _ := v.Field("type").AsStr(); t {
	case "connected":
		return Frame{Kind: Welcome}, nil
	case "message":
		return Frame{Kind: Message, Item: v}, nil
	}
	return Frame{}, nil
}

// Refused says what the answer to a refused upgrade means.
func Refused(status int, body string) *errs.Error {
	e := &errs.Error{Status: status}
	switch {
	case status == 401:
		e.Code, e.Message = errs.Unauthenticated, "the server wants credentials, or refuses these: check api_key, or username and password"
	case status == 403:
		e.Code, e.Message = errs.PermissionDenied, "the credentials do not allow this"
	case status == 400:
		e.Code, e.Message = errs.InvalidArgument, clip(body, "the server refused the subscription")
	case status == 500 && strings.Contains(body, "ConnectInfo"):
		e.Code, e.Message = errs.Unsupported, "no push channel: the server answers every WebSocket upgrade with 500, as the stock build of Synap 1.3.1 does. Streams and queues can be followed all the same (stream.follow, queue.follow)"
	case status >= 500:
		e.Code, e.Message, e.Retryable = errs.Server, clip(body, "the server failed to open a push channel"), true
	default:
		e.Code, e.Message = errs.Protocol, "the server has no WebSocket route here: is this the address of a Synap server?"
	}
	return e
}

func clip(body, otherwise string) string {
	body = strings.ToValidUTF8(strings.TrimSpace(body), "\uFFFD")
	if body == "" || body[0] == '<' || body[0] == '{' {
		return otherwise
	}
	if len(body) > 300 {
		body = body[:300] + "…"
	}
	return body
}
