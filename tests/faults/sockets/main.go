// Sockets puts a proxy that spoils connections between every host's client and a
// server, on every wire, and checks how calls and subscriptions end: in time, with a
// typed error or by themselves well, never with another call's reply, never applied
// more often than they say.
//
// There is one list of scenarios for all hosts. A host has only an agent, a small
// program that does what it is told (agent.go).
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	only := flag.String("hosts", "go,c,python,python-asyncio,node", "the `hosts` to test")
	wires := flag.String("wires", "http,synap,resp3", "the `wires` to test")
	flag.Parse()
	// Hosts and wires run side by side: they wait, most of the time.
	began := time.Now()
	var trials []*trial
	var running sync.WaitGroup
	for _, host := range strings.Split(*only, ",") {
		if _, known := hosts[host]; !known {
			fmt.Fprintf(os.Stderr, "no host %q\n", host)
			os.Exit(2)
		}
		for _, wire := range strings.Split(*wires, ",") {
			t, err := newTrial(host, wire)
			if err != nil {
				fmt.Fprintln(os.Stderr, host, wire, err)
				os.Exit(1)
			}
			trials = append(trials, t)
			running.Go(func() {
				defer t.w.close()
				defer t.a.stop()
				t.run()
			})
		}
	}
	running.Wait()
	checks, failures := 0, 0
	for _, t := range trials {
		checks += t.checks
		failures += len(t.failures)
		for _, f := range t.failures {
			fmt.Fprintln(os.Stderr, "FAIL", f)
		}
	}
	fmt.Printf("sockets: %d scenarios and %d breaks of subscriptions, hosts %s, wires %s: %d checks, %d failed, %.1f s\n",
		len(scenarios)+6, len(breaks), *only, *wires, checks, failures, time.Since(began).Seconds())
	if failures > 0 {
		os.Exit(1)
	}
}

func newTrial(host, wire string) (*trial, error) {
	w, err := newWorld(wire)
	if err != nil {
		return nil, err
	}
	a, err := startAgent(host)
	if err != nil {
		w.close()
		return nil, err
	}
	return &trial{host: host, w: w, a: a}, nil
}
