package core

import (
	"context"
	"iter"

	"github.com/goccy/go-json"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Pair is a key and its value. A value that is valid UTF-8 is stored as text,
// any other as bytes.
type Pair struct{ Key, Value string }

// Place is a place on earth under the name of a member.
type Place struct {
	Lat, Lon float64 // degrees
	Member   string
}

// MaybeString is a value that may be missing.
type MaybeString struct {
	Value string
	Found bool
}

// Int64 returns a pointer to n, for options that tell 0 from absent.
func Int64(n int64) *int64 { return &n }

// Float64 returns a pointer to f, for options that tell 0 from absent.
func Float64(f float64) *float64 { return &f }

// Bool returns a pointer to b, for options that are true by default.
func Bool(b bool) *bool { return &b }

// JSON is a JSON value as it came from the server: integers are exact, members
// keep their order.
type JSON struct{ v value.Value }

// Value returns the dynamic value.
func (j JSON) Value() value.Value { return j.v }

// String returns the compact JSON text.
func (j JSON) String() string {
	b, err := value.AppendJSON(nil, j.v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// Decode stores the value in the variable that into points to, as package
// encoding/json would, but that integers in a variable of type any, map[string]any
// or []any are exact: int64, or uint64 above its range.
func (j JSON) Decode(into any) error {
	switch into := into.(type) {
	case *any:
		*into = native(j.v)
		return nil
	case *map[string]any:
		if m, ok := native(j.v).(map[string]any); ok {
			*into = m
			return nil
		}
	case *[]any:
		if list, ok := native(j.v).([]any); ok {
			*into = list
			return nil
		}
	}
	b, err := value.AppendJSON(nil, j.v)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		return errs.New(errs.InvalidArgument, "the JSON value does not fit the variable: "+err.Error())
	}
	return nil
}

// native is a JSON value as plain Go values.
func native(v value.Value) any {
	switch v.Kind() {
	case value.KindBool:
		return unpackBool(v)
	case value.KindInt:
		return unpackInt(v)
	case value.KindUint:
		n, _ := v.AsUint()
		return n
	case value.KindFloat:
		return unpackFloat(v)
	case value.KindStr:
		return unpackString(v)
	case value.KindArray:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = native(v.Index(i))
		}
		return list
	case value.KindMap:
		m := make(map[string]any, v.Len())
		for i := 0; i < v.Len(); i++ {
			k, e := v.Pair(i)
			m[unpackString(k)] = native(e)
		}
		return m
	}
	return nil
}

// packJSON turns any Go value into a JSON value as package encoding/json would.
func packJSON(v any) (value.Value, error) {
	switch v := v.(type) {
	case value.Value:
		return v, nil
	case JSON:
		return v.v, nil
	case string:
		return value.Str(v), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return value.Nil, errs.New(errs.InvalidArgument, "this Go value has no JSON form: "+err.Error())
	}
	parsed, err := value.ParseJSON(string(b))
	if err != nil {
		return value.Nil, errs.New(errs.InvalidArgument, "this Go value has no JSON form: "+err.Error())
	}
	return parsed, nil
}

func packStrings(list []string) value.Value {
	items := make([]value.Value, len(list))
	for i, s := range list {
		items[i] = value.Str(s)
	}
	return value.Array(items...)
}

func packBlobs(list []string) value.Value {
	items := make([]value.Value, len(list))
	for i, s := range list {
		items[i] = value.TextOrBytes(s)
	}
	return value.Array(items...)
}

func packPairs(pairs []Pair) value.Value {
	items := make([]value.Value, len(pairs))
	for i, p := range pairs {
		items[i] = value.Array(value.Str(p.Key), value.TextOrBytes(p.Value))
	}
	return value.Array(items...)
}

func packMap(m map[string]string) value.Value {
	kv := make([]value.Value, 0, 2*len(m))
	for k, v := range m {
		kv = append(kv, value.Str(k), value.Str(v))
	}
	return value.Map(kv...)
}

func unpackBool(v value.Value) bool     { b, _ := v.AsBool(); return b }
func unpackInt(v value.Value) int64     { n, _ := v.AsInt(); return n }
func unpackFloat(v value.Value) float64 { f, _ := v.AsFloat(); return f }
func unpackString(v value.Value) string { s, _ := v.AsBlob(); return s }

func unpackIntOrNil(v value.Value) *int64 {
	if n, ok := v.AsInt(); ok {
		return &n
	}
	return nil
}

func unpackBytes(v value.Value) []byte {
	if s, ok := v.AsBlob(); ok {
		return []byte(s)
	}
	return nil
}

func unpackStrings(v value.Value) []string {
	out := make([]string, v.Len())
	for i := range out {
		out[i] = unpackString(v.Index(i))
	}
	return out
}

func packFloats(list []float64) value.Value {
	items := make([]value.Value, len(list))
	for i, f := range list {
		items[i] = value.Float(f)
	}
	return value.Array(items...)
}

func packPlaces(list []Place) value.Value {
	items := make([]value.Value, len(list))
	for i, p := range list {
		items[i] = value.Array(value.Float(p.Lat), value.Float(p.Lon), value.TextOrBytes(p.Member))
	}
	return value.Array(items...)
}

func unpackFloatOrNil(v value.Value) *float64 {
	if f, ok := v.AsFloat(); ok {
		return &f
	}
	return nil
}

func unpackFloats(v value.Value) []*float64 {
	out := make([]*float64, v.Len())
	for i := range out {
		out[i] = unpackFloatOrNil(v.Index(i))
	}
	return out
}

func unpackInts(v value.Value) []int64 {
	out := make([]int64, v.Len())
	for i := range out {
		out[i] = unpackInt(v.Index(i))
	}
	return out
}

func unpackBools(v value.Value) []bool {
	out := make([]bool, v.Len())
	for i := range out {
		out[i] = unpackBool(v.Index(i))
	}
	return out
}

func unpackMaybeStrings(v value.Value) []MaybeString {
	out := make([]MaybeString, v.Len())
	for i := range out {
		out[i].Value, out[i].Found = v.Index(i).AsBlob()
	}
	return out
}

func unpackMap(v value.Value) map[string]string {
	out := make(map[string]string, v.Len())
	for i := 0; i < v.Len(); i++ {
		k, e := v.Pair(i)
		out[unpackString(k)] = unpackString(e)
	}
	return out
}

// Feed is a subscription with typed items. It survives broken connections; an
// item's Lost says what was lost before it.
type Feed[T any] struct {
	sub    *Subscription
	unpack func(value.Value) T
	ready  []T
}

// streamBatch is how many items one look at the subscription takes at most.
const streamBatch = 256

func openFeed[T any](ctx context.Context, c *Client, cmd *command.Command, unpack func(value.Value) T, args ...value.Value) (*Feed[T], error) {
	sub, err := c.Subscribe(ctx, cmd, args...)
	if err != nil {
		return nil, err
	}
	return &Feed[T]{sub: sub, unpack: unpack}, nil
}

// Next waits for the next item. When ctx ends it fails with errs.Timeout or
// errs.Canceled and the subscription lives on. One goroutine reads at a time.
func (s *Feed[T]) Next(ctx context.Context) (item T, err error) {
	if len(s.ready) == 0 {
		items, err := s.sub.Next(ctx, streamBatch)
		if err != nil {
			return item, err
		}
		for _, v := range items {
			s.ready = append(s.ready, s.unpack(v))
		}
	}
	item = s.ready[0]
	s.ready = s.ready[1:]
	return item, nil
}

// All ranges over the items until ctx ends, the loop breaks or the subscription
// fails; the last pair then holds the error, unless ctx ended or Close was
// called. It closes the subscription.
func (s *Feed[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer s.Close()
		for {
			item, err := s.Next(ctx)
			if err != nil {
				if e, ok := err.(*errs.Error); !ok || (ctx.Err() == nil && e.Code != errs.Closed) {
					yield(item, err)
				}
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Close ends the subscription. Closing twice is harmless.
func (s *Feed[T]) Close() { s.sub.Close() }
