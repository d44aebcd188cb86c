package engine

import (
	"slices"

	"github.com/libsynap/libsynap/core/value"
)

// keyspace is what the key.* commands need of a store.
type keyspace struct {
	kind string
	// holds reports whether the store has something under key; what is empty
	// counts as not there.
	holds func(e *Engine, key string) bool
	// clear removes what is under key, as far as the server manages to.
	clear func(e *Engine, key string)
	// copy adds what is under source to destination.
	copy func(e *Engine, source, destination string)
}

// The stores that key.* sees. Bitmaps and HyperLogLogs are not among them. A name
// may be in several: keyspaces, which each build declares beside its families,
// has them in the order in which key.* looks (protocol: http-data 3).
var (
	zsetSpace   = keyspace{"zset", zsetHolds, zsetClear, zsetCopy}
	setSpace    = keyspace{"set", setHolds, setClear, setCopy}
	listSpace   = keyspace{"list", listHolds, listClear, listCopy}
	hashSpace   = keyspace{"hash", hashHolds, hashClear, hashCopy}
	stringSpace = keyspace{"string", stringHolds, stringClear, stringCopy}
)

var keyCommands = family{
	{"key.type", keyType}, {"key.exists", keyExists}, {"key.rename", keyRename}, {"key.renamenx", keyRenamenx},
	{"key.copy", keyCopy}, {"key.randomkey", keyRandom},
}

func zsetHolds(e *Engine, key string) bool { return e.zsets.card(key) > 0 }

func zsetClear(e *Engine, key string) { e.zsets.remRanks(key, 0, -1) }

func zsetCopy(e *Engine, source, destination string) {
	for _, m := range e.zsets.slice(source, 0, -1, false) {
		e.zsets.add(destination, m.member, m.score, zaddFlags{})
	}
}

func setHolds(e *Engine, key string) bool {
	n, _ := e.sets.card(key)
	return n > 0
}

// setClear copies the members, as removing one changes the list of them.
func setClear(e *Engine, key string) {
	members, _ := e.sets.members(key)
	e.sets.rem(key, slices.Clone(members))
}

func setCopy(e *Engine, source, destination string) {
	members, _ := e.sets.members(source)
	e.sets.add(destination, members)
}

func listHolds(e *Engine, key string) bool { return e.lists.length(key) > 0 }

// listClear is a trim to nothing, which on a list of one element keeps it
// (protocol: http-data quirk 11).
func listClear(e *Engine, key string) { e.lists.trim(key, 1, 0) }

func listCopy(e *Engine, source, destination string) {
	texts, _ := e.lists.slice(source, 0, -1)
	e.lists.push(destination, texts, opRpush)
}

func hashHolds(e *Engine, key string) bool { return len(e.hashes.hashes[key]) > 0 }

func hashClear(e *Engine, key string) { e.hashes.del(key, e.hashes.names(key)) }

func hashCopy(e *Engine, source, destination string) {
	for _, f := range e.hashes.names(source) {
		e.hashes.set(destination, f, e.hashes.hashes[source][f])
	}
}

func stringHolds(e *Engine, key string) bool {
	_, ok := e.kvLive(key)
	return ok
}

func stringClear(e *Engine, key string) {
	if e.kvDelete(key) {
		e.kv.dels++
	}
}

// stringCopy takes the TTL along in whole seconds, so that less than one is gone
// at once.
func stringCopy(e *Engine, source, destination string) {
	text, _ := e.kvRead(source)
	en := entry{val: text}
	if expires := e.kv.keys[source].expires; expires != 0 {
		en.expires = e.expiry(uint64((expires - e.now) / second))
	}
	e.kvWrite(destination, en)
}

// kvWrite is a plain set: what is there is replaced, watchers are told.
func (e *Engine) kvWrite(key string, en entry) {
	e.kv.sets++
	e.kv.put(key, en, true)
	e.changed(key, "set", en.val, true)
}

// keyspaceOf returns the first store that has something under key, or nil.
func (e *Engine) keyspaceOf(key string) *keyspace {
	for i := range keyspaces {
		if keyspaces[i].holds(e, key) {
			return &keyspaces[i]
		}
	}
	return nil
}

func keyType(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	kind := "none"
	if ks := e.keyspaceOf(key); ks != nil {
		kind = ks.kind
	}
	return object(value.Str("key"), value.Str(key), value.Str("type"), value.Str(kind)), ""
}

func keyExists(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	return object(value.Str("key"), value.Str(key), value.Str("exists"), value.Bool(e.keyspaceOf(key) != nil)), ""
}

// sourceDestination reads the two names of a command that moves something.
func (c *call) sourceDestination() (source, destination, errText string) {
	if source, errText = c.str("source"); errText != "" {
		return "", "", errText
	}
	destination, errText = c.str("destination")
	return source, destination, errText
}

func moved(source, destination string) value.Value {
	return object(strSuccess, value.Bool(true), value.Str("source"), value.Str(source), value.Str("destination"), value.Str(destination))
}

func keyRename(e *Engine, c *call) (value.Value, string) {
	source, destination, errText := c.sourceDestination()
	if errText == "" && source != destination {
		errText = e.transfer(source, destination, true)
	}
	return moved(source, destination), errText
}

func keyRenamenx(e *Engine, c *call) (value.Value, string) {
	source, destination, errText := c.sourceDestination()
	if errText == "" && source != destination {
		if e.keyspaceOf(destination) != nil {
			return value.Nil, "Invalid request: Destination key already exists"
		}
		errText = e.transfer(source, destination, true)
	}
	return moved(source, destination), errText
}

func keyCopy(e *Engine, c *call) (value.Value, string) {
	source, destination, errText := c.sourceDestination()
	if errText == "" && source != destination {
		replace, isBool := c.payload.Field("replace").AsBool()
		if !(replace && isBool) && e.keyspaceOf(source) != nil && e.keyspaceOf(destination) != nil {
			return value.Nil, "Invalid request: Destination key already exists and replace=false"
		}
		errText = e.transfer(source, destination, false)
	}
	return moved(source, destination), errText
}

// transfer replaces destination by source, and removes source if told to.
func (e *Engine) transfer(source, destination string, remove bool) string {
	from := e.keyspaceOf(source)
	if from == nil {
		return "Key not found: " + source
	}
	if to := e.keyspaceOf(destination); to != nil {
		to.clear(e, destination)
	}
	from.copy(e, source, destination)
	if remove {
		from.clear(e, source)
	}
	return ""
}

func keyRandom(e *Engine, c *call) (value.Value, string) {
	keys := make([]string, 0, len(e.kv.keys))
	for key := range e.kv.keys {
		if stringHolds(e, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return member("key", value.Nil), ""
	}
	slices.Sort(keys)
	return member("key", value.Str(keys[e.rand()%uint64(len(keys))])), ""
}
