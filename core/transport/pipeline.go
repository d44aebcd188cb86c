package transport

import (
	"bufio"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// pipe is a connection for pipelined requests: all are written, then their
// replies are read in order. The server works them off one by one, so commands
// of a batch keep their order and cost one round trip.
type pipe struct {
	net.Conn
	r *bufio.Reader
}

// pipePool keeps a few idle pipes.
type pipePool struct {
	mu     sync.Mutex
	idle   []*pipe
	closed bool
}

const maxIdlePipes = 8

func (p *pipePool) get() *pipe {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return c
	}
	return nil
}

func (p *pipePool) put(c *pipe) {
	p.mu.Lock()
	keep := !p.closed && len(p.idle) < maxIdlePipes
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		c.Close()
	}
}

func (p *pipePool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.Close()
	}
}

// pipelineHeader is what stands between request line and Content-Length.
func (h *HTTP) pipelineHeader() []byte {
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

// writeAhead is how many bytes are written before replies are read: what fits
// the socket's buffers on any system. Beyond it writing and reading overlap,
// or client and server would each wait for the other to read.
const writeAhead = 16 << 10

func (h *HTTP) pipeline(steps []Encoded, deadline time.Time, deliver func(value.Value, *errs.Error)) *Broken {
	c := h.piped.get()
	if c == nil {
		conn, err := h.dial(h.cfg.Host, time.Until(deadline))
		if err != nil {
			return h.broken(err, deadline)
		}
		c = &pipe{Conn: conn, r: bufio.NewReaderSize(conn, 16<<10)}
	}
	if err := c.SetDeadline(deadline); err != nil {
		c.Close()
		return h.broken(dialError{err}, deadline)
	}
	var out []byte
	next := 0
	for next < len(steps) && len(out) < writeAhead {
		out = h.appendRequest(out, &steps[next])
		next++
	}
	if _, err := c.Write(out); err != nil {
		c.Close()
		return h.broken(err, deadline)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		for out = out[:0]; next < len(steps); next++ {
			if out = h.appendRequest(out, &steps[next]); len(out) < writeAhead && next+1 < len(steps) {
				continue
			}
			if _, err := c.Write(out); err != nil {
				return // reading fails too and says so
			}
			out = out[:0]
		}
	}()
	resp := responses.Get().(*fasthttp.Response)
	defer func() {
		resp.Reset()
		responses.Put(resp)
	}()
	for i := range steps {
		if err := resp.ReadLimitBody(c.r, h.cfg.MaxReplyBytes); err != nil {
			c.Close()
			<-written
			return h.broken(err, deadline)
		}
		status, body, last := resp.StatusCode(), string(resp.Body()), resp.ConnectionClose()
		deliver(steps[i].parse(status, body))
		if last && i+1 < len(steps) {
			c.Close()
			<-written
			return &Broken{Sent: true, Err: errs.New(errs.Connection, "the server closed the connection in the middle of a batch")}
		}
	}
	<-written
	if resp.ConnectionClose() {
		c.Close()
		return nil
	}
	h.piped.put(c)
	return nil
}
