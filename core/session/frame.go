package session

import (
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Op is what a request frame asks for.
type Op int64

// The operations. Their numbers are part of every host's boundary.
const (
	OpTyped       Op = iota // [0, name, [arg, …]]: a typed call, arguments in table order
	OpRaw                   // [1, name, payload]: a raw command
	OpBatch                 // [2, [[0|1, name, args], …]]
	OpSubscribe             // [3, name, [arg, …]]: replies with a subscription id
	OpNext                  // [4, id, max]: items of a subscription, at least one, or none when the call's time is up
	OpUnsubscribe           // [5, id]
)

// Frame is one request as it crosses a host boundary: a MessagePack array.
type Frame struct {
	Op   Op
	Name string        // OpTyped, OpRaw, OpSubscribe
	Args []value.Value // OpTyped, OpSubscribe
	// Payload is the payload of OpRaw.
	Payload value.Value
	Batch   []Frame
	ID      int64 // OpNext, OpUnsubscribe
	Max     int   // OpNext
}

// maxBatch bounds the commands of one batch.
const maxBatch = 100_000

// ParseFrame decodes a request frame.
func ParseFrame(s string) (Frame, *errs.Error) {
	if len(s) > 2 && s[0] == 0x93 && s[1] <= byte(OpRaw) {
		return parseCall(Op(s[1]), s[2:])
	}
	v, rest, err := value.ParseMsgpack(s)
	if err != nil {
		return Frame{}, badFrame(err.Error())
	}
	if rest != "" {
		return Frame{}, badFrame("bytes follow the request")
	}
	return frameOf(v, false)
}

// parseCall decodes what follows the operation of a typed or raw call: nearly all
// frames are one, and need no list for their three parts.
func parseCall(op Op, s string) (Frame, *errs.Error) {
	f := Frame{Op: op}
	name, s, err := value.ParseMsgpack(s)
	var last value.Value
	if err == nil {
		last, s, err = value.ParseMsgpack(s)
	}
	switch {
	case err != nil:
		return Frame{}, badFrame(err.Error())
	case s != "":
		return Frame{}, badFrame("bytes follow the request")
	}
	bad := f.call(name, last)
	return f, bad
}

// call takes in the name of a call and what it is called with.
func (f *Frame) call(name, with value.Value) *errs.Error {
	var ok bool
	if f.Name, ok = name.AsStr(); !ok || (f.Op != OpRaw && with.Kind() != value.KindArray) {
		return badFrame("it must be [operation, name, [argument, …]], or [1, name, payload]")
	}
	if f.Op == OpRaw {
		f.Payload = with
	} else {
		f.Args = with.Items()
	}
	return nil
}

func badFrame(why string) *errs.Error {
	return errs.New(errs.InvalidArgument, "malformed request frame: "+why)
}

func frameOf(v value.Value, inBatch bool) (Frame, *errs.Error) {
	op, ok := v.Index(0).AsInt()
	if v.Kind() != value.KindArray || !ok {
		return Frame{}, badFrame("it must be an array that starts with an operation number")
	}
	f := Frame{Op: Op(op)}
	if inBatch && f.Op != OpTyped && f.Op != OpRaw {
		return f, badFrame("a batch holds only calls and raw commands")
	}
	switch f.Op {
	case OpTyped, OpSubscribe, OpRaw:
		if v.Len() != 3 {
			return f, badFrame("it must have three parts")
		}
		if err := f.call(v.Index(1), v.Index(2)); err != nil {
			return f, err
		}
	case OpBatch:
		list := v.Index(1)
		if v.Len() != 2 || list.Kind() != value.KindArray || list.Len() > maxBatch {
			return f, badFrame("it must be [2, [request, …]] with at most 100,000 requests")
		}
		f.Batch = make([]Frame, list.Len())
		for i := range f.Batch {
			var err *errs.Error
			if f.Batch[i], err = frameOf(list.Index(i), true); err != nil {
				return f, err
			}
		}
	case OpNext:
		max, okMax := v.Index(2).AsInt()
		if f.ID, ok = v.Index(1).AsInt(); !ok || !okMax || v.Len() != 3 || max < 1 {
			return f, badFrame("it must be [4, subscription, max]")
		}
		f.Max = int(min(max, 4096))
	case OpUnsubscribe:
		if f.ID, ok = v.Index(1).AsInt(); !ok || v.Len() != 2 {
			return f, badFrame("it must be [5, subscription]")
		}
	default:
		return f, badFrame("unknown operation")
	}
	return f, nil
}

// ErrorValue is the form in which an error crosses a host boundary: [code,
// status, flags, message, command, transport].
func ErrorValue(e *errs.Error) value.Value {
	flags := int64(0)
	if e.Retryable {
		flags |= 1
	}
	if e.MaybeApplied {
		flags |= 2
	}
	return value.Array(value.Int(int64(e.Code)), value.Int(int64(e.Status)), value.Int(flags),
		value.Str(e.Message), value.Str(e.Command), value.Str(e.Transport))
}

// Outcome is the form of one result in a batch: [reply] or [nil, error].
func Outcome(v value.Value, e *errs.Error) value.Value {
	if e != nil {
		return value.Array(value.Nil, ErrorValue(e))
	}
	return value.Array(v)
}
