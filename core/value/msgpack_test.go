package value

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
)

// intForms are integers on both sides of every MessagePack size, with the length
// of their shortest form.
var intForms = []struct {
	v    Value
	size int
}{
	{Int(0), 1}, {Int(127), 1}, {Int(128), 2}, {Int(255), 2}, {Int(256), 3}, {Int(65535), 3}, {Int(65536), 5},
	{Int(1<<32 - 1), 5}, {Int(1 << 32), 9}, {Int(math.MaxInt64), 9}, {Uint(1 << 63), 9}, {Uint(math.MaxUint64), 9},
	{Int(-1), 1}, {Int(-32), 1}, {Int(-33), 2}, {Int(-128), 2}, {Int(-129), 3}, {Int(-32768), 3}, {Int(-32769), 5},
	{Int(math.MinInt32), 5}, {Int(math.MinInt32 - 1), 9}, {Int(math.MinInt64), 9},
}

func roundTrip(t *testing.T, v Value) string {
	t.Helper()
	form := string(AppendMsgpack(nil, v))
	got, rest, err := ParseMsgpack(form + "rest")
	if err != nil {
		t.Fatalf("% x: %v", clip(form), err)
	}
	if !Equal(got, v) || rest != "rest" {
		t.Fatalf("% x came back as another value (%s for %s, rest %q)", clip(form), got.Kind(), v.Kind(), rest)
	}
	return form
}

func clip(s string) string { return s[:min(len(s), 40)] }

func TestMsgpackIntegersTakeTheShortestForm(t *testing.T) {
	for _, c := range intForms {
		if form := roundTrip(t, c.v); len(form) != c.size {
			t.Errorf("% x is %d bytes, not %d", form, len(form), c.size)
		}
	}
}

// Other writers need not use the shortest form.
func TestMsgpackIntegersInLongerFormsAreTheSameValue(t *testing.T) {
	for form, want := range map[string]int64{
		"\xcc\x05": 5, "\xcd\x00\x05": 5, "\xce\x00\x00\x00\x05": 5, "\xcf\x00\x00\x00\x00\x00\x00\x00\x05": 5,
		"\xd0\x05": 5, "\xd0\xff": -1, "\xd1\x00\x05": 5, "\xd1\xff\xff": -1, "\xd2\xff\xff\xff\xff": -1,
		"\xd3\xff\xff\xff\xff\xff\xff\xff\xff": -1, "\xd3\x00\x00\x00\x00\x00\x00\x00\x05": 5,
	} {
		if got, _, err := ParseMsgpack(form); err != nil || !Equal(got, Int(want)) {
			t.Errorf("% x is not %d: %v", form, want, err)
		}
	}
}

func TestMsgpackHeaderSizes(t *testing.T) {
	ints := func(n int) []Value {
		items := make([]Value, n)
		for i := range items {
			items[i] = Int(1)
		}
		return items
	}
	for _, c := range []struct {
		name   string
		header int
		size   int // of what follows the header
		v      Value
	}{
		{"str 0", 1, 0, Str("")},
		{"str 31", 1, 31, Str(strings.Repeat("a", 31))},
		{"str 32", 2, 32, Str(strings.Repeat("a", 32))},
		{"str 255", 2, 255, Str(strings.Repeat("a", 255))},
		{"str 256", 3, 256, Str(strings.Repeat("a", 256))},
		{"str 65535", 3, 65535, Str(strings.Repeat("a", 65535))},
		{"str 65536", 5, 65536, Str(strings.Repeat("a", 65536))},
		{"bytes 0", 2, 0, Bytes(nil)},
		{"bytes 255", 2, 255, BytesOf(strings.Repeat("\xff", 255))},
		{"bytes 256", 3, 256, BytesOf(strings.Repeat("\xff", 256))},
		{"bytes 65535", 3, 65535, BytesOf(strings.Repeat("\xff", 65535))},
		{"bytes 65536", 5, 65536, BytesOf(strings.Repeat("\xff", 65536))},
		{"array 0", 1, 0, Array()},
		{"array 15", 1, 15, Array(ints(15)...)},
		{"array 16", 3, 16, Array(ints(16)...)},
		{"array 65535", 3, 65535, Array(ints(65535)...)},
		{"array 65536", 5, 65536, Array(ints(65536)...)},
		{"packed array 15", 1, 15, ByteArray(strings.Repeat("\x01", 15))},
		{"packed array 16", 3, 16, ByteArray(strings.Repeat("\x01", 16))},
		{"packed array of 128 and above", 3, 32, ByteArray(strings.Repeat("\xff", 16))},
		{"packed array 65536", 5, 65536, ByteArray(strings.Repeat("\x01", 65536))},
	} {
		if got := len(roundTrip(t, c.v)); got != c.header+c.size {
			t.Errorf("%s: %d bytes, not %d+%d", c.name, got, c.header, c.size)
		}
	}
	for _, pairs := range []int{0, 1, 15, 16, 65535, 65536} {
		header := 1
		if pairs > 15 {
			header = 3
		}
		if pairs > 65535 {
			header = 5
		}
		if got := len(roundTrip(t, Map(ints(2*pairs)...))); got != header+2*pairs {
			t.Errorf("map of %d pairs: %d bytes, not %d+%d", pairs, got, header, 2*pairs)
		}
	}
}

