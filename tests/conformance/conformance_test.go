package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/libsynap/libsynap/tests/conformance/runner"
)

// served are the recorded files that the engine and the test server serve as a
// whole. Others in the directory need families that the engine has not.
var served = []string{"auth", "http-kv", "http-queue", "http-stream", "http-pubsub", "http-key", "http-hash", "http-list", "http-set", "http-sortedset", "http-bitmap", "http-hyperloglog", "http-geospatial", "http-script", "http-transaction", "http-admin", "rest-*", "ws-*"}

// play replays the recorded exchanges. least and noForm are how many cases must
// pass and how many have no form: a case that stops being played must not go
// unnoticed.
func play(t *testing.T, o runner.Options, least, noForm int) {
	t.Helper()
	o.Dir, o.Out = "../vectors", t.Output()
	result, err := runner.Run(o)
	if err != nil {
		t.Fatal(err)
	}
	if result.Failed > 0 || result.Passed < least || result.NoForm > noForm {
		t.Errorf("%d passed (at least %d must), %d failed, %d have no form (at most %d may)", result.Passed, least, result.Failed, result.NoForm, noForm)
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	play(t, runner.Options{Role: "server", Files: served}, 582, 2) // two cases need a cluster
}

// native are the recorded files of the native wires. Of those in role client the
// cases that send raw bytes have no form.
var native = []string{"synaprpc-*", "resp3-*"}

func TestNativeServer(t *testing.T) {
	t.Parallel()
	play(t, runner.Options{Role: "server", Files: native}, 314, 0)
}

func TestClient(t *testing.T) {
	t.Parallel()
	play(t, runner.Options{Role: "client", Files: []string{"auth", "http-*", "rest-*", "ws-*"}}, 390, 194)
}

func TestNativeCodecs(t *testing.T) {
	t.Parallel()
	play(t, runner.Options{Role: "client", Files: native}, 269, 45)
}

// hosted are the files that a host plays: all commands but http-admin, which
// memory:// has not.
var hosted = []string{"http-[^a]*"}

// TestHost plays the Go driver, which needs no library, on every wire. The drivers
// of other languages are played by make.
func TestHost(t *testing.T) {
	t.Parallel()
	driver := filepath.Join(t.TempDir(), "driver")
	if out, err := exec.Command("go", "build", "-o", driver, "./drivers/go").CombinedOutput(); err != nil {
		t.Fatalf("building the driver: %v\n%s", err, out)
	}
	for _, wire := range []struct {
		name, addr    string
		least, noForm int
	}{
		{"memory", "", 313, 1}, // in one case the request id matters
		{"http", runner.TestServers, 313, 1},
		{"synap", runner.TestServersRPC, 222, 92},
		{"resp3", runner.TestServersRESP3, 199, 115},
	} {
		t.Run(wire.name, func(t *testing.T) {
			t.Parallel()
			play(t, runner.Options{Role: "host", Driver: driver, Addr: wire.addr, Files: hosted}, wire.least, wire.noForm)
		})
	}
}
