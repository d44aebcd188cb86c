package transport

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// nativeConn is one connection that many exchanges share. It has no goroutine of
// its own: whoever waits for a reply reads for all, and whoever sends while nobody
// writes writes for all.
type nativeConn struct {
	net.Conn
	tcp *net.TCPConn

	// Of the reader, which is one at a time.
	in    []byte
	first int // in[first:] was not received yet

	mu      sync.Mutex
	link    *session.Link
	pending map[uint64]*exchange // by ticket; abandoned ones too
	live    int                  // exchanges that somebody waits for
	waiting []*exchange          // of these, who sleeps
	reading bool
	writing bool
	out     []byte
	spare   []byte
	written uint64    // tickets below may be on the server
	seen    uint64    // messages received
	retired bool      // no new exchange starts here
	err     error     // why it is over
	culprit *exchange // whose reply ended it
	rested  time.Time

	// One timer for all who sleep: a call's deadline seldom passes.
	alarm *time.Timer
	rings time.Time // when it goes off next, zero if it does not
}

// exchange is the steps of one call on a connection.
type exchange struct {
	base    uint64 // ticket of the first
	left    int    // replies missing
	seen    uint64 // how many messages had come when it was sent
	replies []reply
	wake    chan struct{} // holds a token when there is something to do
	until   time.Time     // it sleeps no longer
	expired bool          // it slept until then
}

type reply struct {
	here  bool
	value value.Value
	err   *errs.Error
}

var exchanges = sync.Pool{New: func() any { return &exchange{wake: make(chan struct{}, 1)} }}

// abandoned stands for exchanges that nobody waits for any more.
var abandoned = &exchange{}

func (x *exchange) start(steps int) {
	x.left = steps
	if cap(x.replies) < steps {
		x.replies = make([]reply, steps)
	}
	x.replies = x.replies[:steps]
	select {
	case <-x.wake:
	default:
	}
}

// clear readies it for the next call.
func (x *exchange) clear() *exchange {
	clear(x.replies)
	if cap(x.replies) > 1024 {
		x.replies = nil
	}
	x.replies = x.replies[:0]
	return x
}

// load returns how many requests are under way, and whether more may be sent.
func (c *nativeConn) load() (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.retired {
		return 0, false
	}
	if c.live == 0 && !c.reading && time.Since(c.rested) > checkAfter && c.gone() {
		c.failLocked(errors.New("closed by the server"))
		return 0, false
	}
	return len(c.pending), true
}

// gone reports whether the server has closed a resting connection, or has sent
// what nobody asked for.
func (c *nativeConn) gone() bool {
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	// Control, because Read refuses once the last exchange's deadline has passed.
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == nil && n > 0: // a late reply, or something amiss
			gone = len(c.pending) == 0
		default:
			gone = err != syscall.EAGAIN && err != syscall.EINTR
		}
	})
	return gone || err != nil
}

// idle closes the connection if nobody has used it for the time.
func (c *nativeConn) idle(limit time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && (c.live > 0 || time.Since(c.rested) < limit) {
		return false
	}
	c.failLocked(net.ErrClosed)
	return true
}

