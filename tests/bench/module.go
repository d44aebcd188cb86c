package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const (
	wasm      = "build/synap.wasm"
	codecWasm = "build/bench-codec.wasm" // tests/bench/workers/codec
)

// guest is what measures the module in one runtime of WASM.
type guest struct {
	name string
	pair host    // the module's part of calls over HTTP, nothing else: address wasm
	aim  float64 // most µs for a pair
	// codec is the codecs alone.
	codec host
	// whole makes whole calls on the engine in the module, at an address.
	whole host
	at    string
	soak  []string // makes very many calls of one instance; SERVER stands for the server's address
}

var guests = []guest{
	{
		name:  "Node",
		pair:  host{name: "module in Node", argv: []string{"node", "tests/bench/workers/pair.mjs"}},
		aim:   5,
		codec: host{name: "codecs in Node", argv: []string{"node", "tests/bench/workers/codec.mjs"}},
		whole: host{name: "calls in Node", argv: []string{"node", "tests/bench/workers/bench_node.mjs"}},
		at:    "memory://",
		soak:  []string{"node", "tests/bench/workers/soak.mjs", "SERVER"},
	},
	{
		name:  "wazero",
		pair:  host{name: "module under wazero", argv: []string{"build/bench-pair"}},
		aim:   4,
		codec: host{name: "codecs under wazero", argv: []string{"build/bench-pair"}},
		whole: host{name: "calls under wazero", argv: []string{"build/bench-pair"}},
		at:    wasm,
		soak:  []string{"build/bench-pair", wasm, "soak"},
	},
}

var (
	pairsTogether = cell{"module", "pair", many}
	pairsAlone    = cell{"module", "pair", 1}
	pairsInBatch  = cell{"module", "batch", 1}
	pairCells     = []cell{pairsTogether, pairsAlone, pairsInBatch}
	codecCell     = cell{"codec", "codec", 1}
	wholeCells    = []cell{{"engine", "get", 1}, {"engine", "set", 1}}
)

// measureModule has every guest do a slice of everything, in one round.
func (r results) measureModule(seconds float64) error {
	slice := func(h *host, address string, cells []cell) error {
		for _, c := range cells {
			s, err := work(h, address, c, seconds)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", h.name, c.op, err)
			}
			if r[h.name] == nil {
				r[h.name] = map[cell][]sample{}
			}
			r[h.name][c] = append(r[h.name][c], s)
		}
		return nil
	}
	for i := range guests {
		g := &guests[i]
		if err := slice(&g.pair, wasm, pairCells); err != nil {
			return err
		}
		if err := slice(&g.codec, codecWasm, []cell{codecCell}); err != nil {
			return err
		}
		if err := slice(&g.whole, g.at, wholeCells); err != nil {
			return err
		}
	}
	return nil
}

// each is the median time of one operation in µs.
func (r results) each(h host, c cell) float64 {
	return median(r[h.name][c], func(s sample) float64 { return 1e6 / s.rate() })
}

// printModule prints the time per call in the module.
func (r results) printModule(w io.Writer) {
	fmt.Fprintf(w, "\n%-34s %12s %12s %12s %8s\n", "encode + decode in the module, µs", fmt.Sprint(many, " together"), "alone", "in a batch", "aim")
	for _, g := range guests {
		together := r.each(g.pair, pairsTogether)
		fmt.Fprintf(w, "%-34s %12.2f %12.2f %12.2f %8s  %s\n", g.name, together, r.each(g.pair, pairsAlone), r.each(g.pair, pairsInBatch),
			fmt.Sprint("≤ ", g.aim), verdict(together <= g.aim))
	}
	fmt.Fprintln(w, "The frame of a kv.get in, a request out, its response in, the completion out; the host answers at once. The aim is for the first column.")
	fmt.Fprintf(w, "\n%-34s %12s %25s %8s\n", "the codecs alone, µs", "a pair", "", "aim")
	for _, g := range guests {
		pair := r.each(g.codec, codecCell)
		fmt.Fprintf(w, "%-34s %12.2f %25s %8s  %s\n", g.name, pair, "", fmt.Sprint("≤ ", g.aim), verdict(pair <= g.aim))
	}
	fmt.Fprintln(w, "A frame decoded, its request encoded; the response decoded, its result encoded: what the client adds is left out.")
	fmt.Fprintf(w, "\n%-34s %12s %12s\n", "whole call on memory://, µs", "kv.get", "kv.set")
	for _, g := range guests {
		fmt.Fprintf(w, "%-34s %12.2f %12.2f\n", g.name, r.each(g.whole, wholeCells[0]), r.each(g.whole, wholeCells[1]))
	}
	fmt.Fprintln(w, "One at a time, from the caller's values to the caller's values: the package for Node, and wasm/host in Go.")
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

// growth is what a soak worker reports: sizes of the module's memory.
type growth struct {
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
	Early   int     `json:"bytes_after_fifth"`
	End     int     `json:"bytes_at_end"`
}

// soakPatience is how long a million calls may take.
const soakPatience = 5 * time.Minute

// soak has every guest make many calls of one instance, and prints whether its
// memory grew after a fifth of them.
func soak(w io.Writer, server string, calls int) error {
	fmt.Fprintf(w, "\n%-34s %12s %12s %12s %12s\n", "memory of one instance, bytes", "calls", "after 1/5", "at the end", "seconds")
	for _, g := range guests {
		argv := append(slices.Clone(g.soak), fmt.Sprint(calls))
		if i := slices.Index(argv, "SERVER"); i >= 0 {
			argv[i] = server
		}
		ctx, cancel := context.WithTimeout(context.Background(), soakPatience)
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		cancel()
		var of growth
		if err == nil {
			err = json.Unmarshal(out, &of)
		}
		if err != nil || of.Early <= 0 || of.End <= 0 {
			return fmt.Errorf("%s: %v, it reported %q", strings.Join(argv, " "), err, out)
		}
		what := "no growth"
		if of.End > of.Early {
			what = fmt.Sprintf("GREW by %d bytes", of.End-of.Early)
		}
		fmt.Fprintf(w, "%-34s %12d %12d %12d %12.1f  %s\n", g.name, of.Calls, of.Early, of.End, of.Seconds, what)
	}
	return nil
}
