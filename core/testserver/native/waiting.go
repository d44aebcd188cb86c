package native

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// waiting are the calls that wait for an element, the oldest first.
type waiting struct {
	mu    sync.Mutex
	calls []*Wait
	n     atomic.Int32 // len(calls), to be asked without the lock
}

// exec runs a command of the engine.
type exec = func(name string, payload value.Value) (value.Value, string)

// attempt looks for what a call waits for, and takes it.
type attempt func(exec) (Result, bool)

// Wait is a call that waits.
type Wait struct {
	all     *waiting
	try     attempt
	timeout time.Duration // zero for ever
	done    chan Result
}

// takeOrWait tries at once, and leaves a call that waits if there is nothing yet. A
// negative timeout does not wait.
func (c *call) takeOrWait(timeout time.Duration, try attempt) (result Result, errText string) {
	all := &c.waiting
	all.mu.Lock()
	defer all.mu.Unlock()
	c.engine.Together(c.now(), engine.Raw, func(exec exec) {
		all.serve(exec) // those that came first
		var found bool
		if result, found = try(exec); found {
			all.serve(exec) // the element may have moved to where another call waits
		} else if timeout >= 0 {
			c.wait = &Wait{all: all, try: try, timeout: timeout, done: make(chan Result, 1)}
			all.calls = append(all.calls, c.wait)
			all.n.Add(1)
		}
	})
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
	s.engine.Together(s.now(), engine.Raw, func(exec exec) { all.serve(exec) })
}

func (all *waiting) serve(exec exec) {
	for again := true; again; {
		again = false
		all.calls = slices.DeleteFunc(all.calls, func(w *Wait) bool {
			result, found := w.try(exec)
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
