package runner

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string) any {
	t.Helper()
	v, err := parseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// bound is what the tests' case has named so far.
func bound() Bindings { return Bindings{"ID": "q-7", "N": parseNumber("5")} }

func parseNumber(s string) any { v, _ := parseJSON([]byte(s)); return v }

func TestMatch(t *testing.T) {
	seconds, millis := time.Now().Unix(), time.Now().UnixMilli()
	id := "0b8f9bc6-3d1e-4c40-9d1a-0123456789ab"
	for _, c := range []struct {
		pattern  string
		accepted []string
		refused  []string
	}{
		{`null`, []string{`null`}, []string{`0`, `""`, `false`, `[]`}},
		{`"a"`, []string{`"a"`}, []string{`"A"`, `"a "`, `null`}},
		{`"queue:${ID}"`, []string{`"queue:q-7"`}, []string{`"queue:${ID}"`, `"queue:"`}},
		{`"n=${N}"`, []string{`"n=5"`}, []string{`"n="`}},
		{`"${UNBOUND}"`, nil, []string{`"${UNBOUND}"`, `""`}},
		{`1`, []string{`1`, `1.0`, `1e0`}, []string{`1.1`, `"1"`, `true`}},
		{`9007199254740993`, []string{`9007199254740993`}, []string{`9007199254740992`, `9007199254740992.0`}},
		{`18446744073709551615`, []string{`18446744073709551615`}, []string{`18446744073709551616`, `18446744073709551614`}},
		{`0.1`, []string{`0.1`, `1e-1`, `0.10`}, []string{`0.10000000000000002`}},
		{`[1,2]`, []string{`[1,2]`, `[1.0,2]`}, []string{`[2,1]`, `[1]`, `[1,2,3]`, `{"0":1}`}},
		{`{"a":1,"b":{"$any":"any"}}`, []string{`{"b":null,"a":1}`}, []string{`{"a":1}`, `{"a":1,"b":2,"c":3}`, `[]`}},

		{`{"$any":"any"}`, []string{`null`, `1`, `{"x":[]}`}, nil},
		{`{"$any":"string"}`, []string{`""`, `"x"`}, []string{`1`, `null`}},
		{`{"$any":"bool"}`, []string{`true`}, []string{`"true"`, `1`}},
		{`{"$any":"int"}`, []string{`0`, `-3`, `9223372036854775807`}, []string{`1.0`, `"1"`, `null`}},
		{`{"$any":"float"}`, []string{`1.5`, `1`}, []string{`"1.5"`, `null`}},
		{`{"$any":"uuid"}`, []string{`"` + id + `"`}, []string{`"` + strings.ToUpper(id) + `"`, `"` + id[1:] + `"`, `1`}},
		{`{"$any":"timestamp_s"}`, []string{fmt.Sprint(seconds)}, []string{fmt.Sprint(millis), `0`, fmt.Sprintf(`"%d"`, seconds), fmt.Sprintf("%d.0", seconds)}},
		{`{"$any":"timestamp_ms"}`, []string{fmt.Sprint(millis)}, []string{fmt.Sprint(seconds), `0`}},
		{`{"$any":"iso8601"}`, []string{`"2026-11-24T18:00:00.123456789+00:00"`, `"2026-11-24T18:00:00Z"`}, []string{`"2026-11-24"`, `"now"`, `1`}},
		{`{"$any":"banana"}`, nil, []string{`"banana"`, `1`}},

		{`{"$bind":"X","type":"uuid"}`, []string{`"` + id + `"`}, []string{`"x"`}},
		{`{"$bind":"X"}`, []string{`null`, `[1]`}, nil},
		{`{"$bind":"X","type":"banana"}`, nil, []string{`1`}},
		{`{"$bind":"X","typ":"int"}`, nil, []string{`1`}},
		{`[{"$bind":"X"},{"$ref":"X"},"${X}"]`, []string{`["u","u","u"]`}, []string{`["u","v","u"]`, `["u","u","${X}"]`}},
		{`{"$ref":"ID"}`, []string{`"q-7"`}, []string{`"q-8"`, `null`}},
		{`{"$ref":"NOPE"}`, nil, []string{`null`, `"NOPE"`}},

		{`{"$range":[45,50]}`, []string{`45`, `50`, `47.5`}, []string{`44`, `51`, `"47"`}},
		{`{"$range":[45]}`, nil, []string{`45`}},
		{`{"$approx":166227.65811260766}`, []string{`166227.65811260766`, `166227.6581126`}, []string{`166227.66`, `null`}},
		{`{"$approx":0}`, []string{`0`, `0.0`}, []string{`0.0000000001`}},
		{`{"$contains":["Invalid request: ","boom"]}`, []string{`"Invalid request: line 1: boom!"`}, []string{`"Invalid request: "`, `"boom"`, `null`}},
		{`{"$contains":[2,{"$any":"string"}]}`, []string{`["a",2,3]`}, []string{`[2]`, `[2,3]`, `["a"]`}},
		{`{"$contains":[]}`, []string{`[]`, `""`}, []string{`1`}},
		{`{"$regex":"^Message not found: [0-9a-f-]{36}$"}`, []string{`"Message not found: ` + id + `"`}, []string{`"Message not found: x"`, `1`}},
		{`{"$regex":"("}`, nil, []string{`"("`}},
		{`{"$oneof":[[0,2],[1,3]]}`, []string{`[0,2]`, `[1,3]`}, []string{`[0,3]`, `[[0,2]]`}},

		{`{"$unordered":["a","b","b"]}`, []string{`["a","b","b"]`, `["b","a","b"]`}, []string{`["a","a","b"]`, `["a","b"]`, `["a","b","b","c"]`, `"a"`}},
		{`{"$unordered":[{"$any":"int"},1]}`, []string{`[1,2]`, `[2,1]`}, []string{`[2,3]`, `["1",1]`}},
		{`[{"$unordered":[{"k":{"$bind":"X"},"v":1},{"k":{"$ref":"X"},"v":2}]}]`, []string{`[[{"k":"q","v":2},{"k":"q","v":1}]]`}, []string{`[[{"k":"q","v":2},{"k":"p","v":1}]]`}},
		{`{"$unordered":{"$seq":["e",0,3]}}`, []string{`["e2","e0","e1"]`}, []string{`["e0","e1"]`}},
		{`{"$unordered_pairs":[["a",1],["b",2]]}`, []string{`["b",2,"a",1]`}, []string{`["a",2,"b",1]`, `["a",1]`, `[["a",1],["b",2]]`}},

		{`{"$repeat":["ab",3]}`, []string{`"ababab"`}, []string{`"abab"`}},
		{`{"$concat":["<",{"$repeat":["x",2]},"${ID}"]}`, []string{`"<xxq-7"`}, []string{`"<xx"`}},
		{`{"$seq":["e",1,3]}`, []string{`["e1","e2"]`}, []string{`["e1","e2","e3"]`, `["e2","e1"]`}},

		{`{"$nope":1}`, nil, []string{`{"$nope":1}`, `1`}},
		{`{"a":{"$nope":1}}`, nil, []string{`{"a":{"$nope":1}}`}},
		{`{"$empty":true}`, nil, []string{`null`, `""`, `[]`}},
		{`{"$any":"int","$ref":"ID"}`, nil, []string{`1`, `"q-7"`}},
		{`{"$any":"int","extra":1}`, nil, []string{`1`}},
	} {
		pattern := parse(t, c.pattern)
		for _, got := range c.accepted {
			if d := bound().Match(pattern, parse(t, got)); d != "" {
				t.Errorf("%s refuses %s: %s", c.pattern, got, d)
			}
		}
		for _, got := range c.refused {
			if bound().Match(pattern, parse(t, got)) == "" {
				t.Errorf("%s accepts %s", c.pattern, got)
			}
		}
	}
}

func TestUnknownMatchersAreFoundBeforeTheyAreReached(t *testing.T) {
	for _, pattern := range []string{
		`{"$oneof":[1,{"$nope":1}]}`, `{"$unordered":[{"$any":"banana"}]}`, `[{"$bind":"X","type":"banana"}]`,
		`{"a":{"$any":3}}`, `{"$contains":[{"$nope":2}]}`, `{"$any":"int","$ref":"X"}`,
	} {
		if checkPattern(parse(t, pattern)) == nil {
			t.Errorf("%s is accepted", pattern)
		}
	}
	for _, pattern := range []string{`{"$oneof":[1,{"$any":"uuid"}]}`, `{"$bind":"X"}`, `{"$unordered":{"$seq":["a",0,2]}}`, `{"price":"$5"}`} {
		if err := checkPattern(parse(t, pattern)); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func TestBindingsOfAFailedMatchAreDropped(t *testing.T) {
	b := Bindings{}
	if b.Match(parse(t, `[{"$bind":"X"},2]`), parse(t, `["first",3]`)) == "" {
		t.Fatal("accepted")
	}
	if len(b) != 0 {
		t.Errorf("bound %v", b)
	}
	if d := b.Match(parse(t, `{"$oneof":[[{"$bind":"X"},1],[{"$bind":"Y"},2]]}`), parse(t, `["v",2]`)); d != "" {
		t.Fatal(d)
	}
	if _, tried := b["X"]; tried || b["Y"] != "v" {
		t.Errorf("bound %v", b)
	}
}

func TestUnorderedStaysFastOnEqualItems(t *testing.T) {
	items := strings.Repeat(`"x",`, 60)
	pattern := parse(t, `{"$unordered":[`+items+`"y"]}`)
	if (Bindings{}).Match(pattern, parse(t, `[`+items+`"z"]`)) == "" {
		t.Error("accepted")
	}
}

func TestMatchBody(t *testing.T) {
	for _, c := range []struct {
		recorded string
		status   int
		accepted []string
		refused  []string
	}{
		{`{"$empty":true}`, 401, []string{""}, []string{" ", "{}"}},
		{`{"$any":"any"}`, 200, []string{"", "# HELP x"}, nil},
		{`{"$text":"Expected request with ` + "`Content-Type: application/json`" + `"}`, 415, []string{"Expected request with `Content-Type: application/json`"}, []string{"Expected request with `Content-Type: text/plain`"}},
		{`{"$text":"Failed to parse the request body as JSON: EOF at line 1 column 6"}`, 400, []string{"Failed to parse the request body as JSON: something else"}, []string{"Failed to deserialize the JSON body into the target type: EOF", "Failed to parse the request body as JSON"}},
		{`{"$text":"Bad Request: Session ID is required"}`, 400, []string{"Bad Request: Session ID is required"}, []string{"Bad Request: other"}},
		{`{"$hex":"00ff"}`, 200, []string{"\x00\xff"}, []string{"\x00", "00ff"}},
		{`{"$bytes":[104,105]}`, 200, []string{"hi"}, []string{"ho"}},
		{`"v"`, 200, []string{`"v"`, ` "v" `}, []string{"v", `"w"`, `"v" "v"`, ""}},
		{`null`, 200, []string{"null"}, []string{""}},
		{`{"a":1}`, 200, []string{`{"a":1.0}`}, []string{`{"a":1,"a":1}`, `{"a":2}`, "{\"a\":1}x"}},
		{`{"s":"é"}`, 200, []string{`{"s":"\u00e9"}`, `{"s":"é"}`}, []string{"{\"s\":\"\xe9\"}"}},
	} {
		want, err := bodyOf([]byte(c.recorded))
		if err != nil {
			t.Fatalf("%s: %v", c.recorded, err)
		}
		for _, got := range c.accepted {
			if d := (Bindings{}).matchBody(want, c.status, []byte(got)); d != "" {
				t.Errorf("%s refuses %q: %s", c.recorded, got, d)
			}
		}
		for _, got := range c.refused {
			if (Bindings{}).matchBody(want, c.status, []byte(got)) == "" {
				t.Errorf("%s accepts %q", c.recorded, got)
			}
		}
	}
	if _, err := bodyOf([]byte(`{"$empty":false}`)); err == nil {
		t.Error("$empty false is accepted")
	}
}

func TestPayloadsAreSentAsWritten(t *testing.T) {
	b := Bindings{"ID": "q-7"}
	for _, c := range []struct{ raw, want string }{
		{`{"v": 1.0, "w": 1E5, "x": 9007199254740993, "y": -0.0}`, `{"v": 1.0, "w": 1E5, "x": 9007199254740993, "y": -0.0}`},
		{`{"k":1,"k":2}`, `{"k":1,"k":2}`},
		{`{"id":{"$ref":"ID"},"v":1.10,"n":18446744073709551616}`, `{"id":"q-7","n":18446744073709551616,"v":1.10}`},
		{`{"t":"<${ID}>","list":{"$seq":["m",0,2]}}`, `{"list":["m0","m1"],"t":"<q-7>"}`},
	} {
		got, err := b.ExpandText([]byte(c.raw))
		if err != nil || got != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.raw, got, err, c.want)
		}
	}
	for _, raw := range []string{`{"id":{"$ref":"NOPE"}}`, `{"$nope":1}`, `"${NOPE}"`, `{"$repeat":["x"]}`} {
		if got, err := b.ExpandText([]byte(raw)); err == nil {
			t.Errorf("%s: expected an error, got %s", raw, got)
		}
	}
}

func TestRequestBody(t *testing.T) {
	b := Bindings{"ID": "q-7"}
	for _, c := range []struct{ raw, text, contentType string }{
		{`{"a":1}`, `{"a":1}`, "application/json"},
		{`[{"$ref":"ID"}]`, `["q-7"]`, "application/json"},
		{`{"$text":"{bad ${ID}"}`, `{bad q-7`, ""},
		{`{"$text":{"$concat":["a",{"$repeat":["x",3]}]}}`, `axxx`, ""},
		{`{"$hex":"00ff"}`, "\x00\xff", ""},
		{`{"$zeros":2}`, `{"payload":[0,0,0]}`, "application/json"},
	} {
		text, contentType, err := b.requestBody([]byte(c.raw))
		if err != nil || string(text) != c.text || contentType != c.contentType {
			t.Errorf("%s: got %q, %q, %v", c.raw, text, contentType, err)
		}
	}
	if _, _, err := b.requestBody([]byte(`{"$nope":2}`)); err == nil {
		t.Error("an unknown generator is accepted")
	}
}

func TestSamplesMatchTheirPatterns(t *testing.T) {
	for _, pattern := range []string{
		`{"a":{"$any":"int"},"b":{"$any":"float"},"c":{"$any":"string"},"d":{"$any":"any"},"e":{"$any":"bool"}}`,
		`[{"$any":"uuid"},{"$any":"timestamp_s"},{"$any":"timestamp_ms"},{"$any":"iso8601"}]`,
		`[{"$bind":"X","type":"uuid"},{"$ref":"X"},"q:${X}"]`,
		`{"$unordered":["a","b"]}`, `{"$unordered_pairs":[["a",1],["b",2]]}`, `{"$oneof":[[1],[2]]}`,
		`{"$range":[1,2]}`, `{"$approx":1.5}`, `{"$contains":["x","y"]}`, `{"$contains":[1,2]}`,
		`{"$repeat":["x",3]}`, `{"$seq":["x",0,3]}`, `{"$concat":["a","b"]}`,
	} {
		s := &samples{bound: Bindings{}}
		v, err := s.fill(parse(t, pattern))
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if d := (Bindings{}).Match(parse(t, pattern), v); d != "" {
			t.Errorf("%s: the sample %s does not match: %s", pattern, writeJSON(v), d)
		}
	}
	if _, err := (&samples{bound: Bindings{}}).fill(parse(t, `{"$nope":1}`)); err == nil {
		t.Error("a sample for an unknown matcher")
	}
}

func TestNumberKinds(t *testing.T) {
	for _, c := range []struct {
		a, b        string
		value, kind bool
	}{
		{"1", "1", true, true}, {"1", "1.0", true, false}, {"1.0", "1e0", true, true},
		{"0.0", "-0.0", true, false}, {"-0", "-0.0", true, true}, {"-0", "0", true, false},
		{"18446744073709551616", "1.8446744073709552e19", true, true},
		{"9007199254740993", "9007199254740992", false, false},
	} {
		a, b := parse(t, c.a), parse(t, c.b)
		if got := sameValue(a, b, false, "") == ""; got != c.value {
			t.Errorf("%s and %s by value: %v", c.a, c.b, got)
		}
		if got := sameValue(a, b, true, "") == ""; got != c.kind {
			t.Errorf("%s and %s with kinds: %v", c.a, c.b, got)
		}
	}
}
