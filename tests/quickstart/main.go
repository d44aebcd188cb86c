// Command quickstart runs the quick start of every host on the embedded engine
// and over HTTP against the test server, and prints a table with a tick each.
// It exits 1 if one fails. `make quickstart` builds the hosts first.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/testserver"
)

// host is one way to use libsynap: what to run, the address follows.
type host struct {
	name string
	argv []string
}

var hosts = []host{
	{"Go", []string{"build/quickstart-go"}},
	{"C", []string{"build/quickstart-c"}},
	{"C++", []string{"build/quickstart-cpp"}},
	{"Python", []string{"build/venv/bin/python", "tests/quickstart/quickstart_sync.py"}},
	{"Python asyncio", []string{"build/venv/bin/python", "tests/quickstart/quickstart_async.py"}},
	{"Node", []string{"node", "tests/quickstart/quickstart.mjs"}},
	{"Chromium", []string{"node", "tests/quickstart/chromium.mjs"}},
	{"Go in wazero", []string{"build/quickstart-wazero"}},
}

func main() {
	server, err := testserver.Start(testserver.Config{HTTP: "127.0.0.1:0"})
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart: cannot start the test server:", err)
		os.Exit(1)
	}
	transports := []struct{ name, address string }{
		{"memory://", "memory://"},
		{"http://", server.URL()},
	}
	var failures, missing []string
	fmt.Printf("%-16s", "host")
	for _, t := range transports {
		fmt.Printf("%-11s", t.name)
	}
	fmt.Println()
	for _, h := range hosts {
		fmt.Printf("%-16s", h.name)
		for _, t := range transports {
			mark := "✓"
			if err := run(h, t.address); exitCode(err) == noHost {
				mark = "-"
				missing = append(missing, fmt.Sprintf("%s on %s: %v", h.name, t.name, err))
			} else if err != nil {
				mark = "✗"
				failures = append(failures, fmt.Sprintf("%s on %s: %v", h.name, t.name, err))
			}
			// A tick is one column wide and three bytes long.
			fmt.Print(mark + strings.Repeat(" ", 10))
		}
		fmt.Println()
	}
	server.Close()
	for _, line := range append(missing, failures...) {
		fmt.Println(line)
	}
	if len(failures) > 0 {
		os.Exit(1)
	}
}

// noHost is the exit code of a quick start whose host is not on this machine and
// could not be installed. Only the browser may be absent.
const noHost = 3

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

func run(h host, address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.argv[0], append(h.argv[1:], address)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(out.String()))
	}
	return nil
}
