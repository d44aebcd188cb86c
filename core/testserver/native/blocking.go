package native

import (
	"math"
	"time"

	"github.com/libsynap/libsynap/core/value"
)

var blockingCommands = family{
	"BLPOP":      {run: func(c *call) (Result, string) { return c.blockingPop("list.lpop", poppedValue) }},
	"BRPOP":      {run: func(c *call) (Result, string) { return c.blockingPop("list.rpop", poppedValue) }},
	"BZPOPMIN":   {run: func(c *call) (Result, string) { return c.blockingPop("sortedset.zpopmin", poppedMember) }},
	"BZPOPMAX":   {run: func(c *call) (Result, string) { return c.blockingPop("sortedset.zpopmax", poppedMember) }},
	"BRPOPLPUSH": {params: []param{source, destination, {kind: counted}}, run: blockingMove},
}

var (
	source      = param{kind: text, field: "source"}
	destination = param{kind: text, field: "destination"}
)

// blockingPop pops from the first of several keys that has something. popped reads
// the engine's answer.
func (c *call) blockingPop(name string, popped func(answer value.Value) []value.Value) (Result, string) {
	last := len(c.args) - 1
	if last < 1 {
		c.complain("wrong number of arguments for blocking pop", c.arity())
		return Result{}, c.wrong
	}
	keys := make([]string, last)
	for i := range keys {
		keys[i] = c.text(i, "key")
	}
	timeout := c.timeout(last, c.arity())
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	return c.takeOrWait(timeout, func(exec exec) (Result, bool) {
		for _, k := range keys {
			answer, errText := exec(name, object(value.Str("key"), value.Str(k), value.Str("count"), value.Int(1)))
			if found := popped(answer); errText == "" && found != nil {
				return plain(value.Array(append([]value.Value{value.Str(k)}, found...)...)), true
			}
		}
		return Result{}, false
	})
}

func poppedValue(answer value.Value) []value.Value {
	if list := answer.Field("values"); list.Len() > 0 {
		return []value.Value{asBytes(list.Index(0))}
	}
	return nil
}

func blockingMove(c *call) (Result, string) {
	timeout := c.timeout(2, "timeout is not a float or out of range")
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	payload := object(value.Str("source"), c.field("source"), value.Str("destination"), c.field("destination"))
	return c.takeOrWait(timeout, func(exec exec) (Result, bool) {
		answer, errText := exec("list.rpoplpush", payload)
		return plain(asBytes(answer.Field("value"))), errText == ""
	})
}

// timeout reads argument i: whole seconds, zero for ever. RESP3 takes a fraction
// and cuts it, so that less than a second does not wait at all.
func (c *call) timeout(i int, complaint string) time.Duration {
	if c.wire == RPC {
		n := c.int(i, "")
		if n < 0 {
			c.complain("timeout is negative", "")
		}
		return seconds(n)
	}
	s, _ := c.textAt(i)
	f, ok := parseFloat(s)
	switch {
	case !ok || math.IsNaN(f) || f < 0:
		c.complain("", complaint)
	case f > 0 && f < 1:
		return -1
	case f >= math.MaxInt64:
		return seconds(math.MaxInt64)
	}
	return seconds(int64(f))
}
