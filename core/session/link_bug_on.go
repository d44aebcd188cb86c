//go:build simbug

package session

// mixer is a bug: now and then it swaps the tickets of two replies. The simulator
// (tests/sim) proves with it that it would find one of this kind.
type mixer struct {
	chances       int
	swapping      bool
	first, second uint64
}

// mixEvery is how many chances to swap are passed over.
const mixEvery = 25

func (m *mixer) mix(ticket, next uint64) uint64 {
	switch {
	case m.swapping && ticket == m.second:
		m.swapping = false
		return m.first
	case m.swapping || ticket+1 >= next:
		return ticket
	}
	if m.chances++; m.chances%mixEvery != 0 {
		return ticket
	}
	m.swapping, m.first, m.second = true, ticket, ticket+1
	return m.second
}
