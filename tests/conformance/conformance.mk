# make test-conformance: replays what a real server answered against our server,
# our client, and every binding through its driver. See main.go.
CONFORMANCE := build/conformance
# Files that the engine serves as a whole; others in tests/vectors need more families.
SERVED      := auth,http-kv,http-queue,http-stream,http-pubsub,http-key,http-hash,http-list,http-set,http-sortedset,http-bitmap,http-hyperloglog,http-geospatial,http-script,http-transaction,http-admin,rest-*,ws-*,synaprpc-*,resp3-*
# Files that every host plays: all commands but http-admin, whose commands are about
# a server and which memory:// has not.
HOSTED      := http-kv,http-queue,http-stream,http-pubsub,http-key,http-hash,http-list,http-set,http-sortedset,http-bitmap,http-hyperloglog,http-geospatial,http-script,http-transaction
DRIVERS     := tests/conformance/drivers
HOSTS       := -driver build/driver-go -driver build/driver-c -driver build/driver-cpp \
	-driver '$(VENV)/bin/python $(DRIVERS)/python_sync.py' -driver '$(VENV)/bin/python $(DRIVERS)/python_async.py' \
	-driver 'node $(DRIVERS)/node.mjs' -driver build/driver-wazero

# The matrix plays each host on memory://, HTTP, SynapRPC and RESP3. One row alone
# is, for example: build/conformance -role host -driver build/driver-c -addr testserver-rpc
test-conformance: $(CONFORMANCE) build/driver-go build/driver-c build/driver-cpp build/driver-wazero build/synap.wasm $(VENV)/installed $(NODE_BUILD) ## replay the recorded exchanges in every role and host
	$(CONFORMANCE) -role server -files '$(SERVED)'
	$(CONFORMANCE) -role client
	$(CONFORMANCE) -matrix -files '$(HOSTED)' $(HOSTS)

$(CONFORMANCE): $(GO_SOURCES) $(wildcard tests/conformance/*.go tests/conformance/runner/*.go)
	$(GO) build -trimpath -o $@ ./tests/conformance

build/driver-go: $(GO_SOURCES) $(wildcard $(DRIVERS)/go/*.go)
	$(GO) build -trimpath -o $@ ./$(DRIVERS)/go

build/driver-c: build/libsynap.so $(DRIVERS)/driver.c $(HEADERS) $(PARTS)
	$(CC) -std=c99 -Wall -Wextra -pedantic -O2 -Iinclude -o $@ $(DRIVERS)/driver.c -Lbuild -lsynap -Wl,-rpath,'$$ORIGIN'

build/driver-cpp: build/libsynap.so $(DRIVERS)/driver.cpp $(HEADERS) $(PARTS)
	$(CXX) -std=c++17 -Wall -Wextra -pedantic -O2 -Iinclude -o $@ $(DRIVERS)/driver.cpp -Lbuild -lsynap -Wl,-rpath,'$$ORIGIN'
