package wazero

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/tests/parity/calls"
	"github.com/libsynap/libsynap/wasm/host"
)

// embedded are the families that the engine inside the module has; all others need
// a server.
var embedded = []string{"kv", "key", "hash", "list"}

// TestCalls runs the calls that every host runs. The plugin has no typed methods:
// commands are named, records are arrays in the table's order.
func TestCalls(t *testing.T) {
	list, err := calls.Load()
	if err != nil {
		t.Fatal(err)
	}
	missing, _ := calls.Missing(list)
	for _, name := range missing {
		t.Errorf("no step calls %s", name)
	}
	h := newHost(t, host.Options{})
	for _, f := range list {
		for _, g := range f.Groups {
			inside := !slices.ContainsFunc(g.Steps, func(s calls.Step) bool { return !slices.Contains(embedded, s.Entry().Family()) })
			if inside && g.Holds("memory") {
				t.Run(f.Family+"/"+g.Name+"/memory", func(t *testing.T) { runGroup(t, h, &g, "memory://") })
			}
			if g.Holds("http") {
				t.Run(f.Family+"/"+g.Name+"/http", func(t *testing.T) {
					runGroup(t, h, &g, server(t, testserver.Config{}).URL())
				})
			}
		}
	}
}

func runGroup(t *testing.T, h *host.Host, g *calls.Group, address string) {
	c := open(t, h, address)
	defer c.Close()
	saved := map[string]any{}
	for i := range g.Steps {
		s := &g.Steps[i]
		entry := s.Entry()
		given := calls.Resolve(s.Args, saved).([]any)
		args := make([]value.Value, len(given))
		for n := range given {
			args[n] = calls.Pack(&entry.Args[n], given[n])
		}
		reply, err := c.Call(within(t, 10*time.Second), s.Command, args...)
		where := fmt.Sprintf("step %d, %s%v", i+1, s.Command, s.Args)
		var failure *errs.Error
		if errors.As(err, &failure) != (s.Error != "") || failure != nil && failure.Code.String() != s.Error {
			t.Errorf("%s: %v, %v; expected error: %q", where, reply, err, s.Error)
			continue
		}
		got := result(entry, reply, err)
		if s.Error == "" && s.Checked {
			if d := calls.Match(calls.Resolve(s.Expect, saved), got); d != "" {
				t.Errorf("%s: %s", where, d)
			}
		}
		if s.Save != "" {
			saved[s.Save] = got
		}
	}
}

func result(c *command.Command, reply value.Value, err error) any {
	if err != nil || c.Reply.Kind == command.ReplyNothing {
		return nil
	}
	return calls.Unpack(c, reply)
}
