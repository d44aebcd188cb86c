package testserver

import "github.com/libsynap/libsynap/core/engine"

// The stream routes (protocol: http-messaging 3).
var streamRoutes = []route{
	{method: "POST", path: "/stream/{room}", needs: "configure stream:{room}", run: command("stream.create", "room")},
	{method: "PUT", path: "/stream/{room}", needs: "configure stream:{room}", run: command("stream.get_or_create", "room")},
	{method: "DELETE", path: "/stream/{room}", needs: "delete stream:{room}", run: streamDelete},
	{method: "GET", path: "/stream/list", needs: "read stream:*", run: command("stream.list")},
	{method: "POST", path: "/stream/{room}/publish", body: &shape{"struct StreamPublishRequest", []field{{name: "event", read: str}, {name: "data", read: anyJSON}}},
		needs: "write stream:{room}", run: command("stream.publish", "room")},
	{method: "GET", path: "/stream/{room}/consume/{subscriber_id}", needs: "read stream:{room}", run: streamConsume},
	{method: "GET", path: "/stream/{room}/stats", needs: "read stream:{room}", run: command("stream.stats", "room")},
}

func streamDelete(r *request) {
	if _, ok := r.exec(engine.Raw, "stream.delete", r.payload("room")); ok {
		r.json(object("success", true, "room", r.params[0]))
	}
}

// streamConsume takes numbers that do not parse for absent ones.
func streamConsume(r *request) {
	payload := r.payload("room", "subscriber_id")
	for _, name := range []string{"from_offset", "limit"} {
		if n := parseUint(r.query(name)); !n.IsNil() {
			payload = with(payload, name, n)
		}
	}
	if reply, ok := r.exec(engine.Raw, "stream.consume", payload); ok {
		r.json(reply)
	}
}
