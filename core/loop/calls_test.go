package loop

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func TestMemoryAnswersAtOnce(t *testing.T) {
	w := open(t, "memory://")
	w.call(1, "kv.set", str("k"), str("v"))
	w.call(2, "kv.get", str("k"))
	w.submit(3, 0, value.Int(1), str("kv.get"), value.Map(str("key"), str("k")))
	w.call(4, "queue.stats", str("nowhere"))
	w.call(5, "kv.nonsense")
	equal(t, "get", w.result(2), `"v"`)
	equal(t, "raw get", w.result(3), `"v"`)
	if err := w.failure(4, errs.NotFound); err.Command != "queue.stats" || err.Transport != "memory" {
		t.Errorf("%+v", err)
	}
	w.failure(5, errs.Unsupported)
	w.atRest()
}

func TestMalformedFrame(t *testing.T) {
	w := open(t, "memory://")
	w.c.Submit(w.now, 1, "\xc1", 0)
	w.settle()
	w.failure(1, errs.InvalidArgument)
}

func TestRequestOnTheWire(t *testing.T) {
	w := open(t, "http://user:secret@host:1/prefix", str("timeout"), value.Int(3))
	w.call(1, "kv.set", str("k"), str("v"))
	r := w.pending[0]
	if r.Method != "POST" || r.URL != "http://host:1/prefix/api/v1/command" || r.Lane != 0 || int64(r.Timeout) != 3*second ||
		r.Authorization != "Basic dXNlcjpzZWNyZXQ=" {
		t.Errorf("%+v", r)
	}
	w.answer()
	equal(t, "set", w.result(1), "true")
	w.call(2, "kv.append", str("a/b"), str("x"))
	r = w.pop()
	if r.Method != "POST" || r.URL != "http://host:1/prefix/kv/a%2Fb/append" || string(r.Body) != `{"value":"x"}` {
		t.Errorf("%+v", r)
	}
	w.c.HTTPResponse(w.now, r.id, 200, `{"length":1}`)
	w.settle()
	equal(t, "append", w.result(2), "1")
	w.atRest()
}

func TestBatchTravelsInOneLane(t *testing.T) {
	w := open(t, "http://h")
	w.batch(1, "kv.set", args(str("k"), str("v")), "kv.get", args(str("k")), "no.such", args(), "kv.mget", args(strs("k", "l")))
	if len(w.pending) != 4 {
		t.Fatalf("%d requests", len(w.pending))
	}
	lane := w.pending[0].Lane
	for _, r := range w.pending {
		if r.Lane == 0 || r.Lane != lane {
			t.Errorf("lane %d", r.Lane)
		}
	}
	w.batch(2, "kv.get", args(str("k")), "kv.get", args(str("l")))
	if other := w.pending[4].Lane; other == 0 || other == lane {
		t.Errorf("the second batch is in lane %d", other)
	}
	for range 6 {
		w.answer()
	}
	equal(t, "batch", w.result(1), `[[true],["v"],[null,[2,0,0,"unknown command no.such","no.such","http"]],[["v",null]]]`)
	equal(t, "second batch", w.result(2), `[["v"],[null]]`)
	w.atRest()
}

func TestUnsentIsRepeatedAfterAWait(t *testing.T) {
	w := open(t, "http://h")
	w.call(1, "kv.incr", str("n"))
	w.fail(false)
	w.waits(1)
	if len(w.pending) != 0 {
		t.Fatal("repeated at once")
	}
	if wait := w.c.WakeAt() - w.now; wait <= 0 || wait > 50*ms {
		t.Errorf("waits %v", time.Duration(wait))
	}
	w.wake()
	w.answer()
	equal(t, "incr", w.result(1), "1")
	if len(w.logs) != 1 || !strings.Contains(w.logs[0], "the cable is cut") {
		t.Errorf("logs %q", w.logs)
	}
	w.atRest()
}

func TestSentIsRepeatedOnlyIfIdempotent(t *testing.T) {
	w := open(t, "http://h")
	w.call(1, "kv.incr", str("n"))
	w.fail(true)
	if err := w.failure(1, errs.Connection); !err.MaybeApplied || err.Retryable {
		t.Errorf("%+v", err)
	}
	w.call(2, "kv.get", str("n"))
	w.fail(true)
	w.wake()
	w.answer()
	equal(t, "get", w.result(2), "null")
	w.atRest()
}

