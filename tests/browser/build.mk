# make playground, make test-browser: the page that runs libsynap in a tab.
PORT       ?= 8080
PLAYGROUND := build/playground/index.html
# What a program in Chromium is run by.
BROWSER_HOST := $(PLAYGROUND) build/serve tests/browser/node_modules/.package-lock.json

playground: $(PLAYGROUND) build/serve ## serve the playground and a test server on this machine (PORT=8080)
	@exec build/serve -dir build/playground -port $(PORT)

# Any static host serves this folder: the page, the package's ES modules, synap.wasm.
$(PLAYGROUND): $(NODE_BUILD) $(shell find bindings/node/playground -type f 2>/dev/null)
	rm -rf build/playground
	mkdir -p build/playground
	cp -r bindings/node/playground/. build/playground
	cp -r bindings/node/dist/esm build/playground/sdk
	find build/playground/sdk -type f -not -name '*.js' -delete
	cp bindings/node/dist/synap.wasm build/playground
	touch $@

build/serve: $(GO_SOURCES) $(wildcard internal/serve/*.go)
	$(GO) build -trimpath -o $@ ./internal/serve

tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	cd tests/browser && npm ci --no-audit --no-fund

test-browser: $(BROWSER_HOST) build/synap-testserver build/libsynap.so $(VENV)/installed $(CONFORMANCE) ## test the playground and the package in Chromium
	tests/need.sh chromium=chromium
	tests/browser/run.sh

.PHONY: playground test-browser
