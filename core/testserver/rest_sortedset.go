package testserver

import (
	"math"
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// The sorted set routes (protocol: http-data 7). Members in bodies are stored as
// JSON text and handed out as byte arrays, those in paths are the text itself
// (quirk 13). None of the routes needs a permission.
var sortedsetRoutes = []route{
	{method: "GET", path: "/sortedset/stats", run: command("sortedset.stats")},
	{method: "POST", path: "/sortedset/zinterstore", body: zsetStoreBody, run: command("sortedset.zinterstore")},
	{method: "POST", path: "/sortedset/zunionstore", body: zsetStoreBody, run: command("sortedset.zunionstore")},
	{method: "POST", path: "/sortedset/zdiffstore", body: &shape{expect: "struct ZDiffStoreRequest", fields: []field{
		{name: "destination", read: str}, {name: "keys", read: list(str)}}}, run: command("sortedset.zdiffstore")},
	{method: "POST", path: "/sortedset/{key}/zadd", body: zaddBody, run: zsetAdd},
	{method: "POST", path: "/sortedset/{key}/zincrby", body: zaddBody, run: zsetIncrby},
	{method: "POST", path: "/sortedset/{key}/zrem", body: zsetMembersBody("struct ZRemRequest"), run: zsetMembers("sortedset.zrem")},
	{method: "POST", path: "/sortedset/{key}/zmscore", body: zsetMembersBody("struct ZMScoreRequest"), run: zsetMembers("sortedset.zmscore")},
	{method: "GET", path: "/sortedset/{key}/{member}/zscore", run: zsetCommand("sortedset.zscore", nil, "key", "member")},
	{method: "GET", path: "/sortedset/{key}/{member}/zrank", run: command("sortedset.zrank", "key", "member")},
	{method: "GET", path: "/sortedset/{key}/{member}/zrevrank", run: command("sortedset.zrevrank", "key", "member")},
	{method: "GET", path: "/sortedset/{key}/zcard", run: command("sortedset.zcard", "key")},
	{method: "GET", path: "/sortedset/{key}/zrange", run: zsetCommand("sortedset.zrange", rankBounds, "key")},
	{method: "GET", path: "/sortedset/{key}/zrevrange", run: zsetCommand("sortedset.zrevrange", rankBounds, "key")},
	{method: "GET", path: "/sortedset/{key}/zcount", run: zsetCommand("sortedset.zcount", scoreBounds, "key")},
	{method: "GET", path: "/sortedset/{key}/zrangebyscore", run: zsetCommand("sortedset.zrangebyscore", scoreBounds, "key")},
	{method: "POST", path: "/sortedset/{key}/zpopmin", run: zsetCommand("sortedset.zpopmin", countBound, "key")},
	{method: "POST", path: "/sortedset/{key}/zpopmax", run: zsetCommand("sortedset.zpopmax", countBound, "key")},
	{method: "POST", path: "/sortedset/{key}/zremrangebyrank", run: zsetCommand("sortedset.zremrangebyrank", rankBounds, "key")},
	{method: "POST", path: "/sortedset/{key}/zremrangebyscore", run: zsetCommand("sortedset.zremrangebyscore", scoreBounds, "key")},
}

var zsetStoreBody = &shape{expect: "struct ZStoreRequest", fields: []field{
	{name: "destination", read: str},
	{name: "keys", read: list(str)},
	{name: "weights", rule: optional, read: list(f64)},
	{name: "aggregate", rule: optional, read: str},
}}

func zsetMembersBody(name string) *shape {
	return &shape{expect: name, fields: []field{{name: "members", read: list(anyJSON)}}}
}

// zaddBody is one member and its score, or a list of each, with flags.
var zaddBody = &shape{fields: []field{{name: "body", rule: whole, read: readZadd}}}

func readZadd(d *decoder) (value.Value, error) {
	v, err := d.p.Value()
	if err == nil && !isZadd(v) {
		err = wrong("data did not match any variant of untagged enum ZAddRequest")
	}
	return v, err
}

var zaddFlags = []string{"nx", "xx", "gt", "lt"}

func isZadd(v value.Value) bool {
	for _, name := range zaddFlags {
		if flag, given := v.Get(name); given && flag.Kind() != value.KindBool {
			return false
		}
	}
	if isOneZadd(v) {
		return true
	}
	members, scores := v.Field("members"), v.Field("scores")
	for _, score := range scores.Items() {
		if _, ok := score.AsFloat(); !ok {
			return false
		}
	}
	return members.Kind() == value.KindArray && scores.Kind() == value.KindArray
}

func isOneZadd(v value.Value) bool {
	_, hasMember := v.Get("member")
	_, hasScore := v.Field("score").AsFloat()
	return hasMember && hasScore
}

func zsetAdd(r *request) {
	body := r.field("body")
	members, scores := body.Field("members").Items(), body.Field("scores").Items()
	if isOneZadd(body) {
		members, scores = []value.Value{body.Field("member")}, []value.Value{body.Field("score")}
	}
	if len(members) != len(scores) {
		r.fail("Invalid request: members and scores arrays must have the same length")
		return
	}
	added := int64(0)
	for i, m := range members {
		payload := object("key", r.params[0], "member", storedMember(m), "score", scores[i])
		for _, name := range zaddFlags {
			payload = with(payload, name, body.Field(name))
		}
		reply, ok := r.exec(engine.Raw, "sortedset.zadd", payload)
		if !ok {
			return
		}
		n, _ := reply.Field("added").AsInt()
		added += n
	}
	r.json(object("added", value.Int(added), "key", r.params[0]))
}

// zsetIncrby takes the body of zadd: the increment is called score.
func zsetIncrby(r *request) {
	body := r.field("body")
	if !isOneZadd(body) {
		r.fail("Invalid request: ZINCRBY only supports single member")
		return
	}
	r.zset("sortedset.zincrby", object("key", r.params[0], "member", storedMember(body.Field("member")), "increment", body.Field("score")))
}

func zsetMembers(name string) func(*request) {
	return func(r *request) {
		members := r.field("members").Items()
		texts := make([]value.Value, len(members))
		for i, m := range members {
			texts[i] = storedMember(m)
		}
		r.zset(name, object("key", r.params[0], "members", value.Array(texts...)))
	}
}

// zsetCommand is a command with what bounds reads from the query, if not nil.
func zsetCommand(name string, bounds func(r *request, payload value.Value) value.Value, params ...string) func(*request) {
	return func(r *request) {
		payload := r.payload(params...)
		if bounds != nil {
			payload = bounds(r, payload)
		}
		r.zset(name, payload)
	}
}

// The bounds of a range. What does not parse is as if it were not there.

func rankBounds(r *request, payload value.Value) value.Value {
	for _, name := range []string{"start", "stop"} {
		if n, err := strconv.ParseInt(r.query(name), 10, 64); err == nil {
			payload = with(payload, name, value.Int(n))
		}
	}
	return payload
}

func scoreBounds(r *request, payload value.Value) value.Value {
	for _, name := range []string{"min", "max"} {
		text := r.query(name)
		// Go reads more than decimal numbers, the server does not.
		if f, err := strconv.ParseFloat(text, 64); (err == nil || math.IsInf(f, 0)) && !strings.ContainsAny(text, "xXpP_") {
			payload = with(payload, name, value.Float(f))
		}
	}
	return payload
}

func countBound(r *request, payload value.Value) value.Value {
	if n := parseUint(r.query("count")); !n.IsNil() {
		payload = with(payload, "count", n)
	}
	return payload
}

// zset runs a command and answers its reply as these routes show it.
func (r *request) zset(name string, payload value.Value) {
	if reply, ok := r.exec(engine.Raw, name, payload); ok {
		r.json(shownZset(reply))
	}
}

// shownZset is a reply with the members of ranges as byte arrays, and null for
// the scores that JSON cannot carry.
func shownZset(v value.Value) value.Value {
	switch v.Kind() {
	case value.KindFloat:
		if f, _ := v.AsFloat(); math.IsInf(f, 0) || math.IsNaN(f) {
			return value.Nil
		}
	case value.KindArray:
		items := make([]value.Value, v.Len())
		for i := range items {
			items[i] = shownZset(v.Index(i))
			if text, ok := v.Index(i).Field("member").AsBlob(); ok {
				items[i] = object("member", value.ByteArray(text), "score", items[i].Field("score"))
			}
		}
		return value.Array(items...)
	case value.KindMap:
		var items []value.Value
		for i := range v.Len() {
			key, val := v.Pair(i)
			items = append(items, key, shownZset(val))
		}
		return value.Map(items...)
	}
	return v
}

// storedMember is the text as which a member in a body is stored.
func storedMember(v value.Value) value.Value {
	b, _ := value.AppendSortedJSON(nil, v)
	return value.Str(string(b))
}
