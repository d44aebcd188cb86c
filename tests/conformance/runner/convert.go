package runner

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// The runner turns JSON values into those of the client and back by itself, so
// that the client's own JSON codec is part of what is tested.

// toClient returns the client's value for a JSON value.
func toClient(v any) value.Value {
	switch v := v.(type) {
	case nil:
		return value.Nil
	case bool:
		return value.Bool(v)
	case string:
		return value.Str(v)
	case json.Number:
		if !isInteger(v) {
			f, _ := strconv.ParseFloat(string(v), 64) // 1e400 becomes an infinity, which the client must refuse
			return value.Float(f)
		}
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return value.Int(i)
		}
		u, _ := strconv.ParseUint(string(v), 10, 64)
		return value.Uint(u)
	case []any:
		items := make([]value.Value, len(v))
		for i := range v {
			items[i] = toClient(v[i])
		}
		return value.Array(items...)
	case map[string]any:
		var pairs []value.Value
		for _, name := range sortedNames(v) {
			pairs = append(pairs, value.Str(name), toClient(v[name]))
		}
		return value.Map(pairs...)
	}
	panic(fmt.Sprintf("runner: %T is not a JSON value", v))
}

// fromClient returns the JSON value of a client's value, and an error for what
// JSON has not.
func fromClient(v value.Value) (any, error) {
	switch v.Kind() {
	case value.KindNil:
		return nil, nil
	case value.KindBool:
		b, _ := v.AsBool()
		return b, nil
	case value.KindInt:
		i, _ := v.AsInt()
		return json.Number(strconv.FormatInt(i, 10)), nil
	case value.KindUint:
		u, _ := v.AsUint()
		return json.Number(strconv.FormatUint(u, 10)), nil
	case value.KindFloat:
		f, _ := v.AsFloat()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("a result holds %v, which JSON has not", f)
		}
		return json.Number(strconv.FormatFloat(f, 'e', -1, 64)), nil
	case value.KindStr:
		s, _ := v.AsStr()
		return s, nil
	case value.KindArray:
		list := make([]any, v.Len())
		for i := range list {
			e, err := fromClient(v.Index(i))
			if err != nil {
				return nil, err
			}
			list[i] = e
		}
		return list, nil
	case value.KindMap:
		object := map[string]any{}
		for i := range v.Len() {
			k, e := v.Pair(i)
			name, ok := k.AsStr()
			if _, twice := object[name]; !ok || twice {
				return nil, fmt.Errorf("a result has a member that is not text or stands twice")
			}
			member, err := fromClient(e)
			if err != nil {
				return nil, err
			}
			object[name] = member
		}
		return object, nil
	}
	return nil, fmt.Errorf("a result of a raw command holds %s, which JSON has not", v.Kind())
}
