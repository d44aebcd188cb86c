package engine

import (
	"math"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// The sorted set commands (protocol: http-data 7). None of them fails on a
// missing key, all of them return scores whether asked to or not.
var zsetCommands = family{
	{"sortedset.zadd", zsetAdd}, {"sortedset.zrem", zsetRem}, {"sortedset.zscore", zsetScore}, {"sortedset.zmscore", zsetMscore},
	{"sortedset.zcard", zsetCard}, {"sortedset.zincrby", zsetIncrby},
	{"sortedset.zrange", zsetRange}, {"sortedset.zrevrange", zsetRevrange}, {"sortedset.zrank", zsetRank}, {"sortedset.zrevrank", zsetRevrank},
	{"sortedset.zcount", zsetCount}, {"sortedset.zrangebyscore", zsetRangebyscore},
	{"sortedset.zpopmin", zsetPopmin}, {"sortedset.zpopmax", zsetPopmax},
	{"sortedset.zremrangebyrank", zsetRemrangebyrank}, {"sortedset.zremrangebyscore", zsetRemrangebyscore},
	{"sortedset.zinterstore", zsetInterstore}, {"sortedset.zunionstore", zsetUnionstore}, {"sortedset.zdiffstore", zsetDiffstore},
	{"sortedset.stats", zsetStats},
}

// memberText reads a member: text, on the raw face bytes too. It is stored as it
// is, never as JSON text.
func (c *call) memberText(v value.Value) (string, bool) {
	if c.face == Raw {
		return v.AsBlob()
	}
	return v.AsStr()
}

// keyMember reads the key and the member that most commands begin with.
func (c *call) keyMember() (key, text, errText string) {
	if key, errText = c.str("key"); errText != "" {
		return "", "", errText
	}
	text, ok := c.memberText(c.payload.Field("member"))
	if !ok {
		return "", "", missing("member")
	}
	return key, text, ""
}

// keyMemberTexts reads the key and a list of members, all of them text.
func (c *call) keyMemberTexts() (key string, members []string, errText string) {
	if key, errText = c.str("key"); errText != "" {
		return "", nil, errText
	}
	v := c.payload.Field("members")
	if v.Kind() != value.KindArray {
		return "", nil, "Invalid request: Missing 'members' array"
	}
	members = make([]string, v.Len())
	for i := range members {
		var ok bool
		if members[i], ok = c.memberText(v.Index(i)); !ok {
			return "", nil, "Invalid request: All 'members' entries must be strings"
		}
	}
	return key, members, ""
}

// score hands out a score. JSON has no infinities: the envelope says null.
func (c *call) score(f float64) value.Value {
	if c.face == Envelope && (math.IsInf(f, 0) || math.IsNaN(f)) {
		return value.Nil
	}
	return value.Float(f)
}

// scoreOf hands out a member's score, null if it is no member.
func (c *call) scoreOf(e *Engine, key, text string) value.Value {
	if f, ok := e.zsets.score(key, text); ok {
		return c.score(f)
	}
	return value.Nil
}

func (c *call) memberValue(text string) value.Value {
	if c.face == Raw {
		return value.TextOrBytes(text)
	}
	return value.Str(strings.ToValidUTF8(text, "\uFFFD"))
}

// ranked hands out members with their scores.
func (c *call) ranked(members []scored) value.Value {
	items := make([]value.Value, len(members))
	for i, m := range members {
		items[i] = object(value.Str("member"), c.memberValue(m.member), value.Str("score"), c.score(m.score))
	}
	return value.Array(items...)
}

func zsetAdd(e *Engine, c *call) (value.Value, string) {
	key, text, errText := c.keyMember()
	if errText != "" {
		return value.Nil, errText
	}
	score, ok := c.payload.Field("score").AsFloat()
	if !ok {
		return value.Nil, missing("score")
	}
	flags := zaddFlags{nx: c.bool("nx"), xx: c.bool("xx"), gt: c.bool("gt"), lt: c.bool("lt"), incr: c.bool("incr")}
	added, changed := e.zsets.add(key, text, score, flags)
	// ch moves the count from one member to the other.
	ch := c.bool("ch")
	return object(
		value.Str("added"), flag(added && !ch),
		value.Str("changed"), flag((added || changed) && ch),
		value.Str("key"), value.Str(key)), ""
}

func zsetRem(e *Engine, c *call) (value.Value, string) {
	key, members, errText := c.keyMemberTexts()
	if errText != "" {
		return value.Nil, errText
	}
	return keyed("removed", value.Int(e.zsets.rem(key, members)), key), ""
}

func zsetScore(e *Engine, c *call) (value.Value, string) {
	key, text, errText := c.keyMember()
	if errText != "" {
		return value.Nil, errText
	}
	return c.ofMember("score", c.scoreOf(e, key, text), key), ""
}

// ofMember builds a reply of one thing about a member.
func (c *call) ofMember(name string, v value.Value, key string) value.Value {
	return object(value.Str(name), v, value.Str("key"), value.Str(key), value.Str("member"), c.payload.Field("member"))
}

func zsetMscore(e *Engine, c *call) (value.Value, string) {
	key, members, errText := c.keyMemberTexts()
	if errText != "" {
		return value.Nil, errText
	}
	scores := make([]value.Value, len(members))
	for i, m := range members {
		scores[i] = c.scoreOf(e, key, m)
	}
	return keyed("scores", value.Array(scores...), key), ""
}

func zsetCard(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	return keyed("count", value.Int(e.zsets.card(key)), key), errText
}

func zsetIncrby(e *Engine, c *call) (value.Value, string) {
	key, text, errText := c.keyMember()
	if errText != "" {
		return value.Nil, errText
	}
	by, ok := c.payload.Field("increment").AsFloat()
	if !ok {
		return value.Nil, missing("increment")
	}
	return keyed("score", c.score(e.zsets.incr(key, text, by)), key), ""
}

func zsetRange(e *Engine, c *call) (value.Value, string)    { return e.zsetSlice(c, false) }
func zsetRevrange(e *Engine, c *call) (value.Value, string) { return e.zsetSlice(c, true) }

func (e *Engine) zsetSlice(c *call, reverse bool) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	start, stop := c.bounds()
	return keyed("members", c.ranked(e.zsets.slice(key, start, stop, reverse)), key), ""
}

