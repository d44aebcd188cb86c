package testserver

import "github.com/libsynap/libsynap/core/engine"

// The bitmap routes (protocol: http-data 8). They are the only ones that refuse
// a query that does not parse.
var bitmapRoutes = []route{
	{method: "GET", path: "/bitmap/stats", run: routed("bitmap.stats")},
	{method: "POST", path: "/bitmap/{key}/setbit", body: &shape{expect: "struct SetBitRequest", fields: []field{{name: "offset", read: usize}, {name: "value", read: u8}}}, run: bitmapSetbit},
	{method: "GET", path: "/bitmap/{key}/getbit/{offset:u64}", run: routed("bitmap.getbit", "key", "offset")},
	{method: "GET", path: "/bitmap/{key}/bitcount", run: bitmapQuery("bitmap.bitcount", bitRange...)},
	{method: "GET", path: "/bitmap/{key}/bitpos", run: bitmapQuery("bitmap.bitpos", append([]queryNumber{{name: "value", bits: 8, required: true}}, bitRange...)...)},
	{method: "POST", path: "/bitmap/{destination}/bitop", body: &shape{"struct BitOpRequest", []field{{name: "operation", read: str}, {name: "source_keys", read: list(str)}}},
		run: routed("bitmap.bitop", "destination")},
	{method: "POST", path: "/bitmap/{key}/bitfield", body: bitfieldBody, run: routed("bitmap.bitfield", "key")},
}

var bitRange = []queryNumber{{name: "start", bits: 64}, {name: "end", bits: 64}}

// bitfieldBody is the list of operations itself.
var bitfieldBody = &shape{fields: []field{{name: "operations", rule: whole, read: list(nested(&shape{"struct BitFieldOperation", []field{
	{name: "operation", read: str},
	{name: "offset", read: usize},
	{name: "width", read: usize},
	{name: "signed", rule: defaulted, read: boolean},
	{name: "value", rule: optional, read: i64},
	{name: "increment", rule: optional, read: i64},
	{name: "overflow", rule: optional, read: str},
}}))}}}

func bitmapSetbit(r *request) {
	if reply, ok := r.exec(engine.Envelope, "bitmap.setbit", r.payload("key")); ok {
		r.json(object("key", r.params[0], "old_value", reply.Field("old_value")))
	}
}

func bitmapQuery(name string, numbers ...queryNumber) func(*request) {
	return func(r *request) {
		if query, ok := r.queryNumbers(numbers); ok {
			if reply, ok := r.exec(engine.Envelope, name, with(query, "key", r.params[0])); ok {
				r.json(reply)
			}
		}
	}
}
