package runner

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Bindings are the values that a case has named with $bind.
type Bindings map[string]any

var (
	reference = regexp.MustCompile(`\$\{([A-Z][A-Z0-9_]*)\}`)
	uuid      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// directive takes a matcher or generator apart: {"$name":arg} or
// {"$bind":name,"type":t}. name is "" if v is an ordinary value.
func directive(v any) (name string, arg any, typ string, err error) {
	object, ok := v.(map[string]any)
	if !ok {
		return "", nil, "", nil
	}
	for member := range object {
		if strings.HasPrefix(member, "$") {
			if name != "" {
				return "", nil, "", fmt.Errorf("%s and %s stand in one object", name, member)
			}
			name, arg = member, object[member]
		}
	}
	if name == "" {
		return "", nil, "", nil
	}
	rest := len(object) - 1
	if name == "$bind" {
		if t, given := object["type"]; given {
			if typ, ok = t.(string); !ok {
				return "", nil, "", fmt.Errorf("$bind with the type %s", writeJSON(t))
			}
			rest--
		}
	}
	if rest != 0 {
		return "", nil, "", fmt.Errorf("unknown form of %s: %s", name, clip(writeJSON(object)))
	}
	return name, arg, typ, nil
}

// Match returns where got differs from the pattern, "" if it does not. New
// bindings are kept only if it matches.
func (b Bindings) Match(pattern, got any) string {
	trial := maps.Clone(b)
	if trial == nil {
		trial = Bindings{}
	}
	if d := trial.match(pattern, got, ""); d != "" {
		return d
	}
	maps.Copy(b, trial)
	return ""
}

func (b Bindings) match(pattern, got any, at string) string {
	name, arg, typ, err := directive(pattern)
	if err != nil {
		return place(at) + ": " + err.Error()
	}
	if name != "" {
		return b.matchDirective(name, arg, typ, got, at)
	}
	switch want := pattern.(type) {
	case string:
		text, err := b.fill(want)
		if err != nil {
			return place(at) + ": " + err.Error()
		}
		return sameValue(text, got, false, at)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return mismatch(pattern, got, at)
		}
		for i := range want {
			if d := b.match(want[i], list[i], fmt.Sprintf("%s[%d]", at, i)); d != "" {
				return d
			}
		}
		return ""
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return mismatch(pattern, got, at)
		}
		if d := sameMembers(want, object, at); d != "" {
			return d
		}
		for _, member := range sortedNames(want) {
			if d := b.match(want[member], object[member], at+"."+member); d != "" {
				return d
			}
		}
		return ""
	}
	return sameValue(pattern, got, false, at)
}

func mismatch(pattern, got any, at string) string {
	return fmt.Sprintf("%s: expected %s, got %s", place(at), clip(writeJSON(pattern)), clip(writeJSON(got)))
}

func (b Bindings) matchDirective(name string, arg any, typ string, got any, at string) string {
	fail := func() string { return mismatch(map[string]any{name: arg}, got, at) }
	wrong := func(why string) string {
		return fmt.Sprintf("%s: %s in %s", place(at), why, clip(writeJSON(map[string]any{name: arg})))
	}
	switch name {
	case "$any":
		kind, _ := arg.(string)
		ok, known := isA(kind, got)
		if !known {
			return wrong("unknown type")
		}
		if !ok {
			return fail()
		}
		return ""
	case "$bind":
		variable, _ := arg.(string)
		if variable == "" {
			return wrong("no name")
		}
		if typ != "" {
			ok, known := isA(typ, got)
			if !known {
				return wrong("unknown type " + typ)
			}
			if !ok {
				return fmt.Sprintf("%s: expected a value of type %s, got %s", place(at), typ, clip(writeJSON(got)))
			}
		}
		b[variable] = got
		return ""
	case "$range":
		bounds, _ := arg.([]any)
		if len(bounds) != 2 {
			return wrong("a range needs two bounds")
		}
		lo, okLo := number(bounds[0])
		hi, okHi := number(bounds[1])
		if !okLo || !okHi {
			return wrong("a bound is not a number")
		}
		if f, ok := number(got); !ok || f < lo || f > hi {
			return fail()
		}
		return ""
	case "$approx":
		want, ok := number(arg)
		if !ok {
			return wrong("not a number")
		}
		if f, ok := number(got); !ok || math.Abs(f-want) > 1e-9*max(math.Abs(want), math.Abs(f)) {
			return fail()
		}
		return ""
	case "$contains":
		parts, ok := arg.([]any)
		if !ok {
			return wrong("not a list")
		}
		return b.matchContains(parts, got, at)
	case "$regex":
		text, ok := arg.(string)
		if !ok {
			return wrong("not a text")
		}
		expr, err := regexp.Compile(text)
		if err != nil {
			return wrong(err.Error())
		}
		if s, ok := got.(string); !ok || !expr.MatchString(s) {
			return fail()
		}
		return ""
	case "$oneof":
		choices, ok := arg.([]any)
		if !ok {
			return wrong("not a list")
		}
		for _, c := range choices {
			if b.attempt(c, got, at) {
				return ""
			}
		}
		return fail()
	case "$unordered":
		want, list, d := b.twoLists(arg, got, at)
		if d != "" {
			return d
		}
		if len(want) != len(list) || !b.pair(want, list, at) {
			return fail()
		}
		return ""
	case "$unordered_pairs":
		want, list, d := b.twoLists(arg, got, at)
		if d != "" {
			return d
		}
		if len(list) != 2*len(want) {
			return fail()
		}
		pairs := make([]any, len(want))
		for i := range pairs {
			pairs[i] = []any{list[2*i], list[2*i+1]}
		}
		if !b.pair(want, pairs, at) {
			return fail()
		}
		return ""
	case "$ref", "$repeat", "$concat", "$seq":
		want, err := b.Expand(map[string]any{name: arg})
		if err != nil {
			return place(at) + ": " + err.Error()
		}
		return sameValue(want, got, false, at)
	}
	return wrong("unknown matcher " + name)
}

