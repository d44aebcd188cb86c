package testserver

import (
	"strconv"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// The list routes (protocol: http-data 5).
var listRoutes = []route{
	{method: "GET", path: "/list/stats", run: routed("list.stats")},
	{method: "POST", path: "/list/{key}/lpush", body: listPushBody, run: routed("list.lpush", "key")},
	{method: "POST", path: "/list/{key}/rpush", body: listPushBody, run: routed("list.rpush", "key")},
	{method: "POST", path: "/list/{key}/lpushx", body: listPushBody, run: routed("list.lpushx", "key")},
	{method: "POST", path: "/list/{key}/rpushx", body: listPushBody, run: routed("list.rpushx", "key")},
	{method: "POST", path: "/list/{key}/lpop", body: listPopBody, run: routed("list.lpop", "key")},
	{method: "POST", path: "/list/{key}/rpop", body: listPopBody, run: routed("list.rpop", "key")},
	{method: "GET", path: "/list/{key}/range", run: listSpan("list.lrange")},
	{method: "GET", path: "/list/{key}/len", run: routed("list.llen", "key")},
	{method: "GET", path: "/list/{key}/index/{index:i64}", run: routed("list.lindex", "key", "index")},
	{method: "POST", path: "/list/{key}/set", body: &shape{"struct ListSetRequest", []field{{name: "index", read: i64}, {name: "value", read: anyJSON}}},
		run: routed("list.lset", "key")},
	{method: "POST", path: "/list/{key}/trim", run: listSpan("list.ltrim")},
	{method: "POST", path: "/list/{key}/rem", body: &shape{"struct ListRemRequest", []field{{name: "count", read: i64}, {name: "value", read: anyJSON}}},
		run: routed("list.lrem", "key")},
	{method: "POST", path: "/list/{key}/insert", body: &shape{"struct ListInsertRequest", []field{
		{name: "before", read: boolean}, {name: "pivot", read: anyJSON}, {name: "value", read: anyJSON}}}, run: routed("list.linsert", "key")},
	{method: "POST", path: "/list/{source}/rpoplpush/{destination}", run: routed("list.rpoplpush", "source", "destination")},
}

var (
	listPushBody = &shape{"struct ListPushRequest", []field{{name: "values", read: list(anyJSON)}}}
	listPopBody  = &shape{"struct ListPopRequest", []field{{name: "count", rule: optional, read: usize}}}
)

// listSpan is a command on the elements that the query spans. Numbers that do not
// parse count as absent.
func listSpan(name string) func(*request) {
	return func(r *request) {
		payload := r.payload("key")
		for _, bound := range []string{"start", "stop"} {
			if n, err := strconv.ParseInt(r.query(bound), 10, 64); err == nil {
				payload = with(payload, bound, value.Int(n))
			}
		}
		if reply, ok := r.exec(engine.Routed, name, payload); ok {
			r.json(reply)
		}
	}
}
