package loop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

func TestDialFailureIsShared(t *testing.T) {
	each(t, func(t *testing.T, scheme string) {
		w := openNative(t, scheme+"://h", str("max_retries"), value.Int(1))
		w.call(1, "kv.incr", str("n"))
		w.batch(2, "kv.incr", args(str("n")))
		w.socket().reset("connection refused")
		w.waits(1, 2)
		if w.dialled != 1 || len(w.logs) != 1 {
			t.Errorf("%d connections, logs %q", w.dialled, w.logs)
		}
		w.wake()
		if w.dialled != 2 {
			t.Errorf("%d connections", w.dialled)
		}
		w.socket().reset("connection refused")
		err := w.failure(1, errs.Connection)
		if err.MaybeApplied || !err.Retryable || !strings.Contains(err.Message, "connection refused") || !strings.Contains(err.Message, "Is the server running there?") {
			t.Errorf("%+v", err)
		}
		w.result(2)
		w.atRest()
	})
}

func TestConnectTimeout(t *testing.T) {
	for _, opened := range []bool{false, true} {
		w := openNative(t, "resp3://h", str("max_retries"), value.Int(0))
		w.call(1, "kv.incr", str("n"))
		if opened {
			w.accept()
		}
		w.to(w.now + 3*second)
		if err := w.failure(1, errs.Connection); err.MaybeApplied || !strings.Contains(err.Message, "connect_timeout") {
			t.Errorf("%+v", err)
		}
		w.atRest()
	}
}

func TestBrokenSocket(t *testing.T) {
	each(t, func(t *testing.T, scheme string) {
		w := openNative(t, scheme+"://h")
		w.call(1, "kv.incr", str("n"))
		w.serveAll()
		w.call(2, "kv.incr", str("n"))
		w.call(3, "kv.get", str("n"))
		w.socket().reset("connection reset by peer")
		if err := w.failure(2, errs.Connection); !err.MaybeApplied || err.Retryable {
			t.Errorf("%+v", err)
		}
		w.waits(3)
		w.wake()
		w.serveAll()
		equal(t, "get", w.result(3), `"1"`)
		if len(w.logs) != 1 {
			t.Errorf("logs %q", w.logs)
		}
		w.rested()
	})
}

func TestExpiredBeforeThereIsASocket(t *testing.T) {
	w := openNative(t, "synap://h")
	w.submit(1, time.Second, value.Int(0), str("kv.incr"), value.Array(str("n")))
	w.to(w.now + second)
	if err := w.failure(1, errs.Timeout); err.MaybeApplied {
		t.Errorf("%+v", err)
	}
	if p := w.accept(); len(p.asked) != 0 {
		t.Error("it was sent all the same")
	}
	w.rested()
}

// A late reply belongs to nobody, and the socket is good if anything comes.
func TestLateReplyIsDropped(t *testing.T) {
	w := openNative(t, "resp3://h")
	w.call(1, "kv.get", str("a"))
	w.serveAll()
	w.submit(2, time.Second, value.Int(0), str("kv.get"), value.Array(str("b")))
	w.call(3, "kv.set", str("c"), str("v"))
	w.call(4, "kv.get", str("c"))
	w.c.Cancel(w.now, 3)
	w.settle()
	if err := w.failure(3, errs.Canceled); !err.MaybeApplied {
		t.Errorf("%+v", err)
	}
	p := w.socket()
	p.reply(0)
	w.result(2)
	p.all()
	equal(t, "get", w.result(4), `"v"`)
	w.submit(5, time.Second, value.Int(0), str("kv.get"), value.Array(str("b")))
	w.call(6, "kv.get", str("c"))
	late := p.carryOut(0)
	w.call(7, "kv.get", str("c"))
	p.data(late[:1]) // which is not a message
	w.to(w.now + second)
	w.failure(5, errs.Timeout)
	p.data(late[1:])
	p.all()
	equal(t, "get", w.result(6), `"v"`)
	equal(t, "get", w.result(7), `"v"`)
	w.rested()
}