func TestMsgpackKeepsKindsApart(t *testing.T) {
	for _, v := range []Value{
		Nil, Bool(false), Bool(true), Float(0), Float(1), Float(-0.0), Float(math.Copysign(0, -1)), Float(math.Inf(1)), Float(math.NaN()),
		Float(math.SmallestNonzeroFloat64), Str("123"), Str("null"), Bytes([]byte("123")), Str("a\x00b"), Str("日本 🎉"),
		Map(Str("k"), Array(Nil, Bytes([]byte{0xde, 0xad})), Int(3), Map()),
		Map(Str("same"), Int(1), Str("same"), Int(2)), // pairs and their order are kept as they are
	} {
		roundTrip(t, v)
	}
	if v, _, err := ParseMsgpack("\xca\x3f\x80\x00\x00"); err != nil || !Equal(v, Float(1)) {
		t.Errorf("a 32-bit float is not the float 1: %v", err)
	}
	if v, _, err := ParseMsgpack("\xdd\x00\x00\x00\x01\x05"); err != nil || !Equal(v, Array(Int(5))) {
		t.Errorf("an array in a longer form than needed: %v", err)
	}
}

func TestMsgpackRefusesWhatIsCutOff(t *testing.T) {
	whole := string(AppendMsgpack(nil, Array(Int(1<<40), Float(1.5), Str(strings.Repeat("s", 300)), Bytes(make([]byte, 300)),
		Map(Str("k"), Nil), ByteArray(strings.Repeat("\xff", 20)), Int(-70000))))
	for n := range whole {
		if _, _, err := ParseMsgpack(whole[:n]); !errors.Is(err, ErrTruncated) {
			t.Fatalf("cut after %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func TestMsgpackRefusesHostileInput(t *testing.T) {
	for name, c := range map[string]struct {
		form string
		want error
	}{
		"empty":                     {"", ErrTruncated},
		"array of 2^32-1":           {"\xdd\xff\xff\xff\xff\x01", ErrTruncated},
		"map of 2^32-1":             {"\xdf\xff\xff\xff\xff\x01", ErrTruncated},
		"map with half a pair":      {"\x81\x01", ErrTruncated},
		"str of 2^32-1":             {"\xdb\xff\xff\xff\xffabc", ErrTruncated},
		"bytes of 2^32-1":           {"\xc6\xff\xff\xff\xffabc", ErrTruncated},
		"text that is not UTF-8":    {"\xa2\xff\xfe", ErrUTF8},
		"surrogate as UTF-8":        {"\xa3\xed\xa0\x80", ErrUTF8},
		"never used":                {"\xc1", ErrExt},
		"fixext 1":                  {"\xd4\x01\x00", ErrExt},
		"ext 8":                     {"\xc7\x01\x01\x00", ErrExt},
		"ext 32":                    {"\xc9\x00\x00\x00\x01\x01\x00", ErrExt},
		"timestamp":                 {"\xd6\xff\x00\x00\x00\x00", ErrExt},
		"arrays 129 deep":           {strings.Repeat("\x91", 129) + "\xc0", ErrDepth},
		"maps 129 deep":             {strings.Repeat("\x81\xc0", 129) + "\xc0", ErrDepth},
		"empty array on level 129":  {strings.Repeat("\x91", 128) + "\x90", ErrDepth},
		"a million arrays in a row": {strings.Repeat("\x91", 1_000_000), ErrDepth},
	} {
		if _, _, err := ParseMsgpack(c.form); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, _, err := ParseMsgpack(strings.Repeat("\x91", 128) + "\xc0"); err != nil {
		t.Errorf("128 levels are allowed: %v", err)
	}
}

// A header may claim any number of elements; memory follows what is really there.
func TestMsgpackAllocatesForWhatItReads(t *testing.T) {
	claims := map[string]string{
		"one array that claims 100,000 and ends":       "\xdd\x00\x01\x86\xa0" + strings.Repeat("\xc0", 10),
		"arrays in arrays that each claim 50,000":      strings.Repeat("\xdd\x00\x00\xc3\x50", 20_000),
		"maps in maps that each claim 30,000 pairs":    strings.Repeat("\xdf\x00\x00\x75\x30", 20_000),
		"bytes of 100 MB that are not there":           "\xc6\x05\xf5\xe1\x00",
		"120 levels of arrays that each claim 65,535":  strings.Repeat("\xdc\xff\xff", 120) + strings.Repeat("\xc0", 65_000),
		"an array of a thousand maps of 15 that break": "\xdc\x03\xe8" + strings.Repeat("\x8f\xc0", 2000),
	}
	for name, form := range claims {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := ParseMsgpack(form)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: was accepted", name)
		}
		// 56 bytes an element read, doubled by growth, and some 7 MB for 128 open levels.
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(300*len(form)+8<<20); got > limit {
			t.Errorf("%s: %d bytes of input led to %d bytes of memory", name, len(form), got)
		}
	}
}
