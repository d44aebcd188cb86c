package testserver

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// request is one request on its way through a route.
type request struct {
	server *Server
	ctx    *fasthttp.RequestCtx
	route  *route
	who    identity
	params [maxParams]string
	fields [maxFields]value.Value // members of the body, in the order of its shape
	seen   fieldSet
}

var requests = sync.Pool{New: func() any { return new(request) }}

// serve answers one HTTP request: CORS, credentials, route, body, permission,
// handler, compression, in the server's order.
func (s *Server) serve(ctx *fasthttp.RequestCtx) {
	r := requests.Get().(*request)
	r.server, r.ctx = s, ctx
	defer func() {
		// A defect must not end the process that the server was started in.
		if p := recover(); p != nil {
			ctx.Response.Reset()
			r.fail("Internal error: the test server failed")
		}
		*r = request{}
		requests.Put(r)
	}()
	r.answer()
	r.compress()
}

func (r *request) answer() {
	h := &r.ctx.Response.Header
	h.Set("Access-Control-Allow-Origin", "*")
	if r.ctx.IsOptions() {
		h.Set("Access-Control-Allow-Methods", "*")
		h.Set("Access-Control-Allow-Headers", "*")
		return
	}
	path := rawPath(r.ctx)
	var ok bool
	if r.who, ok = r.server.auth.authenticate(path, r.ctx); !ok {
		r.ctx.SetStatusCode(fasthttp.StatusUnauthorized)
		return
	}
	var raw [maxParams][]byte
	node := routes.find(path, &raw)
	if node == nil {
		r.ctx.SetStatusCode(fasthttp.StatusNotFound)
		return
	}
	r.route = node.route(r.ctx.Method())
	if r.route == nil {
		h.Set("Allow", node.allow)
		r.ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
		return
	}
	if !r.readParams(&raw) || !r.readBody() || !r.allowed() {
		return
	}
	r.route.run(r)
}

// rawPath is the path as it was sent: routes match before anything is decoded
// (protocol: http-data 1).
func rawPath(ctx *fasthttp.RequestCtx) []byte {
	uri := ctx.RequestURI()
	if len(uri) == 0 || uri[0] != '/' {
		return ctx.URI().PathOriginal()
	}
	for i, c := range uri {
		if c == '?' {
			return uri[:i]
		}
	}
	return uri
}

// readParams decodes the parameters of the path.
func (r *request) readParams(raw *[maxParams][]byte) bool {
	for i, p := range r.route.params {
		text := percentDecode(raw[i])
		if !utf8.ValidString(text) {
			r.refuse(fasthttp.StatusBadRequest, "Invalid URL: Invalid UTF-8 in `"+p.name+"`")
			return false
		}
		if p.bits != 0 && !isNumber(text, p.kind, p.bits) {
			r.refuse(fasthttp.StatusBadRequest, "Invalid URL: Cannot parse "+r.route.whichParam(i)+"`"+text+"` to a `"+p.kind+"`")
			return false
		}
		r.params[i] = text
	}
	return true
}

