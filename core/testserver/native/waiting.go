package native

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// waiting are the calls that wait for an element, the oldest first.
type waiting struct {
	mu    sync.Mutex
	calls []*Wait
	n     atomic.Int32 // len(calls), to be asked without the lock
}

// Wait is a call that waits.
type Wait struct {
	all     *waiting
	try     func() (Result, bool)
	timeout time.Duration // zero for ever
	done    chan Result
}

// attempt tries at once, and leaves a call that waits if there is nothing yet. A
// negative timeout does not wait.
func (c *call) attempt(timeout time.Duration, try func() (Result, bool)) (Result, string) {
	all := &c.waiting
	all.mu.Lock()
	result, found := try()
	if !found && timeout >= 0 {
		c.wait = &Wait{all: all, try: try, timeout: timeout, done: make(chan Result, 1)}
		all.calls = append(all.calls, c.wait)
		all.n.Add(1)
	}
	all.mu.Unlock()
	if found {
		c.Changed() // the element may have moved to where another call waits
	}
	return result, ""
}

// Changed lets the calls that wait try again, in the order in which they came. It
// is called after everything that may have added an element, and now and then.
func (s *Commands) Changed() {
	all := &s.waiting
	if all.n.Load() == 0 {
		return
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	for again := true; again; {
		again = false
		all.calls = slices.DeleteFunc(all.calls, func(w *Wait) bool {
			result, found := w.try()
			if found {
				w.done <- result
				all.n.Add(-1)
				again = true // it may have given an element to one before it
			}
			return found
		})
	}
}

// Result returns what came, null after the timeout; false if cancel was closed
// before either.
func (w *Wait) Result(cancel <-chan struct{}) (Result, bool) {
	var late <-chan time.Time
	if w.timeout > 0 {
		timer := time.NewTimer(w.timeout)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case result := <-w.done:
		return result, true
	case <-late:
		return w.leave(), true
	case <-cancel:
		w.leave()
		return Result{}, false
	}
}

// leave takes the call off. What came meanwhile is its result.
func (w *Wait) leave() Result {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	if i := slices.Index(w.all.calls, w); i >= 0 {
		w.all.calls = slices.Delete(w.all.calls, i, i+1)
		w.all.n.Add(-1)
		return Result{}
	}
	return <-w.done
}

// seconds is a timeout; what would not fit never comes.
func seconds(n int64) time.Duration {
	return time.Duration(min(n, math.MaxInt64/int64(time.Second))) * time.Second
}
