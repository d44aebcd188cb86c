package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func followStream(t *testing.T, from int64) *Follower {
	t.Helper()
	cmd := lookup(t, "stream.follow")
	args, err := cmd.Validate([]value.Value{str("room"), str("me"), value.Int(from)})
	if err != nil {
		t.Fatal(err)
	}
	return NewFollower(cmd, args, HTTP, steady(3))
}

// events is a reply of stream.consume with the offsets.
func events(t *testing.T, offsets ...int64) value.Value {
	var list []string
	for _, o := range offsets {
		list = append(list, fmt.Sprintf(`{"id":"i%d","offset":%d,"room":"room","event":"e","data":[49],"timestamp":9,"metadata":{}}`, o, o))
	}
	return js(t, `{"events":[`+strings.Join(list, ",")+`],"next_offset":0}`)
}

func stats(t *testing.T, generation int64) value.Value {
	return js(t, fmt.Sprintf(`{"name":"room","generation":%d}`, generation))
}

// poll hands in one poll and returns the offsets and losses of its items.
func poll(t *testing.T, f *Follower, consumed, figures value.Value) string {
	t.Helper()
	items, err := f.Replies([]value.Value{consumed, figures}, []*errs.Error{nil, nil})
	if err != nil {
		t.Fatal(err)
	}
	return seen(items)
}

func seen(items []value.Value) string {
	var out []string
	for _, item := range items {
		offset, _ := item.Index(0).AsInt()
		out = append(out, fmt.Sprintf("%d/%d", offset, lostOf(item)))
	}
	return strings.Join(out, " ")
}

func from(f *Follower) int64 {
	n, _ := f.Steps(100)[0].Payload.Field("from_offset").AsInt()
	return n
}

func TestFollowingAStreamResumesAfterTheLastEvent(t *testing.T) {
	f := followStream(t, 3)
	steps := f.Steps(50)
	if len(steps) != 2 || sent(steps[0]) != `stream.consume {"room":"room","subscriber_id":"me","from_offset":3,"limit":50}` || sent(steps[1]) != `stream.stats {"room":"room"}` {
		t.Fatalf("%s then %s", sent(steps[0]), sent(steps[1]))
	}
	if !steps[0].Idempotent || !steps[1].Idempotent {
		t.Error("polls of a stream are pure reads")
	}
	if got := f.Steps(1_000_000)[0].Payload.Field("limit"); !value.Equal(got, value.Int(followLimit)) {
		t.Error("the limit is not bounded")
	}
	if got := poll(t, f, events(t, 3, 4), stats(t, 1)); got != "3/0 4/0" {
		t.Errorf("%s", got)
	}
	if got := poll(t, f, events(t), stats(t, 1)); got != "" || from(f) != 5 {
		t.Errorf("%s, next from %d", got, from(f))
	}
	// A broken poll changes nothing.
	f.Broken()
	if from(f) != 5 {
		t.Errorf("next from %d", from(f))
	}
	if got := poll(t, f, events(t, 5), stats(t, 1)); got != "5/0" || from(f) != 6 {
		t.Errorf("%s, next from %d", got, from(f))
	}
}

// Evicted events are counted on the next one (protocol: stream rule 4).
func TestFollowingAStreamCountsWhatWasEvicted(t *testing.T) {
	f := followStream(t, 0)
	poll(t, f, events(t, 0, 1), stats(t, 1))
	evicted := errs.FromServer("Invalid request: Stream offset 2 out of range; earliest retained offset is 10")
	items, err := f.Replies([]value.Value{value.Nil, stats(t, 1)}, []*errs.Error{evicted, nil})
	if err != nil || len(items) != 0 || from(f) != 10 {
		t.Fatalf("%v, next from %d", err, from(f))
	}
	// Once more before anything was read.
	evicted = errs.FromServer("Invalid request: Stream offset 10 out of range; earliest retained offset is 12")
	if _, err := f.Replies([]value.Value{value.Nil, stats(t, 1)}, []*errs.Error{evicted, nil}); err != nil {
		t.Fatal(err)
	}
	if got := poll(t, f, events(t, 12, 13), stats(t, 1)); got != "12/10 13/0" {
		t.Errorf("%s", got)
	}
	// A hole inside the reply.
	if got := poll(t, f, events(t, 14, 17, 18), stats(t, 1)); got != "14/0 17/2 18/0" {
		t.Errorf("%s", got)
	}
}

