package sim

import (
	"math/rand/v2"
	"net/url"
	"strings"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/loop"
	"github.com/libsynap/libsynap/core/value"
)

// socket is a WebSocket: the host's end and the server's.
type socket struct {
	a  *actor
	r  *rand.Rand
	id int32

	open   bool // the client has not been told that it is closed, nor closed it
	sub    *engine.Subscriber
	frames int   // sent by the server
	last   int64 // when the newest of them arrives: they keep their order
	broken bool  // nothing more arrives
}

// slowConsumer is how many messages the server keeps for a client.
const slowConsumer = 1024

// stockRefusal is part of what a stock server 1.3.1 answers to every upgrade. Pushes
// then come over SynapRPC.
const stockRefusal = "Missing request extension: Extension of type `axum::extract::connect_info::ConnectInfo<core::net::socket_addr::SocketAddr>` was not found."

// StreamOpen implements loop.Host.
func (a *actor) StreamOpen(id int32, r *loop.Request) {
	w := a.w
	s := &socket{a: a, r: a.dice("WebSocket", id), id: id, open: true}
	a.sockets[id] = s
	up, down := w.latency(s.r), w.latency(s.r)
	path := r.URL
	switch {
	case w.strikes(s.r, refused), w.strikes(s.r, cutUp):
		w.after(up, func() { s.closed(0, "") })
	case w.strikes(s.r, silent):
		w.logf("%s: WebSocket %d is never answered", a, id)
	case w.strikes(s.r, proxy):
		w.after(up+down, func() { s.closed(503, "not now") })
	case w.stock:
		w.after(up+down, func() { s.closed(500, stockRefusal) })
	default:
		w.after(up, func() {
			if !w.server.up {
				w.after(down, func() { s.closed(0, "") })
				return
			}
			w.server.arrive(func() { s.accept(path) })
		})
	}
}

// StreamClose implements loop.Host.
func (a *actor) StreamClose(id int32) {
	if s := a.sockets[id]; s != nil {
		s.open = false
		delete(a.sockets, id)
		a.w.after(a.w.latency(s.r), s.leave)
	}
}

// accept is the server's answer to the upgrade.
func (s *socket) accept(address string) {
	w := s.a.w
	u, err := url.Parse(address)
	if err != nil {
		s.closed(400, err.Error())
		return
	}
	names, prefix := u.Query().Get("topics"), ""
	if strings.HasPrefix(u.Path, "/kv/ws") {
		names, prefix = u.Query().Get("keys"), watchPrefix
	}
	var list []string
	for name := range strings.SplitSeq(names, ",") {
		list = append(list, prefix+name)
	}
	sub, failed := w.server.engine.Subscribe(w.now, list, slowConsumer, engine.Detach, func() {
		w.after(0, s.pump)
	})
	if failed != "" {
		s.send(str("error"), str(failed))
		return
	}
	s.sub = sub
	w.server.conns = append(w.server.conns, s)
	s.send(str("type"), str("connected"), str("subscriber_id"), str(sub.ID()))
	if !s.open { // the client has left meanwhile
		w.after(w.latency(s.r), s.leave)
	}
}

// pump sends what was published.
func (s *socket) pump() {
	if s.sub == nil {
		return
	}
	messages, _ := s.sub.Take(slowConsumer)
	for i := range messages {
		m := &messages[i]
		s.send(str("type"), str("message"), str("message_id"), str(m.ID), str("topic"), str(m.Topic), str("payload"), m.Payload,
			str("metadata"), m.Metadata, str("timestamp"), value.Int(m.Timestamp))
	}
}

// send puts a frame on its way.
func (s *socket) send(members ...value.Value) {
	w := s.a.w
	b, err := value.AppendJSON(nil, value.Map(members...))
	if err != nil {
		return
	}
	frame := string(b)
	wait := w.latency(s.r)
	if w.strikes(s.r, stalled) {
		wait += between(s.r, 0, 2*second)
	}
	s.frames++
	s.last = max(s.last, w.now+wait)
	switch {
	case s.broken:
	case w.strikes(s.r, cutDown), w.strikes(s.r, cutUp):
		s.cut(s.last)
	case w.strikes(s.r, never):
		// The line is dead, and it takes its time until that is noticed.
		s.cut(s.last + between(s.r, 0, 3*second))
	case w.strikes(s.r, garbage):
		frame = noise(s.r)
		fallthrough
	default:
		w.at(s.last, func() { s.receive(frame) })
	}
}

// cut ends the connection before what is sent from now on. The server may find out
// much later than the client.
func (s *socket) cut(when int64) {
	w := s.a.w
	s.broken = true
	w.at(when, func() { s.closed(0, "") })
	lingers := int64(0)
	if w.strikes(s.r, zombie) {
		lingers = between(s.r, 0, 3*second)
	}
	w.at(when+lingers, s.leave)
}

func (s *socket) receive(frame string) {
	if !s.open {
		return
	}
	s.a.w.logf("%s: WebSocket %d: %s", s.a, s.id, short(frame))
	s.a.client.StreamData(s.a.w.now, s.id, frame)
	s.a.settle()
}

// closed tells the client that the WebSocket is gone.
func (s *socket) closed(status int, body string) {
	if !s.open {
		return
	}
	s.open = false
	delete(s.a.sockets, s.id)
	s.a.w.logf("%s: WebSocket %d is gone (%d)", s.a, s.id, status)
	s.a.client.StreamClosed(s.a.w.now, s.id, status, body)
	s.a.settle()
}

// leave ends the server's end.
func (s *socket) leave() {
	if s.sub != nil {
		s.sub.Close()
		s.sub = nil
		s.a.w.server.forget(s)
	}
}

// died implements breaker: the frames that the server had sent still arrive, or
// not.
func (s *socket) died() {
	s.sub = nil
	if s.broken {
		return
	}
	s.broken = true
	s.last = max(s.last, s.a.w.now) + between(s.r, 0, second)
	s.a.w.at(s.last, func() { s.closed(0, "") })
}
