package lua

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
	lua "github.com/yuin/gopher-lua"
)

const unsupported = "Invalid value: Unsupported Lua value returned from script"

// maxSparse bounds the holes of an array result: the server fills every hole
// with null, however many there are.
const maxSparse = 1 << 20

// result converts what a script returned (protocol: http-data 11, "Result").
func result(v lua.LValue, depth int) (value.Value, string) {
	switch v := v.(type) {
	case *lua.LNilType:
		return value.Nil, ""
	case lua.LBool:
		return value.Bool(bool(v)), ""
	case lua.LNumber:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return value.Nil, "Invalid value: Invalid floating point result"
		}
		return number(v), ""
	case lua.LString:
		return value.Str(strings.ToValidUTF8(string(v), "\uFFFD")), ""
	case *lua.LTable:
		return table(v, depth)
	}
	return value.Nil, unsupported
}

// number gives a number without a fraction back as an integer.
func number(n lua.LNumber) value.Value {
	f := float64(n)
	if f == math.Trunc(f) && f >= -(1<<63) && f < 1<<63 {
		return value.Int(int64(f))
	}
	return value.Float(f)
}

// table converts a table: positive integer keys alone make an array with null in
// the holes, any other key makes an object of the other keys only, and the empty
// table is an array of one null.
func table(t *lua.LTable, depth int) (value.Value, string) {
	if depth >= value.MaxDepth-1 {
		return value.Nil, "Invalid value: script result is nested too deep"
	}
	var failed string
	var names []string
	members := map[string]value.Value{}
	elements := map[int64]value.Value{}
	last := int64(1)
	t.ForEach(func(k, e lua.LValue) {
		if failed != "" {
			return
		}
		v, text := result(e, depth+1)
		if text != "" {
			failed = text
			return
		}
		if i, ok := arrayIndex(k); ok {
			elements[i] = v
			last = max(last, i)
			return
		}
		name := memberName(k)
		if _, ok := members[name]; !ok {
			names = append(names, name)
		}
		members[name] = v
	})
	switch {
	case failed != "":
		return value.Nil, failed
	case len(names) > 0:
		slices.Sort(names)
		pairs := make([]value.Value, 0, 2*len(names))
		for _, n := range names {
			pairs = append(pairs, value.Str(n), members[n])
		}
		return value.Map(pairs...), ""
	case last > int64(len(elements))+maxSparse:
		return value.Nil, "Invalid value: script result is an array with too many holes"
	}
	items := make([]value.Value, last)
	for i, v := range elements {
		items[i-1] = v
	}
	return value.Array(items...), ""
}

func arrayIndex(k lua.LValue) (int64, bool) {
	n, ok := k.(lua.LNumber)
	if !ok {
		return 0, false
	}
	i, ok := number(n).AsInt()
	return i, ok && i >= 1
}

// memberName is the member name of a key that is no array index.
func memberName(k lua.LValue) string {
	switch k := k.(type) {
	case lua.LString:
		return strings.ToValidUTF8(string(k), "\uFFFD")
	case lua.LNumber:
		if i, ok := number(k).AsInt(); ok {
			return "Integer(" + strconv.FormatInt(i, 10) + ")"
		}
		return "Number(" + strconv.FormatFloat(float64(k), 'f', -1, 64) + ")"
	case lua.LBool:
		return "Boolean(" + strconv.FormatBool(bool(k)) + ")"
	}
	return k.Type().String()
}
