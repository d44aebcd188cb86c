package host

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// abiVersion is the version of the contract that this package knows.
const abiVersion = 1

// The exports, in the order of their constants.
const (
	fnABI = iota
	fnAlloc
	fnResult
	fnOpen
	fnClose
	fnSubmit
	fnCancel
	fnHTTPResponse
	fnHTTPFailed
	fnStreamData
	fnStreamClosed
	fnSocketOpened
	fnSocketData
	fnSocketClosed
	fnTick
	fnCount
)

// exports are their names and types: i for i32, f for f64, the result last.
var exports = [fnCount][2]string{
	{"synap_abi", ":i"}, {"synap_alloc", "i:i"}, {"synap_result", ":i"}, {"synap_open", "fii:i"}, {"synap_close", "fi:"},
	{"synap_submit", "fiifii:"}, {"synap_cancel", "fii:"}, {"synap_http_response", "fiiiii:"}, {"synap_http_failed", "fiiiii:"},
	{"synap_stream_data", "fiiii:"}, {"synap_stream_closed", "fiiiii:"},
	{"synap_socket_opened", "fii:"}, {"synap_socket_data", "fiiii:"}, {"synap_socket_closed", "fiiii:"}, {"synap_tick", "f:"},
}

// typeOf writes the type of a function as exports does.
func typeOf(d api.FunctionDefinition) string {
	var b []byte
	for _, t := range d.ParamTypes() {
		b = append(b, api.ValueTypeName(t)[0])
	}
	b = append(b, ':')
	for _, t := range d.ResultTypes() {
		b = append(b, api.ValueTypeName(t)[0])
	}
	return string(b)
}

// instance is one instance of the module. Whoever holds mu may call its exports.
type instance struct {
	h     *Host
	users int // clients placed here; guarded by h.mu

	mu      sync.Mutex
	ctx     context.Context // finds the instance in imports
	mod     api.Module
	mem     api.Memory
	fns     [fnCount]api.Function
	stack   [8]uint64
	now     uint64 // the time of the event, as exports take it
	clients map[int32]*Client
	todo    []func() // what imports asked for, done after the export
	asked   int      // bytes that imports took in this event
	wake    *time.Timer
	dead    *errs.Error
	// since is when the export that runs was called, Unix nanoseconds, 0 for none.
	since   atomic.Int64
	runaway atomic.Bool
	gone    atomic.Bool // dead is set
}

type instanceKey struct{}

func (h *Host) newInstance(ctx context.Context) (*instance, error) {
	in := &instance{h: h, clients: map[int32]*Client{}}
	in.ctx = context.WithValue(context.Background(), instanceKey{}, in)
	ctx = context.WithValue(ctx, instanceKey{}, in)
	if h.opts.Patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.opts.Patience)
		defer cancel()
	}
	mod, err := h.runtime.InstantiateModule(ctx, h.compiled, h.moduleConfig())
	if err != nil {
		if ctx.Err() != nil {
			return nil, errs.New(errs.Timeout, "the module did not start in time")
		}
		return nil, errs.New(errs.Panic, "the module does not start: "+firstLine(err))
	}
	in.mod, in.mem = mod, mod.Memory()
	for i, e := range exports {
		in.fns[i] = mod.ExportedFunction(e[0])
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.wake = time.AfterFunc(time.Hour, in.tick) // until the module asks for another time
	if version, err := in.call(fnABI); err != nil {
		return nil, in.kill(err)
	} else if int32(version) != abiVersion {
		in.dead = errs.New(errs.Closed, "")
		in.bury()
		return nil, errs.New(errs.Unsupported, "the module speaks version "+strconv.Itoa(int(int32(version)))+" of the contract, this host version "+strconv.Itoa(abiVersion))
	}
	return in, nil
}

// firstLine leaves out the stack of a trap.
func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// call calls an export; mu is held. The stack is reused: a result is read before
// the next call.
func (in *instance) call(fn int, args ...uint64) (uint64, error) {
	copy(in.stack[:], args)
	err := in.fns[fn].CallWithStack(in.ctx, in.stack[:])
	return in.stack[0], err
}

func i32(n int32) uint64 { return api.EncodeI32(n) }

func f64(v float64) uint64 { return api.EncodeF64(v) }

var errNoRoom = errors.New("the module has no room for an input")

// maxInput is the largest input that the module takes.
const maxInput = 1 << 28

// put hands an input over and returns its address and length; mu is held.
func (in *instance) put(text string) (p, n uint64, err error) {
	n = i32(int32(len(text)))
	if len(text) == 0 {
		return 0, n, nil
	}
	p, err = in.call(fnAlloc, n)
	switch {
	case err != nil:
	case uint32(p) == 0:
		err = errNoRoom
	case !in.mem.WriteString(uint32(p), text):
		err = errBadPointer
	}
	return p, n, err
}

// enter begins an event. The instance may be dead.
func (in *instance) enter() *errs.Error {
	in.mu.Lock()
	if in.dead != nil {
		in.mu.Unlock()
		return in.dead
	}
	now := time.Now().UnixNano()
	in.asked, in.now = 0, f64(float64(now)/1e6)
	in.since.Store(now)
	return nil
}

