package lua

import (
	"errors"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// syntaxText words the failure to compile as Lua 5.4 does.
func syntaxText(err error) string {
	var api *lua.ApiError
	var at *parse.Error
	if errors.As(err, &api) && errors.As(api.Cause, &at) {
		if at.Pos.Line == parse.EOF {
			return chunkName + ": unexpected symbol near <eof>"
		}
		message := at.Message
		if message == "parse error" {
			message = "syntax error"
		}
		return chunkName + ":" + strconv.Itoa(at.Pos.Line) + ": " + message + " near '" + at.Token + "'"
	}
	return chunkName + ": " + err.Error()
}

// runtimeText words the error that ended a script: those of redis.call are the
// server's fault, all others the script's (protocol: http-data 11).
func runtimeText(err error) string {
	var api *lua.ApiError
	if !errors.As(err, &api) {
		return "Invalid request: " + err.Error()
	}
	trace := "\n" + strings.TrimSpace(api.StackTrace)
	switch o := api.Object.(type) {
	case *lua.LUserData:
		if c, ok := o.Value.(callError); ok {
			return "Internal error: runtime error: " + c.text + trace
		}
	case *lua.LTable:
		return "Invalid request: (error object is a table value)" + trace
	}
	return "Invalid request: " + reword(api.Object.String()) + trace
}

// reword turns the interpreter's wording of the common mistakes into that of
// Lua 5.4. The position in front stays.
func reword(text string) string {
	cut := func(sep string) (before, after string, ok bool) {
		before, after, ok = strings.Cut(text, sep)
		return
	}
	if at, rest, ok := cut("cannot perform "); ok {
		op, types, _ := strings.Cut(rest, " operation between ")
		left, right, _ := strings.Cut(types, " and ")
		culprit := left
		if left == "number" || (op == "concat" && left == "string") {
			culprit = right
		}
		if op == "concat" {
			return at + "attempt to concatenate a " + culprit + " value"
		}
		return at + "attempt to perform arithmetic on a " + culprit + " value"
	}
	if at, rest, ok := cut("attempt to index a non-table object("); ok {
		kind, key, _ := strings.Cut(rest, ") with key ")
		return at + "attempt to index a " + kind + " value (field " + key + ")"
	}
	if at, _, ok := cut("attempt to call a non-function object"); ok {
		return at + "attempt to call a nil value"
	}
	if at, rest, ok := cut("attempt to compare "); ok {
		if left, right, _ := strings.Cut(rest, " with "); left == right {
			return at + "attempt to compare two " + left + " values"
		}
	}
	return text
}
