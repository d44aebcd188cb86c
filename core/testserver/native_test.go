package testserver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

const anyPort = "127.0.0.1:0"

func startNative(t *testing.T, cfg Config) *Server {
	t.Helper()
	cfg.RPC, cfg.RESP3 = anyPort, anyPort
	return start(t, cfg)
}

// peer is a raw connection to a native listener.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	next uint32
}

func dialNative(t *testing.T, addr string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &peer{t: t, conn: conn, in: bufio.NewReader(conn)}
}

func (p *peer) write(s string) {
	p.t.Helper()
	if _, err := p.conn.Write([]byte(s)); err != nil {
		p.t.Fatal(err)
	}
}

// closed checks that the server ends the connection and says nothing before.
func (p *peer) closed() {
	p.t.Helper()
	if b, err := io.ReadAll(p.in); (err != nil && !errors.Is(err, syscall.ECONNRESET)) || len(b) > 0 {
		p.t.Errorf("read %q, %v, want the end", b, err)
	}
}

// frame makes a request; texts become text, everything else is as it is.
func frame(id uint32, name string, args ...any) string {
	values := make([]value.Value, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case string:
			values[i] = value.Str(a)
		case int:
			values[i] = value.Int(int64(a))
		case value.Value:
			values[i] = a
		}
	}
	return string(synaprpc.AppendRequest(nil, id, synaprpc.AppendBody(nil, name, values)))
}

