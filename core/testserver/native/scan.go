package native

import (
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

var scanCommands = family{
	"HSCAN": {params: []param{key, {kind: unsigned, field: "cursor", complaint: "invalid cursor"}}, run: hashScan},
	"SSCAN": {params: []param{key, {kind: unsigned, field: "cursor", complaint: "invalid cursor"}}, run: setScan},
	"ZSCAN": {params: []param{key, {kind: unsigned, field: "cursor", complaint: "invalid cursor"}}, run: sortedSetScan},
}

// scanOptions are what follows the cursor.
type scanOptions struct {
	match string
	all   bool
	count uint64
}

const scanCount = 10

// scanOptions reads the options; an unknown word is a mistake here.
func (c *call) scanOptions() scanOptions {
	o := scanOptions{all: true, count: scanCount}
	for i := 2; i < len(c.args) && c.wrong == ""; i += 2 {
		word := c.wordAt(i)
		if word != "MATCH" && word != "COUNT" || (c.wire == RESP && i+1 >= len(c.args)) {
			c.complain("syntax error", "syntax error")
			break
		}
		if word == "MATCH" {
			o.match, o.all = c.text(i+1, "pattern"), false
		} else {
			o.count = max(c.unsigned(i+1, notInteger), 1)
		}
	}
	return o
}

// scan answers the part of the sorted items that begins at the cursor, as the
// cursor to go on at and the items that match. The cursor is a place.
func (c *call) scan(o scanOptions, n int, name func(i int) string, items func(places []int) value.Value) Result {
	from, _ := c.field("cursor").AsUint()
	from = min(from, uint64(n))
	to := from + min(o.count, uint64(n)-from)
	var places []int
	for i := from; i < to; i++ {
		if o.all || globMatch(o.match, name(int(i))) {
			places = append(places, int(i))
		}
	}
	if to == uint64(n) {
		to = 0
	}
	next := value.Uint(to)
	return plain(value.Array(c.perWire(next, value.Str(strconv.FormatUint(to, 10))).Value, items(places)))
}

// hashScan relies on the engine's order of fields, which is that of their bytes.
func hashScan(c *call) (Result, string) {
	o := c.scanOptions()
	answer, errText := c.exec("hash.getall")
	if c.wrong != "" || errText != "" {
		return Result{}, errText
	}
	all := mapToBytes(answer.Field("fields"))
	return c.scan(o, all.Len(), func(i int) string {
		name, _ := all.Pair(i)
		s, _ := name.AsBlob()
		return s
	}, func(places []int) value.Value {
		pairs := make([]value.Value, 0, 2*len(places))
		for _, i := range places {
			name, v := all.Pair(i)
			pairs = append(pairs, name, v)
		}
		return value.Map(pairs...)
	}), ""
}
