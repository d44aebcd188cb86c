package engine

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

// kvStore is the string store.
type kvStore struct {
	keys map[string]entry
	// due orders expiry times, so that a sweep touches only what has expired. A
	// key that got another time meanwhile leaves a stale record behind.
	due dueHeap
	// counted is the key counter of dbsize and stats. Some writers do not raise
	// it, yet every deletion lowers it (protocol: http-data quirk 8).
	counted                        int64
	memory                         int64
	gets, sets, dels, hits, misses int64
}

type entry struct {
	val string
	// expires is when the key is gone, Unix nanoseconds; 0 is never.
	expires int64
}

// maxValue bounds what setrange may grow a value to: the server allocates
// whatever is asked and dies of it (protocol: http-data 14).
const maxValue = 512 << 20

// entryOverhead is what a key costs beside its text and value (protocol:
// http-data 13, memory.usage).
const entryOverhead = 64

var kvCommands = map[string]handler{
	"kv.set": kvSet, "kv.get": kvGet, "kv.del": kvDel, "kv.exists": kvExists,
	"kv.incr": kvIncr, "kv.decr": kvDecr, "kv.mset": kvMset, "kv.mget": kvMget, "kv.mdel": kvMdel,
	"kv.append": kvAppend, "kv.getrange": kvGetrange, "kv.setrange": kvSetrange, "kv.strlen": kvStrlen,
	"kv.getset": kvGetset, "kv.msetnx": kvMsetnx, "kv.expire": kvExpire, "kv.ttl": kvTTL, "kv.persist": kvPersist,
	"kv.scan": kvScan, "kv.keys": kvKeys, "kv.dbsize": kvDbsize, "kv.flushdb": kvFlush, "kv.flushall": kvFlush, "kv.stats": kvStats,
}

func (s *kvStore) init() { s.keys = map[string]entry{} }

// sweep removes what has expired by the tick.
func (s *kvStore) sweep(tick int64) {
	for len(s.due) > 0 && s.due[0].at <= tick {
		d := s.due.pop()
		if en, ok := s.keys[d.key]; ok && en.expires == d.at {
			s.remove(d.key, en)
		}
	}
}

// live returns an entry that has not expired.
func (e *Engine) kvLive(key string) (entry, bool) {
	en, ok := e.kv.keys[key]
	if ok && en.expires != 0 && en.expires <= e.now {
		return entry{}, false
	}
	return en, ok
}

// put stores an entry; counts says whether a new key raises the counter.
func (s *kvStore) put(key string, en entry, counts bool) {
	old, existed := s.keys[key]
	if existed {
		s.memory += int64(len(en.val) - len(old.val))
	} else {
		s.memory += int64(entryOverhead + len(key) + len(en.val))
		if counts {
			s.counted++
		}
	}
	s.keys[key] = en
	if en.expires != 0 && en.expires != old.expires {
		s.due.push(due{en.expires, key})
	}
}

func (s *kvStore) remove(key string, en entry) {
	delete(s.keys, key)
	s.memory -= int64(entryOverhead + len(key) + len(en.val))
	s.counted = max(s.counted-1, 0)
}

// kvDelete deletes a key and reports whether it was there.
func (e *Engine) kvDelete(key string) bool {
	_, live := e.kvLive(key)
	if en, ok := e.kv.keys[key]; ok {
		e.kv.remove(key, en)
	}
	if live {
		e.changed(key, "del", "", false)
	}
	return live
}

// expiry turns a TTL in seconds into a time; huge ones never come.
func (e *Engine) expiry(seconds uint64) int64 {
	if seconds > uint64((math.MaxInt64-e.now)/second) {
		return math.MaxInt64
	}
	if seconds == 0 {
		return max(e.now, 1)
	}
	return e.now + int64(seconds)*second
}

func kvSet(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	en := entry{val: rawText(v)}
	if ttl, ok := c.uint("ttl"); ok {
		en.expires = e.expiry(ttl)
	}
	if c.face == Raw {
		return e.kvSetRaw(c, key, en)
	}
	e.kv.sets++
	e.kv.put(key, en, true)
	e.changed(key, "set", en.val, true)
	return replyDone, ""
}

// kvSetRaw is the set of the REST route, with its conditions (protocol: http-data
// 2). The envelope ignores them.
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
	written := !(exists && c.bool("nx")) && !(!exists && c.bool("xx"))
	reply := []value.Value{strSuccess, value.Bool(true), value.Str("written"), value.Bool(written)}
	if exists && c.bool("get") {
		reply = append(reply, value.Str("old_value"), value.TextOrBytes(old.val))
	}
	if written {
		e.kv.sets++
		e.kv.put(key, en, true)
		e.changed(key, "set", en.val, true)
	}
	return object(reply...), ""
}

