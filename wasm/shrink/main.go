// Command shrink takes out of synap.wasm what need not be shipped:
//
//	go run ./wasm/shrink IN OUT
//
// Go's linker writes a table from program counters to functions in buckets of
// 4 KiB. On WASM the counters of two functions are 64 KiB apart, so the table has
// sixteen equal entries per function: 650 KB that say "the n-th function is the
// n-th function", and a tenth of the module. shrink leaves the table out and adds
// a start function of 37 bytes that writes it. RATIONALE.md has the figures.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: shrink IN OUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "shrink:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	b, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	small, err := shrink(b)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	return os.WriteFile(out, small, 0o644)
}
