package command

var (
	argSet         = Arg{Name: "key", Type: String, Required: true, Doc: "The set."}
	argOneMember   = Arg{Name: "member", Type: Blob, Required: true, Stored: true, Doc: "Text or bytes. HTTP carries only bytes that are valid UTF-8."}
	argManyMembers = Arg{Name: "members", Type: BlobList, Required: true, NonEmpty: true, Stored: true, Doc: "Text or bytes each. HTTP carries only bytes that are valid UTF-8."}
	argSets        = Arg{Name: "keys", Type: StringList, Required: true, Doc: "The sets; a missing one counts as empty."}
	argTake        = Arg{Name: "count", Type: Int, Default: "1", Min: 1, Max: maxU32, Doc: "At most so many."}
)

var recordSetStats = &Record{Name: "SetStats", Doc: "Counters of the sets.", Fields: []Field{
	{Name: "total_sets", Type: Int, Doc: "Sets."},
	{Name: "total_members", Type: Int, Doc: "Members of all sets."},
	{Name: "sadd_count", Type: Int, Path: "operations.sadd_count", Doc: "Calls of add."},
	{Name: "srem_count", Type: Int, Path: "operations.srem_count", Doc: "Calls of remove that found the set."},
	{Name: "sismember_count", Type: Int, Path: "operations.sismember_count", Doc: "Calls of ismember that found the set."},
	{Name: "smembers_count", Type: Int, Path: "operations.smembers_count", Doc: "Calls of members that found the set."},
	{Name: "scard_count", Type: Int, Path: "operations.scard_count", Doc: "Calls of card that found the set."},
	{Name: "spop_count", Type: Int, Path: "operations.spop_count", Doc: "Calls of pop that found the set."},
	{Name: "srandmember_count", Type: Int, Path: "operations.srandmember_count", Doc: "Calls of randmember that found the set."},
	{Name: "smove_count", Type: Int, Path: "operations.smove_count", Doc: "Calls of move that found the source."},
	{Name: "sinter_count", Type: Int, Path: "operations.sinter_count", Doc: "Calls of inter."},
	{Name: "sunion_count", Type: Int, Path: "operations.sunion_count", Doc: "Calls of union."},
	{Name: "sdiff_count", Type: Int, Path: "operations.sdiff_count", Doc: "Calls of diff."},
}}

