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
	// read as they are.
	Raw
)

// Options are the settings of an engine.
type Options struct {
	// Rand returns random bits for ids; nil gives a fixed sequence.
	Rand func() uint64
}

// Engine is one embedded Synap.
type Engine struct {
	mu    sync.Mutex
	now   int64 // Unix nanoseconds
	rand  func() uint64
	wakes []func() // to call once the lock is released

	kv      kvStore
	queues  queueStore
	streams streamStore
	pubsub  pubsubStore
	hashes  hashStore
	lists   listStore
	topics  topicStore
	groups  groupStore
	scripts scriptStore

	ticks ticks
}

// New returns an empty engine.
func New(o Options) *Engine {
	e := &Engine{rand: o.Rand}
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

// commands are the commands of the envelope, rawCommands those that only REST
// routes reach.
var commands, rawCommands map[string]handler

func init() {
	commands = merge(kvCommands, queueCommands, streamCommands, pubsubCommands, keyCommands, hashCommands, listCommands, scriptCommands)
	rawCommands = merge(topicsCommands, groupsCommands)
}

func merge(maps ...map[string]handler) map[string]handler {
	all := map[string]handler{}
	for _, m := range maps {
		for name, h := range m {
			all[name] = h
		}
	}
	return all
}

// Exec runs one command at the time now (Unix nanoseconds; an earlier time than
// the last counts as the last). requestID is the envelope's. The error text is ""
// for success, else the server's.
func (e *Engine) Exec(now int64, face Face, name, requestID string, payload value.Value) (value.Value, string) {
	h := commands[name]
	if h == nil && face == Raw {
		h = rawCommands[name]
	}
	if h == nil {
		return value.Nil, "Unknown command: " + name
	}
	e.mu.Lock()
	defer e.unlock()
	e.advance(now)
	return h(e, &call{face: face, requestID: requestID, payload: payload})
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
	e.wakes = nil
	e.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
}

// ticks are when the sweeps ran last.
type ticks struct{ kv, queue, stream int64 }

const (
	second = int64(1e9)
	// The server's sweeps: expired keys every 100 ms, passed deadlines every
	// second, old events every minute.
	kvSweep     = second / 10
	queueSweep  = second
	streamSweep = 60 * second
)

func (e *Engine) advance(now int64) {
	if now <= e.now {
		return
	}
	e.now = now
	if t := now / kvSweep; t != e.ticks.kv {
		e.ticks.kv = t
		e.kv.sweep(t * kvSweep)
	}
	if t := now / queueSweep; t != e.ticks.queue {
		e.ticks.queue = t
		e.queues.sweep(t * queueSweep)
	}
	if t := now / streamSweep; t != e.ticks.stream {
		e.ticks.stream = t
		e.streams.sweep(t * streamSweep)
	}
}

// call is one command under way.
type call struct {
	face      Face
	requestID string
	payload   value.Value
}

func missing(field string) string { return "Invalid request: Missing '" + field + "' field" }

// str returns a text field; on the envelope a field of another type counts as
// missing.
func (c *call) str(field string) (string, string) {
	s, ok := c.payload.Field(field).AsStr()
	if !ok {
		return "", missing(field)
	}
	return s, ""
}

// uint returns an integer field that is not negative.
func (c *call) uint(field string) (uint64, bool) { return c.payload.Field(field).AsUint() }

// int returns an integer field within the int64 range.
func (c *call) int(field string) (int64, bool) { return c.payload.Field(field).AsInt() }

// bool reports whether a field is true.
func (c *call) bool(field string) bool {
	b, _ := c.payload.Field(field).AsBool()
	return b
}

// stringsField reads a field that must be an array of texts, with the texts of
// the server's decoder where it is not.
func (c *call) stringsField(field string) ([]string, string) {
	v, ok := c.payload.Get(field)
	if !ok {
		return nil, missing(field)
	}
	bad := "Invalid request: Invalid " + field + " array: invalid type: "
	if v.Kind() != value.KindArray {
		return nil, bad + describe(v) + ", expected a sequence"
	}
	out := make([]string, v.Len())
	for i := range out {
		s, ok := v.Index(i).AsStr()
		if !ok {
			return nil, bad + describe(v.Index(i)) + ", expected a string"
		}
		out[i] = s
	}
	return out, ""
}

// describe names a value as the server's decoder does.
func describe(v value.Value) string {
	switch v.Kind() {
	case value.KindNil:
		return "null"
	case value.KindBool:
		return "boolean `" + jsonText(v) + "`"
	case value.KindInt, value.KindUint:
		return "integer `" + jsonText(v) + "`"
	case value.KindFloat:
		return "floating point `" + jsonText(v) + "`"
	case value.KindStr:
		s, _ := v.AsStr()
		return "string " + quote(s)
	case value.KindArray:
		return "sequence"
	case value.KindBytes:
		return "byte array"
	}
	return "map"
}

func quote(s string) string {
	b, _ := value.AppendJSONStr(nil, s)
	return string(b)
}

// jsonText is the compact JSON text in which the server stores a value.
func jsonText(v value.Value) string {
	b, err := value.AppendSortedJSON(nil, v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// rawText is how a value is stored as it is: text and bytes themselves, any
// other value as its JSON text.
func rawText(v value.Value) string {
	if s, ok := v.AsBlob(); ok {
		return s
	}
	return jsonText(v)
}

// quoted is how the writers that quote text store a value on this face.
func (c *call) quoted(v value.Value) string {
	if c.face == Raw {
		return rawText(v)
	}
	return jsonText(v)
}

// object builds a reply from names and values.
func object(kv ...value.Value) value.Value { return value.Map(kv...) }

var (
	strSuccess = value.Str("success")
	replyDone  = object(strSuccess, value.Bool(true))
)

// member builds a reply of one member.
func member(name string, v value.Value) value.Value { return object(value.Str(name), v) }

func list(keys []string) value.Value {
	items := make([]value.Value, len(keys))
	for i, k := range keys {
		items[i] = value.Str(k)
	}
	return value.Array(items...)
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
