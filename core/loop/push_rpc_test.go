package loop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// openedRPC opens a subscription over SynapRPC.
func (w *world) openedRPC(tag int32, name string, args ...value.Value) int64 {
	w.t.Helper()
	w.subscribe(tag, name, args...)
	w.serveAll()
	id, _ := w.result(tag).AsInt()
	return id
}

// announce has the server publish, and deliver it.
func (w *world) announce(topic string, times int) {
	w.t.Helper()
	for range times {
		w.server.Exec(w.now, engine.Raw, "pubsub.publish", "", value.Map(str("topic"), str(topic), str("payload"), str("x")))
	}
	w.serveAll()
}

func TestSubscriptionOverRPC(t *testing.T) {
	w := openNative(t, "synap://h")
	sub := w.openedRPC(1, "pubsub.subscribe", strs("a.*"))
	w.call(2, "pubsub.publish", str("a.1"), value.Map(str("n"), value.Int(1)))
	w.call(3, "pubsub.publish", str("b.1"), str("x"))
	w.serveAll()
	w.next(4, sub, 0)
	equal(t, "topic", w.result(4).Index(0).Index(0), `"a.1"`)
	equal(t, "payload", w.result(4).Index(0).Index(1), `{"n":1}`)
	w.next(5, sub, time.Second)
	w.waits(5)
	w.announce("a.2", 1)
	if got := w.topics(5); got != "a.2" || w.dialled != 2 {
		t.Errorf("%s on %d sockets", got, w.dialled)
	}
	p := w.peers[0]
	w.submit(6, 0, value.Int(5), value.Int(sub))
	if got := strings.Join(p.names(), " "); got != "UNSUBSCRIBE" {
		t.Errorf("the server was told %q", got)
	}
	if slices.Contains(w.peers, p) {
		t.Error("the socket is open")
	}
	w.rested()
}

func TestWatchOverRPC(t *testing.T) {
	w := openNative(t, "synap://h")
	sub := w.openedRPC(1, "kv.watch", strs("k", "l*"))
	w.call(2, "kv.set", str("k"), str("v"))
	w.call(3, "kv.set", str("m"), str("v"))
	w.call(4, "kv.set", str("l1"), str("w"))
	w.serveAll()
	w.next(5, sub, 0)
	if w.result(5).Len() != 2 {
		t.Errorf("%s", text(w.result(5)))
	}
	p := w.peers[0]
	w.c.Close(w.now)
	w.settle()
	if got := strings.Join(p.names(), " "); got != "KV.UNWATCH KV.UNWATCH KV.UNWATCH" {
		t.Errorf("the server was told %q", got)
	}
	w.atRest()
}

func TestRPCSubscriptionComesBack(t *testing.T) {
	w := openNative(t, "synap://h")
	sub := w.openedRPC(1, "pubsub.subscribe", strs("t"))
	w.announce("t", 1)
	w.socket().reset("connection reset by peer")
	for range 20 {
		w.wake()
		w.socket().reset("connection refused")
	}
	w.wake()
	p := w.accept()
	if got := strings.Join(p.names(), " "); got != "UNSUBSCRIBE SUBSCRIBE" {
		t.Errorf("the server is asked for %q", got)
	}
	w.serveAll()
	w.announce("t", 1)
	w.next(2, sub, 0)
	if items := w.result(2).Items(); len(items) != 2 || lost(items[0]) != 0 || lost(items[1]) != -1 {
		t.Errorf("%s", text(w.result(2)))
	}
	if all := strings.Join(w.logs, "; "); strings.Count(all, "broke") != 1 || strings.Count(all, "is back") != 1 {
		t.Errorf("logs %q", w.logs)
	}
	w.c.Close(w.now)
	w.settle()
	w.atRest()
}

