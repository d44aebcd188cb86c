package wazero

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

// plugin is a host as a user would write one from wasm/README.md: it owns one
// instance and a clock that stands still until the test moves it. Requests are
// kept for the test to answer.
type plugin struct {
	t       testing.TB
	ctx     context.Context
	mod     api.Module
	now     float64
	wake    float64
	done    map[int64]value.Value // completions by tag
	pending []value.Value         // requests: id, method, url, authorization, body, timeout, lane
	aborted []int32
	streams []value.Value
	closed  []int32
	sockets []value.Value // [id, host, port, tls, timeout]
	written []string      // what was written to them
	logs    []string
}

func newPlugin(t testing.TB) *plugin {
	ctx := context.Background()
	cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
	if err != nil {
		t.Fatal(err)
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	t.Cleanup(func() { r.Close(ctx); cache.Close(ctx) })
	p := &plugin{t: t, ctx: ctx, now: 1.7e12, done: map[int64]value.Value{}}
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	_, err = r.NewHostModuleBuilder("synap_host").
		NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, client, at, n uint32) {
		for _, one := range p.read(m, at, n).Items() {
			tag, _ := one.Index(0).AsInt()
			p.done[tag] = one
		}
	}).Export("completed").
		NewFunctionBuilder().WithFunc(func(ms float64) { p.wake = ms }).Export("wake_at").
		NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, client, id, at, n uint32) {
		p.pending = append(p.pending, value.Array(append([]value.Value{value.Int(int64(id))}, p.read(m, at, n).Items()...)...))
	}).Export("http_request").
		NewFunctionBuilder().WithFunc(func(client, id int32) { p.aborted = append(p.aborted, id) }).Export("http_abort").
		NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, client, id, at, n uint32) {
		p.streams = append(p.streams, value.Array(append([]value.Value{value.Int(int64(id))}, p.read(m, at, n).Items()...)...))
	}).Export("stream_open").
		NewFunctionBuilder().WithFunc(func(client, id int32) { p.closed = append(p.closed, id) }).Export("stream_close").
		NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, client, id, at, n uint32) {
		p.sockets = append(p.sockets, value.Array(append([]value.Value{value.Int(int64(id))}, p.read(m, at, n).Items()...)...))
	}).Export("socket_open").
		NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, client, id, at, n uint32) {
		b, _ := m.Memory().Read(at, n)
		p.written = append(p.written, string(b))
	}).Export("socket_write").
		NewFunctionBuilder().WithFunc(func(client, id int32) { p.closed = append(p.closed, id) }).Export("socket_close").
		NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, level int32, at, n uint32) {
		b, _ := m.Memory().Read(at, n)
		p.logs = append(p.logs, string(b))
	}).Export("log").
		Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p.mod, err = r.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithStartFunctions("_initialize").
		WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *plugin) read(m api.Module, at, n uint32) value.Value {
	b, ok := m.Memory().Read(at, n)
	v, rest, err := value.ParseMsgpack(string(b))
	if !ok || rest != "" || err != nil {
		p.t.Fatalf("the module hands out no message: %v %v", ok, err)
	}
	return v
}

// call calls an export.
func (p *plugin) call(name string, args ...any) int32 {
	p.t.Helper()
	var stack []uint64
	for _, a := range args {
		switch a := a.(type) {
		case int32:
			stack = append(stack, api.EncodeI32(a))
		case float64:
			stack = append(stack, api.EncodeF64(a))
		case string:
			at := p.call("synap_alloc", int32(len(a)))
			if !p.mod.Memory().WriteString(uint32(at), a) {
				p.t.Fatalf("synap_alloc gives %d", at)
			}
			stack = append(stack, api.EncodeI32(at), api.EncodeI32(int32(len(a))))
		}
	}
	out, err := p.mod.ExportedFunction(name).Call(p.ctx, stack...)
	if err != nil {
		p.t.Fatalf("%s: %v", name, err)
	}
	if len(out) == 0 {
		return 0
	}
	return int32(out[0])
}

func pack(list ...value.Value) string { return string(value.AppendMsgpack(nil, value.Array(list...))) }

func (p *plugin) open(address string) int32 {
	p.t.Helper()
	return p.call("synap_open", p.now, pack(str(address), value.Map(), value.Nil))
}

func (p *plugin) submit(client, tag int32, frame ...value.Value) {
	p.t.Helper()
	p.call("synap_submit", p.now, client, tag, 0.0, pack(frame...))
}

// reply is the end of a frame: what it returned, or the code of its error.
func (p *plugin) reply(tag int64) (value.Value, errs.Code) {
	p.t.Helper()
	one, ok := p.done[tag]
	if !ok {
		p.t.Fatalf("frame %d is not done", tag)
	}
	code, _ := one.Index(2).Index(0).AsInt()
	return one.Index(1), errs.Code(code)
}

