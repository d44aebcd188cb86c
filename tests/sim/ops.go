package sim

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// op is one thing that a user of a client does.
type op struct {
	n    int // its number, by which all that it writes is known
	wait int64
	do   func(w *world, o op, r *rand.Rand)
}

// script makes the operations of a seed.
func script(seed uint64) []op {
	r := random(seed, "script", 0)
	pace := []int64{2, 20, 80}[r.IntN(3)] * ms
	ops := make([]op, 20+r.IntN(30))
	for i := range ops {
		ops[i] = op{n: 100 * (i + 1), wait: between(r, 0, pace), do: choose(r)}
	}
	return ops
}

// choose chooses what to do.
func choose(r *rand.Rand) func(*world, op, *rand.Rand) {
	switch n := r.IntN(100); {
	case n < 60:
		return doCall
	case n < 70:
		return doBatch
	case n < 84:
		return doFollow
	case n < 90:
		return doCancel
	case n < 93:
		return doUnfollow
	case n < 98:
		return doRecreate
	default:
		return doReopen
	}
}

// someone is the actor of an operation.
func (w *world) someone(r *rand.Rand) *actor { return w.actors[r.IntN(len(w.actors))] }

func doCall(w *world, o op, r *rand.Rand) {
	a := w.someone(r)
	w.begin(a, o.n, false, a.command(o.n, r))
}

func doBatch(w *world, o op, r *rand.Rand) {
	a := w.someone(r)
	parts := make([]*part, 1+r.IntN(5))
	for i := range parts {
		parts[i] = a.command(o.n+i, r)
	}
	w.begin(a, o.n, true, parts...)
}

// doCancel cancels a frame that may be under way.
func doCancel(w *world, _ op, r *rand.Rand) {
	a := w.someone(r)
	if a.lastTag == 0 {
		return
	}
	tag := a.lastTag - r.Int32N(min(a.lastTag, 4))
	w.logf("%s: cancel frame %d", a, tag)
	a.client.Cancel(w.now, tag)
	a.settle()
}

// doReopen closes a client and opens another in its place.
func doReopen(w *world, _ op, r *rand.Rand) {
	i := r.IntN(len(w.actors))
	w.actors[i].close()
	w.actors[i] = newActor(w)
	w.actors[i].open()
	if w.server.up {
		w.server.furnish() // with a queue for it
	}
}

// doRecreate lets the operator replace a room.
func doRecreate(w *world, _ op, r *rand.Rand) {
	name := roomName(r.IntN(roomCount))
	if !w.strikes(r, recreate) && r.IntN(2) == 0 || w.weather.odds[recreate] == 0 {
		return
	}
	w.logf("operator: recreate %s", name)
	w.server.operate("stream.delete", str("room"), str(name))
	w.after(between(r, 0, 50*ms), func() { w.server.operate("stream.get_or_create", str("room"), str(name)) })
}

func strs(list ...string) value.Value {
	items := make([]value.Value, len(list))
	for i, s := range list {
		items[i] = str(s)
	}
	return value.Array(items...)
}

// typed makes a part of a typed command.
func typed(name string, args ...value.Value) *part {
	return &part{name: name, frame: value.Array(value.Int(int64(session.OpTyped)), str(name), value.Array(args...))}
}

func (p *part) writes(once bool, known ...string) *part {
	p.once, p.known = once, known
	return p
}

// command makes a call that is known by n.
func (a *actor) command(n int, r *rand.Rand) *part {
	mark := "m" + strconv.Itoa(n)
	amount := r.Int64N(1<<40)<<10 + int64(n%1024)
	switch r.IntN(16) {
	case 0, 1:
		p := typed("kv.incrby", str(counter(r.IntN(counterCount))), value.Int(amount)).writes(true, known("kv.incr", strconv.FormatInt(amount, 10)))
		p.same = sameText("value")
		return p
	case 2:
		p := typed("kv.decrby", str("down"), value.Int(amount)).writes(true, known("kv.decr", strconv.FormatInt(amount, 10)))
		p.same = sameText("value")
		return p
	case 3:
		payload := value.Map(str("key"), str(counter(0)), str("amount"), value.Int(amount))
		p := &part{name: "kv.incr (raw)", raw: true, frame: value.Array(value.Int(int64(session.OpRaw)), str("kv.incr"), payload)}
		p.writes(true, known("kv.incr", strconv.FormatInt(amount, 10)))
		p.same = func(got value.Value, a *applied) bool {
			return text(got.Field("value")) == text(a.reply.Field("value"))
		}
		return p
	case 4:
		p := typed("kv.append", str("journal"), str(mark+";")).writes(true, known("kv.append", mark+";"))
		p.same = sameText("length")
		return p
	case 5:
		value := strings.Repeat(mark+" ", 1+r.IntN(40))
		return typed("kv.set", str("k"+mark), str(value)).writes(false, known("kv.set", "k"+mark+"="+value))
	case 6:
		pairs := make([]value.Value, 1+r.IntN(4))
		var all []string
		for i := range pairs {
			key := "k" + mark + "." + strconv.Itoa(i)
			pairs[i] = value.Array(str(key), str(mark))
			all = append(all, known("kv.set", key+"="+mark))
		}
		return typed("kv.mset", value.Array(pairs...)).writes(false, all...)
	case 7:
		p := typed("kv.delete", str("none"+mark)).writes(true, known("kv.del", "none"+mark))
		p.right = func(got value.Value) bool { return value.Equal(got, value.Bool(false)) }
		return p
	case 8, 9:
		return a.read(r)
	case 10:
		return a.publish(mark, r)
	case 11, 12:
		return a.queueCommand(mark, r)
	case 13:
		name := roomName(r.IntN(roomCount))
		p := typed("stream.publish", str(name), str(mark), str(mark)).writes(true, known("stream.publish", mark))
		p.same = sameText("offset")
		return p
	case 14:
		return a.readStream(mark, r)
	}
	return a.queuePublish(mark, queueName(r.IntN(queueCount)))
}