// percentDecode decodes what is well-formed and leaves the rest as it is.
func percentDecode(b []byte) string {
	var out []byte
	plain := 0
	for i := 0; i+2 < len(b); i++ {
		if b[i] != '%' {
			continue
		}
		high, low := unhex(b[i+1]), unhex(b[i+2])
		if high < 0 || low < 0 {
			continue
		}
		out = append(append(out, b[plain:i]...), byte(high<<4|low))
		plain = i + 3
		i += 2
	}
	if out == nil {
		return string(b)
	}
	return string(append(out, b[plain:]...))
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// allowed checks what the route needs. The resource comes from the path, or for
// a few routes from the body.
func (r *request) allowed() bool {
	if r.route.action == 0 || r.who.everything {
		return true
	}
	resource := r.route.resource
	if before, name, templated := strings.Cut(strings.TrimSuffix(resource, "}"), "{"); templated {
		resource = before + r.text(name)
	}
	return r.may(resource, r.route.action)
}

// may checks one permission and answers 403 without it.
func (r *request) may(resource string, a action) bool {
	if r.who.may(resource, a) {
		return true
	}
	r.fail("Forbidden: Insufficient permissions for resource: " + resource + ", action: " + a.String())
	return false
}

// text returns a parameter of the path or a text member of the body.
func (r *request) text(name string) string {
	for i, p := range r.route.params {
		if p.name == name {
			return r.params[i]
		}
	}
	s, _ := r.field(name).AsStr()
	return s
}

// field returns a member of the body, nil if it was left out.
func (r *request) field(name string) value.Value {
	return r.fields[r.route.body.index(name)]
}

// query returns a parameter of the query, "" if there is none.
func (r *request) query(name string) string { return string(r.ctx.QueryArgs().Peek(name)) }

// payload builds the payload of a command: the path's parameters under the names
// given, and what the body holds.
func (r *request) payload(params ...string) value.Value {
	items := make([]value.Value, 0, 2*(len(params)+maxFields))
	for i, name := range params {
		v := value.Str(r.params[i])
		if r.route.params[i].bits != 0 {
			v = parseNumber(r.params[i])
		}
		items = append(items, value.Str(name), v)
	}
	if b := r.route.body; b != nil {
		for i := range b.fields {
			if r.seen.has(i) {
				items = append(items, value.Str(b.fields[i].name), r.fields[i])
			}
		}
	}
	return value.Map(items...)
}

// exec runs a command; a failure is answered here.
func (r *request) exec(face engine.Face, command string, payload value.Value) (value.Value, bool) {
	reply, errText := r.server.exec(face, command, "", payload)
	if errText != "" {
		r.fail(errText)
		return value.Nil, false
	}
	return reply, true
}

// command is the handler of a route that is one command: its reply is the body.
func command(name string, params ...string) func(*request) {
	return func(r *request) {
		if reply, ok := r.exec(engine.Raw, name, r.payload(params...)); ok {
			r.json(reply)
		}
	}
}

// routed is command for the families whose values are on REST what they are on
// the envelope.
func routed(name string, params ...string) func(*request) {
	return func(r *request) {
		if reply, ok := r.exec(engine.Routed, name, r.payload(params...)); ok {
			r.json(reply)
		}
	}
}

// routedMember is routed for a route that answers one member of the reply.
func routedMember(name, member string, params ...string) func(*request) {
	return func(r *request) {
		if reply, ok := r.exec(engine.Routed, name, r.payload(params...)); ok {
			r.json(reply.Field(member))
		}
	}
}

// json answers 200 with v.
func (r *request) json(v value.Value) {
	body, err := value.AppendJSON(r.ctx.Response.SwapBody(nil)[:0], v)
	if err != nil {
		r.fail("Internal error: the reply has no JSON form")
		return
	}
	r.ctx.Response.SwapBody(body)
	r.ctx.SetContentType("application/json")
}

// fail answers a command's error with the status of its family (protocol:
// http-messaging 1 "Error families").
func (r *request) fail(text string) {
	status := errs.FromServer(text).Status
	if status == 0 {
		status = fasthttp.StatusInternalServerError
	}
	r.json(value.Map(value.Str("code"), value.Int(int64(status)), value.Str("error"), value.Str(text)))
	r.ctx.SetStatusCode(status)
}

// refuse answers a malformed request with a plain text.
func (r *request) refuse(status int, text string) { refuse(r.ctx, status, text) }

func refuse(ctx *fasthttp.RequestCtx, status int, text string) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(text)
}

// object builds a map: name, value, name, value …
func object(members ...any) value.Value {
	items := make([]value.Value, len(members))
	for i, m := range members {
		switch m := m.(type) {
		case string:
			items[i] = value.Str(m)
		case bool:
			items[i] = value.Bool(m)
		case int:
			items[i] = value.Int(int64(m))
		case value.Value:
			items[i] = m
		}
	}
	return value.Map(items...)
}

// with returns the map v with members added.
func with(v value.Value, members ...any) value.Value {
	added := object(members...)
	items := make([]value.Value, 0, 2*(v.Len()+added.Len()))
	for _, m := range []value.Value{v, added} {
		for i := range m.Len() {
			key, val := m.Pair(i)
			items = append(items, key, val)
		}
	}
	return value.Map(items...)
}