func TestPluginOnMemory(t *testing.T) {
	p := newPlugin(t)
	if v := p.call("synap_abi"); v != 1 {
		t.Fatalf("version %d", v)
	}
	c := p.open("memory://")
	p.submit(c, 1, value.Int(0), str("kv.set"), strs("k", "v"))
	p.submit(c, 2, value.Int(0), str("kv.get"), strs("k"))
	p.submit(c, 3, value.Int(1), str("kv.get"), value.Map(str("key"), str("k")))
	for _, tag := range []int64{2, 3} {
		if v, _ := p.reply(tag); text(v) != `"v"` {
			t.Errorf("frame %d: %s", tag, text(v))
		}
	}
	p.submit(c, 4, value.Int(0), str("kv.get"), strs("k", "more", "arguments"))
	if _, code := p.reply(4); code != errs.InvalidArgument {
		t.Errorf("%v", code)
	}
	if p.wake != 0 {
		t.Errorf("memory:// asks to be woken at %f", p.wake)
	}
	p.call("synap_close", p.now, c)
	p.submit(c, 5, value.Int(0), str("kv.get"), strs("k"))
	if _, ok := p.done[5]; ok {
		t.Error("a closed client answers")
	}
}

// The engine in the module has the families that fit it; the others say so.
func TestFamiliesOfMemory(t *testing.T) {
	p := newPlugin(t)
	c := p.open("memory://")
	for tag, name := range []string{"kv.get", "key.type", "hash.get", "list.len", "queue.list", "stream.list", "pubsub.topics", "set.add", "topics.list", "script.eval", "no.such"} {
		p.submit(c, int32(tag), value.Int(1), str(name), value.Map())
		message, _ := p.done[int64(tag)].Index(2).Index(3).AsStr()
		_, code := p.reply(int64(tag))
		switch {
		case name == "no.such":
			if message != "Unknown command: no.such" {
				t.Errorf("%q", message)
			}
		case name == "script.eval":
			contains(t, name, message, "scripting is not part of this build")
		case tag >= 7:
			contains(t, name, message, "memory:// of the WASM module has the families kv,")
			if code != errs.Unsupported {
				t.Errorf("%s: %v", name, code)
			}
		case code == errs.Unsupported:
			t.Errorf("%s: %s", name, message)
		}
	}
}

func TestPluginOpensNothingWrong(t *testing.T) {
	p := newPlugin(t)
	for _, address := range []string{"", "gopher://x", "http://user:secret@", "memory://?timeout=x"} {
		n := p.open(address)
		if n >= 0 {
			t.Fatalf("%q is opened as %d", address, n)
		}
		e := p.read(p.mod, uint32(p.call("synap_result")), uint32(-n))
		code, _ := e.Index(0).AsInt()
		message, _ := e.Index(3).AsStr()
		if errs.Code(code) != errs.InvalidArgument || message == "" {
			t.Errorf("%q: %s", address, text(e))
		}
	}
	if n := p.call("synap_open", p.now, "\xc1"); n >= 0 {
		t.Errorf("nonsense is opened as %d", n)
	}
	if at := p.call("synap_alloc", int32(-1)); at != 0 {
		t.Errorf("room for -1 bytes at %d", at)
	}
	if at := p.call("synap_alloc", int32(1<<30)); at != 0 {
		t.Errorf("room for a gigabyte at %d", at)
	}
	c := p.open("memory://")
	p.call("synap_submit", p.now, c, int32(7), 0.0, int32(4), int32(1000)) // an address that was never given
	if _, code := p.reply(7); code != errs.InvalidArgument {
		t.Errorf("%v", code)
	}
}

func TestPluginSettings(t *testing.T) {
	p := newPlugin(t)
	c := p.open("https://h?connect_timeout=2&pool_size=7&tls_insecure=true&tls_ca=file")
	n := p.call("synap_settings", c)
	equal(t, "settings", p.read(p.mod, uint32(p.call("synap_result")), uint32(n)),
		`{"connect_timeout":2000,"pool_size":7,"max_reply_bytes":67108864,"tls_ca":"file","tls_cert":"","tls_key":"","tls_insecure":true}`)
	if n := p.call("synap_settings", int32(99)); n != 0 {
		t.Errorf("settings of no client are %d bytes", n)
	}
}

