// Command pair measures the module under wazero:
//
//	bench-pair WASM OP INFLIGHT SECONDS
//	bench-pair WASM soak CALLS
//
// OP is pair or batch, as tests/bench/workers/pair.mjs says; codec, with WASM the
// codecs alone; or get or set, a whole
// call on memory:// through package wasm/host, one at a time. soak makes so many
// calls of one instance and reports the size of its memory after a fifth of them
// and at the end.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/wasm/host"
)

// text is the value of every call, 100 bytes.
var text = strings.Repeat("The quick brown fox. ", 5)[:100]

// batchSize is how many commands a frame of OP batch holds.
const batchSize = 100

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-pair:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 3 && args[1] == "soak" {
		calls, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return soak(args[0], calls)
	}
	if len(args) != 4 {
		return fmt.Errorf("usage: bench-pair WASM OP INFLIGHT SECONDS, or bench-pair WASM soak CALLS")
	}
	inFlight, err := strconv.Atoi(args[2])
	if err != nil || inFlight < 1 {
		return fmt.Errorf("INFLIGHT must be a positive number, not %q", args[2])
	}
	seconds, err := strconv.ParseFloat(args[3], 64)
	if err != nil || seconds <= 0 {
		return fmt.Errorf("SECONDS must be a positive number, not %q", args[3])
	}
	var round func() (int, error)
	var settled func()
	switch op := args[1]; op {
	case "pair", "batch":
		m, err := load(args[0])
		if err != nil {
			return err
		}
		round, settled = m.pairs(op == "batch", inFlight), func() { m.checking = false }
	case "codec":
		if round, err = codecs(args[0]); err != nil {
			return err
		}
		settled = func() {}
	case "get", "set":
		if round, err = whole(args[0], op); err != nil {
			return err
		}
		settled = func() {}
	default:
		return fmt.Errorf("OP must be pair, batch, codec, get or set, not %q", op)
	}
	length := time.Duration(seconds * float64(time.Second))
	if _, _, _, err := measure(round, length/5); err != nil { // warms up
		return err
	}
	settled()
	count, elapsed, latencies, err := measure(round, length)
	if err != nil {
		return err
	}
	slices.Sort(latencies)
	at := func(p int) float64 { return float64(latencies[(len(latencies)-1)*p/100]) / 1000 }
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"ops": count, "seconds": elapsed.Seconds(), "p50_us": at(50), "p99_us": at(99)})
}

// measure repeats a round, which returns how many calls it made.
func measure(round func() (int, error), length time.Duration) (count int, elapsed time.Duration, latencies []time.Duration, err error) {
	start := time.Now()
	for before, end := start, start.Add(length); before.Before(end); {
		n, err := round()
		if err != nil {
			return 0, 0, nil, err
		}
		count += n
		now := time.Now()
		latencies = append(latencies, now.Sub(before))
		before = now
	}
	return count, time.Since(start), latencies, nil
}

// pairs makes rounds of as many frames as may be in flight.
func (m *module) pairs(batch bool, inFlight int) func() (int, error) {
	client := m.open("http://h")
	frames := make([][]byte, inFlight)
	each := 1
	for i := range frames {
		command := get(fmt.Sprint("bench:", i))
		frames[i] = value.AppendMsgpack(nil, command)
		if batch {
			each = batchSize
			frames[i] = pack(value.Int(2), value.Array(slices.Repeat([]value.Value{command}, each)...))
		}
	}
	return func() (int, error) {
		m.completions = 0
		for i, f := range frames {
			m.frame(client, i+1, f)
		}
		if n := len(m.responses); n != each*inFlight {
			return 0, fmt.Errorf("the module makes %d requests for %d frames", n, inFlight)
		}
		m.answer(client)
		if m.completions != inFlight {
			return 0, fmt.Errorf("%d of %d frames have ended", m.completions, inFlight)
		}
		return each * inFlight, nil
	}
}

func command(name string, args ...string) value.Value {
	list := make([]value.Value, len(args))
	for i, a := range args {
		list[i] = value.Str(a)
	}
	return value.Array(value.Int(0), value.Str(name), value.Array(list...))
}

func get(key string) value.Value { return command("kv.get", key) }

// whole makes rounds of one call on the engine in the module, through wasm/host.
func whole(path, op string) (func() (int, error), error) {
	h, err := host.New(ctx, host.Options{Path: path})
	if err != nil {
		return nil, err
	}
	c, err := h.Open(ctx, "memory://")
	if err != nil {
		return nil, err
	}
	args := []value.Value{value.Str("bench:0"), value.Str(text)}
	if _, err := c.Call(ctx, "kv.set", args...); err != nil || op == "set" {
		return func() (int, error) {
			_, err := c.Call(ctx, "kv.set", args...)
			return 1, err
		}, err
	}
	return func() (int, error) {
		v, err := c.Call(ctx, "kv.get", args[0])
		if s, _ := v.AsStr(); err == nil && s != text {
			err = fmt.Errorf("kv.get returned %v", v)
		}
		return 1, err
	}, nil
}
