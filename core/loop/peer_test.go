package loop

import (
	"slices"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/testserver/native"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/resp3"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// peer is the server's end of a socket, as far as a test lets it act. It keeps the
// requests until the test has them answered.
type peer struct {
	w      *world
	id     int32
	dial   Dial
	writes int
	in     []byte
	asked  []question
	scan   *resp3.Scanner // RESP3
	subs   []*engine.Subscriber
	woken  bool
}

type question struct {
	id   uint32
	name string
	args []value.Value
}

func (w *world) HasSockets() bool { return w.tcp }

func (w *world) SocketOpen(id int32, d *Dial) {
	p := &peer{w: w, id: id, dial: *d}
	if w.c.cfg.RESP3() {
		p.scan = &resp3.Scanner{}
	}
	w.peers = append(w.peers, p)
	w.dialled++
}

func (w *world) SocketClose(id int32) { w.forgetPeer(id) }

func (w *world) forgetPeer(id int32) {
	w.peers = slices.DeleteFunc(w.peers, func(p *peer) bool { return p.id == id })
}

func (w *world) SocketWrite(id int32, b []byte) {
	i := slices.IndexFunc(w.peers, func(p *peer) bool { return p.id == id })
	if i < 0 {
		w.t.Fatalf("socket %d is written to but closed", id)
	}
	p := w.peers[i]
	p.writes++
	p.in = append(p.in, b...)
	for p.read() {
	}
}

// read takes one request in.
func (p *peer) read() bool {
	if p.scan != nil {
		n, err := p.scan.ScanRequest(p.in)
		if err != nil {
			p.w.t.Fatal(err)
		}
		if n == 0 {
			return false
		}
		r, err := resp3.ParseRequest(string(p.in[:n]))
		if err != nil {
			p.w.t.Fatal(err)
		}
		p.in = p.in[n:]
		name, _ := r.Args[0].AsBlob()
		p.asked = append(p.asked, question{0, name, r.Args[1:]})
		return true
	}
	n, err := synaprpc.Size(p.in, synaprpc.MaxBody)
	if err != nil {
		p.w.t.Fatal(err)
	}
	if n == 0 || n > len(p.in) {
		return false
	}
	r, err := synaprpc.ParseRequest(string(p.in[4:n]))
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.in = p.in[n:]
	p.asked = append(p.asked, question{r.ID, r.Name, r.Args})
	return true
}

// names are the commands that wait for an answer.
func (p *peer) names() []string {
	var list []string
	for _, q := range p.asked {
		list = append(list, q.name)
	}
	return list
}

// Subscribe implements native.Session.
func (p *peer) Subscribe(topics []string, _ bool) (id, errText string) {
	sub, errText := p.w.server.Subscribe(p.w.now, topics, 1024, engine.Detach, func() { p.woken = true })
	if errText != "" {
		return "", errText
	}
	p.subs = append(p.subs, sub)
	return sub.ID(), ""
}

// pushes are the frames of what was published.
func (p *peer) pushes() []byte {
	var out []byte
	for _, a := range engine.TakeTogether(p.subs) {
		text, err := value.AppendSortedJSON(nil, a.Payload)
		if err != nil {
			p.w.t.Fatal(err)
		}
		out = synaprpc.AppendReply(out, synaprpc.PushID, value.Map(str("topic"), str(a.Topic), str("payload"), str(string(text)),
			str("id"), str(a.ID), str("timestamp"), value.Int(a.Timestamp)))
	}
	return out
}

// carryOut runs the i-th request that waits and returns the bytes of its reply.
func (p *peer) carryOut(i int) []byte {
	q := p.asked[i]
	p.asked = slices.Delete(p.asked, i, i+1)
	v, text := p.answer(q)
	switch {
	case p.scan != nil && text != "":
		return resp3.AppendError(nil, text)
	case p.scan != nil && v.Status:
		s, _ := v.Value.AsStr()
		return resp3.AppendSimple(nil, s)
	case p.scan != nil:
		return resp3.AppendValue(nil, v.Value, v.Maps)
	case text != "":
		return synaprpc.AppendFailure(nil, q.id, text)
	}
	return synaprpc.AppendReply(nil, q.id, v.Value)
}

func (p *peer) answer(q question) (native.Result, string) {
	w := p.w
	switch {
	case q.name == "AUTH":
		if s, _ := q.args[len(q.args)-1].AsBlob(); s != w.password {
			return native.Result{}, "WRONGPASS invalid username-password pair or user is disabled."
		}
		return native.Result{Value: str("OK"), Status: true}, ""
	case q.name == "HELLO":
		return native.Result{Value: value.Map(str("server"), str("synap")), Maps: true}, ""
	}
	on := native.RPC
	if p.scan != nil {
		on = native.RESP
	}
	r, text, wait := native.New(w.server, func() int64 { return w.now }).Run(on, p, q.name, q.args)
	if wait != nil {
		w.t.Fatal(q.name, "waits")
	}
	return r, text
}

// socket is the newest peer.
func (w *world) socket() *peer {
	w.t.Helper()
	if len(w.peers) == 0 {
		w.t.Fatal("no socket is open")
	}
	return w.peers[len(w.peers)-1]
}

// accept opens the newest socket.
func (w *world) accept() *peer {
	w.t.Helper()
	p := w.socket()
	w.c.SocketOpened(w.now, p.id)
	w.settle()
	return p
}

// data sends bytes to the client.
func (p *peer) data(b []byte) {
	p.w.t.Helper()
	p.w.c.SocketData(p.w.now, p.id, b)
	clear(b) // they are the host's again
	p.w.settle()
}

// reply has the i-th request that waits answered.
func (p *peer) reply(i int) {
	p.w.t.Helper()
	if i >= len(p.asked) {
		p.w.t.Fatalf("only %d requests wait", len(p.asked))
	}
	p.data(p.carryOut(i))
}

// all has everything answered that waits, in one piece.
func (p *peer) all() {
	p.w.t.Helper()
	var out []byte
	for len(p.asked) > 0 {
		out = append(out, p.carryOut(0)...)
	}
	p.data(append(out, p.pushes()...))
}

// reset ends the socket from the server's side.
func (p *peer) reset(why string) {
	p.w.t.Helper()
	p.w.forgetPeer(p.id)
	p.w.c.SocketClosed(p.w.now, p.id, why)
	p.w.settle()
}

// native opens a world over a native wire with its first socket, which a call has
// asked for.
func openNative(t *testing.T, address string, options ...value.Value) *world {
	t.Helper()
	return openIn(t, &world{tcp: true}, address, nil, options...)
}

// settled answers whatever is asked until nothing is, on all sockets.
func (w *world) serveAll() {
	w.t.Helper()
	for busy := true; busy; {
		busy = false
		for _, p := range slices.Clone(w.peers) {
			if s := w.c.sockets[p.id]; s != nil && !s.open {
				w.c.SocketOpened(w.now, p.id)
				w.settle()
				busy = true
			}
			if len(p.asked) > 0 || p.woken {
				p.woken = false
				p.all()
				busy = true
			}
		}
	}
}

// rested lets idle sockets go, and fails if anything is left.
func (w *world) rested() {
	w.t.Helper()
	w.to(w.now + int64(session.IdleLimit))
	w.atRest()
}
