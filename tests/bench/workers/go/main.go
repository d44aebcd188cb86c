// Command go is the benchmark worker of package core, and of what it is measured
// against:
//
//	bench-go [-plain] [-cpuprofile FILE] [-allocprofile FILE] ADDRESS OP INFLIGHT SECONDS
//
// It does what tests/bench/main.go says of workers. With -plain the same requests
// go out through a bare fasthttp client, or on one connection of a native wire, as
// fast as a client in Go can honestly be. The profiles are for `go tool pprof` and
// cover what counts, not the start.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// text is the value and the payload of every operation, 100 bytes.
var text = strings.Repeat("The quick brown fox. ", 5)[:100]

// batchSize is how many commands an operation "batch" holds.
const batchSize = 100

// keepSamples is how many latencies of one worker are kept, the last ones.
const keepSamples = 1 << 20

// operation runs one operation. slot tells the callers in flight apart.
type operation func(slot int) error

// subject is what is measured: it repeats its operation for the time.
type subject func(length time.Duration) (measurement, error)

type measurement struct {
	count     int
	elapsed   time.Duration
	latencies []time.Duration
}

func main() {
	plain := flag.Bool("plain", false, "measure what package core is measured against")
	var p profiles
	flag.StringVar(&p.cpu, "cpuprofile", "", "write where the time goes to `FILE`")
	flag.StringVar(&p.allocs, "allocprofile", "", "write what allocates to `FILE`")
	flag.Parse()
	if err := run(*plain, &p, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench-go:", err)
		os.Exit(1)
	}
}

func run(plain bool, p *profiles, args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("usage: bench-go [-plain] ADDRESS OP INFLIGHT SECONDS")
	}
	address, op := args[0], args[1]
	inFlight, err := strconv.Atoi(args[2])
	if err != nil || inFlight < 1 {
		return fmt.Errorf("INFLIGHT must be a positive number, not %q", args[2])
	}
	seconds, err := strconv.ParseFloat(args[3], 64)
	if err != nil || seconds <= 0 {
		return fmt.Errorf("SECONDS must be a positive number, not %q", args[3])
	}
	measure, err := open(plain, address, op, inFlight)
	if err != nil {
		return err
	}
	length := time.Duration(seconds * float64(time.Second))
	if _, err := measure(length / 5); err != nil { // warms up
		return err
	}
	if err := p.start(); err != nil {
		return err
	}
	m, err := measure(length)
	if err != nil {
		return err
	}
	if err := p.stop(); err != nil {
		return err
	}
	if op == "batch" {
		m.count *= batchSize
	}
	slices.Sort(m.latencies)
	fmt.Printf(`{"ops":%d,"seconds":%.6f,"p50_us":%.1f,"p99_us":%.1f}`+"\n",
		m.count, m.elapsed.Seconds(), percentile(m.latencies, 50), percentile(m.latencies, 99))
	return nil
}

func open(plain bool, address, op string, inFlight int) (subject, error) {
	how := openClient
	if plain {
		how = openPlain
		if !strings.HasPrefix(address, "http://") {
			return openPipeline(address, op, inFlight)
		}
	}
	do, err := how(address, op, inFlight)
	return func(length time.Duration) (measurement, error) { return measure(do, inFlight, length) }, err
}

// measure repeats the operation in as many goroutines as may be in flight, until
// the time is over.
func measure(do operation, inFlight int, length time.Duration) (m measurement, err error) {
	perSlot := keepSamples / inFlight
	samples := make([]time.Duration, perSlot*inFlight)
	counts := make([]int, inFlight)
	failures := make([]error, inFlight)
	start := time.Now()
	end := start.Add(length)
	one := func(slot int) {
		mine := samples[slot*perSlot : (slot+1)*perSlot]
		for before := time.Now(); before.Before(end); {
			if failures[slot] = do(slot); failures[slot] != nil {
				return
			}
			now := time.Now()
			mine[counts[slot]%perSlot] = now.Sub(before)
			counts[slot]++
			before = now
		}
	}
	if inFlight == 1 {
		one(0)
	} else {
		var all sync.WaitGroup
		for slot := range inFlight {
			all.Go(func() { one(slot) })
		}
		all.Wait()
	}
	m.elapsed = time.Since(start)
	for slot, n := range counts {
		m.count += n
		m.latencies = append(m.latencies, samples[slot*perSlot:slot*perSlot+min(n, perSlot)]...)
		if failures[slot] != nil {
			return m, failures[slot]
		}
	}
	if m.count == 0 {
		return m, fmt.Errorf("not one operation within %v", length)
	}
	return m, nil
}

// percentile returns a percentile of sorted latencies, in microseconds.
func percentile(sorted []time.Duration, p int) float64 {
	return float64(sorted[(len(sorted)-1)*p/100]) / 1000
}

func unknownOperation(op string) error {
	return fmt.Errorf("OP must be get, set, queue or batch, not %q", op)
}
