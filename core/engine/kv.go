package engine

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// kvCommands are the commands of the string store (protocol: http-data 2).
var kvCommands = family{
	{"kv.set", kvSet}, {"kv.get", kvGet}, {"kv.del", kvDel}, {"kv.exists", kvExists},
	{"kv.incr", kvIncr}, {"kv.decr", kvDecr}, {"kv.mset", kvMset}, {"kv.mget", kvMget}, {"kv.mdel", kvMdel}, {"kv.msetnx", kvMsetnx},
	{"kv.append", kvAppend}, {"kv.getrange", kvGetrange}, {"kv.setrange", kvSetrange}, {"kv.strlen", kvStrlen}, {"kv.getset", kvGetset},
	{"kv.expire", kvExpire}, {"kv.ttl", kvTTL}, {"kv.persist", kvPersist},
	{"kv.scan", kvScan}, {"kv.keys", kvKeys}, {"kv.dbsize", kvDbsize}, {"kv.flushdb", kvFlush}, {"kv.flushall", kvFlush}, {"kv.stats", kvStats},
}

var (
	replyWritten   = object(strSuccess, value.Bool(true), value.Str("written"), value.Bool(true))
	replyUnwritten = object(strSuccess, value.Bool(true), value.Str("written"), value.Bool(false))
)

// keyValue reads the two fields of the commands that write one key.
func (c *call) keyValue() (key string, v value.Value, errText string) {
	if key, errText = c.str("key"); errText != "" {
		return "", value.Nil, errText
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return "", value.Nil, missing("value")
	}
	return key, v, ""
}

func kvSet(e *Engine, c *call) (value.Value, string) {
	key, v, errText := c.keyValue()
	if errText != "" {
		return value.Nil, errText
	}
	en := entry{val: rawText(v)}
	if ttl, ok := c.uint("ttl"); ok {
		en.expires = e.expiry(ttl)
	}
	if c.face == Raw {
		return e.kvSetRaw(c, key, en)
	}
	e.kvWrite(key, en)
	return replyDone, ""
}

// kvSetRaw is the set of the REST route, with its conditions. The envelope
// ignores them.
func (e *Engine) kvSetRaw(c *call, key string, en entry) (value.Value, string) {
	if x := c.payload.Field("expiry"); !x.IsNil() {
		kind, _ := x.Field("type").AsStr()
		n, _ := x.Field("value").AsUint()
		en.expires = e.expiryOf(kind, n)
	}
	old, exists := e.kvLive(key)
	if c.bool("keepttl") {
		en.expires = old.expires
	}
	reply := replyWritten
	if exists && c.bool("nx") || !exists && c.bool("xx") {
		reply = replyUnwritten
	} else {
		e.kvWrite(key, en)
	}
	if exists && c.bool("get") {
		old := value.TextOrBytes(old.val)
		reply = object(strSuccess, value.Bool(true), value.Str("written"), reply.Field("written"), value.Str("old_value"), old)
	}
	return reply, ""
}

func kvGet(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	s, ok := e.kvRead(key)
	if !ok {
		return value.Nil, ""
	}
	if t, _ := c.payload.Field("type").AsStr(); t == "bytes" {
		if c.face == Raw {
			return value.BytesOf(s), ""
		}
		return value.ByteArray(s), ""
	}
	return c.stored(s), ""
}

func kvDel(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	deleted := e.kvDelete(key)
	if deleted {
		e.kv.dels++
	}
	return member("deleted", value.Bool(deleted)), ""
}

func kvExists(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	_, ok := e.kvLive(key)
	return member("exists", value.Bool(ok)), ""
}

func kvIncr(e *Engine, c *call) (value.Value, string) { return e.kvAdd(c, false) }
func kvDecr(e *Engine, c *call) (value.Value, string) { return e.kvAdd(c, true) }

func (e *Engine) kvAdd(c *call, negate bool) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	amount, ok := c.int("amount")
	if !ok {
		amount = 1 // anything that is no i64 means 1 (protocol: http-data, Counters)
	}
	n, errText := e.kvAddTo(key, amount, negate)
	if errText != "" {
		return value.Nil, errText
	}
	return member("value", value.Int(n)), ""
}

