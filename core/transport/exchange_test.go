package transport

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// driver returns a driver for an address with options in its query.
func driver(t *testing.T, address string) *HTTP {
	t.Helper()
	cfg, err := config.Parse(address, value.Nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHTTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// record accepts one connection, answers what is given and returns all it was sent
// until the client closes.
func record(t *testing.T, answer string) (address string, received func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	all := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			all <- err.Error()
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, answer)
		b, _ := io.ReadAll(bufio.NewReader(c))
		all <- string(b)
	}()
	return l.Addr().String(), func() string { return <-all }
}

func encode(t *testing.T, h *HTTP, steps ...session.Step) []Encoded {
	t.Helper()
	out := make([]Encoded, len(steps))
	for i := range steps {
		e, err := h.Encode(&steps[i])
		if err != nil {
			t.Fatal(err)
		}
		out[i] = e
	}
	return out
}

func TestWhatTravels(t *testing.T) {
	ok := func(body string) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: " + string(rune('0'+len(body)/10)) + string(rune('0'+len(body)%10)) + "\r\n\r\n" + body
	}
	payload := value.Map(value.Str("value"), value.Str("é"))
	for name, c := range map[string]struct {
		credentials, path string
		header            string
	}{
		"anonymous": {"", "", ""},
		"basic":     {"root:p%40ss@", "", "Authorization: Basic cm9vdDpwQHNz\r\n"},
		"key":       {"", "/prefix?api_key=sk_1", "Authorization: Bearer sk_1\r\n"},
	} {
		address, received := record(t, ok(`{"success":true,"request_id":"1","payload":5,"error":null}`)+ok(`{"length":3}`))
		h := driver(t, "http://"+c.credentials+address+c.path)
		var got []value.Value
		broken := h.Exchange(context.Background(), encode(t, h, session.Step{Command: "kv.get", Payload: payload}, session.Step{Method: "POST", Path: "/kv/a%2Fb/append", Payload: payload}),
			time.Now().Add(5*time.Second), func(v value.Value, err *errs.Error) {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				got = append(got, v)
			})
		if broken != nil || len(got) != 2 || !value.Equal(got[0], value.Int(5)) || !value.Equal(got[1], value.Map(value.Str("length"), value.Int(3))) {
			t.Fatalf("%s: %+v %d replies", name, broken, len(got))
		}
		h.Close()
		prefix, _, _ := strings.Cut(c.path, "?")
		common := " HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: libsynap\r\nContent-Type: application/json\r\n" + c.header + "Content-Length: "
		envelope, rest := `{"command":"kv.get","request_id":"1","payload":{"value":"é"}}`, `{"value":"é"}`
		want := "POST " + prefix + "/api/v1/command" + common + "62\r\n\r\n" + envelope + "POST " + prefix + "/kv/a%2Fb/append" + common + "14\r\n\r\n" + rest
		if s := received(); s != want {
			t.Errorf("%s:\n%s\nnot\n%s", name, s, want)
		}
	}
}

func TestRequestIDsAreNeverTheSame(t *testing.T) {
	h := driver(t, "http://h")
	seen := map[string]bool{}
	for range 1000 {
		e, err := h.Encode(&session.Step{Command: "kv.keys"})
		if err != nil || seen[e.id] || e.id == "" {
			t.Fatalf("%q %v", e.id, err)
		}
		seen[e.id] = true
	}
}

func TestRestingConnectionsAreClosedAfterAWhile(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := driver(t, "http://"+l.Addr().String())
	dial := func() *conn {
		c, err := h.dial(time.Now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	old, young := dial(), dial()
	h.pool.put(old)
	h.pool.put(young)
	old.rests = time.Now().Add(-session.IdleLimit)
	h.pool.reap()
	if c := h.pool.take(); c != young {
		t.Error("the young connection does not rest any more")
	}
	if c := h.pool.take(); c != nil {
		t.Error("the old connection rests on")
	}
	if _, err := old.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the old connection is not closed: %v", err)
	}
	h.Close()
	if _, err := young.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a connection in use outlives the driver: %v", err)
	}
	if _, err := h.dial(time.Now().Add(time.Second)); err == nil {
		t.Error("a closed driver connects")
	}
	h.pool.put(young) // its exchange ends only now
	if c := h.pool.take(); c != nil {
		t.Error("a closed driver lends connections")
	}
}

// A connection may die after it was found alive. One that takes nothing has lost
// nothing: the next one is tried.
func TestConnectionsThatTakeNothingAreReplaced(t *testing.T) {
	const body = `{"success":true,"request_id":"1","payload":5,"error":null}`
	address, _ := record(t, "")
	h := driver(t, "http://"+address)
	dead, err := h.dial(time.Now().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	h.pool.put(dead)
	dead.close()
	alive, sent := record(t, "HTTP/1.1 200 OK\r\nContent-Length: 58\r\n\r\n"+body)
	h.cfg.Host = alive
	replies := 0
	broken := h.Exchange(context.Background(), encode(t, h, session.Step{Command: "kv.incr"}), time.Now().Add(5*time.Second), func(v value.Value, err *errs.Error) {
		if replies++; err != nil || !value.Equal(v, value.Int(5)) {
			t.Error(err)
		}
	})
	if broken != nil || replies != 1 {
		t.Fatalf("%+v, %d replies", broken, replies)
	}
	h.Close()
	if s := sent(); strings.Count(s, "kv.incr") != 1 {
		t.Error(s)
	}
}

func TestReasonsAreShort(t *testing.T) {
	for want, err := range map[string]error{
		"connection refused":       &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{Port: 1}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		"no such host nowhere":     &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "nowhere"}},
		"closed by the server":     io.ErrUnexpectedEOF,
		"connection reset by peer": syscall.ECONNRESET,
	} {
		if got := reason(err); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestUnknownHosts(t *testing.T) {
	h := driver(t, "http://no-such-host.invalid")
	broken := h.Exchange(context.Background(), encode(t, h, session.Step{Command: "kv.get"}), time.Now().Add(2*time.Second), func(value.Value, *errs.Error) { t.Error("a reply") })
	if broken == nil || broken.Sent != 0 || (broken.Err != nil && broken.Err.Code != errs.Connection) {
		t.Errorf("%+v", broken)
	}
}
