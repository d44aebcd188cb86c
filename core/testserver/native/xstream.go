package native

import (
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// xCommands are the names that Redis has for streams, on rooms: offsets instead of
// ids, one room at a time, nothing waits (protocol: resp3 4).
var xCommands = family{
	"XADD":       {wires: RESP, params: []param{room, {kind: counted}, {kind: text, field: "event"}, {kind: blob, field: "data"}}, run: xAdd},
	"XREAD":      {wires: RESP, run: func(c *call) (Result, string) { return c.xRead(0, "xread") }},
	"XREADGROUP": {wires: RESP, run: xReadGroup},
	"XRANGE":     {wires: RESP, params: []param{room, {kind: counted}, {kind: counted}}, run: xRange},
	"XACK":       {wires: RESP, params: []param{room, {kind: counted}, {kind: blobs, field: "ids"}}, run: xAck},
	"XDEL":       {wires: RESP, params: []param{room, {kind: blobs, field: "ids"}}, run: func(*call) (Result, string) { return plain(value.Int(0)), "" }},
	"XINFO":      {wires: RESP, run: xInfo},
}

func xAdd(c *call) (Result, string) {
	answer, errText := c.inRoom("stream.publish")
	offset, _ := answer.Field("offset").AsUint()
	return plain(value.Str(strconv.FormatUint(offset, 10))), errText
}

// offsetOf reads an id; what is no offset, such as - or $, is the beginning.
func offsetOf(v value.Value) value.Value {
	s, _ := v.AsBlob()
	n, _ := parseUnsigned(s)
	return value.Uint(n)
}

// xEvents answers the events of a room as pairs of offset and content.
func (c *call) xEvents(room string, from value.Value, subscriber string, options int) (Result, string) {
	c.fields = nil
	c.set("room", value.Str(room))
	c.set("subscriber_id", value.Str(subscriber))
	c.set("from_offset", from)
	if limit, ok := c.option(options, "COUNT"); ok {
		c.set("limit", value.Uint(limit))
	}
	events, errText := c.events()
	items := make([]value.Value, len(events))
	for i, ev := range events {
		offset, _ := ev.Field("offset").AsUint()
		items[i] = value.Array(value.Str(strconv.FormatUint(offset, 10)), value.Array(ev.Field("event"), eventData(ev)))
	}
	return plain(value.Array(items...)), errText
}

// xRead reads the room that is named behind STREAMS.
func (c *call) xRead(options int, subscriber string) (Result, string) {
	for i := options; i < len(c.args); i++ {
		if c.wordAt(i) == "STREAMS" && i+2 < len(c.args) {
			room := c.text(i+1, "room")
			if c.wrong != "" {
				return Result{}, c.wrong
			}
			return c.xEvents(room, offsetOf(c.args[i+2]), subscriber, options)
		}
	}
	return Result{}, c.arity()
}

func xReadGroup(c *call) (Result, string) {
	if len(c.args) < 3 || c.wordAt(0) != "GROUP" {
		return Result{}, c.arity()
	}
	group, _ := c.textAt(1)
	consumer, _ := c.textAt(2)
	return c.xRead(3, group+":"+consumer)
}

func xRange(c *call) (Result, string) {
	room, _ := c.field("room").AsStr()
	return c.xEvents(room, offsetOf(c.args[1]), "xrange", 3)
}

// xAck counts what it is given.
func xAck(c *call) (Result, string) {
	return plain(value.Int(int64(c.field("ids").Len()))), ""
}

func xInfo(c *call) (Result, string) {
	if len(c.args) == 0 {
		return Result{}, c.arity()
	}
	switch sub := c.wordAt(0); sub {
	case "ROOMS":
		answer, errText := c.exec("stream.list")
		return plain(answer.Field("rooms")), errText
	case "STREAM":
		if len(c.args) < 2 {
			return Result{}, c.arity()
		}
		c.set("room", value.Str(c.text(1, "room")))
		if c.wrong != "" {
			return Result{}, c.wrong
		}
		answer, errText := c.inRoom("stream.stats")
		return plain(object(
			value.Str("name"), answer.Field("name"),
			value.Str("message-count"), answer.Field("message_count"),
			value.Str("first-offset"), answer.Field("min_offset"),
			value.Str("last-offset"), answer.Field("max_offset"),
			value.Str("subscribers"), answer.Field("subscriber_count"))), errText
	default:
		return c.fail("unknown XINFO subcommand '" + sub + "'. Try STREAM or ROOMS")
	}
}
