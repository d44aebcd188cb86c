package runner

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// RESP3, read and written by the runner itself, so that the codec of the project
// is part of what is tested.

// respKinds are the prefixes of what a server may send and their names in the
// vectors. Others are errors (protocol: resp3 1 "Reply types used").
var respKinds = map[byte]string{
	'+': "simple", '-': "error", ':': "int", '$': "bulk", '*': "array", '_': "null",
	'%': "map", ',': "double", '#': "bool", '>': "push",
}

// errIncomplete says that a reply has not come as a whole.
var errIncomplete = errors.New("the reply breaks off")

// respSize returns how long the first reply in buf is, 0 if that cannot be told yet.
func respSize(buf []byte) (int, error) {
	_, rest, err := respValue(buf)
	if err == errIncomplete {
		return 0, nil
	}
	return len(buf) - len(rest), err
}

// respReply reads a whole reply.
func respReply(reply []byte) (any, error) {
	v, rest, err := respValue(reply)
	if err == nil && len(rest) > 0 {
		err = errors.New("something stands after the reply")
	}
	return v, err
}

// respValue reads a value at the start of buf, in the form that a server writes.
func respValue(buf []byte) (v any, rest []byte, err error) {
	end := bytes.Index(buf, []byte("\r\n"))
	if end < 0 {
		return nil, nil, errIncomplete
	}
	if end == 0 {
		return nil, nil, errors.New("an empty line")
	}
	line, rest := string(buf[1:end]), buf[end+2:]
	kind, known := respKinds[buf[0]]
	if !known {
		return nil, nil, fmt.Errorf("unknown prefix %q", buf[0])
	}
	switch kind {
	case "simple", "error":
		return one(kind, textOrBlob(line)), rest, nil
	case "null":
		return one(kind, true), rest, must(line == "")
	case "bool":
		return one(kind, line == "t"), rest, must(line == "t" || line == "f")
	case "double":
		f, err := strconv.ParseFloat(line, 64)
		return one(kind, floatNotation(f)), rest, err
	}
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != line {
		return nil, nil, fmt.Errorf("the number %q", line)
	}
	switch {
	case kind == "int":
		return one(kind, intNotation(n)), rest, nil
	case n < 0 || n > rpcMaxBody:
		return nil, nil, fmt.Errorf("the length %d", n)
	case kind == "bulk":
		if int64(len(rest)) < n+2 {
			return nil, nil, errIncomplete
		}
		text := string(rest[:n])
		return one(kind, textOrBlob(text)), rest[n+2:], must(string(rest[n:n+2]) == "\r\n")
	}
	items := []any{}
	for range n {
		item, after, err := respValue(rest)
		if err != nil {
			return nil, nil, err
		}
		if kind == "map" {
			var member any
			if member, after, err = respValue(after); err != nil {
				return nil, nil, err
			}
			item = []any{item, member}
		}
		items, rest = append(items, item), after
	}
	return one(kind, items), rest, nil
}

func textOrBlob(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return blob(s)
}

// respRequest writes a list of arguments.
func respRequest(request any) ([]byte, error) {
	args, ok := request.([]any)
	if !ok || len(args) == 0 {
		return nil, fmt.Errorf("no command: %s", clip(writeJSON(request)))
	}
	out := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		text, ok := respArg(a)
		if !ok {
			return nil, fmt.Errorf("no argument: %s", clip(writeJSON(a)))
		}
		out = fmt.Appendf(out, "$%d\r\n%s\r\n", len(text), text)
	}
	return out, nil
}

func respArg(v any) (string, bool) {
	if s, ok := v.(string); ok {
		return s, true
	}
	return unblob(v)
}

func respIsPush(reply any) bool {
	kind, _, _ := only(reply)
	return kind == "push"
}

// respUntyped turns a recorded reply into what is left of it in a client, where
// simple and bulk strings are both text: numbers, texts, {"hex":…} for other
// bytes, lists, {"map":[pairs]}, null, and {"error":text} for a whole reply.
// Matchers stay where they are.
func respUntyped(v any) any {
	if list, ok := v.([]any); ok {
		out := make([]any, len(list))
		for i := range list {
			out[i] = respUntyped(list[i])
		}
		return out
	}
	name, arg, _ := only(v)
	switch name {
	case "simple", "bulk", "int", "double", "bool":
		return arg
	case "null":
		return nil
	case "array":
		return respUntyped(arg)
	case "map", "$unordered", "$unordered_pairs", "$contains":
		return one(name, respUntyped(arg))
	}
	return v
}
