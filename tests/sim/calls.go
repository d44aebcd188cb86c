package sim

import (
	"strconv"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/loop"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// part is one command of a frame, and what is to be said of its end.
type part struct {
	name  string
	frame value.Value
	raw   bool
	// known is by what the ledger knows it, nothing for reads. Of a command that is
	// several on the wire all count.
	known []string
	// once says that it must not be applied twice.
	once bool
	// same reports whether a result is what the server replied to this call.
	same func(got value.Value, a *applied) bool
	// right reports whether a read has found what it asked for.
	right func(got value.Value) bool
	// then goes on with a result.
	then func(got value.Value)

	ended bool
	err   *errs.Error
}

// call is a frame with one part, or a batch of several.
type call struct {
	a        *actor
	n        int
	tag      int32
	batch    bool
	parts    []*part
	timeout  int64
	deadline int64
	ended    bool
}

func (c *call) String() string {
	s := c.a.String() + " #" + strconv.Itoa(c.n)
	if c.batch {
		return s + " batch"
	}
	return s + " " + c.parts[0].name
}

// begin submits a call.
func (w *world) begin(a *actor, n int, batch bool, parts ...*part) *call {
	timeout := between(a.r, 20, 600) * ms
	c := &call{a: a, n: n, batch: batch, parts: parts, timeout: timeout, deadline: w.now + timeout}
	w.calls = append(w.calls, c)
	frame := parts[0].frame
	if batch {
		list := make([]value.Value, len(parts))
		for i, p := range parts {
			list[i] = p.frame
		}
		frame = value.Array(value.Int(int64(session.OpBatch)), value.Array(list...))
	}
	for _, p := range parts {
		w.logf("%s: %s %s, within %d ms", c, p.name, show(p.frame.Index(2)), timeout/ms)
	}
	c.tag = a.submit(timeout, frame, c.end)
	return c
}

func show(v value.Value) string {
	b, err := value.AppendJSON(nil, v)
	if err != nil {
		return "(" + v.Kind().String() + ")"
	}
	if len(b) > 160 {
		return string(b[:160]) + "…"
	}
	return string(b)
}

// end takes the end of a frame.
func (c *call) end(done loop.Completion) {
	w := c.a.w
	c.ended = true
	if limit := c.deadline + lateness; w.now > limit {
		w.violated("%s ended %d ms after its deadline", c, (w.now-c.deadline)/ms)
	}
	switch {
	case done.Err != nil:
		w.logf("%s: %v", c, done.Err)
		for _, p := range c.parts {
			p.failed(c, done.Err)
		}
	case !c.batch:
		c.parts[0].succeeded(c, done.Reply)
	case done.Reply.Len() != len(c.parts):
		w.violated("%s: %d outcomes of %d", c, done.Reply.Len(), len(c.parts))
	default:
		for i, p := range c.parts {
			outcome := done.Reply.Index(i)
			if outcome.Len() == 1 {
				p.succeeded(c, outcome.Index(0))
				continue
			}
			err := errorOf(outcome.Index(1))
			w.logf("%s: [%d] %v", c, i, err)
			p.failed(c, err)
		}
	}
}

// errorOf reads an error that has crossed a host boundary.
func errorOf(v value.Value) *errs.Error {
	code, _ := v.Index(0).AsInt()
	flags, _ := v.Index(2).AsInt()
	return &errs.Error{Code: errs.Code(code), Message: text(v.Index(3)), Command: text(v.Index(4)), MaybeApplied: flags&2 != 0}
}

func (p *part) failed(c *call, err *errs.Error) {
	p.ended, p.err = true, err
	w := c.a.w
	switch err.Code {
	case errs.Canceled, errs.Closed, errs.NotFound, errs.ResourceExhausted: // as asked for
	case errs.Timeout: // some deadlines are too short
		if w.weather.fine && c.timeout > 40*w.weather.latency {
			w.violated("%s failed in fine weather: %v", c, err)
		}
	default:
		if w.weather.fine {
			w.violated("%s failed in fine weather: %v", c, err)
		}
	}
}

func (p *part) succeeded(c *call, got value.Value) {
	p.ended = true
	w := c.a.w
	w.logf("%s: %s", c, show(got))
	if p.right != nil && !p.right(got) {
		w.violated("%s: %s is not the answer to %s", c, show(got), show(p.frame))
	}
	if p.same != nil {
		// Of a command that was repeated any reply will do.
		found := false
		for _, k := range p.known {
			for _, a := range w.ledger.done[k] {
				found = found || (a.failed == "" && p.same(got, a))
			}
		}
		if !found {
			w.violated("%s: %s is not what the server replied to it", c, show(got))
		}
	}
	if p.then != nil {
		p.then(got)
	}
}

// tally is how many calls that a command is known by ended in which way.
type tally struct {
	call        *call
	once        bool
	sure, maybe int
}

// judge compares the ends of all calls with what the server did. It is called when
// nothing is under way any more.
func (w *world) judge() {
	tallies := map[string]*tally{}
	var order []string
	for _, c := range w.calls {
		if !c.ended {
			w.violated("%s has never ended", c)
		}
		for _, p := range c.parts {
			for _, k := range p.known {
				t := tallies[k]
				if t == nil {
					t = &tally{call: c, once: p.once}
					tallies[k] = t
					order = append(order, k)
				}
				if p.err == nil {
					t.sure++
				} else if p.err.MaybeApplied {
					t.maybe++
				}
			}
		}
	}
	for _, k := range order {
		t, n, idle := tallies[k], 0, 0
		for _, a := range w.ledger.done[k] {
			switch {
			case a.failed != "":
			case a.idle:
				idle++
			default:
				n++
			}
		}
		switch {
		case t.once && n > t.sure+t.maybe, t.sure+t.maybe == 0 && n > 0:
			w.violated("%s: the server did %q %d times, of which %d were successes and %d perhaps", t.call, k, n, t.sure, t.maybe)
		case t.sure > 0 && n+idle == 0, t.once && n+idle < t.sure:
			w.violated("%s: the server did %q %d times, although %d calls succeeded", t.call, k, n, t.sure)
		}
	}
}
