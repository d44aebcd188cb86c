package native

import (
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

var pubsubCommands = family{
	"PUBLISH":     {params: []param{{kind: text, field: "topic"}, {kind: blob, field: "payload"}}, run: publish},
	"SUBSCRIBE":   {run: subscribe},
	"PSUBSCRIBE":  {wires: RESP, run: subscribe},
	"UNSUBSCRIBE": {run: unsubscribe},
	"TOPICS":      {wires: RPC, name: "pubsub.topics", reply: part("topics")},
	"PSSTATS":     {wires: RPC, name: "pubsub.stats", reply: report("total_topics", "total_subscribers", "total_wildcard_subscriptions", "messages_published", "messages_delivered")},
	"PUBSUB":      {wires: RESP, run: pubsubInfo},
	"KV.WATCH":    {wires: RPC, params: []param{{kind: text, field: "pattern"}}, run: watch},
	"KV.UNWATCH":  {wires: RPC, params: []param{{kind: text, field: "subscriber_id"}}, run: unwatch},
}

// publish parses JSON on SynapRPC only: what comes over RESP3 is a text, whatever
// it holds (protocol: resp3 quirk 12).
func publish(c *call) (Result, string) {
	raw, _ := c.field("payload").AsBlob()
	text := lossy(raw)
	payload := value.Str(text)
	if c.wire == RPC {
		if v, err := value.ParseJSON(text); err == nil {
			payload = v
		}
	}
	answer, errText := c.execWith("pubsub.publish", value.Str("topic"), c.field("topic"), value.Str("payload"), payload)
	matched := answer.Field("subscribers_matched")
	return c.perWire(object(value.Str("message_id"), answer.Field("message_id"), value.Str("subscribers_matched"), matched), matched), errText
}

// subscribe delivers on SynapRPC. On RESP3 it makes a subscriber that only counts
// (protocol: resp3 quirk 2).
func subscribe(c *call) (Result, string) {
	topics := c.names(0, "topics")
	if len(topics) == 0 {
		c.complain("SUBSCRIBE requires at least one topic", c.arity())
	}
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	count := value.Int(int64(len(topics)))
	if c.wire == RESP {
		_, errText := c.execWith("pubsub.subscribe", value.Str("topics"), value.Array(topics...))
		return plain(count), errText
	}
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i], _ = t.AsStr()
	}
	id, errText := c.session.Subscribe(names, false)
	return plain(object(value.Str("subscriber_id"), value.Str(id), value.Str("subscription_count"), count)), errText
}

// unsubscribe finds nothing on RESP3, where no subscriber has an id.
func unsubscribe(c *call) (Result, string) {
	if c.wire == RESP {
		return plain(value.Int(0)), ""
	}
	return c.leave(c.names(1, ""))
}

// leave takes the subscriber that argument 0 names off topics, off all if there
// are none.
func (c *call) leave(topics []value.Value) (Result, string) {
	fields := []value.Value{value.Str("subscriber_id"), value.Str(c.text(0, ""))}
	if len(topics) > 0 {
		fields = append(fields, value.Str("topics"), value.Array(topics...))
	}
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	answer, errText := c.execWith("pubsub.unsubscribe", fields...)
	return plain(answer.Field("unsubscribed")), errText
}

// pubsubInfo ignores what follows the subcommand.
func pubsubInfo(c *call) (Result, string) {
	if len(c.args) == 0 {
		return Result{}, c.arity()
	}
	sub := c.wordAt(0)
	if sub == "NUMPAT" {
		return plain(value.Int(0)), ""
	}
	if sub != "CHANNELS" && sub != "NUMSUB" {
		return c.fail("unknown PUBSUB subcommand '" + sub + "'. Try CHANNELS, NUMSUB, NUMPAT")
	}
	answer, errText := c.exec("pubsub.topics")
	topics := answer.Field("topics")
	if sub == "CHANNELS" || errText != "" {
		return plain(topics), errText
	}
	counts := make([]value.Value, 0, 2*topics.Len())
	for _, topic := range topics.Items() {
		info, _ := c.execWith("pubsub.info", value.Str("topic"), topic)
		counts = append(counts, topic, info.Field("subscriber_count"))
	}
	return plain(value.Array(counts...)), ""
}

// watchPrefix begins the topics on which changes of keys are published.
const watchPrefix = "__watch@0__:"

func watch(c *call) (Result, string) {
	mode := "value"
	if s, ok := c.textAt(1); ok {
		mode = s
	}
	if mode != "value" && mode != "notify" {
		return c.fail("unknown watch mode '" + mode + "' (value|notify)")
	}
	pattern, _ := c.field("pattern").AsStr()
	channel := watchPrefix + pattern
	id, errText := c.session.Subscribe([]string{channel}, mode == "notify")
	return plain(object(
		value.Str("subscriber_id"), value.Str(id),
		value.Str("channel"), value.Str(channel),
		value.Str("mode"), value.Str(mode))), errText
}

func unwatch(c *call) (Result, string) {
	topics := c.names(1, "")
	for i, t := range topics {
		pattern, _ := t.AsStr()
		topics[i] = value.Str(watchPrefix + pattern)
	}
	return c.leave(topics)
}

// lossy makes text of bytes: each part that is no UTF-8 becomes one U+FFFD, a part
// being a byte or the beginning of a character that breaks off.
func lossy(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b []byte
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			n = brokenOff(s)
		}
		b = utf8.AppendRune(b, r)
		s = s[n:]
	}
	return string(b)
}

// brokenOff returns how many bytes at the start of s, which is no character, could
// have begun one.
func brokenOff(s string) int {
	for n := min(3, len(s)); n > 1; n-- {
		for _, rest := range [...]string{"\x80", "\x80\x80", "\xbf", "\xbf\xbf"} {
			if r, size := utf8.DecodeRuneInString(s[:n] + rest); r != utf8.RuneError && size == n+len(rest) {
				return n
			}
		}
	}
	return 1
}
