package native

import (
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

var streamCommands = family{
	"SCREATE":      {params: []param{room}, run: roomCreate},
	"SGETORCREATE": {params: []param{room}, run: roomGetOrCreate},
	"SDELETE":      {params: []param{room}, run: roomDelete},
	"SLIST":        {alone: true, name: "stream.list", reply: part("rooms")},
	"SPUBLISH":     {params: []param{room, {kind: text, field: "event"}, {kind: blob, field: "data"}}, run: roomPublish},
	"SREAD":        {params: []param{room, {kind: text, field: "subscriber_id"}, {kind: unsigned, field: "from_offset", complaint: "offset must be an integer"}}, run: roomRead},
	"SSTATS":       {params: []param{room}, run: roomStats},
}

var room = param{kind: text, field: "room"}

// inRoom runs a command on a room. The native wires pass on what the store says,
// where HTTP puts words of its own before it.
func (c *call) inRoom(name string) (value.Value, string) {
	answer, errText := c.exec(name)
	return answer, strings.TrimPrefix(errText, "Invalid request: ")
}

func roomCreate(c *call) (Result, string) {
	_, errText := c.inRoom("stream.create")
	return replyOK, errText
}

func roomDelete(c *call) (Result, string) {
	_, errText := c.inRoom("stream.delete")
	return replyOK, errText
}

func roomGetOrCreate(c *call) (Result, string) {
	answer, errText := c.inRoom("stream.get_or_create")
	if created, _ := answer.Field("created").AsBool(); !created {
		return status("EXISTS"), errText
	}
	return status("CREATED"), errText
}

func roomPublish(c *call) (Result, string) {
	answer, errText := c.inRoom("stream.publish")
	return plain(answer.Field("offset")), errText
}

func roomRead(c *call) (Result, string) {
	if limit, ok := c.intAt(3); ok && c.wire == RPC {
		c.set("limit", value.Uint(uint64(limit)))
	} else if s, ok := c.textAt(3); ok && c.wire == RESP {
		if limit, ok := parseUnsigned(s); ok {
			c.set("limit", value.Uint(limit))
		}
	}
	events, errText := c.events()
	items := make([]value.Value, len(events))
	for i, ev := range events {
		items[i] = object(
			value.Str("id"), ev.Field("id"),
			value.Str("offset"), ev.Field("offset"),
			value.Str("event"), ev.Field("event"),
			value.Str("data"), eventData(ev),
			value.Str("timestamp"), ev.Field("timestamp"))
	}
	return Result{Value: value.Array(items...), Maps: true}, errText
}

// events reads from the room that the payload names.
func (c *call) events() ([]value.Value, string) {
	answer, errText := c.inRoom("stream.consume")
	return answer.Field("events").Items(), errText
}

func eventData(ev value.Value) value.Value {
	data, _ := ev.Field("data").AsByteArray()
	return value.BytesOf(data)
}

func roomStats(c *call) (Result, string) {
	answer, errText := c.inRoom("stream.stats")
	stats := extract(answer, []string{"name", "message_count", "min_offset", "max_offset", "subscriber_count", "total_published", "created_at", "generation"})
	return Result{Value: stats, Maps: true}, errText
}
