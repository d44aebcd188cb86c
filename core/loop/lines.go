package loop

import (
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
)

// lines are the connections to a SynapRPC or RESP3 address that calls share: each
// carries up to session.MaxPipelined requests at once, and a further one is opened
// only when all are full.
type lines struct {
	c       *Client
	list    []*line
	opening *line
	waiting []*job // for it; some may have ended meanwhile
	// repeating says that a call will be repeated because of the line that is gone.
	repeating bool
}

// line is one of them.
type line struct {
	all     *lines
	sock    *socket
	pending map[uint64]*job // by ticket; nil for those that nobody waits for
	live    int             // jobs that wait for replies
	seen    uint64          // messages received
	retired bool            // takes no more calls
	rested  int64           // since when nobody waits
	idle    timer
}

// round is what a job has on a line.
type round struct {
	line  *line
	calls []*session.Call // whose requests these are
	base  uint64          // ticket of the first
	seen  uint64          // how many messages had come before
	at    int64           // when they were sent
}

// send sends the next steps of a job's calls, all on one line, or has the job wait
// for one. A call has one step at a time here.
func (p *lines) send(j *job) {
	j.native.calls = j.unfinished()
	if len(j.native.calls) == 0 {
		j.finish()
		return
	}
	if l := p.choose(len(j.native.calls)); l != nil {
		l.send(j)
		return
	}
	p.waiting = append(p.waiting, j)
	if p.opening == nil {
		l := &line{all: p, pending: map[uint64]*job{}}
		p.opening = l
		l.sock = p.c.dial(p.c.cfg, l)
	}
}

// unfinished are the calls that have no result yet.
func (j *job) unfinished() []*session.Call {
	for i, call := range j.calls {
		if !call.Done() {
			continue
		}
		list := append([]*session.Call(nil), j.calls[:i]...)
		for _, call := range j.calls[i:] {
			if !call.Done() {
				list = append(list, call)
			}
		}
		return list
	}
	return j.calls
}

// choose returns the line that takes the requests, nil if one should be opened.
func (p *lines) choose(requests int) *line {
	i := session.Pick(len(p.list), p.c.cfg.PoolSize, requests, func(i int) int { return len(p.list[i].pending) })
	if i < 0 {
		return nil
	}
	return p.list[i]
}

func (l *line) send(j *job) {
	j.pending = len(j.native.calls)
	j.native.line, j.native.seen, j.native.at = l, l.seen, l.all.c.now
	for i, call := range j.native.calls {
		ticket := l.sock.send(&call.Steps()[0])
		if i == 0 {
			j.native.base = ticket
		}
		l.pending[ticket] = j
	}
	l.live++
}

func (l *line) ready() {
	p := l.all
	p.opening = nil
	p.list = append(p.list, l)
	l.rested = p.c.now
	p.c.timers.set(&l.idle, p.c.now+int64(session.IdleLimit), l.tend)
	for _, j := range p.takeWaiting() {
		if !j.done {
			j.send()
		}
	}
}

func (p *lines) takeWaiting() []*job {
	list := p.waiting
	p.waiting = nil
	return list
}

func (l *line) received(r session.Received) *errs.Error {
	l.seen++
	if r.Push {
		return nil // of command("pubsub.subscribe"); who wants them subscribes
	}
	j, ok := l.pending[r.Ticket]
	if !ok {
		return session.AnsweredTwice()
	}
	delete(l.pending, r.Ticket)
	if j == nil {
		return nil
	}
	j.native.calls[r.Ticket-j.native.base].Reply(r.Value, l.all.c.redacted(r.Err))
	if j.pending--; j.pending == 0 {
		l.leave()
	}
	j.answered()
	return nil
}

// leave is one job less on the line.
func (l *line) leave() {
	if l.live--; l.live > 0 {
		return
	}
	if l.rested = l.all.c.now; l.retired {
		l.sock.close()
	}
}

// abandon gives up the replies of a job, which may still come. A line on which
// nothing at all has come since the job was sent, in all the time that it had,
// takes no more calls; those on it may still end well.
func (l *line) abandon(j *job) {
	for i := range j.native.calls {
		if t := j.native.base + uint64(i); l.pending[t] == j {
			l.pending[t] = nil
		}
	}
	j.pending = 0
	c := l.all.c
	if l.seen == j.native.seen && (c.now >= j.deadline || c.now-j.native.at >= int64(c.cfg.ConnectTimeout)) {
		l.retired = true
		l.remove()
	}
	l.leave()
}

func (l *line) remove() {
	p := l.all
	for i, other := range p.list {
		if other == l {
			p.list = append(p.list[:i], p.list[i+1:]...)
			break
		}
	}
	p.c.timers.stop(&l.idle)
}

// tend closes the line if nobody has used it for a while.
func (l *line) tend() {
	c := l.all.c
	if l.live > 0 {
		l.rested = c.now
	}
	if at := l.rested + int64(session.IdleLimit); at > c.now {
		c.timers.set(&l.idle, at, l.tend)
		return
	}
	l.remove()
	l.sock.close()
}

func (l *line) gone(err *errs.Error) {
	p := l.all
	p.repeating = false
	defer func() {
		if p.repeating {
			p.c.host.Log(logWarning, "repeating calls: "+err.Message)
		}
	}()
	if p.opening == l {
		p.opening = nil
		for _, j := range p.takeWaiting() {
			if j.done {
				continue
			}
			for _, call := range j.native.calls {
				p.broken(j, call, err, false)
			}
			j.answered()
		}
		return
	}
	l.remove()
	// What is wrong with a reply is the fault of its call alone: of the oldest,
	// which is next on RESP3 and most likely on SynapRPC.
	others := err
	if err.Code != errs.Connection {
		others = session.OthersFault(err)
		if t, j := l.oldest(true); j != nil && t < l.sock.written {
			l.breakOff(t, j, err)
		}
	}
	t, _ := l.oldest(false)
	for ; len(l.pending) > 0 && t < l.sock.link.Sent(); t++ {
		if j := l.pending[t]; j != nil {
			l.breakOff(t, j, others)
		}
	}
}

// oldest returns the first ticket without reply; abandoned ones count if wanted.
func (l *line) oldest(abandoned bool) (ticket uint64, j *job) {
	ticket = l.sock.link.Sent()
	for t, k := range l.pending {
		if t < ticket && (k != nil || abandoned) {
			ticket, j = t, k
		}
	}
	return ticket, j
}

// breakOff ends the wait for a reply.
func (l *line) breakOff(ticket uint64, j *job, err *errs.Error) {
	delete(l.pending, ticket)
	l.all.broken(j, j.native.calls[ticket-j.native.base], err, ticket < l.sock.written)
	if j.pending--; j.pending == 0 {
		l.live--
	}
	j.answered()
}

// broken hands in that a call gets no reply. The error is copied, because others
// get it too.
func (p *lines) broken(j *job, call *session.Call, err *errs.Error, sent bool) {
	if p.c.now >= j.deadline {
		call.Expired(sent)
		return
	}
	own := *err
	call.Broken(p.c.now, &own, sent)
	p.repeating = p.repeating || !call.Done()
}

// stop closes all lines. No call is on them any more.
func (p *lines) stop() {
	for _, l := range append([]*line(nil), p.list...) {
		l.remove()
		l.sock.close()
	}
	if l := p.opening; l != nil {
		p.opening, p.waiting = nil, nil
		l.sock.close()
	}
}
