package engine

import (
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

var bitmapCommands = family{
	{"bitmap.setbit", bitmapSetbit}, {"bitmap.getbit", bitmapGetbit}, {"bitmap.bitcount", bitmapBitcount}, {"bitmap.bitpos", bitmapBitpos},
	{"bitmap.bitop", bitmapBitop}, {"bitmap.bitfield", bitmapBitfield}, {"bitmap.stats", bitmapStats},
}

// bitValue reads the value of a bit, of which only the low byte counts.
func (c *call) bitValue() (bit byte, errText string) {
	n, ok := c.uint("value")
	if !ok {
		return 0, missing("value")
	}
	return byte(n), ""
}

// bitRange reads the optional bounds of a range of bits. What is no bound, like
// a negative number, counts as absent.
func (c *call) bitRange() (start, end uint64) {
	start, _ = c.uint("start")
	end, ok := c.uint("end")
	if !ok {
		end = allBits
	}
	return start, end
}

// keyOffset reads the key and the offset that setbit and getbit begin with.
func (c *call) keyOffset() (key string, offset uint64, errText string) {
	if key, errText = c.str("key"); errText != "" {
		return "", 0, errText
	}
	offset, ok := c.uint("offset")
	if !ok {
		return "", 0, missing("offset")
	}
	return key, offset, ""
}

// bitReply is the reply of setbit and getbit.
func bitReply(key string, offset uint64, name string, bit byte) value.Value {
	return object(value.Str("key"), value.Str(key), value.Str("offset"), value.Uint(offset), value.Str(name), value.Int(int64(bit)))
}

func bitmapSetbit(e *Engine, c *call) (value.Value, string) {
	key, offset, errText := c.keyOffset()
	if errText != "" {
		return value.Nil, errText
	}
	bit, errText := c.bitValue()
	if errText != "" {
		return value.Nil, errText
	}
	old, errText := e.bitmaps.set(key, offset, bit)
	return bitReply(key, offset, "old_value", old), errText
}

func bitmapGetbit(e *Engine, c *call) (value.Value, string) {
	key, offset, errText := c.keyOffset()
	if errText != "" {
		return value.Nil, errText
	}
	bit, errText := e.bitmaps.get(key, offset)
	return bitReply(key, offset, "value", bit), errText
}

func bitmapBitcount(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	start, end := c.bitRange()
	n, errText := e.bitmaps.count(key, start, end)
	return keyed("count", value.Int(n), key), errText
}

func bitmapBitpos(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	bit, errText := c.bitValue()
	if errText != "" {
		return value.Nil, errText
	}
	start, end := c.bitRange()
	at, errText := e.bitmaps.position(key, bit, start, end)
	if at == notInBitmap {
		return keyed("position", value.Nil, key), errText
	}
	return keyed("position", value.Uint(at), key), errText
}

// sourceKeys reads a list of names all of which must be texts.
func (c *call) sourceKeys(field string) ([]string, string) {
	list := c.payload.Field(field)
	if list.Kind() != value.KindArray {
		return nil, "Invalid request: Missing '" + field + "' array"
	}
	keys := make([]string, list.Len())
	for i := range keys {
		key, ok := list.Index(i).AsStr()
		if !ok {
			return nil, "Invalid value: Source keys must be strings"
		}
		keys[i] = key
	}
	return keys, ""
}

func bitmapBitop(e *Engine, c *call) (value.Value, string) {
	destination, errText := c.str("destination")
	if errText != "" {
		return value.Nil, errText
	}
	op, errText := c.str("operation")
	if errText != "" {
		return value.Nil, errText
	}
	sources, errText := c.sourceKeys("source_keys")
	if errText != "" {
		return value.Nil, errText
	}
	name := strings.ToUpper(op)
	switch name {
	case "AND", "OR", "XOR", "NOT":
	default:
		return value.Nil, "Invalid request: Invalid bitmap operation: " + op
	}
	length, errText := e.bitmaps.combine(destination, name, sources)
	return object(value.Str("destination"), value.Str(destination), value.Str("length"), value.Int(int64(length))), errText
}

func bitmapBitfield(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	ops, errText := c.fieldOps()
	if errText != "" {
		return value.Nil, errText
	}
	results, errText := e.bitmaps.fields(key, ops)
	items := make([]value.Value, len(results))
	for i, n := range results {
		items[i] = value.Int(n)
	}
	return keyed("results", value.Array(items...), key), errText
}

func bitmapStats(e *Engine, c *call) (value.Value, string) {
	bitmaps, bits := e.bitmaps.size()
	reply := []value.Value{value.Str("total_bitmaps"), value.Int(bitmaps), value.Str("total_bits"), value.Int(bits)}
	for i, name := range bitmapOpNames {
		reply = append(reply, value.Str(name), value.Int(e.bitmaps.ops[i]))
	}
	return object(reply...), ""
}
