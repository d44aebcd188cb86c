package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/wspush"
)

// OpenPush connects a pub/sub or watch subscription over a WebSocket or, where push
// says so or the server has none, over SynapRPC.
func (h *HTTP) OpenPush(ctx context.Context, cmd *command.Command, names []string, opts PushOptions, deadline time.Time) (*Push, *errs.Error) {
	if h.cfg.Push != "auto" && h.cfg.Push != "ws" {
		return h.openRPCPush(ctx, cmd, names, opts, deadline)
	}
	p, err := h.openWebSocket(ctx, cmd, names, opts, deadline)
	if err == nil || err.Code != errs.Unsupported || h.cfg.Push == "ws" {
		return p, err
	}
	p, other := h.openRPCPush(ctx, cmd, names, opts, deadline)
	if other != nil {
		return nil, session.NoPushChannel(err, other, h.cfg.PushConfig().String())
	}
	return p, nil
}

func (h *HTTP) openRPCPush(ctx context.Context, cmd *command.Command, names []string, opts PushOptions, deadline time.Time) (*Push, *errs.Error) {
	n, err := h.pushes()
	if err != nil {
		return nil, err
	}
	return n.OpenPush(ctx, cmd, names, opts, deadline)
}

func (h *HTTP) openWebSocket(ctx context.Context, cmd *command.Command, names []string, opts PushOptions, deadline time.Time) (*Push, *errs.Error) {
	p := &Push{server: h.cfg.String(), cmd: cmd, opts: opts, timeout: h.cfg.Timeout, patience: h.cfg.ConnectTimeout, probe: session.NewProbe(cmd.HTTP.Path, randomHex())}
	path, err := wspush.Path(cmd.HTTP.Path, append(slices.Clone(names), p.probe.Name))
	if err != nil {
		return nil, err
	}
	scheme := "ws"
	if h.tls != nil {
		scheme = "wss"
	}
	url := scheme + "://" + h.cfg.Host + h.cfg.Path + path
	p.ctx, p.cancel = context.WithCancel(h.ctx)
	p.connect = func(deadline time.Time) (pushConn, *errs.Error) { return h.upgrade(p.ctx, url, deadline) }
	return openPush(ctx, p, deadline)
}

// webSocket is a pushConn.
type webSocket struct {
	*websocket.Conn
	h   *HTTP
	ctx context.Context
}

// upgrade opens the WebSocket and waits for the welcome.
func (h *HTTP) upgrade(parent context.Context, url string, deadline time.Time) (*webSocket, *errs.Error) {
	ctx, cancel := context.WithDeadline(parent, deadline)
	defer cancel()
	// The handshake watches only the context's deadline: a connection closes when the
	// context ends before the channel is open.
	abort := func() bool { return true }
	dialer := websocket.Dialer{TLSClientConfig: h.tls, NetDialContext: func(dialCtx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{Timeout: h.cfg.ConnectTimeout}).DialContext(dialCtx, network, addr)
		if err == nil {
			abort = context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	}}
	header := http.Header{"User-Agent": {userAgent}}
	if h.auth != "" {
		header.Set("Authorization", h.auth)
	}
	conn, resp, err := dialer.DialContext(ctx, url, header)
	if err != nil {
		if resp != nil && resp.StatusCode != 101 {
			body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
			resp.Body.Close()
			return nil, wspush.Refused(resp.StatusCode, h.cfg.Redact(string(body)))
		}
		if ctx.Err() != nil || !time.Now().Before(deadline) {
			return nil, gaveUp(ctx)
		}
		return nil, &errs.Error{Code: errs.Connection, Retryable: true, Message: "cannot open a push channel to " + h.cfg.String() + ": " + reason(err)}
	}
	conn.SetReadLimit(int64(h.cfg.MaxReplyBytes))
	_, text, err := conn.ReadMessage()
	if !abort() {
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
	return &webSocket{Conn: conn, h: h, ctx: parent}, nil
}

func (w *webSocket) next() (value.Value, error) {
	for {
		kind, text, err := w.ReadMessage()
		if err != nil {
			return value.Nil, err
		}
		if kind != websocket.TextMessage {
			continue
		}
		frame, bad := wspush.Parse(string(text))
		switch {
		case bad != nil:
			return value.Nil, bad
		case frame.Kind == wspush.Failure:
			return value.Nil, frame.Err
		case frame.Kind == wspush.Message:
			return frame.Item, nil
		}
	}
}

func (w *webSocket) onPong(f func()) {
	w.SetPongHandler(func(string) error {
		f()
		return nil
	})
}

func (w *webSocket) limit(t time.Time) { _ = w.SetReadDeadline(t) }

func (w *webSocket) ping() error {
	return w.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
}

func (w *webSocket) ask(step session.Step, _ func()) error {
	var refused *errs.Error
	e, err := w.h.Encode(&step)
	if err != nil {
		return err
	}
	if w.h.Exchange(w.ctx, []Encoded{e}, time.Now().Add(w.h.cfg.Timeout), func(_ value.Value, err *errs.Error) { refused = err }) != nil || refused != nil {
		return errors.New("the probe was refused")
	}
	return nil
}

// leave: the server answers a close frame by dropping the connection.
func (w *webSocket) leave() {
	_ = w.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(100*time.Millisecond))
	w.close()
}

func (w *webSocket) close() { w.Conn.Close() }
