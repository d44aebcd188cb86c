package host

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Client is a Synap client inside an instance. It is safe for concurrent use;
// calls of clients in one instance take turns while they are in the module, which
// is for microseconds, and not while they wait for the server.
type Client struct {
	in  *instance
	id  int32
	cfg *config.Config
	net *network // nil for memory://

	// Guarded by in.mu.
	lastTag  int32
	pending  map[int32]*pending
	requests []request // to be sent after the export
	streams  map[int32]context.CancelFunc
	sockets  map[int32]*socket
	dead     *errs.Error
}

// pending is a frame that the module has not completed.
type pending struct {
	v     value.Value
	err   *errs.Error
	done  bool
	ready chan struct{} // nil until somebody waits
}

func newClient(in *instance, cfg *config.Config) (*Client, error) {
	c := &Client{in: in, cfg: cfg, pending: map[int32]*pending{}, streams: map[int32]context.CancelFunc{}, sockets: map[int32]*socket{}}
	if cfg.Scheme == config.Memory {
		return c, nil
	}
	var err *errs.Error
	if c.net, err = newNetwork(cfg); err != nil {
		return nil, err
	}
	return c, nil
}

// environment is what the module may know of the process's.
func environment() value.Value {
	var list []value.Value
	for _, e := range os.Environ() {
		if name, v, _ := strings.Cut(e, "="); strings.HasPrefix(name, "SYNAP_") {
			list = append(list, value.Str(name), value.Str(v))
		}
	}
	return value.Map(list...)
}

// Command runs any command by the server's own name, with the payload and the
// reply of the server's command envelope.
func (c *Client) Command(ctx context.Context, name string, payload value.Value) (value.Value, error) {
	b := value.AppendMsgpackArray(make([]byte, 0, 128), 3)
	b = append(b, 1)
	b = value.AppendMsgpackStr(b, name)
	return c.Frame(ctx, string(value.AppendMsgpack(b, payload)))
}

// Call runs a command of the table with positional arguments; trailing ones may
// be left out and nil means absent.
func (c *Client) Call(ctx context.Context, name string, args ...value.Value) (value.Value, error) {
	return c.Frame(ctx, frame(0, name, args))
}

func frame(op byte, name string, args []value.Value) string {
	b := value.AppendMsgpackArray(make([]byte, 0, 128), 3)
	b = append(b, op)
	b = value.AppendMsgpackStr(b, name)
	return string(value.AppendMsgpack(b, value.Array(args...)))
}

// Frame runs one encoded request (session.ParseFrame). Its deadline is that of
// ctx, else the client's; when ctx ends, the module gives the request up.
func (c *Client) Frame(ctx context.Context, frame string) (value.Value, error) {
	switch {
	case ctx.Err() != nil:
		return value.Nil, c.about(canceled(ctx))
	case len(frame) > maxInput:
		return value.Nil, c.about(errs.New(errs.TooLarge, "the request is larger than the module takes; nothing was sent"))
	}
	timeout := 0.0 // the client's own
	if at, ok := ctx.Deadline(); ok {
		timeout = max(float64(time.Until(at))/1e6, 1e-3)
	}
	tag, p, bad := c.submit(frame, timeout)
	if bad != nil {
		return value.Nil, bad
	}
	if p.ready != nil {
		select {
		case <-p.ready:
		case <-ctx.Done():
			c.cancel(tag, p, ctx)
		}
	}
	if p.err != nil {
		return value.Nil, p.err
	}
	return p.v, nil
}

func (c *Client) submit(frame string, timeout float64) (int32, *pending, *errs.Error) {
	in := c.in
	if bad := in.enter(); bad != nil {
		return 0, nil, c.about(bad)
	}
	if c.dead != nil {
		in.leave(nil)
		return 0, nil, c.about(c.dead)
	}
	for taken := true; taken; _, taken = c.pending[c.lastTag] {
		c.lastTag = c.lastTag%(1<<30) + 1
	}
	tag, p := c.lastTag, &pending{}
	c.pending[tag] = p
	at, n, err := in.put(frame)
	if err == nil {
		_, err = in.call(fnSubmit, in.now, i32(c.id), i32(tag), f64(timeout), at, n)
	}
	if err == nil && !p.done {
		p.ready = make(chan struct{})
	}
	in.leave(err)
	return tag, p, nil
}

// completed takes the end of a frame; in.mu is held.
func (c *Client) completed(tag int32, v value.Value, err *errs.Error) {
	p := c.pending[tag]
	if p == nil {
		return
	}
	delete(c.pending, tag)
	p.v, p.err, p.done = v, err, true
	if p.ready != nil {
		close(p.ready)
	}
}

// cancel gives a frame up; it may have ended meanwhile.
func (c *Client) cancel(tag int32, p *pending, ctx context.Context) {
	in := c.in
	if in.enter() != nil {
		<-p.ready // with what the instance died of
		return
	}
	var err error
	if !p.done {
		_, err = in.call(fnCancel, in.now, i32(c.id), i32(tag))
	}
	if err == nil && !p.done {
		c.completed(tag, value.Nil, errs.New(errs.Canceled, ""))
	}
	if p.err != nil && p.err.Code == errs.Canceled {
		own := canceled(ctx)
		p.err.Code, p.err.Message = own.Code, own.Message
	}
	in.leave(err)
}

func canceled(ctx context.Context) *errs.Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errs.New(errs.Timeout, "the deadline passed before the server answered")
	}
	return errs.New(errs.Canceled, "the caller cancelled the call")
}

// about returns a copy of an error that says which transport it is of.
func (c *Client) about(err *errs.Error) *errs.Error {
	own := copyOf(err)
	own.Transport = c.cfg.Scheme
	return own
}

func copyOf(err *errs.Error) *errs.Error {
	own := *err
	return &own
}

// fail ends the client and what is in flight; in.mu is held.
func (c *Client) fail(err *errs.Error) {
	c.dead = err
	for tag := range c.pending {
		c.completed(tag, value.Nil, c.about(err))
	}
	for _, cancel := range c.streams {
		cancel()
	}
	for _, s := range c.sockets {
		s.end()
	}
	clear(c.sockets)
	if c.net != nil {
		c.net.close()
	}
}

// Close ends the client: calls in flight fail with errs.Closed. Closing twice is
// an error too.
func (c *Client) Close() error {
	in := c.in
	if bad := in.enter(); bad != nil {
		return c.about(bad)
	}
	if c.dead != nil {
		in.leave(nil)
		return c.about(c.dead)
	}
	_, err := in.call(fnClose, in.now, i32(c.id))
	if err == nil {
		delete(in.clients, c.id)
		c.fail(errs.New(errs.Closed, "the client is closed"))
	}
	in.leave(err)
	in.h.release(in)
	return nil
}

// errorOf reads an error as it crosses the boundary.
func errorOf(v value.Value) (*errs.Error, bool) {
	code, ok := v.Index(0).AsInt()
	status, _ := v.Index(1).AsInt()
	flags, _ := v.Index(2).AsInt()
	message, isText := v.Index(3).AsStr()
	command, _ := v.Index(4).AsStr()
	transport, _ := v.Index(5).AsStr()
	return &errs.Error{Code: errs.Code(code), Status: int(status), Retryable: flags&1 != 0, MaybeApplied: flags&2 != 0,
		Message: message, Command: command, Transport: transport}, ok && isText
}
