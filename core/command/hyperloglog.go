package command

var argHLL = Arg{Name: "key", Type: String, Required: true, Doc: "The HyperLogLog."}

var recordHLLStats = &Record{Name: "HyperLogLogStats", Doc: "Counters of the HyperLogLogs.", Fields: []Field{
	{Name: "total_hlls", Type: Int, Doc: "HyperLogLogs."},
	{Name: "total_cardinality", Type: Int, Doc: "Their estimates, in sum."},
	{Name: "pfadd_count", Type: Int, Doc: "Calls of pfadd."},
	{Name: "pfcount_count", Type: Int, Doc: "Calls of pfcount."},
	{Name: "pfmerge_count", Type: Int, Doc: "Calls of pfmerge."},
}}

var hyperloglogFamily = Family{Name: "hyperloglog", Doc: "HyperLogLogs: how many different elements were added, estimated in little memory. Good up to some 20,000 elements; far above, the server's estimates are wildly high (protocol: http-data quirk 21).", Commands: []Command{
	{Name: "hyperloglog.pfadd", Summary: "Adds elements.",
		Args: []Arg{argHLL,
			// Here bytes have a form in JSON: the server takes a list of numbers for them.
			{Name: "elements", Type: BlobList, Required: true, NonEmpty: true, Encoded: true, Check: elements, Doc: "Text or bytes each."},
			{Name: "ttl_secs", Type: Int, Unit: "seconds", Min: 1, Max: maxTTL, Doc: "Time to live from now. Absent: what an earlier call gave stays."}},
		HTTP: HTTP{Command: "hyperloglog.pfadd"}, RPC: native("PFADD", "key elements...", "changed key"), RESP3: native("PFADD", "key elements...", "changed key"),
		Reply: Reply{Kind: ReplyBool, Field: "added", Doc: "Whether the estimate may have changed."}, Traits: write,
		Errors:  "Unsupported on native wires with ttl_secs.",
		Example: `client.hyperloglog.pfadd("visitors", ["ann", "bob"], ttl_secs=86400)`},
	{Name: "hyperloglog.pfcount", Summary: "Estimates how many different elements were added.",
		Args: []Arg{argHLL},
		HTTP: HTTP{Command: "hyperloglog.pfcount"}, RPC: native("PFCOUNT", "key", "int key"), RESP3: native("PFCOUNT", "key", "int key"),
		Reply: Reply{Kind: ReplyInt, Field: "count", Absent: true, Doc: "0 if the key is missing or has expired."}, Traits: read,
		Example: `client.hyperloglog.pfcount("visitors")`},
	{Name: "hyperloglog.pfmerge", Summary: "Adds the elements of other HyperLogLogs.",
		Args: []Arg{{Name: "destination", Type: String, Required: true, Doc: "The HyperLogLog that gets them; what it holds stays."},
			{Name: "sources", Type: StringList, Required: true, Check: someElements, Doc: "The HyperLogLogs; missing ones are left out."}},
		HTTP: HTTP{Command: "hyperloglog.pfmerge"}, RPC: native("PFMERGE", "destination sources...", "int destination"), RESP3: native("PFMERGE", "destination sources...", "unknown destination"),
		Reply: Reply{Kind: ReplyIntOrNil, Field: "count", Doc: "The estimate of the destination; nothing where the wire does not say: ask pfcount."}, Traits: put,
		Errors:  "InvalidArgument without sources.",
		Example: `client.hyperloglog.pfmerge("week", ["monday", "tuesday"])`},
	{Name: "hyperloglog.stats", Summary: "Returns counters of the HyperLogLogs.",
		HTTP: HTTP{Command: "hyperloglog.stats"}, RPC: native("HLLSTATS", "", "map"),
		Reply: Reply{Kind: ReplyRecord, Record: recordHLLStats}, Traits: read,
		Example: `client.hyperloglog.stats()`},
}}
