package resp3

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

// AppendCommand appends a command: a list of bulk strings. Arguments are texts,
// bytes, numbers, and booleans, which are 1 and 0.
func AppendCommand(dst []byte, name string, args []value.Value) []byte {
	dst = append(dst, '*')
	dst = strconv.AppendInt(dst, int64(1+len(args)), 10)
	dst = append(dst, "\r\n"...)
	dst = appendBulk(dst, name)
	var digits [32]byte
	for _, a := range args {
		if s, ok := a.AsBlob(); ok {
			dst = appendBulk(dst, s)
		} else if i, ok := a.AsInt(); ok {
			dst = appendBulk(dst, string(strconv.AppendInt(digits[:0], i, 10)))
		} else if b, ok := a.AsBool(); ok {
			digit := "0"
			if b {
				digit = "1"
			}
			dst = appendBulk(dst, digit)
		} else {
			f, _ := a.AsFloat()
			dst = appendBulk(dst, FormatFloat(f))
		}
	}
	return dst
}

func appendBulk(dst []byte, s string) []byte {
	dst = append(dst, '$')
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	dst = append(dst, "\r\n"...)
	dst = append(dst, s...)
	return append(dst, "\r\n"...)
}

// FormatFloat writes a number as this wire does: plain decimals, inf, -inf, NaN
// (protocol: resp3 quirk 8).
func FormatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// Reply is a decoded reply or push.
type Reply struct {
	Value  value.Value
	Err    string // the server's text of a failure
	Failed bool
	Push   bool
}

// Parse decodes a whole reply that Scanner has found. Bulk strings that are valid
// UTF-8 become text, others bytes. The result shares the memory of s.
func Parse(s string) (Reply, error) {
	p := parser{s: s}
	var r Reply
	if err := p.attributes(0); err != nil {
		return r, err
	}
	if len(p.s) == 0 {
		return r, ErrSyntax
	}
	kind := p.s[0]
	v, err := p.value(0)
	if err != nil {
		return r, err
	}
	switch kind {
	case '-', '!':
		r.Err, _ = v.AsBlob()
		r.Err = strings.ToValidUTF8(r.Err, "\uFFFD")
		r.Failed = true
	case '>':
		r.Push = true
		r.Value = v
	default:
		r.Value = v
	}
	return r, nil
}

type parser struct {
	s   string
	lax bool // what ends a bulk string is skipped unseen, as the server does
}

// attributes skips what stands before a value and only describes it.
func (p *parser) attributes(depth int) error {
	for len(p.s) > 0 && p.s[0] == '|' {
		if _, err := p.value(depth); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) line() (string, bool) {
	end := strings.IndexByte(p.s, '\n')
	if end < 1 {
		return "", false
	}
	line := p.s[1:end]
	p.s = p.s[end+1:]
	return strings.TrimSuffix(line, "\r"), true
}

func (p *parser) value(depth int) (value.Value, error) {
	if depth > maxDepth {
		return value.Nil, ErrDepth
	}
	if len(p.s) == 0 {
		return value.Nil, ErrSyntax
	}
	kind := p.s[0]
	line, ok := p.line()
	if !ok {
		return value.Nil, ErrSyntax
	}
	switch kind {
	case '+', '-', '(':
		return value.TextOrBytes(line), nil
	case '_':
		return value.Nil, nil
	case ':':
		i, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			return value.Nil, ErrSyntax
		}
		return value.Int(i), nil
	case ',':
		f, err := strconv.ParseFloat(line, 64)
		if err != nil {
			return value.Nil, ErrSyntax
		}
		return value.Float(f), nil
	case '#':
		if line != "t" && line != "f" {
			return value.Nil, ErrSyntax
		}
		return value.Bool(line == "t"), nil
	}
	n, ok := count([]byte(line))
	if !ok {
		return value.Nil, ErrSyntax
	}
	if n < 0 {
		return value.Nil, nil
	}
	switch kind {
	case '$', '=', '!':
		if len(p.s) < n+2 || (p.s[n:n+2] != "\r\n" && !p.lax) {
			return value.Nil, ErrSyntax
		}
		text := p.s[:n]
		p.s = p.s[n+2:]
		if kind == '=' && len(text) >= 4 && text[3] == ':' { // "txt:" and the like
			text = text[4:]
		}
		if utf8.ValidString(text) {
			return value.Str(text), nil
		}
		return value.BytesOf(text), nil
	case '*', '~', '>':
		items, err := p.items(n, depth)
		return value.Array(items...), err
	case '%', '|':
		items, err := p.items(2*n, depth)
		return value.Map(items...), err
	}
	return value.Nil, ErrSyntax
}

// items reads n values. The list grows with what was really read.
func (p *parser) items(n, depth int) ([]value.Value, error) {
	if n > len(p.s) {
		return nil, ErrSyntax
	}
	items := make([]value.Value, 0, min(n, 1024))
	for range n {
		if err := p.attributes(depth + 1); err != nil {
			return nil, err
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}
