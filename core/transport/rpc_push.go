package transport

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// OpenPush connects a pub/sub or watch subscription over SynapRPC.
func (n *Native) OpenPush(ctx context.Context, cmd *command.Command, names []string, opts PushOptions, deadline time.Time) (*Push, *errs.Error) {
	if n.wire != session.RPC {
		return nil, session.NoPushes(cmd)
	}
	p := &Push{server: n.cfg.String(), cmd: cmd, opts: opts, timeout: n.cfg.Timeout, patience: n.cfg.ConnectTimeout, probe: session.NewProbe(cmd.HTTP.Path, randomHex())}
	p.ctx, p.cancel = context.WithCancel(n.ctx)
	sub := session.NewSubscriber(cmd, append(slices.Clone(names), p.probe.Name))
	p.connect = func(deadline time.Time) (pushConn, *errs.Error) { return n.subscribe(p.ctx, sub, deadline) }
	return openPush(ctx, p, deadline)
}

// rpcPush is a pushConn.
type rpcPush struct {
	*nativeConn
	sub    *session.Subscriber
	server *Native

	pong func()

	write   sync.Mutex
	probe   uint64 // ticket of the last question, 0 before the first
	refused func()
	queue   []value.Value // pushes that were received and not yet returned
}

// subscribe opens a connection and subscribes on it.
func (n *Native) subscribe(parent context.Context, sub *session.Subscriber, deadline time.Time) (*rpcPush, *errs.Error) {
	ctx, cancel := context.WithDeadline(parent, deadline)
	defer cancel()
	c, err := n.connect(ctx, deadline)
	p := &rpcPush{nativeConn: c, sub: sub, server: n}
	if err == nil {
		stop := context.AfterFunc(ctx, func() { c.tcp.Close() })
		err = p.start(deadline)
		if !stop() && err == nil {
			err = net.ErrClosed
		}
		if err != nil {
			c.tcp.Close()
		}
	}
	if err == nil {
		return p, nil
	}
	if parent.Err() != nil || !time.Now().Before(deadline) {
		return nil, gaveUp(ctx)
	}
	b := n.broken(err, 0, deadline)
	if b.Expired {
		return nil, gaveUp(ctx)
	}
	b.Err.Retryable = b.Err.Code == errs.Connection
	return nil, b.Err
}

// start sends what subscribes and waits for its replies.
func (p *rpcPush) start(deadline time.Time) error {
	p.limit(deadline)
	for _, step := range p.sub.Start() {
		if err := p.send(step, deadline); err != nil {
			return err
		}
	}
	for !p.sub.Ready() {
		if err := p.receive(p.take); err != nil {
			return err
		}
	}
	p.limit(time.Time{})
	return nil
}

func (p *rpcPush) send(step session.Step, deadline time.Time) error {
	return p.sendProbe(step, deadline, nil)
}

// sendProbe sends a request; of a probe refused says what to do if the server
// refuses it.
func (p *rpcPush) sendProbe(step session.Step, deadline time.Time, refused func()) error {
	p.write.Lock()
	defer p.write.Unlock()
	p.mu.Lock()
	frame, ticket := p.link.Append(nil, session.AppendNative(nil, session.RPC, step.Name, step.Args))
	p.sub.Asked(ticket)
	if refused != nil {
		p.probe, p.refused = ticket, refused
	}
	p.mu.Unlock()
	if err := p.SetWriteDeadline(deadline); err != nil {
		return err
	}
	_, err := p.Write(frame)
	return err
}

// take takes a message in.
func (p *rpcPush) take(r session.Received) *errs.Error {
	if !r.Push {
		if r.Err != nil && r.Ticket == p.probe && p.refused != nil {
			p.refused()
		}
		return p.sub.Reply(r)
	}
	// What comes before the subscription stands is of one that does not count: the gap
	// is told.
	if object, ok := session.PushObject(r.Value); ok && p.sub.Ready() {
		p.queue = append(p.queue, object)
	}
	return nil
}

func (p *rpcPush) next() (value.Value, error) {
	for len(p.queue) == 0 {
		if err := p.receive(p.take); err != nil {
			return value.Nil, err
		}
		if len(p.queue) == 0 {
			p.pong() // a reply, or part of a message
		}
	}
	v := p.queue[0]
	p.queue = p.queue[1:]
	return v, nil
}

func (p *rpcPush) onPong(f func()) { p.pong = f }

func (p *rpcPush) limit(t time.Time) { _ = p.SetReadDeadline(t) }

// pushWrite bounds the writing of the few short requests of a subscription.
const pushWrite = time.Second

func (p *rpcPush) ping() error {
	return p.send(session.Step{Name: "PING"}, time.Now().Add(pushWrite))
}

func (p *rpcPush) ask(step session.Step, refused func()) error {
	native, err := session.NativeStep(session.RPC, step)
	if err != nil {
		return errors.New("the probe has no form here")
	}
	return p.sendProbe(native, time.Now().Add(pushWrite), refused)
}

// leave ends the subscription on the server too: it would outlive its connection
// (protocol: synaprpc quirk 8).
func (p *rpcPush) leave() {
	for _, step := range p.sub.Stop() {
		if p.send(step, time.Now().Add(100*time.Millisecond)) != nil {
			break
		}
	}
	_ = p.tcp.CloseWrite() // the server works off what it has read, then closes
	p.limit(time.Now().Add(100 * time.Millisecond))
}

func (p *rpcPush) close() { p.tcp.Close() }
