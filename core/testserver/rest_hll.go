package testserver

// The HyperLogLog routes (protocol: http-data 9).
var hllRoutes = []route{
	{method: "GET", path: "/hyperloglog/stats", run: routed("hyperloglog.stats")},
	{method: "POST", path: "/hyperloglog/{key}/pfadd", body: &shape{"struct PfAddRequest", []field{{name: "elements", read: list(str)}, {name: "ttl_secs", rule: optional, read: u64}}},
		run: routed("hyperloglog.pfadd", "key")},
	{method: "GET", path: "/hyperloglog/{key}/pfcount", run: routed("hyperloglog.pfcount", "key")},
	{method: "POST", path: "/hyperloglog/{destination}/pfmerge", body: &shape{"struct PfMergeRequest", []field{{name: "sources", read: list(str)}}}, run: routed("hyperloglog.pfmerge", "destination")},
}
