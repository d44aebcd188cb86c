// Package wazero tests synap.wasm as a plugin under wazero: through a host written
// for the test from the contract alone, and through wasm/host.
package wazero

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/wasm/host"
)

var soak = flag.Int("soak", 100_000, "calls of the soak test")

// The module and compiled code, made once for all tests.
var (
	modulePath string
	module     []byte
	cacheDir   string
)

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "synap-wazero-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	modulePath, cacheDir = filepath.Join(dir, "synap.wasm"), filepath.Join(dir, "cache")
	os.Setenv("SYNAP_WASM", modulePath) // for the programs that tests run
	os.Setenv("SYNAP_WASM_CACHE", cacheDir)
	code := 1
	if out, err := exec.Command("go", "run", "../../wasm/compile", modulePath).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the module: %v\n%s", err, out)
	} else if module, err = os.ReadFile(modulePath); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// within is a context that ends a test which hangs.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func newHost(t testing.TB, o host.Options) *host.Host {
	t.Helper()
	if o.Module == nil {
		o.Module, o.CompilationCache = module, cacheDir
	}
	h, err := host.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func open(t testing.TB, h *host.Host, address string, opts ...host.Option) *host.Client {
	t.Helper()
	c, err := h.Open(context.Background(), address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func call(t testing.TB, c *host.Client, name string, args ...value.Value) value.Value {
	t.Helper()
	v, err := c.Call(within(t, 10*time.Second), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func server(t testing.TB, cfg testserver.Config) *testserver.Server {
	t.Helper()
	cfg.HTTP = "127.0.0.1:0"
	s, err := testserver.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// failure fails the test unless err is an *errs.Error of the code.
func failure(t testing.TB, err error, code errs.Code) *errs.Error {
	t.Helper()
	var e *errs.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("%v, want %v", err, code)
	}
	return e
}

func str(s string) value.Value { return value.Str(s) }

func strs(list ...string) value.Value {
	items := make([]value.Value, len(list))
	for i, s := range list {
		items[i] = value.Str(s)
	}
	return value.Array(items...)
}

func text(v value.Value) string {
	b, err := value.AppendJSON(nil, v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func equal(t testing.TB, what string, got value.Value, want string) {
	t.Helper()
	if g := text(got); g != want {
		t.Errorf("%s: got %s, want %s", what, g, want)
	}
}

func contains(t testing.TB, what, s, part string) {
	t.Helper()
	if !strings.Contains(s, part) {
		t.Errorf("%s: %q lacks %q", what, s, part)
	}
}
