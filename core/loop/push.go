package loop

import (
	"strconv"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
)

// push is the push channel of one subscription. It reconnects by itself; what may
// be lost meanwhile is told on the next item.
type push struct {
	s       *subscription
	names   []string
	buf     *session.Buffer
	probe   *session.Probe
	way     way
	refused *errs.Error // why there is no WebSocket, if another way was taken
	attempt int
	stands  bool // the server has confirmed it once
	closed  bool
	// timer ends the wait for a confirmation, that between two attempts, or that for
	// the answer to a probe.
	timer timer
	// Until the first confirmation a frame waits for it.
	tag    int32
	expiry timer
}

// way is how pushes come.
type way interface {
	// server is its address.
	server() string
	// connect opens a connection and subscribes.
	connect()
	// drop closes it.
	drop()
	// leave closes it for good: the subscription is over.
	leave()
	// ask puts a probe's question.
	ask(step session.Step)
	// forget gives an open question up.
	forget()
}

func (s *subscription) openPush(tag int32, args []value.Value, deadline int64) *errs.Error {
	c := s.c
	size, block := bufferOf(args)
	socketOnly := c.lines != nil || (c.cfg.Push != "auto" && c.cfg.Push != "ws")
	switch {
	case c.lines != nil && c.wire() == session.RESP3:
		return session.NoPushes(s.cmd)
	case block:
		return errs.New(errs.Unsupported, "overflow=block needs a host that can stop reading; use drop_oldest")
	case socketOnly && !c.host.HasSockets():
		return errs.New(errs.Unsupported, "push="+c.cfg.Push+" needs TCP, which a browser does not have; use push=ws")
	}
	p := &push{s: s, names: names(args[0]), buf: session.NewBuffer(size), tag: tag,
		probe: session.NewProbe(s.cmd.HTTP.Path, strconv.FormatUint(c.policy.Rand(), 16))}
	if socketOnly {
		p.takeSocket()
	} else if err := p.takeWebSocket(); err != nil {
		return err
	}
	s.push = p
	c.frames[tag] = p
	c.timers.set(&p.expiry, deadline, func() {
		p.fail(errs.New(errs.Timeout, "the deadline passed before the push channel was open"))
	})
	p.connect()
	return nil
}

// listened is what the server is asked for.
func (p *push) listened() []string {
	return append(append([]string(nil), p.names...), p.probe.Name)
}

func (p *push) connect() {
	p.way.connect()
	c := p.s.c
	c.timers.set(&p.timer, c.now+int64(c.cfg.ConnectTimeout), p.drop)
}

// message takes what was published, and probes the connection after a burst.
func (p *push) message(object value.Value) {
	c := p.s.c
	answers, ask := p.probe.Answer(object)
	if !answers {
		item, bad := session.PushItem(p.s.cmd, object)
		if bad != nil { // anyone may publish to a watch topic; only true events count
			return
		}
		p.buf.Push(item)
		ask = p.probe.Message(false)
		p.s.serve()
	}
	switch {
	case ask:
		p.ask()
	case p.probe.Asked():
		c.timers.set(&p.timer, c.now+int64(c.cfg.Timeout), p.drop)
	default:
		c.timers.stop(&p.timer)
	}
}

// ask puts the probe's question. The connection is dropped when it stays silent.
func (p *push) ask() {
	c := p.s.c
	c.timers.set(&p.timer, c.now+int64(c.cfg.Timeout), p.drop)
	p.way.ask(p.probe.Step())
}

func (p *push) askAgain() {
	if p.probe.Message(true) {
		p.ask()
	}
}

// unasked hands in that a question could not be put, and whether to try again
// later. Who may not publish cannot ask.
func (p *push) unasked(again bool) {
	c := p.s.c
	p.probe.Restart()
	if again {
		c.timers.set(&p.timer, c.now+int64(c.cfg.Timeout), p.askAgain)
	} else {
		c.timers.stop(&p.timer)
	}
}

// confirmed says that the subscription stands on a connection.
func (p *push) confirmed() {
	c := p.s.c
	p.attempt = 0
	c.timers.stop(&p.timer)
	if p.stands {
		c.host.Log(logInfo, "push channel to "+p.way.server()+" is back")
		return
	}
	p.stands = true
	c.timers.stop(&p.expiry)
	p.s.opened(p.tag)
}

// drop gives a connection up that is silent or does not speak the protocol.
func (p *push) drop() {
	p.way.drop()
	p.gone(nil)
}

// gone goes on without the connection; err says why the server refused it, or why
// it is over, nil if that is not known.
func (p *push) gone(err *errs.Error) {
	c := p.s.c
	c.timers.stop(&p.timer)
	p.forget()
	refused := err != nil && err.Code != errs.Connection
	switch {
	case refused && !p.stands && p.elsewhere(err):
		return
	case refused && (!p.stands || final(err)):
		p.fail(p.noChannel(err))
		return
	case !p.stands && p.attempt >= c.cfg.MaxRetries:
		if err == nil {
			err = &errs.Error{Code: errs.Connection, Message: "cannot open a push channel to " + p.way.server() +
				" (where the upgrade was refused, a browser does not say why: a stock Synap 1.3.1 refuses all" + p.noSockets() + ")"}
		}
		err.Retryable = true
		p.fail(p.noChannel(err))
		return
	}
	if p.stands && p.attempt == 0 {
		p.buf.Gap(session.Unknown)
		c.host.Log(logWarning, "push channel to "+p.way.server()+" broke; connecting again")
	}
	p.attempt++
	c.timers.set(&p.timer, c.now+int64(c.policy.BackoffFor(p.attempt)+span.Millisecond), p.connect)
}

// elsewhere has pushes come over SynapRPC if the server has no WebSockets, as the
// stock Synap 1.3.1.
func (p *push) elsewhere(err *errs.Error) bool {
	c := p.s.c
	if err.Code != errs.Unsupported || p.refused != nil || c.lines != nil || c.cfg.Push != "auto" {
		return false
	}
	if !c.host.HasSockets() {
		err.Message += p.noSockets()
		return false
	}
	p.refused, p.attempt = err, 0
	p.takeSocket()
	p.connect()
	return true
}

// noSockets is what to say of SynapRPC where it cannot be tried.
func (p *push) noSockets() string {
	if c := p.s.c; c.cfg.Push != "auto" || c.host.HasSockets() {
		return ""
	}
	return "; SynapRPC, where it pushes, needs TCP, which a browser does not have"
}

// noChannel names both ways if both failed.
func (p *push) noChannel(err *errs.Error) *errs.Error {
	if p.refused == nil || p.stands {
		return err
	}
	return session.NoPushChannel(p.refused, err, p.way.server())
}

// forget gives an open question up.
func (p *push) forget() {
	p.probe.Restart()
	p.way.forget()
}

// fail ends the subscription, before or after it stood.
func (p *push) fail(err *errs.Error) {
	p.close()
	if p.stands {
		p.s.end(err)
		return
	}
	err.Command = p.s.cmd.Name
	p.s.c.complete(p.tag, value.Nil, err)
}

// giveUp ends the wait for the first confirmation.
func (p *push) giveUp(err *errs.Error) { p.fail(err) }

func (p *push) close() {
	if p.closed {
		return
	}
	c := p.s.c
	p.closed = true
	p.forget()
	c.timers.stop(&p.timer)
	c.timers.stop(&p.expiry)
	p.way.leave()
}

// final reports whether trying again cannot help.
func final(err *errs.Error) bool {
	switch err.Code {
	case errs.Unauthenticated, errs.PermissionDenied, errs.InvalidArgument, errs.Unsupported:
		return true
	}
	return false
}
