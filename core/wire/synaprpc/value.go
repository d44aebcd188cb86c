package synaprpc

import (
	"math"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

// maxDepth bounds the nesting of values that are read.
const maxDepth = value.MaxDepth

// The kinds of values, in the order in which an index may stand for the tag.
var tags = [...]string{"Null", "Bool", "Int", "Float", "Bytes", "Str", "Array", "Map"}

const (
	tagNull = iota
	tagBool
	tagInt
	tagFloat
	tagBytes
	tagStr
	tagArray
	tagMap
)

// AppendValue appends the tagged form of v. A uint64 above the int64 range has
// none and is sent as a float; commands never hold one.
func AppendValue(dst []byte, v value.Value) []byte {
	switch v.Kind() {
	case value.KindNil:
		return append(dst, "\xa4Null"...)
	case value.KindBool:
		return value.AppendMsgpack(append(dst, "\x81\xa4Bool"...), v)
	case value.KindInt:
		return value.AppendMsgpack(append(dst, "\x81\xa3Int"...), v)
	case value.KindUint, value.KindFloat:
		f, _ := v.AsFloat()
		return value.AppendMsgpack(append(dst, "\x81\xa5Float"...), value.Float(f))
	case value.KindBytes:
		return value.AppendMsgpack(append(dst, "\x81\xa5Bytes"...), v)
	case value.KindStr:
		return value.AppendMsgpack(append(dst, "\x81\xa3Str"...), v)
	case value.KindArray:
		dst = value.AppendMsgpackArray(append(dst, "\x81\xa5Array"...), v.Len())
		for i := range v.Len() {
			dst = AppendValue(dst, v.Index(i))
		}
		return dst
	}
	dst = value.AppendMsgpackArray(append(dst, "\x81\xa3Map"...), v.Len())
	for i := range v.Len() {
		key, val := v.Pair(i)
		dst = AppendValue(append(dst, 0x92), key)
		dst = AppendValue(dst, val)
	}
	return dst
}

// parser reads MessagePack from the start of s.
type parser struct{ s string }

// head returns the first byte, 0xc1 (which MessagePack never uses) at the end.
func (p *parser) head() byte {
	if len(p.s) == 0 {
		return 0xc1
	}
	return p.s[0]
}

// sized reads a big-endian integer of n bytes after the first byte.
func (p *parser) sized(n int) (uint64, bool) {
	if len(p.s) < 1+n {
		return 0, false
	}
	var u uint64
	for i := 1; i <= n; i++ {
		u = u<<8 | uint64(p.s[i])
	}
	p.s = p.s[1+n:]
	return u, true
}

func (p *parser) count(fix, mask, wide byte) (int, bool) {
	c := p.head()
	if c&^mask == fix {
		p.s = p.s[1:]
		return int(c & mask), true
	}
	if wide != 0 && (c == wide || c == wide+1) {
		n, ok := p.sized(2 << (c - wide))
		return int(n), ok
	}
	return 0, false
}

func (p *parser) array() (int, bool)   { return p.count(0x90, 0x0f, 0xdc) }
func (p *parser) mapping() (int, bool) { return p.count(0x80, 0x0f, 0xde) }

func (p *parser) take(n uint64) (string, bool) {
	if n > uint64(len(p.s)) {
		return "", false
	}
	b := p.s[:n]
	p.s = p.s[n:]
	return b, true
}

// text reads UTF-8 text.
func (p *parser) text() (string, bool) {
	c := p.head()
	var n uint64
	switch {
	case c&^0x1f == 0xa0:
		n = uint64(c & 0x1f)
		p.s = p.s[1:]
	case c >= 0xd9 && c <= 0xdb:
		var ok bool
		if n, ok = p.sized(1 << (c - 0xd9)); !ok {
			return "", false
		}
	default:
		return "", false
	}
	s, ok := p.take(n)
	return s, ok && utf8.ValidString(s)
}

func (p *parser) bin() (string, bool) {
	c := p.head()
	if c < 0xc4 || c > 0xc6 {
		return "", false
	}
	n, ok := p.sized(1 << (c - 0xc4))
	if !ok {
		return "", false
	}
	return p.take(n)
}

// int reads an integer of the int64 range in any width.
func (p *parser) int() (int64, bool) {
	c := p.head()
	switch {
	case c < 0x80 || c >= 0xe0:
		if len(p.s) == 0 {
			return 0, false
		}
		p.s = p.s[1:]
		return int64(int8(c)), true
	case c >= 0xcc && c <= 0xcf:
		u, ok := p.sized(1 << (c - 0xcc))
		return int64(u), ok && u <= math.MaxInt64
	case c >= 0xd0 && c <= 0xd3:
		size := 1 << (c - 0xd0)
		u, ok := p.sized(size)
		shift := 64 - 8*size
		return int64(u<<shift) >> shift, ok
	}
	return 0, false
}

func (p *parser) uint32() (uint32, bool) {
	i, ok := p.int()
	return uint32(i), ok && i >= 0 && i <= math.MaxUint32
}

func (p *parser) float() (float64, bool) {
	switch p.head() {
	case 0xca:
		u, ok := p.sized(4)
		return float64(math.Float32frombits(uint32(u))), ok
	case 0xcb:
		u, ok := p.sized(8)
		return math.Float64frombits(u), ok
	}
	i, ok := p.int()
	return float64(i), ok
}

// tag reads the kind of a value by its name or index.
func (p *parser) tag() (int, bool) {
	if i, ok := p.int(); ok {
		return int(i), i >= 0 && i < int64(len(tags))
	}
	name, ok := p.text()
	if !ok {
		return 0, false
	}
	for i, t := range tags {
		if t == name {
			return i, true
		}
	}
	return 0, false
}

// value reads a tagged value.
func (p *parser) value(depth int) (value.Value, error) {
	if depth >= maxDepth {
		return value.Nil, ErrDepth
	}
	n, isMap := p.mapping()
	if !isMap {
		if t, ok := p.tag(); ok && t == tagNull {
			return value.Nil, nil
		}
		return value.Nil, ErrValue
	}
	t, ok := p.tag()
	if !ok || n != 1 {
		return value.Nil, ErrValue
	}
	switch t {
	case tagNull:
		if p.head() == 0xc0 {
			p.s = p.s[1:]
			return value.Nil, nil
		}
	case tagBool:
		if c := p.head(); c == 0xc2 || c == 0xc3 {
			p.s = p.s[1:]
			return value.Bool(c == 0xc3), nil
		}
	case tagInt:
		if i, ok := p.int(); ok {
			return value.Int(i), nil
		}
	case tagFloat:
		if f, ok := p.float(); ok {
			return value.Float(f), nil
		}
	case tagStr:
		s, ok := p.text()
		if !ok {
			s, ok = p.bin()
			ok = ok && utf8.ValidString(s)
		}
		if ok {
			return value.Str(s), nil
		}
	case tagBytes:
		return p.bytes()
	case tagArray:
		if n, ok := p.array(); ok && n <= len(p.s) {
			return p.items(n, depth)
		}
	case tagMap:
		if n, ok := p.array(); ok && n <= len(p.s) {
			return p.pairs(n, depth)
		}
	}
	return value.Nil, ErrValue
}

// bytes reads the bytes of a value: a bin, a text, or a list of small integers.
func (p *parser) bytes() (value.Value, error) {
	if s, ok := p.bin(); ok {
		return value.BytesOf(s), nil
	}
	if s, ok := p.text(); ok {
		return value.BytesOf(s), nil
	}
	n, ok := p.array()
	if !ok || n > len(p.s) {
		return value.Nil, ErrValue
	}
	b := make([]byte, n)
	for i := range b {
		c, ok := p.int()
		if !ok || c < 0 || c > 255 {
			return value.Nil, ErrValue
		}
		b[i] = byte(c)
	}
	return value.Bytes(b), nil
}

// items reads n values. A value takes two bytes at least, in memory 56: the list
// grows with what was really read.
func (p *parser) items(n, depth int) (value.Value, error) {
	items := make([]value.Value, 0, min(n, 1024))
	for range n {
		v, err := p.value(depth + 1)
		if err != nil {
			return value.Nil, err
		}
		items = append(items, v)
	}
	return value.Array(items...), nil
}

func (p *parser) pairs(n, depth int) (value.Value, error) {
	items := make([]value.Value, 0, 2*min(n, 1024))
	for range n {
		if two, ok := p.array(); !ok || two != 2 {
			return value.Nil, ErrValue
		}
		for range 2 {
			v, err := p.value(depth + 1)
			if err != nil {
				return value.Nil, err
			}
			items = append(items, v)
		}
	}
	return value.Map(items...), nil
}