func TestRetriesEnd(t *testing.T) {
	for _, retries := range []int64{0, 1, 3} {
		w := open(t, "http://h", str("max_retries"), value.Int(retries))
		w.call(1, "kv.get", str("k"))
		sent := int64(1)
		for w.fail(false); len(w.done) == 0; w.fail(false) {
			w.wake()
			sent++
		}
		if err := w.failure(1, errs.Connection); err.MaybeApplied || !err.Retryable || !strings.Contains(err.Message, "the cable is cut") {
			t.Errorf("%+v", err)
		}
		if sent != retries+1 {
			t.Errorf("max_retries %d: %d attempts", retries, sent)
		}
		w.atRest()
	}
}

// A call of many steps loses them all when its connection breaks; that is one
// failed attempt.
func TestManyStepsAreOneAttempt(t *testing.T) {
	w := open(t, "http://h", str("max_retries"), value.Int(1))
	w.call(1, "kv.mset", value.Array(strs("a", "1"), strs("b", "2"), strs("c", "3")))
	w.answer()
	w.fail(true)
	w.fail(false)
	w.waits(1)
	w.wake()
	if len(w.pending) != 2 {
		t.Fatalf("%d steps are repeated", len(w.pending))
	}
	w.answer()
	w.answer()
	if v := w.result(1); !v.IsNil() {
		t.Errorf("%s", text(v))
	}
	w.atRest()
}

// Replies belong to the steps of a call in order; a host that mixes them up must
// not give one key the value of another.
func TestHostAnswersOutOfOrder(t *testing.T) {
	w := open(t, "http://h")
	w.call(1, "kv.mget", strs("a", "b"))
	a, b := w.pop(), w.pop()
	for _, r := range []request{b, a} {
		status, body := w.serve(&r.Request)
		w.c.HTTPResponse(w.now, r.id, status, body)
		w.settle()
	}
	w.failure(1, errs.Protocol)
	w.atRest()
}

func TestDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		command string
		applied bool
	}{"write": {"kv.incr", true}, "read": {"kv.get", false}} {
		t.Run(name, func(t *testing.T) {
			w := open(t, "http://h")
			w.submit(1, 300*time.Millisecond, value.Int(0), str(test.command), value.Array(str("k")))
			w.to(start + 299*ms)
			w.waits(1)
			r := w.pending[0]
			w.to(start + 300*ms)
			if err := w.failure(1, errs.Timeout); err.MaybeApplied != test.applied {
				t.Errorf("%+v", err)
			}
			if len(w.aborted) != 1 || w.aborted[0] != r.id {
				t.Errorf("aborted %v", w.aborted)
			}
			status, body := w.serve(&r.Request)
			w.c.HTTPResponse(w.now, r.id, status, body) // too late, to be ignored
			w.settle()
			w.atRest()
		})
	}
}

func TestDeadlineBetweenAttempts(t *testing.T) {
	w := open(t, "http://h", str("backoff"), value.Int(60))
	w.call(1, "kv.get", str("k"))
	w.fail(false) // the next attempt would come after the deadline
	w.failure(1, errs.Connection)
	w.atRest()
}

// A host that ends requests by itself does so at the same moment.
func TestHostEndsRequestAtDeadline(t *testing.T) {
	w := open(t, "http://h")
	w.call(1, "kv.incr", str("k"))
	w.now += 5 * second
	w.fail(true)
	if err := w.failure(1, errs.Timeout); !err.MaybeApplied {
		t.Errorf("%+v", err)
	}
	w.atRest()
}

