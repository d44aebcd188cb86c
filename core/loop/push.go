package loop

import (
	"strconv"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/wspush"
)

// push is the WebSocket of one subscription. It reconnects by itself; what may
// be lost meanwhile is told on the next item.
type push struct {
	s       *subscription
	buf     *session.Buffer
	probe   *session.Probe
	asking  *job // the probe's question on its way
	request Request
	id      int32 // of the stream, 0 while there is none
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

func (s *subscription) openPush(tag int32, args []value.Value, deadline int64) *errs.Error {
	c := s.c
	size, block := bufferOf(args)
	if block {
		return errs.New(errs.Unsupported, "overflow=block needs a host that can stop reading a WebSocket; use drop_oldest")
	}
	probe := session.NewProbe(s.cmd.HTTP.Path, strconv.FormatUint(c.policy.Rand(), 16))
	path, err := wspush.Path(s.cmd.HTTP.Path, append(names(args[0]), probe.Name))
	if err != nil {
		return err
	}
	p := &push{s: s, buf: session.NewBuffer(size), probe: probe, tag: tag,
		request: Request{Method: "GET", URL: "ws" + c.base[len("http"):] + path, Authorization: c.auth, Timeout: c.cfg.ConnectTimeout}}
	s.ws = p
	c.frames[tag] = p
	c.timers.set(&p.expiry, deadline, func() {
		p.fail(errs.New(errs.Timeout, "the deadline passed before the push channel was open"))
	})
	p.connect()
	return nil
}

func (p *push) connect() {
	c := p.s.c
	p.id = c.id()
	c.streams[p.id] = p
	c.timers.set(&p.timer, c.now+int64(c.cfg.ConnectTimeout), p.drop)
	c.host.StreamOpen(p.id, &p.request)
}

// StreamData hands in a text frame.
func (c *Client) StreamData(now int64, id int32, text string) {
	c.now = max(c.now, now)
	p := c.streams[id]
	if p == nil {
		return
	}
	frame, err := wspush.Parse(text)
	switch {
	case err != nil:
		p.drop()
	case frame.Kind == wspush.Failure:
		if !p.stands {
			p.fail(frame.Err)
			return
		}
		p.drop()
	case frame.Kind == wspush.Welcome:
		p.confirmed()
	case frame.Kind == wspush.Message && p.stands:
		p.message(frame.Item)
	}
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
	wait := c.now + int64(c.cfg.Timeout)
	j := &job{c: c, deadline: wait}
	j.single().StartStep(c.policy, c.wire(), p.probe.Step(), wait)
	j.then = func(*job) {
		if p.asking != j { // the connection that it was about is gone
			return
		}
		p.asking = nil
		_, err := j.call.Result()
		switch {
		case err == nil:
		case session.Transient(err):
			p.probe.Restart()
			c.timers.set(&p.timer, c.now+int64(c.cfg.Timeout), p.askAgain)
		default: // who may not publish cannot ask
			p.probe.Restart()
			c.timers.stop(&p.timer)
		}
	}
	p.asking = j
	c.timers.set(&p.timer, wait, p.drop)
	c.run(j)
}

func (p *push) askAgain() {
	if p.probe.Message(true) {
		p.ask()
	}
}

// forget gives an open question up.
func (p *push) forget() {
	p.probe.Restart()
	if j := p.asking; j != nil {
		p.asking = nil
		j.finish()
	}
}

func (p *push) confirmed() {
	c := p.s.c
	p.attempt = 0
	c.timers.stop(&p.timer)
	if p.stands {
		c.host.Log(logInfo, "push channel to "+c.base+" is back")
		return
	}
	p.stands = true
	c.timers.stop(&p.expiry)
	p.s.opened(p.tag)
}

// StreamClosed hands in that a WebSocket is gone. status is that of a refused
// upgrade with its body, 0 where there is none or the host cannot tell.
func (c *Client) StreamClosed(now int64, id int32, status int, body string) {
	c.now = max(c.now, now)
	p := c.streams[id]
	if p == nil {
		return
	}
	if status == 0 {
		p.gone(nil)
	} else {
		p.gone(wspush.Refused(status, c.cfg.Redact(body)))
	}
}

// drop gives a connection up that is silent or does not speak the protocol.
func (p *push) drop() {
	p.s.c.host.StreamClose(p.id)
	p.gone(nil)
}

// gone goes on without the connection; err says why the server refused it, nil
// if that is not known.
func (p *push) gone(err *errs.Error) {
	c := p.s.c
	delete(c.streams, p.id)
	p.id = 0
	c.timers.stop(&p.timer)
	p.forget()
	switch {
	case err != nil && (!p.stands || final(err)):
		p.fail(err)
		return
	case !p.stands && p.attempt >= c.cfg.MaxRetries:
		p.fail(&errs.Error{Code: errs.Connection, Retryable: true, Message: "cannot open a push channel to " + c.base +
			" (where the upgrade was refused, a browser does not say why: a stock Synap 1.3.1 refuses all)"})
		return
	}
	if p.stands && p.attempt == 0 {
		p.buf.Gap(session.Unknown)
		c.host.Log(logWarning, "push channel to "+c.base+" broke; connecting again")
	}
	p.attempt++
	c.timers.set(&p.timer, c.now+int64(c.policy.BackoffFor(p.attempt)+span.Millisecond), p.connect)
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
	if p.id != 0 {
		c.host.StreamClose(p.id)
		delete(c.streams, p.id)
		p.id = 0
	}
}

// final reports whether trying again cannot help.
func final(err *errs.Error) bool {
	switch err.Code {
	case errs.Unauthenticated, errs.PermissionDenied, errs.InvalidArgument, errs.Unsupported:
		return true
	}
	return false
}
