package engine

import "github.com/libsynap/libsynap/core/value"

// queueStore holds the queues (protocol: http-messaging 2).
type queueStore struct{ byName map[string]*queue }

func (s *queueStore) init() { s.byName = map[string]*queue{} }

type queueConfig struct {
	maxDepth    uint64
	ackDeadline int64 // nanoseconds
	maxRetries  uint32
	priority    uint8
	prefetch    uint64
}

// serverQueue is what the server's settings say, given those that the vectors ran
// with; partialQueue what it fills in when some are given (protocol: queue rule 11).
var (
	serverQueue  = queueConfig{maxDepth: 10_000, ackDeadline: 30 * second, maxRetries: 3, priority: 5}
	partialQueue = queueConfig{maxDepth: 100_000, ackDeadline: 30 * second, maxRetries: 3, priority: 5}
)

const (
	maxPriority = 9
	// wrap32 and wrap8 are the moduli by which the server cuts big numbers.
	wrap32 = 1 << 32
	wrap8  = 1 << 8
)

type queue struct {
	cfg      queueConfig
	waiting  waitingList
	inFlight map[string]*message
	// taken holds what is in flight in the order of consuming, which is that of
	// the deadlines.
	taken   messageList
	holding map[string]int // unacked messages by consumer

	published, consumed, acked, nacked, dead int64
}

type message struct {
	id         string
	payload    string
	priority   uint8
	retries    uint32
	maxRetries uint32
	consumer   string
	deadline   int64
	prev, next *message // in the list that holds it
}

var queueCommands = family{
	{"queue.create", queueCreate}, {"queue.publish", queuePublish}, {"queue.consume", queueConsume},
	{"queue.ack", queueAck}, {"queue.nack", queueNack}, {"queue.stats", queueStats},
	{"queue.list", queueList}, {"queue.purge", queuePurge}, {"queue.delete", queueDelete},
}

// sweep gives back, as if nacked, what passed its deadline before the tick
// (protocol: queue rule 5).
func (s *queueStore) sweep(tick int64) {
	for _, q := range s.byName {
		for q.taken.head != nil && q.taken.head.deadline < tick {
			q.nack(q.taken.head, true)
		}
	}
}

func (e *Engine) queue(c *call) (*queue, string) {
	name, errText := c.str("queue")
	if errText != "" {
		return nil, errText
	}
	q := e.queues.byName[name]
	if q == nil {
		return nil, "Queue not found: " + name
	}
	return q, ""
}

func queueCreate(e *Engine, c *call) (value.Value, string) {
	name, errText := c.str("name")
	if errText != "" {
		return value.Nil, errText
	}
	if e.queues.byName[name] == nil {
		e.queues.byName[name] = &queue{cfg: queueConfigOf(c.payload.Field("config")), inFlight: map[string]*message{}, holding: map[string]int{}}
	}
	return replyDone, ""
}

// queueConfigOf reads the settings; options beside config are ignored by the
// server (protocol: queue quirks).
func queueConfigOf(v value.Value) queueConfig {
	cfg, given := partialQueue, false
	read := func(field string, set func(n uint64)) {
		if n, ok := v.Field(field).AsUint(); ok {
			given = true
			set(n)
		}
	}
	read("max_depth", func(n uint64) { cfg.maxDepth = n })
	read("ack_deadline_secs", func(n uint64) { cfg.ackDeadline = int64(n%wrap32) * second })
	read("default_max_retries", func(n uint64) { cfg.maxRetries = uint32(n % wrap32) })
	read("default_priority", func(n uint64) { cfg.priority = uint8(n % wrap8) })
	read("prefetch_limit", func(n uint64) { cfg.prefetch = n })
	if !given {
		return serverQueue
	}
	return cfg
}

func queuePublish(e *Engine, c *call) (value.Value, string) {
	if _, errText := c.str("queue"); errText != "" {
		return value.Nil, errText
	}
	payload, ok := bytesOf(c)
	if !ok {
		return value.Nil, missing("payload")
	}
	q, errText := e.queue(c)
	if errText != "" {
		return value.Nil, errText
	}
	name, _ := c.str("queue")
	if uint64(q.waiting.n) >= q.cfg.maxDepth {
		return value.Nil, "Queue is full: " + name
	}
	m := &message{id: e.uuid(), payload: payload, priority: q.cfg.priority, maxRetries: q.cfg.maxRetries}
	if n, ok := c.uint("priority"); ok {
		m.priority = uint8(n % wrap8)
	}
	if n, ok := c.uint("max_retries"); ok {
		m.maxRetries = uint32(n % wrap32)
	}
	m.priority = min(m.priority, maxPriority)
	q.waiting.publish(m)
	q.published++
	return member("message_id", value.Str(m.id)), ""
}

