package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/wspush"
)

const (
	// pingEvery and silence find dead connections: the server answers pings but
	// never sends its own (protocol: websocket, common rules).
	pingEvery = 15 * time.Second
	silence   = 40 * time.Second
)

// Push is one subscription over a WebSocket. It reconnects and subscribes again
// by itself; what may be lost meanwhile is told on the next item.
type Push struct {
	h       *HTTP
	cmd     *command.Command
	route   string
	block   bool
	probe   *session.Probe
	unasked atomic.Bool // a probe could not be put on this connection
	log     func(string)

	policy *session.Policy
	url    string
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	abort  func() bool // of the connection being opened: stops it from closing when its time is up
	ended  chan struct{}

	mu     sync.Mutex
	buf    *session.Buffer
	room   *sync.Cond    // signalled when items were taken
	more   chan struct{} // holds a token while items or an end may be waiting
	conn   *websocket.Conn
	err    *errs.Error // why the subscription ended
	closed bool
}

// OpenPush connects a pub/sub or watch subscription and returns when the server
// has confirmed it, or ctx ends.
func (h *HTTP) OpenPush(ctx context.Context, cmd *command.Command, names []string, size int, block bool, policy *session.Policy, deadline time.Time, log func(string)) (*Push, *errs.Error) {
	p := &Push{h: h, cmd: cmd, route: cmd.HTTP.Path, block: block, policy: policy, log: log,
		buf: session.NewBuffer(size), more: make(chan struct{}, 1), ended: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(h.ctx)
	p.room = sync.NewCond(&p.mu)
	p.probe = session.NewProbe(p.route, randomHex())
	path, err := wspush.Path(p.route, append(slices.Clone(names), p.probe.Name))
	if err != nil {
		return nil, err
	}
	scheme := "ws"
	if h.tls != nil {
		scheme = "wss"
	}
	p.url = scheme + "://" + h.cfg.Host + h.cfg.Path + path
	stop := context.AfterFunc(ctx, p.cancel)
	conn, err := p.connect(deadline)
	if !stop() && err == nil { // ctx ended at the last moment
		conn.Close()
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

// connect opens the WebSocket and waits for the welcome.
func (p *Push) connect(deadline time.Time) (*websocket.Conn, *errs.Error) {
	ctx, cancel := context.WithDeadline(p.ctx, deadline)
	defer cancel()
	dialer := websocket.Dialer{TLSClientConfig: p.h.tls, NetDialContext: p.dialer(ctx)}
	header := http.Header{"User-Agent": {userAgent}}
	if p.h.auth != "" {
		header.Set("Authorization", p.h.auth)
	}
	conn, resp, err := dialer.DialContext(ctx, p.url, header)
	if err != nil {
		if resp != nil && resp.StatusCode != 101 {
			body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
			resp.Body.Close()
			return nil, wspush.Refused(resp.StatusCode, p.h.cfg.Redact(string(body)))
		}
		if ctx.Err() != nil || !time.Now().Before(deadline) {
			return nil, gaveUp(ctx)
		}
		return nil, &errs.Error{Code: errs.Connection, Retryable: true, Message: "cannot open a push channel to " + p.h.cfg.String() + ": " + reason(err)}
	}
	conn.SetReadLimit(int64(p.h.cfg.MaxReplyBytes))
	_, text, err := conn.ReadMessage()
	if !p.abort() {
		conn.Close()
		return nil, gaveUp(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, &errs.Error{Code: errs.Connection, Retryable: true, Message: "the push channel closed before it was confirmed: " + reason(err)}
	}
	frame, bad := wspush.Parse(string(text))
	switch {
	case bad != nil:
	case frame.Kind == wspush.Failure:
		bad = frame.Err
	case frame.Kind != wspush.Welcome:
		bad = errs.New(errs.Protocol, "the push channel did not start with a welcome")
	}
	if bad != nil {
		conn.Close()
		return nil, bad
	}
	return conn, nil
}

// dialer opens connections that close when ctx ends before the channel is open:
// the handshake watches only the context's deadline.
func (p *Push) dialer(ctx context.Context) func(context.Context, string, string) (net.Conn, error) {
	return func(dialCtx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{Timeout: p.h.cfg.ConnectTimeout}).DialContext(dialCtx, network, addr)
		if err == nil {
			p.abort = context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	}
}

// gaveUp says why a push channel that ctx ended was not opened.
func gaveUp(ctx context.Context) *errs.Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return errs.New(errs.Canceled, "the caller cancelled the subscription before it was open")
	}
	return errs.New(errs.Timeout, "the deadline passed before the push channel was open")
}

// run reads until the subscription ends, reconnecting as often as needed.
func (p *Push) run(conn *websocket.Conn) {
	defer close(p.ended)
	defer func() {
		if r := recover(); r != nil { // a defect of ours must not end the host's process
			p.log("panic: " + fmt.Sprint(r))
			p.end(errs.New(errs.Panic, "a defect inside libsynap ended this subscription; open a new one"))
		}
	}()
	for attempt := 0; ; {
		p.read(conn)
		conn.Close()
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
			p.log("push channel to " + p.h.cfg.String() + " broke; connecting again")
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(p.policy.BackoffFor(attempt + 1)):
			}
			attempt++
			next, err := p.connect(time.Now().Add(p.h.cfg.ConnectTimeout))
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
			conn.Close()
			return
		}
		p.log("push channel to " + p.h.cfg.String() + " is back")
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

// read delivers frames until the connection fails.
func (p *Push) read(conn *websocket.Conn) {
	done := make(chan struct{})
	defer close(done)
	go pinger(conn, done)
	p.probe.Restart()
	p.unasked.Store(false)
	alive := func() {
		limit := silence
		if p.probe.Asked() && !p.unasked.Load() {
			limit = p.h.cfg.Timeout // a probe is a call like any other
		}
		_ = conn.SetReadDeadline(time.Now().Add(limit))
	}
	conn.SetPongHandler(func(string) error {
		if !p.probe.Asked() || p.unasked.Load() {
			alive()
		}
		return nil
	})
	for {
		alive()
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			continue
		}
		frame, bad := wspush.Parse(string(text))
		if bad != nil || frame.Kind == wspush.Failure {
			return
		}
		if frame.Kind != wspush.Message {
			continue
		}
		answers, ask := p.probe.Answer(frame.Item)
		if !answers {
			item, bad := session.PushItem(p.cmd, frame.Item)
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
			go p.sendProbe(conn)
		}
	}
}

// deliver puts an item into the buffer; in block mode it waits for room.
func (p *Push) deliver(item value.Value) (waited, ok bool) {
	p.mu.Lock()
	for p.block && p.buf.Full() && !p.closed {
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

// sendProbe puts the question whether the connection still delivers. If it cannot
// be put there is no answer to wait for, and the connection gets no others.
func (p *Push) sendProbe(conn *websocket.Conn) {
	step := p.probe.Step()
	var refused *errs.Error
	e, err := p.h.Encode(&step)
	if err == nil && p.h.Exchange(p.ctx, []Encoded{e}, time.Now().Add(p.h.cfg.Timeout), func(_ value.Value, err *errs.Error) { refused = err }) == nil && refused == nil {
		return
	}
	p.unasked.Store(true)
	_ = conn.SetReadDeadline(time.Now().Add(silence))
}

func pinger(conn *websocket.Conn, done chan struct{}) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) != nil {
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
	// The server answers a close frame by dropping the connection.
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(100*time.Millisecond))
	conn.Close()
	<-p.ended
}
