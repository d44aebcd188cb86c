package wazero

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/tests/conformance/runner"
)

// TestSoak makes many calls of one instance and looks at its memory, which never
// shrinks: after the warm-up it must not grow. -soak=1000000 makes more.
func TestSoak(t *testing.T) {
	t.Parallel()
	n := *soak / 3
	p := newPlugin(t)
	memory, web := p.open("memory://"), p.open("http://h")
	large := strings.Repeat("x", 10_000)
	round := func(i int) {
		tag := int32(i % 1000)
		p.submit(memory, tag, value.Int(0), str("kv.set"), strs("k", large[:i*7919%10_000]))
		p.submit(memory, tag+1000, value.Int(0), str("kv.get"), strs("k"))
		p.submit(web, tag+2000, value.Int(0), str("kv.get"), strs("k"))
		r := p.pending[0]
		p.pending = p.pending[:0]
		id, _ := r.Index(0).AsInt()
		if i%10 == 0 {
			p.call("synap_cancel", p.now, web, tag+2000)
		} else {
			p.call("synap_http_failed", p.now, web, int32(id), int32(1), "cut")
			p.call("synap_cancel", p.now, web, tag+2000)
		}
		p.now += 0.01
		if i%1000 == 0 {
			if len(p.done) > 3000 {
				t.Fatalf("%d frames", len(p.done))
			}
			clear(p.done)
			p.aborted, p.logs = nil, nil
		}
	}
	warm := n / 4
	for i := range warm {
		round(i)
	}
	before := p.mod.Memory().Size()
	for i := warm; i < n; i++ {
		round(i)
	}
	after := p.mod.Memory().Size()
	t.Logf("%d rounds of three calls each: %.1f MB after the warm-up, %.1f MB at the end", n, float64(before)/1e6, float64(after)/1e6)
	if after > before+2<<20 {
		t.Errorf("the module's memory has grown from %d to %d bytes", before, after)
	}
}

// TestConformance replays recorded exchanges of a real server through the module,
// on its engine and over HTTP.
func TestConformance(t *testing.T) {
	t.Parallel()
	driver := filepath.Join(t.TempDir(), "driver")
	if out, err := exec.Command("go", "build", "-o", driver, "../conformance/drivers/wazero").CombinedOutput(); err != nil {
		t.Fatalf("building the driver: %v\n%s", err, out)
	}
	for name, addr := range map[string]string{"memory": "", "http": runner.TestServers} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := runner.Run(runner.Options{Role: "host", Driver: driver, Addr: addr, Dir: "../vectors", Out: t.Output(),
				Files: []string{"http-kv", "http-queue", "http-stream", "http-pubsub", "http-hash", "http-list"}})
			if err != nil {
				t.Fatal(err)
			}
			if result.Failed > 0 || result.Passed < 175 {
				t.Errorf("%d passed (at least 175 must), %d failed", result.Passed, result.Failed)
			}
		})
	}
}

func TestQuickStartProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "quickstart")
	if out, err := exec.Command("go", "build", "-o", program, "../quickstart/wazero").CombinedOutput(); err != nil {
		t.Fatalf("building it: %v\n%s", err, out)
	}
	for _, address := range []string{"memory://", server(t, testserver.Config{}).URL()} {
		cmd := exec.Command(program, address)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", address, err, out)
		}
	}
	cmd := exec.Command(program, "memory://")
	cmd.Env = append(os.Environ(), "SYNAP_WASM=/no/such/file")
	if cmd.Run() == nil {
		t.Error("it succeeds without a module")
	}
}
