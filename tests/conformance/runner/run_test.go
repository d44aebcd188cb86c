package runner

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write puts vector files into a directory of their own.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func file(transport, cases string) string {
	return `{"server":"synap 1.3.1","transport":"` + transport + `","area":"x","cases":[` + cases + `]}`
}

// run replays a directory and returns the report's lines.
func run(t *testing.T, o Options) (Result, []string) {
	t.Helper()
	var out bytes.Buffer
	o.Out = &out
	result, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	return result, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

const set = `{"command":"kv.set","payload":{"key":"k","value":"v"},"reply":{"status":200,"body":{"success":true,"request_id":"r","payload":{"success":true},"error":null}}}`

func get(want string) string {
	return `{"command":"kv.get","payload":{"key":"k"},"reply":{"status":200,"body":{"success":true,"request_id":"r","payload":` + want + `,"error":null}}}`
}

func TestReport(t *testing.T) {
	dir := write(t, map[string]string{
		"http-a": file("http-command", `{"name":"a/right","steps":[`+set+`,`+get(`"v"`)+`]},
			{"name":"a/wrong","steps":[`+set+`,`+get(`"w"`)+`]},
			{"name":"a/fresh","needs":["fresh"],"steps":[`+get(`null`)+`]},
			{"name":"a/cluster","needs":["cluster"],"steps":[`+set+`]}`),
		"telnet-a": file("telnet", `{"name":"b/one","steps":[{"send":["PING"],"recv":{"simple":"PONG"}}]}`),
	})
	result, lines := run(t, Options{Dir: dir, Role: "server"})
	if result != (Result{Passed: 2, Failed: 1, NoForm: 2}) {
		t.Errorf("counted %+v", result)
	}
	want := []string{
		"http-a               2 passed, 1 failed, 1 without a form",
		"telnet-a             0 passed, 0 failed, 1 without a form",
		`FAILED http-a a/wrong, step 2: body: payload: expected "w", got "v"`,
		"2 cases have no form in this role: file http-a 1, telnet-a 1",
		"2 passed, 1 failed",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("reported\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	result, lines = run(t, Options{Dir: dir, Role: "server", Files: []string{"http-*"}, Cases: "right", Verbose: true})
	if result != (Result{Passed: 1}) || lines[1] != "  a/right: passed" || lines[len(lines)-1] != "1 passed, 0 failed" {
		t.Errorf("one case: counted %+v, reported %q", result, lines)
	}
}

func TestVectorsThatAreNotUnderstoodFail(t *testing.T) {
	for name, step := range map[string]string{
		"unknown member":  `{"command":"kv.get","payload":{"key":"k"},"bogus":1,"reply":{"status":200,"body":{"$any":"any"}}}`,
		"unknown matcher": `{"command":"kv.get","payload":{"key":"k"},"reply":{"status":200,"body":{"success":true,"request_id":"r","payload":{"$oneof":[null,{"$nope":1}]},"error":null}}}`,
		"no reply":        `{"command":"kv.get","payload":{"key":"k"}}`,
		"two kinds":       `{"command":"kv.get","method":"GET","path":"/health","payload":{"key":"k"},"reply":{"status":200,"body":{"$any":"any"}}}`,
		"unbound name":    `{"method":"GET","path":"/kv/get/${NOPE}","reply":{"status":200}}`,
	} {
		dir := write(t, map[string]string{"http-a": file("http-rest", `{"name":"a","steps":[`+step+`]}`)})
		if result, lines := run(t, Options{Dir: dir, Role: "server"}); result.Failed != 1 {
			t.Errorf("%s: %+v %q", name, result, lines)
		}
	}
	for name, text := range map[string]string{
		"unknown need": file("http-rest", `{"name":"a","needs":["luck"],"steps":[`+set+`]}`),
		"no steps":     file("http-rest", `{"name":"a","steps":[]}`),
		"twice":        file("http-rest", `{"name":"a","steps":[`+set+`]},{"name":"a","steps":[`+set+`]}`),
		"no cases":     file("http-rest", ``),
		"no JSON":      `{`,
	} {
		if _, err := Run(Options{Dir: write(t, map[string]string{"http-a": text}), Role: "server", Out: &bytes.Buffer{}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, o := range map[string]Options{
		"unknown role":           {Role: "judge"},
		"host without driver":    {Role: "host"},
		"server with a driver":   {Role: "server", Driver: "cat"},
		"client with an address": {Role: "client", Addr: "http://127.0.0.1:1"},
	} {
		o.Dir, o.Out = "../../vectors", &bytes.Buffer{}
		if _, err := Run(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// spoil changes what the last comparing step of each case of a recorded file
// expects, and returns the new file and how many cases it has.
func spoil(t *testing.T, name string) (text string, cases int) {
	t.Helper()
	raw, err := os.ReadFile("../../vectors/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	root := v.(map[string]any)
	var spoiled []any
	for _, c := range root["cases"].([]any) {
		steps := c.(map[string]any)["steps"].([]any)
		for i := len(steps) - 1; i >= 0; i-- {
			step := steps[i].(map[string]any)
			target := step
			for _, member := range []string{"reply", "refused"} {
				if reply, ok := step[member].(map[string]any); ok {
					target = reply
					if _, ok := reply["body"].(map[string]any); !ok {
						reply["status"] = json.Number("299")
					}
				}
			}
			done := target["status"] == json.Number("299")
			for _, member := range []string{"body", "recv"} {
				if object, ok := target[member].(map[string]any); ok && !done {
					object["spoiled"] = true
					done = true
				}
			}
			if done {
				c.(map[string]any)["steps"] = steps[:i+1]
				spoiled = append(spoiled, c)
				break
			}
		}
	}
	root["cases"] = spoiled
	return writeJSON(root), len(spoiled)
}

func TestNoSpoiledCasePasses(t *testing.T) {
	files := map[string]string{}
	total := 0
	for _, name := range []string{"http-pubsub", "http-stream", "rest-queue", "rest-envelope", "ws-pubsub", "ws-stock"} {
		text, n := spoil(t, name)
		files[name] = text
		total += n
	}
	result, lines := run(t, Options{Dir: write(t, files), Role: "server", Verbose: true})
	if result.Passed != 0 || result.Failed != total || total < 60 {
		t.Errorf("of %d spoiled cases %+v:\n%s", total, result, strings.Join(lines, "\n"))
	}
}
