package engine

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// What redis.call knows of sets and sorted sets (protocol: http-data 11). A
// missing set is an empty one here.

func redisSadd(e *Engine, a *redisArgs) (value.Value, string) {
	return value.Int(e.sets.add(a.text(0), a.list(1, a.bytes))), ""
}

func redisSrem(e *Engine, a *redisArgs) (value.Value, string) {
	n, _ := e.sets.rem(a.text(0), a.list(1, a.bytes))
	return value.Int(n), ""
}

func redisSismember(e *Engine, a *redisArgs) (value.Value, string) {
	has, _ := e.sets.has(a.text(0), a.bytes(1))
	return flag(has), ""
}

func redisScard(e *Engine, a *redisArgs) (value.Value, string) {
	n, _ := e.sets.card(a.text(0))
	return value.Int(n), ""
}

// float returns argument i as a number.
func (a *redisArgs) float(i int) (float64, string) {
	f, ok := parseFloat(a.text(i))
	if !ok {
		return 0, a.name + " expects floating point arguments (got " + a.text(i) + ")"
	}
	return f, ""
}

// floats returns two arguments from i on, a range of scores.
func (a *redisArgs) floats(i int) (low, high float64, errText string) {
	if low, errText = a.float(i); errText != "" {
		return 0, 0, errText
	}
	high, errText = a.float(i + 1)
	return low, high, errText
}

// ints returns two arguments from i on, a range of ranks.
func (a *redisArgs) ints(i int) (start, stop int64, errText string) {
	if start, errText = a.int(i, 0); errText != "" {
		return 0, 0, errText
	}
	stop, errText = a.int(i+1, -1)
	return start, stop, errText
}

// count returns argument i as a number of elements, 1 where there is none.
func (a *redisArgs) count(i int) (uint64, string) {
	n, errText := a.int(i, 1)
	if errText == "" && n < 0 {
		errText = a.name + " expects non-negative integer, got " + strconv.FormatInt(n, 10)
	}
	return uint64(n), errText
}

// scoreText is a score as scripts see it.
func scoreText(f float64, ok bool) value.Value {
	if !ok {
		return value.Nil
	}
	return value.Str(plainFloat(f))
}

// rankedTexts lists members, each with its score behind it if asked for.
func rankedTexts(members []scored, withScores bool) []string {
	var out []string
	for _, m := range members {
		out = append(out, m.member)
		if withScores {
			out = append(out, plainFloat(m.score))
		}
	}
	return out
}

// withScores reports whether argument i asks for the scores.
func (a *redisArgs) withScores(i int) bool {
	return i < len(a.args) && strings.EqualFold(a.text(i), "withscores")
}

// redisZadd reads all scores before it adds anything.
func redisZadd(e *Engine, a *redisArgs) (value.Value, string) {
	if len(a.args)%2 == 0 {
		return value.Nil, "ZADD requires score/member pairs"
	}
	scores := make([]float64, 0, len(a.args)/2)
	for i := 1; i < len(a.args); i += 2 {
		f, errText := a.float(i)
		if errText != "" {
			return value.Nil, errText
		}
		scores = append(scores, f)
	}
	n := int64(0)
	for i, f := range scores {
		if added, _ := e.zsets.add(a.text(0), a.bytes(2*i+2), f, zaddFlags{}); added {
			n++
		}
	}
	return value.Int(n), ""
}

func redisZrem(e *Engine, a *redisArgs) (value.Value, string) {
	return value.Int(e.zsets.rem(a.text(0), a.list(1, a.bytes))), ""
}

func redisZscore(e *Engine, a *redisArgs) (value.Value, string) {
	return scoreText(e.zsets.score(a.text(0), a.bytes(1))), ""
}

func redisZmscore(e *Engine, a *redisArgs) (value.Value, string) {
	var scores []value.Value
	for _, m := range a.list(1, a.bytes) {
		scores = append(scores, scoreText(e.zsets.score(a.text(0), m)))
	}
	return value.Array(scores...), ""
}

func redisZcard(e *Engine, a *redisArgs) (value.Value, string) {
	return value.Int(e.zsets.card(a.text(0))), ""
}

func redisZincrby(e *Engine, a *redisArgs) (value.Value, string) {
	by, errText := a.float(1)
	if errText != "" {
		return value.Nil, errText
	}
	return scoreText(e.zsets.incr(a.text(0), a.bytes(2), by), true), ""
}

func redisZcount(e *Engine, a *redisArgs) (value.Value, string) {
	low, high, errText := a.floats(1)
	if errText != "" {
		return value.Nil, errText
	}
	n, errText := e.zsets.count(a.text(0), low, high)
	return value.Int(n), errText
}

func redisZrank(e *Engine, a *redisArgs) (value.Value, string)    { return e.redisRank(a, false) }
func redisZrevrank(e *Engine, a *redisArgs) (value.Value, string) { return e.redisRank(a, true) }

func (e *Engine) redisRank(a *redisArgs, reverse bool) (value.Value, string) {
	if n, ok := e.zsets.rank(a.text(0), a.bytes(1), reverse); ok {
		return value.Int(n), ""
	}
	return value.Nil, ""
}

func redisZrange(e *Engine, a *redisArgs) (value.Value, string)    { return e.redisRange(a, false) }
func redisZrevrange(e *Engine, a *redisArgs) (value.Value, string) { return e.redisRange(a, true) }

func (e *Engine) redisRange(a *redisArgs, reverse bool) (value.Value, string) {
	start, stop, errText := a.ints(1)
	if errText != "" {
		return value.Nil, errText
	}
	return taken(rankedTexts(e.zsets.slice(a.text(0), start, stop, reverse), a.withScores(3))), ""
}

func redisZrangebyscore(e *Engine, a *redisArgs) (value.Value, string) {
	low, high, errText := a.floats(1)
	if errText != "" {
		return value.Nil, errText
	}
	members, errText := e.zsets.byScore(a.text(0), low, high)
	return taken(rankedTexts(members, a.withScores(3))), errText
}

func redisZpopmin(e *Engine, a *redisArgs) (value.Value, string) { return e.redisZpop(a, false) }
func redisZpopmax(e *Engine, a *redisArgs) (value.Value, string) { return e.redisZpop(a, true) }

// redisZpop answers nothing taken with an empty table, unlike the other pops.
func (e *Engine) redisZpop(a *redisArgs, greatest bool) (value.Value, string) {
	n, errText := a.count(1)
	if errText != "" {
		return value.Nil, errText
	}
	members := e.zsets.pop(a.text(0), n, greatest)
	if len(members) == 0 {
		return value.Array(), ""
	}
	return taken(rankedTexts(members, true)), ""
}

func redisZremrangebyrank(e *Engine, a *redisArgs) (value.Value, string) {
	start, stop, errText := a.ints(1)
	if errText != "" {
		return value.Nil, errText
	}
	return value.Int(e.zsets.remRanks(a.text(0), start, stop)), ""
}

func redisZremrangebyscore(e *Engine, a *redisArgs) (value.Value, string) {
	low, high, errText := a.floats(1)
	if errText != "" {
		return value.Nil, errText
	}
	n, errText := e.zsets.remScores(a.text(0), low, high)
	return value.Int(n), errText
}
