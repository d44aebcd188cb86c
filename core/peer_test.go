package core

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// TestMain fails the run if goroutines are left behind by what the tests closed.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	for deadline := time.Now().Add(5 * time.Second); code == 0 && runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			fmt.Printf("%d goroutines are left of closed clients and servers:\n%s\n", runtime.NumGoroutine()-before, stacks[:runtime.Stack(stacks, true)])
			code = 1
		}
	}
	os.Exit(code)
}

var background = context.Background()

// within waits until f is true.
func within(t *testing.T, d time.Duration, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(d); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// open opens a client that the test closes at its end.
func open(t *testing.T, address string, options ...Option) *Client {
	t.Helper()
	c, err := Open(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// failed fails the test unless err is a *errs.Error of the code.
func failed(t *testing.T, err error, code errs.Code) *errs.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("succeeded, want %v", code)
	}
	var e *errs.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("%v, want %v", err, code)
	}
	return e
}

// peer is a server of the test's own making: a script runs for each connection.
type peer struct {
	t        *testing.T
	listener net.Listener
	script   func(p *link)
	mu       sync.Mutex
	links    map[net.Conn]struct{}
	dials    int
	seen     []string // the commands that arrived
	closed   bool
	done     chan struct{} // closed by close: scripts that hold something back end
	running  sync.WaitGroup
}

// listen starts a peer on addr, "" for any port.
func listen(t *testing.T, addr string, script func(p *link)) *peer {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var listener net.Listener
	var err error
	within(t, 2*time.Second, "listening on "+addr, func() bool {
		listener, err = net.Listen("tcp", addr)
		return err == nil || !strings.Contains(err.Error(), "in use")
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, listener: listener, script: script, links: map[net.Conn]struct{}{}, done: make(chan struct{})}
	t.Cleanup(p.close)
	p.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.dials++
			n := p.dials
			p.links[conn] = struct{}{}
			if p.closed {
				conn.Close()
			}
			p.mu.Unlock()
			p.running.Go(func() {
				l := &link{Conn: conn, peer: p, n: n, r: bufio.NewReader(conn)}
				script(l)
				conn.Close()
				p.mu.Lock()
				delete(p.links, conn)
				p.mu.Unlock()
			})
		}
	})
	return p
}

func (p *peer) url() string  { return "http://" + p.addr() }
func (p *peer) addr() string { return p.listener.Addr().String() }

func (p *peer) close() {
	p.listener.Close()
	p.breakAll()
	p.running.Wait()
}

// breakAll closes every connection and stops new ones from being served.
func (p *peer) breakAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		close(p.done)
	}
	p.closed = true
	for conn := range p.links {
		conn.Close()
	}
}

// commands are what has arrived, in order.
func (p *peer) commands() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.seen, " ")
}

func (p *peer) dialed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}

// link is one connection to a peer.
type link struct {
	net.Conn
	peer *peer
	n    int // it is the n-th connection
	r    *bufio.Reader
}

// ask is one request that arrived.
type ask struct {
	*http.Request
	body    string
	command string // of an envelope
	id      string
	payload value.Value
}

// next reads a request; false when the client is gone.
func (l *link) next() (ask, bool) {
	r, err := http.ReadRequest(l.r)
	if err != nil {
		return ask{}, false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return ask{}, false
	}
	a := ask{Request: r, body: string(body)}
	name := r.Method + " " + r.URL.Path
	if v, err := value.ParseJSON(a.body); err == nil && r.URL.Path == "/api/v1/command" {
		a.command, _ = v.Field("command").AsStr()
		a.id, _ = v.Field("request_id").AsStr()
		a.payload = v.Field("payload")
		name = a.command
	}
	l.peer.mu.Lock()
	l.peer.seen = append(l.peer.seen, name)
	l.peer.mu.Unlock()
	return a, true
}

// hang waits until the test is over.
func (l *link) hang() { <-l.peer.done }

func (l *link) send(text string) { _, _ = io.WriteString(l.Conn, text) }

// status answers with any status and body.
func (l *link) status(status int, body string) {
	l.send(fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body))
}

// envelope is the text of a successful reply.
func (a ask) envelope(payload string) string {
	return `{"success":true,"request_id":"` + a.id + `","payload":` + payload + `,"error":null}`
}

// reply answers an envelope.
func (l *link) reply(a ask, payload string) { l.status(200, a.envelope(payload)) }

// reset ends the connection with a RST instead of a FIN.
func (l *link) reset() {
	_ = l.Conn.(*net.TCPConn).SetLinger(0)
	l.Close()
}

// sane answers what these tests ask, for as long as the client wants.
func (l *link) sane() {
	for {
		a, ok := l.next()
		if !ok {
			return
		}
		l.answer(a)
	}
}

func (l *link) answer(a ask) {
	switch a.command {
	case "kv.incr":
		l.reply(a, `{"value":7}`)
	case "kv.get":
		l.reply(a, `"stored"`)
	case "kv.set":
		l.reply(a, `{"success":true}`)
	case "":
		l.status(200, `{"length":3,"written":true}`)
	default:
		l.status(200, `{"success":false,"request_id":"`+a.id+`","payload":null,"error":"Unknown command: `+a.command+`"}`)
	}
}

// unused returns an address at which nothing listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// batch packs a frame of typed calls: name, arguments, name, arguments.
func batch(calls ...any) string {
	var frames []value.Value
	for i := 0; i < len(calls); i += 2 {
		var args []value.Value
		for _, s := range strings.Fields(calls[i+1].(string)) {
			args = append(args, value.Str(s))
		}
		frames = append(frames, value.Array(value.Int(0), value.Str(calls[i].(string)), value.Array(args...)))
	}
	return string(value.AppendMsgpack(nil, value.Array(value.Int(2), value.Array(frames...))))
}

// outcome is one result of a batch: "ok", or the error's code with ? if it may
// have been applied and r if it is retryable.
func outcome(v value.Value) string {
	if v.Len() == 1 {
		return "ok"
	}
	code, _ := v.Index(1).Index(0).AsInt()
	flags, _ := v.Index(1).Index(2).AsInt()
	s := errs.Code(code).String()
	if flags&2 != 0 {
		s += "?"
	}
	if flags&1 != 0 {
		s += "r"
	}
	return s
}

func outcomes(t *testing.T, v value.Value, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range v.Len() {
		out = append(out, outcome(v.Index(i)))
	}
	return strings.Join(out, " ")
}

// took fails the test unless f takes from lo to hi. A slow machine gets more
// chances: f may run several times.
func took(t *testing.T, lo, hi time.Duration, f func()) {
	t.Helper()
	for chance := 1; ; chance++ {
		begin := time.Now()
		f()
		d := time.Since(begin)
		if d >= lo && d <= hi {
			return
		}
		if d < lo || chance == 5 {
			t.Fatalf("took %v, not from %v to %v", d, lo, hi)
		}
	}
}

// promptly fails the test if f takes as long as only a timeout would.
func promptly(t *testing.T, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
}

func call(c *Client, name string, args ...value.Value) (value.Value, error) {
	return c.Call(background, command.Lookup(name), args...)
}

func repeat(s string, n int) string { return string(bytes.Repeat([]byte(s), n)) }
