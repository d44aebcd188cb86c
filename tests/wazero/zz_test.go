package wazero
import ("testing";"os";"context";"github.com/libsynap/libsynap/wasm/host";"time")
func BenchmarkFile(b *testing.B) {
	m, _ := os.ReadFile(os.Getenv("WFILE"))
	module = m
	h, err := host.New(context.Background(), host.Options{Module: m})
	if err != nil { b.Fatal(err) }
	c := open(b, h, "memory://")
	ctx := b.Context()
	key, v := str("user:1"), str("a value of some thirty characters")
	b.Run("set", func(b *testing.B){ for b.Loop() { c.Call(ctx, "kv.set", key, v) }})
	b.Run("get", func(b *testing.B){ for b.Loop() { c.Call(ctx, "kv.get", key) }})
	b.Run("bad", func(b *testing.B){ for b.Loop() { c.Frame(ctx, "x") }})
	b.Run("now", func(b *testing.B){ for b.Loop() { time.Now() }})
	p := newPlugin(b)
	f := p.mod.ExportedFunction("synap_abi")
	var st [8]uint64
	b.Run("abi", func(b *testing.B){ for b.Loop() { f.CallWithStack(p.ctx, st[:]) }})
	g := p.mod.ExportedFunction("synap_alloc")
	t := p.mod.ExportedFunction("synap_http_response")
	b.Run("alloctake", func(b *testing.B){ for b.Loop() { st[0]=100; g.CallWithStack(p.ctx, st[:]); st[4], st[5] = st[0], 100; t.CallWithStack(p.ctx, st[:]) }})
}
