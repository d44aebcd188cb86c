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
	request Request
	id      int32 // of the stream, 0 while there is none
	attempt int
	stands  bool // the server has confirmed it once
	closed  bool
	// until the first confirmation: who waits for it
	tag      int32
	deadline int64
}

func (s *subscription) openPush(tag int32, args []value.Value, deadline int64) *errs.Error {
	c := s.c
	if c.cfg.Push != "auto" && c.cfg.Push != "ws" {
		return errs.New(errs.Unsupported, "this push channel is not available here; use push=ws or leave it out")
	}
	size, block := bufferOf(args)
	if block {
		return errs.New(errs.Unsupported, "overflow=block needs a host that can stop reading a WebSocket; use drop_oldest")
	}
	path, err := wspush.Path(s.cmd.HTTP.Path, names(args[0]))
	if err != nil {
		return err
	}
	s.buf = session.NewBuffer(size)
	p := &push{s: s, tag: tag, deadline: deadline,
		request: Request{Method: "GET", URL: "ws" + c.cfg.String()[len("http"):] + path, Authorization: c.auth}}
	s.ws = p
	p.connect()
	c.at(deadline, nil, func() {
		if !p.stands && !p.closed {
			p.fail(errs.New(errs.Timeout, "the deadline passed before the push channel was open"))
		}
	})
	return nil
}

func (p *push) connect() {
	c := p.s.c
	if p.closed {
		return
	}
	p.id = c.id()
	c.streams[p.id] = p
	p.request.Timeout = c.cfg.ConnectTimeout
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
		p.attempt = 0
		if !p.stands {
			p.stands = true
			c.opened(p.tag, p.s)
		} else {
			c.host.Log(1, "push channel to "+c.cfg.String()+" is back")
		}
	case frame.Kind == wspush.Message && p.stands:
		if item, bad := session.PushItem(p.s.cmd, frame.Item); bad == nil {
			p.s.buf.Push(item)
			p.s.serve()
		}
	}
}

// StreamClosed hands in that a WebSocket is gone. status is that of a refused
// upgrade with its body, 0 where there is none or the host cannot tell.
func (c *Client) StreamClosed(now int64, id int32, status int, body string) {
	c.now = max(c.now, now)
	p := c.streams[id]
	if p == nil {
		return
	}
	delete(c.streams, id)
	p.id = 0
	var err *errs.Error
	if status != 0 {
		err = wspush.Refused(status, body)
	}
	switch {
	case p.closed:
	case err != nil && (!p.stands || final(err)):
		p.fail(err)
	case !p.stands && p.attempt >= c.cfg.MaxRetries:
		p.fail(&errs.Error{Code: errs.Connection, Retryable: true, Message: "cannot open a push channel to " + c.cfg.String() +
			" (where the upgrade was refused, a browser does not say why: a stock Synap 1.3.1 refuses all)"})
	default:
		p.again()
	}
}

// again connects anew after a wait.
func (p *push) again() {
	c := p.s.c
	if p.stands && p.attempt == 0 {
		p.s.buf.Gap(session.Unknown)
		c.host.Log(2, "push channel to "+c.cfg.String()+" broke; connecting again")
	}
	p.attempt++
	c.at(c.now+int64(c.policy.BackoffFor(p.attempt)+span.Millisecond), nil, p.connect)
}

// drop gives a connection up that does not speak the protocol.
func (p *push) drop() {
	c := p.s.c
	c.host.StreamClose(p.id)
	delete(c.streams, p.id)
	p.id = 0
	p.again()
}

// fail ends the subscription, before or after it stood.
func (p *push) fail(err *errs.Error) {
	p.close()
	err.Command = p.s.cmd.Name
	if !p.stands {
		p.s.c.complete(p.tag, value.Nil, err)
		return
	}
	p.s.end(err)
}

func (p *push) close() {
	if p.closed {
		return
	}
	p.closed = true
	if p.id != 0 {
		p.s.c.host.StreamClose(p.id)
		delete(p.s.c.streams, p.id)
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
