package testserver

import (
	"net"
	"strings"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/value"
)

// The WebSocket routes (protocol: websocket.md). No permission follows the
// credentials: any valid ones may watch everything.
var websocketRoutes = []route{
	{method: "GET", path: "/pubsub/ws", run: pubsubSocket},
	{method: "GET", path: "/kv/ws", run: watchSocket},
	{method: "GET", path: "/queue/{name}/ws/{consumer_id}", run: queueSocket},
	{method: "GET", path: "/stream/{room}/ws/{subscriber_id}", run: streamSocket},
}

// socketTick is how often the queue and stream sockets look for something new.
const socketTick = 100 * time.Millisecond

// stockRefusal is what release 1.3.1 answers to every upgrade.
const stockRefusal = "Missing request extension: Extension of type `axum::extract::connect_info::ConnectInfo<core::net::socket_addr::SocketAddr>` was not found. Perhaps you forgot to add it? See `axum::Extension`."

// upgradable checks that a request asks for a WebSocket; what it is refused with
// is answered here. Two of the stock routes look for the peer's address before
// they look at the headers (vectors: ws-stock).
func (r *request) upgradable(addressFirst bool) bool {
	refusal := upgradeRefusal(&r.ctx.Request.Header)
	if r.server.stock && (addressFirst || refusal == "") {
		r.refuse(fasthttp.StatusInternalServerError, stockRefusal)
		return false
	}
	if refusal != "" {
		r.refuse(fasthttp.StatusBadRequest, refusal)
		return false
	}
	return true
}

func upgradeRefusal(h *fasthttp.RequestHeader) string {
	has := func(name, token string) bool {
		return strings.Contains(strings.ToLower(string(h.Peek(name))), token)
	}
	switch {
	case !has("Connection", "upgrade"):
		return "Connection header did not include 'upgrade'"
	case !has("Upgrade", "websocket"):
		return "`Upgrade` header did not include 'websocket'"
	case !has("Sec-WebSocket-Version", "13"):
		return "`Sec-WebSocket-Version` header did not include '13'"
	case len(h.Peek("Sec-WebSocket-Key")) == 0:
		return "`Sec-WebSocket-Key` header missing"
	}
	return ""
}

var upgrader = websocket.FastHTTPUpgrader{CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }}

// socket is one WebSocket.
type socket struct {
	server *Server
	conn   *websocket.Conn
	client client
	frames chan []byte   // what the client sends, nil if nobody wants it
	gone   chan struct{} // closed when the client is gone
	left   chan struct{} // closed when run has returned
	out    []byte
}

// upgrade makes the connection a WebSocket and gives it to run, which returns
// when it is to end. It ends without a close frame, as the server ends it.
func (r *request) upgrade(wantsFrames bool, run func(*socket)) {
	s := &socket{server: r.server, gone: make(chan struct{}), left: make(chan struct{})}
	if wantsFrames {
		s.frames = make(chan []byte)
	}
	err := upgrader.Upgrade(r.ctx, func(conn *websocket.Conn) {
		s.conn = conn
		s.client.connected(conn.RemoteAddr().String())
		defer s.server.open.forget(conn.NetConn().(interface{ UnsafeConn() net.Conn }).UnsafeConn())
		go s.read()
		defer func() {
			recover() // a defect breaks this connection, not the process
			close(s.left)
			conn.Close()
			<-s.gone
		}()
		run(s)
	})
	if err != nil {
		r.refuse(fasthttp.StatusBadRequest, err.Error())
	}
}

// read takes what the client sends until it is gone. Pings are answered on the
// way; a close frame ends the connection without one in return.
func (s *socket) read() {
	defer close(s.gone)
	defer s.conn.Close()
	s.conn.SetCloseHandler(func(int, string) error { return nil })
	pong := s.conn.PingHandler()
	s.conn.SetPingHandler(func(data string) error {
		s.heard(nil)
		return pong(data)
	})
	for {
		_, frame, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		s.heard(frame)
	}
}

func (s *socket) heard(frame []byte) {
	s.client.active()
	if s.frames == nil {
		return
	}
	select {
	case s.frames <- frame:
	case <-s.left:
	}
}

// send writes one object; false means that the client is gone.
func (s *socket) send(members ...any) bool {
	out, err := value.AppendJSON(s.out[:0], object(members...))
	if err != nil {
		return true // bytes that are no text have no form here
	}
	s.out = out
	return s.conn.WriteMessage(websocket.TextMessage, out) == nil
}
