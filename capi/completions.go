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
	mu     sync.Mutex
	buf    []byte
	ends   []int // where each completion ends in buf
	fd     int   // eventfd, -1 until asked for
	signal chan struct{}
	closed bool
}

func newCompletions() *completions {
	return &completions{fd: -1, signal: make(chan struct{}, 1)}
}

var one = []byte{1, 0, 0, 0, 0, 0, 0, 0}

func (q *completions) put(tag uint64, v value.Value, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.buf = completion(q.buf, tag, v, err)
	q.ends = append(q.ends, len(q.buf))
	if len(q.ends) == 1 {
		q.announce()
	}
}

// announce tells that the first completion has come. Later ones need no telling:
// whoever polls gets them too.
func (q *completions) announce() {
	if q.fd >= 0 {
		_, _ = syscall.Write(q.fd, one)
	}
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

// take returns at most max completions as one MessagePack array, and waits up to
// d for the first.
func (q *completions) take(max int, d time.Duration) []byte {
	q.mu.Lock()
	if len(q.ends) == 0 && d > 0 && !q.closed {
		q.mu.Unlock()
		timer := time.NewTimer(d)
		select {
		case <-q.signal:
		case <-timer.C:
		}
		timer.Stop()
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	n := min(max, len(q.ends))
	out := value.AppendMsgpackArray(make([]byte, 0, len(q.buf)+5), n)
	if n == 0 {
		return out
	}
	end := q.ends[n-1]
	out = append(out, q.buf[:end]...)
	if n == len(q.ends) {
		q.reset()
		return out
	}
	q.buf = append(q.buf[:0], q.buf[end:]...)
	for i, e := range q.ends[n:] {
		q.ends[i] = e - end
	}
	q.ends = q.ends[:len(q.ends)-n]
	q.announce()
	return out
}

// keepBuffer is how much space an idle queue holds on to.
const keepBuffer = 1 << 20

func (q *completions) reset() {
	q.ends = q.ends[:0]
	if q.buf = q.buf[:0]; cap(q.buf) > keepBuffer {
		q.buf = nil
	}
	if q.fd >= 0 {
		var sink [8]byte
		_, _ = syscall.Read(q.fd, sink[:])
	}
	select {
	case <-q.signal:
	default:
	}
}

// descriptor returns the eventfd, which it makes at the first call.
func (q *completions) descriptor() (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, errs.New(errs.Closed, "the client is closed")
	}
	if q.fd < 0 {
		fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if errno != 0 {
			return 0, errs.New(errs.ResourceExhausted, "no eventfd: "+errno.Error())
		}
		q.fd = int(fd)
		if len(q.ends) > 0 {
			_, _ = syscall.Write(q.fd, one)
		}
	}
	return q.fd, nil
}

func (q *completions) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.fd >= 0 {
		syscall.Close(q.fd)
		q.fd = -1
	}
	q.announce()
}
