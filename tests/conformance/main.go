// Command conformance replays recorded exchanges of a Synap server and reports
// where they differ from what our server, client or bindings do:
//
//	go run ./tests/conformance -role server
//	go run ./tests/conformance -role client
//	go run ./tests/conformance -role host -driver "python3 tests/conformance/drivers/python_sync.py"
//
// The last line is "N passed, N failed". It exits with 1 if a case failed and
// with 2 if it could not run.
package main

import (
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
	flag.StringVar(&o.Driver, "driver", "", "role host: command line of the driver")
	files := flag.String("files", "", "only these files: names or patterns such as http-*, separated by commas")
	flag.StringVar(&o.Cases, "cases", "", "only cases whose names contain this")
	flag.StringVar(&o.Addr, "addr", "", "role server: a server that runs already; role host: the address to open instead of memory://, testserver for test servers over HTTP")
	flag.BoolVar(&o.Verbose, "v", false, "name every case")
	flag.Parse()
	if flag.NArg() > 0 {
		fail(fmt.Errorf("unexpected argument %q", flag.Arg(0)))
	}
	if *files != "" {
		o.Files = strings.Split(*files, ",")
	}
	result, err := runner.Run(o)
	if err != nil {
		fail(err)
	}
	if result.Failed > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "conformance:", err)
	os.Exit(2)
}
