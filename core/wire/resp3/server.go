package resp3

import (
	"math"
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// Request is a decoded command: its name and arguments in one list. Text and bytes
// are arguments; what the server reads but refuses as one (numbers, null, nested
// lists) is kept as a value that is neither.
type Request struct {
	Args []value.Value
	// List is false for a value that is well formed but no list and no inline
	// command: it is refused, and the connection lives on.
	List bool
}

// ScanRequest is Scan for what a client sends. It refuses the prefixes that only
// replies have, and knows no limit but those of the wire.
func (s *Scanner) ScanRequest(buf []byte) (int, error) {
	s.request = true
	return s.Scan(buf, math.MaxInt)
}

// ParseRequest decodes what ScanRequest has found, as leniently as the server does
// (protocol: resp3 1): a list, or an inline command behind a plus. The result
// shares the memory of s.
func ParseRequest(s string) (Request, error) {
	p := parser{s: s, lax: true}
	if err := p.attributes(0); err != nil || len(p.s) == 0 {
		return Request{}, ErrSyntax
	}
	kind := p.s[0]
	if kind == '+' {
		line, _ := p.line()
		words := strings.Fields(line)
		r := Request{List: true, Args: make([]value.Value, len(words))}
		for i, w := range words {
			r.Args[i] = value.TextOrBytes(w)
		}
		return r, nil
	}
	if kind != '*' {
		return Request{}, nil
	}
	line, ok := p.line()
	if !ok {
		return Request{}, ErrSyntax
	}
	n, ok := count([]byte(line))
	if !ok || n > len(p.s) {
		return Request{}, ErrSyntax
	}
	if n < 0 {
		return Request{}, nil
	}
	r := Request{List: true, Args: make([]value.Value, 0, min(n, 1024))}
	for range n {
		if err := p.attributes(1); err != nil || len(p.s) == 0 {
			return Request{}, ErrSyntax
		}
		kind := p.s[0]
		v, err := p.value(1)
		if err != nil {
			return Request{}, err
		}
		if _, text := v.AsBlob(); text && kind != '$' && kind != '+' {
			v = value.Array()
		}
		r.Args = append(r.Args, v)
	}
	return r, nil
}

// AppendSimple appends a short text, such as OK.
func AppendSimple(dst []byte, text string) []byte {
	dst = append(dst, '+')
	return append(append(dst, text...), "\r\n"...)
}

// oneLine is what may stand in an error, which ends with its line.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// AppendError appends a failure. Its text begins with its class, such as ERR.
func AppendError(dst []byte, text string) []byte {
	dst = append(dst, '-')
	return append(append(dst, oneLine.Replace(text)...), "\r\n"...)
}

// AppendValue appends a reply in the types that Synap uses (protocol: resp3 1):
// booleans are 0 and 1, floats are bulk strings, and a map is a flat list unless
// maps says that it may be a map.
func AppendValue(dst []byte, v value.Value, maps bool) []byte {
	switch v.Kind() {
	case value.KindNil:
		return append(dst, "_\r\n"...)
	case value.KindBool:
		if b, _ := v.AsBool(); b {
			return append(dst, ":1\r\n"...)
		}
		return append(dst, ":0\r\n"...)
	case value.KindInt:
		i, _ := v.AsInt()
		return append(strconv.AppendInt(append(dst, ':'), i, 10), "\r\n"...)
	case value.KindUint:
		u, _ := v.AsUint()
		return append(strconv.AppendUint(append(dst, ':'), u, 10), "\r\n"...)
	case value.KindFloat:
		f, _ := v.AsFloat()
		return appendBulk(dst, FormatFloat(f))
	case value.KindStr, value.KindBytes:
		s, _ := v.AsBlob()
		return appendBulk(dst, s)
	case value.KindArray:
		dst = appendCount(dst, '*', v.Len())
		for i := range v.Len() {
			dst = AppendValue(dst, v.Index(i), maps)
		}
		return dst
	}
	if maps {
		dst = appendCount(dst, '%', v.Len())
	} else {
		dst = appendCount(dst, '*', 2*v.Len())
	}
	for i := range v.Len() {
		key, val := v.Pair(i)
		dst = AppendValue(AppendValue(dst, key, maps), val, maps)
	}
	return dst
}

func appendCount(dst []byte, kind byte, n int) []byte {
	return append(strconv.AppendInt(append(dst, kind), int64(n), 10), "\r\n"...)
}
