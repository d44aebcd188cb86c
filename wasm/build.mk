# make wasm: the WASM module. make test-wasm: its tests, and those of its Go host.
wasm: build/synap.wasm ## build the WASM module into build/

build/synap.wasm: $(GO_SOURCES) wasm/compile/package-lock.json $(shell find wasm -name '*.go' -not -path 'wasm/host/*' -not -name '*_test.go')
	$(GO) run ./wasm/compile $@

test-wasm:
	$(GO) test -v -run TestModule ./wasm/compile | grep -E 'bytes|^(ok|FAIL|---)'
	$(GO) test ./core/loop ./wasm/... ./tests/wazero

build/quickstart-wazero: $(GO_SOURCES) $(wildcard wasm/host/*.go tests/quickstart/wazero/*.go)
	$(GO) build -trimpath -o $@ ./tests/quickstart/wazero

build/driver-wazero: $(GO_SOURCES) $(wildcard wasm/host/*.go tests/conformance/drivers/wazero/*.go)
	$(GO) build -trimpath -o $@ ./tests/conformance/drivers/wazero

.PHONY: wasm test-wasm
