package native

import "github.com/libsynap/libsynap/core/value"

var transactionCommands = family{
	"MULTI":   {params: []param{client}, name: "transaction.multi", reply: done},
	"EXEC":    {params: []param{client}, name: "transaction.exec", reply: executed},
	"DISCARD": {params: []param{client}, name: "transaction.discard", reply: done},
	"WATCH":   {params: []param{client, keys}, run: transactionWatch},
	"UNWATCH": {params: []param{client}, name: "transaction.unwatch", reply: done},
	"TXQUEUE": {params: []param{client, {kind: text, field: "command"}}, run: transactionQueue},
}

var client = param{kind: text, field: "client_id"}

func transactionWatch(c *call) (Result, string) {
	if c.field("keys").Len() == 0 {
		return c.fail("WATCH requires at least one key")
	}
	_, errText := c.exec("transaction.watch")
	return replyOK, errText
}

// executed answers the results as JSON texts, null for a transaction that was
// given up.
func executed(_ *call, answer value.Value) Result {
	list := answer.Field("results")
	if list.IsNil() {
		return Result{}
	}
	texts := make([]value.Value, list.Len())
	for i := range texts {
		text, err := value.AppendSortedJSON(nil, list.Index(i))
		if err != nil {
			text = []byte("null")
		}
		texts[i] = value.Str(string(text))
	}
	return plain(value.Array(texts...))
}

// queueable are the commands that TXQUEUE takes.
var queueable = map[string]struct {
	name   string
	params []param
	empty  string // what SynapRPC says if the list at the end has nothing
}{
	"SET":     {name: "kv.set", params: []param{key, val}},
	"DEL":     {"kv.mdel", []param{keys}, "DEL requires at least one key"},
	"INCR":    {name: "kv.incr", params: []param{key}},
	"DECR":    {name: "kv.decr", params: []param{key}},
	"INCRBY":  {name: "kv.incr", params: []param{key, delta("amount")}},
	"DECRBY":  {name: "kv.decr", params: []param{key, delta("amount")}},
	"HSET":    {name: "hash.set", params: []param{key, field, val}},
	"HDEL":    {"hash.del", []param{key, fields}, "HDEL requires at least one field"},
	"HINCRBY": {name: "hash.incrby", params: []param{key, field, delta("increment")}},
	"LPUSH":   {"list.lpush", []param{key, values}, "LPUSH requires at least one value"},
	"RPUSH":   {"list.rpush", []param{key, values}, "LPUSH requires at least one value"},
	"LPOP":    {name: "list.lpop", params: []param{key}},
	"RPOP":    {name: "list.rpop", params: []param{key}},
	"SADD":    {"set.add", []param{key, members}, "SADD requires at least one member"},
	"SREM":    {"set.rem", []param{key, members}, "SADD requires at least one member"},
}

func delta(field string) param {
	return param{kind: integer, field: field, complaint: "delta must be an integer"}
}

// transactionQueue queues a command; nothing else goes into a transaction.
func transactionQueue(c *call) (Result, string) {
	who, _ := c.field("client_id").AsStr()
	name, _ := c.field("command").AsStr()
	inner := Upper(name)
	cmd, known := queueable[inner]
	if !known {
		return c.fail("'" + inner + "' cannot be queued in a transaction")
	}
	if c.wire == RESP && len(c.args) < 2+len(cmd.params) {
		return Result{}, c.arityOf("TXQUEUE " + inner)
	}
	c.fields = nil
	c.read(2, cmd.params)
	last := cmd.params[len(cmd.params)-1]
	if cmd.empty != "" && c.wrong == "" && c.field(last.field).Len() == 0 {
		c.fail("TXQUEUE " + cmd.empty)
	}
	if inner == "SET" && len(c.args) > 4 {
		c.queuedTTL()
	}
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	queued, errText := c.engine.Queue(c.now(), who, cmd.name, value.Map(c.fields...))
	if errText == "" && !queued {
		return c.fail("no transaction in progress for client '" + who + "' — call MULTI first")
	}
	return status("QUEUED"), errText
}

// queuedTTL reads the time to live of a queued SET, which alone of all is read
// strictly.
func (c *call) queuedTTL() {
	if c.wrong == "" && (c.wordAt(4) != "EX" || len(c.args) < 6) {
		c.fail("syntax — TXQUEUE SET key value [EX ttl]")
		return
	}
	ttl := c.int(5, "invalid EX ttl")
	if c.wrong == "" && ttl < 0 {
		c.fail("invalid EX ttl")
	}
	c.set("ttl", value.Int(ttl))
}
