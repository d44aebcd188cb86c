package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

const redisPassword = "interop"

// startRedis starts Debian's redis-server on a free port of loopback. It keeps
// nothing, and ends with stop.
func startRedis() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	dir, err := os.MkdirTemp("", "synap-interop")
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command("redis-server", "--bind", host, "--port", port, "--dir", dir,
		"--requirepass", redisPassword, "--save", "", "--appendonly", "no", "--loglevel", "warning")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		os.RemoveAll(dir)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err == nil {
			c.Close()
			return net.JoinHostPort(host, port), stop, nil
		}
		if time.Now().After(deadline) {
			stop()
			return "", nil, fmt.Errorf("redis-server does not listen: %w", err)
		}
	}
}
