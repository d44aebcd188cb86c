package command

import (
	"math"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func list(items ...value.Value) value.Value { return value.Array(items...) }

func nested(depth int) value.Value {
	v := value.Array(value.Str("bottom"))
	for range depth - 1 {
		v = value.Array(v)
	}
	return v
}

func TestValidateAccepts(t *testing.T) {
	s, i, b := value.Str, value.Int, value.Bool
	for name, c := range map[string]struct {
		command string
		args    []value.Value
	}{
		"the empty key":                  {"kv.get", []value.Value{s("")}},
		"text and bytes as values":       {"kv.set", []value.Value{s("k"), value.BytesOf("\xff")}},
		"a missing tail":                 {"kv.set", []value.Value{s("k"), s("v")}},
		"nil for absent options":         {"kv.set", []value.Value{s("k"), s("v"), value.Nil, value.Nil, value.Nil, value.Nil}},
		"the smallest TTL":               {"kv.set", []value.Value{s("k"), s("v"), i(1)}},
		"a hundred years":                {"kv.set", []value.Value{s("k"), s("v"), i(maxTTL)}},
		"nx":                             {"kv.set", []value.Value{s("k"), s("v"), value.Nil, b(true)}},
		"nx and xx, one of them false":   {"kv.set", []value.Value{s("k"), s("v"), value.Nil, b(false), b(true)}},
		"keepttl false with a TTL":       {"kv.set", []value.Value{s("k"), s("v"), i(5), value.Nil, value.Nil, b(false)}},
		"null as a JSON value":           {"kv.set_json", []value.Value{s("k"), value.Nil}},
		"null as data":                   {"stream.publish", []value.Value{s("r"), s("e"), value.Nil}},
		"any JSON":                       {"kv.set_json", []value.Value{s("k"), value.Map(s("a"), list(value.Float(1.5), value.Uint(math.MaxUint64), value.ByteArray("\xff"), value.Nil))}},
		"JSON 100 levels deep":           {"kv.set_json", []value.Value{s("k"), nested(100)}},
		"the whole int64 range":          {"kv.incrby", []value.Value{s("k"), i(math.MinInt64)}},
		"no keys":                        {"kv.mget", []value.Value{list()}},
		"no pairs":                       {"kv.mset", []value.Value{list()}},
		"pairs":                          {"kv.mset", []value.Value{list(list(s("k"), s("v")), list(s(""), value.BytesOf("\xff")))}},
		"offset 0":                       {"kv.setrange", []value.Value{s("k"), i(0), s("v")}},
		"negative ranges":                {"kv.getrange", []value.Value{s("k"), i(-3), i(-1)}},
		"an empty payload":               {"queue.publish", []value.Value{s("q"), value.BytesOf("")}},
		"priority 0":                     {"queue.publish", []value.Value{s("q"), value.BytesOf("x"), i(0)}},
		"priority 9 and most retries":    {"queue.publish", []value.Value{s("q"), value.BytesOf("x"), i(9), i(maxU32)}},
		"metadata":                       {"pubsub.publish", []value.Value{s("t"), s("m"), value.Map(s("a"), s("b"))}},
		"overflow block":                 {"pubsub.subscribe", []value.Value{list(s("t")), i(1), s("block")}},
		"a limit of 0":                   {"stream.consume", []value.Value{s("r"), s("s"), i(0), i(0)}},
		"one partition, as the guide":    {"stream.create", []value.Value{s("r"), i(1), i(24)}},
		"the largest prefetch of follow": {"queue.follow", []value.Value{s("q"), s("c"), i(10_000)}},
	} {
		cmd := Lookup(c.command)
		full, err := cmd.Validate(c.args)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(full) != len(cmd.Args) {
			t.Errorf("%s: %d arguments out, not %d", name, len(full), len(cmd.Args))
		}
		for n, v := range c.args {
			if !value.Equal(full[n], v) {
				t.Errorf("%s: argument %d was changed", name, n)
			}
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	s, i, b := value.Str, value.Int, value.Bool
	for name, c := range map[string]struct {
		command string
		args    []value.Value
		message string
	}{
		"too many arguments":         {"kv.get", []value.Value{s("a"), s("b")}, "takes at most 1 arguments, not 2"},
		"no key":                     {"kv.get", nil, "key is required"},
		"nil for a key":              {"kv.get", []value.Value{value.Nil}, "key is required"},
		"no value":                   {"kv.set", []value.Value{s("k")}, "value is required"},
		"nil for a value":            {"kv.set", []value.Value{s("k"), value.Nil}, "value is required"},
		"a JSON value left out":      {"kv.set_json", []value.Value{s("k")}, "value is required"},
		"data left out":              {"stream.publish", []value.Value{s("r"), s("e")}, "data is required"},
		"a number as key":            {"kv.get", []value.Value{i(1)}, "key must be text, not int"},
		"bytes as key":               {"kv.get", []value.Value{value.BytesOf("k")}, "key must be text, not bytes"},
		"a key that is not UTF-8":    {"kv.get", []value.Value{s("\xff")}, "key must be valid UTF-8"},
		"a number as value":          {"kv.set", []value.Value{s("k"), i(5)}, "value must be text or bytes, not int; store other values with set_json"},
		"a map as value":             {"kv.set", []value.Value{s("k"), value.Map()}, "value must be text or bytes, not map"},
		"a boolean as value":         {"kv.set", []value.Value{s("k"), b(true)}, "value must be text or bytes, not bool"},
		"TTL 0":                      {"kv.set", []value.Value{s("k"), s("v"), i(0)}, "ttl must be from 1 to 3153600000"},
		"a negative TTL":             {"kv.expire", []value.Value{s("k"), i(-1)}, "ttl must be from 1"},
		"a TTL beyond sense":         {"kv.expire", []value.Value{s("k"), i(maxTTL + 1)}, "ttl must be from 1"},
		"a TTL with a fraction":      {"kv.set", []value.Value{s("k"), s("v"), value.Float(1.5)}, "ttl must be an integer, not float"},
		"a TTL of 1.0":               {"kv.set", []value.Value{s("k"), s("v"), value.Float(1)}, "ttl must be an integer, not float"},
		"a TTL as text":              {"kv.set", []value.Value{s("k"), s("v"), s("60")}, "ttl must be an integer, not str"},
		"an integer over int64":      {"kv.incrby", []value.Value{s("k"), value.Uint(1 << 63)}, "amount must be within the int64 range"},
		"nx and xx":                  {"kv.set", []value.Value{s("k"), s("v"), value.Nil, b(true), b(true)}, "nx and xx exclude each other"},
		"keepttl and a TTL":          {"kv.set", []value.Value{s("k"), s("v"), i(5), value.Nil, value.Nil, b(true)}, "keepttl and ttl exclude each other"},
		"a flag that is a number":    {"kv.set", []value.Value{s("k"), s("v"), value.Nil, i(1)}, "nx must be a boolean, not int"},
		"a list of numbers":          {"kv.mget", []value.Value{list(s("a"), i(1))}, "keys must hold only texts; element 1 is int"},
		"a packed list":              {"kv.mget", []value.Value{value.ByteArray("ab")}, "keys must hold only texts; element 0 is int"},
		"text for a list":            {"kv.mget", []value.Value{s("a")}, "keys must be a list of texts, not str"},
		"bad UTF-8 in a list":        {"kv.mdel", []value.Value{list(s("a"), s("\xff"))}, "keys element 1 must be valid UTF-8"},
		"no topics":                  {"pubsub.subscribe", []value.Value{list()}, "topics must not be empty"},
		"an empty topic":             {"pubsub.subscribe", []value.Value{list(s(""))}, "topics element 0 must not be empty"},
		"publishing to no topic":     {"pubsub.publish", []value.Value{s(""), s("m")}, "topic must not be empty"},
		"a map for pairs":            {"kv.mset", []value.Value{value.Map(s("k"), s("v"))}, "pairs must be a list of (key, value) pairs, not map"},
		"a pair of three":            {"kv.mset", []value.Value{list(list(s("k"), s("v"), s("w")))}, "element 0 is not one"},
		"a number as a pair's key":   {"kv.mset", []value.Value{list(list(i(1), s("v")))}, "element 0: the key must be text"},
		"a number as a pair's value": {"kv.msetnx", []value.Value{list(list(s("k"), s("v")), list(s("k"), i(1)))}, "element 1: the value must be text or bytes, not int"},
		"nil as a pair's value":      {"kv.mset", []value.Value{list(list(s("k"), value.Nil))}, "element 0: the value must be text or bytes, not nil"},
		"text as a payload":          {"queue.publish", []value.Value{s("q"), s("text")}, "payload must be bytes, not str; encode text first"},
		"priority 10":                {"queue.publish", []value.Value{s("q"), value.BytesOf("x"), i(10)}, "priority must be from 0 to 9"},
		"priority -1":                {"queue.publish", []value.Value{s("q"), value.BytesOf("x"), i(-1)}, "priority must be from 0 to 9"},
		"retries over 2^32":          {"queue.publish", []value.Value{s("q"), value.BytesOf("x"), value.Nil, i(maxU32 + 1)}, "max_retries must be from 0 to 4294967295"},
		"max_depth 0":                {"queue.create", []value.Value{s("q"), i(0)}, "max_depth must be from 1"},
		"an empty message id":        {"queue.ack", []value.Value{s("q"), s("")}, "message_id must not be empty"},
		"bytes inside JSON":          {"kv.set_json", []value.Value{s("k"), list(value.BytesOf("a"))}, "cannot hold bytes"},
		"NaN inside JSON":            {"stream.publish", []value.Value{s("r"), s("e"), value.Map(s("a"), value.Float(math.NaN()))}, "cannot hold NaN"},
		"infinity inside JSON":       {"pubsub.publish", []value.Value{s("t"), value.Float(math.Inf(1))}, "cannot hold NaN or an infinity"},
		"a number as a JSON key":     {"kv.set_json", []value.Value{s("k"), value.Map(i(1), i(2))}, "the keys of its maps must be text"},
		"a bad JSON key":             {"kv.set_json", []value.Value{s("k"), value.Map(s("\xff"), i(2))}, "must be valid UTF-8"},
		"bad text inside JSON":       {"kv.set_json", []value.Value{s("k"), list(s("\xff"))}, "must be valid UTF-8"},
		"JSON 101 levels deep":       {"kv.set_json", []value.Value{s("k"), nested(102)}, "nested deeper than 100"},
		"metadata of numbers":        {"pubsub.publish", []value.Value{s("t"), s("m"), value.Map(s("a"), i(1))}, "metadata must be a map from text to text"},
		"metadata of bad text":       {"pubsub.publish", []value.Value{s("t"), s("m"), value.Map(s("a"), s("\xff"))}, "metadata must be valid UTF-8"},
		"a list for metadata":        {"pubsub.publish", []value.Value{s("t"), s("m"), list()}, "metadata must be a map from text to text, not array"},
		"an unknown overflow":        {"kv.watch", []value.Value{list(s("k")), value.Nil, s("explode")}, "overflow must be drop_oldest or block"},
		"a buffer of 0":              {"kv.watch", []value.Value{list(s("k")), i(0)}, "buffer must be from 1"},
		"two partitions":             {"stream.create", []value.Value{s("r"), i(2)}, "partitions must be from 1 to 1"},
		"a negative offset":          {"stream.consume", []value.Value{s("r"), s("s"), i(-1)}, "from_offset must be from 0"},
	} {
		_, err := Lookup(c.command).Validate(c.args)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if err.Code != errs.InvalidArgument || err.Command != c.command || !strings.Contains(err.Message, c.message) || err.MaybeApplied || err.Retryable {
			t.Errorf("%s: %v, not %q", name, err, c.message)
		}
	}
}

// Inputs that are known to end a 1.3.1 server process, or to hold one of its
// workers for as long as they run (protocol: http-data 14).
func TestGuardRefusesWhatEndsTheServer(t *testing.T) {
	for quirk, c := range map[string]struct {
		name, payload string
		harmless      string
	}{
		"SETRANGE at 2^63 aborts the server":                 {"kv.setrange", `{"key":"k","offset":9223372036854775808,"value":"x"}`, `{"key":"k","offset":536870912,"value":"x"}`},
		"SETRANGE at 2^64-1 aborts the server":               {"kv.setrange", `{"key":"k","offset":18446744073709551615,"value":"x"}`, `{"key":"k","offset":0,"value":"x"}`},
		"SETRANGE far out allocates up to there":             {"kv.setrange", `{"key":"k","offset":536870913,"value":"x"}`, `{"key":"k","offset":-1,"value":"x"}`},
		"SETBIT far out allocates up to there":               {"bitmap.setbit", `{"key":"k","offset":18446744073709551615,"value":1}`, `{"key":"k","offset":100,"value":1}`},
		"BITPOS scans bit by bit up to end":                  {"bitmap.bitpos", `{"key":"k","value":1,"end":1000000000000}`, `{"key":"k","value":1,"end":800}`},
		"BITFIELD far out allocates up to there":             {"bitmap.bitfield", `{"key":"k","operations":[{"operation":"GET","offset":0,"width":8},{"operation":"SET","offset":9223372036854775808,"width":8,"value":1}]}`, `{"key":"k","operations":[{"operation":"SET","offset":536870912,"width":8,"value":1}]}`},
		"BITFIELD GET counts on past 2^64":                   {"bitmap.bitfield", `{"key":"k","operations":[{"operation":"GET","offset":18446744073709551615,"width":8}]}`, `{"key":"k","operations":[5,{"operation":"GET","offset":-1}]}`},
		"ZCOUNT with min over max ends the server":           {"sortedset.zcount", `{"key":"k","min":2,"max":1}`, `{"key":"k","min":1,"max":1}`},
		"ZRANGEBYSCORE with min over max ends the server":    {"sortedset.zrangebyscore", `{"key":"k","min":1.5,"max":1}`, `{"key":"k","max":1}`},
		"ZREMRANGEBYSCORE with min over max ends the server": {"sortedset.zremrangebyscore", `{"key":"k","min":0,"max":-0.5}`, `{"key":"k","min":"5","max":1}`},
		"ZINTERSTORE with too few weights ends the server":   {"sortedset.zinterstore", `{"destination":"d","keys":["a","b"],"weights":[1]}`, `{"destination":"d","keys":["a","b"],"weights":[1,2]}`},
		"ZUNIONSTORE counts only weights that are numbers":   {"sortedset.zunionstore", `{"destination":"d","keys":["a","b"],"weights":[1,"2"]}`, `{"destination":"d","keys":["a","b"]}`},
	} {
		payload, err := value.ParseJSON(c.payload)
		if err != nil {
			t.Fatal(err)
		}
		refused := Guard(c.name, payload)
		if refused == nil {
			t.Errorf("%s: sent", quirk)
		} else if refused.Code != errs.InvalidArgument || refused.Command != c.name {
			t.Errorf("%s: %v", quirk, refused)
		}
		harmless, err := value.ParseJSON(c.harmless)
		if err != nil {
			t.Fatal(err)
		}
		if refused := Guard(c.name, harmless); refused != nil {
			t.Errorf("%s: %s is harmless, and refused: %v", quirk, c.harmless, refused)
		}
	}
	// The typed form is bounded by its entry.
	for _, offset := range []int64{-1, maxOffset + 1, math.MaxInt64, math.MinInt64} {
		if _, err := Lookup("kv.setrange").Validate([]value.Value{value.Str("k"), value.Int(offset), value.Str("v")}); err == nil {
			t.Errorf("setrange at %d is sent", offset)
		}
	}
}

func TestGuardRefusesWhatJSONCannotCarry(t *testing.T) {
	for name, payload := range map[string]value.Value{
		"bytes":       value.Map(value.Str("value"), value.BytesOf("a")),
		"NaN":         value.Map(value.Str("value"), value.Float(math.NaN())),
		"deep":        nested(102),
		"an int key":  value.Map(value.Int(1), value.Nil),
		"bad UTF-8":   value.Map(value.Str("value"), value.Str("\xff")),
		"a bare list": value.Array(value.BytesOf("a")),
	} {
		if err := Guard("anything", payload); err == nil || err.Code != errs.InvalidArgument || !strings.HasPrefix(err.Message, "the payload ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, payload := range map[string]value.Value{"nil": value.Nil, "a list": value.Array(), "text": value.Str("x"), "100 levels": nested(100)} {
		if err := Guard("kv.setrange", payload); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
