package loop

import (
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// shared gives all clients one engine.
type shared struct {
	engine   *engine.Engine
	released []string
}

func (s *shared) Engine(string) *engine.Engine { return s.engine }
func (s *shared) Release(name string)          { s.released = append(s.released, name) }

// opened opens a subscription on the engine and returns its id.
func (w *world) opened(tag int32, name string, args ...value.Value) int64 {
	w.t.Helper()
	w.subscribe(tag, name, args...)
	id, ok := w.result(tag).AsInt()
	if !ok || id <= 0 {
		w.t.Fatalf("the subscription is %s", text(w.result(tag)))
	}
	return id
}

// openedPush opens one over a WebSocket.
func (w *world) openedPush(tag int32, name string, args ...value.Value) int64 {
	w.t.Helper()
	w.subscribe(tag, name, args...)
	w.waits(tag)
	w.push(`{"type":"connected","subscriber_id":"s"}`)
	id, _ := w.result(tag).AsInt()
	return id
}

// topics are the first fields of the items that a frame brought.
func (w *world) topics(tag int32) string {
	w.t.Helper()
	var list []string
	for _, item := range w.result(tag).Items() {
		s, _ := item.Index(0).AsStr()
		list = append(list, s)
	}
	return strings.Join(list, " ")
}

func lost(item value.Value) int64 {
	n, _ := item.Index(item.Len() - 1).AsInt()
	return n
}

func message(topic string) string {
	return `{"type":"message","topic":"` + topic + `","payload":1,"message_id":"m","timestamp":1}`
}

func TestEngineSubscription(t *testing.T) {
	w := open(t, "memory://")
	sub := w.opened(1, "pubsub.subscribe", strs("a.*"))
	w.call(2, "pubsub.publish", str("a.1"), str("x"))
	w.call(3, "pubsub.publish", str("b.1"), str("x"))
	w.call(4, "pubsub.publish", str("a.2"), str("x"))
	w.next(5, sub, 0)
	if got := w.topics(5); got != "a.1 a.2" {
		t.Errorf("%s", got)
	}
	w.next(6, sub, time.Second)
	w.waits(6)
	w.call(7, "pubsub.publish", str("a.3"), str("x"))
	if got := w.topics(6); got != "a.3" {
		t.Errorf("%s", got)
	}
	w.next(8, sub, time.Second)
	w.to(start + second - 1)
	w.waits(8)
	w.to(start + second)
	if w.result(8).Len() != 0 {
		t.Errorf("%s", text(w.result(8)))
	}
	w.next(9, sub, time.Second)
	w.next(10, sub, time.Second)
	w.failure(10, errs.InvalidArgument)
	w.submit(11, 0, value.Int(5), value.Int(sub))
	w.result(11)
	w.failure(9, errs.Closed)
	w.next(12, sub, time.Second)
	w.failure(12, errs.Closed)
	w.submit(13, 0, value.Int(5), value.Int(sub))
	w.result(13)
	w.atRest()
}

func TestEngineSubscriptionCountsLoss(t *testing.T) {
	w := open(t, "memory://")
	sub := w.opened(1, "pubsub.subscribe", strs("t"), value.Int(2))
	for tag := int32(2); tag < 7; tag++ {
		w.call(tag, "pubsub.publish", str("t"), value.Int(int64(tag)))
	}
	w.next(10, sub, 0)
	items := w.result(10).Items()
	if len(items) != 2 || lost(items[0]) != 3 || lost(items[1]) != 0 {
		t.Errorf("%s", text(w.result(10)))
	}
}

func TestWatchOnEngine(t *testing.T) {
	w := open(t, "memory://")
	sub := w.opened(1, "kv.watch", strs("k"))
	// Anyone may publish to the topic of a watch; only events count, and a reader
	// must get them although others fill what it may take at once.
	for tag := int32(2); tag < 300; tag++ {
		w.call(tag, "pubsub.publish", str("__watch@0__:k"), str("noise"))
	}
	w.call(300, "kv.set", str("k"), str("v"))
	w.submit(301, 0, value.Int(4), value.Int(sub), value.Int(10))
	if items := w.result(301).Items(); len(items) != 1 || !strings.Contains(text(items[0]), `"k","set"`) {
		t.Errorf("%s", text(w.result(301)))
	}
}

// Two clients of one memory:// name: what one publishes, the other's reader gets
// with the event in which it was published.
func TestPublishFromAnotherClient(t *testing.T) {
	both := &shared{engine: engine.New(engine.Options{})}
	reader, writer := openWith(t, "memory://x", both), openWith(t, "memory://x", both)
	sub := reader.opened(1, "pubsub.subscribe", strs("t"))
	reader.next(2, sub, 0)
	writer.call(1, "pubsub.publish", str("t"), str("x"))
	if !reader.due {
		t.Fatal("the reader's host is not told")
	}
	reader.settle()
	if got := reader.topics(2); got != "t" {
		t.Errorf("%s", got)
	}
	reader.c.Close(start)
	writer.c.Close(start)
	writer.c.Close(start)
	if strings.Join(both.released, " ") != "x x" {
		t.Errorf("released %q", both.released)
	}
}

func TestWrongSubscriptions(t *testing.T) {
	for name, test := range map[string]struct {
		address, command string
		args             []value.Value
		code             errs.Code
	}{
		"unknown":           {"memory://", "no.such", nil, errs.Unsupported},
		"a call":            {"memory://", "kv.get", args(str("k")), errs.InvalidArgument},
		"without topics":    {"memory://", "pubsub.subscribe", args(strs()), errs.InvalidArgument},
		"bad pattern":       {"memory://", "pubsub.subscribe", args(strs("#.a")), errs.InvalidArgument},
		"unknown room":      {"memory://", "stream.follow", args(str("r"), str("me")), errs.NotFound},
		"unknown queue":     {"memory://", "queue.follow", args(str("q"), str("me")), errs.NotFound},
		"comma":             {"http://h", "pubsub.subscribe", args(strs("a,b")), errs.InvalidArgument},
		"blocking overflow": {"http://h", "pubsub.subscribe", args(strs("a"), value.Nil, str("block")), errs.Unsupported},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, test.address)
			w.subscribe(1, test.command, test.args...)
			if err := w.failure(1, test.code); err.Command != test.command {
				t.Errorf("%+v", err)
			}
			w.atRest()
		})
	}
}

