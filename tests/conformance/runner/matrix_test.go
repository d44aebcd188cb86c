package runner

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestMatrix(t *testing.T) {
	t.Setenv(driverVariable, `["v"]`)
	dir := write(t, map[string]string{
		"http-a":   file("http-command", `{"name":"a/right","steps":[`+get(`"v"`)+`]},{"name":"a/wrong","steps":[`+get(`"w"`)+`]}`),
		"http-b":   file("http-command", `{"name":"b/cluster","needs":["cluster"],"steps":[`+get(`"v"`)+`]}`),
		"telnet-c": file("telnet", `{"name":"c","steps":[{}]}`),
	})
	var out bytes.Buffer
	result, err := RunMatrix(Options{Dir: dir, Out: &out}, []string{os.Args[0], os.Args[0]}, []string{"memory", "http"})
	if err != nil || result != (Result{4, 4, 4}) {
		t.Errorf("%+v, %v", result, err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 12 || strings.Join(strings.Fields(lines[1]), " ") != "host wire a b all" || lines[10] != "4 passed, 4 failed" {
		t.Fatalf("%q", lines)
	}
	for i, wire := range []string{"memory", "http", "memory", "http"} {
		if got := strings.Join(strings.Fields(lines[2+i]), " "); got != "runner "+wire+" 1/1/0 0/0/1 1/1/1" {
			t.Errorf("row %d: %s", i, got)
		}
		if want := "runner " + wire + ` FAILED http-a a/wrong, step 1: result: value: expected "w", got "v"`; lines[6+i] != want {
			t.Errorf("failure %d: %s, want %s", i, lines[6+i], want)
		}
	}
	for name, c := range map[string]struct{ drivers, wires []string }{
		"no driver":    {nil, nil},
		"unknown wire": {[]string{"x"}, []string{"telnet"}},
	} {
		if _, err := RunMatrix(Options{Dir: dir, Out: &out}, c.drivers, c.wires); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := hostName(".venv/bin/python tests/conformance/drivers/python_sync.py"); got != "python_sync" {
		t.Error(got)
	}
}
