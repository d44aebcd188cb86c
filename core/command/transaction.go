package command

var (
	argClient = Arg{Name: "client_id", Type: String, Required: true, NonEmpty: true, Doc: "Whose transaction: a name of your choice that nobody else uses."}
	argAmount = Arg{Name: "amount", Type: Int, Default: "1", Doc: "May be negative."}
	// queued is what all commands that wait in a transaction return.
	queued = Reply{Kind: ReplyBool, Field: "queued", Absent: true, Doc: "Whether it waits for exec. False if no transaction was open: it was then carried out at once."}
)

const queueErrors = "InvalidArgument on native wires if no transaction is open: nothing was carried out."

var recordTransactionResult = &Record{Name: "TransactionResult", Doc: "What became of a transaction.", Fields: []Field{
	{Name: "aborted", Type: Bool, Doc: "Nothing was carried out, because a watched key changed."},
	{Name: "results", Type: JSON, Doc: `One result per command, in order: {"ok": true} of a set, {"value": n} of an increment, {"deleted": n}, {"length": n}, {"added": n}, {"removed": n}, and the JSON text of a popped element. Null if aborted.`},
}}

// enqueue is the form of a queued write on both native wires.
// enqueue is a literal of its own, which the compiler makes data where it would not
// look through two calls.
func enqueue(args string) *Native {
	return &Native{Name: "TXQUEUE", Args: args, Reply: "queued success"}
}

