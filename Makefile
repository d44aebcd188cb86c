# libsynap. Two targets matter to a user: quickstart and test. `make help` lists all.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell cat VERSION)
PYTHON  ?= python3
GO      ?= go
VENV    := build/venv
# The sources on which the native builds depend.
GO_SOURCES := go.mod go.sum $(shell find core capi -name '*.go' -not -name '*_test.go' 2>/dev/null)

include capi/build.mk
include wasm/build.mk
include bindings/node/build.mk
include tests/conformance/conformance.mk
include tests/bench/bench.mk
include tests/interop/interop.mk
include tests/faults/faults.mk
include tests/browser/build.mk

.PHONY: help quickstart test generate lib python testserver bench install clean
.PHONY: test-go test-race test-fuzz test-generated test-python test-conformance test-faults

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

quickstart: build/quickstart-go build/quickstart-c build/quickstart-cpp build/quickstart-wazero build/synap.wasm $(VENV)/installed $(NODE_BUILD) $(BROWSER_HOST) ## run the quick start in every host
	-@tests/need.sh chromium=chromium
	$(GO) run ./tests/quickstart

test: test-generated test-go test-race test-fuzz test-c test-python test-node test-conformance test-faults test-interop test-browser ## install what the tests need and run them all
	@echo "all tests passed"

generate: ## write all that derives from the command table
	$(GO) run ./internal/gen

test-generated:
	$(GO) run ./internal/gen -check
	$(GO) vet ./...
	@test -z "$$(gofmt -l core capi internal tests wasm)" || { gofmt -l core capi internal tests wasm; echo "gofmt them"; exit 1; }

test-go:
	$(GO) test -timeout 300s ./...
	@$(GO) test -v -run TestModule ./wasm/compile | grep bytes

test-race:
	CGO_ENABLED=1 $(GO) test -timeout 300s -race ./core/... ./capi

# Every decoder with changed inputs, for a moment each; make test-fuzz FUZZTIME=10m for long.
FUZZTIME ?= 3s

test-fuzz: ## feed the decoders with garbage
	@grep -rl '^func Fuzz' core --include=*_test.go | while read -r file; do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\).*/\1/p' $$file); do \
			$(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) > build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }; \
			echo "$$(dirname $$file) $$name: $$(grep -c elapsed build/fuzz.log) reports, $$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' build/fuzz.log | tail -1) inputs"; \
		done; \
	done

python: dist/python.stamp ## build the Python wheel into dist/

dist/python.stamp: build/libsynap.so VERSION $(shell find bindings/python/src bindings/python/*.py bindings/python/*.toml -type f -not -name '*.pyc' 2>/dev/null)
	$(PYTHON) bindings/python/build_wheel.py
	@touch $@

# A virtual environment with the wheel and what its tests need.
$(VENV)/installed: dist/python.stamp bindings/python/requirements-dev.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r bindings/python/requirements-dev.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps dist/synap_sdk-$(VERSION)-*.whl
	@touch $@

test-python: $(VENV)/installed
	$(VENV)/bin/python -m mypy --strict bindings/python/src/synap_sdk bindings/python/tests/typing_sample.py
	$(VENV)/bin/python -m pytest -q bindings/python/tests

# What a host's process lives through: forks, panics, signals, lost servers.
test-faults: $(VENV)/installed build/testpanic/libsynap.so
	$(VENV)/bin/python -m pytest -q tests/faults/python

testserver: build/synap-testserver ## build the test server program

build/synap-testserver: $(GO_SOURCES)
	$(GO) build -trimpath -o $@ ./core/testserver/synap-testserver

build/quickstart-go: $(GO_SOURCES) $(wildcard tests/quickstart/go/*.go)
	$(GO) build -trimpath -o $@ ./tests/quickstart/go

build/quickstart-c: build/libsynap.so tests/quickstart/c/quickstart.c $(HEADERS) $(PARTS)
	$(CC) -std=c99 -Wall -Wextra -O2 -Iinclude -o $@ tests/quickstart/c/quickstart.c -Lbuild -lsynap -Wl,-rpath,'$$ORIGIN'

build/quickstart-cpp: build/libsynap.so tests/quickstart/cpp/quickstart.cpp $(HEADERS) $(PARTS)
	$(CXX) -std=c++17 -Wall -Wextra -O2 -Iinclude -o $@ tests/quickstart/cpp/quickstart.cpp -Lbuild -lsynap -Wl,-rpath,'$$ORIGIN'

clean: ## remove what was built
	rm -rf build dist
