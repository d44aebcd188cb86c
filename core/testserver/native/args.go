package native

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

// kind is how a parameter is read.
type kind uint8

const (
	text     kind = iota // UTF-8 text
	blob                 // text or bytes
	integer              // an integer of the int64 range
	unsigned             // one that is not negative; SynapRPC takes a negative one for a huge one
	bounded              // one that is not negative on either wire
	number               // a float
	names                // all that follow: texts
	blobs                // all that follow: texts or bytes
	counted              // what the command reads itself, or nobody
)

// param is one parameter of a command.
type param struct {
	kind  kind
	field string // the field of the engine's payload
	// complaint is what RESP3 says of a bad one, if not what it says as a rule.
	complaint string
}

var (
	key    = param{kind: text, field: "key"}
	keys   = param{kind: names, field: "keys"}
	val    = param{kind: blob, field: "value"}
	field  = param{kind: text, field: "field"}
	member = param{kind: blob, field: "member"}
)

// notInteger is what RESP3 says of most bad integers.
const notInteger = "value is not an integer"

// arity is the complaint about the number of arguments.
func (c *call) arity() string { return c.arityOf(c.name) }

func (c *call) arityOf(name string) string {
	if c.wire == RPC {
		return "ERR wrong number of arguments for '" + name + "'"
	}
	return "wrong number of arguments for '" + name + "' command"
}

// complain notes what is wrong, in the words of both wires.
func (c *call) complain(rpc, resp string) {
	if c.wrong == "" && c.wire == RPC {
		c.wrong = "ERR " + rpc
	} else if c.wrong == "" {
		c.wrong = resp
	}
}

// fail is complain for words that both wires share.
func (c *call) fail(what string) (Result, string) {
	c.complain(what, what)
	return Result{}, c.wrong
}

// read reads the arguments from i on into the payload, as params says.
func (c *call) read(i int, params []param) {
	for ; len(params) > 0 && c.wrong == ""; i, params = i+1, params[1:] {
		p := &params[0]
		switch p.kind {
		case text:
			c.set(p.field, value.Str(c.text(i, p.field)))
		case blob:
			c.set(p.field, value.BytesOf(c.blob(i)))
		case integer:
			c.set(p.field, value.Int(c.int(i, p.complaint)))
		case unsigned:
			c.set(p.field, value.Uint(c.unsigned(i, p.complaint)))
		case bounded:
			c.set(p.field, value.Int(c.bounded(i, p)))
		case number:
			c.set(p.field, value.Float(c.float(i, p.complaint)))
		case names:
			c.set(p.field, value.Array(c.names(i, p.field)...))
		case blobs:
			c.set(p.field, value.Array(c.blobs(i)...))
		}
	}
}

// arg returns argument i, and complains if there is none.
func (c *call) arg(i int) (value.Value, bool) {
	if i >= len(c.args) {
		c.complain("missing argument "+strconv.Itoa(i), c.arity())
		return value.Nil, false
	}
	return c.args[i], true
}

// about begins what SynapRPC says of argument i.
func about(i int) string { return "argument " + strconv.Itoa(i) }

// text reads argument i, which RESP3 calls what, as text.
func (c *call) text(i int, what string) string {
	v, ok := c.arg(i)
	if !ok {
		return ""
	}
	s, ok := v.AsBlob()
	switch {
	case !ok:
		c.complain(about(i)+" must be a string", what+" must be a string")
	case !utf8.ValidString(s):
		c.complain(about(i)+" is not valid UTF-8", what+" must be a string")
	}
	return s
}

// blob reads argument i as bytes.
func (c *call) blob(i int) string {
	v, ok := c.arg(i)
	if !ok {
		return ""
	}
	s, ok := v.AsBlob()
	if !ok {
		c.complain(about(i)+" must be bytes", "value required")
	}
	return s
}

