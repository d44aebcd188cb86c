package main

import (
	"time"

	"github.com/libsynap/libsynap/tests/faults/proxy"
)

const (
	patient = 4 * time.Second        // of calls that must succeed
	short   = 400 * time.Millisecond // of calls that must time out
	margin  = 700 * time.Millisecond // a slow machine's
)

// scenario is what befalls a call whose client had a working connection. Both a call
// that may be repeated (get) and one that may not (incr) meet it.
type scenario struct {
	name string
	// fault is met by the call's own bytes; nil if begin does all.
	fault *proxy.Fault
	// begin happens before the call, end after both calls; either may be nil.
	begin, end func(w *world)
	// get and incr are how the calls end: "ok" or a code. MaybeApplied of incr is
	// maybe; what the store then may hold is checked whatever the scenario.
	get, incr string
	maybe     bool
	options   string // of the client, "" for the usual
}

func fault(k proxy.Kind, reply bool) *proxy.Fault { return &proxy.Fault{Kind: k, Reply: reply} }

var scenarios = []scenario{
	{name: "request reset", fault: fault(proxy.Reset, false), get: "ok", incr: "Connection", maybe: true},
	{name: "request cut in the middle", fault: fault(proxy.Cut, false), get: "ok", incr: "Connection", maybe: true},
	{name: "reply reset", fault: fault(proxy.Reset, true), get: "ok", incr: "Connection", maybe: true},
	{name: "reply cut in the middle", fault: fault(proxy.Cut, true), get: "ok", incr: "Connection", maybe: true},
	{name: "request stalls", fault: fault(proxy.Stall, false), get: "Timeout", incr: "Timeout", maybe: true},
	{name: "reply stalls", fault: fault(proxy.Stall, true), get: "Timeout", incr: "Timeout", maybe: true},
	{name: "request drips", fault: fault(proxy.Drip, false), get: "ok", incr: "ok"},
	{name: "reply drips", fault: fault(proxy.Drip, true), get: "ok", incr: "ok"},
	{name: "request crawls", fault: fault(proxy.Crawl, false), get: "Timeout", incr: "Timeout", maybe: true},
	{name: "reply crawls", fault: fault(proxy.Crawl, true), get: "Timeout", incr: "Timeout", maybe: true},
	{name: "resting connections reset", get: "ok", incr: "ok", begin: func(w *world) {
		w.proxy.Break()
		time.Sleep(idle)
	}},
	{name: "server restarts while idle", get: "ok", incr: "ok", begin: func(w *world) {
		w.restart(0)
		time.Sleep(idle)
	}},
	// Nothing listens: the connection is refused, so nothing was sent.
	{name: "server down", get: "Connection", incr: "Connection", options: "backoff=50ms&max_retries=2",
		begin: func(w *world) {
			w.proxy.Down()
			time.Sleep(idle)
		},
		end: func(w *world) { must(w.proxy.Up()) }},
}

// idle is how long a connection rests before a call: long enough for every host to
// see that it is over.
const idle = 100 * time.Millisecond

// restart stops the server, leaves it off for a while and starts it again.
func (w *world) restart(off time.Duration) {
	w.server.Close()
	time.Sleep(off)
	must(w.start())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
