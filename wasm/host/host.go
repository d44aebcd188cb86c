// Package host runs synap.wasm under wazero and gives it real I/O: a Synap client
// for Go programs that want the client in a sandbox, and the proof that the
// module's contract (wasm/README.md) is enough for a host.
//
//	h, err := host.New(ctx, host.Options{Path: "build/synap.wasm"})
//	if err != nil { … }
//	defer h.Close()
//	client, err := h.Open(ctx, "http://localhost:15500")
//
// Every error is a *errs.Error. A module that traps, loops or breaks the contract
// ends with errs.Panic: its clients are unusable, the process and the other
// instances live on. (It is only stopped from looping if Options.Patience says so.)
package host

import (
	"context"
	"crypto/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Options are the settings of a Host.
type Options struct {
	// Module is synap.wasm; nil means the file Path.
	Module []byte
	Path   string
	// CompilationCache is a directory in which the compiled module is kept for the
	// next process, "" for none: compiling takes a second, loading some thirty
	// milliseconds.
	CompilationCache string
	// PoolSize is how many instances there are at most, 0 for 4. An instance runs
	// one thing at a time and takes some 3 MB; clients are spread over them.
	PoolSize int
	// MaxMemory bounds the memory of an instance in bytes, 0 for 1 GiB.
	MaxMemory int
	// Patience is how long an instance may run before it is stopped as runaway; 0
	// trusts the module and never stops it. Code that can be stopped is four times
	// slower.
	Patience time.Duration
	// Log takes messages: level 1 information, 2 warning. It must not block.
	Log func(level int, message string)
}

const (
	defaultPoolSize  = 4
	defaultMaxMemory = 1 << 30
	pageSize         = 1 << 16
)

// Host is a compiled module and its instances. It is safe for concurrent use.
type Host struct {
	opts     Options
	cache    wazero.CompilationCache
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	stop     chan struct{} // ends the watchdog

	mu        sync.Mutex
	instances []*instance
	named     map[string]*instance // where the store of memory://name is
	closed    bool
}

// New compiles the module.
func New(ctx context.Context, o Options) (*Host, error) {
	if o.PoolSize <= 0 {
		o.PoolSize = defaultPoolSize
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = defaultMaxMemory
	}
	if o.Log == nil {
		o.Log = func(int, string) {}
	}
	if o.Module == nil {
		b, err := os.ReadFile(o.Path)
		if err != nil {
			return nil, errs.New(errs.InvalidArgument, "the module cannot be read: "+err.Error())
		}
		o.Module = b
	}
	h := &Host{opts: o, named: map[string]*instance{}, stop: make(chan struct{})}
	if err := h.compile(ctx); err != nil {
		h.Close()
		return nil, err
	}
	if o.Patience > 0 {
		go h.watch()
	}
	return h, nil
}

func (h *Host) compile(ctx context.Context) error {
	rc := wazero.NewRuntimeConfig().
		WithMemoryLimitPages(uint32(min(h.opts.MaxMemory/pageSize, 1<<16))).
		WithCloseOnContextDone(h.opts.Patience > 0)
	if h.opts.CompilationCache != "" {
		var err error
		if h.cache, err = wazero.NewCompilationCacheWithDir(h.opts.CompilationCache); err != nil {
			return errs.New(errs.InvalidArgument, "the compilation cache cannot be used: "+err.Error())
		}
		rc = rc.WithCompilationCache(h.cache)
	}
	h.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, h.runtime); err != nil {
		return errs.New(errs.Panic, "wazero: "+err.Error())
	}
	if err := instantiateImports(ctx, h.runtime); err != nil {
		return errs.New(errs.Panic, "wazero: "+err.Error())
	}
	var err error
	if h.compiled, err = h.runtime.CompileModule(ctx, h.opts.Module); err != nil {
		return errs.New(errs.InvalidArgument, "this is not synap.wasm: "+err.Error())
	}
	for _, e := range exports {
		if d := h.compiled.ExportedFunctions()[e[0]]; d == nil || typeOf(d) != e[1] {
			return errs.New(errs.InvalidArgument, "this is not synap.wasm: it exports no function "+e[0]+" of the contract's type")
		}
	}
	if h.compiled.ExportedMemories()["memory"] == nil {
		return errs.New(errs.InvalidArgument, "this is not synap.wasm: it exports no memory")
	}
	return nil
}

