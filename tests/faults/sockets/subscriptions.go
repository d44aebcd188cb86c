package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/libsynap/libsynap/tests/faults/proxy"
)

// breaks are what befalls a subscription.
var breaks = []struct {
	name string
	run  func(w *world)
}{
	{"reset", func(w *world) { w.proxy.Break() }},
	{"cut in the middle of what comes next", func(w *world) { w.proxy.Arm(*fault(proxy.Cut, true)) }},
	{"refused for a while", func(w *world) {
		w.proxy.Down()
		time.Sleep(100 * time.Millisecond)
		must(w.proxy.Up())
	}},
	{"server restarts", func(w *world) { w.restart(100 * time.Millisecond) }},
}

// subscriptions runs a subscription through every break, one after the other: it goes
// on by itself, says what it cannot know, and never delivers an item twice.
func (t *trial) subscriptions() {
	if t.w.wire != "resp3" { // which has no pushes
		t.open("a topic", "")
		r := t.a.do("subscribe", "t", patient)
		t.check(r.code == "", "subscribe: %v", r)
		n := 0
		publish := func() {
			n++
			_, err := t.w.control.PubSub.Publish(background, "t", n, nil)
			must(err)
		}
		// While it is connected, all that was published comes, in order. The next break
		// waits for that: an item of before would not tell of it.
		caughtUp := func(last int) int {
			publish()
			for last < n {
				got := t.item("then", last, 0, nil)
				t.check(got == last+1, "then: %d came after %d", got, last)
				if got <= last {
					break // it failed, which was told
				}
				last = got
			}
			return last
		}
		last := caughtUp(t.item("the first item", 0, 0, publish))
		for _, b := range breaks {
			t.scenario = "a topic, " + b.name
			b.run(t.w)
			// What was published meanwhile is lost, in a number that nobody knows.
			last = t.item("after the break", last, -1, publish)
			last = caughtUp(last)
		}
		t.close()
	}
	t.open("a room", "")
	must(t.w.control.Stream.Create(background, "room", nil))
	r := t.a.do("follow", "room", patient)
	t.check(r.code == "", "follow: %v", r)
	last := 0
	for i := range breaks {
		t.scenario = "a room, " + breaks[i].name
		breaks[i].run(t.w)
		for range 3 { // the room keeps events: none is lost, none comes twice
			sent := last + 1
			_, err := t.w.control.Stream.Publish(background, "room", "e", sent)
			must(err)
			last = t.item("after the break", last, 0, nil)
			t.check(last == sent, "got %d, want %d", last, sent)
		}
	}
	t.close()
}

// item waits for the next item, and publishes until it comes. Its number must be over
// after and its lost as given.
func (t *trial) item(when string, after, lost int, publish func()) int {
	next := t.a.begin("next", "-", 5*time.Second)
	var r result
	for done := false; !done; {
		if publish != nil {
			publish()
		}
		select {
		case r = <-next:
			done = true
		case <-time.After(25 * time.Millisecond):
		}
	}
	number, told, _ := strings.Cut(r.text, " ")
	n, err := strconv.Atoi(number)
	t.check(r.code == "" && err == nil && n > after, "%s: %v, the one before was %d", when, r, after)
	t.check(r.code != "" || told == fmt.Sprint(lost), "%s: lost is %s, want %d", when, told, lost)
	return n
}
