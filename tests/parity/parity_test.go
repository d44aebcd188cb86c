// Package parity compares the surface of every binding with the command table:
// each command has its method in each host, and each host's own test calls it.
package parity

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/command"
)

// host is one binding: where its methods are declared, where they are called,
// and how a command is spelled in both.
type host struct {
	name           string
	declared, call string // files, from the top folder; * stands for a family
	declaration    func(c *command.Command) string
	called         func(c *command.Command) string
}

// byHand are the families whose commands api.c and api.cpp call; tests/c/calls_gen.*
// calls all others. api.cpp names its variables like the families, so that one
// family's get does not stand for another's.
var byHand = []string{"kv", "queue", "stream", "pubsub"}

var hosts = []host{
	{"C", "include/synap/*_gen.h", "tests/c/api.c",
		func(c *command.Command) string { return `int32_t synap_` + flat(c) + `\(synap_client` },
		func(c *command.Command) string { return `\bsynap_` + flat(c) + `\(client, ` }},
	{"C++", "include/synap/*_gen.hpp", "tests/c/api.cpp",
		func(c *command.Command) string {
			return `(?s)class Basic(?i:` + c.Family() + `) \{([^}]|\}[^;])*> ` + cppMethod(c) + `\(`
		},
		func(c *command.Command) string { return `\b` + c.Family() + `\.` + cppMethod(c) + `\(` }},
}

func flat(c *command.Command) string { return strings.ReplaceAll(c.Name, ".", "_") }

func cppMethod(c *command.Command) string {
	switch c.Method() { // words of the language
	case "delete":
		return "del"
	case "union":
		return "union_"
	}
	return c.Method()
}

func TestEveryCommandInEveryHost(t *testing.T) {
	for _, h := range hosts {
		t.Run(h.name, func(t *testing.T) {
			called := read(t, h.call)
			n := 0
			for _, f := range command.Families {
				file := strings.Replace(h.declared, "*", f.Name, 1)
				declared := read(t, file)
				for i := range f.Commands {
					c := &f.Commands[i]
					n++
					if !regexp.MustCompile(h.declaration(c)).MatchString(declared) {
						t.Errorf("%s has no method for %s", file, c.Name)
					}
					if slices.Contains(byHand, f.Name) && !regexp.MustCompile(h.called(c)).MatchString(called) {
						t.Errorf("%s never calls %s", h.call, c.Name)
					}
				}
			}
			t.Logf("%d commands", n)
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