// A machine that slept wakes long after every deadline.
func TestLateTick(t *testing.T) {
	w := open(t, "http://h")
	w.call(1, "kv.get", str("k"))
	w.fail(false)
	w.batch(2, "kv.get", args(str("k")), "kv.incr", args(str("k")))
	w.to(start + 8*3600*second)
	w.failure(1, errs.Timeout)
	if len(w.aborted) != 2 {
		t.Errorf("%d requests were given up, not the two of the batch", len(w.aborted))
	}
	for i := range 2 {
		if code, _ := w.result(2).Index(i).Index(1).Index(0).AsInt(); errs.Code(code) != errs.Timeout {
			t.Errorf("call %d: %s", i, text(w.result(2).Index(i)))
		}
	}
	w.atRest()
	w.call(3, "kv.get", str("k"))
	w.answer()
	w.result(3)
}

func TestTimeNeverGoesBack(t *testing.T) {
	w := open(t, "http://h")
	w.call(1, "kv.get", str("k"))
	w.to(start - 3600*second)
	w.call(2, "kv.get", str("k"))
	if left := w.c.WakeAt() - start; left != 5*second {
		t.Errorf("the deadline is in %v", time.Duration(left))
	}
}

func TestCancel(t *testing.T) {
	w := open(t, "http://h")
	w.call(1, "kv.incr", str("k"))
	w.call(2, "kv.get", str("k"))
	w.fail(false) // the first waits for its next attempt
	w.batch(3, "kv.incr", args(str("k")), "kv.get", args(str("k")))
	w.subscribe(4, "pubsub.subscribe", strs("t"))
	w.subscribe(5, "stream.follow", str("room"), str("me"))
	for tag := int32(1); tag <= 5; tag++ {
		w.c.Cancel(w.now, tag)
		w.settle()
	}
	for tag, applied := range map[int32]bool{1: false, 2: false, 3: true, 4: false, 5: false} {
		if err := w.failure(tag, errs.Canceled); err.MaybeApplied != applied {
			t.Errorf("frame %d: %+v", tag, err)
		}
	}
	w.c.Cancel(w.now, 1)
	w.c.Cancel(w.now, 99)
	w.settle()
	w.atRest()
}

func TestTagInUse(t *testing.T) {
	w := open(t, "http://h")
	w.call(1, "kv.get", str("k"))
	w.c.Submit(w.now, 1, string(value.AppendMsgpack(nil, value.Array(value.Int(0), str("kv.get"), strs("k")))), 0)
	list := w.c.Completions()
	if len(list) != 1 || list[0].Err == nil || list[0].Err.Code != errs.InvalidArgument {
		t.Fatalf("%+v", list)
	}
	if len(w.pending) != 1 {
		t.Errorf("%d requests", len(w.pending))
	}
	w.answer()
	w.result(1)
	w.atRest()
}

func TestMaxInFlight(t *testing.T) {
	w := open(t, "http://h", str("max_in_flight"), value.Int(3))
	w.call(1, "kv.get", str("k"))
	w.batch(2, "kv.get", args(str("k")), "kv.get", args(str("k")))
	w.call(3, "kv.get", str("k"))
	if err := w.failure(3, errs.ResourceExhausted); !err.Retryable {
		t.Errorf("%+v", err)
	}
	if len(w.pending) != 3 {
		t.Errorf("%d requests", len(w.pending))
	}
	w.answer()
	w.call(4, "kv.get", str("k"))
	for range 3 {
		w.answer()
	}
	w.result(2)
	w.result(4)
	w.atRest()
}

func TestMaxReplyBytes(t *testing.T) {
	w := open(t, "http://h", str("max_reply_bytes"), value.Int(1024))
	w.call(1, "kv.get", str("k"))
	r := w.pop()
	w.c.HTTPResponse(w.now, r.id, 200, strings.Repeat(" ", 1025))
	w.settle()
	w.failure(1, errs.TooLarge)
	w.call(2, "kv.incr", str("k"))
	w.c.HTTPTooLarge(w.now, w.pop().id)
	w.settle()
	if err := w.failure(2, errs.TooLarge); !err.MaybeApplied {
		t.Errorf("%+v", err)
	}
	w.c.HTTPTooLarge(w.now, 99)
	w.atRest()
}

