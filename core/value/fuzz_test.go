package value

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzParseMsgpack(f *testing.F) {
	for _, v := range []Value{Nil, Bool(true), Int(-70000), Uint(1 << 63), Float(1.5), Str("a"), BytesOf("\xff"),
		Array(Int(1), Str("b")), Map(Str("k"), Array()), ByteArray("\x00\xff")} {
		f.Add(AppendMsgpack(nil, v))
	}
	f.Add([]byte("\xdd\xff\xff\xff\xff\x01"))
	f.Add([]byte("\xdf\xff\xff\xff\xff\x01"))
	f.Add([]byte("\xca\x7f\xc0\x00\x01"))
	f.Add([]byte(strings.Repeat("\x91", 130)))
	f.Fuzz(func(t *testing.T, in []byte) {
		v, rest, err := ParseMsgpack(string(in))
		if err != nil {
			return
		}
		if !bytes.HasSuffix(in, []byte(rest)) {
			t.Fatalf("the rest %q is not the end of the input", rest)
		}
		form := AppendMsgpack(nil, v)
		again, rest, err := ParseMsgpack(string(form))
		if err != nil || rest != "" || !Equal(again, v) {
			t.Fatalf("% x is not read as it was written: %v", form, err)
		}
		if shorter := len(in) - len(rest); !hasFloat32(in) && len(form) > shorter {
			t.Fatalf("% x is longer than % x", form, in)
		}
		_, _ = AppendJSON(nil, v)
		_, _ = AppendSortedJSON(nil, v)
	})
}

// hasFloat32: a 32-bit float comes out as a 64-bit one.
func hasFloat32(in []byte) bool { return bytes.IndexByte(in, 0xca) >= 0 }

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{"null", "[1,2,255]", `{"a":[1.5,"x\u00e9"],"b":{"a":null}}`, `"\ud83d\ude00"`, "-0", "1e400", "18446744073709551616", "[[[[]]]]",
		`{"a":1,"a":2}`, "[1,02]", "\"\xff\"", `"\ud800"`, "[1e-7,1e21,0.1]", " \t\r\n1 ", "[255,256]", "tru", strings.Repeat("[", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		v, err := ParseJSON(in)
		d := json.NewDecoder(strings.NewReader(in))
		d.UseNumber()
		var reference any
		accepted := d.Decode(&reference) == nil && json.Valid([]byte(in))
		if err != nil {
			// We refuse more than encoding/json: bad UTF-8, lone surrogates, huge
			// numbers, deep nesting.
			if accepted && utf8.ValidString(in) && !strings.Contains(strings.ToLower(in), `\ud`) && !strings.ContainsAny(in, "eE") && len(in) < 300 && strings.Count(in, "[")+strings.Count(in, "{") <= MaxDepth {
				t.Fatalf("%q was refused: %v", in, err)
			}
			return
		}
		if !accepted {
			t.Fatalf("%q was accepted", in)
		}
		same(t, v, reference)
		text, err := AppendJSON(nil, v)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", in, err)
		}
		again, err := ParseJSON(string(text))
		if err != nil || !Equal(again, v) {
			t.Fatalf("%q is written as %q, which is another value: %v", in, text, err)
		}
		sorted, err := AppendSortedJSON(nil, v)
		if err != nil || !json.Valid(sorted) {
			t.Fatalf("%q has no sorted form: %q %v", in, sorted, err)
		}
	})
}

// same compares with what encoding/json made of the same text.
func same(t *testing.T, v Value, reference any) {
	switch want := reference.(type) {
	case nil:
		if !v.IsNil() {
			t.Fatalf("%s for null", v.Kind())
		}
	case bool:
		if got, ok := v.AsBool(); !ok || got != want {
			t.Fatalf("%s for %v", v.Kind(), want)
		}
	case string:
		if got, ok := v.AsStr(); !ok || got != want {
			t.Fatalf("%q for %q", got, want)
		}
	case json.Number:
		if n, ok := v.AsInt(); ok {
			if string(want) != strconv.FormatInt(n, 10) {
				t.Fatalf("%d for %s", n, want)
			}
			return
		}
		if u, ok := v.AsUint(); ok {
			if string(want) != strconv.FormatUint(u, 10) {
				t.Fatalf("%d for %s", u, want)
			}
			return
		}
		got, ok := v.AsFloat()
		f, _ := strconv.ParseFloat(string(want), 64)
		if !ok || math.Float64bits(got) != math.Float64bits(f) {
			t.Fatalf("%v for %s", got, want)
		}
	case []any:
		if v.Kind() != KindArray || v.Len() != len(want) {
			t.Fatalf("%s of %d for an array of %d", v.Kind(), v.Len(), len(want))
		}
		for i := range want {
			same(t, v.Index(i), want[i])
		}
	case map[string]any:
		if v.Kind() != KindMap || v.Len() < len(want) {
			t.Fatalf("%s of %d for an object of %d", v.Kind(), v.Len(), len(want))
		}
		for k, e := range want {
			got, ok := v.Get(k)
			if !ok {
				t.Fatalf("member %q is missing", k)
			}
			same(t, got, e)
		}
	}
}