func TestPush(t *testing.T) {
	w := open(t, "https://h/p", str("api_key"), str("key"))
	sub := w.openedPush(1, "pubsub.subscribe", strs("a", "b c"))
	r := w.stream()
	if r.URL != "wss://h:15500/p/pubsub/ws?topics=a,b%20c,libsynap-probe-ffffffffffffffff-*" || r.Authorization != "Bearer key" || int64(r.Timeout) != 3*second {
		t.Errorf("%+v", r)
	}
	w.push(message("a"))
	w.push(`{"type":"ping"}`)
	w.push(message("b"))
	w.next(2, sub, 0)
	if got := w.topics(2); got != "a b" {
		t.Errorf("%s", got)
	}
	w.next(3, sub, 0)
	w.waits(3)
	w.push(message("c"))
	if got := w.topics(3); got != "c" {
		t.Errorf("%s", got)
	}
	w.submit(4, 0, value.Int(5), value.Int(sub))
	if len(w.closed) != 1 {
		t.Errorf("closed %v", w.closed)
	}
	w.atRest()
}

func TestPushOverflow(t *testing.T) {
	w := open(t, "http://h")
	sub := w.openedPush(1, "pubsub.subscribe", strs("t"), value.Int(2))
	for _, topic := range []string{"1", "2", "3", "4"} {
		w.push(message(topic))
	}
	w.next(2, sub, 0)
	if items := w.result(2).Items(); w.topics(2) != "3 4" || lost(items[0]) != 2 {
		t.Errorf("%s", text(w.result(2)))
	}
}

const probeTopic = "libsynap-probe-ffffffffffffffff-1"

// burst sends as many messages as a question follows.
func (w *world) burst() {
	w.t.Helper()
	for range 512 {
		w.push(message("t"))
	}
}

