# Connections that a proxy spoils, for every host on every wire. See sockets/main.go.
.PHONY: test-faults-sockets
test-faults: test-faults-sockets
test-faults-sockets: build/faults-go build/faults-c $(VENV)/installed bindings/node/dist/node.mjs ## test every host on connections that break, stall and crawl
	$(VENV)/bin/python -m mypy --strict tests/faults/python/agent.py
	$(GO) run ./tests/faults/sockets

build/faults-go: $(GO_SOURCES) $(wildcard tests/faults/go/*.go)
	$(GO) build -trimpath -o $@ ./tests/faults/go

build/faults-c: build/libsynap.so tests/faults/c/agent.c $(HEADERS) $(PARTS)
	$(CC) -std=c99 -D_DEFAULT_SOURCE -Wall -Wextra -pedantic -Werror -O1 -Iinclude -o $@ tests/faults/c/agent.c -Lbuild -lsynap -lpthread -Wl,-rpath,'$$ORIGIN'
