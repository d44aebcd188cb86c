package native

import (
	"strconv"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

var hashCommands = family{
	"HSET":         {run: hashSet},
	"HMSET":        {run: hashMset},
	"HGET":         {params: []param{key, field}, name: "hash.get", reply: bytesOf("value")},
	"HMGET":        {params: []param{key, fields}, name: "hash.mget", reply: listOf("values")},
	"HDEL":         {params: []param{key, fields}, name: "hash.del", reply: part("deleted")},
	"HINCRBY":      {params: []param{key, field, {kind: integer, field: "increment", complaint: "value is not an integer or out of range"}}, alone: true, name: "hash.incrby", reply: part("value")},
	"HINCRBYFLOAT": {params: []param{key, field, {kind: number, field: "increment", complaint: "value is not a valid float"}}, alone: true, run: hashIncrbyfloat},
	"HGETALL":      {params: []param{key}, name: "hash.getall", reply: hashAll},
	"HKEYS":        {params: []param{key}, name: "hash.keys", reply: part("keys")},
	"HVALS":        {params: []param{key}, name: "hash.vals", reply: listOf("values")},
	"HLEN":         {params: []param{key}, name: "hash.len", reply: part("length")},
	"HEXISTS":      {params: []param{key, field}, name: "hash.exists", reply: part("exists")},
}

var fields = param{kind: names, field: "fields"}

// hashSet writes the fields one by one, at one moment: the engine's command for
// several does not tell how many are new.
func hashSet(c *call) (Result, string) {
	if c.wire == RESP && len(c.args) < 3 {
		return c.fail("syntax — HSET key field value [field value ...]")
	}
	name := c.text(0, "key")
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	names, values, even := c.pairs(1, "field")
	if !even {
		c.complain("wrong number of arguments for '"+c.name+"'", "syntax — HSET key field value [field value ...]")
	}
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	created := int64(0)
	c.engine.Together(c.now(), engine.Raw, func(exec exec) {
		for i := range names {
			answer, _ := exec("hash.set", object(value.Str("key"), value.Str(name), value.Str("field"), names[i], value.Str("value"), values[i]))
			if isNew, _ := answer.Field("created").AsBool(); isNew {
				created++
			}
		}
	})
	return plain(value.Int(created)), ""
}

// hashMset never fails on RESP3, whatever it is given.
func hashMset(c *call) (Result, string) {
	_, errText := hashSet(c)
	if c.wire == RESP {
		c.wrong, errText = "", ""
	}
	return replyOK, errText
}

// hashIncrbyfloat reads back what JSON has no number for.
func hashIncrbyfloat(c *call) (Result, string) {
	answer, errText := c.exec("hash.incrbyfloat")
	if errText != "" {
		return Result{}, errText
	}
	sum := answer.Field("value")
	if sum.IsNil() {
		stored, _ := c.exec("hash.get")
		s, _ := stored.Field("value").AsBlob()
		f, _ := strconv.ParseFloat(s, 64)
		sum = value.Float(f)
	}
	return plain(sum), ""
}

func hashAll(_ *call, answer value.Value) Result {
	return plain(mapToBytes(answer.Field("fields")))
}

// mapToBytes makes bytes of the values of a map.
func mapToBytes(m value.Value) value.Value {
	pairs := make([]value.Value, 0, 2*m.Len())
	for i := range m.Len() {
		name, v := m.Pair(i)
		pairs = append(pairs, name, asBytes(v))
	}
	return value.Map(pairs...)
}
