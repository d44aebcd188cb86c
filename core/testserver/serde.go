package testserver

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/value"
)

// The REST routes are strict about their bodies, in the order and with the texts
// of the server's JSON decoder (protocol: http-messaging 1 "Malformed requests").
// A shape describes one body; reading it finds the first thing that is wrong.

const (
	bodyLimit = 2_097_152 // larger bodies get 413
	readLimit = 16 << 20  // still larger ones are not even read
)

// shape is an object with known members.
type shape struct {
	expect string // what the texts call it
	fields []field
}

// field is one member of a shape.
type field struct {
	name, alias string
	rule        rule
	read        reader
}

// rule says what may be left out.
type rule uint8

const (
	required  rule = iota
	optional       // may be left out or null
	defaulted      // may be left out
	whole          // is the body itself, and the only member
)

// reader reads one value at the decoder's position.
type reader func(d *decoder) (value.Value, error)

// fieldSet is the set of fields that a body had.
type fieldSet uint16

func (s fieldSet) has(i int) bool { return s&(1<<i) != 0 }

func (s *shape) index(name string) int {
	for i := range s.fields {
		if f := &s.fields[i]; f.name == name || (f.alias != "" && f.alias == name) {
			return i
		}
	}
	return -1
}

// decoder reads a body piece by piece.
type decoder struct{ p value.Parser }

// shapeError says that JSON is well-formed but not what the route takes.
type shapeError struct {
	path, msg string
	pos       int // bytes read, -1 until the enclosing value is left
}

func (e *shapeError) Error() string { return e.msg }

func wrong(msg string) error { return &shapeError{msg: msg, pos: -1} }

// wrongHere is an error about the token just read.
func (d *decoder) wrongHere(msg string) error { return &shapeError{msg: msg, pos: d.p.Pos} }

// within adds the place of a value to the error about it.
func within(err error, place string) error {
	if e, ok := err.(*shapeError); ok {
		if e.path != "" && e.path[0] != '[' {
			place += "."
		}
		e.path = place + e.path
	}
	return err
}

// leave gives an error its position when the value around it ends: after the
// closing byte if that comes next.
func (d *decoder) leave(err error, closing byte) error {
	if e, ok := err.(*shapeError); ok && e.pos < 0 {
		if d.p.Peek() == closing {
			d.p.Pos++
		}
		e.pos = d.p.Pos
	}
	return err
}

// wrongType reports the next value as not what was expected. Lists and objects
// are named without being read.
func (d *decoder) wrongType(expected string) error {
	found := ""
	switch d.p.Peek() {
	case '[':
		found = "sequence"
	case '{':
		found = "map"
	default:
		v, err := d.p.Value()
		if err != nil {
			return err
		}
		found = describe(v)
	}
	return d.wrongHere("invalid type: " + found + ", expected " + expected)
}

func describe(v value.Value) string {
	text, _ := value.AppendJSON(nil, v)
	switch v.Kind() {
	case value.KindNil:
		return "null"
	case value.KindBool:
		return "boolean `" + string(text) + "`"
	case value.KindFloat:
		return "floating point `" + string(text) + "`"
	case value.KindStr:
		s, _ := v.AsStr()
		return "string " + strconv.Quote(s)
	case value.KindArray:
		return "sequence"
	case value.KindMap:
		return "map"
	}
	return "integer `" + string(text) + "`"
}

// decode reads the shape's members into out. The list of all members in order is
// taken for the object, as the server does.
func (s *shape) decode(d *decoder, out []value.Value) (seen fieldSet, err error) {
	if f := &s.fields[0]; f.rule == whole {
		out[0], err = f.read(d)
		return 1, err
	}
	switch d.p.Peek() {
	case '{':
		err = d.p.Object(func(key string) error { return s.member(d, key, out, &seen) })
		if err != nil {
			return seen, d.leave(err, '}')
		}
		for i := range s.fields {
			if f := &s.fields[i]; f.rule == required && !seen.has(i) {
				return seen, d.wrongHere("missing field `" + f.name + "`")
			}
		}
		return seen, nil
	case '[':
		return s.decodeList(d, out)
	}
	return 0, d.wrongType(s.expect)
}

func (s *shape) member(d *decoder, key string, out []value.Value, seen *fieldSet) error {
	i := s.index(key)
	if i < 0 {
		_, err := d.p.Value()
		return err
	}
	f := &s.fields[i]
	if seen.has(i) {
		// The parser stands behind the colon, the server before it.
		return &shapeError{msg: "duplicate field `" + f.name + "`", pos: d.p.Pos - 1}
	}
	if f.rule == optional && d.p.Peek() == 'n' {
		_, err := d.p.Value()
		return err
	}
	v, err := f.read(d)
	if err != nil {
		return within(err, key)
	}
	out[i] = v
	*seen |= 1 << i
	return nil
}

