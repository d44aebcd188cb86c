package main

import (
	"sync"
	"syscall"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// completions collects finished calls, encoded back to back, until they are
// polled for. Its descriptor is readable while some wait.
type completions struct {
	arrived chan struct{} // holds a token while there may be something to take
	done    chan struct{} // closed by close

	mu     sync.Mutex
	buf    []byte // the completions that were not taken yet
	ends   []int  // where each ends, less base in buf
	base   int
	fd     int // eventfd, -1 until asked for
	closed bool
}

func newCompletions() *completions {
	return &completions{fd: -1, arrived: make(chan struct{}, 1), done: make(chan struct{})}
}

func (q *completions) put(tag uint64, v value.Value, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.buf = appendCompletion(q.buf, tag, v, err)
	q.ends = append(q.ends, q.base+len(q.buf))
	if len(q.ends) == 1 {
		q.signal()
		q.announce()
	}
}

// signal makes the descriptor readable. Only the first completion does so:
// whoever polls gets the later ones too.
func (q *completions) signal() {
	if q.fd >= 0 {
		_, _ = syscall.Write(q.fd, one)
	}
}

var one = []byte{1, 0, 0, 0, 0, 0, 0, 0}

// announce wakes one waiting take.
func (q *completions) announce() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// take returns at most max completions as one MessagePack array, and waits up to
// d for the first. It fails when close comes while it waits.
func (q *completions) take(max int, d time.Duration) ([]byte, error) {
	var timeout <-chan time.Time
	for {
		if list := q.pop(max); list != nil {
			return list, nil
		}
		if d <= 0 {
			return value.AppendMsgpackArray(nil, 0), nil
		}
		if timeout == nil {
			timer := time.NewTimer(d)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-q.arrived:
		case <-timeout:
			d = 0
		case <-q.done:
			if list := q.pop(max); list != nil {
				return list, nil
			}
			return nil, errClosed()
		}
	}
}

// keepBuffer is how much space an idle queue holds on to.
const keepBuffer = 1 << 20

// pop takes completions off the front, nil if there are none.
func (q *completions) pop(max int) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(max, len(q.ends))
	if n == 0 {
		return nil
	}
	end := q.ends[n-1] - q.base
	list := append(value.AppendMsgpackArray(make([]byte, 0, end+5), n), q.buf[:end]...)
	if n < len(q.ends) {
		q.buf, q.ends, q.base = q.buf[end:], q.ends[n:], q.base+end
		q.announce()
		return list
	}
	q.buf, q.ends, q.base = q.buf[:0], q.ends[:0], 0
	if cap(q.buf) > keepBuffer {
		q.buf = nil
	}
	if q.fd >= 0 {
		var sink [8]byte
		_, _ = syscall.Read(q.fd, sink[:])
	}
	return list
}

// descriptor returns the eventfd, which it makes at the first call.
func (q *completions) descriptor() (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, errClosed()
	}
	if q.fd < 0 {
		fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if errno != 0 {
			return 0, errs.New(errs.ResourceExhausted, "no eventfd: "+errno.Error())
		}
		q.fd = int(fd)
		if len(q.ends) > 0 {
			q.signal()
		}
	}
	return q.fd, nil
}

// close wakes all who wait, also on a duplicate of the descriptor.
func (q *completions) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.done)
	if q.fd >= 0 {
		q.signal()
		syscall.Close(q.fd)
		q.fd = -1
	}
}
