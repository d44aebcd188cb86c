package command

var argRoom = Arg{Name: "room", Type: String, Required: true, Doc: "The room."}

// What events have in common, written out for the compiler to make the table data:
// one list built of another is built by code, and so is then all that follows.
var (
	eventOffset = Field{Name: "offset", Type: Int, Doc: "Its place in the room, from 0. The next read starts at offset + 1."}
	eventName   = Field{Name: "event", Type: String, Doc: "The event's name."}
	eventData   = Field{Name: "data", Type: JSON, Encoded: true, Doc: "The JSON value that was published; members of objects come sorted by key."}
	eventTime   = Field{Name: "timestamp", Type: Int, Unit: "seconds", Doc: "When it was published, Unix time."}
	eventID     = Field{Name: "id", Type: StringOrNil, Doc: "The event's unique id; nothing where the wire does not say."}
)

var recordStreamEvent = &Record{Name: "StreamEvent", Doc: "One event of a stream.", Fields: []Field{eventOffset, eventName, eventData, eventTime, eventID}}

// recordFollowedEvent is a stream event as a follower gets it.
var recordFollowedEvent = &Record{Name: "FollowedEvent", Doc: "One event of a followed stream.", Fields: []Field{eventOffset, eventName, eventData, eventTime, eventID,
	{Name: "lost", Type: Int, Path: "-", Doc: "Events lost before this one (evicted before they were read, or dropped from a full buffer); -1 if the room was recreated meanwhile and the number is unknown."}}}

var recordStreamStats = &Record{Name: "StreamStats", Doc: "Figures of a room.", Fields: []Field{
	{Name: "name", Type: String, Doc: "The room."},
	{Name: "message_count", Type: Int, Doc: "Events held."},
	{Name: "min_offset", Type: Int, Doc: "Oldest offset held."},
	{Name: "max_offset", Type: Int, Doc: "Newest offset, 0 also when the room is empty."},
	{Name: "subscriber_count", Type: Int, Doc: "Subscribers that ever consumed."},
	{Name: "total_published", Type: Int, Doc: "Events published."},
	{Name: "total_consumed", Type: IntOrNil, Doc: "Events returned to consumers; nothing where the wire does not say."},
	{Name: "dropped", Type: IntOrNil, Doc: "Events evicted before all subscribers read them; nothing where the wire does not say."},
	{Name: "created_at", Type: Int, Unit: "milliseconds", Doc: "When the room was created, Unix time."},
	{Name: "generation", Type: Int, Doc: "Differs whenever a room of this name is created anew."},
}}

