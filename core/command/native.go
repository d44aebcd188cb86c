package command

import "strings"

// Token is one part of what follows a native command's name.
type Token struct {
	Literal string // sent as it is; "" for an argument
	Flag    bool   // Literal is sent only if the argument, a flag, is on
	Arg     int    // index of the argument
	Conv    Conv
	List    bool // one argument per element; of pairs two
	Count   bool // how many elements the argument has
	// Group is the index of the argument that must be given for the token to be
	// sent, -1 if it always is.
	Group int
	// Filler stands in for an absent optional argument that a later one follows.
	Filler string
}

// Conv is what happens to an argument on its way to a native wire.
type Conv uint8

// The conversions.
const (
	Plain    Conv = iota // by its type
	JSONText             // its JSON text
	TextOnly             // itself, if it is text
	LatLon               // places, latitude first
	LonLat               // places, longitude first
)

// Form is a Native that was read.
type Form struct {
	Name   string
	Tokens []Token
	Kind   string   // how the reply becomes the result
	Extras []string // what the envelope's reply has besides
}

// Takes reports whether the form sends the argument.
func (f *Form) Takes(arg int) bool {
	for _, t := range f.Tokens {
		if (t.Literal == "" || t.Flag) && t.Arg == arg {
			return true
		}
	}
	return false
}

// forms holds what the forms of all entries say.
var forms = func() map[*Native]*Form {
	m := map[*Native]*Form{}
	for _, f := range Families {
		for i := range f.Commands {
			c := &f.Commands[i]
			for _, n := range []*Native{c.RPC, c.RESP3} {
				if n != nil {
					m[n] = c.read(n)
				}
			}
		}
	}
	return m
}()

// FormOf returns the form that n spells.
func FormOf(n *Native) *Form { return forms[n] }

// read turns the text of a form into tokens.
func (c *Command) read(n *Native) *Form {
	reply := strings.Fields(n.Reply)
	f := &Form{Name: n.Name, Kind: reply[0], Extras: reply[1:]}
	group := -1
	words := strings.Fields(n.Args)
	for i, w := range words {
		if strings.HasPrefix(w, "[") {
			w = w[1:]
			group = c.argument(words[i:])
		}
		end := strings.HasSuffix(w, "]")
		t := c.token(strings.TrimSuffix(w, "]"))
		t.Group = group
		f.Tokens = append(f.Tokens, t)
		if end {
			group = -1
		}
	}
	return f
}

func (c *Command) token(w string) Token {
	if strings.HasPrefix(w, `"`) {
		return Token{Literal: strings.Trim(w, `"`)}
	}
	if flag, word, ok := strings.Cut(w, "?"); ok {
		return Token{Literal: strings.Trim(word, `"`), Flag: true, Arg: c.argument([]string{flag})}
	}
	w, filler, _ := strings.Cut(w, "=")
	name, conv, _ := strings.Cut(w, ":")
	name, count := strings.CutPrefix(name, "#")
	t := Token{Filler: filler, List: strings.HasSuffix(name, "..."), Count: count}
	switch conv {
	case "json":
		t.Conv = JSONText
	case "text":
		t.Conv = TextOnly
	case "latlon":
		t.Conv = LatLon
	case "lonlat":
		t.Conv = LonLat
	}
	t.Arg = c.argument([]string{name})
	return t
}

// argument returns the index of the first argument that the words name.
func (c *Command) argument(words []string) int {
	for _, w := range words {
		w = strings.TrimSuffix(strings.Trim(w, "[]"), "...")
		w, _, _ = strings.Cut(w, "=")
		w, _, _ = strings.Cut(w, ":")
		for i := range c.Args {
			if c.Args[i].Name == w {
				return i
			}
		}
	}
	panic("command: the form of " + c.Name + " names no argument in " + strings.Join(words, " "))
}

// Entries returns the entries that run the server's command, in table order.
func Entries(serverName string) []*Command { return byServerName[serverName] }

var byServerName = func() map[string][]*Command {
	m := map[string][]*Command{}
	for _, f := range Families {
		for i := range f.Commands {
			c := &f.Commands[i]
			for _, name := range c.ServerNames() {
				m[name] = append(m[name], c)
			}
		}
	}
	return m
}()