func TestTooLargeIsNotSent(t *testing.T) {
	w := open(t, "http://h")
	w.batch(1, "kv.set", args(str("k"), str(strings.Repeat("x", 3<<20))), "kv.set", args(str("k"), str("v")))
	if len(w.pending) != 1 {
		t.Fatalf("%d requests", len(w.pending))
	}
	w.answer()
	if code, _ := w.result(1).Index(0).Index(1).Index(0).AsInt(); errs.Code(code) != errs.TooLarge {
		t.Errorf("%s", text(w.result(1)))
	}
	w.atRest()
}

func TestServerErrors(t *testing.T) {
	w := open(t, "http://h")
	for tag, test := range map[int32]struct {
		status int
		body   string
		code   errs.Code
	}{
		1: {401, `{"error":"Unauthorized"}`, errs.Unauthenticated},
		2: {503, "", errs.Server},
		3: {200, "<html>", errs.Protocol},
	} {
		w.call(tag, "kv.get", str("k"))
		r := w.pop()
		w.c.HTTPResponse(w.now, r.id, test.status, test.body)
		w.settle()
		w.failure(tag, test.code)
	}
	w.atRest()
}

func TestCloseWithEverythingInFlight(t *testing.T) {
	w := open(t, "http://h")
	w.subscribe(1, "pubsub.subscribe", strs("t"))
	w.push(`{"type":"connected"}`)
	open, _ := w.result(1).AsInt()
	w.call(2, "stream.create", str("room"))
	w.answer()
	w.subscribe(3, "stream.follow", str("room"), str("me"))
	w.answer()
	followed, _ := w.result(3).AsInt()

	w.call(11, "kv.incr", str("k"))
	w.call(12, "kv.get", str("k"))
	w.pending[0], w.pending[1] = w.pending[1], w.pending[0]
	w.fail(false) // 12 waits for its next attempt
	w.batch(13, "kv.get", args(str("k")), "kv.incr", args(str("k")))
	w.next(14, open, 0)
	w.next(15, followed, 0) // a poll is under way
	w.subscribe(16, "kv.watch", strs("k"))
	w.subscribe(17, "queue.follow", str("q"), str("me"))
	w.waits(11, 12, 13, 14, 15, 16, 17)

	w.c.Close(w.now)
	w.settle()
	for tag := int32(11); tag <= 17; tag++ {
		if err := w.failure(tag, errs.Closed); err.MaybeApplied != (tag == 11 || tag == 13) {
			t.Errorf("frame %d: %+v", tag, err)
		}
	}
	w.atRest()
	w.call(18, "kv.get", str("k"))
	w.failure(18, errs.Closed)
	w.c.Close(w.now)
	w.c.HTTPResponse(w.now, 1, 200, "{}")
	w.c.StreamData(w.now, 1, "{}")
	w.c.StreamClosed(w.now, 1, 0, "")
	w.to(start + 3600*second)
	w.atRest()
}

// What has ended leaves nothing behind, although its deadline is still to come
// and an older call is still under way.
func TestNoGrowth(t *testing.T) {
	w := open(t, "http://h", str("timeout"), value.Int(3600))
	w.call(-1, "kv.get", str("slow"))
	slow := w.pop()
	w.subscribe(-2, "pubsub.subscribe", strs("t"))
	w.push(`{"type":"connected"}`)
	sub, _ := w.result(-2).AsInt()
	round := func(n int) {
		for range n {
			w.call(1, "kv.get", str("k"))
			w.answer()
			w.next(2, sub, 0)
			w.push(message("t"))
			if len(w.pending) > 0 {
				w.answer()
				w.push(message(probeTopic))
			}
			w.call(3, "kv.get", str("k"))
			w.c.Cancel(w.now, 3)
			w.settle()
			w.next(4, sub, 0)
			w.c.Cancel(w.now, 4)
			w.settle()
			for tag := int32(1); tag <= 4; tag++ {
				if _, ok := w.done[tag]; !ok {
					t.Fatalf("frame %d is not done", tag)
				}
				delete(w.done, tag)
			}
			w.now += ms / 10
		}
		w.aborted = nil
	}
	round(1000)
	before := heap()
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	round(n)
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("%d bytes more are in use after %d rounds", grown, n)
	}
	w.c.HTTPResponse(w.now, slow.id, 404, "")
	w.settle()
	w.c.Close(w.now)
	w.settle()
	w.atRest()
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