// A laptop sleeps with a call, a subscription and a retry under way, and wakes
// hours later.
func TestPluginSleepsAndWakes(t *testing.T) {
	p := newPlugin(t)
	c := p.open("http://h")
	p.submit(c, 1, value.Int(0), str("kv.incr"), strs("k"))
	p.submit(c, 2, value.Int(0), str("kv.get"), strs("k"))
	p.submit(c, 3, value.Int(3), str("pubsub.subscribe"), value.Array(strs("t")))
	if len(p.pending) != 2 || len(p.streams) != 1 {
		t.Fatalf("%d requests, %d WebSockets", len(p.pending), len(p.streams))
	}
	id, _ := p.streams[0].Index(0).AsInt()
	p.call("synap_stream_data", p.now, c, int32(id), `{"type":"connected"}`)
	sub, _ := p.reply(3)
	second, _ := p.pending[1].Index(0).AsInt()
	p.call("synap_http_failed", p.now, c, int32(second), int32(0), "no network")
	if p.wake < p.now || p.wake > p.now+5000 {
		t.Errorf("wakes in %f ms", p.wake-p.now)
	}
	p.now += 8 * 3600 * 1000
	p.call("synap_tick", p.now)
	for _, tag := range []int64{1, 2} {
		if _, code := p.reply(tag); code != errs.Timeout {
			t.Errorf("frame %d: %v", tag, code)
		}
	}
	if len(p.aborted) != 1 {
		t.Errorf("aborted %v", p.aborted)
	}
	p.call("synap_stream_closed", p.now, c, int32(id), int32(0), "")
	p.now = p.wake
	p.call("synap_tick", p.now)
	if len(p.streams) != 2 {
		t.Fatalf("the WebSocket is not opened again")
	}
	id, _ = p.streams[1].Index(0).AsInt()
	p.call("synap_stream_data", p.now, c, int32(id), `{"type":"connected"}`)
	p.call("synap_stream_data", p.now, c, int32(id), `{"type":"message","topic":"t","payload":1,"message_id":"m","timestamp":1}`)
	p.submit(c, 4, value.Int(4), sub, value.Int(10))
	if v, _ := p.reply(4); v.Len() != 1 {
		t.Errorf("%s", text(v))
	}
	// A tick that comes too early asks for the next.
	p.submit(c, 5, value.Int(0), str("kv.get"), strs("k"))
	p.wake = 0
	p.call("synap_tick", p.now+1)
	if p.wake < p.now+4000 {
		t.Errorf("wakes in %f ms", p.wake-p.now)
	}
}

// One module, many clients: what one publishes reaches the reader of another in
// the same event, and a store lives as long as one of its clients.
func TestPluginClientsShareStores(t *testing.T) {
	p := newPlugin(t)
	a, b, other := p.open("memory://x"), p.open("memory://x"), p.open("memory://")
	p.submit(a, 1, value.Int(3), str("pubsub.subscribe"), value.Array(strs("t")))
	sub, _ := p.reply(1)
	p.submit(a, 2, value.Int(4), sub, value.Int(10))
	p.submit(b, 3, value.Int(0), str("pubsub.publish"), strs("t", "x"))
	if v, _ := p.reply(2); v.Len() != 1 {
		t.Errorf("%s", text(v))
	}
	p.submit(b, 4, value.Int(0), str("kv.set"), strs("k", "v"))
	p.submit(other, 5, value.Int(0), str("kv.get"), strs("k"))
	if v, _ := p.reply(5); !v.IsNil() {
		t.Errorf("stores without a name are shared: %s", text(v))
	}
	p.call("synap_close", p.now, b)
	p.submit(a, 6, value.Int(0), str("kv.get"), strs("k"))
	if v, _ := p.reply(6); text(v) != `"v"` {
		t.Errorf("%s", text(v))
	}
	p.call("synap_close", p.now, a)
	again := p.open("memory://x")
	p.submit(again, 7, value.Int(0), str("kv.get"), strs("k"))
	if v, _ := p.reply(7); !v.IsNil() {
		t.Errorf("the store outlives its clients: %s", text(v))
	}
}

// The same plugin against a server: it does the HTTP itself.
func TestPluginOverHTTP(t *testing.T) {
	p := newPlugin(t)
	c := p.open(server(t, testserver.Config{User: "root", Password: "pw"}).URL() + "?username=root&password=pw")
	p.submit(c, 1, value.Int(2), value.Array(
		value.Array(value.Int(0), str("kv.set"), strs("k", "v")),
		value.Array(value.Int(0), str("kv.get"), strs("k")),
		value.Array(value.Int(0), str("queue.stats"), strs("nowhere"))))
	for len(p.pending) > 0 {
		r := p.pending[0]
		p.pending = p.pending[1:]
		id, _ := r.Index(0).AsInt()
		status, body := post(t, r)
		p.call("synap_http_response", p.now, c, int32(id), int32(status), body)
	}
	v, _ := p.reply(1)
	equal(t, "batch", value.Array(v.Index(0), v.Index(1), v.Index(2).Index(1).Index(0)), `[[true],["v"],7]`)
}
