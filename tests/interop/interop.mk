# make test-interop: the client beside the official SDK and on Redis. See main.go.
.PHONY: test-interop
test-interop: $(PEER_VENV)/installed
	tests/need.sh redis-server=redis-server
	$(GO) run ./tests/interop
