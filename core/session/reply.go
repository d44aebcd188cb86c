package session

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// decode turns the payload of a reply into the result that the entry promises.
// asText says that stored values come as the text that is stored.
func decode(cmd *command.Command, field string, payload value.Value, asText bool) (value.Value, *errs.Error) {
	r := &cmd.Reply
	if r.Kind == command.ReplyNothing {
		return value.Nil, nil
	}
	if field != "" {
		got, ok := payload.Get(field)
		if !ok && r.Absent {
			return nothingFound(cmd), nil
		}
		if !ok {
			return value.Nil, badReply(cmd, "has no member "+field)
		}
		payload = got
	}
	if r.First && payload.Kind() == value.KindArray {
		payload = payload.Index(0)
	}
	switch r.Kind {
	case command.ReplyBool:
		if payload.Kind() == value.KindBool {
			return payload, nil
		}
		if n, ok := payload.AsInt(); ok { // scripts answer 0 and 1
			return value.Bool(n != 0), nil
		}
	case command.ReplyInt, command.ReplyIntOrNil:
		if _, ok := payload.AsInt(); ok || (payload.IsNil() && r.Kind == command.ReplyIntOrNil) {
			return payload, nil
		}
	case command.ReplyString:
		if _, ok := payload.AsStr(); ok {
			return payload, nil
		}
	case command.ReplyBlobOrNil, command.ReplyBytesOrNil, command.ReplyJSONOrNil:
		return decodeBlob(cmd, payload, asText)
	case command.ReplyStrings:
		return decodeList(cmd, payload, func(v value.Value) (value.Value, *errs.Error) {
			if _, ok := v.AsStr(); !ok {
				return value.Nil, badReply(cmd, "lists something that is not text")
			}
			return v, nil
		})
	case command.ReplyBlobs, command.ReplyValues:
		return decodeList(cmd, payload, func(v value.Value) (value.Value, *errs.Error) {
			if r.Item != "" && v.Kind() == value.KindMap {
				v = v.Field(r.Item)
			}
			got, err := decodeBlob(cmd, v, asText)
			if r.Kind == command.ReplyValues && got.IsNil() {
				got = value.Str("null") // the text of JSON's null, which another client stored
			}
			return got, err
		})
	case command.ReplyMap:
		return decodeMap(cmd, payload, asText)
	case command.ReplyFloat:
		if f, ok := payload.AsFloat(); ok {
			return value.Float(f), nil
		}
		if payload.IsNil() {
			return value.Nil, badReply(cmd, "is null: the result is no finite number, and JSON has no other")
		}
	case command.ReplyFloatOrNil, command.ReplyFloats, command.ReplyInts, command.ReplyMaybeRecords:
		return decodeShapes(cmd, payload)
	case command.ReplyBools:
		return decodeList(cmd, payload, func(v value.Value) (value.Value, *errs.Error) {
			if v.Kind() != value.KindBool {
				return value.Nil, badReply(cmd, "lists something that is no boolean")
			}
			return v, nil
		})
	case command.ReplyJSON:
		return payload, nil
	case command.ReplyRecord:
		return decodeRecord(cmd, payload)
	case command.ReplyRecordOrNil:
		if payload.IsNil() {
			return payload, nil
		}
		return decodeRecord(cmd, payload)
	case command.ReplyRecords:
		return decodeList(cmd, payload, func(v value.Value) (value.Value, *errs.Error) { return decodeRecord(cmd, v) })
	}
	return value.Nil, badReply(cmd, "holds a "+payload.Kind().String()+" where another type is due")
}

func badReply(cmd *command.Command, what string) *errs.Error {
	return &errs.Error{Code: errs.Protocol, Command: cmd.Name, Message: "the reply " + what, MaybeApplied: cmd.Traits.Mutates}
}

func decodeList(cmd *command.Command, v value.Value, element func(value.Value) (value.Value, *errs.Error)) (value.Value, *errs.Error) {
	if v.Kind() != value.KindArray {
		return value.Nil, badReply(cmd, "holds a "+v.Kind().String()+" where a list is due")
	}
	out := make([]value.Value, v.Len())
	for i := range out {
		e, err := element(v.Index(i))
		if err != nil {
			return value.Nil, err
		}
		out[i] = e
	}
	return value.Array(out...), nil
}

// decodeMap gives the stored values of a map their type.
func decodeMap(cmd *command.Command, v value.Value, asText bool) (value.Value, *errs.Error) {
	if v.Kind() != value.KindMap {
		return value.Nil, badReply(cmd, "holds a "+v.Kind().String()+" where a map is due")
	}
	pairs := make([]value.Value, 0, 2*v.Len())
	for i := range v.Len() {
		k, e := v.Pair(i)
		name, _ := k.AsBlob()
		e, err := decodeBlob(cmd, e, asText)
		if err != nil {
			return value.Nil, err
		}
		pairs = append(pairs, value.TextOrBytes(name), e)
	}
	return value.Map(pairs...), nil
}

