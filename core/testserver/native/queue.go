package native

import "github.com/libsynap/libsynap/core/value"

var queueCommands = family{
	"QCREATE":  {params: []param{{kind: text, field: "name"}}, name: "queue.create", reply: done},
	"QDELETE":  {params: []param{queue}, name: "queue.delete", reply: part("deleted")},
	"QLIST":    {name: "queue.list", reply: part("queues")},
	"QPURGE":   {params: []param{queue}, name: "queue.purge", reply: part("purged")},
	"QSTATS":   {params: []param{queue}, name: "queue.stats", reply: report("depth", "consumers", "published", "consumed", "acked", "nacked", "dead_lettered")},
	"QPUBLISH": {params: []param{queue, {kind: blob, field: "payload"}}, run: queuePublish},
	"QCONSUME": {params: []param{queue}, run: queueConsume},
	"QACK":     {params: []param{queue, messageID}, name: "queue.ack", reply: done},
	"QNACK":    {params: []param{queue, messageID}, run: queueNack},
}

var (
	queue     = param{kind: text, field: "queue"}
	messageID = param{kind: text, field: "message_id"}
)

// queuePublish takes the low byte or word of big numbers, as the server does.
func queuePublish(c *call) (Result, string) {
	if c.wire == RPC {
		if priority, ok := c.intAt(2); ok {
			c.set("priority", value.Int(int64(uint8(priority))))
		}
		if retries, ok := c.intAt(3); ok {
			c.set("max_retries", value.Int(int64(uint32(retries))))
		}
	} else if priority, ok := c.option(2, "PRIORITY"); ok && priority <= 255 {
		c.set("priority", value.Uint(priority))
	}
	answer, errText := c.exec("queue.publish")
	return plain(answer.Field("message_id")), errText
}

// nobody is the consumer that RESP3 puts in for one that is not named.
const nobody = "resp3"

func queueConsume(c *call) (Result, string) {
	consumer := nobody
	if c.wire == RPC || len(c.args) > 1 {
		if consumer = c.text(1, "consumer"); c.wrong != "" {
			return Result{}, c.wrong
		}
	}
	c.set("consumer_id", value.Str(consumer))
	answer, errText := c.exec("queue.consume")
	m := answer.Field("message")
	if m.IsNil() {
		return Result{}, errText
	}
	payload, _ := m.Field("payload").AsByteArray()
	if c.wire == RESP {
		return plain(value.Array(m.Field("id"), value.BytesOf(payload), m.Field("priority"), m.Field("retry_count"))), ""
	}
	return plain(object(
		value.Str("id"), m.Field("id"),
		value.Str("payload"), value.BytesOf(payload),
		value.Str("priority"), m.Field("priority"),
		value.Str("retry_count"), m.Field("retry_count"))), ""
}

// queueNack gives the message back unless told not to.
func queueNack(c *call) (Result, string) {
	requeue := true
	if c.wire == RPC && len(c.args) > 2 {
		if b, ok := c.args[2].AsBool(); ok {
			requeue = b
		} else if n, ok := c.args[2].AsInt(); ok {
			requeue = n != 0
		}
	} else if n, ok := c.option(2, "REQUEUE"); ok {
		requeue = n != 0
	}
	c.set("requeue", value.Bool(requeue))
	_, errText := c.exec("queue.nack")
	return replyOK, errText
}
