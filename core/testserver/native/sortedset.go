package native

import "github.com/libsynap/libsynap/core/value"

var sortedSetCommands = family{
	"ZADD":   {params: []param{key, {kind: number, field: "score", complaint: "score is not a float"}, member}, name: "sortedset.zadd", reply: part("added")},
	"ZRANGE": {params: []param{key, {kind: integer, field: "start"}, {kind: integer, field: "stop"}}, name: "sortedset.zrange", reply: ranked},
	"ZSCORE": {params: []param{key, member}, name: "sortedset.zscore", reply: part("score")},
	"ZCARD":  {params: []param{key}, name: "sortedset.zcard", reply: part("count")},
	"ZREM":   {params: []param{key, members}, name: "sortedset.zrem", reply: part("removed")},
}

// ranked answers members in their order, with their scores if asked to.
func ranked(c *call, answer value.Value) Result {
	list := answer.Field("members")
	withScores := c.wordAt(3) == "WITHSCORES"
	items := make([]value.Value, 0, 2*list.Len())
	for _, m := range list.Items() {
		items = append(items, asBytes(m.Field("member")))
		if withScores {
			items = append(items, m.Field("score"))
		}
	}
	if withScores {
		return plain(value.Map(items...))
	}
	return plain(value.Array(items...))
}

// poppedMember reads what BZPOPMIN and BZPOPMAX took.
func poppedMember(answer value.Value) []value.Value {
	list := answer.Field("members")
	if list.Len() == 0 {
		return nil
	}
	m := list.Index(0)
	return []value.Value{asBytes(m.Field("member")), m.Field("score")}
}

// sortedSetScan goes by rank.
func sortedSetScan(c *call) (Result, string) {
	o := c.scanOptions()
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	answer, errText := c.exec("sortedset.zrange")
	list := answer.Field("members")
	return c.scan(o, list.Len(), func(i int) string {
		s, _ := list.Index(i).Field("member").AsBlob()
		return s
	}, func(places []int) value.Value {
		pairs := make([]value.Value, 0, 2*len(places))
		for _, i := range places {
			pairs = append(pairs, asBytes(list.Index(i).Field("member")), list.Index(i).Field("score"))
		}
		return value.Map(pairs...)
	}), errText
}
