package loop

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// each runs a test over both native wires.
func each(t *testing.T, test func(t *testing.T, scheme string)) {
	for _, scheme := range []string{"synap", "resp3"} {
		t.Run(scheme, func(t *testing.T) { test(t, scheme) })
	}
}

func TestNativeCalls(t *testing.T) {
	each(t, func(t *testing.T, scheme string) {
		w := openNative(t, scheme+"://h")
		bin := value.BytesOf("\xff\x00\x01")
		w.call(1, "kv.set", str("k"), bin, value.Int(60))
		w.call(2, "kv.incr", str("n"))
		w.serveAll()
		w.call(3, "kv.get", str("k"))
		w.call(4, "kv.ttl", str("k"))
		w.batch(5, "kv.set", args(str("a"), str("1")), "no.such", args(), "kv.mget", args(strs("a", "b")), "kv.incr", args(str("k")))
		w.submit(6, 0, value.Int(1), str("kv.get"), value.Map(str("key"), str("a")))
		w.call(7, "queue.create", str("q"))
		w.serveAll()
		w.call(8, "queue.publish", str("q"), value.BytesOf("\xfe"))
		w.serveAll()
		w.call(9, "queue.consume", str("q"), str("c"))
		w.call(10, "queue.consume", str("nowhere"), str("c"))
		w.call(11, "kv.mget", value.Array())
		w.serveAll()
		if v := w.result(3); v.Kind() != value.KindBytes || !value.Equal(v, bin) {
			t.Errorf("binary value: %v", text(v))
		}
		equal(t, "incr", w.result(2), "1")
		equal(t, "ttl", w.result(4), "60")
		equal(t, "raw", w.result(6), `"1"`)
		equal(t, "nothing asked", w.result(11), `[]`)
		w.failure(10, errs.NotFound)
		batch := w.result(5)
		for i, want := range []string{"[true]", "", `[["1",null]]`} {
			if want != "" {
				equal(t, "batch", batch.Index(i), want)
			}
		}
		for _, i := range []int{1, 3} {
			if batch.Index(i).Len() != 2 {
				t.Errorf("outcome %d: %s", i, text(batch.Index(i)))
			}
		}
		if s, _ := batch.Index(3).Index(1).Index(5).AsStr(); s != scheme {
			t.Errorf("transport %q", s)
		}
		if w.dialled != 1 {
			t.Errorf("%d connections", w.dialled)
		}
		w.rested()
	})
}

func TestDialOfAnAddress(t *testing.T) {
	for address, want := range map[string]Dial{
		"synap://h":               {Host: "h", Port: 15501, Timeout: 3 * time.Second},
		"synaps://h:1":            {Host: "h", Port: 1, TLS: true, Timeout: 3 * time.Second},
		"rediss://[::1]":          {Host: "::1", Port: 6379, TLS: true, Timeout: 3 * time.Second},
		"resp3://h?timeout=100ms": {Host: "h", Port: 6379, Timeout: 100 * time.Millisecond},
	} {
		w := openNative(t, address)
		w.call(1, "kv.get", str("k"))
		if got := w.socket().dial; got != want {
			t.Errorf("%s: %+v", address, got)
		}
	}
}

func TestHandshake(t *testing.T) {
	for scheme, want := range map[string]string{"synap": "AUTH", "resp3": "AUTH HELLO"} {
		w := openIn(t, &world{tcp: true, password: "secret"}, scheme+"://me:secret@h", nil)
		w.call(1, "kv.get", str("k"))
		p := w.accept()
		if got := strings.Join(p.names(), " "); got != want {
			t.Errorf("%s: %s", scheme, got)
		}
		p.all()
		p.all()
		equal(t, "get", w.result(1), "null")

		w = openIn(t, &world{tcp: true, password: "other"}, scheme+"://me:secret@h", nil)
		w.call(1, "kv.get", str("k"))
		w.call(2, "kv.incr", str("k"))
		w.accept().reply(0)
		w.failure(1, errs.Unauthenticated)
		if err := w.failure(2, errs.Unauthenticated); err.MaybeApplied || strings.Contains(err.Message, "secret") {
			t.Errorf("%+v", err)
		}
		w.atRest()
	}
}

// What one event has to say is one write per socket.
func TestOneWritePerEvent(t *testing.T) {
	w := openNative(t, "synap://h")
	w.call(1, "kv.set", str("a"), str("1"))
	w.batch(2, "kv.set", args(str("b"), str("1")), "kv.get", args(str("b")))
	w.call(3, "kv.get", str("a"))
	p := w.accept()
	if p.writes != 1 || len(p.asked) != 4 {
		t.Errorf("%d writes of %d requests", p.writes, len(p.asked))
	}
	p.all()
	w.batch(4, "kv.set", args(str("b"), str("1")), "kv.get", args(str("b")))
	if p.writes != 2 {
		t.Errorf("%d writes", p.writes)
	}
	p.all()
	w.result(4)
	w.rested()
}

