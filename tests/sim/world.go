package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/span"
)

// The virtual time at which runs begin, and its units.
const (
	epoch = int64(1_700_000_000) * second

	ms     = int64(span.Millisecond)
	second = int64(span.Second)
)

// world is one run: its time, what is to happen, and all that takes part.
type world struct {
	seed     uint64
	now      int64
	agenda   agenda
	seq      int
	weather  weather
	forecast string
	cleared  bool // the faults are over
	stock    bool // the server has no WebSockets
	lasts    int  // last items so far
	unopened bool // a subscription was given up before it stood
	server   *server
	ledger   *ledger
	actors   []*actor
	// everyone is the actors of now and before.
	everyone []*actor
	calls    []*call
	ops      int // operations that took place
	items    int // that subscriptions have brought
	r        *rand.Rand

	verbose    bool
	log        []string
	violations []string
}

// due is something to do at a time.
type due struct {
	at  int64
	seq int // of one time, the first to be planned comes first
	do  func()
}

// agenda is a heap of what is due.
type agenda []due

func (h agenda) Len() int { return len(h) }
func (h agenda) Less(i, j int) bool {
	return h[i].at < h[j].at || (h[i].at == h[j].at && h[i].seq < h[j].seq)
}
func (h agenda) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *agenda) Push(x any)   { *h = append(*h, x.(due)) }
func (h *agenda) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	(*h)[last] = due{}
	*h = (*h)[:last]
	return d
}

// at plans something for a time, which is not in the past.
func (w *world) at(when int64, do func()) {
	w.seq++
	heap.Push(&w.agenda, due{max(when, w.now), w.seq, do})
}

// after plans something for later.
func (w *world) after(wait int64, do func()) { w.at(w.now+wait, do) }

// until lets the time pass up to when, or until nothing is left to happen.
func (w *world) until(when int64) {
	for len(w.agenda) > 0 && w.agenda[0].at <= when && len(w.violations) == 0 {
		d := heap.Pop(&w.agenda).(due)
		w.now = d.at
		d.do()
	}
	w.now = max(w.now, when)
}

// random returns the random numbers of one part of a run. What the others use up
// does not change them, so that a run keeps its course when parts are left out.
func (w *world) random(part string, n int) *rand.Rand { return random(w.seed, part, n) }

func random(seed uint64, part string, n int) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(part) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h+uint64(n)*0x9e3779b97f4a7c15))
}

// between returns a number from lo to hi.
func between(r *rand.Rand, lo, hi int64) int64 { return lo + r.Int64N(hi-lo+1) }

// logf notes an event. Nothing is built unless somebody will read it.
func (w *world) logf(format string, args ...any) {
	if w.verbose {
		w.log = append(w.log, fmt.Sprintf("%10.3f ms  ", float64(w.now-epoch)/1e6)+fmt.Sprintf(format, args...))
	}
}

// violated notes that something was not as it must be. The run ends with it.
func (w *world) violated(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	w.logf("VIOLATION: %s", what)
	w.violations = append(w.violations, what)
}

// short is a text as the log shows it.
func short(s string) string {
	end := ""
	if len(s) > 160 {
		s, end = s[:160], "…"
	}
	return strings.Trim(strconv.Quote(s), `"`) + end
}
