package main

import (
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// pairsAtOnce is how many pairs of codecs one call makes, so that the call itself
// hardly counts.
const pairsAtOnce = 100

// codecs makes rounds of pairs of the codecs alone (tests/bench/workers/codec).
func codecs(path string) (func() (int, error), error) {
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := wazero.NewRuntime(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	mod, err := r.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		return nil, err
	}
	pairs := mod.ExportedFunction("pairs")
	return func() (int, error) {
		n, err := pairs.Call(ctx, pairsAtOnce)
		if err == nil && int(n[0]) != len(text)+2 {
			err = fmt.Errorf("a result of %d bytes", n[0])
		}
		return pairsAtOnce, err
	}, nil
}
