// Command serve serves the playground on this machine only, together with a test
// server to connect to: `make playground`.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path"
	"strconv"
	"syscall"

	"github.com/libsynap/libsynap/core/testserver"
)

func main() {
	dir := flag.String("dir", "build/playground", "`folder` to serve")
	port := flag.Int("port", 8080, "`port` to serve on, 0 for any free one; the address is always 127.0.0.1")
	server := flag.String("testserver", "127.0.0.1:15500", "`address` of the test server; empty for none")
	flag.Parse()
	if err := run(*dir, *port, *server); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func run(dir string, port int, server string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is taken; choose another: make playground PORT=%d", port, port+1)
	}
	if err != nil {
		return err
	}
	defer listener.Close()
	if server != "" {
		s, err := testserver.Start(testserver.Config{HTTP: server})
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			fmt.Printf("test server: none, %s is taken; the playground can connect to what runs there\n", server)
		case err != nil:
			return err
		default:
			defer s.Close()
			fmt.Println("test server:", s.URL())
		}
	}
	fmt.Printf("playground:  http://%s/\n", listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(listener, files(dir)) }()
	select {
	case <-stop:
		return nil
	case err := <-failed:
		return err
	}
}

// types are the content types of what a page is made of. The system's own table
// may know others or none: browsers refuse a module or WASM of the wrong type.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".map":  "application/json",
	".json": "application/json",
	".svg":  "image/svg+xml",
	".wasm": "application/wasm",
}

// files serves a folder to a browser that must see every change.
func files(dir string) http.Handler {
	serve := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t := types[path.Ext(r.URL.Path)]; t != "" {
			w.Header().Set("Content-Type", t)
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		serve.ServeHTTP(w, r)
	})
}
