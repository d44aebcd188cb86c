package value

import (
	"errors"
	"math"
	"unicode/utf8"
)

// MaxDepth bounds the nesting of decoded values on every wire.
const MaxDepth = 128

// Errors of ParseMsgpack.
var (
	ErrTruncated = errors.New("value: MessagePack ends in the middle of a value")
	ErrDepth     = errors.New("value: nested deeper than 128 levels")
	ErrUTF8      = errors.New("value: text is not valid UTF-8")
	ErrExt       = errors.New("value: MessagePack type is not supported")
)

// AppendMsgpack appends the MessagePack form of v, with the shortest headers.
func AppendMsgpack(dst []byte, v Value) []byte {
	switch v.kind {
	case KindNil:
		return append(dst, 0xc0)
	case KindBool:
		return append(dst, 0xc2+byte(v.num))
	case KindInt:
		return appendInt(dst, int64(v.num))
	case KindUint:
		return be64(append(dst, 0xcf), v.num)
	case KindFloat:
		return be64(append(dst, 0xcb), v.num)
	case KindStr:
		return AppendMsgpackStr(dst, v.str)
	case KindBytes:
		n := len(v.str)
		switch {
		case n < 1<<8:
			dst = append(dst, 0xc4, byte(n))
		case n < 1<<16:
			dst = append(dst, 0xc5, byte(n>>8), byte(n))
		default:
			dst = be32(append(dst, 0xc6), uint32(n))
		}
		return append(dst, v.str...)
	case KindArray:
		dst = AppendMsgpackArray(dst, v.Len())
		if v.packed {
			for i := 0; i < len(v.str); i++ {
				dst = appendInt(dst, int64(v.str[i]))
			}
			return dst
		}
		for _, e := range v.items {
			dst = AppendMsgpack(dst, e)
		}
		return dst
	default:
		n := len(v.items) / 2
		switch {
		case n < 16:
			dst = append(dst, 0x80|byte(n))
		case n < 1<<16:
			dst = append(dst, 0xde, byte(n>>8), byte(n))
		default:
			dst = be32(append(dst, 0xdf), uint32(n))
		}
		for _, e := range v.items {
			dst = AppendMsgpack(dst, e)
		}
		return dst
	}
}

// AppendMsgpackStr appends s as MessagePack text.
func AppendMsgpackStr(dst []byte, s string) []byte {
	n := len(s)
	switch {
	case n < 32:
		dst = append(dst, 0xa0|byte(n))
	case n < 1<<8:
		dst = append(dst, 0xd9, byte(n))
	case n < 1<<16:
		dst = append(dst, 0xda, byte(n>>8), byte(n))
	default:
		dst = be32(append(dst, 0xdb), uint32(n))
	}
	return append(dst, s...)
}

// AppendMsgpackArray appends the header of an array of n elements.
func AppendMsgpackArray(dst []byte, n int) []byte {
	switch {
	case n < 16:
		return append(dst, 0x90|byte(n))
	case n < 1<<16:
		return append(dst, 0xdc, byte(n>>8), byte(n))
	}
	return be32(append(dst, 0xdd), uint32(n))
}

func appendInt(dst []byte, i int64) []byte {
	switch {
	case i >= 0 && i < 1<<7, i < 0 && i >= -32:
		return append(dst, byte(i))
	case i >= 0 && i < 1<<8:
		return append(dst, 0xcc, byte(i))
	case i >= 0 && i < 1<<16:
		return append(dst, 0xcd, byte(i>>8), byte(i))
	case i >= 0 && i < 1<<32:
		return be32(append(dst, 0xce), uint32(i))
	case i >= 0:
		return be64(append(dst, 0xcf), uint64(i))
	case i >= math.MinInt8:
		return append(dst, 0xd0, byte(i))
	case i >= math.MinInt16:
		return append(dst, 0xd1, byte(i>>8), byte(i))
	case i >= math.MinInt32:
		return be32(append(dst, 0xd2), uint32(i))
	}
	return be64(append(dst, 0xd3), uint64(i))
}

func be32(dst []byte, u uint32) []byte {
	return append(dst, byte(u>>24), byte(u>>16), byte(u>>8), byte(u))
}

