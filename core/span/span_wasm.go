//go:build wasip1

package span

// Duration is a length of time in nanoseconds.
type Duration int64

// The units.
const (
	Millisecond Duration = 1e6
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
)
