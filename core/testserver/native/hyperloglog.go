package native

import "github.com/libsynap/libsynap/core/value"

var hyperLogLogCommands = family{
	"PFADD":    {params: []param{key, {kind: blobs, field: "elements"}}, name: "hyperloglog.pfadd", reply: hllAdded},
	"PFCOUNT":  {params: []param{key}, name: "hyperloglog.pfcount", reply: part("count")},
	"PFMERGE":  {params: []param{destination, {kind: names, field: "sources"}}, name: "hyperloglog.pfmerge", reply: hllMerged},
	"HLLSTATS": {wires: RPC, name: "hyperloglog.stats", reply: report("total_hlls", "pfadd_count", "pfcount_count", "pfmerge_count", "total_cardinality")},
}

func hllAdded(_ *call, answer value.Value) Result {
	n, _ := answer.Field("added").AsInt()
	return plain(value.Bool(n > 0))
}

func hllMerged(c *call, answer value.Value) Result {
	if c.wire == RESP {
		return replyOK
	}
	return plain(answer.Field("count"))
}
