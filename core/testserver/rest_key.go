package testserver

import "github.com/libsynap/libsynap/core/engine"

// The routes that ask about a name, whatever it holds (protocol: http-data 3, 13).
var keyRoutes = []route{
	{method: "GET", path: "/key/randomkey", run: command("key.randomkey")},
	{method: "GET", path: "/key/{key}/type", run: command("key.type", "key")},
	{method: "GET", path: "/key/{key}/exists", run: command("key.exists", "key")},
	{method: "POST", path: "/key/{source}/rename", body: renameBody, run: command("key.rename", "source")},
	{method: "POST", path: "/key/{source}/renamenx", body: renameBody, run: command("key.renamenx", "source")},
	{method: "POST", path: "/key/{source}/copy", body: &shape{"struct CopyRequest", []field{
		{name: "destination", read: str}, {name: "replace", rule: defaulted, read: boolean}}}, run: keyCopy},
	{method: "GET", path: "/memory/{key}/usage", run: routed("memory.usage", "key")},
}

var renameBody = &shape{"struct RenameRequest", []field{{name: "destination", read: str}}}

// keyCopy answers 200 if the destination is taken, unlike rename.
func keyCopy(r *request) {
	payload := r.payload("source")
	reply, errText := r.server.exec(engine.Routed, "key.copy", "", payload)
	switch errText {
	case "":
		r.json(reply)
	case "Invalid request: Destination key already exists and replace=false":
		r.json(object("success", false, "source", payload.Field("source"), "destination", payload.Field("destination")))
	default:
		r.fail(errText)
	}
}
