package testserver

import (
	"github.com/libsynap/libsynap/core/engine"
)

// The set routes (protocol: http-data 6). None of them needs a permission.
var setRoutes = []route{
	{method: "GET", path: "/set/stats", run: routed("set.stats")},
	{method: "POST", path: "/set/inter", body: setKeysBody, run: setCombine("set.inter")},
	{method: "POST", path: "/set/union", body: setKeysBody, run: setCombine("set.union")},
	{method: "POST", path: "/set/diff", body: setKeysBody, run: setCombine("set.diff")},
	{method: "POST", path: "/set/{key}/add", body: setMembersBody("struct SetAddRequest"), run: setCommand("set.add")},
	{method: "POST", path: "/set/{key}/rem", body: setMembersBody("struct SetRemRequest"), run: setCommand("set.rem")},
	{method: "POST", path: "/set/{key}/ismember", body: setMemberBody("struct SetIsMemberRequest"), run: setCommand("set.ismember")},
	{method: "GET", path: "/set/{key}/members", run: setCommand("set.members")},
	{method: "GET", path: "/set/{key}/card", run: setCard},
	{method: "POST", path: "/set/{key}/pop", run: setCommand("set.pop", "count")},
	{method: "GET", path: "/set/{key}/randmember", run: setCommand("set.randmember", "count")},
	{method: "POST", path: "/set/{source}/move/{destination}", body: setMemberBody("struct SetMoveRequest"), run: setMove},
}

func setMembersBody(name string) *shape {
	return &shape{expect: name, fields: []field{{name: "members", read: list(anyJSON)}}}
}

func setMemberBody(name string) *shape {
	return &shape{expect: name, fields: []field{{name: "member", read: anyJSON}}}
}

// setKeysBody is any JSON: the command judges it as it does a payload.
var setKeysBody = &shape{fields: []field{{name: "body", rule: whole, read: anyJSON}}}

func setCombine(name string) func(*request) {
	return func(r *request) {
		if reply, ok := r.exec(engine.Routed, name, object("keys", r.field("body").Field("keys"))); ok {
			r.json(reply)
		}
	}
}

// setCommand is a command on one set; counts are query parameters that are
// unsigned numbers, anything else is as if it were not there.
func setCommand(name string, counts ...string) func(*request) {
	return func(r *request) {
		payload := r.payload("key")
		for _, count := range counts {
			if n := parseUint(r.query(count)); !n.IsNil() {
				payload = with(payload, count, n)
			}
		}
		if reply, ok := r.exec(engine.Routed, name, payload); ok {
			r.json(with(reply, "key", r.params[0]))
		}
	}
}

func setCard(r *request) {
	if reply, ok := r.exec(engine.Routed, "set.card", r.payload("key")); ok {
		r.json(object("count", reply.Field("size"), "key", r.params[0]))
	}
}

func setMove(r *request) {
	if reply, ok := r.exec(engine.Routed, "set.move", r.payload("source", "destination")); ok {
		r.json(with(reply, "source", r.params[0], "destination", r.params[1]))
	}
}
