package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/resp3"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// codec is our codec of a native wire as the client uses it, seen through the
// notation of the vectors.
type codec interface {
	// request makes the bytes of a request.
	request(request any) ([]byte, error)
	// reply reads a whole reply.
	reply(b []byte) (any, error)
	// size is what the client knows of a reply's length after each byte of it.
	size() func(buf []byte) (int, error)
	// pattern turns a recorded reply into what reply returns.
	pattern(recorded any) any
}

var codecs = map[string]codec{"synaprpc": rpcCodec{}, "resp3": respCodec{}}

// codecPlayer lets our codecs make the recorded requests and read the recorded
// replies, without a connection: the role client for the native wires. Bytes that
// no client of ours would send, and what a connection does, have no form here.
type codecPlayer struct{ codec codec }

func newCodecPlayer(_ *Options, f *File) (player, error) {
	return codecPlayer{codecs[f.Transport]}, nil
}

func (codecPlayer) close() {}

func (p codecPlayer) play(c *Case) (left int, err error) {
	steps, err := parseNative(c)
	if err != nil {
		return 0, err
	}
	bound, requests := Bindings{}, 0
	for i, s := range steps {
		switch {
		case s.request != nil:
			requests++
			if err := p.makes(bound, s); err != nil {
				return 0, &Failure{i, "request: " + err.Error()}
			}
		case s.sent != nil, s.Expect != "", s.HalfClose:
			left++
		}
		replies := s.replies
		if s.push != nil {
			replies = []*recorded{s.push}
		}
		for _, r := range replies {
			if r.bytes == nil {
				continue // a text that the server may word in any way
			}
			if err := p.reads(bound, r); err != nil {
				return 0, &Failure{i, "reply: " + err.Error()}
			}
		}
	}
	if requests == 0 {
		return 0, noForm("it sends raw bytes")
	}
	return left, nil
}

// makes lets the codec make a request, with the values that the recorded server
// gave.
func (p codecPlayer) makes(b Bindings, s *nativeStep) error {
	request, err := b.Expand(s.request)
	if err != nil {
		return err
	}
	got, err := p.codec.request(request)
	if err == nil && string(got) != string(s.sent) {
		err = fmt.Errorf("of %s\n    expected %x\n    got      %x", clip(writeJSON(request)), clip(string(s.sent)), clip(string(got)))
	}
	return err
}

// reads lets the codec read a recorded reply: whole, and as it comes byte by byte.
func (p codecPlayer) reads(b Bindings, r *recorded) error {
	got, err := p.codec.reply(r.bytes)
	if err != nil {
		return err
	}
	if d := b.Match(timeless(p.codec.pattern(r.pattern)), got); d != "" {
		return errors.New(d)
	}
	size := p.codec.size()
	for n := range len(r.bytes) {
		if known, err := size(r.bytes[:n]); err != nil || known != 0 {
			return fmt.Errorf("its length after %d of %d bytes: %d, %v", n, len(r.bytes), known, err)
		}
		// Of a reply that breaks off nothing must be made. Long ones are cut only
		// at some places, or the run would take minutes.
		if n > 512 && n%509 != 0 {
			continue
		}
		if v, err := p.codec.reply(r.bytes[:n]); err == nil {
			return fmt.Errorf("%d of %d bytes of it read as %s", n, len(r.bytes), clip(writeJSON(v)))
		}
	}
	// The bytes of the next reply may be there already and must stay.
	if known, err := size(append(slices.Clone(r.bytes), r.bytes...)); err != nil || known != len(r.bytes) {
		return fmt.Errorf("its length: expected %d, got %d, %v", len(r.bytes), known, err)
	}
	return nil
}

// timeless takes the clock out of a pattern: recorded bytes hold the time of the
// recording.
func timeless(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = timeless(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			if text, ok := e.(string); ok && strings.HasPrefix(text, "timestamp_") && (name == "$any" || name == "type") {
				e = "int"
			}
			out[name] = timeless(e)
		}
		return out
	}
	return v
}

type rpcCodec struct{}

func (rpcCodec) request(request any) ([]byte, error) {
	object, _ := request.(map[string]any)
	id, okID := object["id"].(json.Number)
	name, okName := object["command"].(string)
	list, okArgs := object["args"].([]any)
	n, err := id.Int64()
	if !okID || !okName || !okArgs || err != nil {
		return nil, errors.New("no request")
	}
	args := make([]value.Value, len(list))
	for i := range list {
		if args[i], err = rpcValue(list[i]); err != nil {
			return nil, err
		}
	}
	frame := synaprpc.AppendRequest(nil, uint32(n), synaprpc.AppendBody(nil, name, args))
	// The other way round, as our server does.
	r, err := synaprpc.ParseRequest(string(frame[4:]))
	if err != nil {
		return nil, err
	}
	if again := synaprpc.AppendRequest(nil, r.ID, synaprpc.AppendBody(nil, r.Name, r.Args)); string(again) != string(frame) {
		return nil, fmt.Errorf("read and made again it is %x", clip(string(again)))
	}
	return frame, nil
}