// Replies may come in any order, cut anywhere, and belong to their own calls.
func TestRepliesFindTheirCalls(t *testing.T) {
	w := openNative(t, "synap://h")
	for i := int32(1); i <= 4; i++ {
		w.call(i, "kv.get", str("k"+fmt.Sprint(i)))
		w.server.Exec(w.now, 0, "kv.set", "", value.Map(str("key"), str("k"+fmt.Sprint(i)), str("value"), str("v"+fmt.Sprint(i))))
	}
	p := w.accept()
	var out []byte
	for _, i := range []int{2, 0, 1, 0} {
		out = append(out, p.carryOut(i)...)
	}
	for len(out) > 0 {
		n := min(5, len(out))
		p.data(slices.Clone(out[:n]))
		out = out[n:]
	}
	for i := int32(1); i <= 4; i++ {
		equal(t, "reply", w.result(i), `"v`+fmt.Sprint(i)+`"`)
	}
	w.rested()
}

func TestFurtherSocketOnlyWhenFull(t *testing.T) {
	w := openNative(t, "resp3://h", str("pool_size"), value.Int(2))
	tag := int32(0)
	for range session.MaxPipelined {
		tag++
		w.call(tag, "kv.get", str("k"))
	}
	first := w.accept()
	first.reply(0) // HELLO
	if len(first.asked) != session.MaxPipelined || w.dialled != 1 {
		t.Fatalf("%d requests on %d sockets", len(first.asked), w.dialled)
	}
	w.call(1000, "kv.get", str("k"))
	if w.dialled != 2 {
		t.Fatal("no further socket")
	}
	second := w.accept()
	second.all()
	second.all()
	w.result(1000)
	for range session.MaxPipelined {
		tag++
		w.call(tag, "kv.get", str("k"))
	}
	w.call(1001, "kv.get", str("k"))
	if w.dialled != 2 || len(first.asked) != session.MaxPipelined+1 {
		t.Errorf("%d sockets, %d requests on the first", w.dialled, len(first.asked))
	}
	w.serveAll()
	w.result(1001)
	w.rested()
}

func TestIdleSocketIsClosed(t *testing.T) {
	w := openNative(t, "synap://h")
	w.call(1, "kv.get", str("a"))
	w.serveAll()
	w.to(w.now + 50*second)
	w.call(2, "kv.get", str("a"))
	w.serveAll()
	w.to(w.now + 59*second)
	if len(w.peers) != 1 {
		t.Error("closed too early")
	}
	w.to(w.now + second)
	w.atRest()
	w.call(3, "kv.get", str("a"))
	w.serveAll()
	w.result(3)
	w.rested()
}

func TestServerEndsRestingSocket(t *testing.T) {
	w := openNative(t, "synap://h")
	w.call(1, "kv.get", str("a"))
	w.serveAll()
	w.socket().reset("the server closed the connection")
	w.atRest()
	w.call(2, "kv.incr", str("a"))
	w.serveAll()
	w.result(2)
	w.rested()
}

func TestCloseOfNative(t *testing.T) {
	for _, opened := range []bool{false, true} {
		w := openNative(t, "resp3://h")
		w.call(1, "kv.incr", str("n"))
		if opened {
			w.serveAll()
			w.call(2, "kv.incr", str("n"))
		}
		w.c.Close(w.now)
		w.settle()
		if !opened {
			w.failure(1, errs.Closed)
		} else if err := w.failure(2, errs.Closed); !err.MaybeApplied {
			t.Errorf("%+v", err)
		}
		w.call(3, "kv.get", str("n"))
		w.failure(3, errs.Closed)
		w.atRest()
	}
}

func TestNoSockets(t *testing.T) {
	for _, address := range []string{"synap://h", "synaps://h", "resp3://h", "redis://h"} {
		w := &world{}
		_, err := Open(start, address, value.Nil, nil, w, func() uint64 { return 0 }, nil)
		if err == nil || err.Code != errs.Unsupported || !strings.Contains(err.Message, "use http://") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestWhatTheWireLacks(t *testing.T) {
	w := openNative(t, "resp3://h")
	w.call(1, "queue.publish", str("q"), value.BytesOf("m"), value.Nil, value.Int(9))
	w.failure(1, errs.Unsupported)
	w.subscribe(2, "pubsub.subscribe", strs("t"))
	w.failure(2, errs.Unsupported)
	if w.dialled != 0 {
		t.Error("a socket was opened")
	}
	w.atRest()
}

func TestFollowersOverNative(t *testing.T) {
	each(t, func(t *testing.T, scheme string) {
		w := openNative(t, scheme+"://h")
		w.call(1, "queue.create", str("q"))
		w.call(2, "stream.create", str("s"))
		w.serveAll()
		w.call(3, "queue.publish", str("q"), value.BytesOf("m"))
		w.call(4, "stream.publish", str("s"), str("e"), value.Int(7))
		w.subscribe(5, "queue.follow", str("q"), str("c"))
		w.subscribe(6, "stream.follow", str("s"), str("c"), value.Int(0))
		w.serveAll()
		q, _ := w.result(5).AsInt()
		s, _ := w.result(6).AsInt()
		w.next(7, q, 0)
		w.next(8, s, 0)
		w.serveAll()
		if w.result(7).Len() != 1 || w.result(8).Len() != 1 {
			t.Errorf("%s %s", text(w.result(7)), text(w.result(8)))
		}
		w.next(9, s, time.Second)
		w.serveAll()
		w.submit(10, 0, value.Int(5), value.Int(s))
		w.submit(11, 0, value.Int(5), value.Int(q))
		w.failure(9, errs.Closed)
		w.serveAll()
		w.rested()
	})
}
