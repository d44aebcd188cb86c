package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/tests/faults/proxy"
)

var background = context.Background()

// world is a server, the proxy before it, and a client of the test's own which looks
// at the server's store directly.
type world struct {
	wire    string
	config  testserver.Config
	server  *testserver.Server
	proxy   *proxy.Proxy
	control *core.Client
}

func newWorld(wire string) (*world, error) {
	w := &world{wire: wire}
	free := "127.0.0.1:0"
	switch wire {
	case "http":
		w.config.HTTP = free
	case "synap":
		w.config.RPC = free
	case "resp3":
		w.config.RESP3 = free
	}
	if err := w.start(); err != nil {
		return nil, err
	}
	var err error
	if w.proxy, err = proxy.Start(w.address()); err != nil {
		return nil, err
	}
	w.control, err = core.Open(wire + "://" + w.address())
	return w, err
}

// start starts the server: again, after it was stopped, on the same address and with
// the same store.
func (w *world) start() error {
	var err error
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if w.server, err = testserver.Start(w.config); err == nil || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		return err
	}
	w.config.Engine = w.server.Engine()
	switch w.wire {
	case "http":
		w.config.HTTP = w.server.HTTPAddr()
	case "synap":
		w.config.RPC = w.server.RPCAddr()
	case "resp3":
		w.config.RESP3 = w.server.RESP3Addr()
	}
	return nil
}

func (w *world) address() string { return w.config.HTTP + w.config.RPC + w.config.RESP3 }

// url is the proxy's address, as the agents' clients open it.
func (w *world) url(options string) string {
	if options == "" {
		options = "backoff=50ms&max_retries=7"
	}
	return w.wire + "://" + w.proxy.Address() + "?" + options
}

func (w *world) close() {
	w.proxy.Close()
	w.control.Close()
	w.server.Close()
}

// stored is the number that a key holds.
func (w *world) stored(key string) int64 {
	text, _, err := w.control.KV.Get(background, key)
	if err != nil {
		panic(fmt.Sprint("the test's own client: ", err))
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