// leave ends an event: err is what its calls of exports came to.
func (in *instance) leave(err error) {
	in.since.Store(0)
	if err != nil {
		in.kill(err)
	}
	todo := in.todo
	in.todo = nil
	for _, do := range todo {
		do()
	}
	in.mu.Unlock()
}

// input calls an export that takes the time, a client, some numbers and a text.
func (in *instance) input(fn int, client int32, text string, numbers ...int32) {
	in.enterFor(client, func() error {
		p, n, err := in.put(text)
		if err != nil {
			return err
		}
		_, err = in.call(fn, append(in.arguments(client, numbers), p, n)...)
		return err
	})
}

// event calls one that takes no text.
func (in *instance) event(fn int, client int32, numbers ...int32) {
	in.enterFor(client, func() error {
		_, err := in.call(fn, in.arguments(client, numbers)...)
		return err
	})
}

// enterFor has something done as an event of a client, if that still exists.
func (in *instance) enterFor(client int32, do func() error) {
	if in.enter() != nil {
		return
	}
	var err error
	if in.clients[client] != nil {
		err = do()
	}
	in.leave(err)
}

func (in *instance) arguments(client int32, numbers []int32) []uint64 {
	args := make([]uint64, 0, 8)
	args = append(args, in.now, i32(client))
	for _, v := range numbers {
		args = append(args, i32(v))
	}
	return args
}

func (in *instance) tick() {
	if in.enter() == nil {
		_, err := in.call(fnTick, in.now)
		in.leave(err)
	}
}

// kill ends the instance after a trap; mu is held. Its clients are unusable.
func (in *instance) kill(err error) *errs.Error {
	why := "the module trapped: " + firstLine(err)
	if in.runaway.Load() {
		why = "the module ran for longer than " + in.h.opts.Patience.String() + " and was stopped"
	}
	in.dead = &errs.Error{Code: errs.Panic, MaybeApplied: true, Message: why + "; this client is unusable, open a new one"}
	in.gone.Store(true)
	in.h.opts.Log(logWarning, in.dead.Message)
	in.bury()
	go in.h.forget(in)
	return in.dead
}

// bury frees what the instance holds; mu is held and dead is set.
func (in *instance) bury() {
	in.wake.Stop()
	in.todo = nil
	for id, c := range in.clients {
		delete(in.clients, id)
		c.fail(in.dead)
	}
	in.mod.Close(in.ctx)
}

// end closes the clients and the instance.
func (in *instance) end() {
	in.mu.Lock()
	clients := make([]*Client, 0, len(in.clients))
	for _, c := range in.clients {
		clients = append(clients, c)
	}
	in.mu.Unlock()
	for _, c := range clients {
		_ = c.Close()
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.dead == nil {
		in.dead = errs.New(errs.Closed, "the host is closed")
		in.bury()
	}
}

// stopIfRunaway stops an export that has run for too long: its caller gets an
// error and kills the instance.
func (in *instance) stopIfRunaway(at time.Time) {
	if since := in.since.Load(); since != 0 && at.Sub(time.Unix(0, since)) >= in.h.opts.Patience {
		in.runaway.Store(true)
		in.mod.CloseWithExitCode(context.Background(), 1)
	}
}

// open opens a client in the instance.
func (in *instance) open(cfg *config.Config, address string, options value.Value) (*Client, error) {
	c, err := newClient(in, cfg)
	if err != nil {
		in.h.release(in)
		return nil, err
	}
	request := value.AppendMsgpack(nil, value.Array(value.Str(address), options, environment(), value.Bool(true)))
	if bad := in.enter(); bad != nil {
		in.h.release(in)
		return nil, copyOf(bad)
	}
	id, failure, trap := in.openClient(string(request))
	if trap == nil && failure == nil {
		c.id = id
		in.clients[id] = c
	}
	in.leave(trap)
	switch {
	case trap != nil:
		failure = copyOf(in.dead)
	case failure == nil:
		return c, nil
	}
	in.h.release(in)
	return nil, failure
}

func (in *instance) openClient(request string) (id int32, failure *errs.Error, trap error) {
	p, n, err := in.put(request)
	if err != nil {
		return 0, nil, err
	}
	r, err := in.call(fnOpen, in.now, p, n)
	switch {
	case err != nil:
		return 0, nil, err
	case in.clients[int32(r)] != nil:
		return 0, nil, errBadMessage
	case int32(r) > 0:
		return int32(r), nil, nil
	}
	at, err := in.call(fnResult)
	if err != nil {
		return 0, nil, err
	}
	text, ok := in.mem.Read(uint32(at), uint32(-int32(r)))
	if !ok {
		return 0, nil, errBadPointer
	}
	v, _, err := value.ParseMsgpack(string(text))
	if err != nil {
		return 0, nil, errBadMessage
	}
	e, ok := errorOf(v)
	if !ok {
		return 0, nil, errBadMessage
	}
	return 0, e, nil
}
