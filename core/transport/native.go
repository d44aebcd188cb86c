package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// Native is the driver of a SynapRPC or RESP3 address. Calls share its
// connections: each carries up to session.MaxPipelined requests at once, and a
// further one is opened only when all are full.
type Native struct {
	cfg  *config.Config
	wire session.Wire
	tls  *tls.Config
	ctx  context.Context // ends with Close
	end  context.CancelFunc

	mu      sync.Mutex
	conns   []*nativeConn
	loads   []int    // of choose
	dialing *dialing // the connection being opened
	reaper  *time.Timer
	closed  bool
}

// dialing is a connection being opened, for all who wait for it.
type dialing struct {
	done chan struct{}
	err  error
}

// NewNative returns a driver; it opens no connection yet.
func NewNative(cfg *config.Config) (*Native, *errs.Error) {
	n := &Native{cfg: cfg, wire: session.RPC}
	if cfg.RESP3() {
		n.wire = session.RESP3
	}
	if cfg.TLS() {
		var err *errs.Error
		if n.tls, err = tlsConfig(cfg); err != nil {
			return nil, err
		}
	}
	n.ctx, n.end = context.WithCancel(context.Background())
	return n, nil
}

// Encode gives a step its bytes, but for its id.
func (n *Native) Encode(step *session.Step) (Encoded, *errs.Error) {
	return Encoded{step: step, body: session.AppendNative(make([]byte, 0, 128), n.wire, step.Name, step.Args)}, nil
}

// Exchange sends the steps on a connection that others use too. A call that ends
// early leaves its replies to whoever reads next; they are told apart by ticket.
func (n *Native) Exchange(ctx context.Context, steps []Encoded, deadline time.Time, deliver func(value.Value, *errs.Error)) *Broken {
	x := exchanges.Get().(*exchange)
	for {
		c, err := n.acquire(ctx, deadline, len(steps))
		if err != nil {
			exchanges.Put(x)
			return n.broken(err, 0, deadline)
		}
		x.start(len(steps))
		if c.send(x, steps, deadline) {
			return n.finish(c, x, deadline, deliver)
		}
		// It broke before anything of this call was on it: another one is taken.
	}
}

// finish waits for the replies and hands them over, as far as they came.
func (n *Native) finish(c *nativeConn, x *exchange, deadline time.Time, deliver func(value.Value, *errs.Error)) *Broken {
	sent, err := c.await(x, deadline)
	for i := range x.replies {
		r := &x.replies[i]
		if !r.here {
			break
		}
		if r.err != nil {
			r.err.Message = n.cfg.Redact(r.err.Message)
		}
		deliver(r.value, r.err)
	}
	exchanges.Put(x.clear())
	if err == nil {
		return nil
	}
	return n.broken(err, sent, deadline)
}

var errExpired = errors.New("the deadline passed")

func (n *Native) broken(err error, sent int, deadline time.Time) *Broken {
	var own *errs.Error
	switch {
	case errors.Is(err, errExpired):
		return &Broken{Expired: true, Sent: sent}
	case errors.As(err, &own):
		e := *own
		e.Message = n.cfg.Redact(e.Message)
		return &Broken{Err: &e, Sent: sent}
	}
	b := broken(n.cfg, err, sent, deadline)
	if b.Err == nil && !b.Expired {
		b.Err = errs.New(errs.Connection, "the connection to "+n.cfg.String()+" broke: "+reason(err))
	}
	return b
}