// A server that detached a subscriber leaves its WebSocket open. A message that is
// published and does not come back tells.
func TestPushThatIsDetached(t *testing.T) {
	w := open(t, "http://h", str("timeout"), value.Int(2))
	sub := w.openedPush(1, "pubsub.subscribe", strs("t"))
	w.burst()
	if len(w.pending) != 1 || !strings.Contains(string(w.pending[0].Body), `"pubsub.publish"`) || !strings.Contains(string(w.pending[0].Body), probeTopic) {
		t.Fatalf("%d requests", len(w.pending))
	}
	w.answer()
	w.push(message(probeTopic))
	w.next(2, sub, 0)
	if n := w.result(2).Len(); n != 100 || strings.Contains(w.topics(2), "probe") {
		t.Errorf("%d items: %s", n, w.topics(2))
	}
	w.to(w.now + 3600*second)
	if len(w.closed) != 0 {
		t.Fatal("an answered question drops the connection")
	}
	w.burst()
	w.answer()
	w.to(w.now + second)
	w.push(message("t")) // the backlog; nothing after it
	w.to(w.now + second)
	if len(w.closed) != 0 {
		t.Fatal("dropped while messages come")
	}
	w.to(w.now + second)
	if len(w.closed) != 1 {
		t.Fatal("a connection that does not answer is kept")
	}
	w.wake()
	w.push(`{"type":"connected"}`)
	w.push(message("u"))
	for tag := int32(10); ; tag++ {
		w.next(tag, sub, 0)
		items := w.result(tag).Items()
		if last := items[len(items)-1]; len(items) < 100 {
			if lost(last) != -1 {
				t.Errorf("the loss is not told: %s", text(last))
			}
			break
		}
	}
	w.burst() // a question is under way
	w.c.Close(w.now)
	w.settle()
	w.atRest()
}

func TestProbeThatCannotBePut(t *testing.T) {
	w := open(t, "http://h", str("timeout"), value.Int(2), str("max_retries"), value.Int(0))
	w.openedPush(1, "pubsub.subscribe", strs("t"))
	w.burst()
	r := w.pop()
	w.c.HTTPResponse(w.now, r.id, 403, "") // a key that may only read
	w.settle()
	w.to(w.now + 3600*second)
	if len(w.closed) != 0 {
		t.Error("the connection is dropped because nobody may ask")
	}
	w.burst()
	w.fail(false)
	w.wake() // later it is asked again
	w.answer()
	w.push(message(probeTopic))
	if w.c.WakeAt() != 0 || len(w.closed) != 0 {
		t.Errorf("waits until %d, closed %v", w.c.WakeAt(), w.closed)
	}
	w.burst()
	w.cut(0, "") // the question about the old connection is of no interest
	if len(w.pending) != 0 {
		t.Errorf("%d requests", len(w.pending))
	}
	w.wake()
	w.push(`{"type":"connected"}`)
	if w.c.WakeAt() != 0 {
		t.Errorf("waits until %d", w.c.WakeAt())
	}
}

func TestPushComesBack(t *testing.T) {
	w := open(t, "http://h")
	sub := w.openedPush(1, "pubsub.subscribe", strs("t"))
	w.next(2, sub, time.Hour)
	w.push(message("1"))
	w.cut(0, "")
	w.next(3, sub, time.Hour)
	for range 20 { // far more than max_retries: a subscription outlives an outage
		w.wake()
		w.cut(0, "")
	}
	if wait := w.c.WakeAt() - w.now; wait > 3*second {
		t.Errorf("the next attempt is in %v", time.Duration(wait))
	}
	w.wake()
	w.push(`{"type":"connected"}`)
	w.push(message("2"))
	items := w.result(3).Items()
	if w.topics(3) != "2" || lost(items[0]) != -1 {
		t.Errorf("%s", text(w.result(3)))
	}
	w.push(message("3"))
	w.next(4, sub, 0)
	if items := w.result(4).Items(); lost(items[0]) != 0 {
		t.Errorf("the loss is told twice: %s", text(w.result(4)))
	}
	if all := strings.Join(w.logs, "; "); strings.Count(all, "broke") != 1 || strings.Count(all, "is back") != 1 {
		t.Errorf("logs %q", w.logs)
	}
	w.cut(0, "")
	w.wake()
	w.push(`{"type":"connected"}`)
	w.push(message("4"))
	w.next(5, sub, 0)
	if items := w.result(5).Items(); lost(items[0]) != -1 {
		t.Errorf("the second loss is not told: %s", text(w.result(5)))
	}
	w.c.Close(w.now)
	w.settle()
	w.atRest()
}