// send puts the steps on the connection; false if it is over and has taken
// nothing.
func (c *nativeConn) send(x *exchange, steps []Encoded, deadline time.Time) bool {
	c.mu.Lock()
	if c.err != nil || c.retired {
		c.mu.Unlock()
		return false
	}
	x.seen = c.seen
	for i := range steps {
		var ticket uint64
		c.out, ticket = c.link.Append(c.out, steps[i].body)
		if i == 0 {
			x.base = ticket
		}
		c.pending[ticket] = x
	}
	c.live++
	if c.writing {
		c.mu.Unlock()
		return true
	}
	c.writing = true
	if len(c.out) > writeAhead {
		// So much could fill both ends' buffers: it is written while replies are read.
		c.mu.Unlock()
		go c.write(deadline, 0)
		return true
	}
	if c.live > 1 {
		// Others that are about to send do so now, and one write carries all.
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
	c.writeLocked(deadline, 4)
	c.mu.Unlock()
	return true
}

func (c *nativeConn) write(deadline time.Time, rounds int) {
	c.mu.Lock()
	c.writeLocked(deadline, rounds)
	c.mu.Unlock()
}

// shortestWrite is what a write may take at least, however near the deadline of
// whoever happens to write: an unfinished one would break the connection for all.
const shortestWrite = time.Second

// writeLocked writes what is to be written. After so many rounds (0: without end)
// a goroutine goes on, so that one call does not write for the others for ever.
func (c *nativeConn) writeLocked(deadline time.Time, rounds int) {
	for round := 1; len(c.out) > 0 && c.err == nil; round++ {
		if rounds > 0 && round > rounds {
			go c.write(deadline, 0)
			return
		}
		buf := c.out
		c.out = c.spare[:0]
		c.written = c.link.Sent()
		c.mu.Unlock()
		limit := time.Now().Add(shortestWrite)
		if deadline.After(limit) {
			limit = deadline
		}
		err := c.SetWriteDeadline(limit)
		if err == nil {
			_, err = c.Write(buf)
		}
		c.mu.Lock()
		if c.spare = nil; cap(buf) <= 1<<20 {
			c.spare = buf
		}
		if err != nil {
			c.failLocked(err)
		}
	}
	c.writing = false
}

// await waits until all replies of x are there, or it is over: then it returns why,
// and how many steps the server may have seen.
func (c *nativeConn) await(x *exchange, deadline time.Time) (sent int, err error) {
	c.mu.Lock()
	for x.left > 0 && c.err == nil {
		if c.reading {
			if !c.sleep(x, deadline) {
				return c.abandon(x), errExpired
			}
			continue
		}
		c.reading = true
		c.mu.Unlock()
		err := c.read(deadline)
		c.mu.Lock()
		c.reading = false
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.wakeNext()
			return c.abandon(x), errExpired
		default:
			c.failLocked(err)
		}
	}
	if x.left > 0 {
		err = c.reasonFor(x)
	}
	sent = c.sentOf(x)
	c.leave(x)
	c.wakeNext()
	c.mu.Unlock()
	return sent, err
}

// reasonFor says why the connection is over for x: what is wrong with one reply is
// the fault of its call alone.
func (c *nativeConn) reasonFor(x *exchange) error {
	var own *errs.Error
	if errors.As(c.err, &own) && own.Code != errs.Closed && x != c.culprit {
		return session.OthersFault(own)
	}
	return c.err
}

// sleep waits, unlocked, for a token; false if the deadline passed first.
func (c *nativeConn) sleep(x *exchange, deadline time.Time) bool {
	x.until, x.expired = deadline, false
	c.waiting = append(c.waiting, x)
	if c.rings.IsZero() || deadline.Before(c.rings) {
		c.ringAt(deadline)
	}
	c.mu.Unlock()
	<-x.wake
	c.mu.Lock()
	return !x.expired || x.left == 0
}

// ringAt has the timer go off at the time.
func (c *nativeConn) ringAt(t time.Time) {
	c.rings = t
	if wait := time.Until(t); c.alarm == nil {
		c.alarm = time.AfterFunc(wait, c.ring)
	} else {
		c.alarm.Reset(wait)
	}
}

// ring wakes those whose deadline has passed.
func (c *nativeConn) ring() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	next := time.Time{}
	keep := c.waiting[:0]
	for _, x := range c.waiting {
		if !x.until.After(now) {
			x.expired = true
			signal(x.wake)
			continue
		}
		keep = append(keep, x)
		if next.IsZero() || x.until.Before(next) {
			next = x.until
		}
	}
	c.waiting, c.rings = keep, time.Time{}
	if !next.IsZero() {
		c.ringAt(next)
	}
}

