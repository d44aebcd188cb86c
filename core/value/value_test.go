package value

import (
	"math"
	"slices"
	"testing"
)

// twins are arrays of integers 0-255 in their two forms.
func twins() [][2]Value {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	var out [][2]Value
	for _, s := range []string{"", "\x00", "\x7f\x80\xff", string(all)} {
		items := make([]Value, len(s))
		for i := range items {
			items[i] = Int(int64(s[i]))
		}
		out = append(out, [2]Value{ByteArray(s), Array(items...)})
	}
	return out
}

func TestPackedArraysBehaveLikeUnpackedOnes(t *testing.T) {
	for _, pair := range twins() {
		p, u := pair[0], pair[1]
		if p.Kind() != KindArray || u.Kind() != KindArray {
			t.Fatalf("kinds %v and %v", p.Kind(), u.Kind())
		}
		if p.Len() != u.Len() {
			t.Errorf("Len: %d and %d", p.Len(), u.Len())
		}
		for i := -1; i <= p.Len(); i++ {
			if !Equal(p.Index(i), u.Index(i)) {
				t.Errorf("Index(%d) differs", i)
			}
		}
		if !slices.EqualFunc(p.Items(), u.Items(), Equal) {
			t.Error("Items differ")
		}
		ps, pok := p.AsByteArray()
		us, uok := u.AsByteArray()
		if ps != us || !pok || !uok {
			t.Errorf("AsByteArray: %q %v and %q %v", ps, pok, us, uok)
		}
		if !Equal(p, u) || !Equal(u, p) {
			t.Error("Equal says they differ")
		}
		if string(AppendMsgpack(nil, p)) != string(AppendMsgpack(nil, u)) {
			t.Error("their MessagePack differs")
		}
		pj, _ := AppendJSON(nil, p)
		uj, _ := AppendJSON(nil, u)
		if string(pj) != string(uj) {
			t.Errorf("their JSON differs: %s and %s", pj, uj)
		}
		for name, f := range map[string]func(Value) bool{
			"AsStr":   func(v Value) bool { _, ok := v.AsStr(); return ok },
			"AsBlob":  func(v Value) bool { _, ok := v.AsBlob(); return ok },
			"AsInt":   func(v Value) bool { _, ok := v.AsInt(); return ok },
			"AsUint":  func(v Value) bool { _, ok := v.AsUint(); return ok },
			"AsFloat": func(v Value) bool { _, ok := v.AsFloat(); return ok },
			"AsBool":  func(v Value) bool { _, ok := v.AsBool(); return ok },
			"Get":     func(v Value) bool { _, ok := v.Get("a"); return ok },
			"IsNil":   Value.IsNil,
		} {
			if f(p) || f(u) {
				t.Errorf("%s takes an array", name)
			}
		}
	}
	if Equal(ByteArray("\x01"), Array(Int(2))) || Equal(ByteArray("\x01"), Array(Float(1))) || Equal(ByteArray("a"), Str("a")) {
		t.Error("a packed array equals something else")
	}
}

func TestAsByteArrayTakesOnlyBytes(t *testing.T) {
	for name, v := range map[string]Value{
		"256": Array(Int(256)), "-1": Array(Int(-1)), "1.0": Array(Float(1)), "text": Array(Str("1")), "nil inside": Array(Int(1), Nil),
		"2^64-1": Array(Uint(math.MaxUint64)), "a text": Str("a"), "bytes": BytesOf("a"), "a map": Map(), "nil": Nil,
	} {
		if _, ok := v.AsByteArray(); ok {
			t.Errorf("%s counts as an array of bytes", name)
		}
	}
}

func TestNumbersAreExact(t *testing.T) {
	if _, ok := Uint(math.MaxInt64 + 1).AsInt(); ok {
		t.Error("2^63 is an int64")
	}
	if n, ok := Uint(math.MaxInt64).AsInt(); !ok || n != math.MaxInt64 || Uint(math.MaxInt64).Kind() != KindInt {
		t.Error("2^63-1 has two forms")
	}
	if _, ok := Int(-1).AsUint(); ok {
		t.Error("-1 is a uint64")
	}
	if u, ok := Uint(math.MaxUint64).AsUint(); !ok || u != math.MaxUint64 {
		t.Error("2^64-1 is no uint64")
	}
	if f, ok := Uint(math.MaxUint64).AsFloat(); !ok || f != 1<<64 {
		t.Error("2^64-1 is not near 2^64")
	}
	if f, ok := Int(-3).AsFloat(); !ok || f != -3 {
		t.Error("-3 is no number")
	}
	if _, ok := Float(1).AsInt(); ok {
		t.Error("1.0 is an integer")
	}
}

func TestEqualTellsKindsApart(t *testing.T) {
	values := []Value{Nil, Bool(false), Bool(true), Int(0), Int(1), Uint(1 << 63), Float(0), Float(math.Copysign(0, -1)), Float(1), Float(math.NaN()),
		Str(""), Str("1"), Bytes(nil), BytesOf("1"), Array(), Array(Nil), Array(Int(1)), ByteArray("12"),
		Map(), Map(Str("a"), Int(1)), Map(Str("a"), Int(2)), Map(Str("a"), Int(1), Str("b"), Int(2)), Map(Str("b"), Int(2), Str("a"), Int(1))}
	for i, a := range values {
		for j, b := range values {
			if Equal(a, b) != (i == j) {
				t.Errorf("Equal of number %d (%s) and %d (%s) is %v", i, a.Kind(), j, b.Kind(), i != j)
			}
		}
	}
}

func TestMapReadsTheLastOfEqualKeys(t *testing.T) {
	m := Map(Str("k"), Int(1), Str("other"), Int(2), Str("k"), Int(3), BytesOf("k"), Int(4))
	if v, ok := m.Get("k"); !ok || !Equal(v, Int(3)) {
		t.Error("not the last pair")
	}
	if _, ok := m.Get("missing"); ok || !m.Field("missing").IsNil() {
		t.Error("found a missing key")
	}
	if m.Len() != 4 {
		t.Errorf("%d pairs", m.Len())
	}
	if k, v := m.Pair(1); !Equal(k, Str("other")) || !Equal(v, Int(2)) {
		t.Error("pair 1 is another")
	}
}

func TestTextOrBytes(t *testing.T) {
	for s, want := range map[string]Kind{"": KindStr, "a\x00é": KindStr, "\xff": KindBytes, "\xed\xa0\x80": KindBytes} {
		if got := TextOrBytes(s).Kind(); got != want {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestBytesAreCopied(t *testing.T) {
	b := []byte("before")
	v := Bytes(b)
	copy(b, "after!")
	if s, _ := v.AsBlob(); s != "before" {
		t.Errorf("the value changed to %q with the slice", s)
	}
}
