package loop

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// start is the virtual time at which the tests begin.
const start = int64(1_700_000_000) * int64(time.Second)

const (
	ms     = int64(time.Millisecond)
	second = int64(time.Second)
)

// world is a host in virtual time with a server on an engine of its own. It
// keeps what the client asks for until the test answers.
type world struct {
	t        *testing.T
	now      int64
	c        *Client
	server   *engine.Engine
	pending  []request // HTTP requests without an answer, in order
	aborted  []int32
	streams  []request // WebSockets that are open or opening
	closed   []int32
	tcp      bool    // the host has sockets
	peers    []*peer // the other ends of sockets that are open or opening
	dialled  int
	password string // what a native listener wants
	logs     []string
	done     map[int32]Completion
	due      bool
}

type request struct {
	id int32
	Request
}

func (w *world) HTTPRequest(id int32, r *Request) {
	own := *r
	own.Body = bytes.Clone(r.Body)
	w.pending = append(w.pending, request{id, own})
}

func (w *world) HTTPAbort(id int32) {
	w.aborted = append(w.aborted, id)
	w.pending = without(w.pending, id)
}

func (w *world) StreamOpen(id int32, r *Request) { w.streams = append(w.streams, request{id, *r}) }

func (w *world) StreamClose(id int32) {
	w.closed = append(w.closed, id)
	w.streams = without(w.streams, id)
}

func (w *world) Due() { w.due = true }

func (w *world) Log(_ int32, message string) { w.logs = append(w.logs, message) }

func without(list []request, id int32) []request {
	var out []request
	for _, r := range list {
		if r.id != id {
			out = append(out, r)
		}
	}
	return out
}

// open returns a world with a client whose waits are all as long as they can be.
func open(t *testing.T, address string, options ...value.Value) *world {
	t.Helper()
	return openWith(t, address, nil, options...)
}

func openWith(t *testing.T, address string, engines Engines, options ...value.Value) *world {
	t.Helper()
	return openIn(t, &world{}, address, engines, options...)
}

func openIn(t *testing.T, w *world, address string, engines Engines, options ...value.Value) *world {
	t.Helper()
	*w = world{t: t, tcp: w.tcp, password: w.password, now: start, server: engine.New(engine.Options{}), done: map[int32]Completion{}}
	c, err := Open(start, address, value.Map(options...), nil, w, func() uint64 { return 1<<64 - 1 }, engines)
	if err != nil {
		t.Fatal(err)
	}
	w.c = c
	return w
}

// settle is what a host does after each event.
func (w *world) settle() {
	w.t.Helper()
	w.c.Tick(w.now)
	for _, done := range w.c.Completions() {
		if _, twice := w.done[done.Tag]; twice {
			w.t.Fatalf("tag %d completes twice", done.Tag)
		}
		w.done[done.Tag] = done
	}
}

// submit makes a request of a frame.
func (w *world) submit(tag int32, timeout time.Duration, frame ...value.Value) {
	w.t.Helper()
	w.c.Submit(w.now, tag, string(value.AppendMsgpack(nil, value.Array(frame...))), timeout)
	w.settle()
}

func (w *world) call(tag int32, name string, args ...value.Value) {
	w.t.Helper()
	w.submit(tag, 0, value.Int(0), str(name), value.Array(args...))
}

func (w *world) subscribe(tag int32, name string, args ...value.Value) {
	w.t.Helper()
	w.submit(tag, 0, value.Int(3), str(name), value.Array(args...))
}

func (w *world) next(tag int32, sub int64, timeout time.Duration) {
	w.t.Helper()
	w.submit(tag, timeout, value.Int(4), value.Int(sub), value.Int(100))
}

// batch makes a batch of typed calls: name, args, name, args …
func (w *world) batch(tag int32, calls ...any) {
	w.t.Helper()
	var list []value.Value
	for i := 0; i < len(calls); i += 2 {
		list = append(list, value.Array(value.Int(0), str(calls[i].(string)), value.Array(calls[i+1].([]value.Value)...)))
	}
	w.submit(tag, 0, value.Int(2), value.Array(list...))
}

func args(list ...value.Value) []value.Value { return list }

// pop takes the oldest request that has no answer.
func (w *world) pop() request {
	w.t.Helper()
	if len(w.pending) == 0 {
		w.t.Fatal("no request is under way")
	}
	r := w.pending[0]
	w.pending = w.pending[1:]
	return r
}

// answer lets the server answer the oldest request.
func (w *world) answer() request {
	w.t.Helper()
	r := w.pop()
	status, body := w.serve(&r.Request)
	w.c.HTTPResponse(w.now, r.id, status, body)
	w.settle()
	return r
}

// fail fails the oldest request.
func (w *world) fail(sent bool) request {
	w.t.Helper()
	r := w.pop()
	w.c.HTTPFailed(w.now, r.id, sent, "the cable is cut")
	w.settle()
	return r
}

