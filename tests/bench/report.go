package main

import (
	"fmt"
	"io"
	"slices"
)

// printFigures prints operations per second and latencies.
func (r results) printFigures(w io.Writer, transports []string) {
	fmt.Fprintf(w, "\n%-16s %-9s %-9s │ %28s │ %28s\n", "", "", "", "one at a time           ", fmt.Sprint(many, " in flight            "))
	fmt.Fprintf(w, "%-16s %-9s %-9s │ %9s %9s %8s │ %9s %9s %8s\n", "host", "transport", "operation", "ops/s", "p50 µs", "p99 µs", "ops/s", "p50 µs", "p99 µs")
	for _, t := range transports {
		for _, op := range ours {
			for _, h := range hosts {
				if !h.does(t, op) {
					continue
				}
				fmt.Fprintf(w, "%-16s %-9s %-9s │ %s │ %s\n", h.name, t, op, r.figures(h.name, cell{t, op, 1}), r.figures(h.name, cell{t, op, many}))
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintln(w, "queue: publish, consume and ack count as one operation. batch: 100 sets in one go count as 100; the latency is the batch's.")
	fmt.Fprintf(w, "%d in flight: goroutines in Go, submitted calls in C, threads in Python and redis-py, tasks in what has asyncio, promises in Node.\n", many)
	fmt.Fprintln(w, "synap is SynapRPC. The plain socket has everything in flight on one connection and one goroutine; redis-py opens a connection for each.")
}

func (r results) figures(host string, c cell) string {
	samples := r[host][c]
	if len(samples) == 0 {
		return fmt.Sprintf("%9s %9s %8s", "-", "-", "-")
	}
	return fmt.Sprintf("%9.0f %9.1f %8.0f", median(samples, sample.rate),
		median(samples, func(s sample) float64 { return s.P50 }), median(samples, func(s sample) float64 { return s.P99 }))
}

func median[T any](items []T, of func(T) float64) float64 {
	v := make([]float64, len(items))
	for i, item := range items {
		v[i] = of(item)
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// comparison sets one host in proportion to another, or to itself.
type comparison struct {
	transports    []string
	host          string
	inFlight      int
	other         string
	otherInFlight int
	aim           float64 // 0: none
}

var web, rpc, resp3 = transports[1:2], transports[2:3], transports[3:]

var comparisons = []comparison{
	{web, "Python asyncio", many, "official SDK", many, 20},
	{web, "Python", 1, "official SDK", 1, 5},
	{web, "Go", 1, "plain fasthttp", 1, 0.8},
	{web, "Go", many, "plain fasthttp", many, 0.8},
	{web, "Node", many, "plain undici", many, 0.8},
	{web, "Node", many, "built-in fetch", many, 5},
	{web, "C", 1, "plain fasthttp", 1, 0},
	{web, "C", many, "plain fasthttp", many, 0},
	{web, "Python asyncio", 1, "official SDK", 1, 0},
	{web, "Python", many, "official SDK", many, 0},
	{web, "Node", 1, "plain undici", 1, 0},
	{web, "Node", 1, "built-in fetch", 1, 0},
	{native, "Go", many, "plain socket", many, 0.8},
	{native, "C", many, "C", 1, 5},
	{rpc, "Python asyncio", many, "official SDK", many, 3},
	{native, "Go", 1, "plain socket", 1, 0},
	{native, "C", many, "plain socket", many, 0},
	{native, "Node", many, "plain socket", many, 0},
	{native, "Python", 1, "official SDK", 1, 0},
	{resp3, "Python asyncio", many, "official SDK", many, 0},
	{resp3, "Python asyncio", many, "redis-py asyncio", many, 0},
	{resp3, "Python", 1, "redis-py", 1, 0},
	{resp3, "Python", many, "redis-py", many, 0},
}

// printRatios prints how many times as many operations one host does as another.
func (r results) printRatios(w io.Writer, wanted []string) {
	for _, t := range wanted {
		if t == "memory" {
			continue
		}
		fmt.Fprintf(w, "\n%-56s %7s %7s %7s %8s\n", "times as many operations per second on "+t, "get", "set", "queue", "aim")
		for _, c := range comparisons {
			if slices.Contains(c.transports, t) {
				r.printRatio(w, t, &c)
			}
		}
	}
}

func (r results) printRatio(w io.Writer, transport string, c *comparison) {
	where := load(c.inFlight)
	if c.otherInFlight != c.inFlight {
		where += " to " + load(c.otherInFlight)
	}
	fmt.Fprintf(w, "%-56s", c.host+" / "+c.other+", "+where)
	met := true
	for _, op := range peer {
		times := ratio(r[c.host][cell{transport, op, c.inFlight}], r[c.other][cell{transport, op, c.otherInFlight}])
		if times == 0 {
			fmt.Fprintf(w, " %7s", "-")
			continue
		}
		met = met && times >= c.aim
		fmt.Fprintf(w, " %7.2f", times)
	}
	printAim(w, c.aim, met)
}

func load(inFlight int) string {
	if inFlight > 1 {
		return fmt.Sprint(inFlight, " in flight")
	}
	return "one at a time"
}

func printAim(w io.Writer, aim float64, met bool) {
	if aim == 0 {
		fmt.Fprintf(w, " %8s\n", "-")
		return
	}
	fmt.Fprintf(w, " %8s  %s\n", fmt.Sprint("≥ ", aim), verdict(met))
}

// batchAim is how many times as fast a batch is as its commands one by one, where
// each of these takes a round trip of little else.
const batchAim = 10

// printBatches prints what a batch of 100 sets is worth.
func (r results) printBatches(w io.Writer, wanted []string) {
	fmt.Fprintf(w, "\n%-48s", "sets per second in batches of 100 / one by one")
	aim := 0.0
	for _, t := range wanted {
		fmt.Fprintf(w, " %7s", t)
		if slices.Contains(native, t) {
			aim = batchAim
		}
	}
	fmt.Fprintf(w, " %8s\n", "aim")
	for _, h := range hosts {
		if !slices.Contains(h.ops, "batch") {
			continue
		}
		fmt.Fprintf(w, "%-48s", h.name)
		met := true
		for _, t := range wanted {
			times := ratio(r[h.name][cell{t, "batch", 1}], r[h.name][cell{t, "set", 1}])
			met = met && (times >= batchAim || !slices.Contains(native, t))
			fmt.Fprintf(w, " %7.2f", times)
		}
		printAim(w, aim, met)
	}
	if aim > 0 {
		fmt.Fprintln(w, "The aim is for synap and resp3.")
	}
}

// ratio is the median of the ratios of each round, 0 if not both were measured.
func ratio(a, b []sample) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	rounds := make([]float64, len(a))
	for i := range rounds {
		rounds[i] = a[i].rate() / b[i].rate()
	}
	return median(rounds, func(f float64) float64 { return f })
}
