//go:build wasip1

// Command wasm is synap.wasm: the client of core/loop with WASM exports round
// it. README.md is the contract with hosts.
package main

import (
	"math/rand/v2"
	"unsafe"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/loop"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
)

func main() {}

// abiVersion changes when a host written for the old one would go wrong.
const abiVersion = 1

const (
	// overMax is a "sent" of synap_http_failed: the answer is over max_reply_bytes.
	overMax = 2
	// maxInput bounds an input: more than any reply or request may be by far.
	maxInput = 1 << 28
	// keptOutput is how large the buffer of outputs may stay.
	keptOutput = 1 << 20
)

var (
	// input is the buffer that a host is filling, at address inputAt; hosts fill
	// one at a time. Those that do not have more in inputs.
	input   []byte
	inputAt int32
	inputs  = map[int32][]byte{}
	clients = map[int32]*loop.Client{}
	lastID  int32
	// due are the clients whose Tick has something to do at once.
	due []int32
	// asked is the earliest time at which the host was asked to call, 0 for none.
	asked float64
)

//go:wasmexport synap_abi
func synapABI() int32 { return abiVersion }

//go:wasmexport synap_alloc
func synapAlloc(size int32) int32 {
	if size < 0 || size > maxInput {
		return 0
	}
	b := make([]byte, max(size, 1))
	if inputAt != 0 {
		inputs[inputAt] = input
	}
	input, inputAt = b[:size], int32(uintptr(unsafe.Pointer(&b[0])))
	return inputAt
}

// take returns an input, which is the module's from now on.
func take(p, n int32) (string, bool) {
	b, ok := input, p == inputAt
	if ok {
		input, inputAt = nil, 0
	} else if b, ok = inputs[p]; ok {
		delete(inputs, p)
	}
	if n == 0 {
		return "", true
	}
	if !ok || n < 0 || int(n) > len(b) {
		return "", false
	}
	return unsafe.String(&b[0], n), true
}

// nanos turns the host's milliseconds into Unix nanoseconds.
func nanos(ms float64) int64 {
	if !(ms > 0 && ms < 9e12) {
		return 0
	}
	return int64(ms * 1e6)
}

func failure(e *errs.Error) int32 { return -output(session.ErrorValue(e)) }

// synapOpen opens a client for [address, options, environment, sockets] and returns
// its handle, or minus the length of the error in result.
//
//go:wasmexport synap_open
func synapOpen(now float64, p, n int32) int32 {
	s, ok := take(p, n)
	v, _, err := value.ParseMsgpack(s)
	if !ok || err != nil || v.Kind() != value.KindArray {
		return failure(errs.New(errs.InvalidArgument, "synap_open takes [address, options, environment, sockets]"))
	}
	address, _ := v.Index(0).AsStr()
	env := v.Index(2)
	sockets, _ := v.Index(3).AsBool()
	lastID++
	id := lastID
	c, bad := loop.Open(nanos(now), address, v.Index(1), func(name string) string {
		s, _ := env.Field(name).AsStr()
		return s
	}, host{id, sockets}, rand.Uint64, engines)
	if bad != nil {
		return failure(bad)
	}
	clients[id] = c
	return id
}

//go:wasmexport synap_settings
func synapSettings(id int32) int32 {
	if c := clients[id]; c != nil {
		return output(c.Settings())
	}
	return 0
}

//go:wasmexport synap_close
func synapClose(now float64, id int32) {
	if c := clients[id]; c != nil {
		c.Close(nanos(now))
		deliver(id, c)
		delete(clients, id)
	}
}

//go:wasmexport synap_submit
func synapSubmit(now float64, id, tag int32, timeoutMS float64, p, n int32) {
	frame, ok := take(p, n)
	c := clients[id]
	if c == nil {
		return
	}
	if !ok {
		frame = "" // refused as malformed
	}
	timeout := span.Duration(0)
	if timeoutMS > 0 && timeoutMS < 1e12 {
		timeout = span.Duration(timeoutMS * 1e6)
	}
	c.Submit(nanos(now), tag, frame, timeout)
	settle(now, id, c)
}

//go:wasmexport synap_cancel
func synapCancel(now float64, id, tag int32) {
	if c := clients[id]; c != nil {
		c.Cancel(nanos(now), tag)
		settle(now, id, c)
	}
}