func zsetRank(e *Engine, c *call) (value.Value, string)    { return e.zsetPlace(c, false) }
func zsetRevrank(e *Engine, c *call) (value.Value, string) { return e.zsetPlace(c, true) }

func (e *Engine) zsetPlace(c *call, reverse bool) (value.Value, string) {
	key, text, errText := c.keyMember()
	if errText != "" {
		return value.Nil, errText
	}
	rank := value.Nil
	if n, ok := e.zsets.rank(key, text, reverse); ok {
		rank = value.Int(n)
	}
	return c.ofMember("rank", rank, key), ""
}

// keyScores reads the key and a range of scores. A bound that is not a number is
// none, texts such as "(1" included.
func (c *call) keyScores() (key string, low, high float64, errText string) {
	key, errText = c.str("key")
	low, high = math.Inf(-1), math.Inf(1)
	if f, ok := c.payload.Field("min").AsFloat(); ok {
		low = f
	}
	if f, ok := c.payload.Field("max").AsFloat(); ok {
		high = f
	}
	return key, low, high, errText
}

func zsetCount(e *Engine, c *call) (value.Value, string) {
	key, low, high, errText := c.keyScores()
	if errText != "" {
		return value.Nil, errText
	}
	n, errText := e.zsets.count(key, low, high)
	return keyed("count", value.Int(n), key), errText
}

func zsetRangebyscore(e *Engine, c *call) (value.Value, string) {
	key, low, high, errText := c.keyScores()
	if errText != "" {
		return value.Nil, errText
	}
	members, errText := e.zsets.byScore(key, low, high)
	return keyed("members", c.ranked(members), key), errText
}

func zsetPopmin(e *Engine, c *call) (value.Value, string) { return e.zsetPop(c, false) }
func zsetPopmax(e *Engine, c *call) (value.Value, string) { return e.zsetPop(c, true) }

func (e *Engine) zsetPop(c *call, greatest bool) (value.Value, string) {
	key, count, errText := c.keyCount()
	if errText != "" {
		return value.Nil, errText
	}
	members := e.zsets.pop(key, count, greatest)
	return object(
		value.Str("members"), c.ranked(members),
		value.Str("count"), value.Int(int64(len(members))),
		value.Str("key"), value.Str(key)), ""
}

func zsetRemrangebyrank(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	start, stop := c.bounds()
	return keyed("removed", value.Int(e.zsets.remRanks(key, start, stop)), key), ""
}

func zsetRemrangebyscore(e *Engine, c *call) (value.Value, string) {
	key, low, high, errText := c.keyScores()
	if errText != "" {
		return value.Nil, errText
	}
	removed, errText := e.zsets.remScores(key, low, high)
	return keyed("removed", value.Int(removed), key), errText
}

const (
	// What stats reckons for a sorted set and for a member (protocol: commands,
	// sortedset.stats).
	zsetOverhead       = 128
	zsetMemberOverhead = 48
)

func zsetStats(e *Engine, c *call) (value.Value, string) {
	keys, members := len(e.zsets.sets), 0
	for _, z := range e.zsets.sets {
		members += z.order.n
	}
	average := 0.0
	if keys > 0 {
		average = float64(members) / float64(keys)
	}
	return object(
		value.Str("total_keys"), value.Int(int64(keys)),
		value.Str("total_members"), value.Int(int64(members)),
		value.Str("avg_members_per_key"), value.Float(average),
		value.Str("memory_bytes"), value.Int(int64(zsetOverhead*keys+zsetMemberOverhead*members))), ""
}
