package runner

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

// SynapRPC, read and written by the runner itself, so that the codec of the
// project is part of what is tested. Only the MessagePack below the tags is the
// project's: the recorded bytes pin it.

// rpcMaxBody is the largest body of a frame (protocol: synaprpc 1).
const rpcMaxBody = 536_870_912

// rpcPush is the id of pushes.
const rpcPush = json.Number("4294967295")

// rpcSize returns how long the first frame in buf is, 0 if that cannot be told yet.
func rpcSize(buf []byte) (int, error) {
	if len(buf) < 4 {
		return 0, nil
	}
	n := binary.LittleEndian.Uint32(buf)
	if n == 0 || n > rpcMaxBody {
		return 0, fmt.Errorf("a frame of %d bytes", n)
	}
	return 4 + int(n), nil
}

// rpcRequest writes {"id":…,"command":…,"args":[…]}.
func rpcRequest(request any) ([]byte, error) {
	object, _ := request.(map[string]any)
	id, okID := object["id"].(json.Number)
	name, okName := object["command"].(string)
	list, okArgs := object["args"].([]any)
	n, err := strconv.ParseUint(string(id), 10, 32)
	if !okID || !okName || !okArgs || len(object) != 3 || err != nil {
		return nil, fmt.Errorf("no request: %s", clip(writeJSON(request)))
	}
	args := make([]value.Value, len(list))
	for i := range list {
		if args[i], err = rpcTagged(list[i]); err != nil {
			return nil, err
		}
	}
	return rpcFrame(value.Array(value.Int(int64(n)), value.Str(name), value.Array(args...))), nil
}

func rpcFrame(v value.Value) []byte {
	frame := value.AppendMsgpack(make([]byte, 4), v)
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame
}

// rpcTagged returns the MessagePack of a value in the notation.
func rpcTagged(v any) (value.Value, error) {
	if v == "Null" {
		return value.Str("Null"), nil
	}
	tag, arg, _ := only(v)
	inner, err := rpcPayload(tag, arg)
	if err != nil {
		return value.Nil, fmt.Errorf("no value: %s", clip(writeJSON(v)))
	}
	return value.Map(value.Str(tag), inner), nil
}

func rpcPayload(tag string, arg any) (value.Value, error) {
	ok := false
	switch tag {
	case "Bool":
		var b bool
		b, ok = arg.(bool)
		return value.Bool(b), must(ok)
	case "Int":
		n, _ := arg.(json.Number)
		i, err := strconv.ParseInt(string(n), 10, 64)
		return value.Int(i), err
	case "Float":
		f, err := floatOf(arg)
		return value.Float(f), err
	case "Bytes":
		var s string
		s, ok = unblob(arg)
		return value.BytesOf(s), must(ok)
	case "Str":
		var s string
		s, ok = arg.(string)
		return value.Str(s), must(ok)
	case "Array":
		list, ok := arg.([]any)
		items := make([]value.Value, len(list))
		for i := range list {
			var err error
			if items[i], err = rpcTagged(list[i]); err != nil {
				return value.Nil, err
			}
		}
		return value.Array(items...), must(ok)
	case "Map":
		list, ok := arg.([]any)
		pairs := make([]value.Value, len(list))
		for i := range list {
			p, err := rpcPayload("Array", list[i])
			if err != nil || p.Len() != 2 {
				return value.Nil, errors.New("no pair")
			}
			pairs[i] = p
		}
		return value.Array(pairs...), must(ok)
	}
	return value.Nil, errors.New("no tag")
}

func must(ok bool) error {
	if !ok {
		return errors.New("of another type")
	}
	return nil
}

// floatOf reads a double of the notation: a number, or {"float":"nan|inf|-inf"}.
func floatOf(v any) (float64, error) {
	if n, ok := v.(json.Number); ok {
		return strconv.ParseFloat(string(n), 64)
	}
	name, arg, _ := only(v)
	text, _ := arg.(string)
	if f, err := strconv.ParseFloat(text, 64); name == "float" && err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return f, nil
	}
	return 0, errors.New("no double")
}