// A socket on which nothing came in all the time of a call is given up, but calls
// on it may still end well.
func TestSilentSocketIsRetired(t *testing.T) {
	w := openNative(t, "synap://h")
	w.call(1, "kv.get", str("a"))
	w.serveAll()
	silent := w.socket()
	w.submit(2, time.Second, value.Int(0), str("kv.incr"), value.Array(str("n")))
	w.call(3, "kv.get", str("a"))
	w.to(w.now + second)
	if err := w.failure(2, errs.Timeout); !err.MaybeApplied {
		t.Errorf("%+v", err)
	}
	w.call(4, "kv.get", str("a"))
	if w.dialled != 2 {
		t.Fatal("the silent socket takes calls")
	}
	w.accept().all()
	w.result(4)
	silent.all()
	w.result(3)
	if slices.Contains(w.peers, silent) {
		t.Error("it stays open")
	}
	// Something that came proves that it lives.
	w.submit(5, time.Second, value.Int(0), str("kv.get"), value.Array(str("a")))
	w.call(6, "kv.get", str("a"))
	w.socket().reply(1)
	w.to(w.now + second)
	w.failure(5, errs.Timeout)
	w.call(7, "kv.get", str("a"))
	w.serveAll()
	if w.result(7); w.dialled != 2 {
		t.Error("a socket that lives was retired")
	}
	w.rested()
}

// Callers that give up by themselves must not keep a dead socket in use.
func TestSilentSocketIsRetiredAlsoByCancels(t *testing.T) {
	w := openNative(t, "synap://h")
	w.call(1, "kv.get", str("a"))
	w.serveAll()
	w.call(2, "kv.get", str("a"))
	w.c.Cancel(w.now+second, 2)
	w.call(3, "kv.get", str("a"))
	w.c.Cancel(w.now+4*second, 3)
	w.now += 4 * second
	w.settle()
	w.call(4, "kv.get", str("a"))
	if w.dialled != 2 {
		t.Error("the socket is still in use")
	}
	w.serveAll()
	w.result(4)
	w.rested()
}

// What is wrong with one reply is the fault of its call alone.
func TestBadReply(t *testing.T) {
	each(t, func(t *testing.T, scheme string) {
		large := synaprpc.AppendReply(nil, 1, str(strings.Repeat("x", 2000)))
		garbage := []byte{0, 0, 0, 0, 0}
		if scheme == "resp3" {
			large, garbage = []byte("$2000\r\n"), []byte("HTTP/1.1 400 Bad Request\r\n")
		}
		for code, reply := range map[errs.Code][]byte{errs.TooLarge: large, errs.Protocol: garbage} {
			w := openNative(t, scheme+"://h", str("max_reply_bytes"), value.Int(1024))
			w.call(1, "kv.get", str("a"))
			w.serveAll()
			w.call(2, "kv.incr", str("n"))
			w.call(3, "kv.incr", str("n"))
			w.call(4, "kv.get", str("n"))
			w.socket().data(slices.Clone(reply))
			w.failure(2, code)
			if err := w.failure(3, errs.Connection); !err.MaybeApplied || !strings.Contains(err.Message, "another call") {
				t.Errorf("%+v", err)
			}
			if len(w.peers) != 0 {
				t.Error("the socket is still open")
			}
			w.wake()
			w.serveAll()
			w.result(4)
			w.rested()
		}
	})
}

// What was made but not written when its socket breaks was not sent.
func TestUnwrittenWasNotSent(t *testing.T) {
	w := openNative(t, "synap://h")
	w.call(1, "queue.create", str("q"))
	w.serveAll()
	w.call(2, "queue.consume", str("q"), str("c")) // empty: one question more follows
	p := w.socket()
	reply := p.carryOut(0)
	p.data(append(reply, 0, 0, 0, 0))
	w.waits(2)
	w.wake()
	w.serveAll()
	w.result(2)
	w.rested()
}

func TestSecondAnswerEndsTheSocket(t *testing.T) {
	w := openNative(t, "synap://h")
	w.call(1, "kv.get", str("a"))
	p := w.accept()
	reply := p.carryOut(0)
	p.data(slices.Clone(reply))
	w.call(2, "kv.get", str("a"))
	p.data(slices.Clone(reply))
	w.failure(2, errs.Protocol)
	w.atRest()
}