// int reads argument i as an integer. SynapRPC takes a text of one too.
func (c *call) int(i int, complaint string) int64 {
	v, ok := c.arg(i)
	if !ok {
		return 0
	}
	if complaint == "" {
		complaint = notInteger
	}
	if n, ok := v.AsInt(); ok && c.wire == RPC {
		return n
	}
	s, ok := v.AsStr()
	if !ok {
		c.complain(about(i)+" must be an integer", complaint)
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		c.complain(about(i)+" is not an integer", complaint)
	}
	return n
}

// unsigned reads argument i as an integer that is not negative. SynapRPC makes a
// huge one of a negative one.
func (c *call) unsigned(i int, complaint string) uint64 {
	if c.wire == RPC {
		return uint64(c.int(i, ""))
	}
	s, _ := c.textAt(i)
	n, ok := parseUnsigned(s)
	if !ok {
		c.complain("", or(complaint, notInteger))
	}
	return n
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// bounded reads argument i as an integer that is not negative. SynapRPC would end
// the server on a negative one (protocol: synaprpc quirk 1).
func (c *call) bounded(i int, p *param) int64 {
	n := c.int(i, p.complaint)
	if n < 0 && c.wire == RESP {
		c.complain("", or(p.complaint, notInteger))
	} else if n < 0 && c.wrong == "" {
		c.wrong = "Invalid value: " + p.field + " is out of range"
	}
	return n
}

// float reads argument i as a number. SynapRPC takes a text of one too.
func (c *call) float(i int, complaint string) float64 {
	v, ok := c.arg(i)
	if !ok {
		return 0
	}
	if f, ok := v.AsFloat(); ok && c.wire == RPC {
		return f
	}
	s, ok := v.AsStr()
	if !ok {
		c.complain(about(i)+" must be a float", complaint)
		return 0
	}
	f, ok := parseFloat(s)
	if !ok {
		c.complain(about(i)+" is not a float", complaint)
	}
	return f
}

// names reads the arguments from i on as texts. SynapRPC skips what is no text,
// bytes included; RESP3 complains.
func (c *call) names(i int, what string) []value.Value {
	list := make([]value.Value, 0, max(len(c.args)-i, 0))
	for ; i < len(c.args); i++ {
		if _, ok := c.args[i].AsStr(); ok {
			list = append(list, c.args[i])
		} else if c.wire == RESP {
			c.complain("", strings.TrimSuffix(what, "s")+" must be a string")
		}
	}
	return list
}

// blobs reads the arguments from i on as bytes. SynapRPC skips what is none.
func (c *call) blobs(i int) []value.Value {
	list := make([]value.Value, 0, max(len(c.args)-i, 0))
	for ; i < len(c.args); i++ {
		if s, ok := c.args[i].AsBlob(); ok {
			list = append(list, value.BytesOf(s))
		} else if c.wire == RESP {
			c.complain("", "value required")
		}
	}
	return list
}

// textAt returns argument i if there is one that is text.
func (c *call) textAt(i int) (string, bool) {
	if i >= len(c.args) {
		return "", false
	}
	return c.args[i].AsStr()
}

// wordAt returns argument i in capitals if it is text: options are words.
func (c *call) wordAt(i int) string {
	s, _ := c.textAt(i)
	return Upper(s)
}

// intAt returns argument i if it is an integer by its type: SynapRPC ignores the
// text of one where the argument is optional.
func (c *call) intAt(i int) (int64, bool) {
	if i >= len(c.args) {
		return 0, false
	}
	return c.args[i].AsInt()
}

// option returns what follows a word of RESP3, from argument i on, as a number that
// is not negative. What is no number counts as not said.
func (c *call) option(i int, word string) (uint64, bool) {
	for ; i+1 < len(c.args); i++ {
		if c.wordAt(i) == word {
			s, _ := c.textAt(i + 1)
			return parseUnsigned(s)
		}
	}
	return 0, false
}

func parseUnsigned(s string) (uint64, bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "+"), 10, 64)
	return n, err == nil
}

// parseFloat reads a number as the server does: decimal, inf or nan.
func parseFloat(s string) (float64, bool) {
	if strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}
