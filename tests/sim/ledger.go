package sim

import (
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// applied is a command that the engine has carried out.
type applied struct {
	at      int64
	payload value.Value
	reply   value.Value
	failed  string // the engine's error text
	idle    bool   // it succeeded without changing anything
}

// ledger is all that the server did, as the engine told it, by what the calls are
// known by. It outlives restarts of the server.
type ledger struct {
	// done are the commands of calls by what they are known by; what the operator
	// does is not in it.
	done     map[string][]*applied
	operator bool

	// pushes is what was published and changed, in order, and pushed where each is.
	pushes []push
	pushed map[string]int

	rooms  map[string]*room // as they are now
	events map[string]event
	births int

	messages   map[string]*message // by id
	published  []*message
	deliveries map[string]*applied // by id and retry count
}

// push is something that subscribers are to get.
type push struct {
	topic string
	id    string // what it is known by
}

// room is one life of a room: a room that is deleted and created anew is another.
type room struct {
	name  string
	birth int // grows from room to room
}

// event is where a published event stands.
type event struct {
	room   *room
	offset int64
}

// message is one of a queue. A restart gives it a new id, and so another life.
type message struct {
	id, queue, name string
	acked           bool
}

func newLedger() *ledger {
	return &ledger{done: map[string][]*applied{}, pushed: map[string]int{}, rooms: map[string]*room{},
		events: map[string]event{}, messages: map[string]*message{}, deliveries: map[string]*applied{}}
}

// known is what a command is known by in the ledger.
func known(command, by string) string { return command + " " + by }

func text(v value.Value) string {
	if s, ok := v.AsBlob(); ok {
		return s
	}
	if s, ok := v.AsByteArray(); ok {
		return s
	}
	if n, ok := v.AsInt(); ok {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// enter is what the engine calls.
func (l *ledger) enter(at int64, name string, payload, reply value.Value, failed string) {
	a := &applied{at: at, payload: payload, reply: reply, failed: failed}
	a.idle = name == "queue.consume" && reply.Field("message").IsNil()
	if !l.operator {
		for _, k := range knownBy(name, payload) {
			l.done[k] = append(l.done[k], a)
		}
	}
	if failed == "" {
		l.follow(name, a)
	}
}

// knownBy is by what a command is known: what no other call writes or says.
func knownBy(name string, p value.Value) []string {
	one := func(command, field string) []string { return []string{known(command, text(p.Field(field)))} }
	switch name {
	case "kv.set":
		return []string{known(name, text(p.Field("key"))+"="+text(p.Field("value")))}
	case "kv.mset":
		var all []string
		for _, pair := range p.Field("pairs").Items() {
			all = append(all, knownBy("kv.set", pair)...)
		}
		return all
	case "kv.incr", "kv.decr":
		return one(name, "amount")
	case "kv.append":
		return one(name, "value")
	case "kv.del":
		return one(name, "key")
	case "kv.mdel":
		var all []string
		for _, key := range p.Field("keys").Items() {
			all = append(all, known("kv.del", text(key)))
		}
		return all
	case "queue.publish", "pubsub.publish":
		return one(name, "payload")
	case "queue.consume":
		return one(name, "consumer_id")
	case "queue.ack", "queue.nack":
		return one(name, "message_id")
	case "stream.publish":
		return one(name, "event")
	case "stream.consume":
		return one(name, "subscriber_id")
	}
	return nil
}

// follow keeps track of what a successful command changed.
func (l *ledger) follow(name string, a *applied) {
	p := a.payload
	switch name {
	case "kv.incr", "kv.decr":
		l.push(watchPrefix+text(p.Field("key")), text(a.reply.Field("value")))
	case "pubsub.publish":
		l.push(text(p.Field("topic")), text(p.Field("payload")))
	case "stream.create":
		l.born(text(p.Field("room")))
	case "stream.get_or_create":
		if created, _ := a.reply.Field("created").AsBool(); created {
			l.born(text(p.Field("room")))
		}
	case "stream.delete":
		delete(l.rooms, text(p.Field("room")))
	case "stream.publish":
		offset, _ := a.reply.Field("offset").AsInt()
		l.events[text(p.Field("event"))] = event{l.rooms[text(p.Field("room"))], offset}
	case "queue.publish":
		m := &message{id: text(a.reply.Field("message_id")), queue: text(p.Field("queue")), name: text(p.Field("payload"))}
		l.messages[m.id] = m
		l.published = append(l.published, m)
	case "queue.consume":
		if m := a.reply.Field("message"); !m.IsNil() {
			l.deliveries[delivery(text(m.Field("id")), m.Field("retry_count"))] = a
		}
	case "queue.ack":
		l.messages[text(p.Field("message_id"))].acked = true
	}
}

// watchPrefix begins the topic on which changes of a key are told.
const watchPrefix = "__watch@0__:"

func (l *ledger) push(topic, id string) {
	l.pushed[topic+" "+id] = len(l.pushes)
	l.pushes = append(l.pushes, push{topic, id})
}

func (l *ledger) born(name string) {
	l.births++
	l.rooms[name] = &room{name, l.births}
}

func delivery(id string, retries value.Value) string { return id + "/" + text(retries) }

// restarted forgets what the server forgot. The messages are returned that it has
// kept: those that were not acked.
func (l *ledger) restarted() []*message {
	clear(l.rooms)
	var kept []*message
	for _, m := range l.published {
		if !m.acked {
			kept = append(kept, m)
		}
	}
	l.published = nil
	return kept
}
