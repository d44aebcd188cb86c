package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// features are those that Go's modules use.
var features = []string{"--enable-bulk-memory", "--enable-nontrapping-float-to-int", "--enable-sign-ext", "--enable-mutable-globals"}

// optimize has Binaryen's wasm-opt shrink the code. It takes some 20 s, so what it
// made of a module is kept in build/.
func optimize(b []byte) ([]byte, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(root, "build", "wasm-opt"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	tool, err := optimizer(filepath.Join(root, "wasm", "compile"))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	out := filepath.Join(root, "build", "wasm-opt", hex.EncodeToString(sum[:8])+".wasm")
	if kept, err := os.ReadFile(out); err == nil {
		return kept, nil
	}
	in, unfinished := out+".in", out+".unfinished"
	defer os.Remove(in)
	if err := os.WriteFile(in, b, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command("node", append([]string{"--stack-size=65500", tool, "-Oz", in, "-o", unfinished}, features...)...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("wasm-opt: %w", err)
	}
	if err := os.Rename(unfinished, out); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// lock makes the folder and keeps other processes out of it: tests of several
// packages build the module at the same time.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// optimizer returns the path of wasm-opt, installing it the first time.
func optimizer(dir string) (string, error) {
	tool := filepath.Join(dir, "node_modules", "binaryen", "bin", "wasm-opt")
	if _, err := os.Stat(tool); err == nil {
		return tool, nil
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund")
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("npm ci in %s: %w (the module needs Node to build)", dir, err)
	}
	return tool, nil
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}
