package native

import (
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

var listCommands = family{
	"LPUSH":  {params: []param{key, values}, name: "list.lpush", reply: part("length")},
	"RPUSH":  {params: []param{key, values}, name: "list.rpush", reply: part("length")},
	"LPOP":   {params: []param{key}, name: "list.lpop", reply: first("values")},
	"RPOP":   {params: []param{key}, name: "list.rpop", reply: first("values")},
	"LRANGE": {params: []param{key, {kind: integer, field: "start"}, {kind: integer, field: "stop"}}, name: "list.lrange", reply: listOf("values")},
	"LLEN":   {params: []param{key}, run: listLen},
}

var values = param{kind: blobs, field: "values"}

// first answers the first element of a member: pops take one, whatever count is
// asked for.
func first(name string) func(*call, value.Value) Result {
	return func(_ *call, answer value.Value) Result { return plain(asBytes(answer.Field(name).Index(0))) }
}

// listLen is not found where there is no list, as on REST.
func listLen(c *call) (Result, string) {
	answer, errText := c.execAs(engine.Routed, "list.llen", c.fields...)
	return plain(answer.Field("length")), errText
}
