// Command bench measures what each host of libsynap is worth in operations per
// second, beside the official SDK, redis-py and plain clients of each wire, and what
// the WASM module takes of that. `make bench` builds the workers first and runs it in
// the root of the tree.
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
	name       string
	argv       []string
	transports []string
	ops        []string
}

// ours is what a host of libsynap can do, peer what the others can.
var (
	ours       = []string{"get", "set", "queue", "batch"}
	peer       = []string{"get", "set", "queue"}
	values     = []string{"get", "set"}
	transports = []string{"memory", "http", "synap", "resp3"}
	native     = transports[2:]
)

var hosts = []host{
	{name: "Go", argv: []string{"build/bench-go"}, transports: transports, ops: ours},
	{name: "plain fasthttp", argv: []string{"build/bench-go", "-plain"}, transports: []string{"http"}, ops: peer},
	{name: "plain socket", argv: []string{"build/bench-go", "-plain"}, transports: native, ops: peer},
	{name: "C", argv: []string{"build/bench-c"}, transports: transports, ops: ours},
	{name: "Python", argv: []string{"build/venv/bin/python", "tests/bench/workers/bench_sync.py"}, transports: transports, ops: ours},
	{name: "Python asyncio", argv: []string{"build/venv/bin/python", "tests/bench/workers/bench_async.py"}, transports: transports, ops: ours},
	{name: "Node", argv: []string{"node", "tests/bench/workers/bench_node.mjs"}, transports: transports, ops: ours},
	{name: "plain undici", argv: []string{"node", "tests/bench/workers/peer_http.mjs", "undici"}, transports: []string{"http"}, ops: peer},
	{name: "built-in fetch", argv: []string{"node", "tests/bench/workers/peer_http.mjs", "fetch"}, transports: []string{"http"}, ops: peer},
	{name: "official SDK", argv: []string{"build/venv-peer/bin/python", "tests/bench/workers/peer_official.py"}, transports: transports[1:], ops: peer},
	{name: "redis-py", argv: []string{"build/venv-peer/bin/python", "tests/bench/workers/peer_redis_sync.py"}, transports: []string{"resp3"}, ops: values},
	{name: "redis-py asyncio", argv: []string{"build/venv-peer/bin/python", "tests/bench/workers/peer_redis_async.py"}, transports: []string{"resp3"}, ops: values},
}

const many = 64 // in flight

// cell is what is measured of every host that does it.
type cell struct {
	transport string
	op        string
	inFlight  int
}

func cells(transports []string) []cell {
	var all []cell
	for _, t := range transports {
		for _, op := range ours {
			switch {
			case op == "batch":
				all = append(all, cell{t, op, 1})
			case op == "queue" && slices.Contains(native, t): // one at a time tells little that get does not
				all = append(all, cell{t, op, many})
			default:
				all = append(all, cell{t, op, 1}, cell{t, op, many})
			}
		}
	}
	return all
}

func (h *host) does(transport, op string) bool {
	return slices.Contains(h.transports, transport) && slices.Contains(h.ops, op)
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
	seconds := flag.Float64("seconds", 0.4, "length of one slice")
	rounds := flag.Int("rounds", 3, "how often every worker has its turn")
	calls := flag.Int("calls", 1_000_000, "calls of one instance of the module, to see whether it grows")
	parts := flag.String("parts", strings.Join(transports, ",")+",module", "what is measured, comma between")
	flag.Parse()
	if err := bench(*seconds, *rounds, *calls, strings.Split(*parts, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(seconds float64, rounds, calls int, parts []string) error {
	server, addresses, err := startServer()
	if err != nil {
		return fmt.Errorf("the test server does not start: %w", err)
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}()
	addresses["memory"] = "memory://"
	wanted := slices.DeleteFunc(slices.Clone(transports), func(t string) bool { return !slices.Contains(parts, t) })
	module := slices.Contains(parts, "module")
	all := results{}
	for _, h := range hosts {
		all[h.name] = map[cell][]sample{}
	}
	began := time.Now()
	for round := range rounds {
		for _, c := range cells(wanted) {
			for i := range hosts {
				h := &hosts[i]
				if round%2 == 1 { // nobody is always the one after the busiest
					h = &hosts[len(hosts)-1-i]
				}
				if !h.does(c.transport, c.op) {
					continue
				}
				s, err := work(h, addresses[c.transport], c, seconds)
				if err != nil {
					return fmt.Errorf("%s, %s over %s, %d in flight: %w", h.name, c.op, c.transport, c.inFlight, err)
				}
				all[h.name][c] = append(all[h.name][c], s)
			}
		}
		if module {
			if err := all.measureModule(seconds); err != nil {
				return err
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d done after %.0f s\n", round+1, rounds, time.Since(began).Seconds())
	}
	fmt.Printf("\nRounds: %d, slices of %g s (%g s before each to warm up, in Node 1 s or more); %s, %d processors for client and server together.\n",
		rounds, seconds, seconds/5, runtime.Version(), runtime.NumCPU())
	fmt.Println("Medians. Machines differ and this one may be shared: compare the lines, do not quote them.")
	all.printFigures(os.Stdout, wanted)
	all.printRatios(os.Stdout, wanted)
	all.printBatches(os.Stdout, wanted)
	if !module {
		return nil
	}
	all.printModule(os.Stdout)
	return soak(os.Stdout, addresses["http"], calls)
}

// startServer runs the test server on free ports of the loopback, and returns its
// address by transport.
func startServer() (*exec.Cmd, map[string]string, error) {
	const any = "127.0.0.1:0"
	cmd := exec.Command("build/synap-testserver", "-http", any, "-rpc", any, "-resp3", any)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	// For each listener it says "synap-testserver: http http://127.0.0.1:port".
	addresses := map[string]string{}
	for lines := bufio.NewReader(out); len(addresses) < 3; {
		line, err := lines.ReadString('\n')
		words := strings.Fields(line)
		if err != nil || len(words) == 0 {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return nil, nil, fmt.Errorf("it said %q: %v", line, err)
		}
		address := words[len(words)-1]
		transport, _, _ := strings.Cut(address, ":")
		addresses[transport] = address
	}
	return cmd, addresses, nil
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
