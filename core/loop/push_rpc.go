package loop

import (
	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
)

// rpcPush is a way for pushes: a SynapRPC connection of its own.
type rpcPush struct {
	p     *push
	cfg   *config.Config
	sub   *session.Subscriber
	sock  *socket // nil while there is none
	heard int64   // when the server last said something
	ping  timer
	asked uint64 // 1 + the ticket of the probe's question, 0 if none is open
}

// takeSocket has the pushes come over SynapRPC.
func (p *push) takeSocket() {
	c := p.s.c
	cfg := c.cfg
	if c.lines == nil {
		cfg = cfg.PushConfig()
	}
	p.way = &rpcPush{p: p, cfg: cfg, sub: session.NewSubscriber(p.s.cmd, p.listened())}
}

func (w *rpcPush) server() string { return w.cfg.String() }

func (w *rpcPush) connect() { w.sock = w.p.s.c.dial(w.cfg, w) }

// ready subscribes.
func (w *rpcPush) ready() {
	for _, step := range w.sub.Start() {
		w.sub.Asked(w.sock.send(&step))
	}
	c := w.p.s.c
	w.heard = c.now
	c.timers.set(&w.ping, c.now+int64(session.PingEvery), w.tend)
}

// tend has the server say that it lives, and gives it up when it does not.
func (w *rpcPush) tend() {
	c := w.p.s.c
	until := w.heard + int64(session.Silence)
	if c.now >= until {
		w.p.drop()
		return
	}
	w.sock.send(&session.Step{Name: "PING"})
	c.timers.set(&w.ping, min(c.now+int64(session.PingEvery), until), w.tend)
}

func (w *rpcPush) received(r session.Received) *errs.Error {
	w.heard = w.p.s.c.now
	switch {
	case r.Push && !w.sub.Ready():
		// Of some of the names only, or on a connection that may break before all is
		// confirmed: what is missing among these nobody could tell.
		return nil
	case r.Push:
		if object, ok := session.PushObject(r.Value); ok {
			w.p.message(object)
		}
		return nil
	case r.Ticket+1 == w.asked:
		w.asked = 0
		if r.Err != nil {
			w.p.unasked(session.Transient(r.Err))
		}
		return nil
	}
	before := w.sub.Ready()
	if err := w.sub.Reply(r); err != nil {
		return w.p.s.c.redacted(err)
	}
	if !before && w.sub.Ready() {
		w.p.confirmed()
	}
	return nil
}

func (w *rpcPush) gone(err *errs.Error) {
	w.end()
	w.p.gone(err)
}

// ask asks on the same connection.
func (w *rpcPush) ask(step session.Step) {
	native, err := session.NativeStep(session.RPC, step)
	if err != nil {
		w.p.unasked(false)
		return
	}
	w.asked = 1 + w.sock.send(&native)
}

func (w *rpcPush) forget() { w.asked = 0 }

func (w *rpcPush) drop() {
	if w.sock != nil {
		w.sock.close()
		w.end()
	}
}

// leave ends the subscription on the server too: it would outlive its connection
// (protocol: synaprpc quirk 8).
func (w *rpcPush) leave() {
	if w.sock == nil {
		return
	}
	for _, step := range w.sub.Stop() {
		w.sock.send(&step)
	}
	w.drop()
}

func (w *rpcPush) end() {
	w.sock = nil
	w.p.s.c.timers.stop(&w.ping)
}