// serve carries a request out on the server's engine.
func (w *world) serve(r *Request) (status int, body string) {
	w.t.Helper()
	if !strings.HasSuffix(r.URL, envelope.Path) {
		return 404, "no such route"
	}
	v, err := value.ParseJSON(string(r.Body))
	if err != nil {
		w.t.Fatal(err)
	}
	name, _ := v.Field("command").AsStr()
	id, _ := v.Field("request_id").AsStr()
	reply, text := w.server.Exec(w.now, engine.Envelope, name, id, v.Field("payload"))
	out := value.Map(str("success"), value.Bool(text == ""), str("request_id"), str(id), str("payload"), reply)
	if text != "" {
		out = value.Map(str("success"), value.Bool(false), str("request_id"), str(id), str("payload"), value.Nil, str("error"), str(text))
	}
	b, err := value.AppendJSON(nil, out)
	if err != nil {
		w.t.Fatal(err)
	}
	return 200, string(b)
}

// to lets the time pass until at.
func (w *world) to(at int64) {
	w.t.Helper()
	w.now = at
	w.settle()
}

// wake lets the time pass until the client wants to be woken.
func (w *world) wake() {
	w.t.Helper()
	at := w.c.WakeAt()
	if at == 0 {
		w.t.Fatal("the client waits for nothing")
	}
	w.to(max(at, w.now))
}

// push sends a text frame on the newest WebSocket.
func (w *world) push(text string) {
	w.t.Helper()
	w.c.StreamData(w.now, w.stream().id, text)
	w.settle()
}

func (w *world) stream() request {
	w.t.Helper()
	if len(w.streams) == 0 {
		w.t.Fatal("no WebSocket is open")
	}
	return w.streams[len(w.streams)-1]
}

// cut ends the newest WebSocket.
func (w *world) cut(status int, body string) {
	w.t.Helper()
	id := w.stream().id
	w.streams = without(w.streams, id)
	w.c.StreamClosed(w.now, id, status, body)
	w.settle()
}

// result fails the test unless the frame has succeeded.
func (w *world) result(tag int32) value.Value {
	w.t.Helper()
	done, ok := w.done[tag]
	if !ok {
		w.t.Fatalf("frame %d is not done", tag)
	}
	if done.Err != nil {
		w.t.Fatalf("frame %d: %v", tag, done.Err)
	}
	return done.Reply
}

// failure fails the test unless the frame has failed with the code.
func (w *world) failure(tag int32, code errs.Code) *errs.Error {
	w.t.Helper()
	done, ok := w.done[tag]
	switch {
	case !ok:
		w.t.Fatalf("frame %d is not done", tag)
	case done.Err == nil:
		w.t.Fatalf("frame %d succeeded with %s", tag, text(done.Reply))
	case done.Err.Code != code:
		w.t.Fatalf("frame %d: %v, want %v", tag, done.Err, code)
	case done.Err.Transport == "":
		w.t.Errorf("%v names no transport", done.Err)
	}
	return done.Err
}

func (w *world) waits(tags ...int32) {
	w.t.Helper()
	for _, tag := range tags {
		if done, ok := w.done[tag]; ok {
			w.t.Fatalf("frame %d is done: %s %v", tag, text(done.Reply), done.Err)
		}
	}
}

// atRest fails the test if the client remembers or waits for anything.
func (w *world) atRest() {
	w.t.Helper()
	c := w.c
	if n := len(c.frames) + len(c.waiting) + len(c.streams) + len(c.sockets) + len(c.timers.heap) + c.inFlight; n > 0 {
		w.t.Errorf("left: %d frames, %d requests, %d WebSockets, %d sockets, %d timers, %d in flight", len(c.frames), len(c.waiting), len(c.streams), len(c.sockets), len(c.timers.heap), c.inFlight)
	}
	if at := c.WakeAt(); at != 0 {
		w.t.Errorf("the client wants to be woken in %v", time.Duration(at-w.now))
	}
	if len(w.pending)+len(w.streams)+len(w.peers) > 0 {
		w.t.Errorf("the host is left with %d requests, %d WebSockets and %d sockets", len(w.pending), len(w.streams), len(w.peers))
	}
}

func str(s string) value.Value { return value.Str(s) }

func strs(list ...string) value.Value {
	items := make([]value.Value, len(list))
	for i, s := range list {
		items[i] = value.Str(s)
	}
	return value.Array(items...)
}

// text is a value as the tests write it.
func text(v value.Value) string {
	b, err := value.AppendJSON(nil, v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func equal(t *testing.T, what string, got value.Value, want string) {
	t.Helper()
	if g := text(got); g != want {
		t.Errorf("%s: got %s, want %s", what, g, want)
	}
}
