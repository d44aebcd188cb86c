package sim

import (
	"bytes"
	"math/rand/v2"

	"github.com/libsynap/libsynap/core/loop"
)

// conn is a TCP connection of a native wire: the host's end, the server's, and what
// lies between.
type conn struct {
	a    *actor
	r    *rand.Rand
	id   int32
	peer peer // the server's end, nil while there is none

	open     bool // the client has not been told that it is gone, nor closed it
	writable bool // the client has been told that it is open
	up, down line
}

// peer is the server's end of a connection.
type peer interface {
	// receive takes bytes and answers with conn.reply.
	receive(b []byte)
	// gone says that no more will come, and nothing is heard any more.
	gone()
}

// line is one direction.
type line struct {
	last int64 // when the newest bytes arrive: they keep their order
	dead bool  // what is sent from now on is lost
}

// SocketOpen implements loop.Host.
func (a *actor) SocketOpen(id int32, d *loop.Dial) {
	w := a.w
	c := &conn{a: a, r: a.dice("socket", id), id: id, open: true}
	a.conns[id] = c
	port := d.Port
	up, down := w.latency(c.r), w.latency(c.r)
	switch {
	case w.strikes(c.r, refused):
		w.after(up, func() { c.lost("connection refused") })
	case w.strikes(c.r, silent):
		c.up.dead, c.down.dead = true, true
		w.logf("%s: socket %d is never answered", a, id)
	default:
		w.after(up, func() {
			if !w.server.up {
				w.after(down, func() { c.lost("connection refused") })
				return
			}
			// The operating system accepts, even if the server is frozen.
			w.server.conns = append(w.server.conns, c)
			if port == ports["synap"] {
				c.peer = &rpcPeer{c: c, s: w.server}
			} else {
				c.peer = &respPeer{c: c, s: w.server}
			}
			c.down.last = w.now + down
			w.at(c.down.last, func() {
				if c.open {
					c.writable = true
					w.logf("%s: socket %d is open", a, id)
					a.client.SocketOpened(w.now, id)
					a.settle()
				}
			})
		})
	}
}

// SocketWrite implements loop.Host.
func (a *actor) SocketWrite(id int32, b []byte) {
	c := a.conns[id]
	if c == nil || !c.writable {
		a.w.violated("%s: writes on socket %d, which is not open", a, id)
		return
	}
	a.w.logf("%s: socket %d: out %s", a, id, short(string(b)))
	c.send(&c.up, bytes.Clone(b), cutUp, func(b []byte) {
		a.w.server.arrive(func() {
			if c.peer != nil {
				c.peer.receive(b)
			}
		})
	})
}

// SocketClose implements loop.Host. What was written before still arrives.
func (a *actor) SocketClose(id int32) {
	c := a.conns[id]
	if c == nil {
		return
	}
	a.w.logf("%s: socket %d is closed by the client", a, id)
	c.open = false
	delete(a.conns, id)
	a.w.at(max(c.up.last, a.w.now+a.w.latency(c.r)), c.leave)
}

// reply sends what the server answers.
func (c *conn) reply(b []byte) {
	w := c.a.w
	if len(b) == 0 {
		return
	}
	if w.strikes(c.r, garbage) && !c.down.dead {
		// Not what a server would say, up to the first byte.
		b = append([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), noise(c.r)...)
	}
	c.send(&c.down, b, cutDown, func(b []byte) {
		if !c.open {
			return
		}
		c.a.w.logf("%s: socket %d: in %s", c.a, c.id, short(string(b)))
		c.a.client.SocketData(c.a.w.now, c.id, b)
		c.a.settle()
	})
}

// send puts bytes on a line, in pieces.
func (c *conn) send(l *line, b []byte, cut fault, deliver func([]byte)) {
	w := c.a.w
	broken, dead := w.strikes(c.r, cut), w.strikes(c.r, never)
	at := c.r.Float64()
	if l.dead {
		return
	}
	if broken || dead {
		// Before, within or after what is sent.
		b = b[:min(int(at*1.2*float64(len(b))), len(b))]
	}
	for len(b) > 0 {
		n := len(b)
		if c.r.IntN(3) == 0 {
			n = 1 + c.r.IntN(n)
		}
		piece := b[:n]
		b = b[n:]
		wait := w.latency(c.r)
		if w.strikes(c.r, stalled) {
			wait += between(c.r, 0, second)
		}
		l.last = max(l.last, w.now+wait)
		w.at(l.last, func() { deliver(piece) })
	}
	switch {
	case broken:
		c.cut(max(l.last, w.now))
	case dead:
		// Nobody hears anything any more, and it takes time until that is noticed.
		c.cut(max(l.last, w.now) + between(c.r, 0, 3*second))
	}
}

// cut ends the connection; what is sent from now on is lost. The server may find
// out much later than the client.
func (c *conn) cut(when int64) {
	w := c.a.w
	c.up.dead, c.down.dead = true, true
	w.at(when, func() { c.lost("connection reset") })
	lingers := int64(0)
	if w.strikes(c.r, zombie) {
		lingers = between(c.r, 0, 3*second)
	}
	w.at(max(when, c.up.last)+lingers, c.leave)
}

// lost tells the client that the connection is gone.
func (c *conn) lost(why string) {
	if !c.open {
		return
	}
	c.open = false
	delete(c.a.conns, c.id)
	c.a.w.logf("%s: socket %d is gone: %s", c.a, c.id, why)
	c.a.client.SocketClosed(c.a.w.now, c.id, why)
	c.a.settle()
}

// leave ends the server's end.
func (c *conn) leave() {
	if c.peer != nil {
		c.peer.gone()
		c.peer = nil
		c.a.w.server.forget(c)
	}
}

// hangUp is the server closing the connection.
func (c *conn) hangUp() {
	w := c.a.w
	if !c.down.dead {
		c.up.dead, c.down.dead = true, true
		c.down.last = max(c.down.last, w.now+w.latency(c.r))
		w.at(c.down.last, func() { c.lost("closed by the server") })
	}
	c.leave()
}

// died implements breaker.
func (c *conn) died() {
	c.peer = nil
	if !c.down.dead {
		c.up.dead, c.down.dead = true, true
		c.a.w.at(max(c.down.last, c.a.w.now)+between(c.r, 0, second/2), func() { c.lost("the server died") })
	}
}

// clear ends a connection that is dead without anybody knowing.
func (c *conn) clear() {
	if c.down.dead {
		c.a.w.after(100*ms, func() { c.lost("timed out") })
	}
}