// (generation, offset) tells a recreated room; its offsets restart at 0.
func TestFollowingAStreamNoticesARecreatedRoom(t *testing.T) {
	f := followStream(t, 0)
	poll(t, f, events(t, 0, 1, 2), stats(t, 100))
	// The new room holds more events than were read of the old one: those of this
	// poll are the middle of the new room, and must not be taken for the next ones.
	if got := poll(t, f, events(t, 3, 4), stats(t, 101)); got != "" || from(f) != 0 {
		t.Fatalf("%q, next from %d", got, from(f))
	}
	if got := poll(t, f, events(t, 0, 1), stats(t, 101)); got != "0/-1 1/0" {
		t.Errorf("%s", got)
	}
	// Evictions in a loss of unknown size leave it unknown.
	poll(t, f, events(t), stats(t, 102))
	evicted := errs.FromServer("Invalid request: Stream offset 0 out of range; earliest retained offset is 5")
	if _, err := f.Replies([]value.Value{value.Nil, stats(t, 102)}, []*errs.Error{evicted, nil}); err != nil {
		t.Fatal(err)
	}
	if got := poll(t, f, events(t, 5, 7), stats(t, 102)); got != "5/-1 7/1" {
		t.Errorf("%s", got)
	}
}

// The room may be recreated between the question at the start and the first poll.
func TestFollowingAStreamKnowsTheRoomItBeganWith(t *testing.T) {
	record := lookup(t, "stream.stats").Reply.Record
	fields := make([]value.Value, len(record.Fields))
	for i := range fields {
		if fields[i] = value.Int(0); record.Fields[i].Name == "generation" {
			fields[i] = value.Int(100)
		}
	}
	f := followStream(t, 0)
	f.Saw(value.Array(fields...))
	if got := poll(t, f, events(t, 0, 1), stats(t, 101)); got != "" || from(f) != 0 {
		t.Errorf("%q, next from %d", got, from(f))
	}
	f = followStream(t, 0)
	f.Saw(value.Array(fields...))
	if got := poll(t, f, events(t, 0), stats(t, 100)); got != "0/0" {
		t.Errorf("%q", got)
	}
}

// A server that restarts has no rooms until somebody creates them anew.
func TestFollowersWaitForARoomThatIsGone(t *testing.T) {
	gone := errs.FromServer("Invalid request: Room 'room' not found")
	for name, failures := range map[string][]*errs.Error{"the read": {gone, gone}, "the figures": {nil, gone}} {
		f := followStream(t, 0)
		if got := poll(t, f, events(t, 0), stats(t, 100)); got != "0/0" {
			t.Fatalf("%s: %q", name, got)
		}
		if items, err := f.Replies([]value.Value{events(t, 1), value.Nil}, failures); err != nil || len(items) != 0 {
			t.Errorf("%s: %v, %d items", name, err, len(items))
		}
		if got := poll(t, f, events(t, 1), stats(t, 101)); got != "" || from(f) != 0 {
			t.Errorf("%s: the room is back: %q, next from %d", name, got, from(f))
		}
		if got := poll(t, f, events(t, 0), stats(t, 101)); got != "0/-1" {
			t.Errorf("%s: its first event: %q", name, got)
		}
	}
}

func TestFollowersEndOnWhatWillNotPass(t *testing.T) {
	f := followStream(t, 0)
	if _, err := f.Replies([]value.Value{events(t), js(t, `{"name":"room"}`)}, []*errs.Error{nil, nil}); err == nil || err.Code != errs.Protocol {
		t.Errorf("figures without generation: %v", err)
	}
	if _, err := f.Replies([]value.Value{js(t, `{"events":[{"offset":"0"}]}`), stats(t, 1)}, []*errs.Error{nil, nil}); err == nil || err.Code != errs.Protocol {
		t.Errorf("an event of another shape: %v", err)
	}
	for code, want := range map[errs.Code]bool{errs.Connection: true, errs.Timeout: true, errs.ResourceExhausted: true, errs.NotFound: false, errs.Unauthenticated: false,
		errs.PermissionDenied: false, errs.Protocol: false, errs.Closed: false, errs.InvalidArgument: false, errs.Server: false} {
		if Transient(errs.New(code, "x")) != want {
			t.Errorf("%v", code)
		}
	}
	if !Transient(&errs.Error{Code: errs.Server, Status: 503, Retryable: true}) {
		t.Error("a gateway that is not available ends a follower")
	}
}

