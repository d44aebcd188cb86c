//go:build !simbug

package sim

import (
	"os/exec"
	"testing"
)

// TestTheBugIsFound builds the client with a bug that swaps two replies now and
// then (core/session/link_bug_on.go), and sees that the simulator finds it.
func TestTheBugIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the client once more")
	}
	out, err := exec.Command("go", "test", "-tags", "simbug", "-count", "1", "-run", "^TestBug$", "-v", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
