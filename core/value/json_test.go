package value

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
)

func appended(t *testing.T, v Value) string {
	t.Helper()
	b, err := AppendJSON(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The forms of protocol http-data, "How a JSON value becomes bytes, and back".
func TestNumbersHaveTheServersForm(t *testing.T) {
	for in, want := range map[string]string{
		"1.0": "1.0", "1.10": "1.1", "1E5": "100000.0", "-0.0": "-0.0", "-0": "-0.0", "0": "0", "0.0": "0.0", "0e5": "0.0", "-0e-5": "-0.0",
		"1e-5": "0.00001", "0.00001": "0.00001", "9.999e-6": "9.999e-6", "1e-6": "1e-6", "1e-7": "1e-7", "-1.5e-10": "-1.5e-10",
		"9007199254740993.0": "9007199254740992.0", "9999999999999998.0": "9999999999999998.0", "1e15": "1000000000000000.0",
		"1e16": "1e+16", "10000000000000000.0": "1e+16", "1e21": "1e+21", "1.5e300": "1.5e+300", "1e-100": "1e-100",
		"18446744073709551616":   "1.8446744073709552e+19", // 2^64
		"18446744073709551615":   "18446744073709551615",
		"9223372036854775807":    "9223372036854775807",
		"9223372036854775808":    "9223372036854775808",
		"-9223372036854775808":   "-9223372036854775808",
		"-9223372036854775809":   "-9.223372036854776e+18",
		"9007199254740993":       "9007199254740993",
		"123456789012345678901":  "1.2345678901234568e+20",
		"1e-400":                 "0.0",
		"5e-324":                 "5e-324",
		"1.7976931348623157e308": "1.7976931348623157e+308",
		"0.1":                    "0.1", "100": "100", "1.0e0": "1.0", "3.14159": "3.14159",
	} {
		v, err := ParseJSON(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := appended(t, v); got != want {
			t.Errorf("%s becomes %s, not %s", in, got, want)
		}
	}
}

func TestParsedNumbersHaveExactKinds(t *testing.T) {
	for in, want := range map[string]Value{
		"5": Int(5), "-5": Int(-5), "5.0": Float(5), "5e0": Float(5), "18446744073709551615": Uint(math.MaxUint64),
		"-9223372036854775808": Int(math.MinInt64), "-0": Float(math.Copysign(0, -1)), " 7\n": Int(7),
	} {
		if got, err := ParseJSON(in); err != nil || !Equal(got, want) {
			t.Errorf("%s: %v %v", in, got.Kind(), err)
		}
	}
}

func TestStringsRoundTrip(t *testing.T) {
	for in, want := range map[string]string{ // JSON in, text out
		`""`: "", `"a\"b\\c\/d"`: `a"b\c/d`, `"\b\f\n\r\t"`: "\b\f\n\r\t", `"\u0000\u001f\u007f"`: "\x00\x1f\x7f",
		`"é\u00e9\u00E9"`: "ééé", `"\ud83d\ude00"`: "😀", `"😀"`: "😀", `"\ud83d\ude00\ud83d\ude00"`: "😀😀", `"\uffff\ufffd"`: "\uffff\ufffd",
		"\"\u2028\u2029<>&\"": "\u2028\u2029<>&", "\"\x7f\"": "\x7f",
	} {
		v, err := ParseJSON(in)
		if s, _ := v.AsStr(); err != nil || s != want {
			t.Errorf("%s is %q, %v", in, s, err)
		}
		again, err := ParseJSON(appended(t, Str(want)))
		if s, _ := again.AsStr(); err != nil || s != want {
			t.Errorf("%q does not survive: %q, %v", want, s, err)
		}
	}
}

// Short escapes, other controls as \u00xx in lower case, everything else as it is.
func TestStringsHaveTheServersEscapes(t *testing.T) {
	if got, want := appended(t, Str("\b\f\n\r\t\"\\/\x00\x1f\x7f é😀\u2028")), `"\b\f\n\r\t\"\\/\u0000\u001f`+"\x7f é😀\u2028"+`"`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestParseJSONRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing": "", "white space": " \n", "a word": "nul", "another word": "nope", "capitals": "True", "NaN": "NaN", "Infinity": "Infinity",
		"a leading zero": "01", "a minus": "-", "minus zero one": "-01", "a plus": "+1", "a dot": "1.", "a leading dot": ".5", "an e": "1e", "e plus": "1e+",
		"a hex number": "0x10", "1e400": "1e400", "-1e400": "-1e400",
		"a single quote": "'a'", "an open string": `"a`, "an escape at the end": `"\`, "an unknown escape": `"\x"`, "half a \\u": `"\u12"`, "a bad \\u": `"\u12g4"`,
		"a signed \\u": `"\u+123"`, "a lone high surrogate": `"\ud800"`, "a lone low surrogate": `"\udc00"`, "high and high": `"\ud800\ud800"`,
		"high and text": `"\ud800abcdefg"`, "a raw newline": "\"a\nb\"", "a raw NUL": "\"a\x00b\"", "a raw tab after an escape": "\"\\n\t\"",
		"bad UTF-8": "\"\xff\"", "bad UTF-8 after an escape": "\"\\n\xff\"", "an encoded surrogate": "\"\xed\xa0\x80\"", "a BOM": "\ufeff1",
		"two values": "1 2", "a value and a bracket": "1]", "an open array": "[1", "an open array of text": `["a"`, "a comma at the end": "[1,]", "a comma alone": "[,]",
		"no comma": "[1 2]", "an open object": `{"a":1`, "no colon": `{"a" 1}`, "no value": `{"a":}`, "a number as key": "{1:2}", "a comma in an object": `{"a":1,}`, "an open key": `{"a`, "a brace": "{",
		"brackets that do not match": "[1}", "a comment": "1 // one", "a NUL after the value": "1\x00", "a NUL in a list": "[1\x00]",
	} {
		if v, err := ParseJSON(in); err == nil {
			t.Errorf("%s was read as %s", name, v.Kind())
		} else if e := new(JSONError); !errors.As(err, &e) || e.Line < 1 {
			t.Errorf("%s: %v says no place", name, err)
		}
	}
}

func TestJSONErrorsNameThePlace(t *testing.T) {
	for in, want := range map[string]string{
		"1 2":           "trailing characters at line 1 column 3",
		"[1,\n2,\nx]":   "expected value at line 3 column 1",
		"[1,]":          "trailing comma at line 1 column 4",
		`{"a":1 "b":2}`: "expected `,` or `}` at line 1 column 8",
		"":              "EOF while parsing a value at line 1 column 0",
	} {
		if _, err := ParseJSON(in); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

func TestJSONDepthIsBounded(t *testing.T) {
	nested := func(open, middle, shut string, n int) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(shut, n)
	}
	for name, c := range map[string]struct {
		in string
		ok bool
	}{
		"128 arrays":                {nested("[", "", "]", 128), true},
		"129 arrays":                {nested("[", "", "]", 129), false},
		"128 arrays, bytes inside":  {nested("[", "1,2", "]", 128), true},
		"129 arrays, bytes inside":  {nested("[", "1,2", "]", 129), false},
		"128 objects":               {nested(`{"a":`, "1", "}", 128), true},
		"129 objects":               {nested(`{"a":`, "1", "}", 129), false},
		"a million open arrays":     {strings.Repeat("[", 1_000_000), false},
		"many arrays, but not deep": {"[" + strings.Repeat("[[[]]],", 10_000) + "1]", true},
	} {
		if _, err := ParseJSON(c.in); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestByteArraysAreReadPacked(t *testing.T) {
	for in, want := range map[string]Value{
		"[0]": ByteArray("\x00"), "[255, 0 ,7]": ByteArray("\xff\x00\x07"), " [ 1 ] ": ByteArray("\x01"), "[]": Array(),
		"[256]": Array(Int(256)), "[1,256]": Array(Int(1), Int(256)), "[-1]": Array(Int(-1)), "[1.0]": Array(Float(1)), "[1e2]": Array(Float(100)),
		`[1,"a"]`: Array(Int(1), Str("a")), "[1,[2]]": Array(Int(1), Array(Int(2))), "[1,null]": Array(Int(1), Nil), "[1000000000000]": Array(Int(1_000_000_000_000)),
	} {
		got, err := ParseJSON(in)
		if err != nil || !Equal(got, want) {
			t.Errorf("%s: %v", in, err)
		}
		if again, err := ParseJSON(appended(t, got)); err != nil || !Equal(again, want) {
			t.Errorf("%s does not survive: %v", in, err)
		}
	}
	for _, in := range []string{"[01]", "[1,02]", "[00]", "[1,]", "[1", "[1,", "[1 1]"} {
		if _, err := ParseJSON(in); err == nil {
			t.Errorf("%s was read", in)
		}
	}
}

// A byte array costs a byte an element: a queue payload of 500 kB must not become
// 28 MB on its way.
func TestByteArraysStaySmall(t *testing.T) {
	text := "[" + strings.Repeat("7,", 500_000) + "7]"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	v, err := ParseJSON(text)
	runtime.ReadMemStats(&after)
	if err != nil || v.Len() != 500_001 {
		t.Fatal(v.Len(), err)
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	if allocated > 4<<20 {
		t.Errorf("%d bytes for 500,001 elements", allocated)
	}
}

func TestAppendJSONRefusesWhatJSONCannotCarry(t *testing.T) {
	for name, c := range map[string]struct {
		v    Value
		want error
	}{
		"bytes":           {BytesOf("\xff"), ErrJSONBytes},
		"bad text":        {Str("\xff"), ErrJSONBytes},
		"deep bytes":      {Map(Str("a"), Array(BytesOf("\xde\xad\xbe\xef"))), ErrJSONBytes},
		"a bad key":       {Map(Str("\xff"), Nil), ErrJSONBytes},
		"NaN":             {Float(math.NaN()), ErrJSONFloat},
		"an infinity":     {Array(Float(math.Inf(-1))), ErrJSONFloat},
		"an integer key":  {Map(Int(1), Nil), ErrJSONKey},
		"a key of bytes":  {Map(BytesOf("a"), Nil), ErrJSONKey},
		"a nil key":       {Map(Nil, Nil), ErrJSONKey},
		"a key among two": {Map(Str("a"), Nil, Bool(true), Nil), ErrJSONKey},
	} {
		if _, err := AppendJSON(nil, c.v); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := AppendSortedJSON(nil, c.v); !errors.Is(err, c.want) {
			t.Errorf("%s, sorted: %v", name, err)
		}
	}
	if got := appended(t, BytesOf("text")); got != `"text"` {
		t.Errorf("bytes that are text: %s", got)
	}
}

func TestMapsKeepTheirOrderUnlessSorted(t *testing.T) {
	v, err := ParseJSON(`{"b":1,"a":{"z":1,"y":[{"d":1,"c":2}]},"b":2,"é":3,"B":4,"a":5,"":6}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := appended(t, v), `{"b":1,"a":{"z":1,"y":[{"d":1,"c":2}]},"b":2,"é":3,"B":4,"a":5,"":6}`; got != want {
		t.Errorf("%s", got)
	}
	sorted, err := AppendSortedJSON([]byte("x"), v)
	if want := `x{"":6,"B":4,"a":5,"b":2,"é":3}`; err != nil || string(sorted) != want {
		t.Errorf("%s, %v", sorted, err)
	}
	nested, _ := ParseJSON(`[{"b":{"d":1,"c":[{"f":1,"e":2}]},"a":1}]`)
	sorted, err = AppendSortedJSON(nil, nested)
	if want := `[{"a":1,"b":{"c":[{"e":2,"f":1}],"d":1}}]`; err != nil || string(sorted) != want {
		t.Errorf("%s, %v", sorted, err)
	}
	if b, _ := AppendJSON(nil, nested); string(b) != `[{"b":{"d":1,"c":[{"f":1,"e":2}]},"a":1}]` {
		t.Errorf("sorting changed the value: %s", b)
	}
}

func TestParserReadsPieceByPiece(t *testing.T) {
	p := Parser{S: ` {"skip":[1,{"a":2}],"take":"text","n":7} tail`}
	var got []string
	err := p.Object(func(key string) error {
		if key == "take" {
			s, err := p.Text()
			got = append(got, key+"="+s)
			return err
		}
		v, err := p.Value()
		got = append(got, key+":"+v.Kind().String())
		return err
	})
	if err != nil || strings.Join(got, " ") != "skip:array take=text n:int" {
		t.Errorf("%v, %v", got, err)
	}
	if err := p.End(); err == nil {
		t.Error("the tail went unnoticed")
	}
	for _, in := range []string{"[]", "1", "", `"a"`} {
		p := Parser{S: in}
		if err := p.Object(func(string) error { return nil }); err == nil {
			t.Errorf("%q is an object", in)
		}
	}
	p = Parser{S: "7"}
	if _, err := p.Text(); err == nil {
		t.Error("7 is a text")
	}
}