func be64(dst []byte, u uint64) []byte {
	return be32(be32(dst, uint32(u>>32)), uint32(u))
}

// ParseMsgpack decodes one value from the start of s and returns it with the
// rest. Text and bytes of the result share the memory of s: convert a received
// buffer to a string once and hand it here. Counts are checked against the
// length of the input before anything is allocated for them.
func ParseMsgpack(s string) (v Value, rest string, err error) {
	p := msgpackParser{s: s}
	v, err = p.value(0)
	return v, p.s, err
}

type msgpackParser struct{ s string }

func (p *msgpackParser) take(n uint64) (string, error) {
	if uint64(len(p.s)) < n {
		return "", ErrTruncated
	}
	b := p.s[:n]
	p.s = p.s[n:]
	return b, nil
}

func (p *msgpackParser) uint(size uint64) (uint64, error) {
	b, err := p.take(size)
	var u uint64
	for i := 0; i < len(b); i++ {
		u = u<<8 | uint64(b[i])
	}
	return u, err
}

func (p *msgpackParser) value(depth int) (Value, error) {
	if len(p.s) == 0 {
		return Nil, ErrTruncated
	}
	c := p.s[0]
	p.s = p.s[1:]
	switch {
	case c < 0x80:
		return Int(int64(c)), nil
	case c < 0x90:
		return p.mapOf(uint64(c&0x0f), depth)
	case c < 0xa0:
		return p.array(uint64(c&0x0f), depth)
	case c < 0xc0:
		return p.text(uint64(c & 0x1f))
	case c >= 0xe0:
		return Int(int64(int8(c))), nil
	}
	switch c {
	case 0xc0:
		return Nil, nil
	case 0xc2, 0xc3:
		return Bool(c == 0xc3), nil
	case 0xc4, 0xc5, 0xc6:
		n, err := p.uint(1 << (c - 0xc4))
		if err != nil {
			return Nil, err
		}
		b, err := p.take(n)
		return BytesOf(b), err
	case 0xca:
		u, err := p.uint(4)
		return Float(float64(math.Float32frombits(uint32(u)))), err
	case 0xcb:
		u, err := p.uint(8)
		return Value{kind: KindFloat, num: u}, err
	case 0xcc, 0xcd, 0xce, 0xcf:
		u, err := p.uint(1 << (c - 0xcc))
		return Uint(u), err
	case 0xd0, 0xd1, 0xd2, 0xd3:
		size := uint64(1) << (c - 0xd0)
		u, err := p.uint(size)
		shift := 64 - 8*size
		return Int(int64(u<<shift) >> shift), err
	case 0xd9, 0xda, 0xdb:
		n, err := p.uint(1 << (c - 0xd9))
		if err != nil {
			return Nil, err
		}
		return p.text(n)
	case 0xdc, 0xdd:
		n, err := p.uint(2 << (c - 0xdc))
		if err != nil {
			return Nil, err
		}
		return p.array(n, depth)
	case 0xde, 0xdf:
		n, err := p.uint(2 << (c - 0xde))
		if err != nil {
			return Nil, err
		}
		return p.mapOf(n, depth)
	}
	return Nil, ErrExt
}

func (p *msgpackParser) text(n uint64) (Value, error) {
	b, err := p.take(n)
	if err == nil && !utf8.ValidString(b) {
		return Nil, ErrUTF8
	}
	return Str(b), err
}

func (p *msgpackParser) items(n uint64, depth int) ([]Value, error) {
	if depth >= MaxDepth {
		return nil, ErrDepth
	}
	// Every element takes at least one byte.
	if n > uint64(len(p.s)) {
		return nil, ErrTruncated
	}
	// A value is 56 bytes, its shortest form one: grow with what was really
	// read, so that a short message cannot ask for a large allocation.
	items := make([]Value, 0, min(n, 1024))
	for ; n > 0; n-- {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}

func (p *msgpackParser) array(n uint64, depth int) (Value, error) {
	items, err := p.items(n, depth)
	return Array(items...), err
}

func (p *msgpackParser) mapOf(n uint64, depth int) (Value, error) {
	items, err := p.items(2*n, depth)
	return Map(items...), err
}
