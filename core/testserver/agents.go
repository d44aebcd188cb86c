package testserver

import (
	"net"
	"strings"

	"github.com/valyala/fasthttp"
)

// The doors of the two agent protocols (protocol: auth-and-ops 4 "MCP", "UMICP").
// A Synap client does not go through them: what would be refused at the door is
// refused as the server does, everything else says that it stops here.
var agentRoutes = []route{
	{path: "/mcp", run: mcp},
	{method: "POST", path: "/umicp", run: umicp},
	{method: "GET", path: "/umicp/discover", run: noAgents},
}

var noAgents = failing("Internal error: MCP and UMICP are not part of the test server")

func mcp(r *request) {
	h := &r.ctx.Request.Header
	accept := string(h.Peek("Accept"))
	switch {
	case !isLocalHost(string(h.Host())):
		r.refuse(fasthttp.StatusForbidden, "Forbidden: Host header is not allowed")
	case r.ctx.IsPost() && (!strings.Contains(accept, "application/json") || !strings.Contains(accept, "text/event-stream")):
		r.refuse(fasthttp.StatusNotAcceptable, "Not Acceptable: Client must accept both application/json and text/event-stream")
	case len(h.Peek("Mcp-Session-Id")) > 0:
		r.refuse(fasthttp.StatusNotFound, "Not Found: Session not found")
	case strings.Contains(string(r.ctx.PostBody()), `"initialize"`):
		noAgents(r)
	default:
		r.refuse(fasthttp.StatusBadRequest, "Bad Request: Session ID is required")
	}
}

func isLocalHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

var umicpBody = &shape{"struct Envelope", []field{
	{name: "v", read: str}, {name: "msg_id", read: str}, {name: "ts", read: str},
	{name: "from", read: str}, {name: "to", read: str}, {name: "op", read: str},
}}

func umicp(r *request) {
	d := decoder{}
	d.p.S = string(r.ctx.PostBody())
	_, err := umicpBody.decode(&d, r.fields[:])
	if err == nil {
		noAgents(r)
		return
	}
	text := err.Error()
	if e, ok := err.(*shapeError); ok {
		text = e.text(d.p.S)
	}
	r.json(object("error", "Invalid UMICP envelope: Serialization error: Failed to deserialize envelope: "+text))
	r.ctx.SetStatusCode(fasthttp.StatusBadRequest)
	r.ctx.SetContentType("text/plain; charset=utf-8")
}
