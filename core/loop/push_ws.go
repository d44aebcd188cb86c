package loop

import (
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/wire/wspush"
)

// webSocket is a way for pushes.
type webSocket struct {
	p       *push
	request Request
	id      int32 // of the stream, 0 while there is none
	asking  *job  // the probe's question on its way
}

// takeWebSocket has the pushes come over a WebSocket.
func (p *push) takeWebSocket() *errs.Error {
	c := p.s.c
	path, err := wspush.Path(p.s.cmd.HTTP.Path, p.listened())
	if err != nil {
		return err
	}
	p.way = &webSocket{p: p, request: Request{Method: "GET", URL: "ws" + c.base[len("http"):] + path, Authorization: c.auth, Timeout: c.cfg.ConnectTimeout}}
	return nil
}

func (w *webSocket) server() string { return w.p.s.c.base }

func (w *webSocket) connect() {
	c := w.p.s.c
	w.id = c.id()
	c.streams[w.id] = w
	c.host.StreamOpen(w.id, &w.request)
}

// StreamData hands in a text frame.
func (c *Client) StreamData(now int64, id int32, text string) {
	c.now = max(c.now, now)
	if w := c.streams[id]; w != nil {
		w.received(text)
	}
	c.flush()
}

func (w *webSocket) received(text string) {
	p := w.p
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

// StreamClosed hands in that a WebSocket is gone. status is that of a refused
// upgrade with its body, 0 where there is none or the host cannot tell.
func (c *Client) StreamClosed(now int64, id int32, status int, body string) {
	c.now = max(c.now, now)
	if w := c.streams[id]; w != nil {
		w.end()
		if status == 0 {
			w.p.gone(nil)
		} else {
			w.p.gone(wspush.Refused(status, c.cfg.Redact(body)))
		}
	}
	c.flush()
}

// ask asks over HTTP.
func (w *webSocket) ask(step session.Step) {
	c := w.p.s.c
	j := &job{c: c, deadline: c.now + int64(c.cfg.Timeout)}
	j.single().StartStep(c.policy, c.wire(), step, j.deadline)
	j.then = func(*job) {
		if w.asking != j { // the connection that it was about is gone
			return
		}
		w.asking = nil
		if _, err := j.call.Result(); err != nil {
			w.p.unasked(session.Transient(err))
		}
	}
	w.asking = j
	c.run(j)
}

func (w *webSocket) forget() {
	if j := w.asking; j != nil {
		w.asking = nil
		j.finish()
	}
}

func (w *webSocket) drop() {
	if w.id != 0 {
		w.p.s.c.host.StreamClose(w.id)
		w.end()
	}
}

func (w *webSocket) leave() { w.drop() }

func (w *webSocket) end() {
	delete(w.p.s.c.streams, w.id)
	w.id = 0
}
