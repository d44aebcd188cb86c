package runner

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/fasthttp/websocket"
)

// frameWait is how long a recorded frame may take to come (protocol: websocket,
// "Vector steps").
const frameWait = 4 * time.Second

// socket is an open WebSocket. A goroutine reads it, so that waiting for a frame
// that does not come leaves the connection usable.
type socket struct {
	conn   *websocket.Conn
	frames chan frame
	pongs  chan string
	ended  chan struct{} // closed when reading has ended, with why
	why    error
}

type frame struct {
	kind int // as the WebSocket library has it
	data []byte
}

// open plays an open step.
func (t *talk) open(s *Step) string {
	path, err := t.bound.fill(s.Open)
	if err != nil {
		return err.Error()
	}
	header := http.Header{}
	for name, v := range s.Headers {
		text, err := t.bound.fill(v)
		if err != nil {
			return err.Error()
		}
		header.Set(name, text)
	}
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	conn, resp, err := dialer.Dial("ws://"+t.addr+path, header)
	if s.Refused != nil {
		if err == nil {
			conn.Close()
			return fmt.Sprintf("the upgrade: expected it refused with %d, it succeeded", s.Refused.Status)
		}
		if resp == nil {
			return "the upgrade: " + err.Error()
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return "the upgrade: " + err.Error()
		}
		return t.bound.matchReply(s.Refused, &answer{resp.StatusCode, resp.Header, body})
	}
	if err != nil {
		if resp != nil {
			return fmt.Sprintf("the upgrade: expected success, got status %d", resp.StatusCode)
		}
		return "the upgrade: " + err.Error()
	}
	if old := t.sockets[s.Conn]; old != nil {
		old.close()
	}
	t.sockets[s.Conn] = newSocket(conn)
	return ""
}

func newSocket(conn *websocket.Conn) *socket {
	s := &socket{conn: conn, frames: make(chan frame, 1<<16), pongs: make(chan string, 16), ended: make(chan struct{})}
	conn.SetPongHandler(func(text string) error {
		select {
		case s.pongs <- text:
		default:
		}
		return nil
	})
	go func() {
		defer close(s.ended)
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil {
				s.why = err
				return
			}
			s.frames <- frame{kind, data}
		}
	}()
	return s
}

func (s *socket) close() {
	s.conn.Close()
	<-s.ended
}

// step plays one step on an open connection.
func (s *socket) step(step *Step, b Bindings) string {
	switch {
	case step.Send != nil:
		return s.send(step, b)
	case step.Recv != nil:
		return s.recv(step, b)
	case step.RecvNoneMS != 0:
		select {
		case f := <-s.frames:
			return fmt.Sprintf("expected no frame for %d ms, got %s", step.RecvNoneMS, f)
		case <-s.ended:
			return "expected no frame, but the connection ended: " + s.why.Error()
		case <-time.After(time.Duration(step.RecvNoneMS) * time.Millisecond):
			return ""
		}
	case step.Ping != nil:
		return s.ping(step)
	case step.Close != 0:
		message := websocket.FormatCloseMessage(step.Close, "")
		if err := s.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(frameWait)); err != nil {
			return "closing: " + err.Error()
		}
		select {
		case <-s.ended:
			return ""
		case <-time.After(frameWait):
			return "the server did not end the connection after the client's close frame"
		}
	}
	return s.recvClose(step.RecvClose.Code)
}

func (s *socket) send(step *Step, b Bindings) string {
	data, contentType, err := b.requestBody(step.Send)
	if err != nil {
		return err.Error()
	}
	kind := websocket.TextMessage
	if f, err := frameOf(step.Send); contentType == "" && err == nil && f.kind == bodyBytes {
		kind = websocket.BinaryMessage
	}
	if err := s.conn.WriteMessage(kind, data); err != nil {
		return "sending a frame: " + err.Error()
	}
	return ""
}

func (s *socket) recv(step *Step, b Bindings) string {
	want, err := frameOf(step.Recv)
	if err != nil {
		return err.Error()
	}
	f, ok := s.next()
	if !ok {
		return fmt.Sprintf("expected the frame %s, got none (%s)", clip(string(step.Recv)), s.state())
	}
	if isText := f.kind == websocket.TextMessage; isText != (want.kind != bodyBytes) {
		return fmt.Sprintf("expected the frame %s, got %s", clip(string(step.Recv)), f)
	}
	return b.matchBody(want, 0, f.data)
}

// next returns the next frame if one comes in time.
func (s *socket) next() (frame, bool) {
	timer := time.NewTimer(frameWait)
	defer timer.Stop()
	select {
	case f := <-s.frames:
		return f, true
	case <-s.ended:
		select { // frames that came before the end
		case f := <-s.frames:
			return f, true
		default:
		}
	case <-timer.C:
	}
	return frame{}, false
}

func (s *socket) state() string {
	select {
	case <-s.ended:
		return "the connection ended: " + s.why.Error()
	default:
		return "the connection is open"
	}
}

func (s *socket) ping(step *Step) string {
	if err := s.conn.WriteControl(websocket.PingMessage, []byte(*step.Ping), time.Now().Add(frameWait)); err != nil {
		return "sending a ping: " + err.Error()
	}
	select {
	case got := <-s.pongs:
		if step.Pong == nil || got != *step.Pong {
			return fmt.Sprintf("the pong to %q holds %q", *step.Ping, got)
		}
		return ""
	case <-s.ended:
		return "expected a pong, but the connection ended: " + s.why.Error()
	case <-time.After(frameWait):
		return "expected a pong, got none"
	}
}

// recvClose waits for the server to end the connection with a code; 1006 is an
// end without a close frame.
func (s *socket) recvClose(code int) string {
	if f, ok := s.next(); ok {
		return fmt.Sprintf("expected the end of the connection, got %s", f)
	}
	select {
	case <-s.ended:
	default:
		return "expected the end of the connection, it is open"
	}
	got := websocket.CloseAbnormalClosure
	var closed *websocket.CloseError
	if errors.As(s.why, &closed) {
		got = closed.Code
	}
	if got != code {
		return fmt.Sprintf("the end of the connection: expected code %d, got %d", code, got)
	}
	return ""
}

func (f frame) String() string {
	if f.kind == websocket.TextMessage {
		return "the text frame " + clip(string(f.data))
	}
	return fmt.Sprintf("the binary frame %x", f.data)
}
