package native

import "github.com/libsynap/libsynap/core/value"

var kvCommands = family{
	"PING":          {run: ping},
	"SET":           {params: []param{key, val}, run: kvSet},
	"GET":           {params: []param{key}, name: "kv.get", reply: bytesOrNull},
	"GETSET":        {params: []param{key, val}, name: "kv.getset", reply: bytesOrNull},
	"DEL":           {params: []param{keys}, name: "kv.mdel", reply: part("deleted")},
	"EXISTS":        {params: []param{key}, name: "kv.exists", reply: part("exists")},
	"EXPIRE":        {params: []param{key, {kind: unsigned, field: "ttl"}}, name: "kv.expire", reply: part("result")},
	"PERSIST":       {params: []param{key}, name: "kv.persist", reply: part("result")},
	"TTL":           {params: []param{key}, run: kvTTL},
	"INCR":          {params: []param{key}, name: "kv.incr", reply: part("value")},
	"DECR":          {params: []param{key}, name: "kv.decr", reply: part("value")},
	"INCRBY":        {params: []param{key, {kind: integer, field: "amount"}}, name: "kv.incr", reply: part("value")},
	"DECRBY":        {params: []param{key, {kind: integer, field: "amount"}}, name: "kv.decr", reply: part("value")},
	"MSET":          {run: kvMset},
	"MSETNX":        {run: kvMsetnx},
	"MGET":          {params: []param{keys}, name: "kv.mget", reply: listOf("values")},
	"KEYS":          {name: "kv.keys", reply: part("keys")},
	"SCAN":          {run: kvScan},
	"APPEND":        {params: []param{key, val}, name: "kv.append", reply: part("length")},
	"SETRANGE":      {params: []param{key, {kind: bounded, field: "offset", complaint: "offset must be an integer"}, val}, name: "kv.setrange", reply: part("length")},
	"GETRANGE":      {params: []param{key, rangeStart, rangeEnd}, name: "kv.getrange", reply: bytesOrEmpty},
	"STRLEN":        {params: []param{key}, name: "kv.strlen", reply: part("length")},
	"DBSIZE":        {name: "kv.dbsize", reply: part("size")},
	"KVSTATS":       {wires: RPC, name: "kv.stats", reply: kvStats},
	"SYNAP.KVSTATS": {wires: RESP, name: "kv.stats", reply: kvStats},
	"FLUSHALL":      {name: "kv.flushall", reply: done},
	"FLUSHDB":       {name: "kv.flushdb", reply: done},
	"SELECT":        {wires: RESP, run: func(*call) (Result, string) { return replyOK, "" }},
}

var (
	rangeStart = param{kind: integer, field: "start", complaint: "start must be an integer"}
	rangeEnd   = param{kind: integer, field: "end", complaint: "end must be an integer"}
)

func ping(c *call) (Result, string) {
	if len(c.args) == 0 {
		return status("PONG"), ""
	}
	if c.wire == RPC {
		return plain(value.Str(c.text(0, ""))), ""
	}
	return plain(value.BytesOf(c.blob(0))), ""
}

// kvSet takes the time to live as a third integer on SynapRPC, and after a word on
// RESP3; everything else is ignored (protocol: synaprpc quirk 2, resp3 quirk 3).
func kvSet(c *call) (Result, string) {
	if c.wire == RPC {
		if ttl, ok := c.intAt(2); ok {
			c.set("ttl", value.Uint(uint64(ttl)))
		}
	}
	for i := 2; c.wire == RESP && i+1 < len(c.args); i++ {
		word := c.wordAt(i)
		if word != "EX" && word != "PX" {
			continue
		}
		i++
		s, _ := c.textAt(i)
		ttl, ok := parseUnsigned(s)
		if !ok {
			continue
		}
		if word == "PX" {
			ttl = ttl/1000 + min(ttl%1000, 1)
		}
		c.set("ttl", value.Uint(ttl))
	}
	_, errText := c.exec("kv.set")
	return replyOK, errText
}

func kvTTL(c *call) (Result, string) {
	answer, errText := c.exec("kv.ttl")
	ttl := answer.Field("ttl")
	switch {
	case errText != "" && c.wire == RPC:
		return c.fail("key does not exist")
	case errText != "":
		ttl = value.Int(-2)
	case ttl.IsNil():
		ttl = value.Int(-1)
	}
	return plain(ttl), ""
}

// pairs reads what follows argument from as keys and values, and returns false if
// one has no other.
func (c *call) pairs(from int, what string) (names, values []value.Value, even bool) {
	if len(c.args) < from || (len(c.args)-from)%2 != 0 {
		return nil, nil, false
	}
	for i := from; i < len(c.args) && c.wrong == ""; i += 2 {
		names = append(names, value.Str(c.text(i, what)))
		values = append(values, value.BytesOf(c.blob(i+1)))
	}
	return names, values, true
}

// setPairs reads keys and values into the payload.
func (c *call) setPairs(complaint string) bool {
	names, values, even := c.pairs(0, "key")
	if !even || (c.wire == RESP && len(names) == 0) {
		c.complain("wrong number of arguments for '"+c.name+"'", complaint)
	}
	if c.wrong != "" {
		return false
	}
	list := make([]value.Value, len(names))
	for i := range list {
		list[i] = object(value.Str("key"), names[i], value.Str("value"), values[i])
	}
	c.set("pairs", value.Array(list...))
	return true
}

func kvMset(c *call) (Result, string) {
	if !c.setPairs("syntax error — MSET key value [key value ...]") {
		return Result{}, c.wrong
	}
	_, errText := c.exec("kv.mset")
	return replyOK, errText
}

func kvMsetnx(c *call) (Result, string) {
	if !c.setPairs(c.arity()) {
		return Result{}, c.wrong
	}
	answer, errText := c.exec("kv.msetnx")
	return plain(answer.Field("success")), errText
}

// kvScan has no cursor: what it does not return cannot be reached.
func kvScan(c *call) (Result, string) {
	if c.wire == RPC {
		if prefix, ok := c.textAt(0); ok {
			c.set("prefix", value.Str(prefix))
		}
		if limit, ok := c.intAt(1); ok {
			c.set("limit", value.Uint(uint64(limit)))
		}
		answer, errText := c.exec("kv.scan")
		return plain(answer.Field("keys")), errText
	}
	if len(c.args) == 0 {
		return Result{}, c.arity()
	}
	for i := 1; i+1 < len(c.args); i++ {
		if s, isText := c.textAt(i + 1); isText && s != "*" && c.wordAt(i) == "MATCH" {
			c.set("prefix", value.Str(s))
		}
	}
	limit, said := c.option(1, "COUNT")
	if said {
		c.set("limit", value.Uint(limit))
	}
	answer, errText := c.exec("kv.scan")
	return plain(value.Array(value.Str("0"), answer.Field("keys"))), errText
}

func bytesOrEmpty(_ *call, answer value.Value) Result {
	if answer.IsNil() {
		return plain(value.BytesOf(""))
	}
	return plain(asBytes(answer))
}

func kvStats(_ *call, answer value.Value) Result {
	ops := answer.Field("operations")
	pairs := []value.Value{
		value.Str("total_keys"), answer.Field("total_keys"),
		value.Str("total_memory_bytes"), answer.Field("total_memory_bytes")}
	for _, name := range []string{"gets", "sets", "dels", "hits", "misses"} {
		pairs = append(pairs, value.Str(name), ops.Field(name))
	}
	return plain(value.Map(pairs...))
}
