package command

var (
	argQueue     = Arg{Name: "queue", Type: String, Required: true, Doc: "The queue."}
	argMessageID = Arg{Name: "message_id", Type: String, Required: true, NonEmpty: true, Doc: "The message's id from consume."}
	argConsumer  = Arg{Name: "consumer_id", Type: String, Required: true, Doc: "Who consumes; counts for prefetch_limit and stats."}

	// argBuffer and argOverflow belong to every subscription.
	argBuffer   = Arg{Name: "buffer", Type: Int, Default: "1024", Min: 1, Max: 1_000_000, Field: "-", Doc: "How many undelivered items are kept."}
	argOverflow = Arg{Name: "overflow", Type: String, Default: "drop_oldest", OneOf: []string{"drop_oldest", "block"}, Field: "-", Doc: "What happens when the buffer is full: drop_oldest (the next item says how many were lost) or block (reading from the server pauses; on memory:// the publisher's oldest items are kept and new ones lost)."}
)

const (
	maxU32 = 4_294_967_295
)

var recordQueueMessage = &Record{Name: "QueueMessage", Doc: "One message of a queue, in flight for its consumer until acked, nacked or past the queue's ack deadline.", Fields: []Field{
	{Name: "message_id", Type: String, Path: "id", Doc: "Names the message in ack and nack."},
	{Name: "payload", Type: Bytes, Doc: "The bytes that were published."},
	{Name: "priority", Type: Int, Doc: "0 to 9, 9 first."},
	{Name: "retry_count", Type: Int, Doc: "How often it was nacked or passed its deadline."},
	{Name: "max_retries", Type: IntOrNil, Doc: "It is dead-lettered when retry_count exceeds this; nothing where the wire does not say."},
}}

var recordQueueStats = &Record{Name: "QueueStats", Doc: "Counters of a queue (protocol: queue rule 10).", Fields: []Field{
	{Name: "depth", Type: Int, Doc: "Messages waiting."},
	{Name: "consumers", Type: Int, Doc: "Distinct consumers that hold unacked messages."},
	{Name: "published", Type: Int, Doc: "Messages published by clients."},
	{Name: "consumed", Type: Int, Doc: "Deliveries."},
	{Name: "acked", Type: Int, Doc: "Acks."},
	{Name: "nacked", Type: Int, Doc: "Nacks and passed deadlines."},
	{Name: "dead_lettered", Type: Int, Doc: "Messages given up; no command reads them."},
}}

