package transport

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// writeAhead is how many bytes are written before replies are read: what fits
// the socket's buffers on any system. Beyond it writing and reading overlap,
// or client and server would each wait for the other to read.
const writeAhead = 16 << 10

var (
	responses = sync.Pool{New: func() any { return &fasthttp.Response{} }}
	outputs   = sync.Pool{New: func() any { return new([]byte) }}
)

// commonHeader is what stands between request line and content length.
func (h *HTTP) commonHeader() []byte {
	b := []byte(" HTTP/1.1\r\nHost: " + h.cfg.Host + "\r\nUser-Agent: " + userAgent + "\r\nContent-Type: application/json\r\n")
	if h.auth != "" {
		b = append(b, "Authorization: "+h.auth+"\r\n"...)
	}
	return append(b, "Content-Length: "...)
}

func (h *HTTP) appendRequest(dst []byte, e *Encoded) []byte {
	method, path := "POST", envelope.Path
	if e.step.Method != "" {
		method, path = e.step.Method, e.step.Path
	}
	dst = append(append(append(append(dst, method...), ' '), h.cfg.Path...), path...)
	dst = append(dst, h.header...)
	dst = strconv.AppendInt(dst, int64(len(e.body)), 10)
	return append(append(dst, "\r\n\r\n"...), e.body...)
}

// Exchange sends the steps in order on one connection and hands each reply to
// deliver, in order. Several steps are pipelined: the server works them off one by
// one, so that they keep their order and cost one round trip. It returns nil when
// every step has its reply. When ctx ends, the wait for a free slot does; an
// exchange under way runs to its end.
func (h *HTTP) Exchange(ctx context.Context, steps []Encoded, deadline time.Time, deliver func(value.Value, *errs.Error)) *Broken {
	if broken := h.acquire(ctx, deadline); broken != nil {
		return broken
	}
	defer func() { <-h.slots }()
	if !time.Now().Before(deadline) {
		return &Broken{Expired: true}
	}
	buffer := outputs.Get().(*[]byte)
	out := (*buffer)[:0]
	next := 0
	for next < len(steps) && len(out) < writeAhead {
		out = h.appendRequest(out, &steps[next])
		next++
	}
	c, broken := h.send(out, next, deadline)
	if cap(out) <= 1<<16 {
		*buffer = out
		outputs.Put(buffer)
	}
	if broken != nil {
		return broken
	}
	var others *tail
	if next < len(steps) {
		others = h.sendOthers(c, steps, next)
	}
	keep, broken := h.receive(c, steps, deadline, deliver)
	if !keep {
		h.pool.drop(c) // ends writing too
	}
	if others != nil {
		<-others.done
		next = others.sent
	}
	if keep {
		h.pool.put(c)
	}
	if broken != nil {
		broken.Sent = next
	}
	return broken
}

// send writes the first requests on a connection of the pool or a new one. A
// resting connection that takes nothing is dead: nothing was sent, and the next one
// is tried.
func (h *HTTP) send(out []byte, steps int, deadline time.Time) (*conn, *Broken) {
	for {
		c := h.pool.take()
		rested := c != nil
		if !rested {
			var err error
			if c, err = h.dial(deadline); err != nil {
				return nil, h.broken(err, 0, deadline)
			}
		}
		err := c.SetDeadline(deadline)
		n := 0
		if err == nil {
			if n, err = c.Write(out); err == nil {
				return c, nil
			}
		}
		h.pool.drop(c)
		switch {
		case n > 0 || errors.Is(err, os.ErrDeadlineExceeded):
			return nil, h.broken(err, steps, deadline)
		case !rested:
			return nil, h.broken(dialError{err}, 0, deadline)
		}
	}
}

// tail is the writing of what comes after the first requests.
type tail struct {
	done chan struct{} // closed when it has ended
	sent int           // how many steps were handed to the connection by then
}

// sendOthers writes the steps from next on while replies are read.
func (h *HTTP) sendOthers(c *conn, steps []Encoded, next int) *tail {
	t := &tail{done: make(chan struct{}), sent: next}
	go func() {
		defer close(t.done)
		var out []byte
		for i := next; i < len(steps); i++ {
			if out = h.appendRequest(out, &steps[i]); len(out) < writeAhead && i+1 < len(steps) {
				continue
			}
			t.sent = i + 1
			if _, err := c.Write(out); err != nil {
				return // reading fails too and says so
			}
			out = out[:0]
		}
	}()
	return t
}

// receive reads the replies. keep says whether the connection is fit for another
// exchange.
func (h *HTTP) receive(c *conn, steps []Encoded, deadline time.Time, deliver func(value.Value, *errs.Error)) (keep bool, broken *Broken) {
	resp := responses.Get().(*fasthttp.Response)
	defer func() {
		resp.Reset()
		responses.Put(resp)
	}()
	for i := range steps {
		if err := resp.ReadLimitBody(c.r, h.cfg.MaxReplyBytes); err != nil {
			return false, h.broken(err, 0, deadline)
		}
		v, failure := steps[i].parse(resp.StatusCode(), string(resp.Body()))
		if failure != nil {
			failure.Message = h.cfg.Redact(failure.Message)
		}
		deliver(v, failure)
		if !resp.ConnectionClose() {
			continue
		}
		if i+1 < len(steps) {
			broken = &Broken{Err: errs.New(errs.Connection, "the server closed the connection in the middle of a batch")}
		}
		return false, broken
	}
	return true, nil
}
