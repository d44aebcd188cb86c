package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

const peerPython = "build/venv-peer/bin/python"

// sdk is the process that runs the official SDK.
type sdk struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

type object = map[string]any

func startSDK() (*sdk, error) {
	s := &sdk{cmd: exec.Command(peerPython, "tests/interop/peer.py")}
	s.cmd.Stderr = os.Stderr
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReaderSize(out, 1<<20)
	return s, s.cmd.Start()
}

// close ends the process, by force if it does not end by itself.
func (s *sdk) close() {
	s.in.Close()
	kill := time.AfterFunc(5*time.Second, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	kill.Stop()
}

// sdkError is what the SDK raised.
type sdkError struct{ class, message string }

func (e *sdkError) Error() string { return e.class + ": " + e.message }

// ask runs one request and returns what the SDK's method returned.
func (s *sdk) ask(request object) (any, error) {
	line, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	if _, err := s.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	text, err := s.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("the SDK's process is gone: %w", err)
	}
	var answer struct {
		Result         any
		Error, Message string
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, &sdkError{answer.Error, answer.Message}
	}
	return answer.Result, nil
}

// at is a client of the SDK for one address. name is any that no other client has.
type at struct {
	sdk       *sdk
	url, name string
}

func (a at) call(method string, args ...any) (any, error) {
	if args == nil {
		args = []any{}
	}
	return a.sdk.ask(object{"url": a.url, "client": a.name, "call": method, "args": args})
}

// open starts an iterator of the SDK under a name; next takes its next item.
func (a at) open(name, method string, args ...any) error {
	_, err := a.sdk.ask(object{"url": a.url, "client": a.name, "call": method, "args": args, "as": name})
	return err
}

func (a at) next(name string) (any, error) { return a.call("next." + name) }

// bytesOf is bytes as an argument.
func bytesOf(s string) object { return object{"bytes": hex.EncodeToString([]byte(s))} }

// show is a result in the table: JSON, or the class of what was raised.
func show(v any, err error) string {
	var raised *sdkError
	switch {
	case errors.As(err, &raised):
		return raised.class
	case err != nil:
		return err.Error()
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func field(v any, name string) any {
	m, _ := v.(object)
	return m[name]
}
