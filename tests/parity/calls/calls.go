// Package calls reads the calls of typed methods that every host's own test runs:
// <family>.json beside this file, written in the terms of the command table. Each
// host has a small runner that spells a step as a call of its typed method; what
// it returns is compared in one notation. See README.md for the format.
package calls

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
)

//go:embed *.json
var files embed.FS

// File holds the calls of one family.
type File struct {
	Family string  `json:"family"`
	Groups []Group `json:"groups"`
}

// Group is a row of calls on a store that is empty at first.
type Group struct {
	Name string `json:"name"`
	// On names the transports on which the group holds; none are all.
	On    []string `json:"on"`
	Steps []Step   `json:"steps"`
}

// Holds reports whether the group holds on a transport.
func (g *Group) Holds(on string) bool { return len(g.On) == 0 || slices.Contains(g.On, on) }

// Step is one call.
type Step struct {
	Command string
	Args    []any // one per argument of the table, nil if absent
	// Expect is what the call returns; it is not looked at unless Checked.
	Expect  any
	Checked bool
	// Error is the name of the code that the call fails with, "" if it succeeds.
	Error string
	// Save names the result for later steps.
	Save string
}

// Entry is the table's entry.
func (s *Step) Entry() *command.Command { return command.Lookup(s.Command) }

// Transports are what a group may hold on.
var Transports = []string{"memory", "http", "rpc", "resp3"}

// Load returns all files in the order of the table.
func Load() ([]*File, error) {
	var out []*File
	for _, family := range command.Families {
		text, err := files.ReadFile(family.Name + ".json")
		if err != nil {
			continue // Missing names its commands
		}
		f := &File{}
		if err := strict(text, f); err != nil {
			return nil, fmt.Errorf("%s.json: %w", family.Name, err)
		}
		if f.Family != family.Name {
			return nil, fmt.Errorf("%s.json is of the family %q", family.Name, f.Family)
		}
		names := map[string]bool{}
		for _, g := range f.Groups {
			if names[g.Name] || g.Name == "" {
				return nil, fmt.Errorf("%s.json: group %q needs a name of its own", f.Family, g.Name)
			}
			names[g.Name] = true
			for _, on := range g.On {
				if !slices.Contains(Transports, on) {
					return nil, fmt.Errorf("%s.json: %s: no transport %q", f.Family, g.Name, on)
				}
			}
		}
		out = append(out, f)
	}
	known, err := files.ReadDir(".")
	if err == nil && len(known) != len(out) {
		err = fmt.Errorf("%d files, but %d of families", len(known), len(out))
	}
	return out, err
}

// strict reads JSON with exact numbers, and refuses members that it does not know.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows at %d", d.InputOffset())
	}
	return nil
}

// UnmarshalJSON reads a step and checks it against the table.
func (s *Step) UnmarshalJSON(text []byte) error {
	var raw struct {
		Command string          `json:"command"`
		Args    any             `json:"args"`
		Expect  json.RawMessage `json:"expect"`
		Error   string          `json:"expect_error"`
		Save    string          `json:"save"`
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("step %s: %s", text, fmt.Sprintf(format, args...))
	}
	if err := strict(text, &raw); err != nil {
		return fail("%v", err)
	}
	*s = Step{Command: raw.Command, Error: raw.Error, Save: raw.Save}
	c := s.Entry()
	if c == nil {
		return fail("the table has no such command")
	}
	if c.Reply.Kind == command.ReplyStream {
		return fail("a subscription is no call")
	}
	s.Args = make([]any, len(c.Args))
	switch args := raw.Args.(type) {
	case nil:
	case []any:
		if len(args) > len(s.Args) {
			return fail("the command takes %d arguments", len(s.Args))
		}
		copy(s.Args, args)
	case map[string]any:
		for name, v := range args {
			i := slices.IndexFunc(c.Args, func(a command.Arg) bool { return a.Name == name })
			if i < 0 {
				return fail("no argument %s", name)
			}
			s.Args[i] = v
		}
	default:
		return fail("args are a list or an object")
	}
	for i, a := range c.Args {
		if a.Required && s.Args[i] == nil && a.Type != command.JSON {
			return fail("the argument %s is not given", a.Name)
		}
	}
	if raw.Error != "" {
		if raw.Expect != nil || !slices.ContainsFunc(errs.Table, func(e errs.Info) bool { return e.Name == raw.Error }) {
			return fail("expect_error names a code and stands alone")
		}
	}
	if raw.Expect != nil {
		s.Checked = true
		return strict(raw.Expect, &s.Expect)
	}
	return nil
}

// byHand are families whose commands each host's own tests name one by one, and
// which need no file here.
var byHand = []string{"queue", "stream", "pubsub"}

// Missing lists the commands that no step calls, and the optional arguments that
// no step gives.
func Missing(list []*File) (commands, arguments []string) {
	called, given := map[string]bool{}, map[string]bool{}
	have := map[string]bool{}
	for _, f := range list {
		have[f.Family] = true
		for _, g := range f.Groups {
			for _, s := range g.Steps {
				called[s.Command] = true
				for i, a := range s.Entry().Args {
					if s.Args[i] != nil {
						given[s.Command+"."+a.Name] = true
					}
				}
			}
		}
	}
	for _, f := range command.Families {
		if slices.Contains(byHand, f.Name) && !have[f.Name] {
			continue
		}
		for i := range f.Commands {
			c := &f.Commands[i]
			if c.Reply.Kind == command.ReplyStream {
				continue
			}
			if !called[c.Name] {
				commands = append(commands, c.Name)
				continue
			}
			for _, a := range c.Args {
				if !a.Required && !given[c.Name+"."+a.Name] {
					arguments = append(arguments, c.Name+": "+a.Name)
				}
			}
		}
	}
	return commands, arguments
}

// Resolve puts saved results where {"$saved": "name.field"} stands.
func Resolve(v any, saved map[string]any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = Resolve(v[i], saved)
		}
		return out
	case map[string]any:
		if path, ok := marker(v, "$saved").(string); ok {
			name, field, deep := strings.Cut(path, ".")
			at := saved[name]
			if deep {
				record, _ := at.(map[string]any)
				at = record[field]
			}
			return at
		}
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = Resolve(v[k], saved)
		}
		return out
	}
	return v
}

// marker returns what follows a marker, nil if v is none of that name.
func marker(v any, name string) any {
	m, _ := v.(map[string]any)
	if len(m) == 0 || len(m) > 1 && name != "$subset" {
		return nil
	}
	return m[name]
}
