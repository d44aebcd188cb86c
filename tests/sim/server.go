package sim

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/testserver/native"
	"github.com/libsynap/libsynap/core/value"
)

// server is the one server of a run: an engine, and how it fares.
type server struct {
	w       *world
	r       *rand.Rand
	engine  *engine.Engine
	native  *native.Commands
	life    int // grows with each restart
	up      bool
	thaws   int64    // when it goes on, if it is frozen
	backlog []func() // what arrived meanwhile
	conns   []breaker
}

// forget takes a connection off that has ended.
func (s *server) forget(c breaker) {
	s.conns = slices.DeleteFunc(s.conns, func(other breaker) bool { return other == c })
}

// breaker is a server's end of a connection.
type breaker interface {
	// died says that the server is gone.
	died()
}

// What the server has from the beginning, and after each restart.
const (
	readable     = 20 // keys that only are read
	roomCount    = 2
	queueCount   = 2
	topicCount   = 3
	counterCount = 3
	ackDeadline  = 2 // seconds that a consumer has for an ack
	manyRetries  = 1000
)

func readKey(n int) string   { return "r" + strconv.Itoa(n) }
func roomName(n int) string  { return "room" + strconv.Itoa(n) }
func queueName(n int) string { return "queue" + strconv.Itoa(n) }
func topicName(n int) string { return "news." + strconv.Itoa(n) }
func counter(n int) string   { return "w" + strconv.Itoa(n) }

// ownQueue is the queue that a follower has for itself.
func ownQueue(n int) string { return "own" + strconv.Itoa(n) }

func readValue(n int) string { return "value of " + readKey(n) }

func newServer(w *world) *server {
	s := &server{w: w, r: w.random("server", 0)}
	s.boot()
	s.furnish()
	return s
}

// boot starts the server with nothing in it.
func (s *server) boot() {
	s.up = true
	s.engine = engine.New(engine.Options{Rand: s.r.Uint64, Done: func(name string, payload, reply value.Value, failed string) {
		s.w.ledger.enter(s.w.now, name, payload, reply, failed)
	}})
	s.native = native.New(s.engine, func() int64 { return s.w.now })
}

func str(s string) value.Value { return value.Str(s) }

// operate does something on behalf of nobody in the run.
func (s *server) operate(name string, payload ...value.Value) value.Value {
	s.w.ledger.operator = true
	reply, failed := s.engine.Exec(s.w.now, engine.Program, name, "", value.Map(payload...))
	s.w.ledger.operator = false
	if failed != "" {
		s.w.logf("operator: %s: %s", name, failed)
	}
	return reply
}

// furnish is what an operator does after each start.
func (s *server) furnish() {
	for i := range readable {
		s.operate("kv.set", str("key"), str(readKey(i)), str("value"), str(readValue(i)))
	}
	for i := range roomCount {
		s.operate("stream.get_or_create", str("room"), str(roomName(i)))
	}
	settings := value.Map(str("ack_deadline_secs"), value.Int(ackDeadline), str("default_max_retries"), value.Int(manyRetries))
	for i := range queueCount {
		s.operate("queue.create", str("name"), str(queueName(i)), str("config"), settings)
	}
	for _, a := range s.w.everyone {
		s.operate("queue.create", str("name"), str(ownQueue(a.n)), str("config"), settings)
	}
}

// exec carries out a command of a client.
func (s *server) exec(face engine.Face, name, requestID string, payload value.Value) (value.Value, string) {
	reply, failed := s.engine.Exec(s.w.now, face, name, requestID, payload)
	s.native.Changed()
	return reply, failed
}

// arrive is called when something has arrived at the server. If the server is
// frozen it is looked at later, in the order of arrival.
func (s *server) arrive(do func()) {
	if s.thaws > s.w.now {
		s.backlog = append(s.backlog, do)
		return
	}
	do()
}

// freeze stops the server for a while.
func (s *server) freeze(wait int64) {
	s.w.logf("the server freezes for %d ms", wait/ms)
	s.thaws = max(s.thaws, s.w.now+wait)
	s.w.at(s.thaws, func() {
		if s.w.now >= s.thaws {
			s.thaw()
		}
	})
}

func (s *server) thaw() {
	list := s.backlog
	s.thaws, s.backlog = 0, nil
	for _, do := range list {
		do()
	}
}

// stop kills the server: memory and connections are gone.
func (s *server) stop(wait int64) {
	if !s.up {
		return
	}
	s.w.logf("the server is killed, for %d ms", wait/ms)
	s.up = false
	s.life++
	s.thaws, s.backlog = 0, nil
	dead := s.conns
	s.conns = nil
	for _, c := range dead {
		c.died()
	}
	s.w.after(wait, s.start)
}

// start brings it up again. Of all it had only messages come back, under new ids,
// perhaps without the last ones (protocol: queue quirks, "Restart"); its rooms and
// queues are missing until the operator creates them.
func (s *server) start() {
	s.w.logf("the server is up again")
	kept := s.w.ledger.restarted()
	s.boot()
	if n := len(kept); n > 0 && s.r.IntN(2) == 0 {
		kept = kept[:n-s.r.IntN(min(n, 3)+1)]
	}
	for _, m := range kept {
		s.operate("queue.create", str("name"), str(m.queue))
		s.operate("queue.publish", str("queue"), str(m.queue), str("payload"), str(m.name), str("max_retries"), value.Int(manyRetries))
	}
	s.w.after(between(s.r, 0, 300*ms), s.furnish)
}
