package resp3

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// recorded returns the texts of a field of all recorded steps.
func recorded(tb testing.TB, field string) []string {
	files, _ := filepath.Glob("../../../tests/vectors/resp3-*.json")
	if len(files) == 0 {
		tb.Fatal("no recordings")
	}
	var all []string
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
				if raw, ok := s[field].(string); ok {
					all = append(all, raw)
				}
			}
		}
	}
	return all
}

// The end of each recorded reply is found, however it arrives.
func TestScanner(t *testing.T) {
	n := 0
	for _, raw := range recorded(t, "recv_raw") {
		var whole, pieces Scanner
		size, err := whole.Scan([]byte(raw), 1<<20)
		if err != nil || size == 0 {
			t.Errorf("%q: %d %v", raw, size, err)
			continue
		}
		for i := 1; i < size; i++ {
			if n, err := pieces.Scan([]byte(raw[:i]), 1<<20); n != 0 || err != nil {
				t.Fatalf("%q: over after %d: %d %v", raw, i, n, err)
			}
		}
		if n, err := pieces.Scan([]byte(raw), 1<<20); n != size || err != nil {
			t.Errorf("%q: %d %v, whole %d", raw, n, err, size)
		}
		if _, err := Parse(raw[:size]); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
		n++
	}
	if n < 200 {
		t.Errorf("only %d replies", n)
	}
}

func TestReplies(t *testing.T) {
	for s, want := range map[string]value.Value{
		"+OK\r\n": value.Str("OK"), ":-7\r\n": value.Int(-7), "$0\r\n\r\n": value.Str(""), "$2\r\n\xff\n\r\n": value.BytesOf("\xff\n"), "_\r\n": value.Nil, "$-1\r\n": value.Nil, "*-1\r\n": value.Nil,
		"*2\r\n:1\r\n_\r\n": value.Array(value.Int(1), value.Nil), "%1\r\n+a\r\n:1\r\n": value.Map(value.Str("a"), value.Int(1)), "~1\r\n:1\r\n": value.Array(value.Int(1)),
		",inf\r\n": value.Float(math.Inf(1)), ",2.5\r\n": value.Float(2.5), "#t\r\n": value.Bool(true), "(123456789012345678901\r\n": value.Str("123456789012345678901"),
		"=5\r\ntxt:a\r\n": value.Str("a"), "|1\r\n+x\r\n:1\r\n:2\r\n": value.Int(2), "*1\r\n|1\r\n+x\r\n:1\r\n:2\r\n": value.Array(value.Int(2)),
	} {
		var scan Scanner
		if n, err := scan.Scan([]byte(s), 100); n != len(s) || err != nil {
			t.Errorf("%q: %d %v", s, n, err)
		}
		if r, err := Parse(s); err != nil || r.Failed || r.Push || !value.Equal(r.Value, want) {
			t.Errorf("%q: %+v %v", s, r, err)
		}
	}
	if r, err := Parse("-ERR no\r\n"); err != nil || !r.Failed || r.Err != "ERR no" {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := Parse("!2\r\nno\r\n"); err != nil || !r.Failed || r.Err != "no" {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := Parse(">2\r\n+message\r\n+x\r\n"); err != nil || !r.Push || r.Value.Len() != 2 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestBounds(t *testing.T) {
	for name, s := range map[string]string{
		"long bulk": "$101\r\n", "many items": "*1048577\r\n", "bad length": "$x\r\n", "unknown": "?1\r\n", "negative": "$-2\r\n", "long line": "+" + strings.Repeat("x", 70_000),
		"deep": strings.Repeat("*1\r\n", 200), "over all": "*30\r\n" + strings.Repeat("+abc\r\n", 30),
	} {
		var scan Scanner
		if n, err := scan.Scan([]byte(s), 100); err == nil {
			t.Errorf("%s: %d", name, n)
		}
	}
}

func TestCommands(t *testing.T) {
	got := string(AppendCommand(nil, "ZADD", []value.Value{value.Str("k"), value.Float(1e21), value.BytesOf("\xff"), value.Int(-5)}))
	if want := "*5\r\n$4\r\nZADD\r\n$1\r\nk\r\n$22\r\n1000000000000000000000\r\n$1\r\n\xff\r\n$2\r\n-5\r\n"; got != want {
		t.Errorf("%q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range recorded(f, "recv_raw") {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole, pieces Scanner
		n, err := whole.Scan(b, 1<<16)
		half, bad := pieces.Scan(b[:len(b)/2], 1<<16)
		if bad == nil && half == 0 {
			if again, bad := pieces.Scan(b, 1<<16); again != n || (bad == nil) != (err == nil) {
				t.Errorf("%q: %d %v in one piece, %d %v in two", b, n, err, again, bad)
			}
		}
		if n > 0 {
			_, _ = Parse(string(b[:n]))
		}
		_, _ = Parse(string(b))
	})
}

// A queue.nack with REQUEUE 0 would drop the message for good.
func TestBooleansAreNumbers(t *testing.T) {
	got := string(AppendCommand(nil, "QNACK", []value.Value{value.Bool(true), value.Bool(false)}))
	if want := "*3\r\n$5\r\nQNACK\r\n$1\r\n1\r\n$1\r\n0\r\n"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
