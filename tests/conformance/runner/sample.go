package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// samples invents values for the matchers of recorded replies, for when the
// runner plays the server. What it invents for a $bind is bound.
type samples struct {
	bound Bindings
	count int
}

// fill returns a value that the pattern matches.
func (s *samples) fill(pattern any) (any, error) {
	name, arg, typ, err := directive(pattern)
	if err != nil {
		return nil, err
	}
	switch name {
	case "":
	case "$any":
		kind, _ := arg.(string)
		return s.invent(kind)
	case "$bind":
		variable, _ := arg.(string)
		if typ == "" {
			typ = "any"
		}
		v, err := s.invent(typ)
		s.bound[variable] = v
		return v, err
	case "$range":
		if bounds, ok := arg.([]any); ok && len(bounds) == 2 {
			return bounds[0], nil
		}
	case "$approx":
		return arg, nil
	case "$contains":
		return s.join(arg)
	case "$oneof":
		if choices, ok := arg.([]any); ok && len(choices) > 0 {
			return s.fill(choices[0])
		}
	case "$unordered":
		v, err := s.fill(arg)
		if list, ok := v.([]any); ok {
			slices.Reverse(list) // no order is promised, so none is kept
		}
		return v, err
	case "$unordered_pairs":
		if pairs, ok := arg.([]any); ok {
			return s.flat(pairs)
		}
	default:
		return s.bound.Expand(pattern)
	}
	if name != "" {
		return nil, fmt.Errorf("no sample for %s", clip(writeJSON(pattern)))
	}
	switch v := pattern.(type) {
	case string:
		return s.bound.fill(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			if out[i], err = s.fill(v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, member := range sortedNames(v) {
			if out[member], err = s.fill(v[member]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return pattern, nil
}

// invent returns a value of a type, another one each time.
func (s *samples) invent(typ string) (any, error) {
	s.count++
	now := time.Now()
	switch typ {
	case "any", "string":
		return "sample-" + strconv.Itoa(s.count), nil
	case "bool":
		return true, nil
	case "int":
		return json.Number(strconv.Itoa(9_007_199_254_740_992 + s.count)), nil
	case "float":
		return json.Number(strconv.Itoa(s.count) + ".5"), nil
	case "uuid":
		return fmt.Sprintf("00000000-0000-4000-8000-%012d", s.count), nil
	case "timestamp_s":
		return json.Number(strconv.FormatInt(now.Unix(), 10)), nil
	case "timestamp_ms":
		return json.Number(strconv.FormatInt(now.UnixMilli(), 10)), nil
	case "iso8601":
		return now.UTC().Format("2006-01-02T15:04:05.000000000+00:00"), nil
	}
	return nil, errors.New("no sample of the type " + typ)
}

// join is a text that holds every part.
func (s *samples) join(arg any) (any, error) {
	parts, ok := arg.([]any)
	if !ok {
		return nil, fmt.Errorf("$contains of %s", clip(writeJSON(arg)))
	}
	var texts []string
	for _, part := range parts {
		v, err := s.fill(part)
		if err != nil {
			return nil, err
		}
		text, ok := v.(string)
		if !ok { // of a list
			return s.fill(parts)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " "), nil
}

func (s *samples) flat(pairs []any) (any, error) {
	var out []any
	for _, p := range pairs {
		v, err := s.fill(p)
		if err != nil {
			return nil, err
		}
		pair, ok := v.([]any)
		if !ok || len(pair) != 2 {
			return nil, fmt.Errorf("$unordered_pairs with %s", clip(writeJSON(p)))
		}
		out = append(out, pair...)
	}
	return out, nil
}

// body returns the bytes and content type of a recorded reply body.
func (s *samples) body(raw json.RawMessage) (text []byte, contentType string, err error) {
	b, err := bodyOf(raw)
	if err != nil {
		return nil, "", err
	}
	switch b.kind {
	case bodyEmpty, bodyUnsaid:
		return nil, "", nil
	case bodyAny:
		return []byte("anything"), "text/plain; charset=utf-8", nil
	case bodyBytes:
		return b.bytes, "application/octet-stream", nil
	}
	v, err := s.fill(b.pattern)
	if err != nil {
		return nil, "", err
	}
	if b.kind == bodyJSON {
		return []byte(writeJSON(v)), "application/json", nil
	}
	text = []byte(fmt.Sprint(v))
	return text, "text/plain; charset=utf-8", nil
}
