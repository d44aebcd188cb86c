//go:build !simbug

package session

// mixer is where the simulator's deliberate bug is, in builds with the tag simbug.
type mixer struct{}

func (*mixer) mix(ticket, _ uint64) uint64 { return ticket }
