package engine

import (
	"hash/crc32"
	"slices"
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// topicStore holds the partitioned topics (protocol: http-messaging 5).
type topicStore struct {
	topics map[string]*topic
	swept  int64 // the last tick of the sweep
}

const (
	// topicSweep is how often the server applies retention to everything.
	topicSweep = 60 * second
	// compactAfter is how long after the last compaction a publish makes one.
	compactAfter = 5 * second
	// maxPartitions bounds what one topic or group may have: the server ends its
	// process over an absurd number, and over 0 at the first publish.
	maxPartitions = 65536
	// maxBatch is how many events one consume returns at most.
	maxBatch = 1000
)

type topic struct {
	partitions []partition
	keep       retentionPolicy
}

// retentionPolicy bounds what a partition keeps; a nil bound is none.
type retentionPolicy struct{ seconds, bytes, messages *uint64 }

type partition struct {
	events    []topicEvent // oldest first, offsets without gaps
	next      uint64       // offset of the next event
	first     uint64       // the reported min_offset
	bytes     uint64
	compacted int64 // when retention was applied last
}

type topicEvent struct {
	id, kind, data string
	key            value.Value // byte array or nil
	offset         uint64
	size           uint64
	at             int64 // seconds
}

var topicsCommands = family{
	{"topics.list", topicsList}, {"topics.create", topicsCreate}, {"topics.delete", topicsDelete}, {"topics.stats", topicsStats},
	{"topics.publish", topicsPublish}, {"topics.consume", topicsConsume},
}

// settle runs the sweep that is due by now. Only the last tick matters: what an
// earlier one would have removed, it removes too.
func (s *topicStore) settle(now int64) {
	tick := now / topicSweep
	if tick == s.swept {
		return
	}
	s.swept = tick
	for _, t := range s.topics {
		for i := range t.partitions {
			if p := &t.partitions[i]; p.compacted < tick*topicSweep {
				p.compact(&t.keep, tick*topicSweep)
			}
		}
	}
}

// compact applies the retention policy.
func (p *partition) compact(keep *retentionPolicy, now int64) {
	n := 0
	drop := func() {
		p.bytes -= p.events[n].size
		n++
	}
	if keep.seconds != nil {
		at := uint64(now / second)
		for n < len(p.events) && at >= *keep.seconds && uint64(p.events[n].at) <= at-*keep.seconds {
			drop()
		}
	}
	for keep.bytes != nil && n < len(p.events) && p.bytes > *keep.bytes {
		drop()
	}
	for keep.messages != nil && uint64(len(p.events)-n) > *keep.messages {
		drop()
	}
	if n > 0 {
		p.first = p.events[n-1].offset + 1
		p.events = slices.Delete(p.events, 0, n)
	}
	p.compacted = now
}

// topic returns the topic that the call names, and its name.
func (e *Engine) topic(c *call) (string, *topic, string) {
	e.topics.settle(e.now)
	name, errText := c.str("topic")
	if errText != "" {
		return "", nil, errText
	}
	t := e.topics.topics[name]
	if t == nil {
		return "", nil, "Invalid request: Topic '" + name + "' not found"
	}
	return name, t, ""
}

func topicsList(e *Engine, c *call) (value.Value, string) {
	return namesReply("topics", e.topics.topics), ""
}

// namesReply lists the names of a store, in byte order, and counts them.
func namesReply[T any](member string, m map[string]T) value.Value {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return object(value.Str(member), list(names), value.Str("count"), value.Int(int64(len(names))))
}

// sized reads an optional count of things: an integer from low to maxPartitions.
func (c *call) sized(field string, low, def uint64) (uint64, string) {
	v := c.payload.Field(field)
	if v.IsNil() {
		return def, ""
	}
	n, ok := v.AsUint()
	if !ok || n < low || n > maxPartitions {
		return 0, "Invalid value: " + field + " must be an integer from " + strconv.FormatUint(low, 10) + " to " + strconv.Itoa(maxPartitions)
	}
	return n, ""
}

func topicsCreate(e *Engine, c *call) (value.Value, string) {
	e.topics.settle(e.now)
	name, errText := c.str("topic")
	if errText != "" {
		return value.Nil, errText
	}
	partitions, errText := c.sized("num_partitions", 1, 3)
	if errText != "" {
		return value.Nil, errText
	}
	replication, ok := c.uint("replication_factor")
	if !ok {
		replication = 1
	}
	keep, errText := c.retention()
	if errText != "" {
		return value.Nil, errText
	}
	if e.topics.topics[name] != nil {
		return value.Nil, "Invalid request: Topic '" + name + "' already exists"
	}
	if e.topics.topics == nil {
		e.topics.topics = map[string]*topic{}
	}
	t := &topic{partitions: make([]partition, partitions), keep: keep}
	for i := range t.partitions {
		t.partitions[i].compacted = e.now
	}
	e.topics.topics[name] = t
	return object(
		strSuccess, value.Bool(true),
		value.Str("topic"), value.Str(name),
		value.Str("num_partitions"), value.Uint(partitions),
		value.Str("replication_factor"), value.Uint(replication)), ""
}

// retention reads the retention policy, an hour unless given.
func (c *call) retention() (retentionPolicy, string) {
	v := c.payload.Field("retention_policy")
	if v.IsNil() {
		hour := uint64(3600)
		return retentionPolicy{seconds: &hour}, ""
	}
	bound := func(field string) *uint64 {
		if n, ok := v.Field(field).AsUint(); ok {
			return &n
		}
		return nil
	}
	var keep retentionPolicy
	var required *uint64
	kind, _ := v.Field("type").AsStr()
	switch kind {
	case "Time":
		keep.seconds = bound("retention_secs")
		required = keep.seconds
	case "Size":
		keep.bytes = bound("max_bytes")
		required = keep.bytes
	case "Messages":
		keep.messages = bound("max_messages")
		required = keep.messages
	case "Combined":
		return retentionPolicy{bound("retention_secs"), bound("max_bytes"), bound("max_messages")}, ""
	case "Infinite":
		return keep, ""
	}
	if required == nil {
		return keep, "Invalid value: retention_policy must be one of Time{retention_secs}, Size{max_bytes}, Messages{max_messages}, Combined, Infinite"
	}
	return keep, ""
}

func topicsDelete(e *Engine, c *call) (value.Value, string) {
	name, _, errText := e.topic(c)
	if errText != "" {
		return value.Nil, errText
	}
	delete(e.topics.topics, name)
	return object(strSuccess, value.Bool(true), value.Str("deleted"), value.Str(name)), ""
}

func topicsStats(e *Engine, c *call) (value.Value, string) {
	name, t, errText := e.topic(c)
	if errText != "" {
		return value.Nil, errText
	}
	stats := make([]value.Value, len(t.partitions))
	for i := range stats {
		p := &t.partitions[i]
		stats[i] = object(
			value.Str("partition_id"), value.Int(int64(i)),
			value.Str("topic"), value.Str(name),
			value.Str("message_count"), value.Int(int64(len(p.events))),
			value.Str("total_bytes"), value.Uint(p.bytes),
			value.Str("min_offset"), value.Uint(p.first),
			value.Str("max_offset"), value.Uint(max(p.next, 1)-1),
			value.Str("last_compaction"), value.Int((e.now-p.compacted)/second))
	}
	return object(value.Str("topic"), value.Str(name), value.Str("partitions"), value.Array(stats...)), ""
}

func topicsPublish(e *Engine, c *call) (value.Value, string) {
	kind, errText := c.str("event_type")
	if errText != "" {
		return value.Nil, errText
	}
	data, ok := c.payload.Get("data")
	if !ok {
		return value.Nil, missing("data")
	}
	key, keyed := c.payload.Field("key").AsBlob()
	name, t, errText := e.topic(c)
	if errText != "" {
		return value.Nil, errText
	}
	at := t.place(key, keyed)
	p := &t.partitions[at]
	ev := topicEvent{id: e.uuid(), kind: kind, data: jsonText(data), offset: p.next, at: e.now / second}
	if keyed {
		ev.key = value.ByteArray(key)
	}
	ev.size = uint64(len(ev.data) + len(key) + len(name) + len(kind))
	p.events = append(p.events, ev)
	p.next++
	p.bytes += ev.size
	if e.now-p.compacted > compactAfter {
		p.compact(&t.keep, e.now)
	}
	return object(value.Str("partition_id"), value.Int(int64(at)), value.Str("offset"), value.Uint(ev.offset), value.Str("topic"), value.Str(name)), ""
}

// place returns the partition for an event: by its key, or else where the fewest
// events are held.
func (t *topic) place(key string, keyed bool) int {
	if keyed {
		return int(crc32.ChecksumIEEE([]byte(key)) % uint32(len(t.partitions)))
	}
	least := 0
	for i := range t.partitions {
		if len(t.partitions[i].events) < len(t.partitions[least].events) {
			least = i
		}
	}
	return least
}

func topicsConsume(e *Engine, c *call) (value.Value, string) {
	id, ok := c.uint("partition_id")
	if !ok {
		return value.Nil, missing("partition_id")
	}
	name, t, errText := e.topic(c)
	if errText != "" {
		return value.Nil, errText
	}
	if id >= uint64(len(t.partitions)) {
		return value.Nil, "Invalid request: Partition " + strconv.FormatUint(id, 10) + " not found"
	}
	next, ok := c.uint("from_offset")
	if !ok {
		next = 0
	}
	limit, ok := c.uint("limit")
	if !ok {
		limit = defaultLimit
	}
	held := t.partitions[id].events
	if len(held) > 0 && next > held[0].offset {
		held = held[min(next-held[0].offset, uint64(len(held))):]
	}
	held = held[:min(limit, maxBatch, uint64(len(held)))]
	events := make([]value.Value, len(held))
	for i, ev := range held {
		events[i] = object(
			value.Str("id"), value.Str(ev.id),
			value.Str("partition_id"), value.Uint(id),
			value.Str("offset"), value.Uint(ev.offset),
			value.Str("topic"), value.Str(name),
			value.Str("event_type"), value.Str(ev.kind),
			value.Str("key"), ev.key,
			value.Str("data"), value.ByteArray(ev.data),
			value.Str("timestamp"), value.Int(ev.at),
			value.Str("size_bytes"), value.Uint(ev.size),
			value.Str("metadata"), object())
		next = ev.offset + 1
	}
	return object(
		value.Str("topic"), value.Str(name),
		value.Str("partition_id"), value.Uint(id),
		value.Str("events"), value.Array(events...),
		value.Str("next_offset"), value.Uint(next),
		value.Str("count"), value.Int(int64(len(events)))), ""
}