// bytesOf reads a payload: an array of numbers, each taken modulo 256, what is
// none of them skipped (protocol: http-messaging 2, Payload encoding).
func bytesOf(c *call) (string, bool) {
	v := c.payload.Field("payload")
	if c.face == Raw {
		if s, ok := v.AsBlob(); ok {
			return s, true
		}
	}
	if v.Kind() != value.KindArray {
		return "", false
	}
	if s, ok := v.AsByteArray(); ok {
		return s, true
	}
	b := make([]byte, 0, v.Len())
	for i := 0; i < v.Len(); i++ {
		if n, ok := v.Index(i).AsUint(); ok {
			b = append(b, byte(n))
		}
	}
	return string(b), true
}

func queueConsume(e *Engine, c *call) (value.Value, string) {
	name, errText := c.str("queue")
	if errText != "" {
		return value.Nil, errText
	}
	consumer, errText := c.str("consumer_id")
	if errText != "" {
		return value.Nil, errText
	}
	q := e.queues.byName[name]
	if q == nil || (q.cfg.prefetch > 0 && uint64(q.holding[consumer]) >= q.cfg.prefetch) {
		return member("message", value.Nil), ""
	}
	m := q.waiting.take()
	if m == nil {
		return member("message", value.Nil), ""
	}
	m.consumer = consumer
	m.deadline = e.now/second*second + q.cfg.ackDeadline
	q.inFlight[m.id] = m
	q.holding[consumer]++
	q.taken.pushBack(m)
	q.consumed++
	return member("message", object(
		value.Str("id"), value.Str(m.id),
		value.Str("payload"), value.ByteArray(m.payload),
		value.Str("priority"), value.Int(int64(m.priority)),
		value.Str("retry_count"), value.Int(int64(m.retries)),
		value.Str("max_retries"), value.Int(int64(m.maxRetries)),
		value.Str("headers"), object())), ""
}

// release takes a message out of flight.
func (q *queue) release(m *message) {
	delete(q.inFlight, m.id)
	q.taken.remove(m)
	if q.holding[m.consumer]--; q.holding[m.consumer] <= 0 {
		delete(q.holding, m.consumer)
	}
}

// nack rejects a message (protocol: queue rule 4).
func (q *queue) nack(m *message, requeue bool) {
	q.release(m)
	q.nacked++
	m.retries++
	switch {
	case m.retries > m.maxRetries:
		q.dead++
	case requeue:
		q.waiting.requeue(m)
	}
}

// inFlight finds the message that a call names.
func (e *Engine) inFlight(c *call) (*queue, *message, string) {
	if _, errText := c.str("queue"); errText != "" {
		return nil, nil, errText
	}
	id, errText := c.str("message_id")
	if errText != "" {
		return nil, nil, errText
	}
	q, errText := e.queue(c)
	if errText != "" {
		return nil, nil, errText
	}
	m := q.inFlight[id]
	if m == nil {
		return nil, nil, "Message not found: " + id
	}
	return q, m, ""
}

func queueAck(e *Engine, c *call) (value.Value, string) {
	q, m, errText := e.inFlight(c)
	if errText != "" {
		return value.Nil, errText
	}
	q.release(m)
	q.acked++
	return replyDone, ""
}

func queueNack(e *Engine, c *call) (value.Value, string) {
	q, m, errText := e.inFlight(c)
	if errText != "" {
		return value.Nil, errText
	}
	requeue, isBool := c.payload.Field("requeue").AsBool()
	q.nack(m, requeue || !isBool)
	return replyDone, ""
}

func queueStats(e *Engine, c *call) (value.Value, string) {
	q, errText := e.queue(c)
	if errText != "" {
		return value.Nil, errText
	}
	return object(
		value.Str("depth"), value.Int(int64(q.waiting.n)),
		value.Str("consumers"), value.Int(int64(len(q.holding))),
		value.Str("published"), value.Int(q.published),
		value.Str("consumed"), value.Int(q.consumed),
		value.Str("acked"), value.Int(q.acked),
		value.Str("nacked"), value.Int(q.nacked),
		value.Str("dead_lettered"), value.Int(q.dead)), ""
}

func queueList(e *Engine, c *call) (value.Value, string) {
	names := make([]string, 0, len(e.queues.byName))
	for name := range e.queues.byName {
		names = append(names, name)
	}
	return member("queues", list(names)), ""
}

func queuePurge(e *Engine, c *call) (value.Value, string) {
	q, errText := e.queue(c)
	if errText != "" {
		return value.Nil, errText
	}
	n := q.waiting.n
	q.waiting = waitingList{}
	return member("purged", value.Int(int64(n))), ""
}

func queueDelete(e *Engine, c *call) (value.Value, string) {
	name, ok := c.payload.Field("queue").AsStr()
	if !ok {
		if name, ok = c.payload.Field("name").AsStr(); !ok {
			return value.Nil, "Invalid request: Missing 'queue' or 'name' field"
		}
	}
	_, existed := e.queues.byName[name]
	delete(e.queues.byName, name)
	return member("deleted", value.Bool(existed)), ""
}
