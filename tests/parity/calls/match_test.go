package calls

import (
	"math"
	"testing"
)

func TestMatch(t *testing.T) {
	record := Record{"name": "n", "score": 1.5, "more": nil}
	for _, c := range []struct {
		want string
		got  any
		ok   bool
	}{
		{`1`, 1.0, true}, {`1.0`, int64(1), true}, {`1`, int64(2), false}, {`1`, "1", false}, {`1`, true, false},
		{`{"$int": "9223372036854775807"}`, int64(math.MaxInt64), true}, {`{"$int": "9223372036854775807"}`, int64(math.MaxInt64) - 1, false},
		{`{"$float": "inf"}`, Float(math.Inf(1)), true}, {`{"$float": "inf"}`, Float(math.Inf(-1)), false}, {`{"$float": "nan"}`, Float(math.NaN()), true},
		{`null`, nil, true}, {`null`, "", false}, {`""`, nil, false}, {`true`, true, true},
		{`"a"`, Text("a"), true}, {`{"$bytes": "ff"}`, Text("\xff"), true}, {`{"$bytes": "61"}`, Text("a"), false}, {`"a"`, Bytes([]byte("a")), false},
		{`["a", null]`, []any{"a", nil}, true}, {`["a"]`, []any{"a", "b"}, false},
		{`{"a": "b"}`, map[string]any{"a": "b"}, true}, {`{"a": "b"}`, map[string]any{"a": "b", "c": "d"}, false}, {`{}`, map[string]any{}, true},
		{`{"score": 1.5, "more": null}`, record, true}, {`{"score": 2}`, record, false}, {`{"none": null}`, record, false},
		{`{"$unordered": ["a", "b"]}`, []any{"b", "a"}, true}, {`{"$unordered": ["a", "b"]}`, []any{"a", "a"}, false}, {`{"$unordered": []}`, []any{}, true}, {`{"$unordered": []}`, nil, false},
		{`{"$unordered": [{"name": "n"}]}`, []any{record}, true},
		{`{"$between": [59, 60]}`, int64(59), true}, {`{"$between": [59, 60]}`, 58.9, false}, {`{"$between": [59, 60]}`, nil, false},
		{`{"$any": "int"}`, int64(3), true}, {`{"$any": "int"}`, 1.5, false}, {`{"$any": "float"}`, 1.5, true}, {`{"$any": "text"}`, "", true}, {`{"$any": "text"}`, nil, false},
		{`{"$any": "map"}`, record, true}, {`{"$any": "map"}`, Bytes(nil), false}, {`{"$any": "bytes"}`, Bytes([]byte{}), true}, {`{"$any": "list"}`, []any{}, true},
		{`{"$one_of": ["a", null]}`, nil, true}, {`{"$one_of": ["a", null]}`, "b", false},
		{`{"$subset": ["a", "b", "c"], "count": 2}`, []any{"c", "a"}, true}, {`{"$subset": ["a", "b", "c"], "count": 2}`, []any{"a", "a"}, false}, {`{"$subset": ["a"], "count": 1}`, []any{"b"}, false},
	} {
		var want any
		if err := strict([]byte(c.want), &want); err != nil {
			t.Fatal(c.want, err)
		}
		if d := Match(want, c.got); (d == "") != c.ok {
			t.Errorf("Match(%s, %v): %q", c.want, c.got, d)
		}
	}
}

func TestResolve(t *testing.T) {
	saved := map[string]any{"tx": map[string]any{"id": "7"}, "text": "x"}
	got := Resolve([]any{map[string]any{"$saved": "tx.id"}, map[string]any{"a": map[string]any{"$saved": "text"}}}, saved)
	if d := Match([]any{"7", map[string]any{"a": "x"}}, got); d != "" {
		t.Error(d)
	}
}
