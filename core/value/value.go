// Package value holds the one dynamic value of libsynap and its MessagePack
// and JSON forms. A Value is what crosses every boundary: host to core, core to
// wire, wire to engine. It is free of reflection and of fmt, so that the WASM
// module stays small.
package value

import (
	"math"
	"unicode/utf8"
)

// Kind is the type of a Value.
type Kind uint8

// The kinds. KindUint is used only for integers above the int64 range, so that
// every integer has exactly one form.
const (
	KindNil Kind = iota
	KindBool
	KindInt
	KindUint
	KindFloat
	KindStr
	KindBytes
	KindArray
	KindMap
)

var kindNames = [...]string{"nil", "bool", "int", "uint", "float", "str", "bytes", "array", "map"}

// String returns the kind's name as error texts use it.
func (k Kind) String() string { return kindNames[k] }

// Value is an immutable dynamic value. The zero Value is nil.
//
// An array of integers 0-255 may be held packed (one byte an element): that is
// how byte arrays travel in the JSON envelope, and unpacked they would cost 56
// bytes an element. Packed and unpacked arrays behave alike.
type Value struct {
	kind   Kind
	packed bool
	num    uint64  // bool, int, uint, float bits
	str    string  // str, bytes, packed array
	items  []Value // array elements, or map as key, value, key, value …
}

// Nil is the nil Value.
var Nil = Value{}

// Bool returns a boolean Value.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Int returns an integer Value.
func Int(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// Uint returns an integer Value for the whole uint64 range.
func Uint(u uint64) Value {
	if u <= math.MaxInt64 {
		return Int(int64(u))
	}
	return Value{kind: KindUint, num: u}
}

// Float returns a float Value; its bits are kept.
func Float(f float64) Value { return Value{kind: KindFloat, num: math.Float64bits(f)} }

// Str returns a text Value.
func Str(s string) Value { return Value{kind: KindStr, str: s} }

// Bytes returns a bytes Value that holds a copy of b.
func Bytes(b []byte) Value { return Value{kind: KindBytes, str: string(b)} }

// BytesOf returns a bytes Value over the bytes of s without copying.
func BytesOf(s string) Value { return Value{kind: KindBytes, str: s} }

// Array returns an array Value that owns items.
func Array(items ...Value) Value { return Value{kind: KindArray, items: items} }

// ByteArray returns the array of the integers in s (each byte one element),
// without copying.
func ByteArray(s string) Value { return Value{kind: KindArray, packed: true, str: s} }

// Map returns a map Value that owns kv: key, value, key, value. Order is kept.
func Map(kv ...Value) Value { return Value{kind: KindMap, items: kv} }

// Kind returns the value's kind.
func (v Value) Kind() Kind { return v.kind }

// IsNil reports whether v is nil.
func (v Value) IsNil() bool { return v.kind == KindNil }

// AsBool returns the boolean, and whether v is one.
func (v Value) AsBool() (bool, bool) { return v.kind == KindBool && v.num != 0, v.kind == KindBool }

// AsInt returns the integer, and whether v is one within the int64 range.
func (v Value) AsInt() (int64, bool) {
	if v.kind != KindInt {
		return 0, false
	}
	return int64(v.num), true
}

// AsUint returns the integer, and whether v is one that is not negative.
func (v Value) AsUint() (uint64, bool) {
	if v.kind == KindUint || (v.kind == KindInt && int64(v.num) >= 0) {
		return v.num, true
	}
	return 0, false
}

// AsFloat returns the number as a float64, and whether v is a number.
func (v Value) AsFloat() (float64, bool) {
	switch v.kind {
	case KindFloat:
		return math.Float64frombits(v.num), true
	case KindInt:
		return float64(int64(v.num)), true
	case KindUint:
		return float64(v.num), true
	}
	return 0, false
}

// AsStr returns the text, and whether v is text.
func (v Value) AsStr() (string, bool) {
	if v.kind != KindStr {
		return "", false
	}
	return v.str, true
}

// AsBlob returns the content of a text or bytes value as a string of raw bytes.
func (v Value) AsBlob() (string, bool) {
	if v.kind != KindStr && v.kind != KindBytes {
		return "", false
	}
	return v.str, true
}

// AsByteArray returns the elements of an array of integers 0-255 as raw bytes,
// and whether v is such an array.
func (v Value) AsByteArray() (string, bool) {
	if v.kind != KindArray {
		return "", false
	}
	if v.packed {
		return v.str, true
	}
	b := make([]byte, len(v.items))
	for i, e := range v.items {
		n, ok := e.AsInt()
		if !ok || n < 0 || n > 255 {
			return "", false
		}
		b[i] = byte(n)
	}
	return string(b), true
}

// Len is the number of elements of an array or pairs of a map, or the length in
// bytes of text or bytes; 0 for every other kind.
func (v Value) Len() int {
	switch {
	case v.kind == KindMap:
		return len(v.items) / 2
	case v.kind == KindArray && !v.packed:
		return len(v.items)
	}
	return len(v.str)
}

// Index returns element i of an array, or nil when there is none.
func (v Value) Index(i int) Value {
	if v.kind != KindArray || i < 0 || i >= v.Len() {
		return Nil
	}
	if v.packed {
		return Int(int64(v.str[i]))
	}
	return v.items[i]
}

// Items returns the elements of an array. The result must not be changed.
func (v Value) Items() []Value {
	if v.kind != KindArray {
		return nil
	}
	if !v.packed {
		return v.items
	}
	items := make([]Value, len(v.str))
	for i := range items {
		items[i] = Int(int64(v.str[i]))
	}
	return items
}

// Pair returns key and value of pair i of a map.
func (v Value) Pair(i int) (key, val Value) { return v.items[2*i], v.items[2*i+1] }

// Get returns the value of the last pair with the text key, and whether there is
// one. On anything but a map there is none.
func (v Value) Get(key string) (Value, bool) {
	if v.kind != KindMap {
		return Nil, false
	}
	for i := len(v.items) - 2; i >= 0; i -= 2 {
		if k := v.items[i]; k.kind == KindStr && k.str == key {
			return v.items[i+1], true
		}
	}
	return Nil, false
}

// Field returns the value of the last pair with the text key, or nil.
func (v Value) Field(key string) Value {
	f, _ := v.Get(key)
	return f
}

// TextOrBytes returns s as text if it is valid UTF-8 and as bytes otherwise:
// what a reader that did not ask for either gets.
func TextOrBytes(s string) Value {
	if utf8.ValidString(s) {
		return Str(s)
	}
	return BytesOf(s)
}

// Equal reports whether a and b are the same value: same kind, same content,
// maps with the same pairs in the same order.
func Equal(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case KindStr, KindBytes:
		return a.str == b.str
	case KindArray:
		if a.Len() != b.Len() {
			return false
		}
		for i, n := 0, a.Len(); i < n; i++ {
			if !Equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case KindMap:
		if len(a.items) != len(b.items) {
			return false
		}
		for i := range a.items {
			if !Equal(a.items[i], b.items[i]) {
				return false
			}
		}
		return true
	}
	return a.num == b.num
}
