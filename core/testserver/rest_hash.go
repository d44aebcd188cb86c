package testserver

import (
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// The hash routes (protocol: http-data 4).
var hashRoutes = []route{
	{method: "GET", path: "/hash/stats", needs: "read hash:*", run: routed("hash.stats")},
	{method: "POST", path: "/hash/{key}/set", body: hashValueBody("struct HashSetRequest"), needs: "write hash:{key}", run: routed("hash.set", "key")},
	{method: "GET", path: "/hash/{key}/{field}", needs: "read hash:{key}", run: hashGet},
	{method: "GET", path: "/hash/{key}/getall", needs: "read hash:{key}", run: routedMember("hash.getall", "fields", "key")},
	{method: "GET", path: "/hash/{key}/keys", needs: "read hash:{key}", run: routedMember("hash.keys", "keys", "key")},
	{method: "GET", path: "/hash/{key}/vals", needs: "read hash:{key}", run: routedMember("hash.vals", "values", "key")},
	{method: "GET", path: "/hash/{key}/len", needs: "read hash:{key}", run: routed("hash.len", "key")},
	{method: "POST", path: "/hash/{key}/mset", body: hashMsetBody, needs: "write hash:{key}", run: hashMset},
	{method: "POST", path: "/hash/{key}/mget", body: hashFieldsBody("struct HashMGetRequest"), needs: "read hash:{key}", run: routedMember("hash.mget", "values", "key")},
	{method: "DELETE", path: "/hash/{key}/del", body: hashFieldsBody("struct HashDelRequest"), needs: "delete hash:{key}", run: hashDel},
	{method: "GET", path: "/hash/{key}/{field}/exists", needs: "read hash:{key}", run: routed("hash.exists", "key", "field")},
	{method: "POST", path: "/hash/{key}/incrby", body: &shape{"struct HashIncrByRequest", []field{{name: "field", read: str}, {name: "increment", read: i64}}},
		needs: "write hash:{key}", run: routed("hash.incrby", "key")},
	{method: "POST", path: "/hash/{key}/incrbyfloat", body: &shape{"struct HashIncrByFloatRequest", []field{{name: "field", read: str}, {name: "increment", read: f64}}},
		needs: "write hash:{key}", run: routed("hash.incrbyfloat", "key")},
	{method: "POST", path: "/hash/{key}/setnx", body: hashValueBody("struct HashSetNXRequest"), needs: "write hash:{key}", run: hashSetnx},
}

func hashValueBody(name string) *shape {
	return &shape{name, []field{{name: "field", read: str}, {name: "value", read: anyJSON}}}
}

func hashFieldsBody(name string) *shape {
	return &shape{name, []field{{name: "fields", read: list(str)}}}
}

// hashGet answers the value itself, which may be null.
func hashGet(r *request) {
	reply, ok := r.exec(engine.Routed, "hash.get", r.payload("key", "field"))
	if !ok {
		return
	}
	if v, found := reply.Get("value"); found {
		reply = v
	}
	r.json(reply)
}

// hashMsetBody is an object with the fields, or a list of objects of which the
// handler judges each.
var hashMsetBody = &shape{fields: []field{{name: "fields", rule: whole, read: func(d *decoder) (value.Value, error) {
	v, err := d.p.Value()
	if err != nil || v.Kind() == value.KindArray {
		return v, err
	}
	if fields := v.Field("fields"); fields.Kind() == value.KindMap {
		return fields, nil
	}
	return v, wrong("data did not match any variant of untagged enum HashMSetRequest")
}}}}

func hashMset(r *request) {
	fields := r.field("fields")
	if fields.Kind() == value.KindArray {
		var pairs []value.Value
		for _, item := range fields.Items() {
			name := item.Field("field")
			v, hasValue := item.Get("value")
			_, isText := name.AsStr()
			switch {
			case item.Kind() != value.KindMap:
				r.fail("Invalid request: Array items must be objects with 'field' and 'value'")
				return
			case !isText:
				r.fail("Invalid request: Missing 'field' in array item")
				return
			case !hasValue:
				r.fail("Invalid request: Missing 'value' in array item")
				return
			}
			pairs = append(pairs, name, v)
		}
		fields = value.Map(pairs...)
	}
	if reply, ok := r.exec(engine.Routed, "hash.mset", object("key", r.params[0], "fields", fields)); ok {
		r.json(with(reply, "key", r.params[0]))
	}
}

func hashDel(r *request) {
	if reply, ok := r.exec(engine.Routed, "hash.del", r.payload("key")); ok {
		r.json(with(reply, "key", r.params[0]))
	}
}

func hashSetnx(r *request) {
	if reply, ok := r.exec(engine.Routed, "hash.setnx", r.payload("key")); ok {
		r.json(with(reply, "key", r.params[0], "field", r.field("field")))
	}
}
