package resp3

import (
	"errors"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// What a client may send, and what of it is an argument. Each is read whole and
// byte by byte.
func TestRequests(t *testing.T) {
	text, bytes := value.Str, value.BytesOf
	other := value.Array()
	tests := []struct {
		in   string
		list bool
		args []value.Value
	}{
		{"*2\r\n$4\r\nPING\r\n$2\r\n\xff\x00\r\n", true, []value.Value{text("PING"), bytes("\xff\x00")}},
		{"*1\n$4\nPINGxx", true, []value.Value{text("PING")}}, // bare LF, and what ends a bulk is not looked at
		{"+SET  k v\r\n", true, []value.Value{text("SET"), text("k"), text("v")}},
		{"+\r\n", true, nil},
		{"*0\r\n", true, nil},
		{"|1\r\n+a\r\n+b\r\n*1\r\n+x\r\n", true, []value.Value{text("x")}},
		{"*5\r\n+a\r\n:5\r\n$-1\r\n=5\r\ntxt:v\r\n-e\r\n", true, []value.Value{text("a"), value.Int(5), value.Nil, other, other}},
		{"*2\r\n|1\r\n+a\r\n+b\r\n+x\r\n*1\r\n+y\r\n", true, []value.Value{text("x"), value.Array(text("y"))}},
		{"*-1\r\n", false, nil}, {":1\r\n", false, nil}, {"$4\r\nPING\r\n", false, nil}, {"%1\r\n+a\r\n+b\r\n", false, nil},
		{"#t\r\n", false, nil}, {"_\r\n", false, nil}, {"~1\r\n+a\r\n", false, nil},
	}
	for _, test := range tests {
		for _, step := range []int{len(test.in), 1} {
			var s Scanner
			n := 0
			for end := step; end <= len(test.in); end += step {
				var err error
				if n, err = s.ScanRequest([]byte(test.in[:end])); err != nil || (n == 0) != (end < len(test.in)) {
					t.Fatalf("%q: %d, %v at %d", test.in, n, err, end)
				}
			}
			r, err := ParseRequest(test.in[:n])
			if err != nil || r.List != test.list || !value.Equal(value.Array(r.Args...), value.Array(test.args...)) {
				t.Errorf("%q: %v, %v", test.in, r, err)
			}
		}
	}
}

// What no client may send is judged as soon as it can be.
func TestRequestErrors(t *testing.T) {
	for _, in := range []string{
		"P", "!5", ">1", "*x\r\n", "*1\r\n$x\r\n", "*1\r\n!", "*1048577\r\n", "$536870913\r\n", "*2\r\n$3\r\nGET\r\n$536870913\r\n", "*-2\r\n",
		"+" + strings.Repeat("a", 65536),
	} {
		var s Scanner
		if n, err := s.ScanRequest([]byte(in)); err == nil {
			t.Errorf("%.40q: %d", in, n)
		}
	}
	var s Scanner
	if n, err := s.ScanRequest([]byte("$536870912\r\nab")); n != 0 || err != nil {
		t.Errorf("the largest bulk: %d, %v", n, err)
	}
	deep := strings.Repeat("*1\r\n", 1000)
	s = Scanner{}
	if _, err := s.ScanRequest([]byte(deep)); !errors.Is(err, ErrDepth) {
		t.Errorf("nesting: %v", err)
	}
}

func TestAppendValue(t *testing.T) {
	v := value.Array(value.Nil, value.Bool(true), value.Bool(false), value.Int(-5), value.Uint(1<<63), value.Float(1e21), value.Str("a"), value.BytesOf("\xff"),
		value.Map(value.Str("k"), value.Float(2.5)))
	const items = "_\r\n:1\r\n:0\r\n:-5\r\n:9223372036854775808\r\n$22\r\n1000000000000000000000\r\n$1\r\na\r\n$1\r\n\xff\r\n"
	for maps, head := range map[bool]string{false: "*2", true: "%1"} {
		want := "*9\r\n" + items + head + "\r\n$1\r\nk\r\n$3\r\n2.5\r\n"
		if got := string(AppendValue(nil, v, maps)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := string(AppendError(nil, "ERR a\r\n+OK")); got != "-ERR a  +OK\r\n" {
		t.Errorf("an error of two lines: %q", got)
	}
}
