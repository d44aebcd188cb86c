// Command check judges what a program that ran tests/parity/calls printed: a line
// for each group and one for each of its steps.
//
//	build/test-c/calls-c | go run ./tests/parity/check "C"
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/tests/parity/calls"
)

type line struct {
	Family  string
	Group   int
	OK      json.RawMessage
	Error   errs.Code
	Message string
}

func main() {
	files, err := calls.Load()
	if err != nil {
		fatal(err)
	}
	failed, steps := 0, 0
	fail := func(format string, args ...any) {
		failed++
		fmt.Fprintf(os.Stderr, os.Args[1]+": "+format+"\n", args...)
	}
	commands, _ := calls.Missing(files)
	for _, name := range commands {
		fail("no step calls %s", name)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	next := func() (l line, ok bool) {
		if !in.Scan() {
			return l, false
		}
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			fatal(fmt.Errorf("%w: %s", err, in.Bytes()))
		}
		return l, true
	}
	for _, f := range files {
		for number, g := range f.Groups {
			if !g.Holds("memory") {
				continue
			}
			if l, ok := next(); !ok || l.Family != f.Family || l.Group != number {
				fatal(fmt.Errorf("%s ran %s group %d instead of group %d of %s: run make generate and build it again", os.Args[1], l.Family, l.Group, number, f.Family))
			}
			saved := map[string]any{}
			for i := range g.Steps {
				s := &g.Steps[i]
				l, ok := next()
				if !ok {
					fatal(fmt.Errorf("%s ended in %s: %s", os.Args[1], f.Family, g.Name))
				}
				steps++
				where := fmt.Sprintf("%s: %s: step %d, %s%v", f.Family, g.Name, i+1, s.Command, s.Args)
				if l.Error != 0 || s.Error != "" {
					if l.Error.String() != s.Error {
						fail("%s: %s (%s) %s; expected error: %q", where, l.Error, l.Message, l.OK, s.Error)
					}
					continue
				}
				got := result(s.Entry(), l.OK)
				if s.Save != "" {
					saved[s.Save] = got
				}
				if !s.Checked {
					continue
				}
				if d := calls.Match(calls.Resolve(s.Expect, saved), got); d != "" {
					fail("%s: %s", where, d)
				}
			}
		}
	}
	if _, more := next(); more {
		fail("it printed more than was asked")
	}
	if failed > 0 {
		fmt.Fprintf(os.Stderr, "%s: %d failures\n", os.Args[1], failed)
		os.Exit(1)
	}
	fmt.Printf("%s: %d calls of typed functions\n", os.Args[1], steps)
}

// result reads a printed result; objects are records where the table says so.
func result(c *command.Command, text []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		fatal(fmt.Errorf("%s: %w: %s", c.Name, err, text))
	}
	if c.Reply.Record == nil {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		return calls.Record(v)
	case []any:
		for i := range v {
			if m, ok := v[i].(map[string]any); ok {
				v[i] = calls.Record(m)
			}
		}
	}
	return v
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "check:", err)
	os.Exit(1)
}
