package host

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/fasthttp/websocket"
)

const (
	// pingEvery and silence find dead connections: the server answers pings but
	// never sends its own (protocol: websocket, common rules).
	pingEvery = 15 * time.Second
	silence   = 40 * time.Second
	// maxRefusal is how much of the answer to a refused upgrade is read.
	maxRefusal = 4096
)

// openStream opens a WebSocket; in.mu is held.
func (c *Client) openStream(r request) {
	if c.net == nil || c.dead != nil {
		return
	}
	ctx, cancel := context.WithCancel(c.net.ctx)
	c.streams[r.id] = cancel
	go func() {
		defer cancel()
		status, body := c.stream(ctx, r)
		c.in.mu.Lock()
		delete(c.streams, r.id)
		c.in.mu.Unlock()
		c.in.input(fnStreamClosed, c.id, body, r.id, status)
	}()
}

// closeStream closes one; in.mu is held.
func (c *Client) closeStream(id int32) {
	if cancel := c.streams[id]; cancel != nil {
		cancel()
	}
}

// stream hands in what comes over a WebSocket until it ends, and returns the
// status and body of a refused upgrade.
func (c *Client) stream(ctx context.Context, r request) (status int32, body string) {
	dialing, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	dialer := websocket.Dialer{TLSClientConfig: c.net.tls, NetDialContext: new(net.Dialer).DialContext}
	header := http.Header{"User-Agent": {userAgent}}
	if r.authorization != "" {
		header.Set("Authorization", r.authorization)
	}
	conn, resp, err := dialer.DialContext(dialing, r.url, header)
	if err != nil {
		if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
			return 0, ""
		}
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
		resp.Body.Close()
		return int32(resp.StatusCode), string(text)
	}
	defer conn.Close()
	done := make(chan struct{})
	defer close(done)
	go tend(ctx, conn, done)
	conn.SetReadLimit(int64(min(c.cfg.MaxReplyBytes, maxInput)))
	alive := func() { _ = conn.SetReadDeadline(time.Now().Add(silence)) }
	conn.SetPongHandler(func(string) error { alive(); return nil })
	for {
		alive()
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return 0, ""
		}
		if kind == websocket.TextMessage {
			c.in.input(fnStreamData, c.id, string(text), r.id)
		}
	}
}

// tend pings until the connection ends, and closes it when nobody wants it
// any more.
func tend(ctx context.Context, conn *websocket.Conn, done chan struct{}) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			// The server answers a close frame by dropping the connection.
			_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(100*time.Millisecond))
			conn.Close()
			return
		case <-ticker.C:
			_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
		}
	}
}