// kvAddTo adds to the integer that a key holds, or subtracts. Watchers are told
// which of the two it comes to.
func (e *Engine) kvAddTo(key string, amount int64, negate bool) (int64, string) {
	en, exists := e.kvLive(key)
	old := int64(0)
	if exists {
		var err error
		if old, err = strconv.ParseInt(strings.TrimSpace(en.val), 10, 64); err != nil {
			return 0, "Invalid value: Value is not a valid integer"
		}
	}
	n, up := old+amount, amount > 0
	if negate {
		n, up = old-amount, amount < 0
	}
	if amount != 0 && (n > old) != up {
		return 0, "Invalid value: Integer overflow on INCR/DECR"
	}
	en.val = strconv.FormatInt(n, 10)
	e.kv.sets++
	e.kv.put(key, en, false)
	event := "incrby"
	if n < old {
		event = "decrby"
	}
	e.changed(key, event, en.val, true)
	return n, ""
}

// kvMset checks all pairs before it writes any. It tells no watcher (protocol:
// websocket, /kv/ws quirks).
func kvMset(e *Engine, c *call) (value.Value, string) {
	list, ok := c.payload.Get("pairs")
	if !ok {
		return value.Nil, missing("pairs")
	}
	if list.Kind() != value.KindArray {
		return value.Nil, "Invalid request: 'pairs' must be an array"
	}
	for i := 0; i < list.Len(); i++ {
		p := list.Index(i)
		if _, ok := p.Field("key").AsStr(); !ok {
			return value.Nil, "Invalid request: Each pair must have 'key'"
		}
		if _, ok := p.Get("value"); !ok {
			return value.Nil, "Invalid request: Each pair must have 'value'"
		}
	}
	e.kvPutPairs(c, list, true)
	return replyDone, ""
}

func (e *Engine) kvPutPairs(c *call, list value.Value, counts bool) {
	for i := 0; i < list.Len(); i++ {
		key, _ := list.Index(i).Field("key").AsStr()
		e.kv.sets++
		e.kv.put(key, entry{val: c.quoted(list.Index(i).Field("value"))}, counts)
	}
}

func kvMget(e *Engine, c *call) (value.Value, string) {
	keys, errText := c.stringsField("keys")
	if errText != "" {
		return value.Nil, errText
	}
	values := make([]value.Value, len(keys))
	for i, key := range keys {
		it := e.kv.keys[key]
		if it != nil && e.kvExpired(it) {
			e.kv.remove(it)
			it = nil
		}
		e.kvMeasured(it != nil)
		switch {
		case it == nil:
		case c.face == Raw:
			values[i] = value.TextOrBytes(it.val)
		default: // null where it is no JSON
			if v, err := value.ParseJSON(it.val); err == nil {
				values[i] = v
			}
		}
	}
	return member("values", value.Array(values...)), ""
}

func kvMdel(e *Engine, c *call) (value.Value, string) {
	keys, errText := c.stringsField("keys")
	if errText != "" {
		return value.Nil, errText
	}
	n := int64(0)
	for _, key := range keys {
		if e.kvDelete(key) {
			n++
		}
	}
	e.kv.dels += n
	return member("deleted", value.Int(n)), ""
}

// kvMsetnx writes all pairs or none. Like kvMset it tells no watcher.
func kvMsetnx(e *Engine, c *call) (value.Value, string) {
	list := c.payload.Field("pairs")
	if list.Kind() != value.KindArray {
		return value.Nil, "Invalid request: Missing 'pairs' array"
	}
	free := true
	for i := 0; i < list.Len(); i++ {
		p := list.Index(i)
		if p.Kind() != value.KindMap {
			return value.Nil, "Invalid request: Pair must be an object"
		}
		key, ok := p.Field("key").AsStr()
		if !ok {
			return value.Nil, "Invalid request: Missing 'key' in pair"
		}
		if _, ok := p.Get("value"); !ok {
			return value.Nil, "Invalid request: Missing 'value' in pair"
		}
		if _, taken := e.kvLive(key); taken {
			free = false
		}
	}
	if free {
		e.kvPutPairs(c, list, false)
	}
	return object(strSuccess, value.Bool(free)), ""
}
