// Synap-testserver serves an embedded Synap engine over HTTP, WebSockets and the
// native wires, for tests and demos. It is not for production: everything is in
// memory and nothing is hardened.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/libsynap/libsynap/core/testserver"
)

func main() {
	var cfg testserver.Config
	flag.StringVar(&cfg.HTTP, "http", "127.0.0.1:15500", "`address` to listen on; port 0 takes any free one")
	flag.StringVar(&cfg.RPC, "rpc", "", "`address` on which to serve SynapRPC; none without it")
	flag.StringVar(&cfg.RESP3, "resp3", "", "`address` on which to serve RESP3; none without it")
	flag.StringVar(&cfg.User, "user", "", "`name` of the root user; turns authentication on")
	flag.StringVar(&cfg.Password, "password", "", "`password` of the root user; turns authentication on")
	flag.StringVar(&cfg.APIKey, "api-key", "", "an API `key` with all permissions; turns authentication on")
	flag.BoolVar(&cfg.Stock, "stock", false, "answer WebSocket upgrades with 500, as the released server 1.3.1 does")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "synap-testserver serves an embedded Synap engine for tests and demos.\nDo not run it in production: everything is in memory and nothing is hardened.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	cfg.RequireAuth = true // where there are credentials at all

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	server, err := testserver.Start(cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, l := range [][2]string{{"http", server.URL()}, {"rpc", server.RPCURL()}, {"resp3", server.RESP3URL()}} {
		if l[1] != "" {
			fmt.Println("synap-testserver:", l[0], l[1])
		}
	}
	<-stop
	server.Close()
}
