package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A JSON value is held as nil, bool, string, json.Number, []any or
// map[string]any. json.Number keeps the number as it is written: 1.0 is not 1,
// and integers above 2^53 survive.

// parseJSON reads one JSON text. It refuses what would blur a comparison:
// members that stand twice, text that is not UTF-8, anything after the value.
func parseJSON(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := readValue(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something stands after the JSON value")
	}
	return v, nil
}

func readValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string)
			if _, twice := object[name]; twice {
				return nil, fmt.Errorf("member %q stands twice", name)
			}
			if object[name], err = readValue(d); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return object, err
	}
	return t, nil
}

// writeJSON returns the compact JSON text of v, members sorted, numbers as they
// were written.
func writeJSON(v any) string { return string(appendJSON(nil, v)) }

func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case json.Number:
		return append(dst, v...)
	case string:
		return appendJSONString(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, e)
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		for i, name := range sortedNames(v) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSONString(dst, name)
			dst = appendJSON(append(dst, ':'), v[name])
		}
		return append(dst, '}')
	}
	panic(fmt.Sprintf("runner: %T is not a JSON value", v))
}

func appendJSONString(dst []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

func sortedNames(object map[string]any) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// isInteger reports whether a number is an integer on the wire: written without
// fraction and exponent, and within what the server keeps exact, -2^63 to
// 2^64-1 (protocol: http-data 1). Everything else is a double.
func isInteger(n json.Number) bool {
	if n == "-0" || strings.ContainsAny(string(n), ".eE") {
		return false
	}
	if _, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return true
	}
	_, err := strconv.ParseUint(string(n), 10, 64)
	return err == nil
}

// sameNumber compares by value: exact between integers, as doubles otherwise,
// and an integer equals the double of the same value.
func sameNumber(a, b json.Number) bool {
	x, okX := numberValue(a)
	y, okY := numberValue(b)
	return okX && okY && x.Cmp(y) == 0
}

func numberValue(n json.Number) (*big.Rat, bool) {
	if isInteger(n) {
		return new(big.Rat).SetString(string(n))
	}
	f, err := n.Float64()
	if err != nil {
		return nil, false
	}
	return new(big.Rat).SetFloat64(f), true
}

// sameKind compares what sameNumber leaves out: integer or double, and the sign
// of zero.
func sameKind(a, b json.Number) bool {
	return isInteger(a) == isInteger(b) && (isInteger(a) || strings.HasPrefix(string(a), "-") == strings.HasPrefix(string(b), "-"))
}

// sameValue returns where two JSON values differ, "" if nowhere. With kinds, an
// integer and a double of the same value differ, and so do 0.0 and -0.0.
func sameValue(want, got any, kinds bool, at string) string {
	differ := func() string {
		return fmt.Sprintf("%s: expected %s, got %s", place(at), clip(writeJSON(want)), clip(writeJSON(got)))
	}
	switch want := want.(type) {
	case json.Number:
		n, ok := got.(json.Number)
		if !ok || !sameNumber(want, n) || (kinds && !sameKind(want, n)) {
			return differ()
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return differ()
		}
		for i := range want {
			if d := sameValue(want[i], list[i], kinds, fmt.Sprintf("%s[%d]", at, i)); d != "" {
				return d
			}
		}
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return differ()
		}
		if d := sameMembers(want, object, at); d != "" {
			return d
		}
		for _, name := range sortedNames(want) {
			if d := sameValue(want[name], object[name], kinds, at+"."+name); d != "" {
				return d
			}
		}
	default: // nil, bool, string
		if want != got {
			return differ()
		}
	}
	return ""
}

// sameMembers says which members are missing or too many.
func sameMembers(want, got map[string]any, at string) string {
	for _, name := range sortedNames(want) {
		if _, ok := got[name]; !ok {
			return fmt.Sprintf("%s: member %q is missing in %s", place(at), name, clip(writeJSON(got)))
		}
	}
	for _, name := range sortedNames(got) {
		if _, ok := want[name]; !ok {
			return fmt.Sprintf("%s: member %q is not expected in %s", place(at), name, clip(writeJSON(got)))
		}
	}
	return ""
}

func place(at string) string {
	if at == "" {
		return "value"
	}
	return strings.TrimPrefix(at, ".")
}

// clip shortens a text for a report.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + fmt.Sprintf("… (%d bytes)", len(s))
}