func (s *shape) decodeList(d *decoder, out []value.Value) (seen fieldSet, err error) {
	n := 0
	err = d.list(func(i int) error {
		if i >= len(s.fields) {
			return d.syntax("trailing characters")
		}
		n++
		f := &s.fields[i]
		if f.rule == optional && d.p.Peek() == 'n' {
			_, err := d.p.Value()
			return err
		}
		v, err := f.read(d)
		if err != nil {
			return within(err, "["+strconv.Itoa(i)+"]")
		}
		out[i] = v
		seen |= 1 << i
		return nil
	})
	if err == nil && n < len(s.fields) {
		err = d.wrongHere("invalid length " + strconv.Itoa(n) + ", expected " + s.expect + " with " + strconv.Itoa(len(s.fields)) + " elements")
	}
	return seen, err
}

// list reads the elements of the list at the decoder's position.
func (d *decoder) list(element func(i int) error) error {
	d.p.Pos++
	if d.p.Peek() == ']' {
		d.p.Pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return d.leave(err, ']')
		}
		switch c := d.p.Peek(); {
		case c == ']':
			d.p.Pos++
			return nil
		case c == ',':
			d.p.Pos++
			if d.p.Peek() == ']' {
				return d.syntax("trailing comma")
			}
		case d.p.Pos >= len(d.p.S):
			return d.syntax("EOF while parsing a list")
		default:
			return d.syntax("expected `,` or `]`")
		}
	}
}

// syntax is an error at the next byte.
func (d *decoder) syntax(msg string) error {
	line, column := position(d.p.S, min(d.p.Pos+1, len(d.p.S)))
	return &value.JSONError{Msg: msg, Line: line, Column: column}
}

// position is where the first n bytes of s end: line from 1, and the bytes on it.
func position(s string, n int) (line, column int) {
	read := s[:n]
	return 1 + strings.Count(read, "\n"), n - 1 - strings.LastIndexByte(read, '\n')
}

// readBody reads the body that the route takes; what is wrong is answered here.
func (r *request) readBody() bool {
	s := r.route.body
	if s == nil {
		return true
	}
	if !isJSON(r.ctx.Request.Header.ContentType()) {
		r.refuse(fasthttp.StatusUnsupportedMediaType, "Expected request with `Content-Type: application/json`")
		return false
	}
	body := r.ctx.PostBody()
	if len(body) > bodyLimit {
		r.refuse(fasthttp.StatusRequestEntityTooLarge, tooLarge)
		return false
	}
	d := decoder{p: value.Parser{S: string(body)}} // a copy: values share its memory
	seen, err := s.decode(&d, r.fields[:])
	if err == nil {
		err = d.p.End()
	}
	if err != nil {
		r.refuse(badBody(d.p.S, err))
		return false
	}
	r.seen = seen
	return true
}

const tooLarge = "Failed to buffer the request body: length limit exceeded"

// badBody returns status and text for a body that could not be read.
func badBody(body string, err error) (int, string) {
	e, ok := err.(*shapeError)
	if !ok {
		return fasthttp.StatusBadRequest, "Failed to parse the request body as JSON: " + err.Error()
	}
	return fasthttp.StatusUnprocessableEntity, "Failed to deserialize the JSON body into the target type: " + e.text(body)
}

// text is the error with its place and position.
func (e *shapeError) text(body string) string {
	place := e.path
	if place != "" {
		place += ": "
	}
	if e.pos < 0 { // about the body as a whole
		return place + e.msg
	}
	line, column := position(body, e.pos)
	return place + e.msg + " at line " + strconv.Itoa(line) + " column " + strconv.Itoa(column)
}

// isJSON reports whether a content type is application/json or application/*+json.
func isJSON(contentType []byte) bool {
	if i := bytes.IndexByte(contentType, ';'); i >= 0 {
		contentType = contentType[:i]
	}
	contentType = bytes.TrimSpace(contentType)
	const prefix, name, suffix = "application/", "json", "+json"
	if len(contentType) < len(prefix)+len(name) || !strings.EqualFold(string(contentType[:len(prefix)]), prefix) {
		return false
	}
	sub := contentType[len(prefix):]
	return strings.EqualFold(string(sub), name) || (len(sub) > len(suffix) && strings.EqualFold(string(sub[len(sub)-len(suffix):]), suffix))
}

// refuseUnreadable answers what is not a readable HTTP request.
func refuseUnreadable(ctx *fasthttp.RequestCtx, err error) {
	ctx.Response.Header.Set("Access-Control-Allow-Origin", "*")
	if err == fasthttp.ErrBodyTooLarge {
		refuse(ctx, fasthttp.StatusRequestEntityTooLarge, tooLarge)
		return
	}
	ctx.SetStatusCode(fasthttp.StatusBadRequest)
}
