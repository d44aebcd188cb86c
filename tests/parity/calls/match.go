package calls

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"unicode/utf8"
)

// Text is a text-or-bytes value in the notation.
func Text(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return Bytes([]byte(s))
}

// Bytes are bytes in the notation, nil if there are none.
func Bytes(b []byte) any {
	if b == nil {
		return nil
	}
	return map[string]any{"$bytes": hex.EncodeToString(b)}
}

// Binary returns the bytes that the notation of a text or of bytes stands for.
func Binary(v any) (b []byte, ok bool) {
	switch v := v.(type) {
	case string:
		return []byte(v), true
	case map[string]any:
		text, ok := marker(v, "$bytes").(string)
		b, err := hex.DecodeString(text)
		return b, ok && err == nil
	}
	return nil, false
}

// Number returns a number of the notation, which may be a float that is no
// number to JSON.
func Number(v any) (exact *big.Float, text string, ok bool) {
	switch n := v.(type) {
	case json.Number:
		text = n.String()
	case int64, uint64, int, float64:
		text = fmt.Sprint(n)
	case map[string]any:
		if s, ok := marker(n, "$int").(string); ok {
			text = s
		} else if text, ok = marker(n, "$float").(string); !ok {
			return nil, "", false
		}
	default:
		return nil, "", false
	}
	f, _, err := big.ParseFloat(text, 10, 128, big.ToNearestEven)
	if err != nil { // NaN
		return nil, text, text == "nan"
	}
	return f, text, true
}

// Float is a float in the notation.
func Float(f float64) any {
	switch {
	case math.IsInf(f, 1):
		return map[string]any{"$float": "inf"}
	case math.IsInf(f, -1):
		return map[string]any{"$float": "-inf"}
	case math.IsNaN(f):
		return map[string]any{"$float": "nan"}
	}
	return f
}

// Match compares a result with what is expected of it, and says how they differ:
// "" if they do not. Of records only the fields that are named are compared; maps
// that are not records must have no other.
func Match(want, got any) string {
	differ := func() string { return fmt.Sprintf("%s, not %s", spell(got), spell(want)) }
	if m, ok := want.(map[string]any); ok {
		if verdict, is := matchMarker(m, got); is {
			if !verdict {
				return differ()
			}
			return ""
		}
	}
	if w, wt, ok := Number(want); ok {
		g, gt, ok := Number(got)
		if !ok || (w == nil) != (g == nil) || w == nil && wt != gt || w != nil && !equal(w, g) {
			return differ()
		}
		return ""
	}
	if r, ok := got.(Record); ok {
		m, ok := want.(map[string]any)
		if !ok {
			return differ()
		}
		for name, v := range m {
			field, ok := r[name]
			if !ok {
				return "the record has no field " + name
			}
			if d := Match(v, field); d != "" {
				return name + ": " + d
			}
		}
		return ""
	}
	switch w := want.(type) {
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return differ()
		}
		for i := range w {
			if d := Match(w[i], g[i]); d != "" {
				return fmt.Sprintf("[%d]: %s", i, d)
			}
		}
		return ""
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return differ()
		}
		for k := range w {
			v, ok := g[k]
			if !ok {
				return differ()
			}
			if d := Match(w[k], v); d != "" {
				return k + ": " + d
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return differ()
	}
	return ""
}

// Record is a record in the notation: its fields by the table's names.
type Record map[string]any

// equal compares numbers as float64 would, unless both are integers.
func equal(a, b *big.Float) bool {
	if a.IsInt() && b.IsInt() {
		return a.Cmp(b) == 0
	}
	x, _ := a.Float64()
	y, _ := b.Float64()
	return x == y
}

// matchMarker decides where the expectation is a marker.
func matchMarker(want map[string]any, got any) (verdict, is bool) {
	list, _ := got.([]any)
	if w, ok := marker(want, "$unordered").([]any); ok {
		return got != nil && len(w) == len(list) && matchAll(w, list), true
	}
	if w, ok := marker(want, "$subset").([]any); ok {
		n, _, ok := Number(want["count"])
		if !ok || len(want) != 2 || n.Cmp(big.NewFloat(float64(len(list)))) != 0 {
			return false, true
		}
		return matchAll(list, w), true
	}
	if w, ok := marker(want, "$one_of").([]any); ok {
		for _, one := range w {
			if Match(one, got) == "" {
				return true, true
			}
		}
		return false, true
	}
	if w, ok := marker(want, "$between").([]any); ok && len(w) == 2 {
		lo, _, _ := Number(w[0])
		hi, _, _ := Number(w[1])
		n, _, _ := Number(got)
		return n != nil && lo != nil && hi != nil && lo.Cmp(n) <= 0 && n.Cmp(hi) <= 0, true
	}
	if kind, ok := marker(want, "$any").(string); ok {
		return kindOf(got, kind), true
	}
	return false, false
}

// matchAll reports whether every element of few has one of its own in many. The
// expectation is the side that holds markers; elements are few and tried in order.
func matchAll(few, many []any) bool {
	taken := make([]bool, len(many))
	for _, a := range few {
		found := false
		for i, b := range many {
			if !taken[i] && (Match(a, b) == "" || Match(b, a) == "") {
				taken[i], found = true, true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func kindOf(v any, kind string) bool {
	f, text, number := Number(v)
	switch kind {
	case "null":
		return v == nil
	case "bool":
		_, ok := v.(bool)
		return ok
	case "int":
		return number && f != nil && f.IsInt()
	case "float":
		return number && (f != nil || text == "nan")
	case "text":
		_, ok := v.(string)
		return ok
	case "bytes":
		return marker(v, "$bytes") != nil
	case "list":
		_, ok := v.([]any)
		return ok
	case "map":
		_, ok := v.(map[string]any)
		if _, record := v.(Record); record {
			ok = true
		}
		return ok && !number && marker(v, "$bytes") == nil
	}
	return false
}

func spell(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
