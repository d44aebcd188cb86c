package engine

import (
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// transactionRule is how a command takes part in transactions.
type transactionRule struct {
	// check finds what is wrong with the command's fields before it is queued;
	// nil if it cannot be queued.
	check func(c *call) string
	// queues says whether a call for a client with an open transaction is queued;
	// nil for always.
	queues func(c *call) bool
	// onlyWires is set if only native wires queue it: by itself it runs at once
	// and unseen.
	onlyWires bool
	// item names the member of the command's reply that is the answer of EXEC; ""
	// for {"ok":true}.
	item string
	// run carries the command out for EXEC; nil for the ordinary way.
	run handler
	// changed names the member of the reply that is false, 0 or empty if nothing
	// has changed; "" for always changed.
	changed string
	// names are the fields that name what is written; nil for "key".
	names []string

	command handler // what to run, set when the command is registered
}

// transactional are the commands that can be queued or that trip WATCH. All
// others run at once and unseen (protocol: http-data 12).
var transactional = map[string]*transactionRule{
	"kv.set":      {check: checkValue},
	"kv.del":      {check: checkKey, run: transactionDel, changed: "deleted"},
	"kv.mdel":     {check: checkKeys, onlyWires: true, item: "deleted", names: []string{"keys"}},
	"kv.incr":     {check: checkKey, item: "value"},
	"kv.decr":     {check: checkKey, item: "value"},
	"hash.set":    {check: checkField},
	"hash.del":    {check: checkFields, item: "deleted", changed: "deleted"},
	"hash.incrby": {check: checkIncrement, item: "value"},
	"list.lpush":  {check: checkArray("values"), item: "length"},
	"list.rpush":  {check: checkArray("values"), item: "length"},
	"list.lpop":   {check: checkKey, queues: popsOne, run: func(e *Engine, c *call) (value.Value, string) { return e.transactionPop(c, opLpop) }},
	"list.rpop":   {check: checkKey, queues: popsOne, run: func(e *Engine, c *call) (value.Value, string) { return e.transactionPop(c, opRpop) }},
	"set.add":     {check: checkArray("members"), item: "added"},
	"set.rem":     {check: checkArray("members"), item: "removed", changed: "removed"},
	"set.pop":     {changed: "members"},
	"set.move":    {changed: "moved", names: []string{"source", "destination"}},
}

// joinTransactions makes the commands of an engine take part in transactions.
func joinTransactions(commands map[string]handler) {
	for name, rule := range transactional {
		if rule.command = commands[name]; rule.command != nil && !rule.onlyWires {
			commands[name] = rule.handler(name)
		}
	}
}

// handler runs the command or queues it, and tells the watchers of its names.
func (r *transactionRule) handler(name string) handler {
	return func(e *Engine, c *call) (value.Value, string) {
		if len(e.transactions.open) == 0 { // so nobody queues or watches
			return r.command(e, c)
		}
		if t := e.transactions.of(c); t != nil && r.check != nil && (r.queues == nil || r.queues(c)) {
			if errText := r.check(c); errText != "" {
				return value.Nil, errText
			}
			t.queue = append(t.queue, queuedCommand{name, c.face, c.payload})
			return replyQueued, ""
		}
		reply, errText := r.command(e, c)
		if errText == "" && c.watched && (r.changed == "" || holds(reply.Field(r.changed))) {
			r.touch(e, c)
		}
		return reply, errText
	}
}

// of returns the transaction that a command goes into, nil if it runs at once.
// One can be open for the client "", but nothing can be queued in it.
func (s *transactionStore) of(c *call) *transaction {
	id, _ := c.payload.Field("client_id").AsStr()
	if id == "" {
		return nil
	}
	return s.open[id]
}

// carryOut runs a queued command and returns the answer of EXEC.
func (r *transactionRule) carryOut(e *Engine, c *call) (item value.Value, errText string) {
	if r.run != nil {
		item, errText = r.run(e, c)
	} else {
		item, errText = r.command(e, c)
		if r.item == "" {
			item = member("ok", value.Bool(true))
		} else {
			item = member(r.item, item.Field(r.item))
		}
	}
	if errText == "" {
		r.touch(e, c) // whoever queued it, and whether or not anything changed
	}
	return item, errText
}

// touch tells who watches the names that a command writes.
func (r *transactionRule) touch(e *Engine, c *call) {
	if r.names == nil {
		e.transactions.touch(c.payload.Field("key"))
	}
	for _, field := range r.names {
		e.transactions.touch(c.payload.Field(field))
	}
}

func transactionDel(e *Engine, c *call) (value.Value, string) {
	reply, errText := kvDel(e, c)
	n := int64(0)
	if holds(reply.Field("deleted")) {
		n = 1
	}
	return member("deleted", value.Int(n)), errText
}

// transactionPop answers the stored text itself, unlike the command.
func (e *Engine) transactionPop(c *call, op int) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	texts, errText := e.lists.pop(key, 1, op)
	if errText != "" {
		return value.Nil, errText
	}
	return value.Str(strings.ToValidUTF8(texts[0], "\uFFFD")), ""
}

// holds reports whether a member of a reply says that there was something.
func holds(v value.Value) bool {
	if b, ok := v.AsBool(); ok {
		return b
	}
	if n, ok := v.AsInt(); ok {
		return n != 0
	}
	return v.Len() > 0
}

// popsOne reports whether a pop asks for one element in so many words; others are
// not queued.
func popsOne(c *call) bool {
	n, ok := c.uint("count")
	return ok && n == 1
}

// The checks find what the command would refuse by its fields alone.

func checkKey(c *call) string {
	_, errText := c.str("key")
	return errText
}

func checkValue(c *call) string {
	_, _, errText := c.keyValue()
	return errText
}

func checkKeys(c *call) string {
	_, errText := c.stringsField("keys")
	return errText
}

func checkField(c *call) string {
	_, _, errText := c.keyField()
	if _, ok := c.payload.Get("value"); errText == "" && !ok {
		return missing("value")
	}
	return errText
}

func checkIncrement(c *call) string {
	_, _, errText := c.keyField()
	if _, ok := c.int("increment"); errText == "" && !ok {
		return missing("increment")
	}
	return errText
}

func checkFields(c *call) string {
	_, errText := c.str("key")
	if errText == "" {
		_, errText = c.fieldNames()
	}
	return errText
}

// checkArray returns the check for a key and an array of anything.
func checkArray(field string) func(c *call) string {
	return func(c *call) string {
		_, errText := c.str("key")
		if errText == "" && c.payload.Field(field).Kind() != value.KindArray {
			return "Invalid request: Missing '" + field + "' array"
		}
		return errText
	}
}
