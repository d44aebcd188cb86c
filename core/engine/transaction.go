package engine

import (
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// transactionStore holds the open transactions (protocol: http-data 12). They
// belong to names that callers choose, not to connections, and never time out.
type transactionStore struct {
	open map[string]*transaction // by client id
	// watchers are the transactions that watch a name, whatever store it is in.
	watchers map[string][]*transaction
}

// transaction is what one client has queued and watches.
type transaction struct {
	queue   []queuedCommand
	watched map[string]bool // by name: whether it has changed since
}

// queuedCommand waits for EXEC.
type queuedCommand struct {
	name    string
	face    Face
	payload value.Value
}

var transactionCommands = family{
	{"transaction.multi", transactionMulti}, {"transaction.exec", transactionExec}, {"transaction.discard", transactionDiscard},
	{"transaction.watch", transactionWatch}, {"transaction.unwatch", transactionUnwatch},
}

const (
	noTransaction   = "Invalid request: No transaction in progress"
	openTransaction = "Invalid request: Transaction already in progress"
)

var (
	replyQueued  = object(strSuccess, value.Bool(true), value.Str("queued"), value.Bool(true))
	replyAborted = object(value.Str("aborted"), value.Bool(true), value.Str("message"), value.Str("Transaction aborted: watched keys changed"))
)

func transactionReply(message string) value.Value {
	return object(strSuccess, value.Bool(true), value.Str("message"), value.Str(message))
}

// clientID is whose transaction a transaction command is about: on the envelope
// the request's id stands in for a client id.
func (c *call) clientID() string {
	if id, ok := c.payload.Field("client_id").AsStr(); ok {
		return id
	}
	return c.requestID
}

// start opens a transaction for a client that has none.
func (s *transactionStore) start(client string) *transaction {
	if s.open == nil {
		s.open, s.watchers = map[string]*transaction{}, map[string][]*transaction{}
	}
	t := &transaction{}
	s.open[client] = t
	return t
}

// end closes a client's transaction and returns it, nil if there is none.
func (s *transactionStore) end(client string) *transaction {
	t := s.open[client]
	if t != nil {
		delete(s.open, client)
		s.unwatch(t)
	}
	return t
}

// watch notes that t wants to know of changes to a name from now on, whatever
// happened to it before.
func (s *transactionStore) watch(t *transaction, name string) {
	if t.watched == nil {
		t.watched = map[string]bool{}
	}
	if _, already := t.watched[name]; !already {
		s.watchers[name] = append(s.watchers[name], t)
	}
	t.watched[name] = false
}

// unwatch forgets that t watches. What t knows by then it keeps.
func (s *transactionStore) unwatch(t *transaction) {
	for name := range t.watched {
		var others []*transaction
		for _, other := range s.watchers[name] {
			if other != t {
				others = append(others, other)
			}
		}
		if others == nil {
			delete(s.watchers, name)
		} else {
			s.watchers[name] = others
		}
	}
}

// touch tells the watchers of a name, or of each of several, that it has changed.
func (s *transactionStore) touch(names value.Value) {
	if name, ok := names.AsStr(); ok {
		for _, t := range s.watchers[name] {
			t.watched[name] = true
		}
	}
	for _, name := range names.Items() {
		s.touch(name)
	}
}

func transactionMulti(e *Engine, c *call) (value.Value, string) {
	client := c.clientID()
	if e.transactions.open[client] != nil {
		return value.Nil, openTransaction
	}
	e.transactions.start(client)
	return transactionReply("Transaction started"), ""
}

// transactionWatch opens a transaction too (protocol: http-data quirk 17).
func transactionWatch(e *Engine, c *call) (value.Value, string) {
	names, ok := c.texts("keys")
	if !ok {
		return value.Nil, missing("keys")
	}
	if len(names) == 0 {
		return value.Nil, "Invalid request: Keys list cannot be empty"
	}
	client := c.clientID()
	t := e.transactions.open[client]
	if t == nil {
		t = e.transactions.start(client)
	}
	for _, name := range names {
		e.transactions.watch(t, name)
	}
	return transactionReply("Keys watched"), ""
}

func transactionUnwatch(e *Engine, c *call) (value.Value, string) {
	if t := e.transactions.open[c.clientID()]; t != nil {
		e.transactions.unwatch(t)
		t.watched = nil
	}
	return transactionReply("Keys unwatched"), ""
}

func transactionDiscard(e *Engine, c *call) (value.Value, string) {
	if e.transactions.end(c.clientID()) == nil {
		return value.Nil, noTransaction
	}
	return transactionReply("Transaction discarded"), ""
}

// transactionExec stops at the first command that fails: what was done before
// stays, the rest is forgotten.
func transactionExec(e *Engine, c *call) (value.Value, string) {
	t := e.transactions.end(c.clientID())
	if t == nil {
		return value.Nil, noTransaction
	}
	for _, changed := range t.watched {
		if changed {
			return replyAborted, ""
		}
	}
	items := make([]value.Value, len(t.queue))
	for i, q := range t.queue {
		var errText string
		if items[i], errText = transactional[q.name].carryOut(e, &call{face: q.face, payload: q.payload}); errText != "" {
			return value.Nil, errText
		}
	}
	return object(strSuccess, value.Bool(true), value.Str("results"), value.Array(items...)), ""
}

// Queue adds a command to the open transaction of a client, as the native wires'
// TXQUEUE does; values are those of Raw. Beside what the envelope can queue it
// takes kv.mdel, and pops without a count. The error text is "" for success;
// queued is false and the text "" if the client has no transaction.
//
// EXEC, which any caller may order, answers for each command: {"ok":true} for
// kv.set and hash.set, {"value":n}, {"deleted":n}, {"length":n}, {"added":n},
// {"removed":n}, and a text for a pop.
func (e *Engine) Queue(now int64, client, name string, payload value.Value) (queued bool, errText string) {
	rule := transactional[name]
	if rule == nil || rule.check == nil || rule.command == nil {
		return false, "Invalid request: '" + strings.ToValidUTF8(name, "\uFFFD") + "' cannot be queued in a transaction"
	}
	e.mu.Lock()
	defer e.unlock()
	e.advance(now)
	t := e.transactions.open[client]
	if t == nil {
		return false, ""
	}
	e.call = call{face: Raw, payload: payload}
	if errText := rule.check(&e.call); errText != "" {
		return false, errText
	}
	t.queue = append(t.queue, queuedCommand{name, Raw, payload})
	return true, ""
}
