# make bench: what each host is worth in operations per second. See main.go.
PEER_VENV   := build/venv-peer
BENCH_FLAGS ?=

# Make reads this file before the one that defines NODE_BUILD.
bench: build/synap-testserver build/bench-go build/bench-c build/bench-pair build/bench-codec.wasm build/synap.wasm bindings/node/dist/node.mjs $(VENV)/installed $(PEER_VENV)/installed ## measure every host beside the official SDK, redis-py and plain clients
	$(GO) run ./tests/bench $(BENCH_FLAGS)

build/bench-go: $(GO_SOURCES) $(wildcard tests/bench/workers/go/*.go)
	$(GO) build -trimpath -o $@ ./tests/bench/workers/go

build/bench-pair: $(GO_SOURCES) $(wildcard tests/bench/workers/pair/*.go wasm/host/*.go)
	$(GO) build -trimpath -o $@ ./tests/bench/workers/pair

build/bench-codec.wasm: $(GO_SOURCES) $(wildcard tests/bench/workers/codec/*.go)
	GOOS=wasip1 GOARCH=wasm $(GO) build -buildmode=c-shared -trimpath -ldflags '-s -w' -o $@ ./tests/bench/workers/codec

build/bench-c: build/libsynap.so tests/bench/workers/bench.c $(HEADERS) $(PARTS)
	$(CC) -std=c99 -Wall -Wextra -O2 -Iinclude -o $@ tests/bench/workers/bench.c -Lbuild -lsynap -Wl,-rpath,'$$ORIGIN'

# The official SDK needs Python 3.11.
$(PEER_VENV)/installed: tests/bench/requirements-peer.txt
	test -x $(PEER_VENV)/bin/python || $(PYTHON) -m venv $(PEER_VENV)
	$(PEER_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