// sameText compares an integer or text with a member of the server's reply.
func sameText(member string) func(value.Value, *applied) bool {
	return func(got value.Value, a *applied) bool { return text(got) == text(a.reply.Field(member)) }
}

// read makes a read of what is always there, but for the time after a restart. The
// values name their keys, and each has its length.
func (a *actor) read(r *rand.Rand) *part {
	there := func(got value.Value, n int) bool {
		return text(got) == readValue(n) || (got.IsNil() && a.w.server.life > 0)
	}
	n := r.IntN(readable)
	switch r.IntN(4) {
	case 0:
		p := typed("kv.strlen", str(readKey(n)))
		p.right = func(got value.Value) bool {
			length, _ := got.AsInt()
			return length == int64(len(readValue(n))) || (length == 0 && a.w.server.life > 0)
		}
		return p
	case 1:
		which := r.Perm(readable)[:1+r.IntN(5)]
		names := make([]string, len(which))
		for i, n := range which {
			names[i] = readKey(n)
		}
		p := typed("kv.mget", strs(names...))
		p.right = func(got value.Value) bool {
			for i, n := range which {
				if !there(got.Index(i), n) {
					return false
				}
			}
			return got.Len() == len(which)
		}
		return p
	}
	p := typed("kv.get", str(readKey(n)))
	p.right = func(got value.Value) bool { return there(got, n) }
	return p
}

func (a *actor) publish(mark string, r *rand.Rand) *part {
	p := typed("pubsub.publish", str(topicName(r.IntN(topicCount))), str(mark)).writes(true, known("pubsub.publish", mark))
	p.same = func(got value.Value, done *applied) bool {
		id := text(got.Index(0))
		return text(got.Index(1)) == text(done.reply.Field("subscribers_matched")) &&
			(id == text(done.reply.Field("message_id")) || (id == "" && a.scheme == "resp3"))
	}
	return p
}

func (a *actor) readStream(mark string, r *rand.Rand) *part {
	p := typed("stream.consume", str(roomName(r.IntN(roomCount))), str(mark), value.Int(r.Int64N(3)), value.Int(5)).writes(false, known("stream.consume", mark))
	p.same = func(got value.Value, done *applied) bool {
		events := done.reply.Field("events")
		if got.Len() != events.Len() {
			return false
		}
		for i := range got.Len() {
			e, sent := got.Index(i), events.Index(i)
			if text(e.Index(0)) != text(sent.Field("offset")) || text(e.Index(1)) != text(sent.Field("event")) || text(e.Index(2)) != text(e.Index(1)) {
				return false
			}
		}
		return true
	}
	return p
}

func (a *actor) queuePublish(mark, queue string) *part {
	p := typed("queue.publish", str(queue), value.BytesOf(mark)).writes(true, known("queue.publish", mark))
	p.same = sameText("message_id")
	return p
}

// queueCommand publishes or consumes. What is consumed is acked later, most of the
// time.
func (a *actor) queueCommand(mark string, r *rand.Rand) *part {
	switch r.IntN(4) {
	case 0:
		return a.queuePublish(mark, ownQueue(r.IntN(len(a.w.everyone))))
	case 1:
		return a.queuePublish(mark, queueName(r.IntN(queueCount)))
	}
	queue := queueName(r.IntN(queueCount))
	p := typed("queue.consume", str(queue), str(mark)).writes(true, known("queue.consume", mark))
	p.same = func(got value.Value, done *applied) bool { return sameMessage(got, done.reply.Field("message")) }
	think, choice := between(r, 0, 300*ms), r.IntN(10)
	n, _ := strconv.Atoi(mark[1:])
	p.then = func(got value.Value) {
		if !got.IsNil() {
			a.w.after(think, func() { a.settleMessage(n+50, queue, text(got.Index(0)), choice) })
		}
	}
	return p
}

func sameMessage(got, sent value.Value) bool {
	if got.IsNil() || sent.IsNil() {
		return got.IsNil() && sent.IsNil()
	}
	return text(got.Index(0)) == text(sent.Field("id")) && text(got.Index(1)) == text(sent.Field("payload")) &&
		text(got.Index(3)) == text(sent.Field("retry_count"))
}

// settleMessage acks a message, or nacks it, or forgets it.
func (a *actor) settleMessage(n int, queue, id string, choice int) {
	name := "queue.ack"
	switch {
	case a.closed || choice == 0:
		return
	case choice == 1:
		name = "queue.nack"
	}
	a.w.begin(a, n, false, typed(name, str(queue), str(id)).writes(true, known(name, id)))
}
