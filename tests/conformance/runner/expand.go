package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// fill replaces every ${NAME} in s by the bound value.
func (b Bindings) fill(s string) (string, error) {
	var missing error
	out := reference.ReplaceAllStringFunc(s, func(ref string) string {
		v, ok := b[ref[2:len(ref)-1]]
		if !ok {
			missing = errors.New(ref + " is not bound")
		}
		if text, ok := v.(string); ok {
			return text
		}
		return writeJSON(v)
	})
	return out, missing
}

// Expand replaces references and generators in v by what they stand for.
func (b Bindings) Expand(v any) (any, error) {
	name, arg, _, err := directive(v)
	if err != nil {
		return nil, err
	}
	switch name {
	case "":
	case "$ref":
		variable, _ := arg.(string)
		bound, ok := b[variable]
		if !ok {
			return nil, fmt.Errorf("$ref to %s, which is not bound", writeJSON(arg))
		}
		return bound, nil
	case "$repeat":
		return repeat(arg)
	case "$concat":
		return b.concat(arg)
	case "$seq":
		return seq(arg)
	default:
		return nil, fmt.Errorf("unknown generator %s", name)
	}
	switch v := v.(type) {
	case string:
		return b.fill(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			if out[i], err = b.Expand(v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for member := range v {
			if out[member], err = b.Expand(v[member]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// ExpandText returns the JSON text to send for a payload of a vector: the text
// as it stands if there is nothing to replace in it.
func (b Bindings) ExpandText(raw json.RawMessage) (string, error) {
	text := string(raw)
	if !strings.Contains(text, `"$`) && !strings.Contains(text, "${") {
		return text, nil
	}
	v, err := parseJSON(raw)
	if err != nil {
		return "", err
	}
	if v, err = b.Expand(v); err != nil {
		return "", err
	}
	return writeJSON(v), nil
}

// repeat is {"$repeat":[s,n]}: s, n times.
func repeat(arg any) (string, error) {
	list, _ := arg.([]any)
	if len(list) == 2 {
		s, isText := list[0].(string)
		n, err := integer(list[1])
		if isText && err == nil && n >= 0 {
			return strings.Repeat(s, n), nil
		}
	}
	return "", fmt.Errorf("$repeat of %s", clip(writeJSON(arg)))
}

// concat is {"$concat":[…]}: the texts joined.
func (b Bindings) concat(arg any) (string, error) {
	list, ok := arg.([]any)
	if !ok {
		return "", fmt.Errorf("$concat of %s", clip(writeJSON(arg)))
	}
	var out strings.Builder
	for _, part := range list {
		v, err := b.Expand(part)
		if err != nil {
			return "", err
		}
		s, ok := v.(string)
		if !ok {
			return "", fmt.Errorf("$concat with the part %s", clip(writeJSON(part)))
		}
		out.WriteString(s)
	}
	return out.String(), nil
}

// seq is {"$seq":[p,a,b]}: the list p+a … p+(b-1).
func seq(arg any) ([]any, error) {
	list, _ := arg.([]any)
	if len(list) == 3 {
		prefix, isText := list[0].(string)
		from, errFrom := integer(list[1])
		to, errTo := integer(list[2])
		if isText && errFrom == nil && errTo == nil {
			out := make([]any, 0, max(to-from, 0))
			for i := from; i < to; i++ {
				out = append(out, prefix+strconv.Itoa(i))
			}
			return out, nil
		}
	}
	return nil, fmt.Errorf("$seq of %s", clip(writeJSON(arg)))
}

func integer(v any) (int, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, errors.New("not a number")
	}
	return strconv.Atoi(string(n))
}

// checkPattern refuses matchers and types that the runner does not know, also
// where a comparison would not come to them.
func checkPattern(pattern any) error {
	name, arg, typ, err := directive(pattern)
	if err != nil {
		return err
	}
	switch name {
	case "":
	case "$any":
		typ, _ = arg.(string)
		fallthrough
	case "$bind":
		if _, known := isA(typ, nil); !known && typ != "" || name == "$any" && typ == "" {
			return fmt.Errorf("unknown type in %s", writeJSON(pattern))
		}
		return nil
	case "$oneof", "$unordered", "$unordered_pairs", "$contains":
		return checkPattern(arg)
	case "$ref", "$range", "$approx", "$regex", "$repeat", "$concat", "$seq":
		return nil
	default:
		return fmt.Errorf("unknown matcher %s", name)
	}
	switch v := pattern.(type) {
	case []any:
		for _, e := range v {
			if err := checkPattern(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := checkPattern(e); err != nil {
				return err
			}
		}
	}
	return nil
}
