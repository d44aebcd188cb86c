// Command conformance replays recorded exchanges of a Synap server and reports
// where they differ from what our server, client or bindings do:
//
//	go run ./tests/conformance -role server
//	go run ./tests/conformance -role client
//	go run ./tests/conformance -role host -driver "python3 tests/conformance/drivers/python_sync.py"
//	go run ./tests/conformance -matrix -driver build/driver-go -driver build/driver-c
//
// The last line is "N passed, N failed". It exits with 1 if a case failed and
// with 2 if it could not run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/libsynap/libsynap/tests/conformance/runner"
)

func main() {
	o := runner.Options{Out: os.Stdout}
	flag.StringVar(&o.Dir, "vectors", "tests/vectors", "directory of the vectors")
	flag.StringVar(&o.Role, "role", "server", "server: our test server; client: our Go client; host: a binding through its driver")
	var drivers []string
	flag.Func("driver", "role host: command line of the driver; with -matrix as many as there are hosts", func(line string) error {
		drivers = append(drivers, line)
		return nil
	})
	matrix := flag.Bool("matrix", false, "play role host with every driver on every wire and print one table")
	wires := flag.String("wires", "", "-matrix: only these wires of memory, http, synap and resp3, separated by commas")
	files := flag.String("files", "", "only these files: names or patterns such as http-*, separated by commas")
	flag.StringVar(&o.Cases, "cases", "", "only cases whose names contain this")
	flag.StringVar(&o.Addr, "addr", "", "role server: a server that runs already; role host: the address to open instead of memory://, or testserver, testserver-rpc, testserver-resp3 for test servers over HTTP, SynapRPC, RESP3")
	flag.BoolVar(&o.Verbose, "v", false, "name every case")
	flag.Parse()
	if flag.NArg() > 0 {
		fail(fmt.Errorf("unexpected argument %q", flag.Arg(0)))
	}
	o.Files = list(*files)
	result, err := start(o, *matrix, drivers, list(*wires))
	if err != nil {
		fail(err)
	}
	if result.Failed > 0 {
		os.Exit(1)
	}
}

func start(o runner.Options, matrix bool, drivers, wires []string) (runner.Result, error) {
	if matrix {
		return runner.RunMatrix(o, drivers, wires)
	}
	switch {
	case len(drivers) > 1:
		return runner.Result{}, errors.New("several drivers go with -matrix only")
	case len(drivers) == 1:
		o.Driver = drivers[0]
	}
	return runner.Run(o)
}

// list splits a flag at commas.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "conformance:", err)
	os.Exit(2)
}
