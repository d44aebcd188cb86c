package sim

import (
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// pushCheck judges a subscription to topics or keys: each push once, in order, and
// the count of lost ones covers every gap.
type pushCheck struct {
	f     *follow
	names []string // with their prefix
	read  func(v value.Value) (topic, id string, lost int64)
	next  int  // the first push that may come
	began bool // one has come
}

func newPushCheck(f *follow, names []string, prefix string, read func(value.Value) (string, string, int64)) *pushCheck {
	c := &pushCheck{f: f, read: read}
	for _, name := range names {
		c.names = append(c.names, prefix+name)
	}
	return c
}

func (c *pushCheck) stands() { c.next = len(c.f.a.w.ledger.pushes) }

func (c *pushCheck) item(v value.Value) (known, wrong string) {
	l := c.f.a.w.ledger
	topic, id, lost := c.read(v)
	known = topic + " " + id
	place, published := l.pushed[known]
	switch {
	case !published:
		return known, "nobody has published it"
	case !matches(c.names, topic):
		return known, "it is not of what was subscribed to"
	case place < c.next && c.began:
		return known, "it comes twice, or too late"
	}
	missed := int64(0)
	for i := c.next; i < place; i++ {
		if matches(c.names, l.pushes[i].topic) {
			missed++
		}
	}
	// Before the subscription was confirmed some may have come and been dropped.
	if lost != -1 && (lost < missed || (c.began && lost != missed)) {
		return known, "missed are " + strconv.FormatInt(missed, 10) + " before it, lost says " + strconv.FormatInt(lost, 10)
	}
	if lost == -1 && c.f.a.w.weather.fine {
		return known, "unknown losses in fine weather"
	}
	c.next, c.began = place+1, true
	return known, ""
}

func (c *pushCheck) last(mark string) string {
	w := c.f.a.w
	if c.f.name == "kv.watch" {
		key := counter(c.f.n % counterCount)
		for !matches(c.names, watchPrefix+key) {
			key = counter(w.r.IntN(counterCount))
		}
		reply := w.server.operate("kv.incr", str("key"), str(key), str("amount"), value.Int(w.r.Int64N(1<<40)))
		return watchPrefix + key + " " + text(reply.Field("value"))
	}
	topic := topicName(w.r.IntN(topicCount))
	for !matches(c.names, topic) {
		topic = topicName(w.r.IntN(topicCount))
	}
	w.server.operate("pubsub.publish", str("topic"), str(topic), str("payload"), str(mark))
	return topic + " " + mark
}

func (c *pushCheck) passed(_, awaited string) bool {
	place, published := c.f.a.w.ledger.pushed[awaited]
	return published && place < c.next
}

// streamCheck judges a followed room: events of one life of the room in order and
// without a gap that is not counted; a new life is announced and begins at 0.
type streamCheck struct {
	f    *follow
	name string
	from int64
	born *room // the life of the room when following began, or that of the last event
	next int64 // the next offset of it
	any  bool
}

func (c *streamCheck) stands() { c.next = c.from }

func (c *streamCheck) item(v value.Value) (known, wrong string) {
	offset, _ := v.Index(0).AsInt()
	known = text(v.Index(1))
	lost, _ := v.Index(5).AsInt()
	e, published := c.f.a.w.ledger.events[known]
	if !published || e.room == nil || e.room.name != c.name || e.offset != offset || text(v.Index(2)) != known {
		return known, "no such event was published there"
	}
	same := e.room == c.born
	switch {
	case same && (lost < 0 || offset != c.next+lost):
		wrong = "offset " + strconv.FormatInt(c.next, 10) + " of the room is next"
	case !same && c.born != nil && e.room.birth < c.born.birth:
		wrong = "it is of a room that was replaced"
	case !same && lost != -1 && c.any:
		wrong = "the room was recreated, which is not said"
	case !same && lost != -1 && offset != c.from+lost: // recreated before following began
		wrong = "the first offset is missing"
	case !same && lost == -1 && offset != 0:
		wrong = "the recreated room is not read from its beginning"
	}
	c.born, c.next, c.any = e.room, offset+1, true
	return known, wrong
}

func (c *streamCheck) last(mark string) string {
	c.f.a.w.server.operate("stream.publish", str("room"), str(c.name), str("event"), str(mark), str("data"), str(mark))
	return mark
}

func (c *streamCheck) passed(known, awaited string) bool { return known == awaited }

// queueCheck judges a followed queue: what is read was delivered to this consumer,
// and each delivery is read once.
type queueCheck struct {
	f     *follow
	queue string
	seen  map[string]bool
}

func (c *queueCheck) stands() {}

func (c *queueCheck) item(v value.Value) (known, wrong string) {
	w := c.f.a.w
	id := text(v.Index(0))
	which := delivery(id, v.Index(3))
	done := w.ledger.deliveries[which]
	switch {
	case done == nil || text(done.payload.Field("consumer_id")) != "f"+strconv.Itoa(c.f.n) || !sameMessage(v, done.reply.Field("message")):
		wrong = "the server did not deliver it here"
	case c.seen[which]:
		wrong = "it is read twice"
	}
	c.seen[which] = true
	if m := w.ledger.messages[id]; m != nil {
		known = m.name
	}
	// Most are acked at once.
	if choice := c.f.a.r.IntN(8); choice > 0 {
		c.f.a.settleMessage(c.f.n+60, c.queue, id, choice)
	}
	return known, wrong
}

func (c *queueCheck) last(mark string) string {
	c.f.a.w.server.operate("queue.publish", str("queue"), str(c.queue), str("payload"), str(mark))
	return mark
}

func (c *queueCheck) passed(known, awaited string) bool { return known == awaited }
