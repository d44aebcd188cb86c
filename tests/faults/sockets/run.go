package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/libsynap/libsynap/tests/faults/proxy"
)

// trial is one host on one wire.
type trial struct {
	host     string
	w        *world
	a        *agent
	checks   int
	failures []string
	scenario string
	counters int
}

func (t *trial) fail(format string, args ...any) {
	t.failures = append(t.failures, fmt.Sprintf("%s, %s, %s: ", t.host, t.w.wire, t.scenario)+fmt.Sprintf(format, args...))
}

func (t *trial) check(ok bool, format string, args ...any) {
	if t.checks++; !ok {
		t.fail(format, args...)
	}
}

// counter is a key that no scenario has used.
func (t *trial) counter() string {
	t.counters++
	return fmt.Sprint("n", t.counters)
}

const burst = 8

func key(i int) string { return fmt.Sprint("k", i) }

func valueOf(key string) string { return "value-of-" + key }

// run runs every scenario and every subscription.
func (t *trial) run() {
	for i := range burst + 1 {
		_, err := t.w.control.KV.Set(background, key(i), valueOf(key(i)), nil)
		must(err)
	}
	for i := range scenarios {
		t.open(scenarios[i].name, scenarios[i].options)
		t.meet(&scenarios[i])
		t.close()
	}
	for _, kind := range []proxy.Kind{proxy.Reset, proxy.Cut} {
		for _, reply := range []bool{false, true} {
			t.open(fmt.Sprintf("many calls under fault %d, reply %v", kind, reply), "")
			t.together(func() { t.w.proxy.Arm(proxy.Fault{Kind: kind, Reply: reply}) }, func() {})
			t.close()
		}
	}
	// The waits are long because all calls of a client share a budget of retries.
	t.open("server restarts under calls", "backoff=400ms&max_retries=7")
	t.together(func() { t.w.proxy.Arm(proxy.Fault{Kind: proxy.Stall, All: true}) }, func() {
		time.Sleep(50 * time.Millisecond)
		t.w.server.Close()
		t.w.proxy.Release()
		time.Sleep(100 * time.Millisecond)
		must(t.w.start())
	})
	t.close()
	t.open("late replies among those of others", "")
	t.late()
	t.close()
	t.subscriptions()
}

// open opens a client that has called once already.
func (t *trial) open(scenario, options string) {
	t.scenario = scenario
	r := t.a.do("open", t.w.url(options), patient)
	t.check(r.code == "", "open: %v", r)
	t.getOwn("the first call", 0)
}

func (t *trial) close() {
	r := t.a.do("close", "-", patient)
	t.check(r.code == "", "close: %v", r)
}

// getOwn reads keys side by side; each must get the value that names it.
func (t *trial) getOwn(when string, keys ...int) {
	var calls []<-chan result
	for _, i := range keys {
		calls = append(calls, t.a.begin("get", key(i), patient))
	}
	t.own(when, keys, calls)
}

// late holds all replies back until every second call has given up; then the replies
// of both sorts come at once, in a row on one connection where the wire shares it.
func (t *trial) late() {
	const many = 64
	met := t.w.proxy.Arm(proxy.Fault{Kind: proxy.Stall, Reply: true, All: true})
	var keys []int
	var waiting, hasty []<-chan result
	for i := range many {
		keys = append(keys, i%burst+1)
		waiting = append(waiting, t.a.begin("get", key(keys[i]), patient))
		hasty = append(hasty, t.a.begin("get", key(0), short))
	}
	<-met
	for _, c := range hasty {
		r := <-c
		t.check(r.code == "Timeout" && r.took < short+margin, "a call without a reply: %v", r)
	}
	t.w.proxy.Release()
	t.own("a call whose reply was held back", keys, waiting)
	t.getOwn("at the end", all()...)
}

func (t *trial) own(when string, keys []int, calls []<-chan result) {
	for n, c := range calls {
		r := <-c
		t.check(r.code == "" && r.text == valueOf(key(keys[n])), "%s: %s is %v", when, key(keys[n]), r)
		t.check(r.took < patient+margin, "%s: %v", when, r)
	}
}

func all() []int {
	var keys []int
	for i := range burst {
		keys = append(keys, i+1)
	}
	return keys
}

// meet runs a scenario with a call that may be repeated and with one that may not.
func (t *trial) meet(s *scenario) {
	get := t.under(s, "get", key(1), s.get)
	if get.code == "" {
		t.check(get.text == valueOf(key(1)), "get: %v", get)
	}
	up := s.get != "Connection"
	if up { // what was held back comes while others call
		t.getOwn("while it lasts", all()...)
		t.w.proxy.Release()
		t.getOwn("afterwards", all()...)
	}
	n := t.counter()
	incr := t.under(s, "incr", n, s.incr)
	t.check(incr.maybe == s.maybe, "incr: %v, but maybe applied should be %v", incr, s.maybe)
	t.w.proxy.Release()
	if s.end != nil {
		s.end(t.w)
	}
	time.Sleep(20 * time.Millisecond) // what was held back arrives at the server
	t.counted(n, []result{incr})
	t.getOwn("at the end", all()...)
	before := t.w.stored(n)
	r := t.a.do("incr", n, patient)
	t.check(r.code == "" && r.text == fmt.Sprint(before+1), "incr at the end: %v after %d", r, before)
}

// under makes one call meet the fault, and checks how it ends.
func (t *trial) under(s *scenario, op, what, want string) result {
	deadline := patient
	if want == "Timeout" {
		deadline = short
	}
	if s.begin != nil {
		s.begin(t.w)
	}
	met := make(<-chan struct{})
	if s.fault != nil {
		met = t.w.proxy.Arm(*s.fault)
	}
	r := t.a.do(op, what, deadline)
	got := r.code
	if got == "" {
		got = "ok"
	}
	t.check(got == want, "%s: %v, want %s", op, r, want)
	t.check(r.took < deadline+margin, "%s with a deadline of %v: %v", op, deadline, r)
	if s.fault != nil {
		select {
		case <-met:
			t.checks++
		default:
			t.fail("%s did not meet the fault", op)
		}
	}
	return r
}

// counted checks that the store holds what the results of incr allow: each success
// once, what may have been applied at most once, nothing else.
func (t *trial) counted(n string, results []result) {
	var sure, perhaps int64
	for _, r := range results {
		switch {
		case r.code == "":
			sure++
		case r.maybe:
			perhaps++
		}
	}
	has := t.w.stored(n)
	t.check(sure <= has && has <= sure+perhaps, "the server counted %d; %d calls succeeded and %d may have been applied: %v", has, sure, perhaps, results)
}

// together has many calls of both sorts in flight when the fault comes.
func (t *trial) together(before, meanwhile func()) {
	n := t.counter()
	keys := all()
	t.getOwn("warm", keys...)
	before()
	var gets, incrs []<-chan result
	for i := range keys {
		gets = append(gets, t.a.begin("get", key(keys[i]), patient))
		incrs = append(incrs, t.a.begin("incr", n, patient))
	}
	meanwhile()
	t.own("in flight", keys, gets)
	var results []result
	var counts []string
	for _, c := range incrs {
		r := <-c
		results = append(results, r)
		t.check(r.code == "" || r.code == "Connection", "incr in flight: %v", r)
		if r.code == "" {
			counts = append(counts, r.text)
		}
	}
	slices.Sort(counts)
	t.check(len(slices.Compact(slices.Clone(counts))) == len(counts), "two calls got one reply: %v", counts)
	t.w.proxy.Release()
	time.Sleep(20 * time.Millisecond)
	t.counted(n, results)
	t.getOwn("at the end", keys...)
}
