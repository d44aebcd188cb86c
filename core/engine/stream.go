package engine

import (
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// streamStore holds the rooms (protocol: http-messaging 3).
type streamStore struct {
	rooms      map[string]*room
	generation int64 // the last one given out
}

func (s *streamStore) init() { s.rooms = map[string]*room{} }

const (
	// A room keeps softLimit events, more while a subscriber has not read them,
	// and hardLimit in any case (protocol: stream rule 3).
	softLimit = 10_000
	hardLimit = 100_000
	// retention is the age at which the sweep removes events (rule 5).
	retention = 3600 // seconds
	// defaultLimit is how many events consume returns unless told.
	defaultLimit = 100
)

type room struct {
	events                       []event // what is held, oldest at head
	head                         int
	first                        uint64            // offset of the oldest event held
	next                         uint64            // offset of the next event
	subscribers                  map[string]uint64 // position: the next offset each will read
	published, consumed, dropped int64
	created, generation          int64 // milliseconds
}

type event struct {
	id, name, data string
	at             int64 // seconds
}

var streamCommands = family{
	{"stream.create", streamCreate}, {"stream.get_or_create", streamGetOrCreate}, {"stream.publish", streamPublish},
	{"stream.consume", streamConsume}, {"stream.stats", streamStats}, {"stream.list", streamList}, {"stream.delete", streamDelete},
}

func (r *room) held() int { return len(r.events) - r.head }

// drop removes the n oldest events.
func (r *room) drop(n int) {
	clear(r.events[r.head : r.head+n])
	r.head += n
	r.first += uint64(n)
	if r.head*2 > len(r.events) {
		kept := copy(r.events, r.events[r.head:])
		clear(r.events[kept:])
		r.events, r.head = r.events[:kept], 0
	}
}

// sweep removes events that are too old.
func (s *streamStore) sweep(tick int64) {
	for _, r := range s.rooms {
		n := 0
		for n < r.held() && r.events[r.head+n].at <= tick/second-retention {
			n++
		}
		if n > 0 {
			r.drop(n)
		}
	}
}

func (e *Engine) room(c *call) (*room, string) {
	name, errText := c.str("room")
	if errText != "" {
		return nil, errText
	}
	r := e.streams.rooms[name]
	if r == nil {
		return nil, "Invalid request: Room '" + name + "' not found"
	}
	return r, ""
}

// makeRoom creates a room. Its generation is the time in milliseconds, forced to
// grow, so that a room of the same name made later is told apart.
func (e *Engine) makeRoom(name string) {
	ms := e.now / 1e6
	e.streams.generation = max(e.streams.generation+1, ms)
	e.streams.rooms[name] = &room{subscribers: map[string]uint64{}, created: ms, generation: e.streams.generation}
}

func streamCreate(e *Engine, c *call) (value.Value, string) {
	name, errText := c.str("room")
	if errText != "" {
		return value.Nil, errText
	}
	if e.streams.rooms[name] != nil {
		return value.Nil, "Invalid request: Room '" + name + "' already exists"
	}
	e.makeRoom(name)
	return object(strSuccess, value.Bool(true), value.Str("room"), value.Str(name)), ""
}

func streamGetOrCreate(e *Engine, c *call) (value.Value, string) {
	name, errText := c.str("room")
	if errText != "" {
		return value.Nil, errText
	}
	created := e.streams.rooms[name] == nil
	if created {
		e.makeRoom(name)
	}
	return object(strSuccess, value.Bool(true), value.Str("room"), value.Str(name), value.Str("created"), value.Bool(created)), ""
}

func streamPublish(e *Engine, c *call) (value.Value, string) {
	name, errText := c.str("room")
	if errText != "" {
		return value.Nil, errText
	}
	eventName, errText := c.str("event")
	if errText != "" {
		return value.Nil, errText
	}
	data, ok := c.payload.Get("data")
	if !ok {
		return value.Nil, missing("data")
	}
	r, errText := e.room(c)
	if errText != "" {
		return value.Nil, errText
	}
	offset := r.next
	r.events = append(r.events, event{id: e.uuid(), name: eventName, data: c.eventText(data), at: e.now / second})
	r.next++
	r.published++
	r.evict()
	return object(value.Str("offset"), value.Int(int64(offset)), value.Str("room"), value.Str(name)), ""
}

// eventText is what is stored of an event's data: bytes, which only native wires
// bring, as they are, and everything else as JSON.
func (c *call) eventText(data value.Value) string {
	if c.face == Raw && data.Kind() == value.KindBytes {
		return rawText(data)
	}
	return jsonText(data)
}

// evict trims the room to its soft limit. It stops at the first event that a
// subscriber has not read, unless the room is over its hard limit (protocol:
// stream rule 3).
func (r *room) evict() {
	if r.held() <= softLimit {
		return
	}
	read := uint64(r.held() - softLimit) // what may go: events that all have read
	for _, position := range r.subscribers {
		read = min(read, position-min(position, r.first))
	}
	unread := max(r.held()-int(read)-hardLimit, 0)
	r.dropped += int64(unread)
	r.drop(int(read) + unread)
}

func streamConsume(e *Engine, c *call) (value.Value, string) {
	name, errText := c.str("room")
	if errText != "" {
		return value.Nil, errText
	}
	subscriber, errText := c.str("subscriber_id")
	if errText != "" {
		return value.Nil, errText
	}
	r, errText := e.room(c)
	if errText != "" {
		return value.Nil, errText
	}
	from, _ := c.uint("from_offset")
	limit, ok := c.uint("limit")
	if !ok {
		limit = defaultLimit
	}
	if from < r.first {
		return value.Nil, "Invalid request: Stream offset " + strconv.FormatUint(from, 10) +
			" out of range; earliest retained offset is " + strconv.FormatUint(r.first, 10)
	}
	n := int(min(limit, r.next-min(from, r.next)))
	events := make([]value.Value, n)
	const members = 14
	pairs := make([]value.Value, 0, n*members) // of all events, so that they cost one allocation
	for i := range events {
		offset := from + uint64(i)
		ev := &r.events[r.head+int(offset-r.first)]
		pairs = append(pairs,
			value.Str("id"), value.Str(ev.id),
			value.Str("offset"), value.Uint(offset),
			value.Str("room"), value.Str(name),
			value.Str("event"), value.Str(ev.name),
			value.Str("data"), value.ByteArray(ev.data),
			value.Str("timestamp"), value.Int(ev.at),
			value.Str("metadata"), object())
		events[i] = object(pairs[i*members : (i+1)*members : (i+1)*members]...)
	}
	next := from + uint64(n)
	r.subscribers[subscriber] = next
	r.consumed += int64(n)
	return object(value.Str("events"), value.Array(events...), value.Str("next_offset"), value.Uint(next)), ""
}

func streamStats(e *Engine, c *call) (value.Value, string) {
	name, _ := c.str("room")
	r, errText := e.room(c)
	if errText != "" {
		return value.Nil, errText
	}
	last := r.next
	if r.held() > 0 {
		last--
	} else {
		last = 0
	}
	return object(
		value.Str("name"), value.Str(name),
		value.Str("message_count"), value.Int(int64(r.held())),
		value.Str("min_offset"), value.Int(int64(r.first)),
		value.Str("max_offset"), value.Int(int64(last)),
		value.Str("subscriber_count"), value.Int(int64(len(r.subscribers))),
		value.Str("total_published"), value.Int(r.published),
		value.Str("total_consumed"), value.Int(r.consumed),
		value.Str("dropped"), value.Int(r.dropped),
		value.Str("created_at"), value.Int(r.created),
		value.Str("generation"), value.Int(r.generation)), ""
}

func streamList(e *Engine, c *call) (value.Value, string) {
	names := make([]string, 0, len(e.streams.rooms))
	for name := range e.streams.rooms {
		names = append(names, name)
	}
	return object(value.Str("rooms"), list(names), value.Str("count"), value.Int(int64(len(names)))), ""
}

func streamDelete(e *Engine, c *call) (value.Value, string) {
	if _, errText := e.room(c); errText != "" {
		return value.Nil, errText
	}
	name, _ := c.str("room")
	delete(e.streams.rooms, name)
	return object(strSuccess, value.Bool(true), value.Str("deleted"), value.Str(name)), ""
}
