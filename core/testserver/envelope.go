package testserver

import (
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
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
	var err error
	if errText == "" {
		body = append(body, `{"success":true,"request_id":`...)
		body, _ = value.AppendJSONStr(body, id)
		body = append(body, `,"payload":`...)
		if body, err = value.AppendJSON(body, reply); err != nil {
			errText, body = "Internal error: the reply has no JSON form", body[:0]
		} else {
			body = append(body, `,"error":null}`...)
		}
	}
	if errText != "" {
		body = append(body, `{"success":false,"request_id":`...)
		body, _ = value.AppendJSONStr(body, id)
		body = append(body, `,"payload":null,"error":`...)
		body, _ = value.AppendJSONStr(body, errText)
		body = append(body, '}')
	}
	r.ctx.Response.SwapBody(body)
	r.ctx.SetContentType("application/json")
}