// The server answers a missing set with an error; here it is an empty set, as for
// the commands that combine sets.
var setFamily = Family{Name: "set", Doc: "Sets: distinct members, text or bytes, without scores.", Commands: []Command{
	{Name: "set.add", Summary: "Adds members to a set.",
		Args: []Arg{argSet, argManyMembers},
		HTTP: HTTP{Command: "set.add"}, RPC: native("SADD", "key members...", "int"), RESP3: native("SADD", "key members...", "int"),
		Reply: Reply{Kind: ReplyInt, Field: "added", Doc: "How many were new."}, Traits: write,
		Example: `client.set.add("tags:1", ["red", "green"])`},
	{Name: "set.remove", Summary: "Removes members from a set.", Wire: "set.rem",
		Args: []Arg{argSet, argManyMembers},
		HTTP: HTTP{Command: "set.rem"}, RPC: native("SREM", "key members...", "int"), RESP3: native("SREM", "key members...", "int"),
		Reply: Reply{Kind: ReplyInt, Field: "removed", Absent: true, Doc: "How many were members."}, Traits: write,
		Example: `client.set.remove("tags:1", ["red"])`},
	{Name: "set.ismember", Summary: "Reports whether a set has a member.",
		Args: []Arg{argSet, argOneMember},
		HTTP: HTTP{Command: "set.ismember"}, RPC: native("SISMEMBER", "key member", "bool"), RESP3: native("SISMEMBER", "key member", "bool"),
		Reply: Reply{Kind: ReplyBool, Field: "is_member", Absent: true}, Traits: read,
		Example: `client.set.ismember("tags:1", "red")`},
	{Name: "set.members", Summary: "Lists the members of a set.",
		Doc:  "While a set is small (at most 128 members of at most 64 bytes) they come in the order in which they were added, later in none.",
		Args: []Arg{argSet},
		HTTP: HTTP{Command: "set.members"}, RPC: native("SMEMBERS", "key", "list"), RESP3: native("SMEMBERS", "key", "list"),
		Reply: Reply{Kind: ReplyValues, Field: "members", Stored: true, Absent: true}, Traits: read,
		Example: `client.set.members("tags:1")`},
	{Name: "set.card", Summary: "Returns the number of members of a set.", Also: "set.size",
		Args: []Arg{argSet},
		HTTP: HTTP{Command: "set.card"}, RPC: native("SCARD", "key", "int"), RESP3: native("SCARD", "key", "int"),
		Reply: Reply{Kind: ReplyInt, Field: "size", Absent: true}, Traits: read,
		Example: `client.set.card("tags:1")`},
	{Name: "set.pop", Summary: "Removes members from a set and returns them.",
		Doc:  "Not at random: a small set gives the oldest members first (protocol: http-data quirk 12).",
		Args: []Arg{argSet, argTake},
		HTTP: HTTP{Command: "set.pop"}, Reply: Reply{Kind: ReplyValues, Field: "members", Stored: true, Absent: true, Doc: "What was removed; empty if the set is missing."}, Traits: write,
		Example: `client.set.pop("tags:1", count=2)`},
	{Name: "set.randmember", Summary: "Returns random members of a set.", Doc: "No member comes twice.",
		Args: []Arg{argSet, argTake},
		HTTP: HTTP{Command: "set.randmember"}, Reply: Reply{Kind: ReplyValues, Field: "members", Stored: true, Absent: true, Doc: "Empty if the set is missing."}, Traits: read,
		Example: `client.set.randmember("tags:1", count=2)`},
	{Name: "set.move", Summary: "Moves a member from one set to another.",
		Args: []Arg{{Name: "source", Type: String, Required: true, Doc: "The set that has it."}, {Name: "destination", Type: String, Required: true, Doc: "The set that gets it."}, argOneMember},
		HTTP: HTTP{Command: "set.move"}, Reply: Reply{Kind: ReplyBool, Field: "moved", Absent: true, Doc: "Whether the source had it."}, Traits: write,
		Example: `client.set.move("todo", "done", "task-1")`},
	{Name: "set.inter", Summary: "Lists the members that all sets have, in no order.", Also: "set.interstore",
		Doc:  "The server's interstore is the same: it stores nothing (protocol: http-data quirk 12).",
		Args: []Arg{argSets},
		HTTP: HTTP{Command: "set.inter"}, Reply: Reply{Kind: ReplyValues, Field: "members", Stored: true, Absent: true}, Traits: read,
		Example: `client.set.inter(["tags:1", "tags:2"])`},
	{Name: "set.union", Summary: "Lists the members that any of the sets has, in no order.",
		Args: []Arg{argSets},
		HTTP: HTTP{Command: "set.union"}, Reply: Reply{Kind: ReplyValues, Field: "members", Stored: true, Absent: true}, Traits: read,
		Example: `client.set.union(["tags:1", "tags:2"])`},
	{Name: "set.diff", Summary: "Lists the members of the first set that no other has, in no order.",
		Args: []Arg{argSets},
		HTTP: HTTP{Command: "set.diff"}, Reply: Reply{Kind: ReplyValues, Field: "members", Stored: true, Absent: true}, Traits: read,
		Example: `client.set.diff(["tags:1", "tags:2"])`},
	{Name: "set.stats", Summary: "Returns counters of the sets.",
		HTTP: HTTP{Command: "set.stats"}, Reply: Reply{Kind: ReplyRecord, Record: recordSetStats}, Traits: read,
		Example: `client.set.stats()`},
}}
