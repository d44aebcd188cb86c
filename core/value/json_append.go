package value

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Errors of AppendJSON: what JSON cannot carry is refused, never bent.
var (
	ErrJSONBytes = errors.New("value: JSON cannot carry bytes that are not text")
	ErrJSONFloat = errors.New("value: JSON cannot carry NaN or an infinity")
	ErrJSONKey   = errors.New("value: a JSON object needs text keys")
)

// AppendJSON appends the compact JSON text of v; pairs keep their order. Numbers
// and escapes have the form that the server gives them (protocol: http-data,
// "How a JSON value becomes bytes"), so a float stays a float: 1.0 is "1.0".
// Bytes are written as text if they are valid UTF-8 and refused otherwise.
func AppendJSON(dst []byte, v Value) ([]byte, error) { return appendJSON(dst, v, false) }

// AppendSortedJSON is AppendJSON with the pairs of every map sorted by key and
// only the last of equal keys kept: the text in which the server stores values.
func AppendSortedJSON(dst []byte, v Value) ([]byte, error) { return appendJSON(dst, v, true) }

func appendJSON(dst []byte, v Value, sorted bool) ([]byte, error) {
	var err error
	switch v.kind {
	case KindNil:
		return append(dst, "null"...), nil
	case KindBool:
		if v.num != 0 {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	case KindInt:
		return strconv.AppendInt(dst, int64(v.num), 10), nil
	case KindUint:
		return strconv.AppendUint(dst, v.num, 10), nil
	case KindFloat:
		return appendJSONFloat(dst, math.Float64frombits(v.num))
	case KindStr, KindBytes:
		return AppendJSONStr(dst, v.str)
	case KindArray:
		if v.packed {
			return AppendJSONByteArray(dst, v.str), nil
		}
		dst = append(dst, '[')
		for i, e := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, e, sorted); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
	items := v.items
	if sorted {
		if items, err = sortedPairs(items); err != nil {
			return dst, err
		}
	}
	dst = append(dst, '{')
	for i := 0; i < len(items); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		if items[i].kind != KindStr {
			return dst, ErrJSONKey
		}
		if dst, err = AppendJSONStr(dst, items[i].str); err != nil {
			return dst, err
		}
		if dst, err = appendJSON(append(dst, ':'), items[i+1], sorted); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func sortedPairs(items []Value) ([]Value, error) {
	order := make([]int, len(items)/2)
	for i := range order {
		if items[2*i].kind != KindStr {
			return nil, ErrJSONKey
		}
		order[i] = 2 * i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := items[a].str, items[b].str; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	out := make([]Value, 0, len(items))
	for i, at := range order {
		if i+1 < len(order) && items[order[i+1]].str == items[at].str {
			continue
		}
		out = append(out, items[at], items[at+1])
	}
	return out, nil
}

func appendJSONFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, ErrJSONFloat
	}
	if a := math.Abs(f); a == 0 || (a >= 1e-5 && a < 1e16) {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		if !slices.Contains(dst[start:], '.') {
			dst = append(dst, ".0"...)
		}
		return dst, nil
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go writes exponents with two digits at least, the server without padding.
	if n := len(dst); n-start > 4 && dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst, nil
}

// AppendJSONByteArray appends the JSON array of the byte values of s.
func AppendJSONByteArray(dst []byte, s string) []byte {
	dst = append(dst, '[')
	for i := 0; i < len(s); i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		c := s[i]
		if c >= 100 {
			dst = append(dst, '0'+c/100)
		}
		if c >= 10 {
			dst = append(dst, '0'+c/10%10)
		}
		dst = append(dst, '0'+c%10)
	}
	return append(dst, ']')
}

const hexDigits = "0123456789abcdef"

// AppendJSONStr appends s as a JSON string.
func AppendJSONStr(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, ErrJSONBytes
	}
	dst = append(dst, '"')
	plain := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[plain:i]...)
		plain = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	dst = append(dst, s[plain:]...)
	return append(dst, '"'), nil
}
