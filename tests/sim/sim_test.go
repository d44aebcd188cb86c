package sim

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

var (
	seedFlag  = flag.Int64("sim.seed", -1, "play this seed alone, and print its events with -v")
	seedsFlag = flag.Uint64("sim.seeds", 10_000, "how many seeds to play")
	fromFlag  = flag.Uint64("sim.from", 0, "the first of them")
)

// workers share the seeds of a test.
const workers = 4

// enough is after how many failing seeds a test stops looking for more.
const enough = 5

func TestSeeds(t *testing.T) {
	if *seedFlag >= 0 {
		replay(t, uint64(*seedFlag))
		return
	}
	seeds := *seedsFlag
	if testing.Short() {
		seeds = min(seeds, 500)
	}
	var next, failing atomic.Uint64
	var calls, failed, items atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for n := range workers {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				for i := next.Add(1) - 1; i < seeds && failing.Load() < enough; i = next.Add(1) - 1 {
					seed := *fromFlag + i
					o := Run(Plan{Seed: seed})
					calls.Add(int64(o.Calls))
					failed.Add(int64(o.Failed))
					items.Add(int64(o.Items))
					if len(o.Violations) > 0 {
						failing.Add(1)
						t.Errorf("seed %d: %s (%s). Replay: go test ./tests/sim -run TestSeeds -sim.seed=%d -v", seed, o.Violations[0], o.Weather, seed)
					}
				}
			})
		}
	})
	t.Logf("%d seeds, %d calls, of which %d failed as they may, %d items of subscriptions", seeds, calls.Load(), failed.Load(), items.Load())
}

// replay plays one seed and prints its events. If it fails it is made shorter
// first.
func replay(t *testing.T, seed uint64) {
	p := Plan{Seed: seed, Verbose: true}
	o := Run(p)
	if len(o.Violations) > 0 {
		whole := o
		p = Shrink(p)
		if o = Run(p); len(o.Violations) == 0 { // what fails now and then only
			o = whole
		}
		t.Errorf("seed %d: %s", seed, whole.Violations[0])
	}
	t.Logf("%s\n%s", o, strings.Join(o.Log, "\n"))
}

// TestSameSeedSameRun guards what a replay rests on. What happens at one time may
// change its order: a client that is closed ends its frames in none.
func TestSameSeedSameRun(t *testing.T) {
	for seed := range uint64(100) {
		first, second := Run(Plan{Seed: seed, Verbose: true}), Run(Plan{Seed: seed, Verbose: true})
		slices.Sort(first.Log)
		slices.Sort(second.Log)
		for i := range first.Log {
			if i >= len(second.Log) || first.Log[i] != second.Log[i] {
				t.Fatalf("seed %d differs from itself at event %d: %s", seed, i, first.Log[i])
			}
		}
	}
}
