package native

import (
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"*", "", true}, {"", "a", false}, {"a*", "ab", true}, {"a*", "ba", false},
		{"*a*b*", "xaxxb", true}, {"*a*b", "ba", false}, {"a?c", "abc", true}, {"a?", "a", false},
		{`a\*`, "a*", true}, {`a\*`, "ab", false}, {`\`, `\`, true},
		{"[abc]x", "bx", true}, {"[^abc]x", "bx", false}, {"[!a-c]", "d", true}, {"[a-c]", "d", false},
		{"[]]", "]", true}, {"[a", "[a", true}, {"[a-]", "-", true},
	} {
		if got := globMatch(test.pattern, test.s); got != test.want {
			t.Errorf("%q on %q: %v", test.pattern, test.s, got)
		}
	}
}

// One U+FFFD stands for each part that a decoder gives up.
func TestLossy(t *testing.T) {
	for in, want := range map[string]string{
		"a\u00e9\u4e2d":     "a\u00e9\u4e2d",
		"\xff\xfeA":         "\ufffd\ufffdA",
		"\xe4\xb8":          "\ufffd",
		"\xe4\xb8A":         "\ufffdA",
		"\xf0\x9f\x98 \xc3": "\ufffd \ufffd",
		"\xed\xa0\x80":      "\ufffd\ufffd\ufffd", // half of a surrogate pair
		"\xf4\x90\x80\x80":  "\ufffd\ufffd\ufffd\ufffd",
		"\xc0\xaf\xe0\x80":  "\ufffd\ufffd\ufffd\ufffd",
	} {
		if got := lossy(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// catalogued counts the commands of a wire.
func catalogued(w Wire) (n int) {
	for _, cmd := range catalogue {
		if cmd.wires&w != 0 {
			n++
		}
	}
	return n
}

// The catalogue has what the server dispatches; QUIT on RESP3 is the connection's.
func TestCatalogue(t *testing.T) {
	if rpc, resp := catalogued(RPC), catalogued(RESP); rpc != 112 || resp != 113 {
		t.Errorf("%d commands on SynapRPC, %d on RESP3", rpc, resp)
	}
}

// A page of a scan is a part of the sorted items, whatever the pattern.
func TestScanPages(t *testing.T) {
	s := New(engine.New(engine.Options{}), func() int64 { return time.Now().UnixNano() })
	run := func(name string, args ...value.Value) value.Value {
		t.Helper()
		result, errText, _ := s.Run(RPC, nil, name, args)
		if errText != "" {
			t.Fatal(errText)
		}
		return result.Value
	}
	key := value.Str("s")
	for _, m := range []string{"d", "a", "c", "b", "e"} {
		run("SADD", key, value.Str(m))
	}
	var got string
	pages := 0
	for next := value.Int(0); pages == 0 || !value.Equal(next, value.Int(0)); pages++ {
		page := run("SSCAN", key, next, value.Str("count"), value.Int(2), value.Str("MATCH"), value.Str("[^b]"))
		next = page.Index(0)
		for _, m := range page.Index(1).Items() {
			text, _ := m.AsBlob()
			got += text
		}
	}
	if got != "acde" || pages != 3 {
		t.Errorf("%q in %d pages", got, pages)
	}
}
