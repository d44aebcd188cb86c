// Command go is the benchmark worker of package core, and of fasthttp alone:
//
//	bench-go [-plain] ADDRESS OP INFLIGHT SECONDS
//
// It does what tests/bench/main.go says of workers. With -plain the same
// requests go out through a bare fasthttp client: as fast as an HTTP client in
// Go can honestly be.
package main

import (
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

func main() {
	args := os.Args[1:]
	open := openClient
	if len(args) > 0 && args[0] == "-plain" {
		open, args = openPlain, args[1:]
	}
	if err := run(open, args); err != nil {
		fmt.Fprintln(os.Stderr, "bench-go:", err)
		os.Exit(1)
	}
}

func run(open func(address, op string, inFlight int) (operation, error), args []string) error {
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
	do, err := open(address, op, inFlight)
	if err != nil {
		return err
	}
	length := time.Duration(seconds * float64(time.Second))
	if _, _, _, err := measure(do, inFlight, length/5); err != nil { // warms up
		return err
	}
	count, latencies, elapsed, err := measure(do, inFlight, length)
	if err != nil {
		return err
	}
	if op == "batch" {
		count *= batchSize
	}
	slices.Sort(latencies)
	fmt.Printf(`{"ops":%d,"seconds":%.6f,"p50_us":%.1f,"p99_us":%.1f}`+"\n",
		count, elapsed.Seconds(), percentile(latencies, 50), percentile(latencies, 99))
	return nil
}

// measure repeats the operation in as many goroutines as may be in flight, until
// the time is over.
func measure(do operation, inFlight int, length time.Duration) (count int, latencies []time.Duration, elapsed time.Duration, err error) {
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
	elapsed = time.Since(start)
	for slot, n := range counts {
		count += n
		latencies = append(latencies, samples[slot*perSlot:slot*perSlot+min(n, perSlot)]...)
		if failures[slot] != nil {
			return 0, nil, 0, failures[slot]
		}
	}
	if count == 0 {
		return 0, nil, 0, fmt.Errorf("not one operation within %v", length)
	}
	return count, latencies, elapsed, nil
}

// percentile returns a percentile of sorted latencies, in microseconds.
func percentile(sorted []time.Duration, p int) float64 {
	return float64(sorted[(len(sorted)-1)*p/100]) / 1000
}

func unknownOperation(op string) error {
	return fmt.Errorf("OP must be get, set, queue or batch, not %q", op)
}
