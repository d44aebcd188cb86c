package testserver

import (
	"strconv"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// The kv routes (protocol: http-data 2). Values go in and come out as they are
// stored, unlike on the envelope, except in msetnx.
var kvRoutes = []route{
	{method: "POST", path: "/kv/set", body: kvSetBody, needs: "write kv:{key}", run: kvSet},
	{method: "GET", path: "/kv/get/{key}", needs: "read kv:{key}", run: kvGet},
	{method: "DELETE", path: "/kv/del/{key}", needs: "delete kv:{key}", run: kvDel},
	{method: "GET", path: "/kv/stats", needs: "read kv:*", run: command("kv.stats")},
	{method: "POST", path: "/kv/msetnx", body: kvMSetNXBody, run: kvMSetNX},
	{method: "POST", path: "/kv/{key}/append", body: &shape{"struct AppendRequest", []field{{name: "value", read: anyJSON}}},
		needs: "write kv:{key}", run: command("kv.append", "key")},
	{method: "GET", path: "/kv/{key}/getrange", needs: "read kv:{key}", run: kvGetRange},
	{method: "POST", path: "/kv/{key}/setrange", body: &shape{"struct SetRangeRequest", []field{{name: "offset", read: usize}, {name: "value", read: anyJSON}}},
		needs: "write kv:{key}", run: command("kv.setrange", "key")},
	{method: "GET", path: "/kv/{key}/strlen", needs: "read kv:{key}", run: command("kv.strlen", "key")},
	{method: "POST", path: "/kv/{key}/getset", body: &shape{"struct GetSetRequest", []field{{name: "value", read: anyJSON}}},
		needs: "write kv:{key}", run: kvGetSet},
}

var kvSetBody = &shape{"struct SetRequest", []field{
	{name: "key", read: str},
	{name: "value", read: anyJSON},
	{name: "ttl", rule: optional, read: u64},
	{name: "expiry", rule: optional, read: nested(&shape{"adjacently tagged enum Expiry", []field{
		{name: "type", read: variant("seconds", "milliseconds", "unix_seconds", "unix_milliseconds")},
		{name: "value", read: u64},
	}})},
	{name: "nx", rule: defaulted, read: boolean},
	{name: "xx", rule: defaulted, read: boolean},
	{name: "keepttl", rule: defaulted, read: boolean},
	{name: "get", rule: defaulted, read: boolean},
}}

func kvSet(r *request) {
	reply, ok := r.exec(engine.Raw, "kv.set", r.payload())
	if !ok {
		return
	}
	answer := object("success", true, "key", r.field("key"), "written", reply.Field("written"))
	if old, had := oldValue(reply.Field("old_value")); had {
		answer = with(answer, "old_value", old)
	}
	r.json(answer)
}

// oldValue is the value that was replaced: what the stored text spells, the text
// itself if it spells nothing; what is not text is left out.
func oldValue(stored value.Value) (value.Value, bool) {
	text, ok := stored.AsStr()
	if !ok {
		return value.Nil, false
	}
	if v, err := value.ParseJSON(text); err == nil {
		return v, true
	}
	return stored, true
}

func kvGet(r *request) {
	kind := "string"
	if r.query("type") == "bytes" {
		kind = "bytes"
	}
	v, ok := r.exec(engine.Raw, "kv.get", object("key", r.params[0], "type", kind))
	switch {
	case !ok:
	case v.IsNil():
		r.json(object("error", "Key not found"))
	case kind == "bytes":
		b, _ := v.AsBlob()
		r.json(value.ByteArray(b))
	default:
		r.json(shownText(v))
	}
}

// shownText is how HTTP shows a stored value: a text, or that it is none.
func shownText(v value.Value) value.Value {
	if v.Kind() != value.KindBytes {
		return v
	}
	return value.Str("<binary data: " + strconv.Itoa(v.Len()) + " bytes>")
}

func kvDel(r *request) {
	if reply, ok := r.exec(engine.Raw, "kv.del", r.payload("key")); ok {
		r.json(with(reply, "key", r.params[0]))
	}
}

func kvGetRange(r *request) {
	bounds := [2]value.Value{}
	for i, name := range []string{"start", "end"} {
		n, err := strconv.ParseInt(r.query(name), 10, 64)
		if err != nil {
			r.fail("Invalid request: " + name + " parameter required")
			return
		}
		bounds[i] = value.Int(n)
	}
	v, ok := r.exec(engine.Raw, "kv.getrange", object("key", r.params[0], "start", bounds[0], "end", bounds[1]))
	switch {
	case !ok:
	case v.Len() == 0:
		r.json(object("error", "Key not found or range empty"))
	default:
		r.json(shownText(v))
	}
}

func kvGetSet(r *request) {
	if old, ok := r.exec(engine.Raw, "kv.getset", r.payload("key")); ok {
		r.json(shownText(old))
	}
}

var kvMSetNXBody = &shape{"struct MSetNxRequest", []field{{name: "pairs", read: list(kvPair)}}}

// kvPair reads [key, value] or {"key", "value"}.
func kvPair(d *decoder) (value.Value, error) {
	v, err := d.p.Value()
	if err != nil {
		return v, err
	}
	key, val := v.Field("key"), v.Field("value")
	_, complete := v.Get("value")
	if v.Kind() == value.KindArray {
		key, val, complete = v.Index(0), v.Index(1), v.Len() == 2
	}
	if _, isText := key.AsStr(); !isText || !complete {
		return v, wrong("data did not match any variant of untagged enum MSetNxPair")
	}
	return object("key", key, "value", val), nil
}

// kvMSetNX stores JSON text, quotes included, as the envelope does (protocol:
// http-data 1, table of writers).
func kvMSetNX(r *request) {
	for _, pair := range r.field("pairs").Items() {
		key, _ := pair.Field("key").AsStr()
		if !r.may("kv:"+key, actionWrite) {
			return
		}
	}
	if reply, ok := r.exec(engine.Routed, "kv.msetnx", r.payload()); ok {
		r.json(reply)
	}
}
