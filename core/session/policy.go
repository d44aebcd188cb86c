package session

import (
	"sync"

	"github.com/libsynap/libsynap/core/span"
)

// Policy is what the calls of one client share: limits, the retry budget, and
// what is known of the server. It is safe for concurrent use.
type Policy struct {
	DefaultTimeout span.Duration
	MaxRetries     int
	Backoff        span.Duration
	// Rand returns random bits; it must be safe for concurrent use.
	Rand func() uint64

	mu     sync.Mutex
	spent  int
	calls  int
	queues map[string]struct{}
}

const (
	// maxBackoff ends the doubling of waits; a longer first wait is kept.
	maxBackoff = 2 * span.Second
	// The retry budget: a client may always repeat budgetFloor times, and beyond
	// that one call in budgetShare, so that an outage is not multiplied.
	budgetFloor = 20
	budgetShare = 5
	// budgetWindow is how many calls are remembered before both counts halve.
	budgetWindow = 1000
	// maxKnownQueues bounds what a client remembers of queues.
	maxKnownQueues = 4096
)

// Started counts a call towards the retry budget.
func (p *Policy) Started() {
	p.mu.Lock()
	if p.calls++; p.calls > budgetWindow {
		p.calls /= 2
		p.spent /= 2
	}
	p.mu.Unlock()
}

// retry returns how long to wait before the attempt after the given one, and
// whether there is one. The wait is spread evenly from 0 to the doubled backoff
// ("full jitter").
func (p *Policy) retry(attempt int) (span.Duration, bool) {
	if attempt >= p.MaxRetries {
		return 0, false
	}
	p.mu.Lock()
	ok := p.spent < budgetFloor+p.calls/budgetShare
	if ok {
		p.spent++
	}
	p.mu.Unlock()
	return p.BackoffFor(attempt), ok
}

// BackoffFor returns a random wait before attempt+1.
func (p *Policy) BackoffFor(attempt int) span.Duration {
	limit := min(p.Backoff<<min(attempt, 10), max(maxBackoff, p.Backoff))
	if limit <= 0 {
		return 0
	}
	return span.Duration(p.Rand() % uint64(limit))
}

// KnownQueue reports whether the queue is known to have existed.
func (p *Policy) KnownQueue(name string) bool {
	p.mu.Lock()
	_, ok := p.queues[name]
	p.mu.Unlock()
	return ok
}

func (p *Policy) learnQueue(name string) {
	p.mu.Lock()
	if _, ok := p.queues[name]; !ok {
		if p.queues == nil || len(p.queues) >= maxKnownQueues {
			p.queues = map[string]struct{}{}
		}
		p.queues[name] = struct{}{}
	}
	p.mu.Unlock()
}