func TestRPCSubscriptionThatGoesSilent(t *testing.T) {
	w := openNative(t, "synap://h")
	w.openedRPC(1, "pubsub.subscribe", strs("t"))
	first := w.socket()
	for range 10 {
		w.to(w.now + 15*second)
		if got := strings.Join(first.names(), " "); got != "PING" {
			t.Fatalf("the server is asked for %q", got)
		}
		first.all()
	}
	w.to(w.now + 15*second)
	w.to(w.now + 15*second)
	w.to(w.now + 10*second - 1)
	if !slices.Contains(w.peers, first) {
		t.Fatal("dropped too early")
	}
	w.to(w.now + 1)
	if slices.Contains(w.peers, first) {
		t.Fatal("a silent socket is kept")
	}
	w.wake()
	w.serveAll()
	w.c.Close(w.now)
	w.settle()
	w.atRest()
}

func TestRPCSubscriptionThatIsDetached(t *testing.T) {
	w := openNative(t, "synap://h", str("timeout"), value.Int(2))
	w.openedRPC(1, "pubsub.subscribe", strs("t"))
	first := w.socket()
	w.announce("t", 512) // the question is put, published and comes back
	w.to(w.now + 3*second)
	if !slices.Contains(w.peers, first) {
		t.Fatal("an answered question drops the socket")
	}
	w.announce("t", 511) // the probe's answer counts too
	first.subs = nil
	w.server.Exec(w.now, engine.Raw, "pubsub.publish", "", value.Map(str("topic"), str("t"), str("payload"), str("x")))
	push := synaprpc.AppendReply(nil, synaprpc.PushID, value.Map(str("topic"), str("t"), str("payload"), str("1"), str("id"), str("1"), str("timestamp"), value.Int(1)))
	first.data(push)
	if got := strings.Join(first.names(), " "); got != "PUBLISH" {
		t.Fatalf("the server is asked for %q", got)
	}
	first.all()
	w.to(w.now + 2*second)
	if slices.Contains(w.peers, first) {
		t.Fatal("a socket on which nothing is delivered is kept")
	}
	w.wake()
	w.serveAll()
	w.c.Close(w.now)
	w.settle()
	w.atRest()
}

// Who may not publish cannot ask, and has a subscription all the same.
func TestRPCProbeThatIsRefused(t *testing.T) {
	w := openNative(t, "synap://h", str("timeout"), value.Int(2))
	w.openedRPC(1, "pubsub.subscribe", strs("t"))
	first := w.socket()
	for i := range 512 {
		w.server.Exec(w.now, engine.Raw, "pubsub.publish", "", value.Map(str("topic"), str("t"), str("payload"), value.Int(int64(i))))
	}
	first.data(first.pushes())
	q := first.asked[0]
	first.asked = nil
	first.data(synaprpc.AppendFailure(nil, q.id, "NOPERM this user may not publish"))
	w.to(w.now + 10*second)
	if !slices.Contains(w.peers, first) {
		t.Error("the socket is dropped because nobody may ask")
	}
	w.c.Close(w.now)
	w.settle()
	w.atRest()
}

func TestRPCSubscriptionThatNeverOpens(t *testing.T) {
	w := openNative(t, "synap://h", str("max_retries"), value.Int(2))
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	for len(w.done) == 0 {
		if w.socket().reset("connection refused"); len(w.done) == 0 {
			w.wake()
		}
	}
	if err := w.failure(1, errs.Connection); w.dialled != 3 || !strings.Contains(err.Message, "refused") || err.Command != "pubsub.subscribe" {
		t.Errorf("%d attempts: %+v", w.dialled, err)
	}
	w.atRest()

	w = openNative(t, "synap://h")
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	p := w.accept()
	q := p.asked[0]
	p.data(synaprpc.AppendFailure(nil, q.id, "NOPERM this user may not subscribe"))
	w.failure(1, errs.PermissionDenied)
	w.atRest()

	w = openNative(t, "synap://h", str("timeout"), value.Int(2), str("connect_timeout"), value.Int(2))
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	w.accept() // and not a word
	w.to(w.now + 2*second)
	w.failure(1, errs.Timeout)
	w.atRest()

	w = openNative(t, "synap://h")
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	w.accept()
	w.c.Cancel(w.now, 1)
	w.settle()
	w.failure(1, errs.Canceled)
	w.subscribe(2, "pubsub.subscribe", strs("t"), value.Nil, str("block"))
	w.failure(2, errs.Unsupported)
	w.atRest()
}

