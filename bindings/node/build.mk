# make node: the npm package into dist/. make test-node: its tests.
NODE_PACKAGE := dist/synap-sdk-$(VERSION).tgz
NODE_BUILD   := bindings/node/dist/node.mjs
NODE_SOURCES := $(shell find bindings/node/src bindings/node/scripts -type f) $(wildcard bindings/node/*.json) bindings/node/README.md

node: $(NODE_PACKAGE) ## build the npm package into dist/

bindings/node/node_modules/.package-lock.json: bindings/node/package.json bindings/node/package-lock.json
	cd bindings/node && npm ci --ignore-scripts --silent
	@touch $@

# What the package is made of; quick starts, drivers and pages use it from here.
$(NODE_BUILD): build/synap.wasm bindings/node/node_modules/.package-lock.json $(NODE_SOURCES)
	node bindings/node/scripts/build.mjs build/synap.wasm

$(NODE_PACKAGE): $(NODE_BUILD)
	@mkdir -p dist
	cd bindings/node && npm pack --silent --pack-destination ../../dist

test-node: $(NODE_PACKAGE) build/synap-testserver ## test the npm package in Node
	cd bindings/node && SYNAP_TARBALL=$(CURDIR)/$(NODE_PACKAGE) node --test test/*.test.mjs

.PHONY: node test-node
