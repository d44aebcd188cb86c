package lua

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// dropped lists what the server's scripts do not have: the sandbox takes the
// first group (protocol: http-data 11), Lua 5.4 itself dropped the rest.
var dropped = map[string][]string{
	"_G": {
		"collectgarbage", "dofile", "load", "loadfile", "require",
		"getfenv", "setfenv", "loadstring", "module", "newproxy", "unpack", "_printregs", "_GOPHER_LUA_VERSION",
	},
	"string": {"dump", "gfind"},
	"table":  {"getn", "maxn"},
	"math":   {"cosh", "sinh", "tanh", "pow", "frexp", "ldexp", "log10", "mod"},
}

// added lists what Lua 5.4 has and the interpreter lacks or does differently.
var added = map[string]map[string]lua.LGFunction{
	"_G":     {"print": discard, "rawlen": rawLen, "tostring": toString},
	"string": {"rep": repeat},
	"table":  {"pack": pack, "unpack": unpack, "move": move},
	"math":   {"log": logarithm, "type": mathType, "tointeger": toInteger, "ult": unsignedLess},
	"utf8":   utf8Functions,
}

func openLibs(l *lua.LState) {
	for _, lib := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}, {lua.StringLibName, lua.OpenString},
		{lua.MathLibName, lua.OpenMath}, {lua.CoroutineLibName, lua.OpenCoroutine},
	} {
		l.Push(l.NewFunction(lib.open))
		l.Push(lua.LString(lib.name))
		l.Call(1, 0)
	}
	l.SetGlobal("utf8", l.NewTable())
	for lib, names := range dropped {
		t := l.GetGlobal(lib).(*lua.LTable)
		for _, name := range names {
			t.RawSetString(name, lua.LNil)
		}
	}
	for lib, functions := range added {
		l.SetFuncs(l.GetGlobal(lib).(*lua.LTable), functions)
	}
	l.SetGlobal("_VERSION", lua.LString("Lua 5.4"))
	l.GetGlobal("utf8").(*lua.LTable).RawSetString("charpattern", lua.LString("[\x00-\x7F\xC2-\xFD][\x80-\xBF]*"))
	m := l.GetGlobal("math").(*lua.LTable)
	m.RawSetString("maxinteger", lua.LNumber(math.MaxInt64))
	m.RawSetString("mininteger", lua.LNumber(math.MinInt64))
}

// discard stands for print: the output of a script goes nowhere.
func discard(*lua.LState) int { return 0 }

func rawLen(l *lua.LState) int {
	switch v := l.Get(1).(type) {
	case *lua.LTable:
		l.Push(lua.LNumber(v.Len()))
	case lua.LString:
		l.Push(lua.LNumber(len(v)))
	default:
		l.ArgError(1, "table or string expected")
	}
	return 1
}

// toString writes fractions with 14 digits, as Lua does.
func toString(l *lua.LState) int {
	v := l.CheckAny(1)
	n, ok := v.(lua.LNumber)
	if !ok {
		l.Push(l.ToStringMeta(v))
		return 1
	}
	f := float64(n)
	switch {
	case math.IsNaN(f):
		l.Push(lua.LString("nan"))
	case math.IsInf(f, 0):
		l.Push(lua.LString(strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'f', -1, 64)), "+")))
	case number(n).Kind() == number(1).Kind():
		l.Push(lua.LString(n.String()))
	default:
		l.Push(lua.LString(general(f)))
	}
	return 1
}

// general formats like C's %.14g.
func general(f float64) string {
	s := strconv.FormatFloat(f, 'e', 13, 64)
	digits, exp, _ := strings.Cut(s, "e")
	e, _ := strconv.Atoi(exp)
	if e >= -4 && e < 14 {
		s = strconv.FormatFloat(f, 'f', 13-e, 64)
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	return strings.TrimRight(strings.TrimRight(digits, "0"), ".") + "e" + exp
}

// maxString bounds what one string.rep may build.
const maxString = 1 << 29

func repeat(l *lua.LState) int {
	s, n, sep := l.CheckString(1), l.CheckInt64(2), l.OptString(3, "")
	switch {
	case n <= 0:
		l.Push(lua.LString(""))
		return 1
	case int64(len(s)+len(sep)) > maxString/n:
		l.RaiseError("resulting string too large")
	}
	l.Push(lua.LString(strings.Repeat(s+sep, int(n)-1) + s))
	return 1
}

func pack(l *lua.LState) int {
	n := l.GetTop()
	t := l.CreateTable(n, 1)
	for i := 1; i <= n; i++ {
		t.RawSetInt(i, l.Get(i))
	}
	t.RawSetString("n", lua.LNumber(n))
	l.Push(t)
	return 1
}

func unpack(l *lua.LState) int {
	t := l.CheckTable(1)
	first, last := l.OptInt(2, 1), l.OptInt(3, t.Len())
	if last-first >= 1<<18 {
		l.RaiseError("too many results to unpack")
	}
	for i := first; i <= last; i++ {
		l.Push(t.RawGetInt(i))
	}
	return max(last-first+1, 0)
}

func move(l *lua.LState) int {
	from, first, last, to := l.CheckTable(1), l.CheckInt(2), l.CheckInt(3), l.CheckInt(4)
	dst := l.OptTable(5, from)
	if last-first >= 1<<24 {
		l.ArgError(3, "too many elements to move")
	}
	if to > first && to <= last && dst == from {
		for i := last; i >= first; i-- {
			dst.RawSetInt(to+i-first, from.RawGetInt(i))
		}
	} else {
		for i := first; i <= last; i++ {
			dst.RawSetInt(to+i-first, from.RawGetInt(i))
		}
	}
	l.Push(dst)
	return 1
}

func logarithm(l *lua.LState) int {
	x := float64(l.CheckNumber(1))
	switch base := float64(l.OptNumber(2, 0)); {
	case l.GetTop() < 2:
		x = math.Log(x)
	case base == 2:
		x = math.Log2(x)
	case base == 10:
		x = math.Log10(x)
	default:
		x = math.Log(x) / math.Log(base)
	}
	l.Push(lua.LNumber(x))
	return 1
}

func mathType(l *lua.LState) int {
	n, ok := l.CheckAny(1).(lua.LNumber)
	switch {
	case !ok:
		l.Push(lua.LNil)
	case number(n).Kind() == number(1).Kind():
		l.Push(lua.LString("integer"))
	default:
		l.Push(lua.LString("float"))
	}
	return 1
}

func toInteger(l *lua.LState) int {
	v := l.CheckAny(1)
	if s, ok := v.(lua.LString); ok {
		v = lua.LNil
		if f, err := strconv.ParseFloat(strings.TrimSpace(string(s)), 64); err == nil {
			v = lua.LNumber(f)
		}
	}
	if n, ok := v.(lua.LNumber); ok && number(n).Kind() == number(1).Kind() {
		l.Push(n)
	} else {
		l.Push(lua.LNil)
	}
	return 1
}

func unsignedLess(l *lua.LState) int {
	l.Push(lua.LBool(uint64(l.CheckInt64(1)) < uint64(l.CheckInt64(2))))
	return 1
}