const stockRefusal = "Missing request extension: Extension of type `axum::extract::connect_info::ConnectInfo<core::net::socket_addr::SocketAddr>` was not found."

// A stock server refuses every WebSocket; its pushes come over SynapRPC.
func TestPushesOfAStockServer(t *testing.T) {
	w := openNative(t, "http://me:secret@h:8080")
	w.password = "secret"
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	if w.dialled != 0 {
		t.Fatal("SynapRPC before WebSocket")
	}
	w.cut(500, stockRefusal)
	if d := w.socket().dial; d.Host != "h" || d.Port != 15501 || d.TLS {
		t.Errorf("%+v", d)
	}
	w.serveAll()
	sub, _ := w.result(1).AsInt()
	w.announce("t", 1)
	w.next(2, sub, 0)
	if got := w.topics(2); got != "t" {
		t.Errorf("%s", got)
	}
	w.socket().reset("connection reset by peer")
	w.wake() // straight to SynapRPC
	w.serveAll()
	w.announce("t", 1)
	w.next(3, sub, 0)
	if got := w.topics(3); got != "t" || len(w.streams) != 0 {
		t.Errorf("%s, %d WebSockets", got, len(w.streams))
	}
	w.c.Close(w.now)
	w.settle()
	w.atRest()
}

func TestPushOption(t *testing.T) {
	for push, want := range map[string]Dial{
		"rpc":                     {Host: "h", Port: 15501},
		"synap://other:7":         {Host: "other", Port: 7},
		"synaps://me:pw@[::1]:16": {Host: "::1", Port: 16, TLS: true},
	} {
		w := openNative(t, "http://h:8080", str("push"), str(push))
		w.password = "pw"
		w.subscribe(1, "pubsub.subscribe", strs("t"))
		if d := w.socket().dial; d.Host != want.Host || d.Port != want.Port || d.TLS != want.TLS {
			t.Errorf("%s: %+v", push, d)
		}
		w.serveAll()
		w.result(1)
		w.c.Close(w.now)
		w.settle()
		w.atRest()
	}
	w := openNative(t, "http://h:8080", str("push"), str("ws"))
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	w.cut(500, stockRefusal)
	w.failure(1, errs.Unsupported)
	w.atRest()
}

func TestNoPushChannel(t *testing.T) {
	w := openNative(t, "http://h:8080", str("max_retries"), value.Int(0))
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	w.cut(500, stockRefusal)
	w.socket().reset("connection refused")
	err := w.failure(1, errs.Unsupported)
	for _, part := range []string{"stock build", "synap://h:15501", "connection refused", "push=synap://"} {
		if !strings.Contains(err.Message, part) {
			t.Errorf("%q lacks %q", err.Message, part)
		}
	}
	w.atRest()
}

func TestPushWithoutSockets(t *testing.T) {
	w := open(t, "http://h", str("max_retries"), value.Int(0))
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	w.cut(500, stockRefusal)
	w.subscribe(2, "pubsub.subscribe", strs("t"))
	w.cut(0, "")
	for tag, err := range map[int32]*errs.Error{1: w.failure(1, errs.Unsupported), 2: w.failure(2, errs.Connection)} {
		if !strings.Contains(err.Message, "stock") || !strings.Contains(err.Message, "needs TCP, which a browser does not have") {
			t.Errorf("%d: %s", tag, err.Message)
		}
	}
	w.atRest()
	w = open(t, "http://h", str("push"), str("rpc"))
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	if err := w.failure(1, errs.Unsupported); !strings.Contains(err.Message, "push=ws") {
		t.Error(err)
	}
	w.atRest()
}
