package loop

import (
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// room makes a room on the world's server.
func (w *world) room(events ...string) {
	w.t.Helper()
	w.do("stream.create", value.Map(str("room"), str("r")))
	w.publish(events...)
}

func (w *world) publish(events ...string) {
	w.t.Helper()
	for _, e := range events {
		w.do("stream.publish", value.Map(str("room"), str("r"), str("event"), str(e), str("data"), value.Int(1)))
	}
}

// do runs a command on the server itself.
func (w *world) do(name string, payload value.Value) {
	w.t.Helper()
	if _, err := w.server.Exec(w.now, engine.Envelope, name, "", payload); err != "" {
		w.t.Fatal(err)
	}
}

// events are the names of the followed events that a frame brought.
func (w *world) events(tag int32) string {
	w.t.Helper()
	var list []string
	for _, item := range w.result(tag).Items() {
		s, _ := item.Index(1).AsStr()
		list = append(list, s)
	}
	return strings.Join(list, " ")
}

func TestFollowStream(t *testing.T) {
	w := open(t, "http://h")
	w.room("a", "b")
	w.subscribe(1, "stream.follow", str("r"), str("me"))
	w.answer()
	sub, _ := w.result(1).AsInt()
	w.next(2, sub, time.Hour)
	w.answer()
	w.answer()
	if got := w.events(2); got != "a b" {
		t.Errorf("%s", got)
	}
	w.next(3, sub, time.Hour)
	var waits []int64
	for range 8 { // nothing comes, and the questions become fewer
		w.answer()
		w.answer()
		waits = append(waits, w.c.WakeAt()-w.now)
		w.wake()
	}
	if waits[0] != 10*ms || waits[7] != 250*ms {
		t.Errorf("waits %v", waits)
	}
	w.publish("c")
	w.answer()
	w.answer()
	if got := w.events(3); got != "c" {
		t.Errorf("%s", got)
	}
	w.atRest() // nobody reads, so nobody asks
}

func TestFollowOutlivesAnOutage(t *testing.T) {
	w := open(t, "http://h", str("max_retries"), value.Int(0))
	w.room()
	w.subscribe(1, "stream.follow", str("r"), str("me"))
	w.answer()
	sub, _ := w.result(1).AsInt()
	w.next(2, sub, time.Hour)
	for range 30 {
		w.fail(true)
		w.fail(false)
		w.wake()
	}
	w.publish("a")
	w.answer()
	w.answer()
	if got := w.events(2); got != "a" {
		t.Errorf("%s", got)
	}
	// A room that is deleted meanwhile is waited for.
	w.next(3, sub, time.Hour)
	w.do("stream.delete", value.Map(str("room"), str("r")))
	w.answer()
	w.answer()
	w.wake()
	w.room()
	w.publish("b")
	w.answer() // its generation is another: read it from the start
	w.answer()
	w.wake()
	w.answer()
	w.answer()
	if got := w.events(3); got != "b" {
		t.Errorf("%s", got)
	}
	w.submit(5, 0, value.Int(5), value.Int(sub))
	w.atRest()
}

func TestFollowedRoomIsRecreated(t *testing.T) {
	w := open(t, "http://h")
	w.room("old")
	w.subscribe(1, "stream.follow", str("r"), str("me"))
	w.answer()
	sub, _ := w.result(1).AsInt()
	w.next(2, sub, time.Hour)
	w.answer()
	w.answer()
	w.do("stream.delete", value.Map(str("room"), str("r")))
	w.now += second
	w.room("new1", "new2")
	w.next(3, sub, time.Hour)
	for len(w.done) < 3 {
		if len(w.pending) == 0 {
			w.wake()
		}
		w.answer()
	}
	if items := w.result(3).Items(); w.events(3) != "new1 new2" || lost(items[0]) != -1 {
		t.Errorf("%s", text(w.result(3)))
	}
}

func TestFollowQueue(t *testing.T) {
	w := open(t, "http://h")
	w.do("queue.create", value.Map(str("name"), str("q")))
	put := func(s string) {
		w.do("queue.publish", value.Map(str("queue"), str("q"), str("payload"), value.ByteArray(s)))
	}
	put("1")
	put("2")
	put("3")
	w.subscribe(1, "queue.follow", str("q"), str("me"), value.Int(10))
	w.answer()
	sub, _ := w.result(1).AsInt()
	w.next(2, sub, time.Hour)
	w.answer()
	if n := w.result(2).Len(); n != 1 {
		t.Errorf("%d messages", n)
	}
	w.next(3, sub, time.Second) // messages come, so the next poll takes several
	if len(w.pending) != 10 {
		t.Fatalf("%d questions", len(w.pending))
	}
	w.answer() // one message is taken when the connection breaks
	for range 9 {
		w.fail(true)
	}
	if n := w.result(3).Len(); n != 1 {
		t.Errorf("%d messages", n)
	}

	// A reader that goes while a poll is under way loses nothing: what the poll
	// brings is the next reader's.
	w.next(4, sub, time.Second)
	w.to(w.now + second)
	if w.result(4).Len() != 0 {
		t.Errorf("%s", text(w.result(4)))
	}
	for len(w.pending) > 0 {
		w.answer()
	}
	w.next(5, sub, time.Second)
	if n := w.result(5).Len(); n != 1 {
		t.Errorf("%d messages", n)
	}
	w.atRest()
}

func TestFollowOnEngine(t *testing.T) {
	w := open(t, "memory://")
	w.call(1, "stream.create", str("r"))
	sub := w.opened(2, "stream.follow", str("r"), str("me"))
	w.next(3, sub, time.Hour)
	w.wake()
	w.waits(3)
	w.call(4, "stream.publish", str("r"), str("e"), value.Int(1))
	w.wake()
	if got := w.events(3); got != "e" {
		t.Errorf("%s", got)
	}
	w.next(5, sub, time.Hour)
	w.submit(6, 0, value.Int(5), value.Int(sub))
	w.failure(5, errs.Closed)
	w.atRest()
}
