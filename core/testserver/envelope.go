package testserver

import (
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// The command envelope (protocol: http-messaging 1). It needs no permission.
var envelopeRoutes = []route{
	{method: "POST", path: "/api/v1/command", body: envelopeBody, run: runEnvelope},
}

var envelopeBody = &shape{"struct Request", []field{
	{name: "command", read: str}, {name: "request_id", read: str}, {name: "payload", read: anyJSON},
}}

// runEnvelope runs one command. A command that fails is a reply like any other:
// status 200.
func runEnvelope(r *request) {
	name, _ := r.fields[0].AsStr()
	id, _ := r.fields[1].AsStr()
	reply, errText := r.server.exec(engine.Envelope, name, id, r.fields[2])
	body := r.ctx.Response.SwapBody(nil)[:0]
	if errText == "" {
		body = envelope.AppendReply(body, id, reply)
	} else {
		body = envelope.AppendFailure(body, id, errText)
	}
	r.ctx.Response.SwapBody(body)
	r.ctx.SetContentType("application/json")
}