func TestPushThatGoesSilent(t *testing.T) {
	w := open(t, "http://h", str("connect_timeout"), value.Int(1))
	w.openedPush(1, "pubsub.subscribe", strs("t"))
	w.cut(0, "")
	w.wake()
	first := w.stream().id
	w.to(w.now + second) // opened again, and not a word
	if len(w.closed) != 1 || w.closed[0] != first {
		t.Errorf("closed %v", w.closed)
	}
	w.wake()
	if w.stream().id == first {
		t.Error("no new attempt")
	}
}

func TestPushThatSpeaksNonsense(t *testing.T) {
	for _, text := range []string{"<html>", `{"error":"Internal error: x"}`, `[]`} {
		w := open(t, "http://h")
		w.openedPush(1, "pubsub.subscribe", strs("t"))
		first := w.stream().id
		w.push(text)
		w.wake()
		if w.stream().id == first {
			t.Errorf("%s: the connection is kept", text)
		}
	}
}

func TestPushRefused(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		code   errs.Code
		says   string
	}{
		"stock server": {500, "Missing request extension: Extension of type `axum::extract::connect_info::ConnectInfo<core::net::socket_addr::SocketAddr>` was not found.", errs.Unsupported, "stock build"},
		"credentials":  {401, "", errs.Unauthenticated, "api_key"},
		"permission":   {403, "", errs.PermissionDenied, ""},
		"bad request":  {400, "no topics", errs.InvalidArgument, "no topics"},
		"failure":      {503, "", errs.Server, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, "http://h")
			w.subscribe(1, "pubsub.subscribe", strs("t"))
			w.cut(test.status, test.body)
			err := w.failure(1, test.code)
			if err.Status != test.status || err.Command != "pubsub.subscribe" || !strings.Contains(err.Message, test.says) {
				t.Errorf("%+v", err)
			}
			w.atRest()

			// The same when it comes back later: what cannot get better ends the
			// subscription, and its reader learns why.
			w = open(t, "http://h")
			sub := w.openedPush(1, "pubsub.subscribe", strs("t"))
			w.push(message("1"))
			w.cut(0, "")
			w.wake()
			w.cut(test.status, test.body)
			w.next(2, sub, time.Minute)
			if w.topics(2) != "1" {
				t.Errorf("what came before is gone: %s", text(w.result(2)))
			}
			w.next(3, sub, time.Minute)
			if test.code == errs.Server {
				w.waits(3)
				return
			}
			w.failure(3, test.code)
			w.next(4, sub, time.Minute)
			w.failure(4, test.code)
			w.submit(5, 0, value.Int(5), value.Int(sub))
			w.next(6, sub, time.Minute)
			w.failure(6, errs.Closed)
			w.atRest()
		})
	}
}

func TestPushThatNeverOpens(t *testing.T) {
	w := open(t, "http://h", str("max_retries"), value.Int(2))
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	attempts := 1
	for w.cut(0, ""); len(w.done) == 0; w.cut(0, "") {
		w.wake()
		attempts++
	}
	w.failure(1, errs.Connection)
	if attempts != 3 {
		t.Errorf("%d attempts", attempts)
	}
	w.atRest()

	w = open(t, "http://h", str("connect_timeout"), value.Int(2))
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	w.to(start + 5*second)
	w.failure(1, errs.Timeout)
	w.atRest()

	w = open(t, "http://h")
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	w.push(`{"error":"Invalid request: no topics"}`)
	w.failure(1, errs.InvalidArgument)
	w.atRest()
}
