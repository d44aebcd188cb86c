package command

var (
	argZKey     = Arg{Name: "key", Type: String, Required: true, Doc: "The sorted set."}
	argZMember  = Arg{Name: "member", Type: Blob, Required: true, Check: onlyText, Doc: "Text or bytes. HTTP carries only bytes that are valid UTF-8."}
	argZMembers = Arg{Name: "members", Type: BlobList, Required: true, Check: onlyText, Doc: "Text or bytes each. HTTP carries only bytes that are valid UTF-8."}
	argZStart   = Arg{Name: "start", Type: Int, Default: "0", Doc: "First rank, from 0; negative counts from the end."}
	argZStop    = Arg{Name: "stop", Type: Int, Default: "-1", Doc: "Last rank, included; negative counts from the end. The server takes one that counts back past the first member as the end (protocol: http-data quirk 14)."}
	argZMin     = Arg{Name: "min", Type: Float, Doc: "Lowest score, included. Absent: no bound."}
	argZMax     = Arg{Name: "max", Type: Float, Doc: "Highest score, included. Absent: no bound."}
	argZTo      = Arg{Name: "destination", Type: String, Required: true, Doc: "The sorted set that gets the result in place of what it holds."}
	argZKeys    = Arg{Name: "keys", Type: StringList, Required: true, Doc: "The sorted sets to combine."}
	argZWeights = Arg{Name: "weights", Type: FloatList, Doc: "What the scores of each set are multiplied with: one number per key. Absent: 1 each."}
	argZFold    = Arg{Name: "aggregate", Type: String, Default: "sum", OneOf: []string{"sum", "min", "max"}, Doc: "What the scores of one member become: their sum, the lowest or the highest."}
)

const (
	outOfOrder = "InvalidArgument if min is above max: the server process ends on such a range."
	fewNumbers = "InvalidArgument if weights are fewer than keys: the server process ends then."
)

var recordScoredMember = &Record{Name: "ScoredMember", Doc: "A member of a sorted set and its score.", Fields: []Field{
	{Name: "member", Type: Blob, Doc: "Text if it is valid UTF-8, else bytes."},
	{Name: "score", Type: Float, Doc: "Its score."},
}}

var recordSortedSetStats = &Record{Name: "SortedSetStats", Doc: "Figures of the sorted sets.", Fields: []Field{
	{Name: "total_keys", Type: Int, Doc: "Sorted sets, emptied ones included."},
	{Name: "total_members", Type: Int, Doc: "Members of all of them."},
	{Name: "avg_members_per_key", Type: Float, Doc: "Members per sorted set, 0 without any."},
	{Name: "memory_bytes", Type: Int, Unit: "bytes", Doc: "An estimate: 128 per sorted set and 48 per member."},
}}

var (
	zScored  = Reply{Kind: ReplyRecords, Field: "members", Record: recordScoredMember}
	zMembers = Reply{Kind: ReplyValues, Field: "members", Item: "member"}
)

