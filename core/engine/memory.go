package engine

import (
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

var memoryCommands = family{{"memory.usage", memoryUsage}}

// The bytes that each element of a collection counts for beside its text.
const (
	perField      = 32
	perElement    = 16
	perMember     = 24
	perZsetMember = 40
)

// contentBytes is what the content of a name counts for, by the kind of store as
// in keyspaces (protocol: http-data 13).
var contentBytes = map[string]func(e *Engine, key string) int64{
	"string": func(e *Engine, key string) int64 { return int64(len(e.kv.keys[key].val)) },
	"hash": func(e *Engine, key string) (n int64) {
		for _, text := range e.hashes.hashes[key] { // names of fields are not counted
			n += int64(len(text)) + perField
		}
		return n
	},
	"list": func(e *Engine, key string) (n int64) {
		for _, text := range e.lists.lists[key].items() {
			n += int64(len(text)) + perElement
		}
		return n
	},
	"set": func(e *Engine, key string) (n int64) {
		e.sets.each(key, func(text string) { n += int64(len(text)) + perMember })
		return n
	},
	"zset": func(e *Engine, key string) (n int64) {
		for member := range e.zsets.get(key).scores {
			n += int64(len(member)) + perZsetMember
		}
		return n
	},
}

// memoryUsage estimates what a name costs. A route answers 0 for one that is not
// there.
func memoryUsage(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	n := int64(0)
	if ks := e.keyspaceOf(key); ks != nil {
		n = int64(entryOverhead+len(key)) + contentBytes[ks.kind](e, key)
	} else if c.from != Routed {
		return value.Nil, "Key not found: Key '" + key + "' does not exist"
	}
	return object(value.Str("key"), value.Str(key), value.Str("bytes"), value.Int(n), value.Str("human"), value.Str(HumanBytes(n))), ""
}

// HumanBytes writes a size in the largest unit that it fills.
func HumanBytes(n int64) string {
	size, unit := float64(n), 0
	for ; size >= 1024 && unit < 3; unit++ {
		size /= 1024
	}
	digits := 2
	if size-float64(int64(size)) < 0.01 {
		digits = 0
	}
	return strconv.FormatFloat(size, 'f', digits, 64) + [...]string{"B", "KB", "MB", "GB"}[unit]
}
