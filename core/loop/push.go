package loop

import (
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
	request Request
	id      int32 // of the stream, 0 while there is none
	attempt int
	stands  bool // the server has confirmed it once
	closed  bool
	// timer ends the wait for a confirmation, or that between two attempts.
	timer *timer
	// Until the first confirmation a frame waits for it.
	tag    int32
	expiry *timer
}

func (s *subscription) openPush(tag int32, args []value.Value, deadline int64) *errs.Error {
	c := s.c
	size, block := bufferOf(args)
	if block {
		return errs.New(errs.Unsupported, "overflow=block needs a host that can stop reading a WebSocket; use drop_oldest")
	}
	path, err := wspush.Path(s.cmd.HTTP.Path, names(args[0]))
	if err != nil {
		return err
	}
	p := &push{s: s, buf: session.NewBuffer(size), tag: tag,
		request: Request{Method: "GET", URL: "ws" + c.cfg.String()[len("http"):] + path, Authorization: c.auth, Timeout: c.cfg.ConnectTimeout}}
	s.ws = p
	c.frames[tag] = p
	p.expiry = c.timers.set(deadline, func() {
		p.fail(errs.New(errs.Timeout, "the deadline passed before the push channel was open"))
	})
	p.connect()
	return nil
}

func (p *push) connect() {
	c := p.s.c
	p.id = c.id()
	c.streams[p.id] = p
	p.timer = c.timers.set(c.now+int64(c.cfg.ConnectTimeout), p.drop)
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
		if item, bad := session.PushItem(p.s.cmd, frame.Item); bad == nil {
			p.buf.Push(item)
			p.s.serve()
		}
	}
}

func (p *push) confirmed() {
	c := p.s.c
	p.attempt = 0
	c.timers.stop(p.timer)
	if p.stands {
		c.host.Log(logInfo, "push channel to "+c.cfg.String()+" is back")
		return
	}
	p.stands = true
	c.timers.stop(p.expiry)
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
	c.timers.stop(p.timer)
	switch {
	case err != nil && (!p.stands || final(err)):
		p.fail(err)
		return
	case !p.stands && p.attempt >= c.cfg.MaxRetries:
		p.fail(&errs.Error{Code: errs.Connection, Retryable: true, Message: "cannot open a push channel to " + c.cfg.String() +
			" (where the upgrade was refused, a browser does not say why: a stock Synap 1.3.1 refuses all)"})
		return
	}
	if p.stands && p.attempt == 0 {
		p.buf.Gap(session.Unknown)
		c.host.Log(logWarning, "push channel to "+c.cfg.String()+" broke; connecting again")
	}
	p.attempt++
	p.timer = c.timers.set(c.now+int64(c.policy.BackoffFor(p.attempt)+span.Millisecond), p.connect)
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
	c.timers.stop(p.timer)
	c.timers.stop(p.expiry)
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
