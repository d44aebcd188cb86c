package runner

import (
	"encoding/json"
	"fmt"
	"strings"
)

// bodyKind is what a recorded body is.
type bodyKind uint8

const (
	bodyUnsaid bodyKind = iota // not recorded, not compared
	bodyEmpty                  // {"$empty":true}
	bodyAny                    // {"$any":"any"}
	bodyText                   // {"$text":…}: these bytes, or a matcher for them
	bodyBytes                  // {"$hex":…} or {"$bytes":…}
	bodyJSON                   // JSON
)

// body is the body of a request or reply, or a WebSocket frame.
type body struct {
	kind    bodyKind
	pattern any    // of text and JSON
	bytes   []byte // of bytes
}

// bodyOf reads a recorded reply body.
func bodyOf(raw json.RawMessage) (body, error) {
	if raw == nil {
		return body{}, nil
	}
	v, err := parseJSON(raw)
	if err != nil {
		return body{}, err
	}
	name, arg, _, err := directive(v)
	if err != nil {
		return body{}, err
	}
	switch {
	case name == "$empty" && arg == true:
		return body{kind: bodyEmpty}, nil
	case name == "$any" && arg == "any":
		return body{kind: bodyAny}, nil
	case name == "$text":
		return body{kind: bodyText, pattern: arg}, checkPattern(arg)
	case name == "$hex", name == "$bytes":
		b, err := bytesOf(name, arg)
		return body{kind: bodyBytes, bytes: b}, err
	}
	return body{kind: bodyJSON, pattern: v}, checkPattern(v)
}

// frameOf reads a recorded WebSocket frame.
func frameOf(raw json.RawMessage) (body, error) {
	b, err := bodyOf(raw)
	if err == nil && (b.kind == bodyEmpty || b.kind == bodyAny) {
		err = fmt.Errorf("%s is no frame", clip(string(raw)))
	}
	return b, err
}

// parserTexts start the bodies whose rest comes from the server's JSON parser and
// holds positions: of them only the start is compared (protocol: http-messaging
// 1, http-data 16).
var parserTexts = []string{
	"Failed to parse the request body as JSON: ",
	"Failed to deserialize the JSON body into the target type: ",
	"Failed to deserialize query string: ",
	"Invalid URL: ",
	`{"error":"Invalid UMICP envelope: `,
}

// matchBody returns how got differs from the recorded body, "" if it does not.
func (b Bindings) matchBody(want body, status int, got []byte) string {
	switch want.kind {
	case bodyUnsaid, bodyAny:
		return ""
	case bodyEmpty:
		if len(got) != 0 {
			return "body: expected none, got " + clip(string(got))
		}
		return ""
	case bodyBytes:
		if string(got) != string(want.bytes) {
			return fmt.Sprintf("body: expected the bytes %x, got %x", want.bytes, clip(string(got)))
		}
		return ""
	case bodyText:
		if text, ok := want.pattern.(string); ok && status >= 400 && status < 500 {
			for _, start := range parserTexts {
				if strings.HasPrefix(text, start) && strings.HasPrefix(string(got), start) {
					return ""
				}
			}
		}
		if d := b.Match(want.pattern, string(got)); d != "" {
			return "body: " + d
		}
		return ""
	}
	v, err := parseJSON(got)
	if err != nil {
		return fmt.Sprintf("body: expected JSON, got %s (%v)", clip(string(got)), err)
	}
	if d := b.Match(want.pattern, v); d != "" {
		return "body: " + d
	}
	return ""
}

// requestBody returns the bytes of a request body and the content type that they
// are sent with unless the step's headers give one (protocol: http-messaging
// "Vector conventions", http-data 17).
func (b Bindings) requestBody(raw json.RawMessage) (text []byte, contentType string, err error) {
	if raw == nil {
		return nil, "", nil
	}
	if v, err := parseJSON(raw); err == nil {
		name, arg, _, err := directive(v)
		if err != nil {
			return nil, "", err
		}
		switch name {
		case "$text":
			v, err := b.Expand(arg)
			s, ok := v.(string)
			if err == nil && !ok {
				err = fmt.Errorf("$text of %s", clip(writeJSON(v)))
			}
			return []byte(s), "", err
		case "$hex", "$bytes":
			text, err := bytesOf(name, arg)
			return text, "", err
		case "$zeros":
			n, err := integer(arg)
			return []byte(`{"payload":[` + strings.Repeat("0,", n) + `0]}`), "application/json", err
		}
	}
	s, err := b.ExpandText(raw)
	return []byte(s), "application/json", err
}
