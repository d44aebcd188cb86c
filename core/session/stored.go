package session

import (
	"strings"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// What hashes, lists and sets hold is the JSON text of a value (protocol: http-data
// 1), which the server makes of the JSON in an envelope and turns back. The other
// wires give and take the text as it is: there both are done here, so that a value
// written on one wire is the same on all.

// storedText is the text under which a value is stored. Bytes that are no text
// have none: they are stored as they are.
func storedText(v value.Value) value.Value {
	if s, ok := v.AsBlob(); ok {
		if !utf8.ValidString(s) {
			return value.BytesOf(s)
		}
		v = value.Str(s)
	}
	text, err := value.AppendSortedJSON(nil, v)
	if err != nil { // Validate has refused what JSON cannot carry
		return value.Nil
	}
	return value.Str(string(text))
}

// storedArgs gives the arguments of a call the form in which they are stored.
func storedArgs(cmd *command.Command, args []value.Value) []value.Value {
	out := args
	for i := range cmd.Args {
		a := &cmd.Args[i]
		if !a.Stored || (args[i].IsNil() && a.Type != command.JSON) {
			continue
		}
		if &out[0] == &args[0] {
			out = append([]value.Value(nil), args...)
		}
		switch a.Type {
		case command.BlobList:
			list := make([]value.Value, args[i].Len())
			for j := range list {
				list[j] = storedText(args[i].Index(j))
			}
			out[i] = value.Array(list...)
		case command.Pairs:
			list := make([]value.Value, args[i].Len())
			for j := range list {
				list[j] = value.Array(args[i].Index(j).Index(0), storedText(args[i].Index(j).Index(1)))
			}
			out[i] = value.Array(list...)
		default:
			out[i] = storedText(args[i])
		}
	}
	return out
}

// parseStored is the JSON value that a stored text spells, the text itself if it
// spells none.
func parseStored(v value.Value) value.Value {
	s, ok := v.AsBlob()
	if !ok {
		return v
	}
	if parsed, err := value.ParseJSON(s); err == nil {
		return parsed
	}
	return value.Str(strings.ToValidUTF8(s, "\uFFFD"))
}

// envelopeStored does to a native reply what the server does to its envelope.
func envelopeStored(v value.Value) value.Value {
	switch v.Kind() {
	case value.KindArray:
		list := make([]value.Value, v.Len())
		for i := range list {
			list[i] = parseStored(v.Index(i))
		}
		return value.Array(list...)
	case value.KindMap:
		pairs := make([]value.Value, 0, 2*v.Len())
		for i := range v.Len() {
			k, e := v.Pair(i)
			pairs = append(pairs, k, parseStored(e))
		}
		return value.Map(pairs...)
	}
	return parseStored(v)
}

// unstored is the text or the bytes that were stored: asText says that v is the
// stored text, not the JSON value that it spells.
func unstored(v value.Value, asText bool) value.Value {
	if v.IsNil() {
		return v
	}
	if asText {
		s, ok := v.AsBlob()
		if !ok || (s != "null" && !strings.HasPrefix(s, `"`)) {
			return v
		}
		parsed, err := value.ParseJSON(s)
		if err != nil { // another client's, which did not store JSON
			return v
		}
		return parsed
	}
	if v.Kind() == value.KindStr {
		return v
	}
	text, err := value.AppendSortedJSON(nil, v)
	if err != nil {
		return v
	}
	return value.Str(string(text))
}

// nothingFound is the result of a command that found nothing.
func nothingFound(cmd *command.Command) value.Value {
	switch cmd.Reply.Kind {
	case command.ReplyBool:
		return value.Bool(false)
	case command.ReplyInt:
		return value.Int(0)
	case command.ReplyBlobs, command.ReplyValues, command.ReplyStrings, command.ReplyRecords, command.ReplyBools:
		return value.Array()
	case command.ReplyMap:
		return value.Map()
	}
	return value.Nil
}

// isResult looks for the errors that are results, and reports whether err is one.
func (c *Call) isResult(err *errs.Error) bool {
	reply := &c.entryReply().Reply
	no := reply.No != "" && strings.Contains(err.Message, reply.No)
	switch {
	case len(c.steps) != 1 || c.asked:
		return false
	case c.cmd != nil && reply.Absent && err.Code == errs.NotFound:
		c.result = nothingFound(c.cmd)
	case c.cmd != nil && no:
		c.result = value.Bool(false)
	case c.cmd == nil && c.wire.Native() && no:
		c.result = value.Map(value.Str(reply.Field), value.Bool(false))
	default:
		return false
	}
	c.done = true
	return true
}

var noEntry command.Command

// entryReply is the entry that says how the reply reads.
func (c *Call) entryReply() *command.Command {
	switch {
	case c.cmd != nil:
		return c.cmd
	case c.entry != nil:
		return c.entry
	}
	return &noEntry
}

// repeatable reports whether a raw command may be sent again. One that waits in a
// transaction would be carried out twice.
func repeatable(name string, payload value.Value) bool {
	return command.Repeatable(name) && payload.Field("client_id").IsNil()
}
