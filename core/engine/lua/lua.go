// Package lua runs the scripts of the embedded engine with gopher-lua. It is a
// package of its own so that the engine, and with it the WASM module, stays free
// of an interpreter: native programs plug it in with engine.SetScripts(lua.New()).
//
// The server runs Lua 5.4 (protocol: http-data 11), gopher-lua speaks 5.1. The
// library here is the server's: what 5.4 dropped is gone, and most of what it
// added is there. What a library cannot give is missing: the operators // & | ~
// << >>, local attributes, string.pack, and integers apart from floats. A number
// without a fraction is returned as an integer, and integers are exact to 2^53.
package lua

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
	lua "github.com/yuin/gopher-lua"
)

// chunkName is what error positions call a script.
const chunkName = `[string "script"]`

// minTimeout is the least time a script gets. The server does not enforce
// timeouts at all, so a small one must not fail a script on a busy machine.
const minTimeout = 100 * time.Millisecond

// Runner implements engine.Scripts.
type Runner struct{}

// New returns a Runner.
func New() Runner { return Runner{} }

// SHA1 returns the name under which a script is cached.
func (Runner) SHA1(script string) string {
	sum := sha1.Sum([]byte(script))
	return hex.EncodeToString(sum[:])
}

// Run runs one script in a fresh interpreter. A defect of the interpreter is the
// script's failure, not the engine's.
func (Runner) Run(r *engine.ScriptRun) (reply value.Value, errText string) {
	defer func() {
		if p := recover(); p != nil {
			reply, errText = value.Nil, "Internal error: the script broke its interpreter"
		}
	}()
	l := lua.NewState(lua.Options{
		SkipOpenLibs:        true,
		CallStackSize:       16384,
		MinimizeStackMemory: true,
		RegistrySize:        1024,
		RegistryGrowStep:    4096,
		RegistryMaxSize:     1 << 20,
	})
	defer l.Close()
	timeout := max(time.Duration(r.TimeoutMillis)*time.Millisecond, minTimeout)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	l.SetContext(ctx)
	openLibs(l)
	l.SetGlobal("KEYS", stringTable(l, r.Keys))
	l.SetGlobal("ARGV", stringTable(l, r.Args))
	redis := l.NewTable()
	redis.RawSetString("call", l.NewFunction(redisCall(r.Call)))
	l.SetGlobal("redis", redis)

	fn, err := l.Load(strings.NewReader(r.Script), chunkName)
	if err != nil {
		return value.Nil, "Invalid request: " + syntaxText(err)
	}
	l.Push(fn)
	if err := l.PCall(0, 1, nil); err != nil {
		if ctx.Err() != nil {
			return value.Nil, "Internal error: script ran longer than " + strconv.FormatInt(timeout.Milliseconds(), 10) + " ms"
		}
		return value.Nil, runtimeText(err)
	}
	return result(l.Get(-1), 0)
}

func stringTable(l *lua.LState, items []string) *lua.LTable {
	t := l.CreateTable(len(items), 0)
	for _, s := range items {
		t.Append(lua.LString(s))
	}
	return t
}

// callError is a failure of redis.call on its way through the script.
type callError struct{ text string }

// redisCall is the bridge to the engine's stores.
func redisCall(call func(args []value.Value) (value.Value, string)) lua.LGFunction {
	return func(l *lua.LState) int {
		args := make([]value.Value, l.GetTop())
		for i := range args {
			v, ok := argument(l.Get(i + 1))
			if !ok {
				raise(l, strings.ToUpper(l.ToString(1))+" expects string-like arguments (got "+l.Get(i+1).Type().String()+")")
			}
			args[i] = v
		}
		reply, text := call(args)
		if text != "" {
			raise(l, text)
		}
		l.Push(replyValue(l, reply))
		return 1
	}
}

// raise raises a callError. Scripts that catch it see an object that prints as
// the text, as on the server.
func raise(l *lua.LState, text string) {
	mt := l.NewTable()
	mt.RawSetString("__tostring", l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LString("runtime error: " + text))
		return 1
	}))
	ud := l.NewUserData()
	ud.Value = callError{text}
	ud.Metatable = mt
	l.Error(ud, 1)
}

func argument(v lua.LValue) (value.Value, bool) {
	switch v := v.(type) {
	case *lua.LNilType:
		return value.Nil, true
	case lua.LBool:
		return value.Bool(bool(v)), true
	case lua.LNumber:
		return number(v), true
	case lua.LString:
		return value.TextOrBytes(string(v)), true
	}
	return value.Nil, false
}

func replyValue(l *lua.LState, v value.Value) lua.LValue {
	if s, ok := v.AsBlob(); ok {
		return lua.LString(s)
	}
	if i, ok := v.AsInt(); ok {
		return lua.LNumber(i)
	}
	if v.Kind() == value.KindArray {
		t := l.CreateTable(v.Len(), 0)
		for i, e := range v.Items() {
			t.RawSetInt(i+1, replyValue(l, e))
		}
		return t
	}
	return lua.LNil
}
