package main

import (
	"fmt"
	"io"
	"slices"
)

// printFigures prints operations per second and latencies.
func (r results) printFigures(w io.Writer) {
	fmt.Fprintf(w, "\n%-15s %-9s %-9s │ %28s │ %28s\n", "", "", "", "one at a time           ", fmt.Sprint(many, " in flight            "))
	fmt.Fprintf(w, "%-15s %-9s %-9s │ %9s %9s %8s │ %9s %9s %8s\n", "host", "transport", "operation", "ops/s", "p50 µs", "p99 µs", "ops/s", "p50 µs", "p99 µs")
	for _, t := range transports {
		for _, op := range append(slices.Clone(operations), "batch") {
			for _, h := range hosts {
				if !h.does(cell{t, op, 1}) {
					continue
				}
				fmt.Fprintf(w, "%-15s %-9s %-9s │ %s │ %s\n", h.name, t, op, r.figures(h.name, cell{t, op, 1}), r.figures(h.name, cell{t, op, many}))
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintln(w, "queue: publish, consume and ack count as one operation. batch: 100 sets in one go count as 100; the latency is the batch's.")
	fmt.Fprintf(w, "%d in flight: goroutines in Go, submitted calls in C, threads in Python, tasks in Python asyncio and the official SDK, promises in Node.\n", many)
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

// comparison sets one host in proportion to another over HTTP.
type comparison struct {
	host, other string
	inFlight    int
	aim         float64 // 0: none
}

var comparisons = []comparison{
	{"Python asyncio", "official SDK", many, 20},
	{"Python", "official SDK", 1, 5},
	{"Go", "plain fasthttp", 1, 0.8},
	{"Go", "plain fasthttp", many, 0.8},
	{"Node", "plain undici", many, 0.8},
	{"Node", "built-in fetch", many, 5},
	{"C", "plain fasthttp", 1, 0},
	{"C", "plain fasthttp", many, 0},
	{"Python asyncio", "official SDK", 1, 0},
	{"Python", "official SDK", many, 0},
	{"Node", "plain undici", 1, 0},
	{"Node", "built-in fetch", 1, 0},
}

// printRatios prints how many times as many operations one host does as another.
func (r results) printRatios(w io.Writer) {
	fmt.Fprintf(w, "\n%-48s %7s %7s %7s %8s\n", "times as many operations per second over HTTP", "get", "set", "queue", "aim")
	for _, c := range comparisons {
		where := "one at a time"
		if c.inFlight > 1 {
			where = fmt.Sprint(c.inFlight, " in flight")
		}
		fmt.Fprintf(w, "%-48s", c.host+" / "+c.other+", "+where)
		met := true
		for _, op := range operations {
			at := cell{"http", op, c.inFlight}
			ratio := ratio(r[c.host][at], r[c.other][at])
			met = met && ratio >= c.aim
			fmt.Fprintf(w, " %7.2f", ratio)
		}
		if c.aim == 0 {
			fmt.Fprintf(w, " %8s\n", "-")
			continue
		}
		fmt.Fprintf(w, " %8s  %s\n", fmt.Sprint("≥ ", c.aim), verdict(met))
	}
}

// printBatches prints what a batch of 100 sets is worth.
func (r results) printBatches(w io.Writer) {
	fmt.Fprintf(w, "\n%-48s %7s %7s\n", "sets per second in batches of 100 / one by one", "memory", "http")
	for _, h := range hosts {
		if !h.memory {
			continue
		}
		fmt.Fprintf(w, "%-48s", h.name)
		for _, t := range transports {
			fmt.Fprintf(w, " %7.2f", ratio(r[h.name][cell{t, "batch", 1}], r[h.name][cell{t, "set", 1}]))
		}
		fmt.Fprintln(w)
	}
}

// ratio is the median of the ratios of each round.
func ratio(a, b []sample) float64 {
	rounds := make([]float64, len(a))
	for i := range rounds {
		rounds[i] = a[i].rate() / b[i].rate()
	}
	return median(rounds, func(f float64) float64 { return f })
}