// rpcValue returns the client's value for one in the notation.
func rpcValue(v any) (value.Value, error) {
	if v == "Null" {
		return value.Nil, nil
	}
	tag, arg, _ := only(v)
	list, _ := arg.([]any)
	var items []value.Value
	switch tag {
	case "Array":
		for _, e := range list {
			item, err := rpcValue(e)
			if err != nil {
				return value.Nil, err
			}
			items = append(items, item)
		}
		return value.Array(items...), nil
	case "Map":
		for _, e := range list {
			pair, err := rpcValue(one("Array", e))
			if err != nil {
				return value.Nil, err
			}
			items = append(items, pair.Index(0), pair.Index(1))
		}
		return value.Map(items...), nil
	}
	return rpcPayload(tag, arg)
}

func (rpcCodec) reply(b []byte) (any, error) {
	if len(b) < 4 {
		return nil, errors.New("no frame")
	}
	r, err := synaprpc.ParseReply(string(b[4:]))
	if err != nil {
		return nil, err
	}
	result := one("Err", r.Err)
	if !r.Failed {
		result = one("Ok", rpcNotation(r.Value))
	}
	return map[string]any{"id": intNotation(int64(r.ID)), "result": result}, nil
}

// rpcNotation writes a client's value in the notation.
func rpcNotation(v value.Value) any {
	switch v.Kind() {
	case value.KindNil:
		return "Null"
	case value.KindBool:
		b, _ := v.AsBool()
		return one("Bool", b)
	case value.KindInt:
		i, _ := v.AsInt()
		return one("Int", intNotation(i))
	case value.KindFloat:
		f, _ := v.AsFloat()
		return one("Float", floatNotation(f))
	case value.KindBytes:
		s, _ := v.AsBlob()
		return one("Bytes", blob(s))
	case value.KindStr:
		s, _ := v.AsStr()
		return one("Str", s)
	case value.KindArray:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = rpcNotation(v.Index(i))
		}
		return one("Array", list)
	case value.KindMap:
		pairs := make([]any, v.Len())
		for i := range pairs {
			key, e := v.Pair(i)
			pairs[i] = []any{rpcNotation(key), rpcNotation(e)}
		}
		return one("Map", pairs)
	}
	return one("unknown", v.Kind().String())
}

func (rpcCodec) size() func([]byte) (int, error) {
	return func(buf []byte) (int, error) {
		n, err := synaprpc.Size(buf, synaprpc.MaxBody)
		if n > len(buf) {
			n = 0 // known from the prefix on, but not there
		}
		return n, err
	}
}

func (rpcCodec) pattern(recorded any) any { return recorded }

type respCodec struct{}

func (respCodec) request(request any) ([]byte, error) {
	list, _ := request.([]any)
	args := make([]value.Value, len(list))
	for i, a := range list {
		text, ok := respArg(a)
		if !ok {
			return nil, errors.New("no command")
		}
		args[i] = value.TextOrBytes(text)
	}
	if len(args) == 0 {
		return nil, errors.New("no command")
	}
	name, _ := args[0].AsBlob()
	return resp3.AppendCommand(nil, name, args[1:]), nil
}

func (respCodec) reply(b []byte) (any, error) {
	r, err := resp3.Parse(string(b))
	switch {
	case err != nil:
		return nil, err
	case r.Failed:
		return one("error", r.Err), nil
	case r.Push:
		return one("push", respNotation(r.Value)), nil
	}
	return respNotation(r.Value), nil
}

// respNotation writes a client's value as respUntyped does a recorded one.
func respNotation(v value.Value) any {
	switch v.Kind() {
	case value.KindNil:
		return nil
	case value.KindArray:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = respNotation(v.Index(i))
		}
		return list
	case value.KindMap:
		pairs := make([]any, v.Len())
		for i := range pairs {
			key, e := v.Pair(i)
			pairs[i] = []any{respNotation(key), respNotation(e)}
		}
		return one("map", pairs)
	}
	_, arg, _ := only(rpcNotation(v)) // the rest without the tag
	return arg
}

func (respCodec) size() func([]byte) (int, error) {
	s := &resp3.Scanner{}
	return func(buf []byte) (int, error) { return s.Scan(buf, resp3.MaxBulk) }
}

func (respCodec) pattern(recorded any) any { return respUntyped(recorded) }
