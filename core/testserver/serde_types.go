package testserver

import (
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// The types of members, as readers.

func anyJSON(d *decoder) (value.Value, error) { return d.p.Value() }

func str(d *decoder) (value.Value, error) {
	if d.p.Peek() != '"' {
		return value.Nil, d.wrongType("a string")
	}
	s, err := d.p.Text()
	return value.Str(s), err
}

func boolean(d *decoder) (value.Value, error) {
	if c := d.p.Peek(); c != 't' && c != 'f' {
		return value.Nil, d.wrongType("a boolean")
	}
	return d.p.Value()
}

// The unsigned numbers, named as the texts name them.
var (
	u8    = unsigned("u8", 8)
	u16   = unsigned("u16", 16)
	u32   = unsigned("u32", 32)
	u64   = unsigned("u64", 64)
	usize = unsigned("usize", 64)
)

func unsigned(name string, bits int) reader {
	return func(d *decoder) (value.Value, error) {
		v, err := d.integer(name)
		if err != nil {
			return value.Nil, err
		}
		if u, ok := v.AsUint(); !ok || (bits < 64 && u>>bits != 0) {
			return value.Nil, d.wrongHere("invalid value: " + describe(v) + ", expected " + name)
		}
		return v, nil
	}
}

// number reads a number for a type of that name.
func (d *decoder) number(name string) (value.Value, error) {
	if c := d.p.Peek(); c != '-' && (c < '0' || c > '9') {
		return value.Nil, d.wrongType(name)
	}
	return d.p.Value()
}

func (d *decoder) integer(name string) (value.Value, error) {
	v, err := d.number(name)
	if err == nil && v.Kind() == value.KindFloat {
		return value.Nil, d.wrongHere("invalid type: " + describe(v) + ", expected " + name)
	}
	return v, err
}

func i64(d *decoder) (value.Value, error) {
	v, err := d.integer("i64")
	if err != nil {
		return value.Nil, err
	}
	if _, ok := v.AsInt(); !ok {
		return value.Nil, d.wrongHere("invalid value: " + describe(v) + ", expected i64")
	}
	return v, nil
}

func f64(d *decoder) (value.Value, error) { return d.number("f64") }

func list(element reader) reader {
	return func(d *decoder) (value.Value, error) {
		if d.p.Peek() != '[' {
			return value.Nil, d.wrongType("a sequence")
		}
		var items []value.Value
		err := d.list(func(i int) error {
			v, err := element(d)
			items = append(items, v)
			return within(err, "["+strconv.Itoa(i)+"]")
		})
		return value.Array(items...), err
	}
}

// tuple reads a list of a fixed length.
func tuple(elements ...reader) reader {
	expected := "a tuple of size " + strconv.Itoa(len(elements))
	return func(d *decoder) (value.Value, error) {
		if d.p.Peek() != '[' {
			return value.Nil, d.wrongType(expected)
		}
		var items []value.Value
		err := d.list(func(i int) error {
			if i >= len(elements) {
				return d.syntax("trailing characters")
			}
			v, err := elements[i](d)
			items = append(items, v)
			return within(err, "["+strconv.Itoa(i)+"]")
		})
		if err == nil && len(items) < len(elements) {
			err = d.wrongHere("invalid length " + strconv.Itoa(len(items)) + ", expected " + expected)
		}
		return value.Array(items...), err
	}
}

var bytesOneByOne = list(u8)

// byteList reads a list of integers 0-255: at once if it is one, else element by
// element to find out which is not.
func byteList(d *decoder) (value.Value, error) {
	if d.p.Peek() == '[' {
		start := d.p.Pos
		if v, err := d.p.Value(); err == nil {
			if s, ok := v.AsByteArray(); ok {
				return value.ByteArray(s), nil
			}
		}
		d.p.Pos = start
	}
	return bytesOneByOne(d)
}

// textMap reads an object whose members are all text.
func textMap(d *decoder) (value.Value, error) {
	if d.p.Peek() != '{' {
		return value.Nil, d.wrongType("a map")
	}
	var items []value.Value
	err := d.p.Object(func(key string) error {
		v, err := str(d)
		items = append(items, value.Str(key), v)
		return within(err, key)
	})
	return value.Map(items...), d.leave(err, '}')
}

// nested reads an object of a shape; the value has the members that were there.
func nested(s *shape) reader {
	return func(d *decoder) (value.Value, error) {
		out := make([]value.Value, len(s.fields))
		seen, err := s.decode(d, out)
		if err != nil {
			return value.Nil, err
		}
		var items []value.Value
		for i := range s.fields {
			if seen.has(i) {
				items = append(items, value.Str(s.fields[i].name), out[i])
			}
		}
		return value.Map(items...), nil
	}
}

// variant reads the name of one of a few alternatives.
func variant(names ...string) reader {
	expected := ""
	for i, n := range names {
		if i > 0 {
			expected += ", "
		}
		expected += "`" + n + "`"
	}
	return func(d *decoder) (value.Value, error) {
		v, err := str(d)
		if err != nil {
			return v, err
		}
		s, _ := v.AsStr()
		for _, n := range names {
			if s == n {
				return v, nil
			}
		}
		return v, d.wrongHere("unknown variant `" + s + "`, expected one of " + expected)
	}
}

// isUint reports whether s is an unsigned number of so many bits.
func isUint(s string, bits int) bool {
	_, err := strconv.ParseUint(s, 10, bits)
	return err == nil
}

// isNumber reports whether s is a number of a kind such as u64 or i64.
func isNumber(s, kind string, bits int) bool {
	if kind[0] == 'i' {
		_, err := strconv.ParseInt(s, 10, bits)
		return err == nil
	}
	return isUint(s, bits)
}

// parseNumber returns the number that s spells, nil if it spells none.
func parseNumber(s string) value.Value {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return value.Int(n)
	}
	return parseUint(s)
}

// parseUint returns the number that s spells, nil if it spells none.
func parseUint(s string) value.Value {
	u, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return value.Nil
	}
	return value.Uint(u)
}
