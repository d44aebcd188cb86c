package core

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

const ms = time.Millisecond

func TestServerDown(t *testing.T) {
	address := "http://" + unused(t)
	for _, retries := range []int{0, 2} {
		c := open(t, address, With("max_retries", retries), With("backoff", 5*ms))
		_, err := c.KV.Incr(background, "k")
		e := failed(t, err, errs.Connection)
		if e.MaybeApplied || !e.Retryable || e.Command != "kv.incr" || e.Transport != "http" || !strings.Contains(e.Message, "cannot reach "+address) || !strings.Contains(e.Message, "refused") {
			t.Errorf("%+v", e)
		}
	}
}

func TestServerComesUpWhileTheCallIsRepeated(t *testing.T) {
	address := unused(t)
	var logged atomic.Int64
	c := open(t, "http://"+address, With("max_retries", 50), With("backoff", 20*ms), WithLog(func(int, string) { logged.Add(1) }))
	done := make(chan error, 1)
	go func() {
		_, err := c.KV.Incr(background, "k") // not sent, so it may be repeated
		done <- err
	}()
	within(t, 2*time.Second, "the call is repeated", func() bool { return logged.Load() >= 2 })
	p := listen(t, address, (*link).sane)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := p.commands(); got != "kv.incr" {
		t.Errorf("the server saw %s", got)
	}
}

