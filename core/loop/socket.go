package loop

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/span"
)

// Dial is a TCP connection that a host is to open.
type Dial struct {
	// Host is a name or an IP address, an IPv6 address without brackets. With TLS
	// the server's certificate must be for it.
	Host string
	Port int
	TLS  bool
	// Timeout is how long the connection may take, TLS included.
	Timeout span.Duration
}

// socket is a connection of a native wire, from opening to end.
type socket struct {
	c    *Client
	cfg  *config.Config
	user socketUser
	wire session.Wire
	link *session.Link
	id   int32
	open bool // connected; the handshake comes next
	dead bool

	in      []byte // the beginning of a message whose rest has not come
	out     []byte // is written when the event is over
	queued  bool   // for that
	written uint64 // tickets below may be on the server
	timer   timer  // ends the wait for the connection and the handshake
}

// socketUser is what a socket carries: calls or a subscription.
type socketUser interface {
	// ready says that the handshake is over.
	ready()
	// received takes a message; an error ends the connection.
	received(r session.Received) *errs.Error
	// gone says that the connection is over.
	gone(err *errs.Error)
}

// How much of a socket's buffers is kept for the next messages.
const keptBuffer = 64 << 10

// wireOf is the native wire of a configuration.
func wireOf(cfg *config.Config) session.Wire {
	if cfg.RESP3() {
		return session.RESP3
	}
	return session.RPC
}

// dial opens a connection and greets the server.
func (c *Client) dial(cfg *config.Config, user socketUser) *socket {
	wire := wireOf(cfg)
	s := &socket{c: c, cfg: cfg, user: user, wire: wire, id: c.id(),
		link: session.NewLink(wire, cfg.Username, cfg.Password, cfg.MaxReplyBytes)}
	c.sockets[s.id] = s
	c.timers.set(&s.timer, c.now+int64(cfg.ConnectTimeout), func() {
		s.fail(session.Unreachable(s.cfg.String(), "it took longer than connect_timeout"))
	})
	at := strings.LastIndexByte(cfg.Host, ':')
	port, _ := strconv.Atoi(cfg.Host[at+1:])
	c.host.SocketOpen(s.id, &Dial{Host: strings.Trim(cfg.Host[:at], "[]"), Port: port, TLS: cfg.TLS(), Timeout: cfg.ConnectTimeout})
	return s
}

// send puts a request among those that are written when the event is over, and
// returns its ticket.
func (s *socket) send(step *session.Step) uint64 {
	c := s.c
	c.body = session.AppendNative(c.body[:0], s.wire, step.Name, step.Args)
	var ticket uint64
	s.out, ticket = s.link.Append(s.out, c.body)
	if cap(c.body) > keptBuffer {
		c.body = nil
	}
	s.queue()
	return ticket
}

func (s *socket) queue() {
	if !s.queued {
		s.queued = true
		s.c.unwritten = append(s.c.unwritten, s)
	}
}

// flush ends an event: what it has to say goes out in one write per socket.
func (c *Client) flush() {
	for i, s := range c.unwritten {
		s.flush()
		c.unwritten[i] = nil
	}
	c.unwritten = c.unwritten[:0]
}

func (s *socket) flush() {
	s.queued = false
	if s.dead || len(s.out) == 0 {
		return
	}
	s.written = s.link.Sent()
	s.c.host.SocketWrite(s.id, s.out)
	if s.out = s.out[:0]; cap(s.out) > keptBuffer {
		s.out = nil
	}
}

// SocketOpened hands in that a connection stands.
func (c *Client) SocketOpened(now int64, id int32) {
	c.now = max(c.now, now)
	if s := c.sockets[id]; s != nil && !s.open {
		s.open = true
		if s.out = s.link.Hello(s.out); s.link.Ready() {
			s.greeted()
		} else {
			s.queue()
		}
	}
	c.flush()
}

func (s *socket) greeted() {
	s.c.timers.stop(&s.timer)
	s.user.ready()
}

// SocketData hands in bytes, which are the host's again when it returns.
func (c *Client) SocketData(now int64, id int32, data []byte) {
	c.now = max(c.now, now)
	if s := c.sockets[id]; s != nil {
		s.receive(data)
	}
	c.flush()
}

// receive takes the messages that are complete.
func (s *socket) receive(data []byte) {
	held := len(s.in) > 0
	if held {
		s.in = append(s.in, data...)
		data = s.in
	}
	rest := data
	for !s.dead {
		n, bad := s.link.Size(rest)
		if bad == nil && n == 0 {
			break
		}
		if bad == nil {
			// A copy, so that what is kept of a reply keeps only that reply.
			bad = s.message(string(rest[:n]))
			rest = rest[n:]
		}
		if bad != nil {
			s.fail(bad)
		}
	}
	switch {
	case s.dead:
		s.in = nil
	case held && len(rest) == len(data): // a long message grows
	case len(rest) == 0 && cap(s.in) > keptBuffer:
		s.in = nil
	default:
		s.in = append(s.in[:0], rest...)
	}
}

func (s *socket) message(text string) *errs.Error {
	r, bad := s.link.Receive(text)
	switch {
	case bad != nil:
		return s.c.redacted(bad)
	case !r.Hello:
		return s.user.received(r)
	case s.link.Ready():
		s.greeted()
	}
	return nil
}

// SocketClosed hands in that a connection is gone, or never came about, and why.
func (c *Client) SocketClosed(now int64, id int32, why string) {
	c.now = max(c.now, now)
	if s := c.sockets[id]; s != nil {
		err := session.Unreachable(s.cfg.String(), why)
		if s.open && s.link.Ready() {
			err = errs.New(errs.Connection, "the connection to "+s.cfg.String()+" broke before the reply was complete: "+why)
		}
		s.end()
		s.user.gone(c.redacted(err))
	}
	c.flush()
}

// fail gives the connection up.
func (s *socket) fail(err *errs.Error) {
	if s.dead {
		return
	}
	s.end()
	s.c.host.SocketClose(s.id)
	s.user.gone(err)
}

// close closes the connection after what is to be written; its user is not told.
func (s *socket) close() {
	if s.dead {
		return
	}
	if s.open {
		s.flush()
	}
	s.end()
	s.c.host.SocketClose(s.id)
}

func (s *socket) end() {
	s.dead = true
	delete(s.c.sockets, s.id)
	s.c.timers.stop(&s.timer)
}