// acquire returns a connection with room for more requests, opening one if need
// be. Only one is opened at a time: the others wait for it and share it.
func (n *Native) acquire(ctx context.Context, deadline time.Time, requests int) (*nativeConn, error) {
	for {
		n.mu.Lock()
		if n.closed {
			n.mu.Unlock()
			return nil, errs.New(errs.Closed, "the client is closed")
		}
		c := n.choose(requests)
		if c != nil {
			n.mu.Unlock()
			return c, nil
		}
		d := n.dialing
		if d == nil {
			d = &dialing{done: make(chan struct{})}
			n.dialing = d
			n.mu.Unlock()
			n.open(d, deadline)
		} else {
			n.mu.Unlock()
		}
		timer := time.NewTimer(time.Until(deadline))
		select {
		case <-d.done:
			timer.Stop()
			if d.err != nil {
				return nil, d.err
			}
		case <-timer.C:
			return nil, errExpired
		case <-ctx.Done():
			timer.Stop()
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, errExpired
			}
			return nil, errs.New(errs.Canceled, "the caller cancelled the call")
		}
	}
}

// choose returns the connection that takes the requests, nil if one should be
// opened.
func (n *Native) choose(requests int) *nativeConn {
	loads := n.loads[:0]
	usable := n.conns[:0]
	for _, c := range n.conns {
		if under, ok := c.load(); ok {
			usable, loads = append(usable, c), append(loads, under)
		}
	}
	clear(n.conns[len(usable):])
	n.conns, n.loads = usable, loads
	i := session.Pick(len(usable), n.cfg.PoolSize, requests, func(i int) int { return loads[i] })
	if i < 0 {
		return nil
	}
	return usable[i]
}

// open opens a connection and puts it among the others. It runs on a goroutine of
// its own, because who waits for it may be gone before.
func (n *Native) open(d *dialing, deadline time.Time) {
	go func() {
		c, err := n.connect(n.ctx, time.Now().Add(n.cfg.ConnectTimeout))
		n.mu.Lock()
		n.dialing = nil
		if err == nil && n.closed {
			c.fail(errs.New(errs.Closed, "the client is closed"))
			err = errs.New(errs.Closed, "the client is closed")
		}
		if err == nil {
			n.conns = append(n.conns, c)
			if n.reaper == nil {
				n.reaper = time.AfterFunc(session.IdleLimit, n.reap)
			}
		}
		n.mu.Unlock()
		d.err = err
		close(d.done)
	}()
}

// connect opens a connection and greets the server.
func (n *Native) connect(ctx context.Context, deadline time.Time) (*nativeConn, error) {
	secure, tcp, err := dial(ctx, n.cfg, n.tls, deadline)
	if err != nil {
		return nil, err
	}
	c := &nativeConn{Conn: secure, tcp: tcp, link: session.NewLink(n.wire, n.cfg.Username, n.cfg.Password, n.cfg.MaxReplyBytes), pending: map[uint64]*exchange{}, rested: time.Now()}
	hello := c.link.Hello(nil)
	if len(hello) == 0 {
		return c, nil
	}
	stop := context.AfterFunc(ctx, func() { tcp.Close() })
	defer stop()
	if err = c.SetDeadline(deadline); err == nil {
		_, err = c.Write(hello)
	}
	for err == nil && !c.link.Ready() {
		err = c.read(deadline)
	}
	if err != nil {
		tcp.Close()
		var own *errs.Error
		if errors.As(err, &own) {
			return nil, own
		}
		return nil, dialError{err}
	}
	return c, c.SetDeadline(time.Time{})
}

// reap closes connections that nobody has used for a while.
func (n *Native) reap() {
	n.mu.Lock()
	defer n.mu.Unlock()
	keep := n.conns[:0]
	for _, c := range n.conns {
		if !c.idle(session.IdleLimit) {
			keep = append(keep, c)
		}
	}
	clear(n.conns[len(keep):])
	n.conns = keep
	n.reaper = nil
	if len(keep) > 0 && !n.closed {
		n.reaper = time.AfterFunc(session.IdleLimit/2, n.reap)
	}
}

// Close closes all connections: exchanges under way break.
func (n *Native) Close() {
	n.end()
	n.mu.Lock()
	conns := n.conns
	n.closed, n.conns = true, nil
	if n.reaper != nil {
		n.reaper.Stop()
	}
	n.mu.Unlock()
	for _, c := range conns {
		c.fail(errs.New(errs.Closed, "the client is closed"))
	}
}
