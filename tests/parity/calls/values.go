package calls

import (
	"encoding/json"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/value"
)

// Pack returns an argument as hosts without typed methods give it.
func Pack(a *command.Arg, v any) value.Value {
	if v == nil && a.Type != command.JSON {
		return value.Nil
	}
	switch a.Type {
	case command.Float:
		return packFloat(v)
	case command.FloatList:
		return packList(v, packFloat)
	case command.Places:
		return packList(v, func(e any) value.Value {
			place, _ := e.([]any)
			return value.Array(packFloat(place[0]), packFloat(place[1]), pack(place[2]))
		})
	case command.Bytes:
		b, _ := Binary(v)
		return value.BytesOf(string(b))
	}
	return pack(v)
}

func packList(v any, element func(any) value.Value) value.Value {
	list, _ := v.([]any)
	out := make([]value.Value, len(list))
	for i := range list {
		out[i] = element(list[i])
	}
	return value.Array(out...)
}

func packFloat(v any) value.Value {
	f, _, ok := Number(v)
	if !ok || f == nil {
		return value.Nil
	}
	n, _ := f.Float64()
	return value.Float(n)
}

func pack(v any) value.Value {
	switch v := v.(type) {
	case nil:
		return value.Nil
	case bool:
		return value.Bool(v)
	case string:
		return value.Str(v)
	case []any:
		return packList(v, pack)
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return packFloat(v)
		}
	case map[string]any:
		if b, ok := Binary(v); ok {
			return value.BytesOf(string(b))
		}
		if _, _, number := Number(v); number {
			break
		}
		kv := make([]value.Value, 0, 2*len(v))
		for k, e := range v {
			kv = append(kv, value.Str(k), pack(e))
		}
		return value.Map(kv...)
	}
	f, _, ok := Number(v)
	if !ok || !f.IsInt() {
		return packFloat(v)
	}
	n, _ := f.Int64()
	return value.Int(n)
}

// Unpack returns the result of a command in the notation; records, which cross the
// boundary as arrays, are named by the table.
func Unpack(c *command.Command, v value.Value) any {
	record := c.Reply.Record
	if record == nil || v.IsNil() {
		return unpack(v)
	}
	switch c.Reply.Kind {
	case command.ReplyRecord, command.ReplyRecordOrNil:
		return unpackRecord(record, v)
	}
	list := make([]any, v.Len())
	for i := range list {
		if !v.Index(i).IsNil() {
			list[i] = unpackRecord(record, v.Index(i))
		}
	}
	return list
}

func unpackRecord(r *command.Record, v value.Value) Record {
	out := Record{}
	for i, f := range r.Fields {
		out[f.Name] = unpack(v.Index(i))
	}
	return out
}

func unpack(v value.Value) any {
	switch v.Kind() {
	case value.KindBool:
		b, _ := v.AsBool()
		return b
	case value.KindInt:
		n, _ := v.AsInt()
		return n
	case value.KindUint:
		n, _ := v.AsUint()
		return n
	case value.KindFloat:
		f, _ := v.AsFloat()
		return Float(f)
	case value.KindStr:
		s, _ := v.AsStr()
		return s
	case value.KindBytes:
		s, _ := v.AsBlob()
		return Bytes([]byte(s))
	case value.KindArray:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = unpack(v.Index(i))
		}
		return out
	case value.KindMap:
		out := map[string]any{}
		for i := range v.Len() {
			k, e := v.Pair(i)
			name, _ := k.AsBlob()
			out[name] = unpack(e)
		}
		return out
	}
	return nil
}
