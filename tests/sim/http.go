package sim

import (
	"bytes"
	"math/rand/v2"
	"strings"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/loop"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// web is the HTTP side of a host, and what becomes of its requests.
type web struct {
	a     *actor
	open  map[int32]*exchange
	lanes map[int32]*lane
	stale string // an earlier reply
}

// lane is requests that travel one after the other.
type lane struct {
	waiting []*exchange
	moving  bool
	broken  bool
}

// exchange is one HTTP request.
type exchange struct {
	web     *web
	r       *rand.Rand
	id      int32
	req     loop.Request
	lane    *lane // nil if it stands alone
	aborted bool
	ended   bool // the client has been told
}

// HTTPRequest implements loop.Host.
func (a *actor) HTTPRequest(id int32, r *loop.Request) {
	w := &a.web
	x := &exchange{web: w, r: a.dice("request", id), id: id, req: *r}
	x.req.Body = bytes.Clone(r.Body)
	w.open[id] = x
	if r.Lane == 0 {
		x.start()
		return
	}
	l := w.lanes[r.Lane]
	if l == nil {
		l = &lane{}
		w.lanes[r.Lane] = l
	}
	x.lane = l
	l.waiting = append(l.waiting, x)
	if !l.moving {
		// The others of the lane are still to come.
		l.moving = true
		a.w.after(0, func() { l.next(false) })
	}
}

// HTTPAbort implements loop.Host.
func (a *actor) HTTPAbort(id int32) {
	if x := a.web.open[id]; x != nil {
		x.aborted = true
		delete(a.web.open, id)
	}
}

// next sends the next request of a lane, none if the last one failed. A host need
// not hurry to notice that nobody waits for the rest.
func (l *lane) next(failed bool) {
	l.broken = l.broken || failed
	for len(l.waiting) > 0 {
		x := l.waiting[0]
		l.waiting = l.waiting[1:]
		switch {
		case l.broken:
			x.fail(false, "an earlier request of the lane failed")
		case x.aborted && x.r.IntN(2) == 0:
			x.ended = true
		default:
			x.start()
			return
		}
	}
}

// start sends a request. Everything that will befall it is decided here.
func (x *exchange) start() {
	w, r := x.web.a.w, x.r
	up, down := w.latency(r), w.latency(r)
	if w.strikes(r, stalled) {
		down += between(r, 0, second)
	}
	if w.strikes(r, stalled) {
		up += between(r, 0, second)
	}
	switch {
	case w.strikes(r, refused):
		w.after(up, func() { x.fail(false, "connection refused") })
		return
	case w.strikes(r, silent):
		w.after(int64(x.req.Timeout)+100*ms, func() { x.fail(false, "no connection in time") })
		return
	case w.strikes(r, cutUp):
		w.after(up, func() { x.fail(true, "cut on the way out") })
		return
	case w.strikes(r, proxy) && r.IntN(2) == 0:
		status, body := proxyAnswer(r, false)
		w.after(up+down, func() { x.answer(status, body) })
		return
	}
	fate := x.fate()
	if w.strikes(r, zombie) {
		// The client gives this connection up; the request is still under way.
		gone := between(r, 0, up)
		w.after(gone, func() { x.fail(true, "connection reset") })
		up += between(r, 0, 2*second)
	}
	w.after(up, func() {
		if !w.server.up {
			// A connection that was open before is reset, a new one is refused.
			sent := r.IntN(2) == 0
			w.after(down, func() { x.fail(sent, "the server is gone") })
			return
		}
		life := w.server.life
		lost := r.IntN(2) == 0
		w.server.arrive(func() {
			status, body := w.server.http(&x.req)
			w.after(down, func() {
				if lost && w.server.life != life {
					x.fail(true, "the server died with the reply")
					return
				}
				fate(status, body)
			})
		})
		w.after(down, func() {
			if w.server.life != life {
				x.fail(true, "the server died")
			}
		})
	})
}

// fate decides what becomes of the reply.
func (x *exchange) fate() func(status int, body string) {
	w, r := x.web.a.w, x.r
	cut, mute, other, odd := w.strikes(r, cutDown), w.strikes(r, never), w.strikes(r, proxy), w.strikes(r, garbage)
	kind, at := r.IntN(5), r.Float64()
	status2, body2 := proxyAnswer(r, true)
	return func(status int, body string) {
		switch {
		case cut:
			x.fail(true, "cut within the reply")
		case mute:
			w.logf("%s: no answer to request %d, ever", x.web.a, x.id)
			x.idle()
		case other:
			x.answer(status2, body2)
		case odd && kind == 0:
			x.answer(status, body[:int(at*float64(len(body)))])
		case odd && kind == 1 && x.web.stale != "" && strings.HasSuffix(x.req.URL, envelope.Path):
			// Of another request. A REST route's reply would not show it.
			x.answer(status, x.web.stale)
		case odd && kind == 2:
			x.tooLarge()
		case odd:
			x.answer(status, noise(r))
		default:
			x.web.stale = body
			x.answer(status, body)
		}
	}
}

// proxyAnswer is what something between answers; after says that the server has
// had the request by then.
func proxyAnswer(r *rand.Rand, after bool) (int, string) {
	if !after {
		switch r.IntN(3) {
		case 0:
			return 429, "slow down"
		case 1:
			return 401, ""
		}
	}
	return []int{502, 503, 504, 500, 200}[r.IntN(5)], "<html>Bad Gateway</html>"
}

const noises = "{}[]\":,0123456789abcsuxrequt \x00\xff\r\n*$+-_"

func noise(r *rand.Rand) string {
	b := make([]byte, r.IntN(60))
	for i := range b {
		b[i] = noises[r.IntN(len(noises))]
	}
	return string(b)
}

func (x *exchange) answer(status int, body string) {
	if x.ended {
		return
	}
	a := x.web.a
	if x.aborted && x.r.IntN(2) == 0 { // the abort and the answer may cross
		x.idle()
		return
	}
	x.ended = true
	delete(x.web.open, x.id)
	a.w.logf("%s: answer to request %d: %d %s", a, x.id, status, short(body))
	a.client.HTTPResponse(a.w.now, x.id, status, body)
	a.settle()
	x.next(false)
}

func (x *exchange) tooLarge() {
	if x.ended {
		return
	}
	x.ended = true
	delete(x.web.open, x.id)
	a := x.web.a
	a.w.logf("%s: the answer to request %d is too large", a, x.id)
	a.client.HTTPTooLarge(a.w.now, x.id)
	a.settle()
	x.next(false)
}

func (x *exchange) fail(sent bool, why string) {
	if x.ended {
		return
	}
	x.ended = true
	delete(x.web.open, x.id)
	a := x.web.a
	if x.aborted && x.r.IntN(2) == 0 {
		x.next(true)
		return
	}
	a.w.logf("%s: request %d failed: %s (sent: %v)", a, x.id, why, sent)
	a.client.HTTPFailed(a.w.now, x.id, sent, why)
	a.settle()
	x.next(true)
}

// idle leaves a request without an answer. The host gives it up when its time is
// long over.
func (x *exchange) idle() {
	x.web.a.w.after(int64(x.req.Timeout)+100*ms, func() { x.fail(true, "no answer in time") })
}

func (x *exchange) next(failed bool) {
	if x.lane != nil {
		x.lane.next(failed)
	}
}

// http is the server's side of HTTP: the command envelope, and the one REST route
// that typed calls take here.
func (s *server) http(r *loop.Request) (status int, body string) {
	v, err := value.ParseJSON(string(r.Body))
	if err != nil {
		return 400, err.Error()
	}
	_, path, _ := strings.Cut(r.URL, "://host:15500")
	if key, ok := strings.CutSuffix(path, "/append"); ok {
		key = strings.TrimPrefix(key, "/kv/")
		reply, failed := s.exec(engine.Raw, "kv.append", "", value.Map(str("key"), str(key), str("value"), v.Field("value")))
		if failed != "" {
			return 500, failed
		}
		b, _ := value.AppendJSON(nil, reply)
		return 200, string(b)
	}
	if path != envelope.Path {
		return 404, "no such route"
	}
	id := text(v.Field("request_id"))
	reply, failed := s.exec(engine.Envelope, text(v.Field("command")), id, v.Field("payload"))
	if failed != "" {
		return 200, string(envelope.AppendFailure(nil, id, failed))
	}
	return 200, string(envelope.AppendReply(nil, id, reply))
}