// moduleConfig is what an instance gets of the system: clocks and randomness.
func (h *Host) moduleConfig() wazero.ModuleConfig {
	return wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").
		WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader).WithStderr(logWriter{h})
}

// logWriter takes what the Go runtime in the module writes before it traps.
type logWriter struct{ h *Host }

func (w logWriter) Write(b []byte) (int, error) {
	w.h.opts.Log(logWarning, "synap.wasm: "+strings.TrimSpace(string(b[:min(len(b), maxLog)])))
	return len(b), nil
}

// Option is one setting of a client.
type Option struct {
	name string
	v    value.Value
}

// With sets an option by its name in the docs: timeout, api_key and so on.
func With(name string, v value.Value) Option { return Option{name, v} }

// Open opens a client for an address: memory://[name], http://, https://, synap://,
// synaps://, resp3:// or resp3s://. An empty address means the environment variable SYNAP_URL. Clients of one
// memory://name share their store.
func (h *Host) Open(ctx context.Context, address string, opts ...Option) (*Client, error) {
	var list []value.Value
	for _, o := range opts {
		list = append(list, value.Str(o.name), o.v)
	}
	options := value.Map(list...)
	// The module reads address and options by itself. The host needs to know where
	// the store is and how to connect, and asks the same parser.
	cfg, bad := config.Parse(address, options, os.Getenv)
	if bad != nil {
		return nil, bad
	}
	in, err := h.place(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return in.open(cfg, address, options)
}

// place returns the instance for a new client: that of the store, a new one while
// there are fewer than PoolSize, else the one with the fewest clients.
func (h *Host) place(ctx context.Context, cfg *config.Config) (*instance, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errs.New(errs.Closed, "the host is closed")
	}
	store := ""
	if cfg.Scheme == config.Memory {
		store = cfg.Name
	}
	if in := h.named[store]; in != nil && store != "" && !in.gone.Load() {
		in.users++
		return in, nil
	}
	var in *instance
	h.instances = slices.DeleteFunc(h.instances, func(in *instance) bool { return in.gone.Load() })
	for _, other := range h.instances {
		if in == nil || other.users < in.users {
			in = other
		}
	}
	if in == nil || (in.users > 0 && len(h.instances) < h.opts.PoolSize) {
		var err error
		if in, err = h.newInstance(ctx); err != nil {
			return nil, err
		}
		h.instances = append(h.instances, in)
	}
	in.users++
	if store != "" {
		h.named[store] = in
	}
	return in, nil
}

// release says that a client of an instance has gone.
func (h *Host) release(in *instance) {
	h.mu.Lock()
	in.users--
	if in.users == 0 {
		for name, other := range h.named {
			if other == in {
				delete(h.named, name)
			}
		}
	}
	h.mu.Unlock()
}

// forget takes a dead instance off.
func (h *Host) forget(in *instance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.instances = slices.DeleteFunc(h.instances, func(other *instance) bool { return other == in })
	for name, other := range h.named {
		if other == in {
			delete(h.named, name)
		}
	}
}

// watch stops instances that run for longer than Patience.
func (h *Host) watch() {
	ticker := time.NewTicker(max(h.opts.Patience/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-h.stop:
			return
		case now := <-ticker.C:
			h.mu.Lock()
			for _, in := range h.instances {
				in.stopIfRunaway(now)
			}
			h.mu.Unlock()
		}
	}
}

// Close closes all clients and gives everything back.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return errs.New(errs.Closed, "the host is closed")
	}
	h.closed = true
	instances := slices.Clone(h.instances)
	h.mu.Unlock()
	close(h.stop)
	for _, in := range instances {
		in.end()
	}
	ctx := context.Background()
	if h.runtime != nil {
		h.runtime.Close(ctx)
	}
	if h.cache != nil {
		h.cache.Close(ctx)
	}
	return nil
}