// What happens to a call when the server breaks off, by how it does.
func TestConnectionsThatBreak(t *testing.T) {
	whole := func(l *link, a ask) string {
		body := a.envelope(`{"value":7}`)
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	for name, fault := range map[string]func(l *link, a ask){
		"closed before the reply": func(l *link, a ask) {},
		"reset before the reply":  func(l *link, a ask) { l.reset() },
		"reset in the middle":     func(l *link, a ask) { s := whole(l, a); l.send(s[:len(s)/2]); l.reset() },
		"cut off in the body":     func(l *link, a ask) { s := whole(l, a); l.send(s[:len(s)-3]) },
		"cut off in the header":   func(l *link, a ask) { l.send(whole(l, a)[:20]) },
		"cut off in a chunk": func(l *link, a ask) {
			l.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{\"success\":true")
		},
		"closed in the status line":    func(l *link, a ask) { l.send("HT") },
		"no body where one is due":     func(l *link, a ask) { l.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n") },
		"interim answer, then nothing": func(l *link, a ask) { l.send("HTTP/1.1 100 Continue\r\n\r\n") },
	} {
		p := listen(t, "", func(l *link) {
			if a, ok := l.next(); ok && l.n == 1 {
				fault(l, a)
				return
			} else if ok {
				l.answer(a)
			}
			l.sane()
		})
		// What may not be repeated fails, and says that nobody knows.
		c := open(t, p.url(), With("backoff", ms))
		_, err := c.KV.Incr(background, "k")
		if e := failed(t, err, errs.Connection); !e.MaybeApplied || e.Retryable || p.commands() != "kv.incr" {
			t.Errorf("%s: %+v after %s", name, e, p.commands())
		}
		// The client goes on.
		if n, err := c.KV.Incr(background, "k"); err != nil || n != 7 {
			t.Errorf("%s, afterwards: %v", name, err)
		}
		p.close()

		p = listen(t, "", func(l *link) {
			if a, ok := l.next(); ok && l.n == 1 {
				fault(l, a)
				return
			} else if ok {
				l.answer(a)
			}
			l.sane()
		})
		// What may be repeated is, on another connection.
		c = open(t, p.url(), With("backoff", ms))
		if s, found, err := c.KV.Get(background, "k"); err != nil || !found || s != "stored" || p.commands() != "kv.get kv.get" || p.dialed() != 2 {
			t.Errorf("%s: %v after %s on %d connections", name, err, p.commands(), p.dialed())
		}
		p.close()
	}
}

// Answers that no Synap server gives.
func TestWhatIsNotASynapServer(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		code   errs.Code
	}{
		"garbage":              {"\x00\x01\x02 garbage\n\n", errs.Protocol},
		"another protocol":     {"SSH-2.0-OpenSSH_9.6\r\n\r\n", errs.Protocol},
		"redis":                {"-ERR unknown command 'POST'\r\n", errs.Protocol},
		"a page":               {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 25\r\n\r\n<html>It works!</html>   ", errs.Protocol},
		"no status":            {"HTTP/1.1 OK\r\n\r\n", errs.Protocol},
		"a length that is not": {"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}", errs.Protocol},
		"a redirect":           {"HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n", errs.Protocol},
		"not found":            {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", errs.Protocol},
		"another request":      {"HTTP/1.1 200 OK\r\nContent-Length: 53\r\n\r\n" + `{"success":true,"request_id":"0","payload":{"value":1}}`[:53], errs.Protocol},
		"unavailable":          {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy", errs.Server},
		"unauthenticated":      {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", errs.Unauthenticated},
		"forbidden":            {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}", errs.PermissionDenied},
		"too many":             {"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", errs.ResourceExhausted},
	} {
		p := listen(t, "", func(l *link) {
			if _, ok := l.next(); ok {
				l.send(c.answer)
			}
		})
		client := open(t, p.url(), With("backoff", ms), With("timeout", 2*time.Second))
		_, err := client.KV.Incr(background, "k")
		e := failed(t, err, c.code)
		if e.Message == "" || p.commands() != "kv.incr" {
			t.Errorf("%s: %v, the server saw %s", name, e, p.commands())
		}
		if unclear := c.code == errs.Protocol && name != "not found" || c.code == errs.Server; e.MaybeApplied != unclear {
			t.Errorf("%s: maybe applied %v", name, e.MaybeApplied)
		}
		p.close()
	}
}

func TestTheReplyOfAnotherRequestIsNotHandedOut(t *testing.T) {
	p := listen(t, "", func(l *link) {
		for {
			a, ok := l.next()
			if !ok {
				return
			}
			a.id += "x"
			l.reply(a, `"of somebody else"`)
		}
	})
	c := open(t, p.url())
	_, _, err := c.KV.Get(background, "k")
	if e := failed(t, err, errs.Protocol); !strings.Contains(e.Message, "another request") {
		t.Errorf("%v", e)
	}
}

func TestRepliesOverTheLimit(t *testing.T) {
	big := `"` + repeat("x", 5000) + `"`
	for name, answer := range map[string]func(l *link, a ask){
		"announced": func(l *link, a ask) { l.reply(a, big) },
		"in chunks": func(l *link, a ask) {
			l.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for range 100 {
				l.send("64\r\n" + repeat("x", 100) + "\r\n")
			}
			l.send("0\r\n\r\n")
		},
		"without end": func(l *link, a ask) {
			l.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
			for range 100 {
				l.send(repeat("x", 100))
			}
		},
	} {
		p := listen(t, "", func(l *link) {
			for {
				a, ok := l.next()
				if !ok {
					return
				}
				if l.n == 1 {
					answer(l, a)
					return
				}
				l.answer(a)
			}
		})
		c := open(t, p.url(), With("max_reply_bytes", 4096), With("backoff", ms))
		_, _, err := c.KV.Get(background, "k")
		if e := failed(t, err, errs.TooLarge); !strings.Contains(e.Message, "max_reply_bytes (4096)") || e.Retryable || p.commands() != "kv.get" {
			t.Errorf("%s: %+v after %s", name, e, p.commands())
		}
		if s, _, err := c.KV.Get(background, "k"); err != nil || s != "stored" {
			t.Errorf("%s, afterwards: %v", name, err)
		}
		p.close()
	}
}

func TestRequestsOverTheServersLimitAreNotSent(t *testing.T) {
	p := listen(t, "", (*link).sane)
	c := open(t, p.url())
	_, err := c.KV.Set(background, "k", repeat("x", 2_097_152), nil)
	if e := failed(t, err, errs.TooLarge); e.MaybeApplied || p.dialed() != 0 {
		t.Errorf("%+v, %d connections", e, p.dialed())
	}
	if _, err := c.KV.Set(background, "k", repeat("x", 2_000_000), nil); err != nil {
		t.Error(err)
	}
}

// A server that says nothing, or too little too slowly, costs the deadline and no
// more.
func TestDeadlines(t *testing.T) {
	const deadline = 150 * ms
	drip := func(l *link, text string) {
		for {
			select {
			case <-l.peer.done:
				return
			case <-time.After(10 * ms):
				l.send(text)
			}
		}
	}
	for name, answer := range map[string]func(l *link){
		"never answers": (*link).hang,
		"drips": func(l *link) {
			l.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
			drip(l, " ")
		},
		"drips headers": func(l *link) {
			l.send("HTTP/1.1 200 OK\r\n")
			drip(l, "X: y\r\n")
		},
	} {
		p := listen(t, "", func(l *link) {
			if _, ok := l.next(); ok {
				answer(l)
			}
		})
		c, patient := open(t, p.url(), With("timeout", deadline)), open(t, p.url(), With("timeout", 30*time.Second))
		check := func(how string, err error, code errs.Code) {
			t.Helper()
			if e := failed(t, err, code); !e.MaybeApplied || e.Command != "kv.incr" {
				t.Errorf("%s, %s: %+v", name, how, e)
			}
		}
		took(t, deadline, deadline+200*ms, func() {
			_, err := c.KV.Incr(background, "k")
			check("the client's timeout", err, errs.Timeout)
		})
		took(t, deadline/2, deadline/2+200*ms, func() {
			ctx, cancel := context.WithTimeout(background, deadline/2)
			defer cancel()
			_, err := patient.KV.Incr(ctx, "k")
			check("the context's deadline", err, errs.Timeout)
		})
		took(t, deadline/2, deadline/2+200*ms, func() {
			ctx, cancel := context.WithCancel(background)
			time.AfterFunc(deadline/2, cancel)
			_, err := patient.KV.Incr(ctx, "k")
			check("cancelled", err, errs.Canceled)
		})
		frame := string(value.AppendMsgpack(nil, value.Array(value.Int(0), value.Str("kv.incr"), value.Array(value.Str("k")))))
		took(t, deadline/2, deadline/2+200*ms, func() {
			ctx, cancel := context.WithTimeout(background, deadline/2)
			defer cancel()
			_, err := patient.Frame(ctx, frame)
			check("a frame's deadline", err, errs.Timeout)
		})
		took(t, deadline/2, deadline/2+200*ms, func() {
			ctx, cancel := context.WithCancel(background)
			time.AfterFunc(deadline/2, cancel)
			_, err := patient.Frame(ctx, frame)
			check("a frame cancelled", err, errs.Canceled)
		})
		p.close()
	}
}

// A read that times out was not applied, and may be tried again.
func TestTimeoutsOfReads(t *testing.T) {
	p := listen(t, "", func(l *link) { l.next(); l.next() })
	c := open(t, p.url(), With("timeout", 50*ms))
	_, _, err := c.KV.Get(background, "k")
	if e := failed(t, err, errs.Timeout); e.MaybeApplied || !e.Retryable || !e.Timeout() {
		t.Errorf("%+v", e)
	}
}

// Nothing is sent for a caller who has already given up.
func TestContextsThatHaveEnded(t *testing.T) {
	p := listen(t, "", (*link).sane)
	canceled, cancel := context.WithCancel(background)
	cancel()
	expired, cancel := context.WithDeadline(background, time.Now().Add(-time.Second))
	defer cancel()
	frame := string(value.AppendMsgpack(nil, value.Array(value.Int(0), value.Str("kv.incr"), value.Array(value.Str("k")))))
	for _, c := range []*Client{open(t, p.url()), open(t, "memory://")} {
		for _, e := range []struct {
			ctx  context.Context
			code errs.Code
		}{{canceled, errs.Canceled}, {expired, errs.Timeout}} {
			_, err := c.KV.Incr(e.ctx, "k")
			if !errors.Is(err, e.ctx.Err()) {
				t.Errorf("%s: %v is no %v", c, err, e.ctx.Err())
			}
			if e := failed(t, err, e.code); e.MaybeApplied {
				t.Errorf("%s: %+v", c, e)
			}
			_, err = c.Frame(e.ctx, frame)
			if e := failed(t, err, e.code); e.MaybeApplied {
				t.Errorf("%s: %+v", c, e)
			}
			_, err = c.PubSub.Subscribe(e.ctx, []string{"t"}, nil)
			failed(t, err, e.code)
		}
		if found, _ := c.KV.Exists(background, "k"); found && c.engine != nil {
			t.Errorf("%s: the command was carried out", c)
		}
	}
	if got := p.commands(); strings.Contains(got, "incr") {
		t.Errorf("the server saw %s", got)
	}
}

// A server may close connections that rest. The next command, even one that may
// not be repeated, must not be lost in a dead one.
func TestConnectionsClosedWhileTheyRest(t *testing.T) {
	for name, farewell := range map[string]func(l *link){
		"closed": func(l *link) {},
		"reset":  (*link).reset,
		"with a 408": func(l *link) {
			l.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		},
		"with garbage": func(l *link) { l.send("bye") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := listen(t, "", func(l *link) {
				for {
					a, ok := l.next()
					if !ok {
						farewell(l)
						return
					}
					l.answer(a)
					_ = l.SetReadDeadline(time.Now().Add(100 * ms))
				}
			})
			// The deadline of each call has passed long before the next.
			c := open(t, p.url(), With("max_retries", 0), With("timeout", 500*ms))
			for n := range 2 {
				if n, err := c.KV.Incr(background, "k"); err != nil || n != 7 {
					t.Errorf("call %d: %v", n, err)
				}
				time.Sleep(550 * ms)
				v, err := c.Frame(background, batch("kv.incr", "k", "kv.incr", "k"))
				if got := outcomes(t, v, err); got != "ok ok" {
					t.Errorf("batch %d: %s", n, got)
				}
				time.Sleep(550 * ms)
			}
			if p.dialed() != 4 {
				t.Errorf("%d connections", p.dialed())
			}
		})
	}
}

// After a restart of the server every resting connection is dead. One call meets
// them all, and still succeeds without a single retry.
func TestServerRestart(t *testing.T) {
	g := newGate(t)
	c := open(t, g.url(), With("max_retries", 0))
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if _, _, err := c.KV.Get(background, "slow"); err != nil {
				t.Error(err)
			}
		})
	}
	g.hold(t, 8)
	g.release()
	calls.Wait()
	g.close()
	time.Sleep(20 * ms)
	again := listen(t, g.addr(), (*link).sane)
	if _, err := c.KV.Incr(background, "k"); err != nil {
		t.Fatal(err)
	}
	if again.commands() != "kv.incr" || again.dialed() != 1 {
		t.Errorf("%s on %d connections", again.commands(), again.dialed())
	}
}

func TestConnectionsAreReused(t *testing.T) {
	p := listen(t, "", (*link).sane)
	c := open(t, p.url())
	for range 20 {
		if _, err := c.KV.Incr(background, "k"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Frame(background, batch("kv.incr", "k", "kv.get", "k", "kv.incr", "k")); err != nil {
			t.Fatal(err)
		}
	}
	if p.dialed() != 1 {
		t.Errorf("%d connections for one caller", p.dialed())
	}
}

// A server or proxy that closes after each reply is slow, not broken.
func TestServerThatClosesAfterEachReply(t *testing.T) {
	for name, head := range map[string]string{"close": "HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0": "HTTP/1.0 200 OK\r\n"} {
		p := listen(t, "", func(l *link) {
			if a, ok := l.next(); ok {
				body := a.envelope(`{"value":7}`)
				l.send(head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
			}
		})
		c := open(t, p.url(), With("max_retries", 0))
		for range 5 {
			if _, err := c.KV.Incr(background, "k"); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if p.dialed() != 5 {
			t.Errorf("%s: %d connections", name, p.dialed())
		}
		p.close()
	}
}

// Each command of a batch that breaks says for itself what is known of it.
func TestBatchBrokenInTheMiddle(t *testing.T) {
	const names = 6
	frame := batch("kv.incr", "a", "kv.get", "b", "kv.incr", "c", "kv.get", "d", "kv.set", "e v", "kv.incr", "f")
	for _, c := range []struct {
		what     string
		answered int
		then     func(l *link)
		want     string
	}{
		{"nothing is answered", 0, (*link).reset, "Connection? ok Connection? ok ok Connection?"},
		{"one is answered", 1, func(l *link) {}, "ok ok Connection? ok ok Connection?"},
		{"three are answered", 3, (*link).reset, "ok ok ok ok ok Connection?"},
		{"five are answered", 5, func(l *link) { l.send("HTTP/1.1 200 OK\r\nConten") }, "ok ok ok ok ok Connection?"},
		{"all are answered", names, func(l *link) {}, "ok ok ok ok ok ok"},
		{"garbage after two", 2, func(l *link) { l.send("garbage\r\n\r\n") }, "ok ok Protocol? ok ok Connection?"},
		{"one too large after one", 1, func(l *link) { l.status(200, repeat("x", 5000)) }, "ok TooLarge Connection? ok ok Connection?"},
		{"the server closes after two", 1, func(l *link) {
			l.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnull")
		}, "ok Protocol Connection? ok ok Connection?"},
	} {
		p := listen(t, "", func(l *link) {
			if l.n > 1 {
				l.sane()
				return
			}
			var asks []ask
			for range names {
				a, ok := l.next()
				if !ok {
					return
				}
				asks = append(asks, a)
			}
			for _, a := range asks[:c.answered] {
				l.answer(a)
			}
			c.then(l)
		})
		client := open(t, p.url(), With("backoff", ms), With("max_reply_bytes", 4096))
		v, err := client.Frame(background, frame)
		if got := outcomes(t, v, err); got != c.want {
			t.Errorf("%s: %s, not %s", c.what, got, c.want)
		}
		p.close()
	}
}

// What was never handed to the connection was not applied, and is sent again.
func TestBatchThatBreaksBeforeAllIsSent(t *testing.T) {
	const n = 24
	p := listen(t, "", func(l *link) {
		if l.n == 1 {
			for range 3 {
				a, ok := l.next()
				if !ok {
					return
				}
				l.answer(a)
			}
			l.reset()
			return
		}
		l.sane()
	})
	c := open(t, p.url(), With("backoff", ms), With("timeout", 20*time.Second))
	calls := make([]any, 0, 2*n)
	for i := range n {
		calls = append(calls, "kv.incr", fmt.Sprintf("%s%d", repeat("k", 500_000), i)) // 12 MB: more than sockets buffer
	}
	v, err := c.Frame(background, batch(calls...))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	last := ""
	for i := range v.Len() {
		o := outcome(v.Index(i))
		count[o]++
		last = o
	}
	if count["ok"]+count["Connection?"] != n || last != "ok" || count["Connection?"] == 0 || count["ok"] < 4 {
		t.Errorf("%v, the last is %s", count, last)
	}
}

// Requests and replies that no socket can hold must not wait for each other.
func TestLargeBatchesFlow(t *testing.T) {
	p := listen(t, "", func(l *link) {
		for {
			a, ok := l.next()
			if !ok {
				return
			}
			l.reply(a, `"`+repeat("r", 20_000)+`"`)
		}
	})
	c := open(t, p.url(), With("timeout", 20*time.Second))
	calls := make([]any, 0, 1000)
	for range 500 {
		calls = append(calls, "kv.get", repeat("k", 20_000))
	}
	v, err := c.Frame(background, batch(calls...))
	if got := outcomes(t, v, err); got != strings.TrimSpace(repeat("ok ", 500)) {
		t.Errorf("%.200s", got)
	}
}