// Of the two entries that one server command has, the one with scores comes first:
// raw commands on native wires take the first that fits, and their replies have
// scores.
var sortedsetFamily = Family{Name: "sortedset", Doc: "Sorted sets: distinct members, text or bytes, in the order of their scores. A missing one counts as empty.", Commands: []Command{
	{Name: "sortedset.zadd", Summary: "Adds a member or sets its score.",
		Args: []Arg{argZKey, argZMember, {Name: "score", Type: Float, Required: true, Doc: "A finite number."},
			{Name: "nx", Without: "xx", Type: Bool, Default: "false", Doc: "Only add: leave the score of a member as it is."},
			{Name: "xx", Type: Bool, Default: "false", Doc: "Only set scores: add nothing."},
			{Name: "gt", Without: "lt", Type: Bool, Default: "false", Doc: "Set the score of a member only if it rises."},
			{Name: "lt", Type: Bool, Default: "false", Doc: "Set the score of a member only if it falls."},
			{Name: "ch", Type: Bool, Default: "false", Doc: "Report changed scores too, not only new members."}},
		// With ch the envelope counts in another member of the reply.
		HTTP: HTTP{Command: "sortedset.zadd", When: []string{"ch"}, Alt: &HTTP{Command: "sortedset.zadd", Field: "changed"}},
		RPC:  native("ZADD", "key score member", "int key changed=0"), RESP3: native("ZADD", "key score member", "int key changed=0"),
		Reply: Reply{Kind: ReplyBool, Field: "added", Doc: "Whether the member is new; with ch also whether its score changed."}, Traits: write,
		Errors:  "Unsupported on native wires with any of the flags.",
		Example: `client.sortedset.zadd("board", "ann", 120, gt=True)`},
	{Name: "sortedset.zincrby", Summary: "Adds to the score of a member.", Doc: "A missing member counts as 0.",
		Args: []Arg{argZKey, argZMember, {Name: "increment", Type: Float, Required: true, Doc: "May be negative."}},
		HTTP: HTTP{Command: "sortedset.zincrby"}, Reply: Reply{Kind: ReplyFloat, Field: "score", Doc: "The new score."}, Traits: write,
		Example: `client.sortedset.zincrby("board", "ann", 5)`},
	{Name: "sortedset.zscore", Summary: "Returns the score of a member.",
		Args: []Arg{argZKey, argZMember},
		HTTP: HTTP{Command: "sortedset.zscore"}, RPC: native("ZSCORE", "key member", "score key member"), RESP3: native("ZSCORE", "key member", "score key member"),
		Reply: Reply{Kind: ReplyFloatOrNil, Field: "score", Doc: "Nothing if there is no such member."}, Traits: read,
		Example: `client.sortedset.zscore("board", "ann")`},
	{Name: "sortedset.zmscore", Summary: "Returns the scores of several members.",
		Args: []Arg{argZKey, argZMembers},
		HTTP: HTTP{Command: "sortedset.zmscore"}, Reply: Reply{Kind: ReplyFloats, Field: "scores", Doc: "One score per member asked for, in order; nothing where there is no such member."}, Traits: read,
		Example: `client.sortedset.zmscore("board", ["ann", "bob"])`},
	{Name: "sortedset.zrange_with_scores", Summary: "Lists members and their scores by rank, lowest score first.", Wire: "sortedset.zrange", Ignored: "withscores",
		Doc:  "Members of one score come in the order of their bytes.",
		Args: []Arg{argZKey, argZStart, argZStop},
		HTTP: HTTP{Command: "sortedset.zrange"}, RPC: native("ZRANGE", `key start stop "WITHSCORES"`, "scored key"), RESP3: native("ZRANGE", `key start stop "WITHSCORES"`, "scored key"),
		Reply: zScored, Traits: read,
		Example: `client.sortedset.zrange_with_scores("board", 0, 9)`},
	{Name: "sortedset.zrange", Summary: "Lists members by rank, lowest score first.",
		Doc:  "Members of one score come in the order of their bytes.",
		Args: []Arg{argZKey, argZStart, argZStop},
		HTTP: HTTP{Command: "sortedset.zrange"}, RPC: native("ZRANGE", "key start stop", "list key"), RESP3: native("ZRANGE", "key start stop", "list key"),
		Reply: zMembers, Traits: read,
		Example: `client.sortedset.zrange("board", 0, 9)`},
	{Name: "sortedset.zrevrange_with_scores", Summary: "Lists members and their scores by rank, highest score first.", Wire: "sortedset.zrevrange", Ignored: "withscores",
		Args: []Arg{argZKey, argZStart, argZStop},
		HTTP: HTTP{Command: "sortedset.zrevrange"}, Reply: zScored, Traits: read,
		Example: `client.sortedset.zrevrange_with_scores("board", 0, 9)`},
	{Name: "sortedset.zrevrange", Summary: "Lists members by rank, highest score first.",
		Args: []Arg{argZKey, argZStart, argZStop},
		HTTP: HTTP{Command: "sortedset.zrevrange"}, Reply: zMembers, Traits: read,
		Example: `client.sortedset.zrevrange("board", 0, 9)`},
	{Name: "sortedset.zrangebyscore_with_scores", Summary: "Lists the members within a range of scores, and their scores.", Wire: "sortedset.zrangebyscore", Ignored: "withscores",
		Args: []Arg{argZKey, argZMin, argZMax},
		HTTP: HTTP{Command: "sortedset.zrangebyscore"}, Reply: zScored, Traits: read,
		Errors:  outOfOrder,
		Example: `client.sortedset.zrangebyscore_with_scores("board", min=100)`},
	{Name: "sortedset.zrangebyscore", Summary: "Lists the members within a range of scores.",
		Args: []Arg{argZKey, argZMin, argZMax},
		HTTP: HTTP{Command: "sortedset.zrangebyscore"}, Reply: zMembers, Traits: read,
		Errors:  outOfOrder,
		Example: `client.sortedset.zrangebyscore("board", min=100, max=200)`},
	{Name: "sortedset.zrank", Summary: "Returns the rank of a member, the lowest score being 0.",
		Args: []Arg{argZKey, argZMember},
		HTTP: HTTP{Command: "sortedset.zrank"}, Reply: Reply{Kind: ReplyIntOrNil, Field: "rank", Doc: "Nothing if there is no such member."}, Traits: read,
		Example: `client.sortedset.zrank("board", "ann")`},
	{Name: "sortedset.zrevrank", Summary: "Returns the rank of a member, the highest score being 0.",
		Args: []Arg{argZKey, argZMember},
		HTTP: HTTP{Command: "sortedset.zrevrank"}, Reply: Reply{Kind: ReplyIntOrNil, Field: "rank", Doc: "Nothing if there is no such member."}, Traits: read,
		Example: `client.sortedset.zrevrank("board", "ann")`},
	{Name: "sortedset.zcard", Summary: "Returns the number of members.",
		Args: []Arg{argZKey},
		HTTP: HTTP{Command: "sortedset.zcard"}, RPC: native("ZCARD", "key", "int key"), RESP3: native("ZCARD", "key", "int key"),
		Reply: Reply{Kind: ReplyInt, Field: "count"}, Traits: read,
		Example: `client.sortedset.zcard("board")`},
	{Name: "sortedset.zcount", Summary: "Returns the number of members within a range of scores.",
		Args: []Arg{argZKey, argZMin, argZMax},
		HTTP: HTTP{Command: "sortedset.zcount"}, Reply: Reply{Kind: ReplyInt, Field: "count"}, Traits: read,
		Errors:  outOfOrder,
		Example: `client.sortedset.zcount("board", min=100, max=200)`},
	{Name: "sortedset.zrem", Summary: "Removes members.",
		Args: []Arg{argZKey, argZMembers},
		HTTP: HTTP{Command: "sortedset.zrem"}, RPC: native("ZREM", "key members...", "int key"), RESP3: native("ZREM", "key members...", "int key"),
		Reply: Reply{Kind: ReplyInt, Field: "removed", Doc: "How many were members."}, Traits: write,
		Example: `client.sortedset.zrem("board", ["ann"])`},
	{Name: "sortedset.zpopmin", Summary: "Removes the members with the lowest scores and returns them.",
		Args: []Arg{argZKey, argTake},
		HTTP: HTTP{Command: "sortedset.zpopmin"}, Reply: zScored, Traits: write,
		Example: `client.sortedset.zpopmin("jobs", count=10)`},
	{Name: "sortedset.zpopmax", Summary: "Removes the members with the highest scores and returns them.",
		Args: []Arg{argZKey, argTake},
		HTTP: HTTP{Command: "sortedset.zpopmax"}, Reply: zScored, Traits: write,
		Example: `client.sortedset.zpopmax("jobs", count=10)`},
	{Name: "sortedset.zremrangebyrank", Summary: "Removes the members between two ranks.",
		Doc: "To keep the 100 highest, ask zcard and remove from 0 to the count - 101 if that is not negative.",
		Args: []Arg{argZKey, {Name: "start", Type: Int, Required: true, Doc: "First rank, from 0, the lowest score; negative counts from the end."},
			// One that counts back past the first member means the end to the server: it would
			// remove all (protocol: http-data quirk 14). No set is too small for -2.
			{Name: "stop", Type: Int, Required: true, Min: -2, Max: 1 << 53, Doc: "Last rank, included; -1 is the last, -2 the one before it. Further back is refused: of a set that is smaller the server would remove every member (protocol: http-data quirk 14)."}},
		HTTP: HTTP{Command: "sortedset.zremrangebyrank"}, Reply: Reply{Kind: ReplyInt, Field: "removed", Doc: "How many were removed."}, Traits: write,
		Example: `client.sortedset.zremrangebyrank("board", 0, 9)`},
	{Name: "sortedset.zremrangebyscore", Summary: "Removes the members within a range of scores.", Doc: "Without both bounds it removes every member.",
		Args: []Arg{argZKey, argZMin, argZMax},
		HTTP: HTTP{Command: "sortedset.zremrangebyscore"}, Reply: Reply{Kind: ReplyInt, Field: "removed", Doc: "How many were removed."}, Traits: write,
		Errors:  outOfOrder,
		Example: `client.sortedset.zremrangebyscore("board", max=10)`},
	{Name: "sortedset.zinterstore", Summary: "Stores the members that all sorted sets have.",
		Doc:  "If one of them is missing, the destination stays as it is.",
		Args: []Arg{argZTo, argZKeys, argZWeights, argZFold},
		HTTP: HTTP{Command: "sortedset.zinterstore"}, Reply: Reply{Kind: ReplyInt, Field: "count", Doc: "How many members were stored."}, Traits: write,
		Errors:  fewNumbers,
		Example: `client.sortedset.zinterstore("both", ["math", "art"], weights=[2, 1])`},
	{Name: "sortedset.zunionstore", Summary: "Stores the members that any of the sorted sets has.",
		Args: []Arg{argZTo, argZKeys, argZWeights, argZFold},
		HTTP: HTTP{Command: "sortedset.zunionstore"}, Reply: Reply{Kind: ReplyInt, Field: "count", Doc: "How many members were stored."}, Traits: write,
		Errors:  fewNumbers,
		Example: `client.sortedset.zunionstore("all", ["math", "art"], aggregate="max")`},
	{Name: "sortedset.zdiffstore", Summary: "Stores the members of the first sorted set that no other has.",
		Doc:  "The scores are those of the first. If it is missing, the destination stays as it is.",
		Args: []Arg{argZTo, argZKeys},
		HTTP: HTTP{Command: "sortedset.zdiffstore"}, Reply: Reply{Kind: ReplyInt, Field: "count", Doc: "How many members were stored."}, Traits: write,
		Example: `client.sortedset.zdiffstore("rest", ["all", "done"])`},
	{Name: "sortedset.stats", Summary: "Returns figures of the sorted sets.",
		HTTP: HTTP{Command: "sortedset.stats"}, Reply: Reply{Kind: ReplyRecord, Record: recordSortedSetStats}, Traits: read,
		Example: `client.sortedset.stats()`},
}}
