package engine

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

// kvStore is the string store.
type kvStore struct {
	keys map[string]*item
	due  dueHeap
	// counted is the key counter of dbsize and stats. Some writers do not raise
	// it, yet every deletion lowers it, below zero if need be (protocol:
	// http-data quirk 8).
	counted                        int64
	memory                         int64
	gets, sets, dels, hits, misses int64
}

// entry is what a key holds.
type entry struct {
	val string
	// expires is when the key is gone, Unix nanoseconds; 0 is never.
	expires int64
}

// item is a key in the store.
type item struct {
	entry
	key   string
	place int // in the heap of what expires
}

const (
	// maxValue bounds what setrange may grow a value to: the server allocates
	// whatever is asked and dies of it (protocol: http-data 14).
	maxValue = 512 << 20
	// entryOverhead is what a key costs beside its text and value (protocol:
	// http-data 13, memory.usage).
	entryOverhead = 64
)

func (s *kvStore) init() { s.keys = map[string]*item{} }

// sweep removes what has expired by the tick. Nobody is told (protocol:
// websocket, /kv/ws quirks).
func (s *kvStore) sweep(tick int64) {
	for len(s.due) > 0 && s.due[0].expires <= tick {
		s.remove(s.due[0])
	}
}

// put stores an entry; counts says whether a new key raises the counter.
func (s *kvStore) put(key string, en entry, counts bool) {
	it := s.keys[key]
	if it == nil {
		it = &item{key: key}
		s.keys[key] = it
		s.memory += int64(entryOverhead + len(key))
		if counts {
			s.counted++
		}
	}
	s.memory += int64(len(en.val) - len(it.val))
	it.val = en.val
	if en.expires != it.expires {
		s.due.set(it, en.expires)
	}
}

func (s *kvStore) remove(it *item) {
	s.due.set(it, 0)
	delete(s.keys, it.key)
	s.memory -= int64(entryOverhead + len(it.key) + len(it.val))
	s.counted--
}

func (s *kvStore) flush() {
	s.keys, s.due, s.counted, s.memory = map[string]*item{}, nil, 0, 0
}

func (e *Engine) kvExpired(it *item) bool { return it.expires != 0 && it.expires <= e.now }

// kvLive returns what a key holds unless it has expired.
func (e *Engine) kvLive(key string) (entry, bool) {
	it := e.kv.keys[key]
	if it == nil || e.kvExpired(it) {
		return entry{}, false
	}
	return it.entry, true
}

// kvRead looks a key up and counts the read. A read that meets an expired key
// before the sweep removes it and tells its watchers, which the sweep does not
// (protocol: websocket, /kv/ws quirks).
func (e *Engine) kvRead(key string) (string, bool) {
	it := e.kv.keys[key]
	e.kv.gets++
	if it == nil {
		e.kv.misses++
		return "", false
	}
	if e.kvExpired(it) {
		e.kv.misses++
		e.kv.remove(it)
		e.changed(key, "expired", "", false)
		return "", false
	}
	e.kv.hits++
	return it.val, true
}

// kvMeasured counts a read that has already been made.
func (e *Engine) kvMeasured(hit bool) {
	e.kv.gets++
	if hit {
		e.kv.hits++
	} else {
		e.kv.misses++
	}
}

// kvDelete deletes a key and reports whether it was there, expired or not.
func (e *Engine) kvDelete(key string) bool {
	it := e.kv.keys[key]
	if it == nil {
		return false
	}
	e.kv.remove(it)
	e.changed(key, "del", "", false)
	return true
}

// expiry turns a TTL in seconds into a time; huge ones never come.
func (e *Engine) expiry(seconds uint64) int64 {
	if seconds > uint64((math.MaxInt64-e.now)/second) {
		return math.MaxInt64
	}
	return max(e.now+int64(seconds)*second, 1)
}

// expiryOf reads the expiry of the REST route: a kind and a number.
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
			return max(e.now+t, 1)
		}
		return math.MaxInt64
	case "unix_seconds":
		return max(scaled(second), 1)
	case "unix_milliseconds":
		return max(scaled(1e6), 1)
	}
	return e.expiry(n)
}

// stored is how a reader hands out what is stored (protocol: http-data, "How a
// JSON value becomes bytes, and back").
func (c *call) stored(s string) value.Value {
	if utf8.ValidString(s) {
		return value.Str(s)
	}
	if c.face == Raw {
		return value.BytesOf(s)
	}
	return value.Str("<binary data: " + strconv.Itoa(len(s)) + " bytes>")
}
