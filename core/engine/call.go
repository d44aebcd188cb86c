package engine

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// call is one command under way.
type call struct {
	face      Face // Envelope or Raw, which the one in from is like
	from      Face
	watched   bool // transactions see what it changes
	requestID string
	payload   value.Value
}

func missing(field string) string { return "Invalid request: Missing '" + field + "' field" }

// str returns a text field; on the envelope a field of another type counts as
// missing.
func (c *call) str(field string) (string, string) {
	s, ok := c.payload.Field(field).AsStr()
	if !ok {
		return "", missing(field)
	}
	return s, ""
}

// uint returns an integer field that is not negative.
func (c *call) uint(field string) (uint64, bool) { return c.payload.Field(field).AsUint() }

// int returns an integer field within the int64 range.
func (c *call) int(field string) (int64, bool) { return c.payload.Field(field).AsInt() }

// bool reports whether a field is true.
func (c *call) bool(field string) bool {
	b, _ := c.payload.Field(field).AsBool()
	return b
}

// stringsField reads a field that must be an array of texts, with the texts of
// the server's decoder where it is not.
func (c *call) stringsField(field string) ([]string, string) {
	v, ok := c.payload.Get(field)
	if !ok {
		return nil, missing(field)
	}
	bad := "Invalid request: Invalid " + field + " array: invalid type: "
	if v.Kind() != value.KindArray {
		return nil, bad + describe(v) + ", expected a sequence"
	}
	out := make([]string, v.Len())
	for i := range out {
		s, ok := v.Index(i).AsStr()
		if !ok {
			return nil, bad + describe(v.Index(i)) + ", expected a string"
		}
		out[i] = s
	}
	return out, ""
}

// describe names a value as the server's decoder does.
func describe(v value.Value) string {
	switch v.Kind() {
	case value.KindNil:
		return "null"
	case value.KindBool:
		return "boolean `" + jsonText(v) + "`"
	case value.KindInt, value.KindUint:
		return "integer `" + jsonText(v) + "`"
	case value.KindFloat:
		f, _ := v.AsFloat()
		digits := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(digits, ".") {
			digits += ".0"
		}
		return "floating point `" + digits + "`"
	case value.KindStr:
		s, _ := v.AsStr()
		return "string " + quote(s)
	case value.KindArray:
		return "sequence"
	case value.KindBytes:
		return "byte array"
	}
	return "map"
}

// quote writes a text between quotes as the server's decoder does.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == 0:
			b.WriteString(`\0`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || (r >= 0x7f && r < 0xa0):
			b.WriteString(`\u{` + strconv.FormatInt(int64(r), 16) + "}")
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// jsonText is the compact JSON text in which the server stores a value.
func jsonText(v value.Value) string {
	b, err := value.AppendSortedJSON(nil, v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// rawText is how a value is stored as it is: text and bytes themselves, any
// other value as its JSON text.
func rawText(v value.Value) string {
	if s, ok := v.AsBlob(); ok {
		return s
	}
	return jsonText(v)
}

// quoted is how the writers that quote text store a value on this face.
func (c *call) quoted(v value.Value) string {
	if c.face == Raw {
		return rawText(v)
	}
	return jsonText(v)
}

// object builds a reply from names and values.
func object(kv ...value.Value) value.Value { return value.Map(kv...) }

var (
	strSuccess = value.Str("success")
	replyDone  = object(strSuccess, value.Bool(true))
)

// member builds a reply of one member.
func member(name string, v value.Value) value.Value { return object(value.Str(name), v) }

func list(keys []string) value.Value {
	items := make([]value.Value, len(keys))
	for i, k := range keys {
		items[i] = value.Str(k)
	}
	return value.Array(items...)
}
