package value

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// JSONError says why a text is not JSON, and where: line from 1, column as the
// number of bytes read on it.
type JSONError struct {
	Msg          string
	Line, Column int
}

// Error returns the reason and the position.
func (e *JSONError) Error() string {
	return e.Msg + " at line " + strconv.Itoa(e.Line) + " column " + strconv.Itoa(e.Column)
}

// ParseJSON decodes one JSON text; nothing but white space may follow it. Text of
// the result shares the memory of s. Integers are exact from -2^63 to 2^64-1,
// every other number is a float. Arrays of integers 0-255 come out packed.
func ParseJSON(s string) (Value, error) {
	p := Parser{S: s}
	v, err := p.Value()
	if err != nil {
		return Nil, err
	}
	return v, p.End()
}

// Parser reads JSON piece by piece, for callers that know the outer shape and
// need only some of it.
type Parser struct {
	S     string
	Pos   int
	depth int
}

func (p *Parser) fail(msg string) error {
	e := &JSONError{Msg: msg, Line: 1}
	end := min(p.Pos, len(p.S))
	for i := 0; i < end; i++ {
		e.Column++
		if p.S[i] == '\n' {
			e.Line, e.Column = e.Line+1, 0
		}
	}
	return e
}

// failAt reports an unexpected byte: the position counts the byte itself.
func (p *Parser) failAt(msg string) error {
	p.Pos++
	return p.fail(msg)
}

// Peek skips white space and returns the next byte, 0 at the end.
func (p *Parser) Peek() byte {
	for p.Pos < len(p.S) {
		switch c := p.S[p.Pos]; c {
		case ' ', '\t', '\n', '\r':
			p.Pos++
		default:
			return c
		}
	}
	return 0
}

// End fails if anything but white space is left.
func (p *Parser) End() error {
	if p.Peek(); p.Pos < len(p.S) {
		return p.failAt("trailing characters")
	}
	return nil
}

// Object reads an object and calls member for each key, with the parser at the
// member's value, which member must read.
func (p *Parser) Object(member func(key string) error) error {
	if p.Peek() != '{' {
		return p.failAt("expected an object")
	}
	return p.list('}', "EOF while parsing an object", func() error {
		if p.Peek() != '"' {
			if p.Pos >= len(p.S) {
				return p.fail("EOF while parsing an object")
			}
			return p.failAt("key must be a string")
		}
		key, err := p.text()
		if err != nil {
			return err
		}
		if p.Peek() != ':' {
			if p.Pos >= len(p.S) {
				return p.fail("EOF while parsing an object")
			}
			return p.failAt("expected `:`")
		}
		p.Pos++
		return member(key)
	})
}

// list reads what stands between an opening and a closing byte.
func (p *Parser) list(closing byte, eof string, element func() error) error {
	p.Pos++
	if p.depth++; p.depth > MaxDepth {
		return p.fail("recursion limit exceeded")
	}
	defer func() { p.depth-- }()
	if p.Peek() == closing {
		p.Pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		switch c := p.Peek(); {
		case c == closing && p.Pos < len(p.S):
			p.Pos++
			return nil
		case c == ',':
			p.Pos++
			if p.Peek() == closing {
				return p.failAt("trailing comma")
			}
		case p.Pos >= len(p.S):
			return p.fail(eof)
		default:
			return p.failAt("expected `,` or `" + string(closing) + "`")
		}
	}
}

// Value reads the next value.
func (p *Parser) Value() (Value, error) {
	c := p.Peek()
	if p.Pos >= len(p.S) {
		return Nil, p.fail("EOF while parsing a value")
	}
	switch {
	case c == '{':
		var items []Value
		err := p.Object(func(key string) error {
			v, err := p.Value()
			items = append(items, Str(key), v)
			return err
		})
		return Map(items...), err
	case c == '[':
		if v, ok := p.byteArray(); ok {
			return v, nil
		}
		var items []Value
		err := p.list(']', "EOF while parsing a list", func() error {
			v, err := p.Value()
			items = append(items, v)
			return err
		})
		return Array(items...), err
	case c == '"':
		s, err := p.text()
		return Str(s), err
	case c == '-' || (c >= '0' && c <= '9'):
		return p.number()
	case c == 't':
		return Bool(true), p.word("true")
	case c == 'f':
		return Bool(false), p.word("false")
	case c == 'n':
		return Nil, p.word("null")
	}
	return Nil, p.failAt("expected value")
}

func (p *Parser) word(w string) error {
	for i := 0; i < len(w); i++ {
		if p.Pos >= len(p.S) {
			return p.fail("EOF while parsing a value")
		}
		if p.S[p.Pos] != w[i] {
			return p.failAt("expected ident")
		}
		p.Pos++
	}
	return nil
}

