package host

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// What a module does that breaks the contract: the import panics with it, and
// wazero hands it to the caller of the export.
var (
	errBadPointer = errors.New("it pointed outside its memory")
	errBadMessage = errors.New("it sent what is not a message of the contract")
	errTooMuch    = errors.New("it asked for more in one call than its memory could hold")
)

const (
	logWarning = 2
	// maxLog bounds a message.
	maxLog = 4096
)

// instantiateImports makes the module synap_host, which all instances share: an
// import finds its instance in the context.
func instantiateImports(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder("synap_host")
	i, f := api.ValueTypeI32, api.ValueTypeF64
	for name, im := range map[string]struct {
		params []api.ValueType
		do     func(in *instance, stack []uint64)
	}{
		"completed":    {[]api.ValueType{i, i, i}, completed},
		"wake_at":      {[]api.ValueType{f}, wakeAt},
		"http_request": {[]api.ValueType{i, i, i, i}, httpRequest},
		"http_abort":   {[]api.ValueType{i, i}, httpAbort},
		"stream_open":  {[]api.ValueType{i, i, i, i}, streamOpen},
		"stream_close": {[]api.ValueType{i, i}, streamClose},
		"socket_open":  {[]api.ValueType{i, i, i, i}, socketOpen},
		"socket_write": {[]api.ValueType{i, i, i, i}, socketWrite},
		"socket_close": {[]api.ValueType{i, i}, socketClose},
		"log":          {[]api.ValueType{i, i, i}, logMessage},
	} {
		do := im.do
		b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) {
			if in := ctx.Value(instanceKey{}).(*instance); in.mem != nil { // it has started
				do(in, stack)
			}
		}), im.params, nil).Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// text reads what the module points at.
func (in *instance) text(p, n uint64) string { return string(in.bytes(p, n)) }

// bytes returns what the module points at, which is valid until the import returns.
func (in *instance) bytes(p, n uint64) []byte {
	b, ok := in.mem.Read(uint32(p), uint32(n))
	if !ok {
		panic(errBadPointer)
	}
	if in.asked += len(b) + perMessage; in.asked > in.h.opts.MaxMemory {
		panic(errTooMuch)
	}
	return b
}

// perMessage is what a message counts besides its bytes.
const perMessage = 256

func (in *instance) message(p, n uint64) value.Value {
	v, rest, err := value.ParseMsgpack(in.text(p, n))
	if err != nil || rest != "" || v.Kind() != value.KindArray {
		panic(errBadMessage)
	}
	return v
}

func completed(in *instance, stack []uint64) {
	c := in.clients[int32(stack[0])]
	list := in.message(stack[1], stack[2])
	for i := 0; i < list.Len() && c != nil; i++ {
		one := list.Index(i)
		tag, ok := one.Index(0).AsInt()
		var err *errs.Error
		if one.Len() == 3 {
			var isError bool
			err, isError = errorOf(one.Index(2))
			ok = ok && isError
		}
		if !ok || one.Len() < 2 {
			panic(errBadMessage)
		}
		c.completed(int32(tag), one.Index(1), err)
	}
}

func wakeAt(in *instance, stack []uint64) {
	wait := api.DecodeF64(stack[0]) - float64(time.Now().UnixNano())/1e6
	if math.IsNaN(wait) {
		panic(errBadMessage)
	}
	in.wake.Reset(time.Duration(max(0, min(wait, 1e9)) * 1e6))
}

// requestOf reads a request and checks it.
func (in *instance) requestOf(stack []uint64) request {
	v := in.message(stack[2], stack[3])
	r := request{id: int32(stack[1])}
	var ok [6]bool
	r.method, ok[0] = v.Index(0).AsStr()
	r.url, ok[1] = v.Index(1).AsStr()
	r.authorization, ok[2] = v.Index(2).AsStr()
	r.body, ok[3] = v.Index(3).AsBlob()
	ms, isMS := v.Index(4).AsInt()
	lane, isLane := v.Index(5).AsInt()
	r.timeout, r.lane, ok[4], ok[5] = time.Duration(min(max(ms, 0), 1e9))*time.Millisecond, lane, isMS, isLane
	if ok != [6]bool{true, true, true, true, true, true} {
		panic(errBadMessage)
	}
	return r
}

func httpRequest(in *instance, stack []uint64) {
	r := in.requestOf(stack)
	if c := in.clients[int32(stack[0])]; c != nil {
		if len(c.requests) == 0 {
			in.todo = append(in.todo, c.sendRequests)
		}
		c.requests = append(c.requests, r)
	}
}

// httpAbort has nothing to do: an exchange cannot be interrupted without losing
// its connection, so it ends by itself and its answer goes nowhere.
func httpAbort(*instance, []uint64) {}

func streamOpen(in *instance, stack []uint64) {
	r := in.requestOf(stack)
	if c := in.clients[int32(stack[0])]; c != nil {
		in.todo = append(in.todo, func() { c.openStream(r) })
	}
}

func streamClose(in *instance, stack []uint64) {
	id := int32(stack[1])
	if c := in.clients[int32(stack[0])]; c != nil {
		in.todo = append(in.todo, func() { c.closeStream(id) })
	}
}

func socketOpen(in *instance, stack []uint64) {
	v := in.message(stack[2], stack[3])
	d := dial{id: int32(stack[1])}
	var ok [4]bool
	d.host, ok[0] = v.Index(0).AsStr()
	d.port, ok[1] = v.Index(1).AsInt()
	d.tls, ok[2] = v.Index(2).AsBool()
	ms, isMS := v.Index(3).AsInt()
	d.timeout, ok[3] = time.Duration(min(max(ms, 0), 1e9))*time.Millisecond, isMS
	if ok != [4]bool{true, true, true, true} {
		panic(errBadMessage)
	}
	if c := in.clients[int32(stack[0])]; c != nil {
		c.openSocket(d)
	}
}

func socketWrite(in *instance, stack []uint64) {
	b := in.bytes(stack[2], stack[3])
	if c := in.clients[int32(stack[0])]; c != nil {
		if s := c.sockets[int32(stack[1])]; s != nil {
			s.send(b)
		}
	}
}

func socketClose(in *instance, stack []uint64) {
	id := int32(stack[1])
	if c := in.clients[int32(stack[0])]; c != nil {
		if s := c.sockets[id]; s != nil {
			delete(c.sockets, id)
			s.end()
		}
	}
}

func logMessage(in *instance, stack []uint64) {
	in.h.opts.Log(int(int32(stack[0])), in.text(stack[1], uint64(min(uint32(stack[2]), maxLog))))
}