// decodeBlob gives a stored value the type that the command promises.
func decodeBlob(cmd *command.Command, v value.Value, asText bool) (value.Value, *errs.Error) {
	if cmd.Reply.Stored {
		if cmd.Reply.Kind == command.ReplyJSONOrNil {
			if asText {
				v = parseStored(v)
			}
			return v, nil
		}
		v = unstored(v, asText)
	}
	if v.IsNil() {
		return v, nil
	}
	s, ok := v.AsBlob()
	if !ok {
		if s, ok = v.AsByteArray(); !ok { // kv.get with type bytes
			return value.Nil, badReply(cmd, "holds a "+v.Kind().String()+" where a stored value is due")
		}
	}
	switch cmd.Reply.Kind {
	case command.ReplyBytesOrNil:
		return value.BytesOf(s), nil
	case command.ReplyJSONOrNil:
		parsed, err := value.ParseJSON(s)
		if err != nil {
			return value.Nil, &errs.Error{Code: errs.InvalidArgument, Command: cmd.Name, Message: "the stored value is not JSON (" + err.Error() + "); read it with get or get_bytes"}
		}
		return parsed, nil
	}
	return value.TextOrBytes(s), nil
}

func decodeRecord(cmd *command.Command, v value.Value) (value.Value, *errs.Error) {
	fields := cmd.Reply.Record.Fields
	out := make([]value.Value, len(fields))
	for i := range fields {
		f := &fields[i]
		path := f.Wire()
		if path == "-" {
			out[i] = value.Int(0)
			continue
		}
		got := v
		for path != "" {
			var member string
			member, path, _ = strings.Cut(path, ".")
			got = got.Field(member)
		}
		typed, ok := fieldValue(f, got)
		if !ok {
			return value.Nil, badReply(cmd, "has no usable member "+f.Wire())
		}
		out[i] = typed
	}
	return value.Array(out...), nil
}

// fieldValue gives a member of a wire object the type of its field.
func fieldValue(f *command.Field, v value.Value) (value.Value, bool) {
	switch f.Type {
	case command.String:
		_, ok := v.AsStr()
		return v, ok
	case command.StringOrNil:
		_, ok := v.AsStr()
		return v, ok || v.IsNil()
	case command.Int:
		_, ok := v.AsInt()
		return v, ok
	case command.IntOrNil:
		_, ok := v.AsInt()
		return v, ok || v.IsNil()
	case command.Float:
		f, ok := v.AsFloat()
		return value.Float(f), ok
	case command.FloatOrNil:
		if v.IsNil() {
			return v, true
		}
		f, ok := v.AsFloat()
		return value.Float(f), ok
	case command.Blob:
		s, ok := v.AsBlob()
		return value.TextOrBytes(s), ok
	case command.Bool: // left out where false
		return value.Bool(v.Kind() == value.KindBool && !value.Equal(v, value.Bool(false))), v.IsNil() || v.Kind() == value.KindBool
	case command.Bytes:
		s, ok := bytesOf(v)
		return value.BytesOf(s), ok
	case command.JSON:
		if !f.Encoded {
			return v, true
		}
		text, ok := bytesOf(v)
		if !ok {
			return value.Nil, false
		}
		data, err := value.ParseJSON(text)
		return data, err == nil
	case command.StringMap:
		if v.IsNil() {
			return value.Map(), true
		}
		return v, v.Kind() == value.KindMap
	}
	return value.Nil, false
}

// bytesOf returns the bytes that a wire carries as such or, in JSON, as an array.
func bytesOf(v value.Value) (string, bool) {
	if v.Kind() == value.KindBytes {
		return v.AsBlob()
	}
	return v.AsByteArray()
}

// placeholder returns the length that the text "<binary data: N bytes>" names,
// and whether s has that form: what the server answers over HTTP in place of a
// value that is not UTF-8 (protocol: http-data, readers). A stored text may look
// the same, so the form alone proves nothing.
func placeholder(s string) (n int, ok bool) {
	const before, after = "<binary data: ", " bytes>"
	if !strings.HasPrefix(s, before) || !strings.HasSuffix(s, after) || len(s) < len(before)+len(after) {
		return 0, false
	}
	n, err := strconv.Atoi(s[len(before) : len(s)-len(after)])
	return n, err == nil && n > 0
}