// byteArray tries to read an array of integers 0-255; on anything else it leaves
// the position alone.
func (p *Parser) byteArray() (Value, bool) {
	if p.depth >= MaxDepth {
		return Nil, false
	}
	start := p.Pos
	p.Pos++
	if c := p.Peek(); c < '0' || c > '9' {
		p.Pos = start
		return Nil, false
	}
	var out []byte
	for {
		n, digits := 0, p.Pos
		for p.Pos < len(p.S) && p.S[p.Pos] >= '0' && p.S[p.Pos] <= '9' && n <= 255 {
			n = n*10 + int(p.S[p.Pos]-'0')
			p.Pos++
		}
		length := p.Pos - digits
		if length == 0 || n > 255 || (length > 1 && p.S[digits] == '0') {
			break
		}
		out = append(out, byte(n))
		switch p.Peek() {
		case ',':
			p.Pos++
			p.Peek()
			continue
		case ']':
			p.Pos++
			return ByteArray(string(out)), true
		}
		break
	}
	p.Pos = start
	return Nil, false
}

func (p *Parser) number() (Value, error) {
	start := p.Pos
	digits := func() bool {
		from := p.Pos
		for p.Pos < len(p.S) && p.S[p.Pos] >= '0' && p.S[p.Pos] <= '9' {
			p.Pos++
		}
		return p.Pos > from
	}
	at := func(set string) bool {
		if p.Pos >= len(p.S) {
			return false
		}
		for i := 0; i < len(set); i++ {
			if p.S[p.Pos] == set[i] {
				return true
			}
		}
		return false
	}
	negative := at("-")
	if negative {
		p.Pos++
	}
	if at("0") {
		p.Pos++
		if at("0123456789") {
			return Nil, p.failAt("invalid number")
		}
	} else if !digits() {
		return Nil, p.badNumber()
	}
	integer := true
	if at(".") {
		integer = false
		p.Pos++
		if !digits() {
			return Nil, p.badNumber()
		}
	}
	if at("eE") {
		integer = false
		p.Pos++
		if at("+-") {
			p.Pos++
		}
		if !digits() {
			return Nil, p.badNumber()
		}
	}
	lit := p.S[start:p.Pos]
	if integer && lit != "-0" {
		if i, err := strconv.ParseInt(lit, 10, 64); err == nil {
			return Int(i), nil
		}
		if !negative {
			if u, err := strconv.ParseUint(lit, 10, 64); err == nil {
				return Uint(u), nil
			}
		}
	}
	f, err := strconv.ParseFloat(lit, 64)
	if err != nil && math.IsInf(f, 0) {
		return Nil, p.fail("number out of range")
	}
	return Float(f), nil
}

func (p *Parser) badNumber() error {
	if p.Pos >= len(p.S) {
		return p.fail("EOF while parsing a value")
	}
	return p.failAt("invalid number")
}

// Text reads a string.
func (p *Parser) Text() (string, error) {
	if p.Peek() != '"' {
		return "", p.failAt("expected a string")
	}
	return p.text()
}

func (p *Parser) text() (string, error) {
	p.Pos++
	start := p.Pos
	for p.Pos < len(p.S) {
		switch c := p.S[p.Pos]; {
		case c == '"':
			s := p.S[start:p.Pos]
			p.Pos++
			if !utf8.ValidString(s) {
				return "", p.fail("invalid unicode code point")
			}
			return s, nil
		case c == '\\':
			return p.escapedText(start)
		case c < ' ':
			return "", p.fail("control character (\\u0000-\\u001F) found while parsing a string")
		}
		p.Pos++
	}
	return "", p.fail("EOF while parsing a string")
}

// escapedText reads the rest of a string that has escapes.
func (p *Parser) escapedText(start int) (string, error) {
	out := append([]byte(nil), p.S[start:p.Pos]...)
	for p.Pos < len(p.S) {
		c := p.S[p.Pos]
		p.Pos++
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return "", p.fail("invalid unicode code point")
			}
			return string(out), nil
		case c < ' ':
			p.Pos--
			return "", p.fail("control character (\\u0000-\\u001F) found while parsing a string")
		case c != '\\':
			out = append(out, c)
			continue
		}
		if p.Pos >= len(p.S) {
			break
		}
		c = p.S[p.Pos]
		p.Pos++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, err := p.unicode()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", p.fail("invalid escape")
		}
	}
	return "", p.fail("EOF while parsing a string")
}

// unicode reads the four digits of a \u escape, and the second half of a pair.
func (p *Parser) unicode() (rune, error) {
	r, err := p.hex4()
	if err != nil {
		return 0, err
	}
	switch {
	case r >= 0xdc00 && r < 0xe000:
		return 0, p.fail("lone leading surrogate in hex escape")
	case r < 0xd800 || r >= 0xe000:
		return r, nil
	}
	if p.Pos+1 >= len(p.S) || p.S[p.Pos] != '\\' || p.S[p.Pos+1] != 'u' {
		return 0, p.fail("unexpected end of hex escape")
	}
	p.Pos += 2
	low, err := p.hex4()
	if err != nil {
		return 0, err
	}
	if low < 0xdc00 || low >= 0xe000 {
		return 0, p.fail("lone leading surrogate in hex escape")
	}
	return 0x10000 + (r-0xd800)<<10 + (low - 0xdc00), nil
}

func (p *Parser) hex4() (rune, error) {
	if p.Pos+4 > len(p.S) {
		p.Pos = len(p.S)
		return 0, p.fail("EOF while parsing a string")
	}
	u, err := strconv.ParseUint(p.S[p.Pos:p.Pos+4], 16, 32)
	if err != nil {
		return 0, p.fail("invalid escape")
	}
	p.Pos += 4
	return rune(u), nil
}
