package lua_test

import (
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/engine/lua"
	"github.com/libsynap/libsynap/core/value"
)

const now = int64(1_790_000_000_000_000_000)

func newEngine() *engine.Engine {
	e := engine.New(engine.Options{})
	e.SetScripts(lua.New())
	return e
}

// eval returns the JSON text of a script's result, or its error text.
func eval(e *engine.Engine, script string) string {
	v, errText := e.Exec(now, engine.Envelope, "script.eval", "r", value.Map(value.Str("script"), value.Str(script)))
	if errText != "" {
		first, _, _ := strings.Cut(errText, "\n")
		return first
	}
	b, _ := value.AppendSortedJSON(nil, v.Field("result"))
	return string(b)
}

func check(t *testing.T, cases [][2]string) {
	t.Helper()
	e := newEngine()
	for _, c := range cases {
		if got := eval(e, c[0]); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
}

func TestResults(t *testing.T) {
	check(t, [][2]string{
		{`return`, `null`},
		{`return 1, 2`, `1`},
		{`return 1.5`, `1.5`},
		{`return -7`, `-7`},
		{`return 2^53`, `9007199254740992`},
		{`return 1e300`, `1e+300`},
		{`return 1/0`, `Invalid value: Invalid floating point result`},
		{`return {1, 0/0}`, `Invalid value: Invalid floating point result`},
		{`return print`, `Invalid value: Unsupported Lua value returned from script`},
		{`return {a = {print}}`, `Invalid value: Unsupported Lua value returned from script`},
		{`return "a\255b"`, `"a` + "\uFFFD" + `b"`},
		{`return {}`, `[null]`},
		{`return {[3] = "c"}`, `[null,null,"c"]`},
		{`return {1, nil, 3}`, `[1,null,3]`},
		{`return {1, 2, b = 1, a = 2}`, `{"a":2,"b":1}`},
		{`return {[0] = "z", [1.5] = "h", [true] = "t", [-2] = "m", 7}`,
			`{"Boolean(true)":"t","Integer(-2)":"m","Integer(0)":"z","Number(1.5)":"h"}`},
		{`return {{}, {x = {}}}`, `[[null],{"x":[null]}]`},
		{`return {[2^40] = 1}`, `Invalid value: script result is an array with too many holes`},
		{`local t = {} t.t = t return t`, `Invalid value: script result is nested too deep`},
	})
}

func TestErrors(t *testing.T) {
	const at = `Invalid request: [string "script"]:`
	check(t, [][2]string{
		{`syntax error here`, at + `1: syntax error near 'error'`},
		{"x = 1\nx(", `Invalid request: [string "script"]: unexpected symbol near <eof>`},
		{`error('boom')`, at + `1: boom`},
		{`error('boom', 0)`, `Invalid request: boom`},
		{`error({})`, `Invalid request: (error object is a table value)`},
		{"\nreturn nil..1", at + `2: attempt to concatenate a nil value`},
		{`return 'a'..{}`, at + `1: attempt to concatenate a table value`},
		{`return 1 + {}`, at + `1: attempt to perform arithmetic on a table value`},
		{`return nil * 2`, at + `1: attempt to perform arithmetic on a nil value`},
		{`local x return x.y`, at + `1: attempt to index a nil value (field 'y')`},
		{`nothing()`, at + `1: attempt to call a nil value`},
		{`return {} < {}`, at + `1: attempt to compare two table values`},
		{`return 1 < 'x'`, at + `1: attempt to compare number with string`},
		{`redis.call('nope')`, `Internal error: runtime error: redis.call does not support command NOPE`},
		{`redis.call()`, `Internal error: runtime error: redis.call requires a command name`},
		{`redis.call('get', {})`, `Internal error: runtime error: GET expects string-like arguments (got table)`},
		{`redis.call('hset', 'k', 'f')`, `Internal error: runtime error: HSET requires at least 3 argument(s)`},
		{`local ok, err = pcall(redis.call, 'get') return {ok, tostring(err)}`,
			`[false,"runtime error: GET requires at least 1 argument(s)"]`},
		{`return string.rep('x', 2^40)`, at + `1: resulting string too large`},
	})
}

func TestLibrary(t *testing.T) {
	check(t, [][2]string{
		{`return _VERSION`, `"Lua 5.4"`},
		{`return {unpack == nil, setfenv == nil, loadstring == nil, math.pow == nil, table.getn == nil, os == nil, io == nil}`,
			`[true,true,true,true,true,true,true]`},
		{`return {redis.pcall == nil, redis.status_reply == nil, cjson == nil}`, `[true,true,true]`},
		{`print('x') return 1`, `1`},
		{`return table.concat({table.unpack({1, 2, 3}, 2)}, '-')`, `"2-3"`},
		{`local t = table.pack(1, nil, 3) return t.n`, `3`},
		{`return table.move({1, 2, 3}, 1, 3, 2)`, `[1,1,2,3]`},
		{`return table.move({1, 2, 3}, 2, 3, 1)`, `[2,3,3]`},
		{`return table.move({1, 2}, 1, 2, 3, {9, 9})`, `[9,9,1,2]`},
		{`return rawlen({1, 2}) + rawlen('abc')`, `5`},
		{`return ('ab'):rep(3, ',')`, `"ab,ab,ab"`},
		{`return ('ab'):rep(0)`, `""`},
		{`return {tostring(1/3), tostring(12), tostring(1e15), tostring(2.5e-7), tostring(-1/0), tostring(nil)}`,
			`["0.33333333333333","12","1000000000000000","2.5e-07","-inf","nil"]`},
		{`return {math.type(1), math.type(1.5), tostring(math.type('1'))}`, `["integer","float","nil"]`},
		{`return {math.tointeger(3), math.tointeger('8'), tostring(math.tointeger(3.5))}`, `[3,8,"nil"]`},
		{`return {math.log(8, 2), math.log(1000, 10), math.log(1)}`, `[3,3,0]`},
		{`return math.ult(1, -1)`, `true`},
		{`return {utf8.char(72, 228, 8364, 128512), utf8.len('hä€'), select('#', utf8.codepoint('hä€', 1, -1))}`, `["Hä€😀",3,3]`},
		{`return {utf8.offset('hä€x', 4), utf8.offset('hä€x', -2), utf8.offset('hä€x', 0, 3), tostring(utf8.offset('x', 5))}`, `[7,4,2,"nil"]`},
		{`local t = {} for p, c in utf8.codes('aä') do t[#t + 1] = p .. ':' .. c end return t`, `["1:97","2:228"]`},
		{`local n, at = utf8.len('a\255') return {tostring(n), at}`, `["nil",2]`},
		{`local n = 0 for _ in ('aä€'):gmatch(utf8.charpattern) do n = n + 1 end return n`, `3`},
		{`local co = coroutine.wrap(function() coroutine.yield(redis.call('set', 'k', 1)) end) return co()`, `"OK"`},
		{`goto done; do return 1 end ::done:: return 2`, `2`},
	})
}

// TestFreshInterpreter: nothing that a script defines outlives it.
func TestFreshInterpreter(t *testing.T) {
	check(t, [][2]string{
		{`leaked = 1 string.leaked = 2 return leaked`, `1`},
		{`return {leaked == nil, string.leaked == nil}`, `[true,true]`},
	})
}

// TestTimeout: a loop ends, whatever it catches, and the engine is free again.
func TestTimeout(t *testing.T) {
	for _, script := range []string{
		`while true do end`,
		`while true do pcall(function() while true do end end) end`,
		`redis.call('set', 'k', 'v') local function f() return f() end f()`,
	} {
		e := newEngine()
		began := time.Now()
		_, errText := e.Exec(now, engine.Envelope, "script.eval", "r", value.Map(
			value.Str("script"), value.Str(script), value.Str("timeout_ms"), value.Int(150)))
		if errText != "Internal error: script ran longer than 150 ms" {
			t.Errorf("%s: %q", script, errText)
		}
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("%s: held the engine for %v", script, d)
		}
		if got := eval(e, `return 1`); got != `1` {
			t.Errorf("after %s: %s", script, got)
		}
	}
}

// TestSmallTimeout: the server enforces no timeout, so a tiny one must not fail a
// quick script.
func TestSmallTimeout(t *testing.T) {
	e := newEngine()
	for _, ms := range []int64{0, 1} {
		_, errText := e.Exec(now, engine.Envelope, "script.eval", "r", value.Map(
			value.Str("script"), value.Str(`local n = 0 for i = 1, 5000 do n = n + i end return n`), value.Str("timeout_ms"), value.Int(ms)))
		if errText != "" {
			t.Errorf("timeout_ms %d: %s", ms, errText)
		}
	}
}

// TestDeepRecursion is an error, not the end of the process. The race detector
// needs more time for it than a script usually has.
func TestDeepRecursion(t *testing.T) {
	_, errText := newEngine().Exec(now, engine.Envelope, "script.eval", "r", value.Map(
		value.Str("script"), value.Str(`local function f(n) return 1 + f(n + 1) end return f(1)`),
		value.Str("timeout_ms"), value.Int(120_000)))
	if !strings.Contains(errText, "overflow") {
		t.Errorf("got %s", errText)
	}
}