func (e *Engine) expiryOf(kind string, n uint64) int64 {
	scaled := func(unit int64) int64 {
		if n > uint64(math.MaxInt64/unit) {
			return math.MaxInt64
		}
		return int64(n) * unit
	}
	switch kind {
	case "milliseconds":
		if t := scaled(1e6); t < math.MaxInt64-e.now {
			return e.now + t
		}
		return math.MaxInt64
	case "unix_seconds":
		return max(scaled(second), 1)
	case "unix_milliseconds":
		return max(scaled(1e6), 1)
	}
	return e.expiry(n)
}

// kvRead looks a key up and counts the read.
func (e *Engine) kvRead(key string) (string, bool) {
	en, ok := e.kvLive(key)
	e.kv.gets++
	if ok {
		e.kv.hits++
	} else {
		e.kv.misses++
	}
	return en.val, ok
}

// stored is how a reader hands out what is stored.
func (c *call) stored(s string) value.Value {
	if utf8.ValidString(s) {
		return value.Str(s)
	}
	if c.face == Raw {
		return value.BytesOf(s)
	}
	return value.Str("<binary data: " + strconv.Itoa(len(s)) + " bytes>")
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
	_, ok := e.kvLive(key)
	return member("exists", value.Bool(ok)), errText
}

func kvIncr(e *Engine, c *call) (value.Value, string) { return e.kvAdd(c, "incrby", false) }
func kvDecr(e *Engine, c *call) (value.Value, string) { return e.kvAdd(c, "decrby", true) }

func (e *Engine) kvAdd(c *call, event string, negate bool) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	amount, ok := c.int("amount")
	if !ok {
		amount = 1 // anything that is no i64 means 1 (protocol: http-data, Counters)
	}
	n, errText := e.kvAddTo(key, event, amount, negate)
	return member("value", value.Int(n)), errText
}

// kvAddTo adds to the integer that a key holds.
func (e *Engine) kvAddTo(key, event string, amount int64, negate bool) (int64, string) {
	en, exists := e.kvLive(key)
	old := int64(0)
	if exists {
		var err error
		if old, err = strconv.ParseInt(strings.TrimSpace(en.val), 10, 64); err != nil {
			return 0, "Invalid value: Value is not a valid integer"
		}
	}
	n := old + amount
	overflow := (n > old) != (amount > 0)
	if negate {
		n = old - amount
		overflow = (n < old) != (amount > 0)
	}
	if overflow && amount != 0 {
		return 0, "Invalid value: Integer overflow on INCR/DECR"
	}
	en.val = strconv.FormatInt(n, 10)
	e.kv.put(key, en, false)
	e.changed(key, event, en.val, true)
	return n, ""
}

// pairs reads mset's list; all are checked before any is written.
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
	for i := 0; i < list.Len(); i++ {
		key, _ := list.Index(i).Field("key").AsStr()
		e.kv.sets++
		e.kv.put(key, entry{val: c.quoted(list.Index(i).Field("value"))}, true)
	}
	return replyDone, ""
}

