// Package engine is the embedded Synap: every command in memory, on one virtual
// clock. It behaves as server 1.3.1 was measured to behave, quirks included
// (protocol pages); where the server would end its process it answers with an
// error instead. memory:// and the test server run on it.
//
// The engine reads no clock and starts no goroutine: each call brings the time,
// and what is due by then (expiry, redelivery, retention) happens first. It is
// safe for concurrent use.
package engine

import (
	"sync"

	"github.com/libsynap/libsynap/core/value"
)

// Face is the manner in which values are written and read.
type Face uint8

// The faces.
const (
	// Envelope is the command envelope of the HTTP API, quoting quirks included.
	Envelope Face = iota
	// Raw is what native wires and REST routes do: text and bytes are stored and
	// read as they are. Transactions do not watch it.
	Raw
	// Routed is for REST routes that treat values as the envelope does.
	// Transactions do not watch it either.
	Routed
	// Program is Raw for the program that has the engine in itself (memory://),
	// with which its transactions must do what they do over HTTP.
	Program
)

// split returns which of Envelope and Raw a face is like, and whether transactions
// watch what is written through it.
func (f Face) split() (like Face, watched bool) {
	return f & 1, f == Envelope || f == Program
}

// Options are the settings of an engine.
type Options struct {
	// Rand returns random bits for ids; nil gives a fixed sequence.
	Rand func() uint64
	// Done, if set, is told of each command that Exec has carried out, in their
	// order, with its reply or error text. It is called with the engine locked and
	// must not call back.
	Done func(name string, payload, reply value.Value, errText string)
}

// Engine is one embedded Synap.
type Engine struct {
	mu    sync.Mutex
	now   int64 // Unix nanoseconds
	rand  func() uint64
	done  func(name string, payload, reply value.Value, errText string)
	call  call     // the one under way
	wakes []func() // to call once the lock is released

	kv      kvStore
	queues  queueStore
	streams streamStore
	pubsub  pubsubStore
	hashes  hashStore
	lists   listStore
	sets    setStore
	zsets   zsetStore
	topics  topicStore
	groups  groupStore
	scripts scriptStore
	bitmaps bitmapStore
	hlls    hllStore
	geo     geoCounters

	transactions transactionStore

	due ticks
}

// New returns an empty engine.
func New(o Options) *Engine {
	e := &Engine{rand: o.Rand, done: o.Done}
	if e.rand == nil {
		state := uint64(0x9e3779b97f4a7c15)
		e.rand = func() uint64 { // SplitMix64
			state += 0x9e3779b97f4a7c15
			z := state
			z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
			z = (z ^ z>>27) * 0x94d049bb133111eb
			return z ^ z>>31
		}
	}
	e.kv.init()
	e.queues.init()
	e.streams.init()
	e.pubsub.init()
	return e
}

// handler carries out one command and returns the reply, or an error text.
type handler func(e *Engine, c *call) (value.Value, string)

// family is the commands of one kind of data: a list, because a map literal is code
// and would weigh in the WASM module.
type family []struct {
	name string
	run  handler
}

// commands are the commands of the envelope, rawCommands those that only REST
// routes reach.
var commands, rawCommands map[string]handler

func init() {
	commands, rawCommands = merge(families...), merge(restFamilies...)
	if hasTransactions {
		joinTransactions(commands)
	}
}

func merge(families ...family) map[string]handler {
	all := map[string]handler{}
	for _, f := range families {
		for _, c := range f {
			all[c.name] = c.run
		}
	}
	return all
}

// Exec runs one command at the time now (Unix nanoseconds; an earlier time than
// the last counts as the last). requestID is the envelope's. The error text is ""
// for success, else the server's.
func (e *Engine) Exec(now int64, face Face, name, requestID string, payload value.Value) (value.Value, string) {
	h := find(face, name)
	if h == nil {
		return value.Nil, unknown(name)
	}
	e.mu.Lock()
	defer e.unlock()
	e.advance(now)
	return e.run(name, h, face, requestID, payload)
}

// Together runs several commands at one moment: none of anybody else comes
// between. exec is Exec, for use until do returns.
func (e *Engine) Together(now int64, face Face, do func(exec func(name string, payload value.Value) (value.Value, string))) {
	e.mu.Lock()
	defer e.unlock()
	e.advance(now)
	do(func(name string, payload value.Value) (value.Value, string) {
		h := find(face, name)
		if h == nil {
			return value.Nil, unknown(name)
		}
		return e.run(name, h, face, "", payload)
	})
}

// find returns the handler of a command, nil if there is none.
func find(face Face, name string) handler {
	h := commands[name]
	if like, _ := face.split(); h == nil && like == Raw {
		h = rawCommands[name]
	}
	return h
}

// run carries out one command. The engine is locked.
func (e *Engine) run(name string, h handler, face Face, requestID string, payload value.Value) (value.Value, string) {
	like, watched := face.split()
	e.call = call{face: like, from: face, watched: watched, requestID: requestID, payload: payload}
	reply, errText := h(e, &e.call)
	if e.done != nil {
		e.done(name, payload, reply, errText)
	}
	return reply, errText
}

// Advance does what is due by now.
func (e *Engine) Advance(now int64) {
	e.mu.Lock()
	defer e.unlock()
	e.advance(now)
}

// unlock releases the lock, then wakes the subscribers that got something.
func (e *Engine) unlock() {
	wakes := e.wakes
	e.wakes, e.call = nil, call{}
	e.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
}

// ticks are when the sweeps run next.
type ticks struct{ kv, queue, stream int64 }

const (
	second = int64(1e9)
	// The server's sweeps: expired keys every 100 ms, passed deadlines every
	// second, old events every minute.
	kvSweep     = second / 10
	queueSweep  = second
	streamSweep = 60 * second
)

// advance does what the sweeps would have done by now. Of several ticks that have
// passed only the last is done: it covers the others.
func (e *Engine) advance(now int64) {
	if now <= e.now {
		return
	}
	e.now = now
	if now < e.due.kv { // the shortest interval divides the others
		return
	}
	e.kv.sweep(lastTick(now, kvSweep, &e.due.kv))
	if now >= e.due.queue {
		e.queues.sweep(lastTick(now, queueSweep, &e.due.queue))
	}
	if now >= e.due.stream {
		e.streams.sweep(lastTick(now, streamSweep, &e.due.stream))
	}
}

// lastTick returns the last tick of an interval and sets the next.
func lastTick(now, interval int64, next *int64) int64 {
	last := now - now%interval
	*next = last + interval
	return last
}

// uuid returns a random UUID, version 4.
func (e *Engine) uuid() string {
	hi, lo := e.rand(), e.rand()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	const digits = "0123456789abcdef"
	var b [36]byte
	n := 0
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			b[n] = '-'
			n++
		}
		word := hi
		if i >= 16 {
			word = lo
		}
		b[n] = digits[word>>(60-4*(i%16))&15]
		n++
	}
	return string(b[:])
}
