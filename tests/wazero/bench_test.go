package wazero

import (
	"context"
	"crypto/rand"
	"strconv"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/wasm/host"
)

// BenchmarkMemory is one call on the engine in the module, from Go values to Go
// values.
func BenchmarkMemory(b *testing.B) {
	c := open(b, newHost(b, host.Options{}), "memory://")
	ctx := b.Context()
	key, v := str("user:1"), str("a value of some thirty characters")
	for name, args := range map[string][]value.Value{"kv.set": {key, v}, "kv.get": {key}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Call(ctx, name, args...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEncodeDecode is what the module does for one call over HTTP: a frame
// in, a request out, a response in, a reply out. Its host does nothing.
func BenchmarkEncodeDecode(b *testing.B) {
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	var request, completions int64
	imports := r.NewHostModuleBuilder("synap_host")
	i, f := api.ValueTypeI32, api.ValueTypeF64
	for name, params := range map[string][]api.ValueType{"completed": {i, i, i}, "wake_at": {f}, "http_request": {i, i, i, i}, "http_abort": {i, i},
		"stream_open": {i, i, i, i}, "stream_close": {i, i}, "log": {i, i, i}} {
		imports.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(_ context.Context, stack []uint64) {
			switch name {
			case "completed":
				completions++
			case "http_request":
				request = int64(stack[1])
			}
		}), params, nil).Export(name)
	}
	if _, err := imports.Instantiate(ctx); err != nil {
		b.Fatal(err)
	}
	mod, err := r.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithStartFunctions("_initialize").WithRandSource(rand.Reader))
	if err != nil {
		b.Fatal(err)
	}
	var stack [8]uint64
	call := func(name api.Function, args ...uint64) uint64 {
		copy(stack[:], args)
		if err := name.CallWithStack(ctx, stack[:]); err != nil {
			b.Fatal(err)
		}
		return stack[0]
	}
	alloc, submit, response := mod.ExportedFunction("synap_alloc"), mod.ExportedFunction("synap_submit"), mod.ExportedFunction("synap_http_response")
	put := func(text string) (at, n uint64) {
		at = call(alloc, uint64(len(text)))
		mod.Memory().WriteString(uint32(at), text)
		return at, uint64(len(text))
	}
	now := api.EncodeF64(1.7e12)
	at, n := put(pack(str("http://h"), value.Nil, value.Nil))
	client := call(mod.ExportedFunction("synap_open"), now, at, n)
	frame := pack(value.Int(0), str("kv.get"), strs("user:1"))
	calls := int64(0)
	for b.Loop() {
		at, n := put(frame)
		call(submit, now, client, 1, 0, at, n)
		at, n = put(`{"success":true,"request_id":"` + strconv.FormatInt(request, 36) + `","payload":"a value of some thirty characters"}`)
		call(response, now, client, uint64(request), 200, at, n)
		calls++
	}
	if completions != calls {
		b.Fatalf("%d of %d calls have ended", completions, calls)
	}
}