func kvMget(e *Engine, c *call) (value.Value, string) {
	keys, errText := c.stringsField("keys")
	if errText != "" {
		return value.Nil, errText
	}
	values := make([]value.Value, len(keys))
	for i, key := range keys {
		s, ok := e.kvRead(key)
		switch {
		case !ok:
		case c.face == Raw:
			values[i] = value.TextOrBytes(s)
		default:
			values[i], _ = value.ParseJSON(s) // null where it is no JSON
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

func kvAppend(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	en, _ := e.kvLive(key)
	en.val += c.quoted(v)
	e.kv.put(key, en, false)
	e.changed(key, "append", en.val, true)
	return member("length", value.Int(int64(len(en.val)))), ""
}

func kvGetrange(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	start, ok := c.int("start")
	if !ok {
		return value.Nil, missing("start")
	}
	end, ok := c.int("end")
	if !ok {
		return value.Nil, missing("end")
	}
	s, ok := e.kvRead(key)
	if part := byteRange(s, start, end); ok && part != "" {
		return c.stored(part), ""
	}
	return value.Nil, ""
}

// byteRange cuts a range as GETRANGE counts it (protocol: http-data, Ranges).
func byteRange(s string, start, end int64) string {
	n := int64(len(s))
	if start < 0 {
		start = max(n+start, 0)
	} else {
		start = min(start, n)
	}
	if end < 0 {
		end = max(n+end+1, 0)
	} else {
		end = min(end, n-1) + 1
	}
	if start >= end {
		return ""
	}
	return s[start:end]
}

func kvSetrange(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	offset, ok := c.uint("offset")
	if !ok {
		return value.Nil, missing("offset")
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	text := c.quoted(v)
	if offset > maxValue || int(offset)+len(text) > maxValue {
		return value.Nil, "Invalid value: offset is out of range"
	}
	en, _ := e.kvLive(key)
	b := []byte(en.val)
	if need := int(offset) + len(text); len(b) < need {
		b = append(b, make([]byte, need-len(b))...)
	}
	copy(b[offset:], text)
	en.val = string(b)
	e.kv.put(key, en, false)
	e.changed(key, "setrange", en.val, true)
	return member("length", value.Int(int64(len(en.val)))), ""
}

func kvStrlen(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	en, _ := e.kvLive(key)
	return member("length", value.Int(int64(len(en.val)))), errText
}

func kvGetset(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	old, exists := e.kvLive(key)
	en := entry{val: c.quoted(v)}
	e.kv.put(key, en, true)
	e.changed(key, "set", en.val, true)
	if !exists {
		return value.Nil, ""
	}
	return c.stored(old.val), ""
}

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
	for i := 0; free && i < list.Len(); i++ {
		key, _ := list.Index(i).Field("key").AsStr()
		e.kv.put(key, entry{val: c.quoted(list.Index(i).Field("value"))}, false)
	}
	return object(strSuccess, value.Bool(free)), ""
}

func kvExpire(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	ttl, ok := c.uint("ttl")
	if !ok {
		return value.Nil, missing("ttl")
	}
	en, exists := e.kvLive(key)
	if exists {
		en.expires = e.expiry(ttl)
		e.kv.put(key, en, false)
		e.changed(key, "expire", "", false)
	}
	return member("result", value.Bool(exists)), ""
}

// kvTTL answers 0 for a key that has expired but is not swept yet.
func kvTTL(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	en, ok := e.kv.keys[key]
	if !ok {
		return value.Nil, "Key not found: " + key
	}
	if en.expires == 0 {
		return member("ttl", value.Nil), ""
	}
	return member("ttl", value.Int(max(en.expires-e.now, 0)/second)), ""
}

func kvPersist(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	en, exists := e.kvLive(key)
	if exists {
		en.expires = 0
		e.kv.put(key, en, false)
		e.changed(key, "persist", "", false)
	}
	return member("result", value.Bool(exists)), ""
}

func kvScan(e *Engine, c *call) (value.Value, string) {
	prefix, _ := c.payload.Field("prefix").AsStr()
	limit, ok := c.uint("limit")
	if !ok {
		limit = 100
	}
	return keysReply(e.kvNames(prefix, limit)), ""
}

func kvKeys(e *Engine, c *call) (value.Value, string) {
	return keysReply(e.kvNames("", math.MaxUint64)), ""
}

func keysReply(keys []string) value.Value {
	return object(value.Str("keys"), list(keys), value.Str("count"), value.Int(int64(len(keys))))
}

// kvNames lists keys, expired ones included until they are swept.
func (e *Engine) kvNames(prefix string, limit uint64) []string {
	var keys []string
	for key := range e.kv.keys {
		if uint64(len(keys)) >= limit {
			break
		}
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys
}

func kvDbsize(e *Engine, c *call) (value.Value, string) {
	return member("size", value.Int(e.kv.counted)), ""
}

func kvFlush(e *Engine, c *call) (value.Value, string) {
	n := e.kv.counted
	e.kv.keys, e.kv.due, e.kv.counted, e.kv.memory = map[string]entry{}, nil, 0, 0
	e.pubsub.forgetVersions()
	return member("flushed", value.Int(n)), ""
}

func kvStats(e *Engine, c *call) (value.Value, string) {
	s := &e.kv
	rate := 0.0
	if s.hits+s.misses > 0 {
		rate = float64(s.hits) / float64(s.hits+s.misses)
	}
	return object(
		value.Str("total_keys"), value.Int(s.counted),
		value.Str("total_memory_bytes"), value.Int(s.memory),
		value.Str("operations"), object(
			value.Str("gets"), value.Int(s.gets), value.Str("sets"), value.Int(s.sets), value.Str("dels"), value.Int(s.dels),
			value.Str("hits"), value.Int(s.hits), value.Str("misses"), value.Int(s.misses)),
		value.Str("hit_rate"), value.Float(rate)), ""
}
