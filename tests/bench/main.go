// Command bench measures what each host of libsynap is worth in operations per
// second, beside the official SDK and plain HTTP clients, and what the WASM module
// takes of that. `make bench` builds the workers first and runs it in the root of
// the tree.
//
// A worker is a program that is called as PROGRAM ADDRESS OP INFLIGHT SECONDS.
// It repeats the operation OP (get, set, queue: publish + consume + ack, or
// batch: 100 sets in one) with INFLIGHT of them under way at any time, a fifth of
// SECONDS to warm up and then SECONDS that count; those in Node warm up for a
// second at least, ours and its peers alike, because V8 compiles as it goes. It
// prints one line of JSON: {"ops":N,"seconds":S,"p50_us":…,"p99_us":…}.
//
// The workers take turns, one at a time, for the same short slice each, and do so
// several times. What is printed is the median of the rounds; a ratio is the
// median of the ratios within each round, where both ran moments apart. So the
// ratios hold on a machine that does other work too; the absolute figures do not.
//
// Bench exits 1 if a worker fails, not if an aim is missed: it is no test.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// host is one way to talk to Synap.
type host struct {
	name   string
	argv   []string
	memory bool // can do memory://, and batches
}

var hosts = []host{
	{name: "Go", argv: []string{"build/bench-go"}, memory: true},
	{name: "plain fasthttp", argv: []string{"build/bench-go", "-plain"}},
	{name: "C", argv: []string{"build/bench-c"}, memory: true},
	{name: "Python", argv: []string{"build/venv/bin/python", "tests/bench/workers/bench_sync.py"}, memory: true},
	{name: "Python asyncio", argv: []string{"build/venv/bin/python", "tests/bench/workers/bench_async.py"}, memory: true},
	{name: "Node", argv: []string{"node", "tests/bench/workers/bench_node.mjs"}, memory: true},
	{name: "plain undici", argv: []string{"node", "tests/bench/workers/peer_http.mjs", "undici"}},
	{name: "built-in fetch", argv: []string{"node", "tests/bench/workers/peer_http.mjs", "fetch"}},
	{name: "official SDK", argv: []string{"build/venv-peer/bin/python", "tests/bench/workers/peer_official.py"}},
}

const many = 64 // in flight

// cell is what is measured of every host.
type cell struct {
	transport string
	op        string
	inFlight  int
}

var transports = []string{"memory", "http"}

func cells() []cell {
	var all []cell
	for _, t := range transports {
		for _, op := range operations {
			all = append(all, cell{t, op, 1}, cell{t, op, many})
		}
		all = append(all, cell{t, "batch", 1})
	}
	return all
}

var operations = []string{"get", "set", "queue"}

func (h *host) does(c cell) bool {
	return h.memory || c.transport == "http" && c.op != "batch"
}

// sample is what a worker reports.
type sample struct {
	Ops     int64   `json:"ops"`
	Seconds float64 `json:"seconds"`
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
}

func (s sample) rate() float64 { return float64(s.Ops) / s.Seconds }

// results holds the samples of all rounds, by host and cell.
type results map[string]map[cell][]sample

func main() {
	seconds := flag.Float64("seconds", 0.5, "length of one slice")
	rounds := flag.Int("rounds", 3, "how often every worker has its turn")
	calls := flag.Int("calls", 1_000_000, "calls of one instance of the module, to see whether it grows")
	flag.Parse()
	if err := bench(*seconds, *rounds, *calls); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(seconds float64, rounds, calls int) error {
	server, address, err := startServer()
	if err != nil {
		return fmt.Errorf("the test server does not start: %w", err)
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}()
	addresses := map[string]string{"memory": "memory://", "http": address}
	all := results{}
	for _, h := range hosts {
		all[h.name] = map[cell][]sample{}
	}
	began := time.Now()
	for round := range rounds {
		for _, c := range cells() {
			for i := range hosts {
				h := &hosts[i]
				if round%2 == 1 { // nobody is always the one after the busiest
					h = &hosts[len(hosts)-1-i]
				}
				if !h.does(c) {
					continue
				}
				s, err := work(h, addresses[c.transport], c, seconds)
				if err != nil {
					return fmt.Errorf("%s, %s over %s, %d in flight: %w", h.name, c.op, c.transport, c.inFlight, err)
				}
				all[h.name][c] = append(all[h.name][c], s)
			}
		}
		if err := all.measureModule(seconds); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "round %d of %d done after %.0f s\n", round+1, rounds, time.Since(began).Seconds())
	}
	fmt.Printf("\nRounds: %d, slices of %g s (%g s before each to warm up, in Node 1 s or more); %s, %d processors for client and server together.\n",
		rounds, seconds, seconds/5, runtime.Version(), runtime.NumCPU())
	fmt.Println("Medians. Machines differ and this one may be shared: compare the lines, do not quote them.")
	all.printFigures(os.Stdout)
	all.printRatios(os.Stdout)
	all.printBatches(os.Stdout)
	all.printModule(os.Stdout)
	return soak(os.Stdout, address, calls)
}

// startServer runs the test server on a free port of the loopback.
func startServer() (*exec.Cmd, string, error) {
	cmd := exec.Command("build/synap-testserver", "-http", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	// It says "synap-testserver: http http://127.0.0.1:port" when it listens.
	line, err := bufio.NewReader(out).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) == 0 {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, "", fmt.Errorf("it said %q: %v", line, err)
	}
	return cmd, words[len(words)-1], nil
}

// patience is how long a worker may take beyond its slice.
const patience = 30 * time.Second

// work has a worker do one slice.
func work(h *host, address string, c cell, seconds float64) (s sample, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(2*seconds*float64(time.Second))+patience)
	defer cancel()
	argv := append(slices.Clone(h.argv), address, c.op, fmt.Sprint(c.inFlight), fmt.Sprint(seconds))
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("%w\n%s", err, strings.TrimSpace(problems.String()))
	}
	if err := json.Unmarshal(out, &s); err != nil || s.Ops <= 0 || s.Seconds <= 0 {
		return s, fmt.Errorf("the worker reported %q", out)
	}
	return s, nil
}
