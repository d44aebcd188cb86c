package native

import (
	"slices"

	"github.com/libsynap/libsynap/core/value"
)

var setCommands = family{
	"SADD":      {params: []param{key, members}, name: "set.add", reply: part("added")},
	"SREM":      {params: []param{key, members}, name: "set.rem", reply: part("removed")},
	"SMEMBERS":  {params: []param{key}, name: "set.members", reply: listOf("members")},
	"SISMEMBER": {params: []param{key, member}, name: "set.ismember", reply: part("is_member")},
	"SCARD":     {params: []param{key}, name: "set.size", reply: part("size")},
}

var members = param{kind: blobs, field: "members"}

// setScan has nothing to scan where SMEMBERS fails.
func setScan(c *call) (Result, string) {
	o := c.scanOptions()
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	answer, _ := c.exec("set.members")
	list := answer.Field("members")
	all := make([]string, list.Len())
	for i := range all {
		all[i], _ = list.Index(i).AsBlob()
	}
	slices.Sort(all)
	return c.scan(o, len(all), func(i int) string { return all[i] }, func(places []int) value.Value {
		items := make([]value.Value, len(places))
		for i, place := range places {
			items[i] = value.BytesOf(all[place])
		}
		return value.Array(items...)
	}), ""
}
