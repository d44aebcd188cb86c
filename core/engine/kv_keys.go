package engine

import (
	"math"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// kvExpire sets the time to live of what is in the store; like kvPersist it does
// not ask whether that has expired, if the sweep has not come by yet.
func kvExpire(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	ttl, ok := c.uint("ttl")
	if !ok {
		return value.Nil, missing("ttl")
	}
	return e.kvReset(key, e.expiry(ttl), "expire"), ""
}

// kvPersist answers true for any key that is there, with a TTL or without.
func kvPersist(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	return e.kvReset(key, 0, "persist"), ""
}

func (e *Engine) kvReset(key string, expires int64, event string) value.Value {
	it := e.kv.keys[key]
	if it != nil {
		e.kv.due.set(it, expires)
		e.changed(key, event, "", false)
	}
	return member("result", value.Bool(it != nil))
}

// kvTTL answers whole seconds, rounded down: 0 for a key that has expired but is
// not swept yet.
func kvTTL(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	it := e.kv.keys[key]
	if it == nil {
		return value.Nil, "Key not found: " + key
	}
	if it.expires == 0 {
		return member("ttl", value.Nil), ""
	}
	return member("ttl", value.Int(max(it.expires-e.now, 0)/second)), ""
}

func kvScan(e *Engine, c *call) (value.Value, string) {
	prefix, _ := c.payload.Field("prefix").AsStr()
	limit, ok := c.uint("limit")
	if !ok {
		limit = 100
	}
	return e.kvNames(prefix, limit), ""
}

// kvKeys lists all keys: a pattern is ignored (protocol: http-data quirk 7).
func kvKeys(e *Engine, c *call) (value.Value, string) {
	return e.kvNames("", math.MaxUint64), ""
}

// kvNames lists keys, expired ones included until they are swept.
func (e *Engine) kvNames(prefix string, limit uint64) value.Value {
	var keys []string
	for key := range e.kv.keys {
		if uint64(len(keys)) >= limit {
			break
		}
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keysReply(keys)
}

func keysReply(keys []string) value.Value {
	return object(value.Str("keys"), list(keys), value.Str("count"), value.Int(int64(len(keys))))
}

func kvDbsize(e *Engine, c *call) (value.Value, string) {
	return member("size", value.Int(max(e.kv.counted, 0))), ""
}

func kvFlush(e *Engine, c *call) (value.Value, string) {
	n := max(e.kv.counted, 0)
	e.kv.flush()
	clear(e.pubsub.versions)
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