var queueFamily = Family{Name: "queue", Doc: "Message queues: priorities, acknowledgement, redelivery.", Commands: []Command{
	{Name: "queue.create", Summary: "Creates a queue.",
		Doc: "Creating a queue that exists succeeds and changes nothing: the first settings win (protocol: queue rule 11). Without any setting the server's own apply; with at least one, the missing ones are 100,000 / 30 s / 3 / 5 / 0.",
		Args: []Arg{{Name: "name", Type: String, Required: true, Doc: "The queue."},
			{Name: "max_depth", Type: Int, Min: 1, Max: maxU32, Field: "config.max_depth", Doc: "Most messages that may wait."},
			{Name: "ack_deadline_secs", Type: Int, Unit: "seconds", Min: 1, Max: maxU32, Field: "config.ack_deadline_secs", Doc: "Time to ack before a message is redelivered."},
			{Name: "default_max_retries", Type: Int, Min: 0, Max: maxU32, Field: "config.default_max_retries", Doc: "Retries of messages that do not say."},
			{Name: "default_priority", Type: Int, Min: 0, Max: 9, Field: "config.default_priority", Doc: "Priority of messages that do not say."},
			{Name: "prefetch_limit", Type: Int, Min: 0, Max: maxU32, Field: "config.prefetch_limit", Doc: "Most unacked messages a consumer may hold; 0 is no limit."}},
		// Options outside config are ignored by the envelope (protocol: queue quirks).
		HTTP: HTTP{Command: "queue.create"}, RPC: native("QCREATE", "name", "ok"), RESP3: native("QCREATE", "name", "ok"),
		Reply: Reply{Kind: ReplyNothing}, Traits: put,
		Errors:  "Unsupported on native wires if a setting is given.",
		Example: `client.queue.create("jobs", max_depth=1000, ack_deadline_secs=30)`},
	{Name: "queue.publish", Summary: "Appends a message to a queue.",
		Args: []Arg{argQueue, {Name: "payload", Type: Bytes, Required: true, Doc: "The message. HTTP carries about 560,000 random bytes (2 MiB of JSON)."},
			{Name: "priority", Type: Int, Min: 0, Max: 9, Doc: "9 is delivered first. Absent: the queue's default."},
			{Name: "max_retries", Type: Int, Min: 0, Max: maxU32, Doc: "Redeliveries before it is dead-lettered. Absent: the queue's default."}},
		HTTP: HTTP{Command: "queue.publish"}, RPC: native("QPUBLISH", "queue payload [priority=5] [max_retries]", "string"), RESP3: native("QPUBLISH", `queue payload ["PRIORITY" priority]`, "string"),
		Reply: Reply{Kind: ReplyString, Field: "message_id", Doc: "The message's id."}, Traits: write,
		Errors:  "NotFound if the queue does not exist, ResourceExhausted if it is full.",
		Example: `client.queue.publish("jobs", b"Hello", priority=5)`},
	{Name: "queue.consume", Summary: "Takes the next message of a queue.",
		Doc:  "The message is in flight until acked, nacked or past the queue's ack deadline. The server answers an unknown queue as if it were empty; this client asks once per queue whether it exists.",
		Args: []Arg{argQueue, argConsumer},
		HTTP: HTTP{Command: "queue.consume", Check: "queue.stats"}, RPC: native("QCONSUME", "queue consumer_id", "message"), RESP3: native("QCONSUME", "queue consumer_id", "message"),
		Reply: Reply{Kind: ReplyRecordOrNil, Field: "message", Record: recordQueueMessage, Doc: "The message; nothing if none waits or the prefetch limit is reached."}, Traits: write,
		Errors:  "NotFound if the queue does not exist.",
		Example: `client.queue.consume("jobs", "worker-1")`},
	{Name: "queue.ack", Summary: "Confirms a message: it is done.", Args: []Arg{argQueue, argMessageID},
		HTTP: HTTP{Command: "queue.ack"}, RPC: native("QACK", "queue message_id", "ok"), RESP3: native("QACK", "queue message_id", "ok"),
		Reply: Reply{Kind: ReplyNothing}, Traits: write,
		Errors:  "NotFound if the queue does not exist or the message is not in flight (its deadline may have passed).",
		Example: `client.queue.ack("jobs", message.message_id)`},
	{Name: "queue.nack", Summary: "Rejects a message.",
		Doc:  "It goes to the tail of the queue whatever its priority, or is dead-lettered once its retries are used up (protocol: queue rule 4).",
		Args: []Arg{argQueue, argMessageID, {Name: "requeue", Type: Bool, Default: "true", Doc: "False drops the message for good."}},
		HTTP: HTTP{Command: "queue.nack"}, RPC: native("QNACK", "queue message_id requeue", "ok"), RESP3: native("QNACK", `queue message_id "REQUEUE" requeue`, "ok"),
		Reply: Reply{Kind: ReplyNothing}, Traits: write,
		Errors:  "NotFound if the queue does not exist or the message is not in flight.",
		Example: `client.queue.nack("jobs", message.message_id)`},
	{Name: "queue.stats", Summary: "Returns counters of a queue.", Args: []Arg{argQueue},
		HTTP: HTTP{Command: "queue.stats"}, RPC: native("QSTATS", "queue", "map"), RESP3: native("QSTATS", "queue", "map"),
		Reply: Reply{Kind: ReplyRecord, Record: recordQueueStats}, Traits: read,
		Errors:  "NotFound if the queue does not exist.",
		Example: `client.queue.stats("jobs")`},
	{Name: "queue.list", Summary: "Lists the queues, in no order.",
		HTTP: HTTP{Command: "queue.list"}, RPC: native("QLIST", "", "list"), RESP3: native("QLIST", "", "list"),
		Reply: Reply{Kind: ReplyStrings, Field: "queues"}, Traits: read,
		Example: `client.queue.list()`},
	{Name: "queue.purge", Summary: "Removes the waiting messages of a queue.", Doc: "Messages in flight stay.", Args: []Arg{argQueue},
		HTTP: HTTP{Command: "queue.purge"}, RPC: native("QPURGE", "queue", "int"), RESP3: native("QPURGE", "queue", "int"),
		Reply: Reply{Kind: ReplyInt, Field: "purged", Doc: "How many were removed."}, Traits: write,
		Errors:  "NotFound if the queue does not exist.",
		Example: `client.queue.purge("jobs")`},
	{Name: "queue.delete", Summary: "Deletes a queue with all its messages.", Args: []Arg{{Name: "queue", Type: String, Required: true, Alias: "name", Doc: "The queue."}},
		HTTP: HTTP{Command: "queue.delete"}, RPC: native("QDELETE", "queue", "bool"), RESP3: native("QDELETE", "queue", "bool"),
		Reply: Reply{Kind: ReplyBool, Field: "deleted", Doc: "Whether it existed."}, Traits: write,
		Example: `client.queue.delete("jobs")`},
	{Name: "queue.follow", Summary: "Delivers the messages of a queue as they come.",
		Doc:  "Polls with waits that adapt to the traffic. Each message must be acked or nacked as after consume. At most prefetch messages are taken ahead of the reader.",
		Args: []Arg{argQueue, argConsumer, {Name: "prefetch", Type: Int, Default: "1", Min: 1, Max: 10_000, Field: "-", Doc: "Messages taken from the queue before the reader asks for them; their ack deadline runs."}},
		HTTP: HTTP{Shape: Push, Command: "queue.consume"}, RPC: native("QCONSUME", "queue consumer_id", "message"), RESP3: native("QCONSUME", "queue consumer_id", "message"),
		Reply: Reply{Kind: ReplyStream, Record: recordQueueMessage}, Traits: write,
		Errors:  "NotFound if the queue does not exist at the start; one that is deleted meanwhile is waited for.",
		Example: `for message in client.queue.follow("jobs", "worker-1"): client.queue.ack("jobs", message.message_id)`},
}}
