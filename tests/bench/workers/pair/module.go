package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/libsynap/libsynap/core/value"
)

// module is an instance whose host answers every request at once, with the value
// text. What goes wrong in it panics: this program has nothing better to do.
type module struct {
	mod                              api.Module
	memory                           api.Memory
	alloc, submit, respond, openFunc api.Function
	tick                             api.Function
	stack                            [8]uint64
	wakeAt                           float64

	checking    bool // every completion is read
	completions int
	responses   []response
}

type response struct {
	request uint64
	body    []byte
}

var (
	ctx    = context.Background()
	mark   = []byte(`"request_id":"`)
	before = []byte(`{"success":true,"request_id":"`)
	after  = []byte(`","payload":"` + text + `"}`)
)

func load(path string) (*module, error) {
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := wazero.NewRuntime(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	m := &module{checking: true}
	imports := r.NewHostModuleBuilder("synap_host")
	i, f := api.ValueTypeI32, api.ValueTypeF64
	for name, of := range map[string]struct {
		params []api.ValueType
		does   func(stack []uint64)
	}{
		"completed":    {[]api.ValueType{i, i, i}, m.completed},
		"http_request": {[]api.ValueType{i, i, i, i}, m.requested},
		"wake_at":      {[]api.ValueType{f}, m.wake},
		"http_abort":   {[]api.ValueType{i, i}, nothing},
		"stream_open":  {[]api.ValueType{i, i, i, i}, nothing},
		"stream_close": {[]api.ValueType{i, i}, nothing},
		"socket_open":  {[]api.ValueType{i, i, i, i}, nothing},
		"socket_write": {[]api.ValueType{i, i, i, i}, nothing},
		"socket_close": {[]api.ValueType{i, i}, nothing},
		"log":          {[]api.ValueType{i, i, i}, nothing},
	} {
		imports.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(_ context.Context, stack []uint64) { of.does(stack) }), of.params, nil).Export(name)
	}
	if _, err := imports.Instantiate(ctx); err != nil {
		return nil, err
	}
	m.mod, err = r.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStartFunctions("_initialize").
		WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader))
	if err != nil {
		return nil, err
	}
	m.memory = m.mod.Memory()
	for name, fn := range map[string]*api.Function{"synap_alloc": &m.alloc, "synap_open": &m.openFunc, "synap_submit": &m.submit,
		"synap_http_response": &m.respond, "synap_tick": &m.tick} {
		if *fn = m.mod.ExportedFunction(name); *fn == nil {
			return nil, fmt.Errorf("the module exports no %s", name)
		}
	}
	return m, nil
}

// ---- What the module imports --------------------------------------------------

func nothing([]uint64) {}

func (m *module) wake(stack []uint64) {
	if at := api.DecodeF64(stack[0]); m.wakeAt == 0 || at < m.wakeAt {
		m.wakeAt = at
	}
}

// requested makes the response to a request, which has to have its id.
func (m *module) requested(stack []uint64) {
	message := m.read(stack[2], stack[3])
	_, id, _ := bytes.Cut(message, mark)
	n := bytes.IndexByte(id, '"')
	if n < 0 {
		panic(fmt.Sprintf("a request without an id: %q", message))
	}
	k := len(m.responses)
	if k == cap(m.responses) {
		m.responses = append(m.responses, response{})
	}
	m.responses = m.responses[:k+1]
	r := &m.responses[k]
	r.request = stack[1]
	r.body = append(append(append(r.body[:0], before...), id[:n]...), after...)
}

// completed counts completions, [tag, reply] or [tag, nil, error] each.
func (m *module) completed(stack []uint64) {
	list := m.read(stack[1], stack[2])
	if list[0] == 0xdc {
		m.completions += int(list[1])<<8 | int(list[2])
	} else {
		m.completions += int(list[0] & 15)
	}
	if !m.checking {
		return
	}
	v, _, err := value.ParseMsgpack(string(list))
	if err != nil {
		panic(err)
	}
	for _, one := range v.Items() {
		replies := []value.Value{one}
		if reply := one.Index(1); one.Len() == 2 && reply.Kind() == value.KindArray { // of a batch
			replies = replies[:0]
			for _, r := range reply.Items() {
				replies = append(replies, value.Array(value.Nil, r.Index(0)))
			}
		}
		for _, r := range replies {
			if s, _ := r.Index(1).AsStr(); s != text {
				panic(fmt.Sprintf("the module completes a call with %v", one))
			}
		}
	}
}

// ---- Calls of the module ------------------------------------------------------

func (m *module) call(fn api.Function, args ...uint64) uint64 {
	copy(m.stack[:], args)
	if err := fn.CallWithStack(ctx, m.stack[:]); err != nil {
		panic(err)
	}
	return m.stack[0]
}

func (m *module) read(at, n uint64) []byte {
	b, ok := m.memory.Read(uint32(at), uint32(n))
	if !ok || n == 0 {
		panic("a message outside the module's memory")
	}
	return b
}

func (m *module) put(b []byte) (at, n uint64) {
	at = m.call(m.alloc, uint64(len(b)))
	if !m.memory.Write(uint32(at), b) {
		panic("no room in the module")
	}
	return at, uint64(len(b))
}

func now() float64 { return float64(time.Now().UnixMicro()) / 1000 }

func (m *module) open(address string) (client uint64) {
	at, n := m.put(pack(value.Str(address), value.Nil, value.Nil))
	client = m.call(m.openFunc, api.EncodeF64(now()), at, n)
	if int32(client) <= 0 {
		panic("the module opens no client for " + address)
	}
	return client
}

// frame submits one frame.
func (m *module) frame(client uint64, tag int, frame []byte) {
	at, n := m.put(frame)
	m.call(m.submit, api.EncodeF64(now()), client, uint64(tag), api.EncodeF64(0), at, n)
}

// answer gives the responses to all requests since the last answer.
func (m *module) answer(client uint64) {
	for i := range m.responses {
		r := &m.responses[i]
		at, n := m.put(r.body)
		m.call(m.respond, api.EncodeF64(now()), client, r.request, 200, at, n)
	}
	m.responses = m.responses[:0]
	if t := now(); m.wakeAt != 0 && t >= m.wakeAt {
		m.wakeAt = 0
		m.call(m.tick, api.EncodeF64(t))
	}
}

func pack(list ...value.Value) []byte { return value.AppendMsgpack(nil, value.Array(list...)) }
