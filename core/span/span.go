//go:build !wasip1

// Package span is the type of a length of time in the packages that are built
// into WASM. Natively it is time.Duration; the WASM module does without package
// time, which brings clocks, time zones and system calls that it never uses: 260
// KB, 65 KB compressed.
package span

import "time"

// Duration is a length of time in nanoseconds.
type Duration = time.Duration

// The units.
const (
	Millisecond = time.Millisecond
	Second      = time.Second
	Minute      = time.Minute
	Hour        = time.Hour
)
