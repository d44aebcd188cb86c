// Package native is the catalogue of the commands that the native wires have
// (protocol: synaprpc 7, resp3 4). Both wires run the same commands of the engine;
// what differs is how arguments are read, how they are complained about, and in a
// few commands the reply. It does no I/O: connections are the test server's.
package native

import (
	"strings"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// Wire is one of the native wires, or both.
type Wire uint8

// The wires.
const (
	RPC Wire = 1 << iota
	RESP
	both = RPC | RESP
)

// Result is a reply. A wire writes its value in its own types.
type Result struct {
	Value value.Value
	// Status says that the value is a short text that RESP3 writes as one.
	Status bool
	// Maps says that RESP3 writes maps as such, and not as flat lists.
	Maps bool
}

// Session is the connection that a command came from.
type Session interface {
	// Subscribe delivers what is published to topics to the connection from now
	// on, without the values of keys if they are told to be kept back. It returns
	// the subscriber's id, or an error text.
	Subscribe(topics []string, withoutValues bool) (id, errText string)
}

// Commands runs native commands on an engine.
type Commands struct {
	engine  *engine.Engine
	now     func() int64
	waiting waiting
}

// New returns the commands of an engine. now is its clock, in Unix nanoseconds.
func New(e *engine.Engine, now func() int64) *Commands {
	return &Commands{engine: e, now: now}
}

// command is one entry of the catalogue.
type command struct {
	wires  Wire // zero for both
	params []param
	// alone says that RESP3 refuses more arguments than params has.
	alone bool
	// name is the engine's command and reply what is made of its answer; run does
	// instead what is not so simple.
	name  string
	reply func(c *call, answer value.Value) Result
	run   func(c *call) (Result, string)
}

// family is the commands of one kind of data.
type family map[string]command

var catalogue = join(
	kvCommands, bitCommands, hashCommands, listCommands, blockingCommands, scanCommands,
	setCommands, sortedSetCommands, hyperLogLogCommands, geoCommands,
	queueCommands, streamCommands, xCommands, pubsubCommands, scriptCommands, transactionCommands)

func join(families ...family) family {
	all := family{}
	for _, f := range families {
		for name, cmd := range f {
			if cmd.wires == 0 {
				cmd.wires = both
			}
			all[name] = cmd
		}
	}
	return all
}

// call is one command under way.
type call struct {
	*Commands
	session Session
	wire    Wire
	name    string
	args    []value.Value
	fields  []value.Value // of the engine's payload, by name
	wrong   string        // what is wrong with an argument; the first finding counts
	wait    *Wait
}

// Run runs one command. The error text is "" for success, else that of the wire
// (on RESP3 without the leading ERR). If the command must wait for something, the
// result comes from the Wait.
func (s *Commands) Run(w Wire, session Session, name string, args []value.Value) (Result, string, *Wait) {
	upper := Upper(name)
	cmd, ok := catalogue[upper]
	if !ok || cmd.wires&w == 0 {
		return Result{}, unknown(w, name, upper), nil
	}
	c := &call{Commands: s, session: session, wire: w, name: upper, args: args}
	if w == RESP && (len(args) < len(cmd.params) || (cmd.alone && len(args) > len(cmd.params))) {
		return Result{}, c.arity(), nil
	}
	c.read(0, cmd.params)
	if c.wrong != "" {
		return Result{}, c.wrong, nil
	}
	if cmd.run != nil {
		result, errText := cmd.run(c)
		if c.wrong != "" {
			errText = c.wrong
		}
		return result, errText, c.wait
	}
	answer, errText := c.exec(cmd.name)
	if errText != "" {
		return Result{}, errText, nil
	}
	return cmd.reply(c, answer), "", nil
}

// exec runs a command of the engine with the fields read so far.
func (c *call) exec(name string) (value.Value, string) {
	return c.execWith(name, c.fields...)
}

func (c *call) execWith(name string, fields ...value.Value) (value.Value, string) {
	return c.execAs(engine.Raw, name, fields...)
}

func (c *call) execAs(face engine.Face, name string, fields ...value.Value) (value.Value, string) {
	answer, errText := c.engine.Exec(c.now(), face, name, "", value.Map(fields...))
	c.Changed()
	return answer, errText
}

// set adds a field to the payload.
func (c *call) set(field string, v value.Value) {
	c.fields = append(c.fields, value.Str(field), v)
}

// field returns a field of the payload.
func (c *call) field(name string) value.Value { return value.Map(c.fields...).Field(name) }

// longName is from where on names are no longer looked at.
const longName = 32

func unknown(w Wire, name, upper string) string {
	if w == RESP {
		if len(name) > longName || !utf8.ValidString(name) {
			upper = ""
		}
		return "unknown command '" + upper + "'"
	}
	if len(name) > longName {
		upper = name
	}
	return "ERR unknown command '" + upper + "'"
}

// Upper is a name as it is looked up: letters beyond ASCII keep their case.
func Upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// admin are the commands that only administrators may run, whether or not they
// exist (protocol: synaprpc 4).
var admin = map[string]bool{}

func init() {
	for name := range strings.FieldsSeq("FLUSHALL FLUSHDB SWAPDB CONFIG SHUTDOWN DEBUG RESET SAVE BGSAVE BGREWRITEAOF LASTSAVE FAILOVER " +
		"SLAVEOF REPLICAOF ACL MODULE CLUSTER SCRIPT.FLUSH SCRIPT.KILL") {
		admin[name] = true
	}
}

// NeedsAdmin reports whether a command is for administrators.
func NeedsAdmin(name string) bool { return admin[Upper(name)] }
