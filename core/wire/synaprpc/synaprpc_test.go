package synaprpc

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// recorded returns the bytes of a field of all recorded steps.
func recorded(tb testing.TB, field string) [][]byte {
	files, _ := filepath.Glob("../../../tests/vectors/synaprpc-*.json")
	if len(files) == 0 {
		tb.Fatal("no recordings")
	}
	var all [][]byte
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		var file struct {
			Cases []struct{ Steps []map[string]any }
		}
		if err := json.Unmarshal(text, &file); err != nil {
			tb.Fatal(err)
		}
		for _, c := range file.Cases {
			for _, s := range c.Steps {
				if h, ok := s[field].(string); ok {
					if b, err := hex.DecodeString(h); err == nil {
						all = append(all, b)
					}
				}
			}
		}
	}
	return all
}

// What the recorded server sent comes out of our writers unchanged.
func TestRecordedReplies(t *testing.T) {
	n := 0
	for _, b := range recorded(t, "recv_hex") {
		for len(b) > 4 {
			size, err := Size(b, MaxBody)
			if err != nil || size == 0 || size > len(b) {
				t.Fatalf("%x: %v", b, err)
			}
			r, err := ParseReply(string(b[4:size]))
			if err != nil {
				t.Fatalf("%x: %v", b, err)
			}
			again := AppendReply(nil, r.ID, r.Value)
			if r.Failed {
				again = AppendFailure(nil, r.ID, r.Err)
			}
			if string(again) != string(b[:size]) {
				t.Errorf("%x came out as %x", b[:size], again)
			}
			b = b[size:]
			n++
		}
	}
	if n < 200 {
		t.Errorf("only %d replies", n)
	}
}

func TestValues(t *testing.T) {
	for _, v := range []value.Value{
		value.Nil, value.Bool(true), value.Bool(false), value.Int(0), value.Int(-1), value.Int(math.MaxInt64), value.Int(math.MinInt64), value.Int(1 << 40),
		value.Float(2.5), value.Float(math.Inf(-1)), value.Str(""), value.Str("äöü"), value.BytesOf("\xff\x00"), value.BytesOf(strings.Repeat("x", 70_000)),
		value.Array(), value.Array(value.Int(1), value.Nil, value.Array(value.Str("x"))), value.Map(value.Int(1), value.BytesOf("a"), value.Str("b"), value.Nil),
	} {
		r, err := ParseReply(string(AppendReply(nil, 7, v)[4:]))
		if err != nil || !value.Equal(r.Value, v) || r.ID != 7 {
			t.Errorf("%v came out as %v, %v", v.Kind(), r.Value.Kind(), err)
		}
	}
}

// The server reads requests more leniently than it writes (protocol: synaprpc 2, 3).
func TestLenientRequests(t *testing.T) {
	for name, h := range map[string]string{
		"array": "9301a450494e4790", "by name": "83a26964 01 a7636f6d6d616e64 a450494e47 a461726773 90", "by place": "8300010 1a450494e470290",
		"wide headers": "dc0003 ce00000001 d90450494e47 dc0000", "name as bytes": "9301c40450494e4790",
		"unknown member": "84a178c0 a26964 01 a7636f6d6d616e64 a450494e47 a461726773 90",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(h, " ", ""))
		if err != nil {
			t.Fatal(name, err)
		}
		if r, err := ParseRequest(string(b)); err != nil || r.ID != 1 || r.Name != "PING" || len(r.Args) != 0 {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
	for name, h := range map[string]string{
		"two": "9201a450494e47", "four": "9401a450494e479090", "nil args": "9301a450494e47c0", "negative id": "93ffa450494e4790", "float id": "93cb3ff0000000000000a450494e4790", "bare value": "9301a450494e4791a178", "nothing": "", "twice": "83a2696401a2696402a461726773 90",
	} {
		b, _ := hex.DecodeString(strings.ReplaceAll(h, " ", ""))
		if r, err := ParseRequest(string(b)); err == nil {
			t.Errorf("%s: read as %+v", name, r)
		}
	}
}

func TestSizes(t *testing.T) {
	prefix := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
	if n, err := Size(prefix(0), 10); err != ErrEmptyFrame || n != 0 {
		t.Error(n, err)
	}
	if n, err := Size(prefix(11), 10); err != ErrFrameSize || n != 0 {
		t.Error(n, err)
	}
	if n, err := Size(prefix(10), 10); err != nil || n != 14 {
		t.Error(n, err)
	}
	if n, err := Size([]byte{1, 0, 0}, 10); err != nil || n != 0 {
		t.Error(n, err)
	}
}

// A short message cannot ask for a large allocation or a deep recursion.
func TestBounds(t *testing.T) {
	deep := strings.Repeat("\x81\xa5Array\x91", 200) + "\xa4Null"
	for name, s := range map[string]string{
		"many items": "\x92\x01\x81\xa2Ok\x81\xa5Array\xdd\xff\xff\xff\xff", "many pairs": "\x92\x01\x81\xa2Ok\x81\xa3Map\xdd\xff\xff\xff\xff",
		"long bytes": "\x92\x01\x81\xa2Ok\x81\xa5Bytes\xc6\xff\xff\xff\xff", "deep": "\x92\x01\x81\xa2Ok" + deep,
	} {
		if allocated := testing.AllocsPerRun(1, func() {
			if _, err := ParseReply(s); err == nil {
				t.Errorf("%s: read", name)
			}
		}); allocated > 1000 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
	}
}

func FuzzParseReply(f *testing.F) {
	for _, b := range recorded(f, "recv_hex") {
		if len(b) > 4 {
			f.Add(b[4:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReply(string(b))
		if err != nil || r.Failed {
			return
		}
		again, err := ParseReply(string(AppendReply(nil, r.ID, r.Value)[4:]))
		if err != nil || again.ID != r.ID || again.Value.Kind() != r.Value.Kind() {
			t.Errorf("%x: does not survive: %v", b, err)
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	for _, b := range recorded(f, "send_hex") {
		if len(b) > 4 {
			f.Add(b[4:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRequest(string(b))
		if err != nil {
			return
		}
		frame := AppendRequest(nil, r.ID, AppendBody(nil, strings.ToValidUTF8(r.Name, "?"), r.Args))
		if again, err := ParseRequest(string(frame[4:])); err != nil || again.ID != r.ID || len(again.Args) != len(r.Args) {
			t.Errorf("%x: does not survive: %v", b, err)
		}
	})
}
