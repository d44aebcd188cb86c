// Package command is THE COMMAND TABLE: every command of libsynap, once. An
// entry says what a command is called, what it takes and returns, whether it may
// be repeated, and what it looks like on each wire. All per-command code of all
// hosts is generated from it; nothing else knows a command by name.
//
// One file holds one family. To add a command, add an entry and its behaviour in
// core/engine, then run `make generate`.
package command

import (
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// Type is the type of an argument or of a field of a reply.
type Type uint8

// The types. A host's own type for each stands in its generator template.
const (
	String      Type = iota + 1 // text, valid UTF-8: keys, names
	Blob                        // text or bytes: a KV value
	Bytes                       // bytes: a queue payload
	JSON                        // any JSON value
	Int                         // int64
	Uint                        // int64, not negative
	Float                       // float64
	Bool                        // boolean
	StringList                  // list of texts
	Pairs                       // list of (text key, Blob value)
	StringMap                   // map from text to text
	StringOrNil                 // text or nothing (fields only)
	BlobOrNil                   // text, bytes or nothing (fields only)
	IntOrNil                    // int64 or nothing (fields only)
	BlobList                    // list of: text or bytes
	FloatList                   // list of float64
	Places                      // list of (float64 latitude, float64 longitude, Blob member)
	FloatOrNil                  // float64 or nothing (fields only)
)

// Arg is one argument.
type Arg struct {
	Name string
	Doc  string
	// Default is what an absent optional argument means, as text for docs and
	// signatures: "" none, else a literal ("0", "true").
	Default string
	// Unit is the unit of a number, for docs: "seconds", "bytes".
	Unit string
	// Field is the member of the envelope payload that carries the argument,
	// Name if "". A dot nests: "config.max_depth"; brackets put it into a list:
	// "from_lonlat[1]". "-" sends nothing.
	Field string
	// Alias is another member that the envelope takes for it.
	Alias string
	// Without names an argument that cannot be given together with this one, With a
	// flag without which this one cannot be given.
	Without, With string
	// Min and Max bound a number; both 0 means unbounded.
	Min, Max int64
	// Zero is what a 0 is sent as, if not 0.
	Zero int64
	// OneOf are the words that a text may be; nil: any text.
	OneOf []string
	// Check returns what is wrong with a value beyond its type, "" if nothing. On
	// native wires raw commands pass it too, where the server does not look.
	Check func(value.Value) string

	// What is small stands together: there are hundreds of arguments.

	Type     Type
	Required bool
	// NonEmpty refuses "" and empty lists.
	NonEmpty bool
	// Encoded says that a JSON argument travels as its JSON text, and bytes in a list
	// as arrays of numbers.
	Encoded bool
	// Stored says that the argument is what hashes, lists and sets hold. The
	// envelope stores the JSON text of it ("x" with its quotes); all other wires
	// are given that text, so that one store reads the same on each. Bytes that are
	// not UTF-8 have none and go as they are.
	Stored bool
	// Loose says that the envelope takes a list of any JSON, whose texts it makes
	// itself, and none for an empty one.
	Loose bool
	// Object says that pairs travel as an object in the envelope.
	Object bool
	// Choice says that the envelope may have other members in its place: without it
	// a raw command is of another entry.
	Choice bool
	// Sent says that an absent argument is sent with its default.
	Sent bool
}

// Plain reports whether the argument, if it is given, stands in the payload as it
// is, under its own name: as nearly all do.
func (a *Arg) Plain() bool {
	switch a.Type {
	case String, Blob, Float, Bool, StringList, StringMap:
		return a.Field == "" && !a.Sent && !a.Encoded
	case Int, Uint:
		return a.Field == "" && !a.Sent && a.Zero == 0
	}
	return false
}

// Wire returns the payload member that carries the argument.
func (a *Arg) Wire() string {
	if a.Field == "" {
		return a.Name
	}
	return a.Field
}

// ReplyKind is the shape of what a command returns.
type ReplyKind uint8

// The shapes.
const (
	ReplyNothing      ReplyKind = iota // done, or an error
	ReplyBool                          // boolean
	ReplyInt                           // int64
	ReplyIntOrNil                      // int64 or nothing
	ReplyString                        // text
	ReplyBlobOrNil                     // text if valid UTF-8, else bytes; nothing if missing
	ReplyBytesOrNil                    // bytes; nothing if missing
	ReplyJSONOrNil                     // the JSON value that the stored text spells; nothing if missing
	ReplyStrings                       // list of text
	ReplyBlobs                         // list of: text, bytes or nothing
	ReplyRecord                        // one record
	ReplyRecordOrNil                   // one record or nothing
	ReplyRecords                       // list of records
	ReplyStream                        // a subscription that delivers records
	ReplyFloat                         // float64
	ReplyMap                           // map from text to: text or bytes
	ReplyBools                         // list of boolean
	ReplyJSON                          // a JSON value, which may be null
	ReplyFloatOrNil                    // float64 or nothing
	ReplyFloats                        // list of: float64 or nothing
	ReplyInts                          // list of int64
	ReplyMaybeRecords                  // list of: one record or nothing
	ReplyValues                        // list of: text or bytes
)

// Reply says what a command returns.
type Reply struct {
	// Field is the member of the envelope's reply payload that holds the result;
	// "" is the payload itself.
	Field  string
	Record *Record
	Doc    string
	// Item is the member of each element of a list that the result lists.
	Item string
	// No is part of an error's text that means false.
	No   string
	Kind ReplyKind
	// Stored says that the values are what hashes, lists and sets hold: any JSON in
	// the envelope, its text elsewhere (see Arg.Stored). Texts come out as they were
	// put in, other JSON as its text, null as nothing.
	Stored bool
	// First says that the result is the first element of a list.
	First bool
	// Absent says that the error NotFound, and a reply without Field, are a result:
	// nothing, false, 0 or the empty list.
	Absent bool
}

// Record is a named group of fields. It crosses boundaries as an array in the
// order of Fields; fields are only ever added at the end.
type Record struct {
	Name   string // CamelCase
	Doc    string
	Fields []Field
}

// Field is one field of a Record.
type Field struct {
	Name string
	Type Type
	Unit string
	Doc  string
	// Path is the member of the wire object, Name if "". A dot descends.
	Path string
	// Encoded says that a JSON field travels as the bytes of its JSON text.
	Encoded bool
}

// Wire returns the member of the wire object that holds the field.
func (f *Field) Wire() string {
	if f.Path == "" {
		return f.Name
	}
	return f.Path
}

// Traits are what the client needs to know of a command's effect.
type Traits struct {
	Mutates    bool // changes state on the server
	Idempotent bool // may be sent again when it is unknown whether it was applied
	Blocking   bool // waits on the server; gets a connection of its own
}

// HTTPShape is how a command is put on HTTP.
type HTTPShape uint8

// The shapes.
const (
	// Envelope is one POST /api/v1/command.
	Envelope HTTPShape = iota
	// REST is the REST route, for commands whose envelope form alters values.
	REST
	// Each is one envelope command per element of the first argument, pipelined.
	Each
	// Script is EVAL of a fixed script.
	Script
	// Push is a push channel, not a request.
	Push
)

// HTTP is the form of a command on HTTP.
type HTTP struct {
	Shape HTTPShape
	// Command is the envelope command: of Envelope, and of each request of Each.
	Command string
	// Method and Path are the REST route; {arg} in Path is replaced by the
	// percent-encoded argument, all other arguments go into the JSON body.
	Method, Path string
	// Script is the Lua text of Script.
	Script string
	// When names optional arguments; a call that gives one of them uses Alt
	// instead (the envelope ignores some options that the REST route honours).
	When []string
	Alt  *HTTP
	// Reply overrides the entry's reply field for this form.
	Field string
	// Check is an extra question that an empty reply leads to.
	Check string
}

// Native is the form of a command on SynapRPC or RESP3 (protocol: native-map).
//
// Args lists what follows the name, between spaces: name (one argument), name...
// (one per element), #name (how many elements), name:json (its JSON text), name:text (itself if it is text),
// "word" (literal), [..] only when the argument in it is given, name=5 with 5 in
// its place when only a later one is given. An optional argument without brackets
// is sent with its default. flag?"WORD" sends the word if the flag is on.
// locations...:latlon and :lonlat send places in the order that the wire has for
// them: latitude first or longitude first.
//
// Reply names how the reply becomes the result: ok, int, int>0, bool, bytes, part
// (bytes, none of them is nothing), string, list, map, ttl, scan, created, unknown,
// matched, message, events, kvstats, push, found (bytes, with or without a member
// found), length (int, the error NotFound is 0), float, json (its text), results
// (list of JSON texts), queued, bools, score (float or nothing),
// scored (members with scores), changed (whether), latlon-hits, lonlat-hits,
// latlon-points and lonlat-points (what geo commands find; the order of coordinates
// is the wire's). What follows it are members that only
// the envelope's reply has: count (of the list), success (true), or a member of the request.
type Native struct {
	Name  string
	Args  string
	Reply string
}

// Command is one entry of the table.
type Command struct {
	Name    string // family.method
	Summary string // one line
	Doc     string // more, may be ""
	Args    []Arg
	Reply   Reply
	Traits  Traits
	// Wire is the server's own name of the command, Name if "": what the engine
	// executes.
	Wire string
	// Also are other names that the server has for it, between spaces.
	Also string
	// Ignored are members of the payload that have no effect, between spaces.
	Ignored string
	// Fixed is a member of the envelope's payload that is always 1.
	Fixed string
	HTTP  HTTP
	RPC   *Native
	RESP3 *Native
	// Errors lists what the command fails with beyond what every call may.
	Errors string
	// Example is the call in Python, for docs.
	Example string
}

// Family returns the part of the name before the dot.
func (c *Command) Family() string { return c.Name[:c.dot()] }

// Method returns the part of the name after the dot.
func (c *Command) Method() string { return c.Name[c.dot()+1:] }

// ServerName returns the server's own name of the command.
func (c *Command) ServerName() string {
	if c.Wire == "" {
		return c.Name
	}
	return c.Wire
}

// Queues reports whether the command puts another one into a transaction.
func (c *Command) Queues() bool {
	return c.Family() == "transaction" && !strings.HasPrefix(c.ServerName(), "transaction.")
}

// ServerNames returns all names that the server has for the command.
func (c *Command) ServerNames() []string {
	return append([]string{c.ServerName()}, strings.Fields(c.Also)...)
}

func (c *Command) dot() int {
	for i := range c.Name {
		if c.Name[i] == '.' {
			return i
		}
	}
	return len(c.Name)
}

// Family is a named group of commands: one namespace of the clients.
type Family struct {
	Name     string
	Doc      string
	Commands []Command
}

// Families lists the whole table in the order of the docs.
var Families = []*Family{&kvFamily, &keyFamily, &hashFamily, &listFamily, &setFamily, &sortedsetFamily,
	&bitmapFamily, &hyperloglogFamily, &geospatialFamily, &queueFamily, &streamFamily, &pubsubFamily,
	&scriptFamily, &transactionFamily}

var byName = func() map[string]*Command {
	m := map[string]*Command{}
	for _, f := range Families {
		for i := range f.Commands {
			m[f.Commands[i].Name] = &f.Commands[i]
		}
	}
	return m
}()

// Lookup returns the entry with the name, or nil.
func Lookup(name string) *Command { return byName[name] }

// Repeatable reports whether the server's command may be sent again when it is
// unknown whether it was applied. Commands outside the table may not.
func Repeatable(serverName string) bool { return serverTraits[serverName].Idempotent }

// ReadOnly reports whether the server's command is known to change nothing.
func ReadOnly(serverName string) bool {
	t, known := serverTraits[serverName]
	return known && !t.Mutates
}

// serverTraits are the traits of the server's own commands: of entries that share
// one (kv.get and kv.get_bytes) the more careful.
var serverTraits = func() map[string]Traits {
	m := map[string]Traits{}
	for _, f := range Families {
		for i := range f.Commands {
			c := &f.Commands[i]
			if c.Reply.Kind == ReplyStream || c.Queues() {
				continue
			}
			for _, name := range c.ServerNames() {
				t := c.Traits
				if was, ok := m[name]; ok {
					t.Idempotent = t.Idempotent && was.Idempotent
					t.Mutates = t.Mutates || was.Mutates
				}
				m[name] = t
			}
		}
	}
	return m
}()
