package lua

import (
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

// utf8Functions is the utf8 library of Lua 5.4, without the lax mode.
var utf8Functions = map[string]lua.LGFunction{
	"char": utf8Char, "codepoint": utf8Codepoint, "len": utf8Len, "offset": utf8Offset, "codes": utf8Codes,
}

func utf8Char(l *lua.LState) int {
	var out []byte
	for i := 1; i <= l.GetTop(); i++ {
		c := l.CheckInt64(i)
		if c < 0 || c > utf8.MaxRune {
			l.ArgError(i, "value out of range")
		}
		out = utf8.AppendRune(out, rune(c))
	}
	l.Push(lua.LString(out))
	return 1
}

// position makes a relative string position absolute: -1 is the last byte.
func position(i, n int) int {
	if i < 0 {
		return max(n+i+1, 0)
	}
	return i
}

func utf8Codepoint(l *lua.LState) int {
	s := l.CheckString(1)
	first := position(l.OptInt(2, 1), len(s))
	last := position(l.OptInt(3, first), len(s))
	if first < 1 {
		l.ArgError(2, "out of bounds")
	}
	if last > len(s) {
		l.ArgError(3, "out of bounds")
	}
	count := 0
	for at := first - 1; at < last; count++ {
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size < 2 {
			l.RaiseError("invalid UTF-8 code")
		}
		l.Push(lua.LNumber(r))
		at += size
	}
	return count
}

func utf8Len(l *lua.LState) int {
	s := l.CheckString(1)
	first := position(l.OptInt(2, 1), len(s))
	last := position(l.OptInt(3, -1), len(s))
	if first < 1 || first > len(s)+1 {
		l.ArgError(2, "initial position out of bounds")
	}
	if last > len(s) {
		l.ArgError(3, "final position out of bounds")
	}
	count := 0
	for at := first - 1; at < last; count++ {
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size < 2 {
			l.Push(lua.LNil)
			l.Push(lua.LNumber(at + 1))
			return 2
		}
		at += size
	}
	l.Push(lua.LNumber(count))
	return 1
}

func utf8Offset(l *lua.LState) int {
	s, n := l.CheckString(1), l.CheckInt(2)
	start := 1
	if n <= 0 {
		start = len(s) + 1
	}
	at := position(l.OptInt(3, start), len(s)) - 1
	if at < 0 || at > len(s) {
		l.ArgError(3, "position out of bounds")
	}
	inside := func(i int) bool { return i < len(s) && !utf8.RuneStart(s[i]) }
	if n == 0 {
		for at > 0 && inside(at) {
			at--
		}
		l.Push(lua.LNumber(at + 1))
		return 1
	}
	if inside(at) {
		l.RaiseError("initial position is a continuation byte")
	}
	for ; n < 0 && at > 0; n++ {
		for at--; at > 0 && inside(at); at-- {
		}
	}
	for n--; n > 0 && at < len(s); n-- {
		for at++; inside(at); at++ {
		}
	}
	if n == 0 || n == -1 {
		l.Push(lua.LNumber(at + 1))
	} else {
		l.Push(lua.LNil)
	}
	return 1
}

func utf8Codes(l *lua.LState) int {
	s := l.CheckString(1)
	l.Push(l.NewFunction(func(l *lua.LState) int {
		at := l.CheckInt(2)
		if at > 0 {
			_, size := utf8.DecodeRuneInString(s[at-1:])
			at += size - 1
		}
		if at >= len(s) {
			return 0
		}
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size < 2 {
			l.RaiseError("invalid UTF-8 code")
		}
		l.Push(lua.LNumber(at + 1))
		l.Push(lua.LNumber(r))
		return 2
	}))
	l.Push(lua.LString(s))
	l.Push(lua.LNumber(0))
	return 3
}
