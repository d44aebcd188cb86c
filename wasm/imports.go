//go:build wasip1

package main

import (
	"math/rand/v2"
	"unsafe"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/loop"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
)

//go:wasmimport synap_host completed
func hostCompleted(client int32, p unsafe.Pointer, n int32)

//go:wasmimport synap_host wake_at
func hostWakeAt(ms float64)

//go:wasmimport synap_host http_request
func hostHTTPRequest(client, request int32, p unsafe.Pointer, n int32)

//go:wasmimport synap_host http_abort
func hostHTTPAbort(client, request int32)

//go:wasmimport synap_host stream_open
func hostStreamOpen(client, stream int32, p unsafe.Pointer, n int32)

//go:wasmimport synap_host stream_close
func hostStreamClose(client, stream int32)

//go:wasmimport synap_host socket_open
func hostSocketOpen(client, socket int32, p unsafe.Pointer, n int32)

//go:wasmimport synap_host socket_write
func hostSocketWrite(client, socket int32, p unsafe.Pointer, n int32)

//go:wasmimport synap_host socket_close
func hostSocketClose(client, socket int32)

//go:wasmimport synap_host log
func hostLog(level int32, p unsafe.Pointer, n int32)

// host carries a client's wishes over the boundary.
type host struct {
	client  int32
	sockets bool
}

var scratch []byte

// list begins a message in scratch.
func list(n int) {
	if cap(scratch) > keptOutput {
		scratch = nil
	}
	scratch = value.AppendMsgpackArray(scratch[:0], n)
}

// encode writes a request: [method, url, authorization, body, timeout ms, lane].
func encode(r *loop.Request) []byte {
	list(6)
	scratch = value.AppendMsgpackStr(scratch, r.Method)
	scratch = value.AppendMsgpackStr(scratch, r.URL)
	scratch = value.AppendMsgpackStr(scratch, r.Authorization)
	scratch = value.AppendMsgpack(scratch, value.BytesOf(unsafe.String(unsafe.SliceData(r.Body), len(r.Body))))
	scratch = value.AppendMsgpack(scratch, value.Int(int64(r.Timeout/span.Millisecond)))
	return value.AppendMsgpack(scratch, value.Int(int64(r.Lane)))
}

func (h host) HTTPRequest(id int32, r *loop.Request) {
	b := encode(r)
	hostHTTPRequest(h.client, id, unsafe.Pointer(&b[0]), int32(len(b)))
}

func (h host) HTTPAbort(id int32) { hostHTTPAbort(h.client, id) }

func (h host) StreamOpen(id int32, r *loop.Request) {
	b := encode(r)
	hostStreamOpen(h.client, id, unsafe.Pointer(&b[0]), int32(len(b)))
}

func (h host) StreamClose(id int32) { hostStreamClose(h.client, id) }

func (h host) HasSockets() bool { return h.sockets }

// SocketOpen writes [host, port, tls, timeout ms].
func (h host) SocketOpen(id int32, d *loop.Dial) {
	list(4)
	scratch = value.AppendMsgpackStr(scratch, d.Host)
	scratch = value.AppendMsgpack(scratch, value.Int(int64(d.Port)))
	scratch = value.AppendMsgpack(scratch, value.Bool(d.TLS))
	scratch = value.AppendMsgpack(scratch, value.Int(int64(d.Timeout/span.Millisecond)))
	hostSocketOpen(h.client, id, unsafe.Pointer(&scratch[0]), int32(len(scratch)))
}

func (h host) SocketWrite(id int32, b []byte) {
	hostSocketWrite(h.client, id, unsafe.Pointer(&b[0]), int32(len(b)))
}

func (h host) SocketClose(id int32) { hostSocketClose(h.client, id) }

func (h host) Due() { due = append(due, h.client) }

func (host) Log(level int32, message string) {
	hostLog(level, unsafe.Pointer(unsafe.StringData(message)), int32(len(message)))
}

// stores are the engines of memory://name. Clients of one name share one, and it
// lives as long as one of them is open; without a name each has its own.
type stores map[string]*store

type store struct {
	engine *engine.Engine
	users  int
}

var engines = stores{}

func (s stores) Engine(name string) *engine.Engine {
	if name == "" {
		return newEngine()
	}
	if s[name] == nil {
		s[name] = &store{engine: newEngine()}
	}
	s[name].users++
	return s[name].engine
}

func (s stores) Release(name string) {
	if st := s[name]; st != nil {
		if st.users--; st.users == 0 {
			delete(s, name)
		}
	}
}

func newEngine() *engine.Engine { return engine.New(engine.Options{Rand: rand.Uint64}) }
