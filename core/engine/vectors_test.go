package engine_test

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/engine/lua"
	"github.com/libsynap/libsynap/core/value"
)

// start is the time at which the tests' clocks begin.
const start = int64(1_790_000_000_123_456_789)

const second = int64(1e9)

// world is an engine with a clock and the names that a case has bound.
type world struct {
	*engine.Engine
	now   int64
	bound map[string]value.Value
}

func newWorld() *world {
	e := engine.New(engine.Options{})
	e.SetScripts(lua.New())
	return &world{Engine: e, now: start, bound: map[string]value.Value{}}
}

// run executes a command whose payload is given as JSON.
func (w *world) run(face engine.Face, name, payload string) (value.Value, string) {
	v, err := value.ParseJSON(payload)
	if err != nil {
		panic(payload + ": " + err.Error())
	}
	return w.Exec(w.now, face, name, "r", v)
}

// must is run for commands that succeed; the reply is returned as JSON.
func (w *world) must(t *testing.T, face engine.Face, name, payload string) string {
	t.Helper()
	v, errText := w.run(face, name, payload)
	if errText != "" {
		t.Fatalf("%s %s: %s", name, payload, errText)
	}
	return text(v)
}

func text(v value.Value) string {
	b, err := value.AppendSortedJSON(nil, v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// vectorCases reads the cases of a vector file.
func vectorCases(t *testing.T, area string) []value.Value {
	t.Helper()
	b, err := os.ReadFile("../../tests/vectors/" + area + ".json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := value.ParseJSON(string(b))
	if err != nil {
		t.Fatal(err)
	}
	cases := v.Field("cases").Items()
	if len(cases) == 0 {
		t.Fatalf("%s: no cases", area)
	}
	return cases
}

func str(v value.Value, field string) string {
	s, _ := v.Field(field).AsStr()
	return s
}

// replay runs every case of a file of envelope commands on an engine of its own.
// Cases in absent need commands that the engine does not have; each must fail at
// one of these, so that the list shrinks when they come.
func replay(t *testing.T, area string, absent map[string]string) {
	seen := 0
	for _, c := range vectorCases(t, area) {
		name := str(c, "name")
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			why, listed := absent[name]
			if listed {
				seen++
			}
			for i, step := range c.Field("steps").Items() {
				ms, _ := step.Field("wait_ms").AsInt()
				w.now += ms*1e6 + 1e6
				id := str(step, "request_id")
				if id == "" {
					id = "r"
				}
				reply, errText := w.Exec(w.now, engine.Envelope, str(step, "command"), id, w.expand(step.Field("payload")))
				body := step.Field("reply").Field("body")
				diff := ""
				if want := body.Field("error"); want.IsNil() && errText != "" {
					diff = "error " + errText
				} else if errText != "" {
					diff = w.match(want, value.Str(errText))
				} else if !want.IsNil() {
					diff = "no error"
				} else {
					diff = w.match(body.Field("payload"), reply)
				}
				if diff == "" {
					continue
				}
				if listed && (strings.HasPrefix(errText, "Unknown command: ") || strings.Contains(errText, " does not support command ")) {
					return
				}
				t.Fatalf("step %d, %s %s: %s", i, str(step, "command"), text(step.Field("payload")), diff)
			}
			if listed {
				t.Fatalf("passes although it is listed as needing %s: take it off the list", why)
			}
		})
	}
	if seen != len(absent) {
		t.Errorf("%d of the %d absent cases are in the file", seen, len(absent))
	}
}

// expand fills in what a case has bound and runs the generators.
func (w *world) expand(v value.Value) value.Value {
	switch v.Kind() {
	case value.KindArray:
		items := make([]value.Value, v.Len())
		for i := range items {
			items[i] = w.expand(v.Index(i))
		}
		return value.Array(items...)
	case value.KindStr:
		s, _ := v.AsStr()
		return value.Str(w.fill(s))
	case value.KindMap:
		if name, ok := v.Get("$ref"); ok {
			s, _ := name.AsStr()
			return w.bound[s]
		}
		if g, ok := v.Get("$repeat"); ok {
			s, _ := g.Index(0).AsStr()
			n, _ := g.Index(1).AsInt()
			return value.Str(strings.Repeat(s, int(n)))
		}
		if g, ok := v.Get("$concat"); ok {
			all := ""
			for _, p := range g.Items() {
				s, _ := w.expand(p).AsStr()
				all += s
			}
			return value.Str(all)
		}
		if g, ok := v.Get("$seq"); ok {
			prefix, _ := g.Index(0).AsStr()
			from, _ := g.Index(1).AsInt()
			to, _ := g.Index(2).AsInt()
			var items []value.Value
			for ; from < to; from++ {
				items = append(items, value.Str(prefix+strconv.FormatInt(from, 10)))
			}
			return value.Array(items...)
		}
		kv := make([]value.Value, 0, 2*v.Len())
		for i := range v.Len() {
			k, e := v.Pair(i)
			kv = append(kv, k, w.expand(e))
		}
		return value.Map(kv...)
	}
	return v
}

// fill replaces ${NAME} by what is bound.
func (w *world) fill(s string) string {
	for name, v := range w.bound {
		b, _ := v.AsStr()
		s = strings.ReplaceAll(s, "${"+name+"}", b)
	}
	return s
}

// match compares a reply with what a vector wants: "" if it fits.
func (w *world) match(want, got value.Value) string {
	want = w.expand(want)
	differs := "got " + text(got) + ", want " + text(want)
	if g, ok := number(got); ok {
		if n, ok := number(want); ok && n == g {
			return ""
		}
	}
	switch want.Kind() {
	case value.KindStr:
		s, _ := want.AsStr()
		if g, ok := got.AsStr(); ok && g == s {
			return ""
		}
		return differs
	case value.KindArray:
		if got.Kind() != value.KindArray || got.Len() != want.Len() {
			return differs
		}
		for i := range want.Len() {
			if d := w.match(want.Index(i), got.Index(i)); d != "" {
				return d
			}
		}
		return ""
	case value.KindMap:
		if want.Len() > 0 {
			if k, _ := want.Pair(0); strings.HasPrefix(text(k), `"$`) {
				if w.matcher(want, got) {
					return ""
				}
				return differs
			}
		}
		if got.Kind() != value.KindMap || got.Len() != want.Len() {
			return differs
		}
		for i := range want.Len() {
			k, v := want.Pair(i)
			name, _ := k.AsStr()
			g, ok := got.Get(name)
			if !ok {
				return differs
			}
			if d := w.match(v, g); d != "" {
				return name + ": " + d
			}
		}
		return ""
	}
	if value.Equal(want, got) {
		return ""
	}
	return differs
}

// number returns a number as text that is equal for equal numbers.
func number(v value.Value) (string, bool) {
	f, ok := v.AsFloat()
	if v.Kind() == value.KindFloat && (f != math.Trunc(f) || math.Abs(f) >= 1<<63) {
		return strconv.FormatFloat(f, 'g', -1, 64), true
	}
	if v.Kind() == value.KindFloat {
		return strconv.FormatInt(int64(f), 10), true
	}
	return text(v), ok
}

func (w *world) matcher(want, got value.Value) bool {
	if kind, ok := want.Get("$any"); ok {
		return ofKind(kind, got)
	}
	if name, ok := want.Get("$bind"); ok {
		s, _ := name.AsStr()
		w.bound[s] = got
		return ofKind(want.Field("type"), got)
	}
	if parts, ok := want.Get("$contains"); ok {
		s, isText := got.AsStr()
		for _, p := range parts.Items() {
			part, _ := p.AsStr()
			isText = isText && strings.Contains(s, part)
		}
		return isText
	}
	if bounds, ok := want.Get("$range"); ok {
		f, isNumber := got.AsFloat()
		low, _ := bounds.Index(0).AsFloat()
		high, _ := bounds.Index(1).AsFloat()
		return isNumber && f >= low && f <= high
	}
	if near, ok := want.Get("$approx"); ok {
		f, isNumber := got.AsFloat()
		x, _ := near.AsFloat()
		return isNumber && math.Abs(f-x) <= 1e-9*math.Abs(x)
	}
	if choices, ok := want.Get("$oneof"); ok {
		for _, c := range choices.Items() {
			if w.match(c, got) == "" {
				return true
			}
		}
		return false
	}
	if items, ok := want.Get("$unordered"); ok {
		rest := append([]value.Value(nil), got.Items()...)
		for _, item := range items.Items() {
			for i := range rest {
				if w.match(item, rest[i]) == "" {
					rest = append(rest[:i], rest[i+1:]...)
					break
				}
			}
		}
		return got.Kind() == value.KindArray && len(rest) == 0 && got.Len() == items.Len()
	}
	panic("unknown matcher " + text(want))
}

func ofKind(kind, v value.Value) bool {
	switch s, _ := kind.AsStr(); s {
	case "any":
		return true
	case "string":
		return v.Kind() == value.KindStr
	case "uuid":
		s, _ := v.AsStr()
		return len(s) == 36 && s[14] == '4' && strings.Count(s, "-") == 4
	case "int":
		_, ok := v.AsInt()
		return ok
	case "float":
		_, ok := v.AsFloat()
		return ok
	case "timestamp_s":
		return recent(v, second)
	case "timestamp_ms":
		return recent(v, second/1000)
	}
	panic("unknown kind " + text(kind))
}

// recent reports whether v is a time of the test, in the unit.
func recent(v value.Value, unit int64) bool {
	n, ok := v.AsInt()
	return ok && n >= start/unit && n < (start+3600*second)/unit
}
