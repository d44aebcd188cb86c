// Interop puts the client beside other programs: the official Python SDK on the same
// server, on all three wires, and Redis as a server of RESP3. What agrees and what
// differs becomes docs/interop.md, and every run compares that file with what it sees:
// a difference that appears, changes or goes away fails the run. -write writes the
// file anew.
//
// The SDK runs in the virtual environment of make bench, behind peer.py. Redis is
// Debian's redis-server, on a free port of loopback.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
)

const file = "docs/interop.md"

func main() {
	write := flag.Bool("write", false, "write "+file+" instead of comparing")
	flag.Parse()
	if err := run(*write); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func run(write bool) error {
	began := time.Now()
	var b strings.Builder
	b.WriteString(intro)
	sdkCounts, err := besideSDK(&b)
	if err != nil {
		return err
	}
	b.WriteString(between)
	redisCounts, err := onRedis(&b)
	if err != nil {
		return err
	}
	b.WriteString(after)
	fmt.Printf("official SDK: %d exchanges, %d differ; Redis: %d cases, %d differ; %.1f s\n",
		sdkCounts.cells, sdkCounts.differ, redisCounts.cells, redisCounts.differ, time.Since(began).Seconds())
	if write {
		return os.WriteFile(file, []byte(b.String()), 0o644)
	}
	return compare(b.String())
}

// compare fails with the lines that are not as the file has them.
func compare(got string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if got == string(text) {
		return nil
	}
	want := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		want[line] = true
	}
	for _, line := range strings.Split(got, "\n") {
		if !want[line] {
			fmt.Fprintln(os.Stderr, "now:", line)
		}
	}
	return fmt.Errorf("%s says something else; if the lines above are right, run go run ./tests/interop -write", file)
}

// besideSDK runs the cases of the SDK. Each wire has a server of its own, so that
// their order does not matter.
func besideSDK(b *strings.Builder) (n counts, err error) {
	sdk, err := startSDK()
	if err != nil {
		return n, err
	}
	defer sdk.close()
	schemes := []string{"http", "synap", "resp3"}
	cells := map[string][]string{}
	for _, scheme := range schemes {
		if err := onWire(sdk, scheme, func(w *wire) {
			for i := range sdkCases {
				c := &sdkCases[i]
				cell := "–"
				if c.only == "" || strings.Contains(c.only, scheme) {
					w.sdk.name = scheme + " " + c.name
					if cell = attempt(func() string { return c.run(w) }); cell == c.want {
						cell = same
					}
					n.add(cell == same)
				}
				cells[c.name] = append(cells[c.name], cell)
			}
		}); err != nil {
			return n, err
		}
	}
	row(b, "what", "**http**", "**synap**", "**resp3**", "**expected**")
	row(b, "---", "---", "---", "---", "---")
	for _, c := range sdkCases {
		row(b, append(append([]string{c.name}, cells[c.name]...), c.want)...)
	}
	return n, nil
}

func onWire(sdk *sdk, scheme string, f func(w *wire)) error {
	s, err := testserver.Start(testserver.Config{HTTP: "127.0.0.1:0", RPC: "127.0.0.1:0", RESP3: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer s.Close()
	url := map[string]string{"http": s.URL(), "synap": s.RPCURL(), "resp3": s.RESP3URL()}[scheme]
	w := &wire{scheme: scheme, sdk: at{sdk: sdk, url: url}}
	if w.ours, err = core.Open(url); err != nil {
		return err
	}
	defer w.ours.Close()
	if w.pushes, err = core.Open(s.URL()); err != nil {
		return err
	}
	defer w.pushes.Close()
	f(w)
	return nil
}

// attempt runs a case; a helper that panics says what went wrong in it.
func attempt(f func() string) (out string) {
	defer func() {
		if r := recover(); r != nil {
			out = fmt.Sprint("failed: ", r)
		}
	}()
	return f()
}

func onRedis(b *strings.Builder) (n counts, err error) {
	s, err := testserver.Start(testserver.Config{RESP3: "127.0.0.1:0"})
	if err != nil {
		return n, err
	}
	defer s.Close()
	address, stop, err := startRedis()
	if err != nil {
		return n, err
	}
	defer stop()
	if err := wrongPassword(address); err != nil {
		return n, err
	}
	var clients [2]*core.Client
	for i, url := range []string{s.RESP3URL(), "redis://:" + redisPassword + "@" + address} {
		if clients[i], err = core.Open(url); err != nil {
			return n, err
		}
		defer clients[i].Close()
	}
	row(b, "what", "**Synap**", "**Redis**")
	row(b, "---", "---", "---")
	for _, c := range redisCases {
		synap := attempt(func() string { return c.run(clients[0]) })
		redis := attempt(func() string { return c.run(clients[1]) })
		n.add(synap == redis)
		if synap == redis {
			redis = "as Synap"
		}
		row(b, c.name, synap, redis)
	}
	return n, nil
}

// wrongPassword checks that Redis's refusals become the typed error.
func wrongPassword(address string) error {
	for _, login := range []string{"", ":wrong@"} {
		c, err := core.Open("redis://" + login + address)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, _, err = c.KV.Get(background, "k"); !errors.Is(err, errs.Unauthenticated) {
			return fmt.Errorf("Redis with a wrong password: %v", err)
		}
	}
	return nil
}