// wakeNext has one of those who sleep read on.
func (c *nativeConn) wakeNext() {
	if c.reading || len(c.waiting) == 0 {
		return
	}
	x := c.waiting[0]
	c.waiting = append(c.waiting[:0], c.waiting[1:]...)
	signal(x.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wakeUp wakes x if it sleeps.
func (c *nativeConn) wakeUp(x *exchange) {
	for i, w := range c.waiting {
		if w == x {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			signal(x.wake)
			return
		}
	}
}

// leave takes x off the connection when its replies are there or will not come.
func (c *nativeConn) leave(x *exchange) {
	c.live--
	if c.live == 0 {
		c.rested = time.Now()
		if c.retired {
			c.failLocked(net.ErrClosed)
		}
	}
}

// abandon leaves the replies of x to whoever reads next, and returns how many
// steps the server may have seen. It unlocks. A connection on which nothing at all
// has come since is not used for further calls; those on it may still end well.
func (c *nativeConn) abandon(x *exchange) int {
	for i := range x.replies {
		if t := x.base + uint64(i); c.pending[t] == x {
			c.pending[t] = abandoned
		}
	}
	sent := c.sentOf(x)
	if c.seen == x.seen {
		c.retired = true
	}
	c.leave(x)
	c.mu.Unlock()
	return sent
}

func (c *nativeConn) sentOf(x *exchange) int {
	return int(min(max(c.written, x.base)-x.base, uint64(len(x.replies))))
}

// read waits for bytes and receives what is complete.
func (c *nativeConn) read(deadline time.Time) error {
	if err := c.SetReadDeadline(deadline); err != nil {
		return err
	}
	return c.receive(c.take)
}

// fill reads once.
func (c *nativeConn) fill() (int, error) {
	if c.first > 0 && c.first == len(c.in) {
		c.in, c.first = c.in[:0], 0
	}
	if len(c.in) == cap(c.in) {
		// Room for as much again as is held: a long reply is copied a few times only.
		grown := make([]byte, len(c.in)-c.first, max(16<<10, 2*(len(c.in)-c.first)))
		copy(grown, c.in[c.first:])
		c.in, c.first = grown, 0
	}
	n, err := c.Read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	return n, err
}

// receive waits for bytes and hands the messages that are complete to take, with the
// connection locked.
func (c *nativeConn) receive(take func(session.Received) *errs.Error) error {
	if n, err := c.fill(); n == 0 {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil {
		n, bad := c.link.Size(c.in[c.first:])
		if bad == nil && n == 0 {
			break
		}
		if bad != nil {
			return bad
		}
		message := string(c.in[c.first : c.first+n])
		c.first += n
		r, bad := c.link.Receive(message)
		if bad == nil {
			bad = take(r)
		}
		if bad != nil {
			return bad
		}
	}
	return nil
}

// take hands a reply to who waits for it.
func (c *nativeConn) take(r session.Received) *errs.Error {
	c.seen++
	if r.Push || r.Hello {
		return nil // pushes of command("pubsub.subscribe"); who wants them subscribes
	}
	x := c.pending[r.Ticket]
	if x == nil {
		return session.AnsweredTwice()
	}
	delete(c.pending, r.Ticket)
	if x == abandoned {
		return nil
	}
	x.replies[r.Ticket-x.base] = reply{here: true, value: r.Value, err: r.Err}
	if x.left--; x.left == 0 {
		c.wakeUp(x)
	}
	return nil
}

// fail ends the connection for all.
func (c *nativeConn) fail(err error) {
	c.mu.Lock()
	c.failLocked(err)
	c.mu.Unlock()
}

func (c *nativeConn) failLocked(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	oldest := c.written // what was not yet sent is not to blame
	for ticket, x := range c.pending {
		if ticket < oldest {
			oldest, c.culprit = ticket, x
		}
	}
	c.tcp.Close()
	for _, x := range c.waiting {
		signal(x.wake)
	}
	c.waiting = c.waiting[:0]
	if c.alarm != nil {
		c.alarm.Stop()
	}
}
