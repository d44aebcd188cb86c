package native

import "github.com/libsynap/libsynap/core/value"

var bitCommands = family{
	"SETBIT":   {params: []param{key, {kind: bounded, field: "offset", complaint: badBit}, {kind: integer, field: "value", complaint: "bit is not an integer or out of range"}}, run: setBit},
	"GETBIT":   {params: []param{key, {kind: unsigned, field: "offset", complaint: badBit}}, name: "bitmap.getbit", reply: part("value")},
	"BITCOUNT": {params: []param{key}, run: bitCount},
}

const badBit = "bit offset is not an integer or out of range"

// setBit looks at the lowest bit of the value only.
func setBit(c *call) (Result, string) {
	bit, _ := c.field("value").AsInt()
	c.set("value", value.Int(bit&1))
	answer, errText := c.exec("bitmap.setbit")
	return plain(answer.Field("old_value")), errText
}

// bitCount takes a range only if it has both ends; a negative one is no bound. The
// range counts bits, as on HTTP, although the documents say bytes.
func bitCount(c *call) (Result, string) {
	if len(c.args) > 2 {
		start, end := c.int(1, ""), c.int(2, "")
		if start >= 0 {
			c.set("start", value.Int(start))
		}
		if end >= 0 {
			c.set("end", value.Int(end))
		}
	}
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	answer, errText := c.exec("bitmap.bitcount")
	return plain(answer.Field("count")), errText
}
