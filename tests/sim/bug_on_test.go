//go:build simbug

package sim

import (
	"strings"
	"testing"
)

// TestBug runs in the build with the bug.
func TestBug(t *testing.T) {
	for seed := range uint64(1000) {
		o := Run(Plan{Seed: seed})
		if len(o.Violations) == 0 || !strings.Contains(o.Violations[0], " is not ") {
			continue
		}
		less := Shrink(Plan{Seed: seed, Verbose: true})
		short := Run(less)
		t.Logf("found with seed %d: %s; %d of %d operations show it\n%s", seed, o.Violations[0], short.Ops, o.Ops, strings.Join(short.Log, "\n"))
		return
	}
	t.Error("no seed of 1,000 has shown the bug")
}