func TestFollowersPollMoreSeldomWhileNothingComes(t *testing.T) {
	for wire, bounds := range map[Wire][2]time.Duration{HTTP: {10 * time.Millisecond, 250 * time.Millisecond}, Direct: {time.Millisecond, 20 * time.Millisecond}} {
		cmd := lookup(t, "stream.follow")
		f := NewFollower(cmd, []value.Value{str("room"), str("me"), value.Nil}, wire, steady(3))
		want := bounds[0]
		for n := range 12 {
			poll(t, f, events(t), stats(t, 1))
			if got := f.Wait(); got != want {
				t.Errorf("wait %d on wire %d is %v, not %v", n, wire, got, want)
			}
			want = min(2*want, bounds[1])
		}
		poll(t, f, events(t, 0), stats(t, 1))
		if got := f.Wait(); got != bounds[0] {
			t.Errorf("%v after an event", got)
		}
	}
	f := followStream(t, 0)
	for range 20 {
		if got := f.Broken(); got < wireMinWait || got > maxBackoff {
			t.Errorf("waits %v after a broken poll", got)
		}
	}
}

func followQueue(t *testing.T, prefetch value.Value) *Follower {
	t.Helper()
	cmd := lookup(t, "queue.follow")
	args, err := cmd.Validate([]value.Value{str("jobs"), str("w"), prefetch})
	if err != nil {
		t.Fatal(err)
	}
	return NewFollower(cmd, args, HTTP, steady(3))
}

func TestFollowingAQueue(t *testing.T) {
	message := func(id string) value.Value {
		return js(t, `{"message":{"id":"`+id+`","payload":[120],"priority":5,"retry_count":0,"max_retries":3,"headers":{}}}`)
	}
	empty := js(t, `{"message":null}`)
	ids := func(items []value.Value) string {
		var out []string
		for _, item := range items {
			s, _ := item.Index(0).AsStr()
			out = append(out, s)
		}
		return strings.Join(out, " ")
	}
	f := followQueue(t, value.Nil)
	for range 3 {
		steps := f.Steps(100)
		if len(steps) != 1 || sent(steps[0]) != `queue.consume {"queue":"jobs","consumer_id":"w"}` || steps[0].Idempotent {
			t.Fatalf("%d steps, %s", len(steps), sent(steps[0]))
		}
		items, err := f.Replies([]value.Value{message("a")}, []*errs.Error{nil})
		if err != nil || ids(items) != "a" {
			t.Fatalf("%s %v", ids(items), err)
		}
	}
	// Several at once only while messages come: an empty queue is asked once a poll.
	f = followQueue(t, value.Int(5))
	if n := len(f.Steps(100)); n != 1 {
		t.Errorf("%d steps to begin with", n)
	}
	f.Replies([]value.Value{message("a")}, []*errs.Error{nil})
	if n := len(f.Steps(100)); n != 5 {
		t.Errorf("%d steps while messages come", n)
	}
	if n := len(f.Steps(3)); n != 3 {
		t.Errorf("%d steps for a reader of 3", n)
	}
	items, err := f.Replies([]value.Value{message("b"), message("c"), empty, empty, empty}, make([]*errs.Error, 5))
	if err != nil || ids(items) != "b c" {
		t.Errorf("%s %v", ids(items), err)
	}
	f.Replies([]value.Value{empty, empty, empty, empty, empty}, make([]*errs.Error, 5))
	if n := len(f.Steps(100)); n != 1 {
		t.Errorf("%d steps after an empty poll", n)
	}
	// What was taken before the connection broke must reach the reader.
	broken := connection()
	for name, c := range map[string]struct {
		replies  []value.Value
		failures []*errs.Error
		want     string
		code     errs.Code
	}{
		"a message, then broken":   {[]value.Value{message("a"), value.Nil, value.Nil}, []*errs.Error{nil, broken, nil}, "a", 0},
		"nothing, then broken":     {[]value.Value{empty, value.Nil, value.Nil}, []*errs.Error{nil, broken, nil}, "", 0},
		"a message, then refused":  {[]value.Value{message("a"), value.Nil}, []*errs.Error{nil, errs.FromServer("Unauthorized: x")}, "a", 0},
		"refused":                  {[]value.Value{value.Nil}, []*errs.Error{errs.FromServer("Unauthorized: x")}, "", errs.Unauthenticated},
		"a message of no use":      {[]value.Value{js(t, `{"message":{}}`)}, []*errs.Error{nil}, "", errs.Protocol},
		"the queue is deleted (*)": {[]value.Value{empty}, []*errs.Error{nil}, "", 0}, // looks like an empty one
	} {
		f := followQueue(t, value.Int(3))
		items, err := f.Replies(c.replies, c.failures)
		if ids(items) != c.want || (err == nil) != (c.code == 0) || (err != nil && err.Code != c.code) {
			t.Errorf("%s: %s %v", name, ids(items), err)
		}
	}
}
