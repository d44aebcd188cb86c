// Command compile builds synap.wasm:
//
//	go run ./wasm/compile OUT
//
// The module is downloaded before a page works, so it is built for size. Inlining
// is off in the packages of ours that no call goes through often; what Go's linker
// writes is shrunk (table.go), and the code by Binaryen (optimize.go). RATIONALE.md
// has the figures.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// outlined are the packages that are compiled without inlining. core/command is
// not one of them: its table would be built by code instead of being data.
var outlined = []string{"core/config", "core/engine", "core/errs"}

// experiment turns off Go 1.26's new garbage collector, which comes in addition to
// the old one: 40 KB, and nothing to gain with one thread and a heap of a few MB.
const experiment = "nogreenteagc"

const root = "github.com/libsynap/libsynap/"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: compile OUT")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "compile:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	b, err := link()
	if err == nil {
		b, err = shrink(b)
	}
	if err == nil {
		b, err = optimize(b)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(out), 0o755)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(out, b, 0o644)
}

// link compiles and links the module.
func link() ([]byte, error) {
	dir, err := os.MkdirTemp("", "synap-wasm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	overlay, err := withoutDocs(dir)
	if err != nil {
		return nil, err
	}
	linked := filepath.Join(dir, "linked.wasm")
	args := []string{"build", "-overlay=" + overlay, "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", linked}
	for _, p := range outlined {
		args = append(args, "-gcflags="+root+p+"=-l")
	}
	cmd := exec.Command("go", append(args, root+"wasm")...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOEXPERIMENT="+experiment)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return os.ReadFile(linked)
}
