package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the program.
func TestMain(m *testing.M) {
	if os.Getenv("SYNAP_SERVE_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"index.html", "main.js", "page.css", "synap.wasm", "icon.svg"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("content of "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestContentTypes(t *testing.T) {
	s := httptest.NewServer(files(folder(t)))
	defer s.Close()
	for name, want := range map[string]string{
		"":           "text/html; charset=utf-8",
		"main.js":    "text/javascript; charset=utf-8",
		"page.css":   "text/css; charset=utf-8",
		"synap.wasm": "application/wasm",
		"icon.svg":   "image/svg+xml",
	} {
		resp, body := get(t, s.URL+"/"+name)
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != want || !strings.HasPrefix(body, "content of ") {
			t.Errorf("%q: %d, type %q, not %q; body %q", name, resp.StatusCode, got, want, body)
		}
	}
	if resp, _ := get(t, s.URL+"/missing.js"); resp.StatusCode != 404 {
		t.Errorf("a missing file is answered with %d", resp.StatusCode)
	}
}

// The program names both addresses, each of which serves, and ends with 0 on an
// interrupt. A second one finds the test server's port taken and says so.
func TestProgram(t *testing.T) {
	dir := folder(t)
	page, server, stop := start(t, dir, "127.0.0.1:0")
	if !strings.HasPrefix(page, "http://127.0.0.1:") {
		t.Fatalf("serves on %q, not on loopback", page)
	}
	if _, body := get(t, page); body != "content of index.html" {
		t.Errorf("the page is %q", body)
	}
	if resp, _ := get(t, server+"/health"); resp.StatusCode != 200 {
		t.Errorf("the test server answers %d", resp.StatusCode)
	}
	page2, said, stop2 := start(t, dir, strings.TrimPrefix(server, "http://"))
	if !strings.Contains(said, "is taken") {
		t.Errorf("with the port taken it says %q", said)
	}
	if _, body := get(t, page2); body != "content of index.html" {
		t.Errorf("the second page is %q", body)
	}
	stop2()
	stop()
}

// start runs the program and returns what it says of page and test server.
func start(t *testing.T, dir, server string) (page, said string, stop func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-dir", dir, "-port", "0", "-testserver", server)
	cmd.Env = append(os.Environ(), "SYNAP_SERVE_MAIN=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "test server":
			said = strings.TrimSpace(value)
		case "playground":
			page = strings.TrimSpace(value)
		}
		if page != "" {
			break
		}
	}
	return page, said, func() {
		began := time.Now()
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil || time.Since(began) > 3*time.Second {
			t.Errorf("ended with %v after %v", err, time.Since(began))
		}
	}
}
