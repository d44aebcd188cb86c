package runner

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// nativeStep is one step of the native wires (protocol: synaprpc 11).
type nativeStep struct {
	WaitMS int `json:"wait_ms"`
	Conn   string
	Note   string // what raw bytes are, for readers

	Send         json.RawMessage
	SendHex      *string `json:"send_hex"`
	SendRaw      *string `json:"send_raw"`
	SendVolatile bool    `json:"send_volatile"`

	recorded
	Push         json.RawMessage
	PushHex      *string     `json:"push_hex"`
	RecvAnyOrder []*recorded `json:"recv_any_order"`
	Volatile     bool

	Expect    string
	MS        int
	HalfClose bool `json:"half_close"`

	// What check makes of the above.
	request any    // what Send says, nil if there are only bytes
	sent    []byte // nil if nothing is sent
	replies []*recorded
	push    *recorded
}

// recorded is a reply as it was recorded.
type recorded struct {
	Recv    json.RawMessage
	RecvHex *string `json:"recv_hex"`
	RecvRaw *string `json:"recv_raw"`

	pattern any
	bytes   []byte // nil if they are not recorded
}

// parseNative reads the steps of a case for the native wires. A member or matcher
// that it does not know is an error.
func parseNative(c *Case) ([]*nativeStep, error) {
	steps := make([]*nativeStep, len(c.Steps))
	for i, raw := range c.Steps {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		s := &nativeStep{}
		err := d.Decode(s)
		if err == nil {
			err = s.check()
		}
		if err != nil {
			return nil, &Failure{Step: i, Text: "the step cannot be read: " + err.Error()}
		}
		steps[i] = s
	}
	return steps, nil
}

func (s *nativeStep) check() (err error) {
	if s.sent, err = bytesRecorded(s.SendHex, s.SendRaw); err != nil {
		return err
	}
	if s.Send != nil {
		if s.sent == nil {
			return errors.New("it sends something but not its bytes")
		}
		if s.request, err = notation(s.Send); err != nil {
			return err
		}
	}
	if s.SendVolatile && s.Send == nil {
		return errors.New("raw bytes are never volatile")
	}
	switch {
	case s.Recv != nil:
		s.replies = []*recorded{&s.recorded}
	case s.RecvHex != nil || s.RecvRaw != nil:
		return errors.New("it has the bytes of a reply but not what they mean")
	}
	if s.Push != nil {
		s.push = &recorded{Recv: s.Push, RecvHex: s.PushHex}
	}
	kinds := 0
	for _, is := range []bool{s.sent != nil || s.Recv != nil, s.push != nil, s.RecvAnyOrder != nil, s.Expect != "", s.HalfClose} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return errors.New("it is of no kind or of several")
	case s.Expect != "" && s.Expect != "closed" && s.Expect != "silence":
		return fmt.Errorf("it expects %q", s.Expect)
	case (s.Expect == "silence") != (s.MS > 0):
		return errors.New("a time goes with silence and with nothing else")
	}
	s.replies = append(s.replies, s.RecvAnyOrder...)
	for _, r := range s.replies {
		if err := r.check(s.Volatile); err != nil {
			return err
		}
	}
	if s.push != nil {
		return s.push.check(s.Volatile)
	}
	return nil
}

func (r *recorded) check(volatile bool) (err error) {
	if r.bytes, err = bytesRecorded(r.RecvHex, r.RecvRaw); err != nil {
		return err
	}
	if r.pattern, err = notation(r.Recv); err != nil {
		return err
	}
	if r.bytes == nil && !volatile {
		return errors.New("a reply that is not volatile has no bytes")
	}
	return checkPattern(r.pattern)
}

// bytesRecorded returns bytes that are recorded as hex or as text.
func bytesRecorded(asHex, asText *string) ([]byte, error) {
	switch {
	case asHex != nil && asText != nil:
		return nil, errors.New("bytes are recorded twice")
	case asText != nil:
		return []byte(*asText), nil
	case asHex != nil:
		return hex.DecodeString(*asHex)
	}
	return nil, nil
}

// notation reads a value of a native wire as the vectors write it. {"$hex":…} and
// {"$float":…} are values there, not matchers: they lose the dollar.
func notation(raw json.RawMessage) (any, error) {
	v, err := parseJSON(raw)
	if err != nil {
		return nil, err
	}
	return plain(v), nil
}

func plain(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			if len(v) == 1 && (name == "$hex" || name == "$float") {
				name = name[1:]
			}
			out[name] = plain(e)
		}
		return out
	}
	return v
}

// one is an object with one member: how the notation names the kind of a value.
func one(name string, v any) any { return map[string]any{name: v} }

// only takes an object with one member apart.
func only(v any) (name string, arg any, ok bool) {
	object, isObject := v.(map[string]any)
	if !isObject || len(object) != 1 {
		return "", nil, false
	}
	for name, arg = range object {
	}
	return name, arg, true
}

// blob writes bytes in the notation.
func blob(s string) any { return one("hex", hex.EncodeToString([]byte(s))) }

// unblob reads what blob wrote.
func unblob(v any) (string, bool) {
	name, arg, ok := only(v)
	text, isText := arg.(string)
	b, err := hex.DecodeString(text)
	return string(b), ok && isText && err == nil && name == "hex"
}
