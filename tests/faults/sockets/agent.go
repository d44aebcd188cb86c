package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/libsynap/libsynap/core/errs"
)

// An agent is a program that does with its host's client what it is told, a line at a
// time, and judges nothing:
//
//	NUMBER open ADDRESS | close
//	NUMBER get KEY MS | incr KEY MS
//	NUMBER subscribe TOPIC MS | follow ROOM MS | next - MS
//
// It answers "NUMBER ok TEXT", of next "NUMBER ok ITEM LOST", or "NUMBER error CODE
// MAYBE_APPLIED MESSAGE", in any order: requests run side by side.
type agent struct {
	cmd *exec.Cmd
	in  io.WriteCloser

	mu      sync.Mutex
	number  int
	waiting map[int]chan string
	gone    bool
}

// hosts are the commands that start the agents.
var hosts = map[string][]string{
	"go":             {"build/faults-go"},
	"c":              {"build/faults-c"},
	"python":         {"build/venv/bin/python", "tests/faults/python/agent.py", "sync"},
	"python-asyncio": {"build/venv/bin/python", "tests/faults/python/agent.py", "async"},
	"node":           {"node", "tests/faults/node/agent.mjs"},
}

func startAgent(host string) (*agent, error) {
	command := hosts[host]
	a := &agent{cmd: exec.Command(command[0], command[1:]...), waiting: map[int]chan string{}}
	a.cmd.Stderr = os.Stderr
	var err error
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	go a.listen(out)
	return a, nil
}

func (a *agent) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		number, rest, _ := strings.Cut(lines.Text(), " ")
		n, _ := strconv.Atoi(number)
		a.mu.Lock()
		if c := a.waiting[n]; c != nil {
			delete(a.waiting, n)
			c <- rest
		}
		a.mu.Unlock()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = true
	for _, c := range a.waiting {
		c <- "error gone false the agent has ended"
	}
}

// stop ends the process, by force if it does not end by itself.
func (a *agent) stop() {
	a.in.Close()
	kill := time.AfterFunc(5*time.Second, func() { _ = a.cmd.Process.Kill() })
	_ = a.cmd.Wait()
	kill.Stop()
}

// result is how a request ended.
type result struct {
	text  string
	code  string // "" if it succeeded
	maybe bool
	took  time.Duration
}

func (r result) String() string {
	if r.code == "" {
		return fmt.Sprintf("%q after %v", r.text, r.took.Round(time.Millisecond))
	}
	return fmt.Sprintf("%s, maybe applied %v, after %v: %s", r.code, r.maybe, r.took.Round(time.Millisecond), r.text)
}

// begin sends a request; the channel holds its result, "hung" if the agent does not
// answer long after the deadline.
func (a *agent) begin(op, what string, deadline time.Duration) <-chan result {
	done := make(chan result, 1)
	answer := make(chan string, 1)
	a.mu.Lock()
	a.number++
	n := a.number
	if a.gone {
		answer <- "error gone false the agent has ended"
	}
	a.waiting[n] = answer
	began := time.Now()
	fmt.Fprintln(a.in, n, op, what, deadline.Milliseconds())
	a.mu.Unlock()
	go func() {
		select {
		case line := <-answer:
			done <- read(line, time.Since(began))
		case <-time.After(deadline + 10*time.Second):
			done <- result{code: "hung", took: time.Since(began)}
		}
	}()
	return done
}

func (a *agent) do(op, what string, deadline time.Duration) result {
	return <-a.begin(op, what, deadline)
}

func read(line string, took time.Duration) result {
	words := strings.SplitN(line, " ", 4)
	if words[0] == "ok" {
		return result{text: strings.TrimSpace(strings.TrimPrefix(line, "ok")), took: took}
	}
	for len(words) < 4 {
		words = append(words, "")
	}
	r := result{code: words[1], maybe: words[2] == "true", text: words[3], took: took}
	if n, err := strconv.Atoi(r.code); err == nil { // C has numbers
		r.code = errs.Code(n).String()
	}
	return r
}
