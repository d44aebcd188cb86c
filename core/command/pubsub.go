package command

var recordPubSubMessage = &Record{Name: "PubSubMessage", Doc: "One message of a topic.", Fields: []Field{
	{Name: "topic", Type: String, Doc: "The topic it was published to."},
	{Name: "message", Type: JSON, Path: "payload", Doc: "The JSON value that was published."},
	{Name: "message_id", Type: String, Doc: "The id that publish returned."},
	{Name: "timestamp", Type: Int, Unit: "seconds", Doc: "When it was published, Unix time."},
	{Name: "metadata", Type: StringMap, Doc: "What the publisher added; empty if nothing."},
	{Name: "lost", Type: Int, Path: "-", Doc: "Messages known to be lost before this one; -1 if some may be, in a number nobody knows (a reconnect)."},
}}

var recordPublished = &Record{Name: "Published", Doc: "What became of a published message.", Fields: []Field{
	{Name: "message_id", Type: StringOrNil, Doc: "The message's id; nothing where the wire does not say."},
	{Name: "subscribers_matched", Type: Int, Doc: "Subscribers whose topics match, dead ones included (protocol: pub/sub quirks)."},
}}

var recordTopicInfo = &Record{Name: "TopicInfo", Doc: "Figures of a topic.", Fields: []Field{
	{Name: "topic", Type: String, Doc: "The topic."},
	{Name: "subscriber_count", Type: Int, Doc: "Subscribers of exactly this topic."},
	{Name: "message_count", Type: Int, Doc: "Messages published to it."},
	{Name: "created_at", Type: Int, Unit: "seconds", Doc: "When it was first subscribed to, Unix time."},
}}

var recordPubSubStats = &Record{Name: "PubSubStats", Doc: "Counters of pub/sub.", Fields: []Field{
	{Name: "total_topics", Type: Int, Doc: "Topics ever subscribed to by their exact name."},
	{Name: "total_subscribers", Type: Int, Doc: "Subscribers."},
	{Name: "total_wildcard_subscriptions", Type: Int, Doc: "Subscriptions by pattern."},
	{Name: "messages_published", Type: Int, Doc: "Messages published."},
	{Name: "messages_delivered", Type: Int, Doc: "Matches counted, delivered or not."},
	{Name: "slow_consumers_dropped", Type: IntOrNil, Doc: "Subscribers detached for reading too slowly; nothing where the wire does not say."},
}}

var pubsubFamily = Family{Name: "pubsub", Doc: "Publish/subscribe: topics with wildcard patterns, no replay.", Commands: []Command{
	{Name: "pubsub.publish", Summary: "Publishes a message to a topic.",
		Args: []Arg{{Name: "topic", Type: String, Required: true, NonEmpty: true, Doc: "The topic; wildcards are literal here."},
			{Name: "message", Type: JSON, Required: true, Field: "payload", Alias: "data", Doc: "Any JSON value."},
			{Name: "metadata", Type: StringMap, Doc: "Extra members for the receiver."}},
		HTTP: HTTP{Command: "pubsub.publish"}, RPC: native("PUBLISH", "topic message:json", "map topic"), RESP3: native("PUBLISH", "topic message:text", "matched topic"),
		Reply: Reply{Kind: ReplyRecord, Record: recordPublished}, Traits: write,
		Example: `client.pubsub.publish("notifications.email", "New order received")`},
	{Name: "pubsub.subscribe", Summary: "Delivers the messages of topics.",
		Doc:  "A topic is split at dots. * stands for one segment or globs within one; # as the last segment stands for any number of segments. A message comes once, however many of the patterns match. There is no replay: what is published while disconnected is lost, and said to be.",
		Args: []Arg{{Name: "topics", Type: StringList, Required: true, NonEmpty: true, Doc: "Topics or patterns. On HTTP a topic cannot contain a comma."}, argBuffer, argOverflow},
		HTTP: HTTP{Shape: Push, Path: "/pubsub/ws"}, RPC: native("SUBSCRIBE", "topics...", "map topics"),
		Reply: Reply{Kind: ReplyStream, Record: recordPubSubMessage}, Traits: read,
		Errors:  "InvalidArgument for a bad pattern.",
		Example: `async for message in client.pubsub.subscribe(["notifications.*"]): print(message.topic, message.message)`},
	{Name: "pubsub.unsubscribe", Summary: "Ends a server-side subscriber by its id.", Doc: "For ids from command(\"pubsub.subscribe\"); subscriptions of this client end by closing them.",
		Args: []Arg{{Name: "subscriber_id", Type: String, Required: true, NonEmpty: true, Doc: "The subscriber."}, {Name: "topics", Type: StringList, Doc: "Absent: all its topics."}},
		HTTP: HTTP{Command: "pubsub.unsubscribe"}, RPC: native("UNSUBSCRIBE", "subscriber_id topics...", "int"),
		Reply: Reply{Kind: ReplyInt, Field: "unsubscribed", Doc: "Topics left."}, Traits: write,
		Example: `client.pubsub.unsubscribe(subscriber_id)`},
	{Name: "pubsub.topics", Summary: "Lists the topics that were ever subscribed to by their exact name, in no order.",
		HTTP: HTTP{Command: "pubsub.topics"}, RPC: native("TOPICS", "", "list count"), RESP3: native("PUBSUB", `"CHANNELS"`, "list count"),
		Reply: Reply{Kind: ReplyStrings, Field: "topics"}, Traits: read,
		Example: `client.pubsub.topics()`},
	{Name: "pubsub.info", Summary: "Returns figures of a topic.", Args: []Arg{{Name: "topic", Type: String, Required: true, Doc: "The topic."}},
		HTTP:  HTTP{Command: "pubsub.info"},
		Reply: Reply{Kind: ReplyRecord, Record: recordTopicInfo}, Traits: read,
		Errors:  "NotFound if nobody ever subscribed to the topic by its exact name.",
		Example: `client.pubsub.info("notifications.email")`},
	{Name: "pubsub.stats", Summary: "Returns counters of pub/sub.",
		HTTP: HTTP{Command: "pubsub.stats"}, RPC: native("PSSTATS", "", "map"),
		Reply: Reply{Kind: ReplyRecord, Record: recordPubSubStats}, Traits: read,
		Example: `client.pubsub.stats()`},
}}