// attempt matches and takes bindings back if it fails.
func (b Bindings) attempt(pattern, got any, at string) bool {
	before := maps.Clone(b)
	if b.match(pattern, got, at) == "" {
		return true
	}
	clear(b)
	maps.Copy(b, before)
	return false
}

// pair finds for each pattern an item of its own, in any order. Patterns without
// matchers go first: for them any equal item is as good as another, so that only
// the rest needs trying out.
func (b Bindings) pair(patterns, items []any, at string) bool {
	items = slices.Clone(items)
	var open []any
	for _, p := range patterns {
		if strings.Contains(writeJSON(p), "$") {
			open = append(open, p)
			continue
		}
		i := slices.IndexFunc(items, func(item any) bool { return sameValue(p, item, false, at) == "" })
		if i < 0 {
			return false
		}
		items = slices.Delete(items, i, i+1)
	}
	return b.tryOut(open, items, at)
}

func (b Bindings) tryOut(patterns, items []any, at string) bool {
	if len(patterns) == 0 {
		return true
	}
	for i, item := range items {
		before := maps.Clone(b)
		if b.attempt(patterns[0], item, at) && b.tryOut(patterns[1:], slices.Delete(slices.Clone(items), i, i+1), at) {
			return true
		}
		clear(b)
		maps.Copy(b, before)
	}
	return false
}

func (b Bindings) twoLists(arg, got any, at string) (want, list []any, d string) {
	if name, _, _, _ := directive(arg); name != "" {
		expanded, err := b.Expand(arg)
		if err != nil {
			return nil, nil, place(at) + ": " + err.Error()
		}
		arg = expanded
	}
	want, ok := arg.([]any)
	if !ok {
		return nil, nil, fmt.Sprintf("%s: %s is not a list", place(at), clip(writeJSON(arg)))
	}
	list, ok = got.([]any)
	if !ok {
		return nil, nil, mismatch(arg, got, at)
	}
	return want, list, ""
}

// matchContains takes a text that holds every part, or a list that holds at
// least an item for every part.
func (b Bindings) matchContains(parts []any, got any, at string) string {
	if list, ok := got.([]any); ok {
		if len(parts) > len(list) || !b.pair(parts, list, at) {
			return mismatch(map[string]any{"$contains": parts}, got, at)
		}
		return ""
	}
	text, ok := got.(string)
	for _, part := range parts {
		s, isText := part.(string)
		if !isText {
			return place(at) + ": $contains of a text with a part that is not one"
		}
		s, err := b.fill(s)
		if err != nil {
			return place(at) + ": " + err.Error()
		}
		ok = ok && strings.Contains(text, s)
	}
	if !ok {
		return mismatch(map[string]any{"$contains": parts}, got, at)
	}
	return ""
}

// isA reports whether v is of the type that $any and $bind name; known is false
// if there is no such type.
func isA(typ string, v any) (ok, known bool) {
	switch typ {
	case "any":
		return true, true
	case "string":
		_, ok = v.(string)
	case "bool":
		_, ok = v.(bool)
	case "int":
		n, isNumber := v.(json.Number)
		ok = isNumber && isInteger(n)
	case "float":
		_, ok = number(v)
	case "uuid":
		s, isText := v.(string)
		ok = isText && uuid.MatchString(s)
	case "timestamp_s":
		ok = isTime(v, time.Second)
	case "timestamp_ms":
		ok = isTime(v, time.Millisecond)
	case "iso8601":
		s, isText := v.(string)
		_, err := time.Parse(time.RFC3339Nano, s)
		ok = isText && err == nil
	default:
		return false, false
	}
	return ok, true
}

// isTime reports whether v is an integer that, counted in units, is a time
// within a day of now: enough to tell seconds from milliseconds and zero from a
// clock that is a little off.
func isTime(v any, unit time.Duration) bool {
	n, ok := v.(json.Number)
	if !ok || !isInteger(n) {
		return false
	}
	i, err := n.Int64()
	if err != nil {
		return false
	}
	day := int64(24 * time.Hour / unit)
	now := time.Now().UnixNano() / int64(unit)
	return i > now-day && i < now+day
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// bytesOf reads the argument of $hex or $bytes.
func bytesOf(name string, arg any) ([]byte, error) {
	if name == "$hex" {
		s, ok := arg.(string)
		if !ok {
			return nil, fmt.Errorf("$hex of %s", clip(writeJSON(arg)))
		}
		return hex.DecodeString(s)
	}
	list, ok := arg.([]any)
	if !ok {
		return nil, fmt.Errorf("$bytes of %s", clip(writeJSON(arg)))
	}
	out := make([]byte, len(list))
	for i, e := range list {
		n, ok := e.(json.Number)
		u, err := n.Int64()
		if !ok || err != nil || u < 0 || u > 255 {
			return nil, fmt.Errorf("$bytes with the element %s", clip(writeJSON(e)))
		}
		out[i] = byte(u)
	}
	return out, nil
}