var streamFamily = Family{Name: "stream", Doc: "Event streams: rooms of numbered events that many subscribers read.", Commands: []Command{
	{Name: "stream.create", Summary: "Creates a room.",
		Args: []Arg{argRoom,
			{Name: "partitions", Type: Int, Default: "1", Min: 1, Max: 1, Field: "-", Doc: "A room has one partition; nothing else is accepted."},
			{Name: "retention_hours", Type: Int, Unit: "hours", Min: 1, Max: 876_000, Field: "-", Doc: "Accepted for the guide's sake, without effect: the server keeps 10,000 events for 3,600 s and has no setting for it (protocol: stream rules 3 and 5)."}},
		HTTP: HTTP{Command: "stream.create"}, RPC: native("SCREATE", "room", "ok room"), RESP3: native("SCREATE", "room", "ok room"),
		Reply: Reply{Kind: ReplyNothing}, Traits: write,
		Errors:  "AlreadyExists if the room exists.",
		Example: `client.stream.create("notifications")`},
	{Name: "stream.get_or_create", Summary: "Creates a room unless it exists.", Args: []Arg{argRoom},
		HTTP: HTTP{Command: "stream.get_or_create"}, RPC: native("SGETORCREATE", "room", "created success room"), RESP3: native("SGETORCREATE", "room", "created success room"),
		Reply: Reply{Kind: ReplyBool, Field: "created", Doc: "Whether it was created now."}, Traits: write,
		Example: `client.stream.get_or_create("notifications")`},
	{Name: "stream.publish", Summary: "Appends an event to a room.",
		Args: []Arg{argRoom, {Name: "event", Type: String, Required: true, Doc: "The event's name."}, {Name: "data", Type: JSON, Required: true, Doc: "Any JSON value."}},
		HTTP: HTTP{Command: "stream.publish"}, RPC: native("SPUBLISH", "room event data:json", "int room"), RESP3: native("SPUBLISH", "room event data:json", "int room"),
		Reply: Reply{Kind: ReplyInt, Field: "offset", Doc: "The event's offset."}, Traits: write,
		Errors:  "NotFound if the room does not exist.",
		Example: `client.stream.publish("notifications", "user.signup", "New user registered")`},
	{Name: "stream.consume", Summary: "Reads events of a room from an offset.",
		Doc: "A pure read: the server keeps no cursor for you (protocol: stream rule 1). It registers the subscriber, and events that a registered subscriber has not read hold back eviction.",
		Args: []Arg{argRoom, {Name: "subscriber_id", Type: String, Required: true, Doc: "Who reads."},
			{Name: "from_offset", Type: Int, Default: "0", Min: 0, Max: 1 << 62, Doc: "First offset to read."},
			{Name: "limit", Type: Int, Default: "100", Min: 0, Max: 100_000, Doc: "At most so many events."}},
		HTTP: HTTP{Command: "stream.consume"}, RPC: native("SREAD", "room subscriber_id from_offset limit", "events"), RESP3: native("SREAD", "room subscriber_id from_offset limit", "events"),
		Reply: Reply{Kind: ReplyRecords, Field: "events", Record: recordStreamEvent}, Traits: Traits{Mutates: true, Idempotent: true},
		Errors:  "NotFound if the room does not exist; InvalidArgument if from_offset was evicted (start at stats().min_offset).",
		Example: `client.stream.consume("notifications", "user-1", from_offset=0, limit=10)`},
	{Name: "stream.stats", Summary: "Returns figures of a room.", Args: []Arg{argRoom},
		HTTP: HTTP{Command: "stream.stats"}, RPC: native("SSTATS", "room", "map"), RESP3: native("SSTATS", "room", "map"),
		Reply: Reply{Kind: ReplyRecord, Record: recordStreamStats}, Traits: read,
		Errors:  "NotFound if the room does not exist.",
		Example: `client.stream.stats("notifications")`},
	{Name: "stream.list", Summary: "Lists the rooms, in no order.",
		HTTP: HTTP{Command: "stream.list"}, RPC: native("SLIST", "", "list count"), RESP3: native("SLIST", "", "list count"),
		Reply: Reply{Kind: ReplyStrings, Field: "rooms"}, Traits: read,
		Example: `client.stream.list()`},
	{Name: "stream.delete", Summary: "Deletes a room with all its events.", Args: []Arg{argRoom},
		HTTP: HTTP{Command: "stream.delete"}, RPC: native("SDELETE", "room", "ok deleted=room"), RESP3: native("SDELETE", "room", "ok deleted=room"),
		Reply: Reply{Kind: ReplyNothing}, Traits: write,
		Errors:  "NotFound if the room does not exist.",
		Example: `client.stream.delete("notifications")`},
	{Name: "stream.follow", Summary: "Delivers the events of a room from an offset on, then as they come.",
		Doc: "Polls with waits that adapt to the traffic. Resumes after the last event when the connection breaks, waits for a room that is deleted meanwhile, notices a recreated one by its generation and starts it from 0, and counts what was evicted unread.",
		Args: []Arg{argRoom, {Name: "subscriber_id", Type: String, Required: true, Doc: "Who reads."},
			{Name: "from_offset", Type: Int, Default: "0", Min: 0, Max: 1 << 62, Doc: "First offset to read."}},
		HTTP: HTTP{Shape: Push, Command: "stream.consume"}, RPC: native("SREAD", "room subscriber_id from_offset", "events"), RESP3: native("SREAD", "room subscriber_id from_offset", "events"),
		Reply: Reply{Kind: ReplyStream, Record: recordFollowedEvent}, Traits: read,
		Errors:  "NotFound if the room does not exist at the start.",
		Example: `for event in client.stream.follow("notifications", "user-1"): print(event.offset, event.data)`},
}}