var transactionFamily = Family{Name: "transaction",
	Doc: "Transactions: writes that wait until exec carries them out in one step. They belong to a client_id, not to a connection. Reads, and writes without a method here, are carried out at once.",
	Commands: []Command{
		{Name: "transaction.multi", Summary: "Opens a transaction.", Doc: "watch opens one too, and multi then fails: begin with either.", Args: []Arg{argClient},
			HTTP: HTTP{Command: "transaction.multi"}, RPC: native("MULTI", "client_id", "ok message:Transaction_started"), RESP3: native("MULTI", "client_id", "ok message:Transaction_started"),
			Reply: Reply{Kind: ReplyNothing}, Traits: write,
			Errors:  "InvalidArgument if one is open.",
			Example: `client.transaction.multi("worker-1")`},
		{Name: "transaction.exec", Summary: "Carries out a transaction and closes it.", Doc: "The first command that fails ends it: what was done before stays, the rest is dropped.", Args: []Arg{argClient},
			HTTP: HTTP{Command: "transaction.exec"}, RPC: native("EXEC", "client_id", "results"), RESP3: native("EXEC", "client_id", "results"),
			Reply: Reply{Kind: ReplyRecord, Record: recordTransactionResult}, Traits: write,
			Errors:  "InvalidArgument if none is open, and what the first failing command fails with.",
			Example: `client.transaction.exec("worker-1")`},
		{Name: "transaction.discard", Summary: "Drops a transaction.", Args: []Arg{argClient},
			HTTP: HTTP{Command: "transaction.discard"}, RPC: native("DISCARD", "client_id", "ok message:Transaction_discarded"), RESP3: native("DISCARD", "client_id", "ok message:Transaction_discarded"),
			Reply: Reply{Kind: ReplyNothing}, Traits: write,
			Errors:  "InvalidArgument if none is open.",
			Example: `client.transaction.discard("worker-1")`},
		{Name: "transaction.watch", Summary: "Makes exec do nothing if one of the keys changes before it.",
			Doc:  "Opens a transaction if none is open. Names count in all stores. What trips it are plain writes over HTTP (and on memory://): kv.set, incr, decr and delete, the same of hashes, lpush, rpush, pops, set.add, remove, pop and move; and the exec of others. Nothing else does: no write over SynapRPC or RESP3, no mset, append, expire, rename, sorted set, script or expiry (protocol: http-data 12, synaprpc quirk 10).",
			Args: []Arg{argClient, {Name: "keys", Type: StringList, Required: true, NonEmpty: true, Doc: "The keys."}},
			HTTP: HTTP{Command: "transaction.watch"}, RPC: native("WATCH", "client_id keys...", "ok message:Keys_watched"), RESP3: native("WATCH", "client_id keys...", "ok message:Keys_watched"),
			Reply: Reply{Kind: ReplyNothing}, Traits: write,
			Example: `client.transaction.watch("worker-1", ["stock"])`},
		{Name: "transaction.unwatch", Summary: "Forgets the watched keys.", Doc: "The transaction stays open.", Args: []Arg{argClient},
			HTTP: HTTP{Command: "transaction.unwatch"}, RPC: native("UNWATCH", "client_id", "ok message:Keys_unwatched"), RESP3: native("UNWATCH", "client_id", "ok message:Keys_unwatched"),
			Reply: Reply{Kind: ReplyNothing}, Traits: put,
			Example: `client.transaction.unwatch("worker-1")`},

		{Name: "transaction.kv_set", Summary: "Queues kv.set.", Wire: "kv.set", Args: []Arg{argClient, argKey, argValue, argTTL},
			HTTP: HTTP{Command: "kv.set"}, RPC: enqueue(`client_id "SET" key value ["EX" ttl]`), RESP3: enqueue(`client_id "SET" key value ["EX" ttl]`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.kv_set("worker-1", "state", "done", ttl=60)`},
		{Name: "transaction.kv_delete", Summary: "Queues kv.delete.", Wire: "kv.del", Args: []Arg{argClient, argKey},
			HTTP: HTTP{Command: "kv.del"}, RPC: enqueue(`client_id "DEL" key`), RESP3: enqueue(`client_id "DEL" key`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.kv_delete("worker-1", "state")`},
		{Name: "transaction.kv_incr", Summary: "Queues kv.incrby.", Wire: "kv.incr", Args: []Arg{argClient, argKey, argAmount},
			HTTP: HTTP{Command: "kv.incr"}, RPC: enqueue(`client_id "INCRBY" key amount`), RESP3: enqueue(`client_id "INCRBY" key amount`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.kv_incr("worker-1", "done", amount=2)`},
		{Name: "transaction.kv_decr", Summary: "Queues kv.decrby.", Wire: "kv.decr", Args: []Arg{argClient, argKey, argAmount},
			HTTP: HTTP{Command: "kv.decr"}, RPC: enqueue(`client_id "DECRBY" key amount`), RESP3: enqueue(`client_id "DECRBY" key amount`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.kv_decr("worker-1", "stock")`},
		{Name: "transaction.hash_set", Summary: "Queues hash.set.", Wire: "hash.set", Args: []Arg{argClient, argHash, argField, argStored},
			HTTP: HTTP{Command: "hash.set"}, RPC: enqueue(`client_id "HSET" key field value`), RESP3: enqueue(`client_id "HSET" key field value`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.hash_set("worker-1", "user:1", "name", "John")`},
		{Name: "transaction.hash_delete", Summary: "Queues hash.mdel.", Wire: "hash.del", Args: []Arg{argClient, argHash, argFields},
			HTTP: HTTP{Command: "hash.del"}, RPC: enqueue(`client_id "HDEL" key fields...`), RESP3: enqueue(`client_id "HDEL" key fields...`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.hash_delete("worker-1", "user:1", ["name"])`},
		{Name: "transaction.hash_incrby", Summary: "Queues hash.incrby.", Wire: "hash.incrby",
			Args: []Arg{argClient, argHash, argField, {Name: "amount", Type: Int, Required: true, Field: "increment", Doc: "May be negative."}},
			HTTP: HTTP{Command: "hash.incrby"}, RPC: enqueue(`client_id "HINCRBY" key field amount`), RESP3: enqueue(`client_id "HINCRBY" key field amount`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.hash_incrby("worker-1", "user:1", "visits", 1)`},
		{Name: "transaction.list_lpush", Summary: "Queues list.lpush.", Wire: "list.lpush", Args: []Arg{argClient, argList, argValues},
			HTTP: HTTP{Command: "list.lpush"}, RPC: enqueue(`client_id "LPUSH" key values...`), RESP3: enqueue(`client_id "LPUSH" key values...`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.list_lpush("worker-1", "tasks", ["a"])`},
		{Name: "transaction.list_rpush", Summary: "Queues list.rpush.", Wire: "list.rpush", Args: []Arg{argClient, argList, argValues},
			HTTP: HTTP{Command: "list.rpush"}, RPC: enqueue(`client_id "RPUSH" key values...`), RESP3: enqueue(`client_id "RPUSH" key values...`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.list_rpush("worker-1", "tasks", ["a"])`},
		// The envelope queues only pops that count to 1.
		{Name: "transaction.list_lpop", Summary: "Queues list.lpop.", Wire: "list.lpop", Fixed: "count", Args: []Arg{argClient, argList},
			HTTP: HTTP{Command: "list.lpop"}, RPC: enqueue(`client_id "LPOP" key`), RESP3: enqueue(`client_id "LPOP" key`),
			Reply: queued, Traits: write, Errors: queueErrors + " exec fails with NotFound if the list is missing then.",
			Example: `client.transaction.list_lpop("worker-1", "tasks")`},
		{Name: "transaction.list_rpop", Summary: "Queues list.rpop.", Wire: "list.rpop", Fixed: "count", Args: []Arg{argClient, argList},
			HTTP: HTTP{Command: "list.rpop"}, RPC: enqueue(`client_id "RPOP" key`), RESP3: enqueue(`client_id "RPOP" key`),
			Reply: queued, Traits: write, Errors: queueErrors + " exec fails with NotFound if the list is missing then.",
			Example: `client.transaction.list_rpop("worker-1", "tasks")`},
		{Name: "transaction.set_add", Summary: "Queues set.add.", Wire: "set.add", Args: []Arg{argClient, argSet, argManyMembers},
			HTTP: HTTP{Command: "set.add"}, RPC: enqueue(`client_id "SADD" key members...`), RESP3: enqueue(`client_id "SADD" key members...`),
			Reply: queued, Traits: write, Errors: queueErrors,
			Example: `client.transaction.set_add("worker-1", "tags", ["red"])`},
		{Name: "transaction.set_remove", Summary: "Queues set.rem.", Wire: "set.rem", Args: []Arg{argClient, argSet, argManyMembers},
			HTTP: HTTP{Command: "set.rem"}, RPC: enqueue(`client_id "SREM" key members...`), RESP3: enqueue(`client_id "SREM" key members...`),
			Reply: queued, Traits: write, Errors: queueErrors + " exec fails with NotFound if the set is missing then.",
			Example: `client.transaction.set_remove("worker-1", "tags", ["red"])`},
	}}