// floatNotation writes what floatOf reads.
func floatNotation(f float64) any {
	switch {
	case math.IsNaN(f):
		return one("float", "nan")
	case math.IsInf(f, 1):
		return one("float", "inf")
	case math.IsInf(f, -1):
		return one("float", "-inf")
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

func intNotation(i int64) json.Number { return json.Number(strconv.FormatInt(i, 10)) }

// rpcReply reads a frame from the server: {"id":…,"result":{"Ok":…}} or Err. It
// takes only what the server emits, in the shortest form (protocol: synaprpc 2, 3).
func rpcReply(frame []byte) (any, error) {
	v, rest, err := value.ParseMsgpack(string(frame[4:]))
	switch {
	case err != nil:
		return nil, err
	case rest != "":
		return nil, errors.New("something stands after the reply in its frame")
	case string(rpcFrame(v)) != string(frame):
		return nil, errors.New("the frame is not in the shortest form")
	}
	id, okID := v.Index(0).AsInt()
	result := v.Index(1)
	if v.Kind() != value.KindArray || v.Len() != 2 || !okID || id < 0 || id > math.MaxUint32 || result.Kind() != value.KindMap || result.Len() != 1 {
		return nil, errors.New("no reply of id and result")
	}
	key, inner := result.Pair(0)
	text, isText := inner.AsStr()
	var got any
	switch tag, _ := key.AsStr(); {
	case tag == "Err" && isText:
		got = one("Err", text)
	case tag == "Ok":
		v, err := rpcUntagged(inner)
		if err != nil {
			return nil, err
		}
		got = one("Ok", v)
	default:
		return nil, errors.New("the result is neither Ok nor Err")
	}
	return map[string]any{"id": intNotation(id), "result": got}, nil
}

// rpcUntagged returns the notation of a value.
func rpcUntagged(v value.Value) (any, error) {
	if s, ok := v.AsStr(); ok && s == "Null" {
		return "Null", nil
	}
	if v.Kind() != value.KindMap || v.Len() != 1 {
		return nil, errors.New("a value without a tag")
	}
	key, inner := v.Pair(0)
	tag, _ := key.AsStr()
	switch kind := inner.Kind(); {
	case tag == "Bool" && kind == value.KindBool:
		b, _ := inner.AsBool()
		return one(tag, b), nil
	case tag == "Int" && kind == value.KindInt:
		i, _ := inner.AsInt()
		return one(tag, intNotation(i)), nil
	case tag == "Float" && kind == value.KindFloat:
		f, _ := inner.AsFloat()
		return one(tag, floatNotation(f)), nil
	case tag == "Bytes" && kind == value.KindBytes:
		s, _ := inner.AsBlob()
		return one(tag, blob(s)), nil
	case tag == "Str" && kind == value.KindStr:
		s, _ := inner.AsStr()
		return one(tag, s), nil
	case tag == "Array" && kind == value.KindArray:
		list, err := rpcItems(inner)
		return one(tag, list), err
	case tag == "Map" && kind == value.KindArray:
		pairs := make([]any, inner.Len())
		for i := range pairs {
			p, err := rpcItems(inner.Index(i))
			if err != nil || len(p) != 2 {
				return nil, errors.New("a map with something else than pairs")
			}
			pairs[i] = p
		}
		return one(tag, pairs), nil
	}
	return nil, fmt.Errorf("a value with the tag %q and %s", tag, inner.Kind())
}

func rpcItems(v value.Value) ([]any, error) {
	if v.Kind() != value.KindArray {
		return nil, errors.New("not a list")
	}
	list := make([]any, v.Len())
	for i := range list {
		e, err := rpcUntagged(v.Index(i))
		if err != nil {
			return nil, err
		}
		list[i] = e
	}
	return list, nil
}

// rpcIsPush reports whether a reply is a push. The answer to a request with the
// reserved id has the id of pushes too, but is an error (protocol: synaprpc 2).
func rpcIsPush(reply any) bool {
	object, _ := reply.(map[string]any)
	result, _, _ := only(object["result"])
	return object["id"] == rpcPush && result == "Ok"
}
