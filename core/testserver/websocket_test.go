package testserver

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// open opens a WebSocket and takes its welcome.
func open(t *testing.T, s *Server, path string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.URL(), "http")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if welcome := receive(t, conn); !value.Equal(welcome.Field("type"), value.Str("connected")) {
		t.Fatalf("welcome: %s", jsonText(welcome))
	}
	return conn
}

func receive(t *testing.T, conn *websocket.Conn) value.Value {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	kind, text, err := conn.ReadMessage()
	if err != nil || kind != websocket.TextMessage {
		t.Fatalf("frame of kind %d, %v", kind, err)
	}
	v, err := value.ParseJSON(string(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func jsonText(v value.Value) string {
	text, _ := value.AppendJSON(nil, v)
	return string(text)
}

func run(t *testing.T, s *Server, name string, payload value.Value) value.Value {
	t.Helper()
	reply, errText := s.Engine().Exec(now(), engine.Raw, name, "r", payload)
	if errText != "" {
		t.Fatalf("%s: %s", name, errText)
	}
	return reply
}

func dropped(t *testing.T, s *Server) int64 {
	n, _ := run(t, s, "pubsub.stats", value.Map()).Field("slow_consumers_dropped").AsInt()
	return n
}

// A client that does not read is detached once 1024 messages wait beyond what the
// connection holds. It still gets all that was published before, in order, then
// nothing; the connection stays open (protocol: websocket.md "Slow consumer").
func TestSlowConsumer(t *testing.T) {
	s := start(t, Config{})
	conn := open(t, s, "/pubsub/ws?topics=slow")
	filling := strings.Repeat("x", 16<<10)
	published := 0
	for ; dropped(t, s) == 0; published++ {
		if published > 10_000 {
			t.Fatal("never detached")
		}
		run(t, s, "pubsub.publish", object("topic", "slow", "payload", object("n", published, "filling", filling)))
	}
	published-- // the last one found the buffer full
	if published < slowConsumer {
		t.Errorf("detached after %d messages, want at least %d", published, slowConsumer)
	}
	for i := range published {
		if n, _ := receive(t, conn).Field("payload").Field("n").AsInt(); n != int64(i) {
			t.Fatalf("message %d, want %d", n, i)
		}
	}
	reply := run(t, s, "pubsub.publish", object("topic", "slow", "payload", 1))
	if n, _ := reply.Field("subscribers_matched").AsInt(); n != 1 {
		t.Errorf("%d subscribers matched, want the detached one", n)
	}
	pong := make(chan string, 1)
	conn.SetPongHandler(func(data string) error { pong <- data; return nil })
	conn.WriteControl(websocket.PingMessage, []byte("still there"), time.Now().Add(time.Second))
	conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if _, frame, err := conn.ReadMessage(); err == nil {
		t.Errorf("got %s after the backlog", frame)
	}
	if len(pong) != 1 || <-pong != "still there" {
		t.Error("no pong")
	}
}

// A client that leaves with a close frame gets none back, and is forgotten.
func TestCloseWithoutCloseFrame(t *testing.T) {
	s := start(t, Config{})
	conn := upgrade(t, s.HTTPAddr(), "/pubsub/ws?topics=a")
	defer conn.Close()
	conn.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}) // masked close frame, status 1000
	conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	if rest, err := io.ReadAll(conn); err != nil || len(rest) != 0 {
		t.Errorf("got % x, %v", rest, err)
	}
	for range 100 {
		if s.clients.report().Field("clients").Len() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("still listed")
}

// Every frame from the client, a ping too, starts the tick of the queue anew.
func TestQueueTickRestarts(t *testing.T) {
	s := start(t, Config{})
	run(t, s, "queue.create", object("name", "q"))
	conn := open(t, s, "/queue/q/ws/c")
	run(t, s, "queue.publish", object("queue", "q", "payload", value.ByteArray("x")))
	busy := time.Now()
	for time.Since(busy) < 3*socketTick {
		conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
		time.Sleep(socketTick / 10)
	}
	if n, _ := run(t, s, "queue.stats", object("queue", "q")).Field("consumed").AsInt(); n != 0 {
		t.Error("consumed although the client kept talking")
	}
	if got := receive(t, conn).Field("payload"); jsonText(got) != "[120]" {
		t.Errorf("payload %s", jsonText(got))
	}
}

// The texts of requests that are no proper upgrades.
func TestUpgradeRefusals(t *testing.T) {
	s := start(t, Config{})
	proper := []string{"Connection", "keep-alive, Upgrade", "Upgrade", "WebSocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	for i, want := range []string{"Connection header did not include 'upgrade'", "`Upgrade` header did not include 'websocket'",
		"`Sec-WebSocket-Version` header did not include '13'", "`Sec-WebSocket-Key` header missing"} {
		conn := dial(t, s.HTTPAddr())
		var req bytes.Buffer
		req.WriteString("GET /pubsub/ws?topics=a HTTP/1.1\r\nHost: x\r\n")
		for j := 0; j < len(proper); j += 2 {
			if j != 2*i {
				req.WriteString(proper[j] + ": " + proper[j+1] + "\r\n")
			}
		}
		req.WriteString("\r\n")
		conn.Write(req.Bytes())
		if got := string(readSome(t, conn)); !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.HasSuffix(got, want) {
			t.Errorf("want %s, got\n%s", want, got)
		}
		conn.Close()
	}
}

// A failure of the stream ends the connection after one frame that names it.
func TestStreamBelowTheRetainedRange(t *testing.T) {
	s := start(t, Config{})
	run(t, s, "stream.create", object("room", "r"))
	const kept = 10_000
	for range kept + 3 {
		run(t, s, "stream.publish", object("room", "r", "event", "e", "data", 1))
	}
	conn := open(t, s, "/stream/r/ws/u")
	if got := jsonText(receive(t, conn)); got != `{"type":"error","error":"Stream offset 0 out of range; earliest retained offset is 3"}` {
		t.Error(got)
	}
	if _, _, err := conn.ReadMessage(); err == nil || websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("ended with %v", err)
	}
}