//go:wasmexport synap_tick
func synapTick(now float64) {
	asked = 0
	for id, c := range clients {
		settle(now, id, c)
	}
}

//go:wasmexport synap_http_response
func synapHTTPResponse(now float64, id, request, status, p, n int32) {
	body, _ := take(p, n)
	if c := clients[id]; c != nil {
		c.HTTPResponse(nanos(now), request, int(status), body)
		settle(now, id, c)
	}
}

//go:wasmexport synap_http_failed
func synapHTTPFailed(now float64, id, request, sent, p, n int32) {
	why, _ := take(p, n)
	if c := clients[id]; c != nil {
		if sent == overMax {
			c.HTTPTooLarge(nanos(now), request)
		} else {
			c.HTTPFailed(nanos(now), request, sent != 0, why)
		}
		settle(now, id, c)
	}
}

//go:wasmexport synap_stream_data
func synapStreamData(now float64, id, stream, p, n int32) {
	text, _ := take(p, n)
	if c := clients[id]; c != nil {
		c.StreamData(nanos(now), stream, text)
		settle(now, id, c)
	}
}

//go:wasmexport synap_stream_closed
func synapStreamClosed(now float64, id, stream, status, p, n int32) {
	body, _ := take(p, n)
	if c := clients[id]; c != nil {
		c.StreamClosed(nanos(now), stream, int(status), body)
		settle(now, id, c)
	}
}

//go:wasmexport synap_socket_opened
func synapSocketOpened(now float64, id, socket int32) {
	if c := clients[id]; c != nil {
		c.SocketOpened(nanos(now), socket)
		settle(now, id, c)
	}
}

//go:wasmexport synap_socket_data
func synapSocketData(now float64, id, socket, p, n int32) {
	data, _ := take(p, n)
	if c := clients[id]; c != nil {
		c.SocketData(nanos(now), socket, unsafe.Slice(unsafe.StringData(data), len(data)))
		settle(now, id, c)
	}
}

//go:wasmexport synap_socket_closed
func synapSocketClosed(now float64, id, socket, p, n int32) {
	why, _ := take(p, n)
	if c := clients[id]; c != nil {
		c.SocketClosed(nanos(now), socket, why)
		settle(now, id, c)
	}
}

// settle ends an event of a client: it does what has become due, hands out
// completions and asks to be woken.
func settle(now float64, id int32, c *loop.Client) {
	settleOne(now, id, c)
	for len(due) > 0 {
		id := due[len(due)-1]
		due = due[:len(due)-1]
		if c := clients[id]; c != nil {
			settleOne(now, id, c)
		}
	}
}

func settleOne(now float64, id int32, c *loop.Client) {
	c.Tick(nanos(now))
	deliver(id, c)
	// Rounded up, or the tick would come before its time.
	if at := float64(c.WakeAt()/1e6 + 1); at > 1 && (asked == 0 || at < asked) {
		asked = at
		hostWakeAt(at)
	}
}

// deliver gives the completions to the host: [[tag, reply] or [tag, nil, error]].
func deliver(id int32, c *loop.Client) {
	list := c.Completions()
	if len(list) == 0 {
		return
	}
	result = value.AppendMsgpackArray(space(), len(list))
	for i := range list {
		if l := &list[i]; l.Err != nil {
			result = value.AppendMsgpack(result, value.Array(value.Int(int64(l.Tag)), value.Nil, session.ErrorValue(l.Err)))
		} else {
			result = value.AppendMsgpackArray(result, 2)
			result = value.AppendMsgpack(result, value.Int(int64(l.Tag)))
			result = value.AppendMsgpack(result, l.Reply)
		}
	}
	clear(list)
	hostCompleted(id, unsafe.Pointer(&result[0]), int32(len(result)))
}

// result is the last output; a host reads it before its next call.
var result []byte

// space is where an output is written. The buffer of a large one is not kept.
func space() []byte {
	if cap(result) > keptOutput {
		result = nil
	}
	return result[:0]
}

// output puts a value where synap_result points, and returns its length.
func output(v value.Value) int32 {
	result = value.AppendMsgpack(space(), v)
	return int32(len(result))
}

//go:wasmexport synap_result
func synapResult() int32 {
	if len(result) == 0 {
		return 0
	}
	return int32(uintptr(unsafe.Pointer(&result[0])))
}