func (p *peer) reply() synaprpc.Reply {
	p.t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(p.in, size[:]); err != nil {
		p.t.Fatal(err)
	}
	body := make([]byte, binary.LittleEndian.Uint32(size[:]))
	if _, err := io.ReadFull(p.in, body); err != nil {
		p.t.Fatal(err)
	}
	r, err := synaprpc.ParseReply(string(body))
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// show writes a reply as JSON, an error as its text.
func show(r synaprpc.Reply) string {
	if r.Failed {
		return r.Err
	}
	v := r.Value
	if s, ok := v.AsBlob(); ok {
		v = value.Str(s)
	}
	b, err := value.AppendJSON(nil, v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// rpc sends one request and returns its reply.
func (p *peer) rpc(name string, args ...any) string {
	p.t.Helper()
	p.next++
	p.write(frame(p.next, name, args...))
	r := p.reply()
	if r.ID != p.next {
		p.t.Fatalf("%s: reply to %d, want %d", name, r.ID, p.next)
	}
	return show(r)
}

// resp sends one command and returns the first line of its reply.
func (p *peer) resp(words ...string) string {
	p.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	p.write(b.String())
	return p.line()
}

func (p *peer) line() string {
	p.t.Helper()
	line, err := p.in.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Inputs that end the real server are answered with an error.
func TestNativeKillingInput(t *testing.T) {
	s := startNative(t, Config{})
	p := dialNative(t, s.RPCAddr())
	for _, args := range [][]any{
		{"SETRANGE", "k", -1, "x"}, {"SETRANGE", "k", 1 << 40, "x"}, {"SETBIT", "k", -1, 1}, {"SETBIT", "k", 1 << 40, 1},
		{"EVAL", "return 1", -1}, {"EVALSHA", "00", -1},
	} {
		if got := p.rpc(args[0].(string), args[1:]...); !strings.HasPrefix(got, "Invalid value: ") {
			t.Errorf("%v: %s", args, got)
		}
	}
	r := dialNative(t, s.RESP3Addr())
	for _, args := range []string{"SETRANGE k 1099511627776 x", "SETBIT k 1099511627776 1"} {
		expect(t, r.resp(strings.Fields(args)...), "-ERR Invalid value: offset is out of range")
	}
	expect(t, p.rpc("PING"), `"PONG"`)
}

// 256 calls that wait keep the connection from being read; one that is answered
// lets the next be read.
func TestRPCInFlight(t *testing.T) {
	s := startNative(t, Config{})
	p, other := dialNative(t, s.RPCAddr()), dialNative(t, s.RPCAddr())
	var b strings.Builder
	for i := range 256 {
		b.WriteString(frame(uint32(i), "BLPOP", "l", 0))
	}
	p.write(b.String() + frame(1000, "PING"))
	p.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := p.in.Peek(1); err == nil {
		t.Error("PING was answered behind 256 calls that wait")
	}
	p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	expect(t, other.rpc("RPUSH", "l", "a", "b"), "2")
	ids := map[uint32]string{}
	for range 3 {
		r := p.reply()
		ids[r.ID] = show(r)
	}
	if len(ids) != 3 || ids[1000] != `"PONG"` || ids[0] == "" || ids[1] == "" {
		t.Errorf("answered %v, want the two that came first and the PING", ids)
	}
}

// A waiting call is woken by pushes that come over HTTP, from scripts and by other
// waiting calls that move elements.
func TestBlockingWakes(t *testing.T) {
	s := startNative(t, Config{})
	p, q := dialNative(t, s.RPCAddr()), dialNative(t, s.RESP3Addr())
	push := func(name string, fields ...value.Value) {
		t.Helper()
		if _, errText := s.Engine().Exec(time.Now().UnixNano(), engine.Envelope, name, "", value.Map(fields...)); errText != "" {
			t.Fatal(errText)
		}
	}
	p.write(frame(1, "BLPOP", "a", "c", 5))
	q.write("*4\r\n$10\r\nBRPOPLPUSH\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\n5\r\n")
	time.Sleep(50 * time.Millisecond)
	push("list.rpush", value.Str("key"), value.Str("b"), value.Str("values"), value.Array(value.Int(7)))
	if r := p.reply(); r.Failed || r.Value.Len() != 2 {
		t.Errorf("BLPOP: %s", show(r))
	}
	expect(t, q.line(), "$1")
	q.line()
	p.write(frame(2, "BZPOPMAX", "z", 5))
	time.Sleep(50 * time.Millisecond)
	expect(t, q.resp("EVAL", "return redis.call('ZADD', 'z', 2, 'm')", "0"), "$1")
	q.line()
	if r := p.reply(); r.Failed || r.Value.Len() != 3 {
		t.Errorf("BZPOPMAX: %s", show(r))
	}
	expect(t, p.rpc("BLPOP", "a", "c", 1), "null")
}

// A client that says that it sends no more is answered still; one that is silent
// for too long is closed, half a message or not.
func TestNativeEnds(t *testing.T) {
	s := startNative(t, Config{IdleTimeout: 300 * time.Millisecond})
	p, other := dialNative(t, s.RPCAddr()), dialNative(t, s.RPCAddr())
	p.write(frame(1, "BLPOP", "l", 0))
	p.conn.(*net.TCPConn).CloseWrite()
	time.Sleep(50 * time.Millisecond)
	expect(t, other.rpc("RPUSH", "l", "x"), "1")
	if r := p.reply(); r.ID != 1 || r.Value.Len() != 2 {
		t.Errorf("after the end: %s", show(r))
	}
	p.closed()

	began := time.Now()
	half := dialNative(t, s.RPCAddr())
	half.write("\x08\x00\x00")
	halfCommand := dialNative(t, s.RESP3Addr())
	halfCommand.write("*2\r\n$3\r\n")
	for range 4 { // one that goes on speaking is kept
		time.Sleep(100 * time.Millisecond)
		expect(t, other.rpc("PING"), `"PONG"`)
	}
	half.closed()
	halfCommand.closed()
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("closed after %v", d)
	}
	expect(t, other.rpc("QUIT"), `"OK"`)
	other.closed()
}

// Pushes come in the order in which messages were published, over all the
// subscriptions of the connection, and after the reply to the publisher's own call.
func TestPushOrder(t *testing.T) {
	s := startNative(t, Config{})
	p := dialNative(t, s.RPCAddr())
	for _, topic := range []string{"a", "b", "#"} {
		if got := p.rpc("SUBSCRIBE", topic); !strings.Contains(got, "subscriber_id") {
			t.Fatal(got)
		}
	}
	const n = 200
	var b strings.Builder
	for i := range n {
		b.WriteString(frame(uint32(i), "PUBLISH", "ab"[i%2:i%2+1], fmt.Sprint(i)))
	}
	p.write(b.String())
	replied, pushed := 0, 0
	for replied < n || pushed < 2*n {
		r := p.reply()
		if r.ID != synaprpc.PushID {
			replied++
			continue
		}
		got, _ := r.Value.Field("payload").AsStr()
		expect(t, got, fmt.Sprint(pushed/2))
		pushed++
		if replied <= pushed/2-1 {
			t.Fatalf("push %d came before the reply", pushed)
		}
	}
}

// Subscriptions outlive their connection, until they are ended by their id.
func TestSubscriptionOutlives(t *testing.T) {
	s := startNative(t, Config{})
	p, other := dialNative(t, s.RPCAddr()), dialNative(t, s.RPCAddr())
	p.next++
	p.write(frame(1, "SUBSCRIBE", "t"))
	id, _ := p.reply().Value.Field("subscriber_id").AsStr()
	p.conn.Close()
	time.Sleep(50 * time.Millisecond)
	for range 2000 { // more than a slow consumer may be behind
		other.rpc("PUBLISH", "t", "x")
	}
	r := dialNative(t, s.RESP3Addr())
	expect(t, r.resp("PUBLISH", "t", "x"), ":1")
	expect(t, other.rpc("UNSUBSCRIBE", id), "1")
	expect(t, r.resp("PUBLISH", "t", "x"), ":0")
}

// Users without admin rights; API keys are no passwords.
func TestNativeUsers(t *testing.T) {
	s := startNative(t, Config{User: "root", Password: "secret word", APIKey: "sk_key", RequireAuth: true})
	s.auth.mu.Lock()
	s.auth.users["plain"] = newUser("plain", "plain password", nil, false)
	s.auth.mu.Unlock()
	p, r := dialNative(t, s.RPCAddr()), dialNative(t, s.RESP3Addr())
	expect(t, p.rpc("AUTH", "plain", "sk_key"), "WRONGPASS invalid username-password pair or user is disabled.")
	expect(t, p.rpc("AUTH", "sk_key"), "WRONGPASS invalid username-password pair or user is disabled.")
	expect(t, p.rpc("AUTH", "plain", "plain password"), `"OK"`)
	for _, name := range []string{"FLUSHDB", "flushall", "Script.Flush", "SHUTDOWN"} {
		expect(t, p.rpc(name), "NOPERM this command requires admin privileges")
	}
	expect(t, p.rpc("SET", "k", "v"), `"OK"`)
	expect(t, r.resp("auth", "plain", "plain password"), "+OK")
	expect(t, r.resp("flushdb"), "-ERR NOPERM this command requires admin privileges")
	expect(t, r.resp("SCRIPT", "FLUSH"), "+OK")
	expect(t, r.resp("NOPE\xff"), "-ERR unknown command ''")
	expect(t, r.resp(strings.Repeat("n", 33)), "-ERR unknown command ''")
}

// Closing breaks every connection, calls that wait included, and leaves nothing
// behind.
func TestNativeClose(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := Start(Config{RPC: anyPort, RESP3: anyPort})
	if err != nil {
		t.Fatal(err)
	}
	var peers []*peer
	for _, addr := range []string{s.RPCAddr(), s.RESP3Addr()} {
		for range 3 {
			peers = append(peers, dialNative(t, addr))
		}
	}
	peers[0].rpc("SUBSCRIBE", "t")
	peers[1].write(frame(1, "BLPOP", "l", 0) + frame(2, "BLPOP", "l", 100))
	peers[1].conn.(*net.TCPConn).CloseWrite()
	peers[3].write("*3\r\n$5\r\nBLPOP\r\n$1\r\nl\r\n$1\r\n0\r\n")
	time.Sleep(50 * time.Millisecond)
	s.Close()
	for _, p := range peers {
		p.closed()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
