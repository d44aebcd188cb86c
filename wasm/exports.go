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

var (
	// buffers are the inputs that a host is filling, by address.
	buffers = map[int32][]byte{}
	// result is the last output; a host reads it before its next call.
	result  []byte
	clients = map[int32]*loop.Client{}
	lastID  int32
)

//go:wasmexport synap_abi
func synapABI() int32 { return abiVersion }

//go:wasmexport synap_alloc
func synapAlloc(size int32) int32 {
	if size < 0 {
		return 0
	}
	b := make([]byte, max(size, 1))
	p := int32(uintptr(unsafe.Pointer(&b[0])))
	buffers[p] = b[:size]
	return p
}

// take returns an input and gives its buffer back.
func take(p, n int32) (string, bool) {
	if n == 0 {
		delete(buffers, p)
		return "", true
	}
	b, ok := buffers[p]
	if !ok || n < 0 || int(n) > len(b) {
		return "", false
	}
	delete(buffers, p)
	return string(b[:n]), true
}

//go:wasmexport synap_result
func synapResult() int32 {
	if len(result) == 0 {
		return 0
	}
	return int32(uintptr(unsafe.Pointer(&result[0])))
}

// nanos turns the host's milliseconds into Unix nanoseconds.
func nanos(ms float64) int64 {
	if !(ms > 0 && ms < 9e12) {
		return 0
	}
	return int64(ms * 1e6)
}

func failure(e *errs.Error) int32 {
	result = value.AppendMsgpack(result[:0], session.ErrorValue(e))
	return -int32(len(result))
}

// synapOpen opens a client for [address, options, environment] and returns its
// handle, or minus the length of the error in result.
//
//go:wasmexport synap_open
func synapOpen(now float64, p, n int32) int32 {
	s, ok := take(p, n)
	v, _, err := value.ParseMsgpack(s)
	if !ok || err != nil || v.Kind() != value.KindArray {
		return failure(errs.New(errs.InvalidArgument, "synap_open takes [address, options, environment]"))
	}
	address, _ := v.Index(0).AsStr()
	env := v.Index(2)
	lastID++
	id := lastID
	c, bad := loop.Open(nanos(now), address, v.Index(1), func(name string) string {
		s, _ := env.Field(name).AsStr()
		return s
	}, host{id}, rand.Uint64, engines)
	if bad != nil {
		return failure(bad)
	}
	clients[id] = c
	return id
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
	for id, c := range clients {
		c.Tick(nanos(now))
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
		c.HTTPFailed(nanos(now), request, sent != 0, why)
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

// settle hands out completions and asks to be woken.
func settle(now float64, id int32, c *loop.Client) {
	c.Tick(nanos(now))
	deliver(id, c)
	if at := c.WakeAt(); at != 0 {
		hostWakeAt(float64(at) / 1e6)
	}
}

// deliver gives the completions to the host: [[tag, reply] or [tag, nil, error]].
func deliver(id int32, c *loop.Client) {
	list := c.Completions()
	if len(list) == 0 {
		return
	}
	result = value.AppendMsgpackArray(result[:0], len(list))
	for i := range list {
		if l := &list[i]; l.Err != nil {
			result = value.AppendMsgpack(result, value.Array(value.Int(int64(l.Tag)), value.Nil, session.ErrorValue(l.Err)))
		} else {
			result = value.AppendMsgpackArray(result, 2)
			result = value.AppendMsgpack(result, value.Int(int64(l.Tag)))
			result = value.AppendMsgpack(result, l.Reply)
		}
	}
	hostCompleted(id, unsafe.Pointer(&result[0]), int32(len(result)))
}
