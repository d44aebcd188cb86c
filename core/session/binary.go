package session

import (
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// resolvePlaceholders looks for replies in which the server put the text
// "<binary data: N bytes>" in place of a value that is not UTF-8, and fetches
// the values themselves as byte arrays (kv.get with type bytes), one after the
// other. A stored text that merely looks like a placeholder comes out of the
// same question as itself. It reports whether a question is under way.
func (c *Call) resolvePlaceholders() bool {
	switch c.cmd.Reply.Kind {
	case command.ReplyBlobOrNil, command.ReplyBytesOrNil, command.ReplyJSONOrNil, command.ReplyBlobs:
	default:
		return false
	}
	if c.asked { // the replies now are the true bytes
		c.mergeBytes()
		return false
	}
	var at []int
	for i, r := range c.replies {
		if s, ok := r.AsStr(); ok {
			if _, looks := placeholder(s); looks {
				at = append(at, i)
			}
		}
	}
	if len(at) == 0 {
		return false
	}
	if c.cmd.Traits.Mutates { // the old value of getset is gone from the server
		s, _ := c.replies[0].AsStr()
		c.fail(&errs.Error{Code: errs.BinaryValue, MaybeApplied: true,
			Message: "the old value was not text and HTTP cannot carry it (the server answered " + s + "); the new value is set. Use synap:// for binary values"})
		return true
	}
	c.asked = true
	c.pending = at
	c.first = append([]value.Value(nil), c.replies...)
	steps := make([]Step, len(at))
	for i, n := range at {
		key := c.args[0]
		if c.cmd.Reply.Kind == command.ReplyBlobs {
			key = key.Index(n)
		}
		steps[i] = Step{Command: "kv.get", Payload: value.Map(value.Str("key"), key, value.Str("type"), value.Str("bytes")), Idempotent: true}
	}
	c.steps, c.replies, c.answered, c.wakeAt = steps, nil, 0, 0
	return true
}

// mergeBytes puts the fetched bytes in the places of the placeholders. A part of
// a value (getrange) is cut from the whole here.
func (c *Call) mergeBytes() {
	merged := c.first
	for i, n := range c.pending {
		v := c.replies[i]
		s, ok := v.AsByteArray()
		if ok && c.cmd.Name == "kv.getrange" {
			start, _ := c.args[1].AsInt()
			end, _ := c.args[2].AsInt()
			s = cut(s, start, end)
			if s == "" { // the value has become shorter since the first question
				ok, v = false, value.Nil
			}
		}
		if ok {
			v = value.BytesOf(s)
		}
		merged[n] = v
	}
	c.replies = merged
}

// cut returns the bytes from start to end, both counted as GETRANGE does
// (protocol: http-data 2, "Ranges").
func cut(s string, start, end int64) string {
	n := int64(len(s))
	if start < 0 {
		start = max(n+start, 0)
	} else {
		start = min(start, n)
	}
	if end < 0 {
		end = max(n+end+1, 0)
	} else {
		end = min(end, n-1) + 1
	}
	if start >= end {
		return ""
	}
	return s[start:end]
}
