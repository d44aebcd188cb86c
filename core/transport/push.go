package transport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// PushOptions are what a subscription is opened with.
type PushOptions struct {
	Size   int  // items kept
	Block  bool // reading pauses when the buffer is full; else the oldest are dropped
	Policy *session.Policy
	Log    func(string)
}

// pushConn is a connection on which pushes arrive.
type pushConn interface {
	// next returns the next message.
	next() (value.Value, error)
	// onPong has f called whenever the server says that it lives.
	onPong(f func())
	// limit ends next if nothing comes until then.
	limit(time.Time)
	// ping has the server say that it lives.
	ping() error
	// ask puts a probe's question. If the server refuses it later, refused is called.
	ask(step session.Step, refused func()) error
	// leave tells the server that the subscription is over, and closes.
	leave()
	close()
}

// Push is one subscription to pushes. It reconnects and subscribes again by
// itself; what may be lost meanwhile is told on the next item.
type Push struct {
	server   string
	cmd      *command.Command
	opts     PushOptions
	probe    *session.Probe
	timeout  time.Duration // of a probe
	patience time.Duration // of a connection attempt
	connect  func(deadline time.Time) (pushConn, *errs.Error)
	unasked  atomic.Bool // a probe could not be put on this connection

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	buf    *session.Buffer
	room   *sync.Cond    // signalled when items were taken
	more   chan struct{} // holds a token while items or an end may be waiting
	conn   pushConn
	err    *errs.Error // why the subscription ended
	closed bool
}

// openPush opens a subscription whose connections connect makes.
func openPush(ctx context.Context, p *Push, deadline time.Time) (*Push, *errs.Error) {
	p.buf, p.more, p.ended = session.NewBuffer(p.opts.Size), make(chan struct{}, 1), make(chan struct{})
	p.room = sync.NewCond(&p.mu)
	stop := context.AfterFunc(ctx, p.cancel)
	conn, err := p.connect(deadline)
	if !stop() && err == nil { // ctx ended at the last moment
		conn.close()
		err = gaveUp(ctx)
	}
	if err != nil {
		p.cancel()
		return nil, err
	}
	p.conn = conn
	go p.run(conn)
	return p, nil
}

// gaveUp says why a push channel that ctx ended was not opened.
func gaveUp(ctx context.Context) *errs.Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return errs.New(errs.Canceled, "the caller cancelled the subscription before it was open")
	}
	return errs.New(errs.Timeout, "the deadline passed before the push channel was open")
}

// run reads until the subscription ends, reconnecting as often as needed.
func (p *Push) run(conn pushConn) {
	defer close(p.ended)
	defer func() {
		if r := recover(); r != nil { // a defect of ours must not end the host's process
			p.opts.Log("panic: " + fmt.Sprint(r))
			p.end(errs.New(errs.Panic, "a defect inside libsynap ended this subscription; open a new one"))
		}
	}()
	for attempt := 0; ; {
		p.read(conn)
		conn.close()
		for {
			p.mu.Lock()
			closed := p.closed
			if !closed && attempt == 0 {
				p.buf.Gap(session.Unknown)
			}
			p.mu.Unlock()
			if closed {
				return
			}
			p.opts.Log("push channel to " + p.server + " broke; connecting again")
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(p.opts.Policy.BackoffFor(attempt + 1)):
			}
			attempt++
			next, err := p.connect(time.Now().Add(p.patience))
			if err == nil {
				conn, attempt = next, 0
				break
			}
			if final(err) {
				p.end(err)
				return
			}
		}
		p.mu.Lock()
		p.conn = conn
		closed := p.closed
		p.mu.Unlock()
		if closed {
			conn.close()
			return
		}
		p.opts.Log("push channel to " + p.server + " is back")
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

// read delivers messages until the connection fails.
func (p *Push) read(conn pushConn) {
	done := make(chan struct{})
	defer close(done)
	go pinger(conn, done)
	p.probe.Restart()
	p.unasked.Store(false)
	limit := func() {
		after := session.Silence
		if p.probe.Asked() && !p.unasked.Load() {
			after = p.timeout // a probe is a call like any other
		}
		conn.limit(time.Now().Add(after))
	}
	conn.onPong(func() {
		if !p.probe.Asked() || p.unasked.Load() {
			limit()
		}
	})
	for {
		limit()
		message, err := conn.next()
		if err != nil {
			return
		}
		answers, ask := p.probe.Answer(message)
		if !answers {
			item, bad := session.PushItem(p.cmd, message)
			if bad != nil { // anyone may publish to a watch topic; only true events count
				continue
			}
			paused, ok := p.deliver(item)
			if !ok {
				return
			}
			ask = p.probe.Message(paused)
		}
		if ask {
			go p.ask(conn)
		}
	}
}

// deliver puts an item into the buffer; in block mode it waits for room.
func (p *Push) deliver(item value.Value) (waited, ok bool) {
	p.mu.Lock()
	for p.opts.Block && p.buf.Full() && !p.closed {
		waited = true
		p.room.Wait()
	}
	ok = !p.closed
	if ok {
		p.buf.Push(item)
	}
	p.mu.Unlock()
	p.wake()
	return waited, ok
}

func (p *Push) wake() {
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// ask puts the question whether the connection still delivers. If it cannot be put
// there is no answer to wait for, and the connection gets no others.
func (p *Push) ask(conn pushConn) {
	refused := func() {
		p.unasked.Store(true)
		conn.limit(time.Now().Add(session.Silence))
	}
	if conn.ask(p.probe.Step(), refused) != nil {
		refused()
	}
}

func pinger(conn pushConn, done chan struct{}) {
	ticker := time.NewTicker(session.PingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			if conn.ping() != nil {
				return
			}
		}
	}
}

func (p *Push) end(err *errs.Error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
	}
	p.mu.Unlock()
	p.wake()
}

// Take returns up to max items that are there, or why there will be none.
func (p *Push) Take(max int) ([]value.Value, *errs.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buf.Len() == 0 {
		if p.closed {
			return nil, errs.New(errs.Closed, "the subscription is closed")
		}
		return nil, p.err
	}
	items := p.buf.Take(max)
	p.room.Broadcast()
	if p.buf.Len() > 0 {
		p.wake()
	}
	return items, nil
}

// More holds a token while Take may return something.
func (p *Push) More() <-chan struct{} { return p.more }

// Close ends the subscription and waits until its goroutines are gone.
func (p *Push) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	conn := p.conn
	p.mu.Unlock()
	p.cancel()
	p.room.Broadcast()
	p.wake()
	conn.leave()
	<-p.ended
}
