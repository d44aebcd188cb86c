package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the program.
func TestMain(m *testing.M) {
	if os.Getenv("SYNAP_TESTSERVER_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The program says where it listens, wants the credentials it was given and ends
// with 0 on both signals.
func TestProgram(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		cmd := exec.Command(os.Args[0], "-http", "127.0.0.1:0", "-rpc", "127.0.0.1:0", "-resp3", "127.0.0.1:0", "-api-key", "secret")
		cmd.Env = append(os.Environ(), "SYNAP_TESTSERVER_MAIN=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n')
		url, ok := strings.CutPrefix(strings.TrimSpace(line), "synap-testserver: http ")
		if !ok {
			t.Fatalf("said %q", line)
		}
		for _, prefix := range []string{"rpc synap://127.0.0.1:", "resp3 resp3://127.0.0.1:"} {
			line, _ := lines.ReadString('\n')
			if !strings.HasPrefix(line, "synap-testserver: "+prefix) {
				t.Errorf("said %q, want %s", line, prefix)
			}
		}
		for key, want := range map[string]int{"": 401, "?api_key=secret": 200} {
			resp, err := http.Get(url + "/kv/stats" + key)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("with %q: %d, want %d", key, resp.StatusCode, want)
			}
		}
		began := time.Now()
		cmd.Process.Signal(signal)
		if err := cmd.Wait(); err != nil || time.Since(began) > 3*time.Second { // the race detector alone waits for one
			t.Errorf("ended on %v with %v after %v", signal, err, time.Since(began))
		}
	}
}
