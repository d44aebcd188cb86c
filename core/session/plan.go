package session

import (
	"slices"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

// Step is one exchange with the server: a command envelope, or a REST request if
// Method is set, or a native command if Name is set.
type Step struct {
	Command string // the server's name of the command
	Payload value.Value
	Method  string
	Path    string
	Name    string        // the native wire's name of the command
	Args    []value.Value // what follows it
	// Idempotent says that the step may be sent again when it is unknown whether
	// it was applied.
	Idempotent bool
}

// Wire is what a call is planned for.
type Wire uint8

// The wires.
const (
	Direct Wire = iota // the embedded engine, on its Raw face
	HTTP
	RPC
	RESP3
)

// Native reports whether commands travel in their own form, not in an envelope.
func (w Wire) Native() bool { return w == RPC || w == RESP3 }

// plan turns a typed call into the steps that the wire needs for it.
func plan(steps []Step, wire Wire, cmd *command.Command, args []value.Value) ([]Step, *errs.Error) {
	h := &cmd.HTTP
	if wire == Direct {
		return append(steps, Step{Command: cmd.ServerName(), Payload: payload(cmd, storedArgs(cmd, args)), Idempotent: cmd.Traits.Idempotent}), nil
	}
	if wire.Native() {
		return planNative(steps, wire, cmd, func(i int) value.Value { return args[i] })
	}
	// A conditional write that is repeated would report its own first attempt as
	// the obstacle, so only the plain form may be repeated.
	idempotent := cmd.Traits.Idempotent
	if form := alternative(cmd, args); form != nil {
		h, idempotent = form, false
	}
	switch h.Shape {
	case command.Envelope:
		return append(steps, Step{Command: h.Command, Payload: payload(cmd, args), Idempotent: idempotent}), nil
	case command.REST:
		path, skip, err := restPath(h.Path, cmd, args)
		if err != nil {
			return nil, err
		}
		return append(steps, Step{Command: cmd.ServerName(), Method: h.Method, Path: path, Payload: payloadWithout(cmd, args, skip), Idempotent: idempotent}), nil
	case command.Each:
		list := args[0]
		for i := 0; i < list.Len(); i++ {
			var p value.Value
			if e := list.Index(i); cmd.Args[0].Type == command.Pairs {
				p = value.Map(value.Str("key"), e.Index(0), value.Str("value"), e.Index(1))
			} else {
				p = value.Map(value.Str("key"), e)
			}
			steps = append(steps, Step{Command: h.Command, Payload: p, Idempotent: idempotent})
		}
		return steps, nil
	case command.Script:
		keys := make([]value.Value, args[0].Len())
		vals := make([]value.Value, args[0].Len())
		for i := range keys {
			keys[i], vals[i] = args[0].Index(i).Index(0), args[0].Index(i).Index(1)
		}
		return append(steps, Step{Command: h.Command, Payload: value.Map(
			value.Str("script"), value.Str(h.Script),
			value.Str("keys"), value.Array(keys...),
			value.Str("args"), value.Array(vals...))}), nil
	}
	return nil, &errs.Error{Code: errs.Unsupported, Command: cmd.Name, Message: cmd.Name + " is a subscription, not a call"}
}

// alternative returns the form that the given options ask for, or nil.
func alternative(cmd *command.Command, args []value.Value) *command.HTTP {
	if cmd.HTTP.Alt == nil {
		return nil
	}
	for i := range args {
		if on, _ := args[i].AsBool(); on && slices.Contains(cmd.HTTP.When, cmd.Args[i].Name) {
			return cmd.HTTP.Alt
		}
	}
	return nil
}

// payload builds the payload object of an envelope.
func payload(cmd *command.Command, args []value.Value) value.Value {
	return payloadWithout(cmd, args, "")
}

// payloadWithout builds the payload object from the arguments, but for those
// named in skip (joined with spaces).
func payloadWithout(cmd *command.Command, args []value.Value, skip string) value.Value {
	given := 0
	for _, v := range args {
		if !v.IsNil() {
			given++
		}
	}
	kv := make([]value.Value, 0, 2*given)
	var nested []value.Value
	var listed lists
	nest := ""
	for i := range cmd.Args {
		a := &cmd.Args[i]
		if a.Plain() {
			if !args[i].IsNil() && !contains(skip, a.Name) {
				kv = append(kv, value.Str(a.Name), args[i])
			}
			continue
		}
		field := a.Wire()
		given := args[i]
		if a.Sent && given.IsNil() {
			given = defaultOf(a)
		}
		if field == "-" || (given.IsNil() && !a.Required) || contains(skip, a.Name) {
			continue
		}
		v := wireValue(a, given)
		if !strings.ContainsAny(field, "[.") {
			kv = append(kv, value.Str(field), v)
		} else if name, at, ok := inBrackets(field); ok {
			listed.put(name, at, v)
		} else {
			outer, inner, _ := strings.Cut(field, ".")
			nest = outer
			nested = append(nested, value.Str(inner), v)
		}
	}
	if cmd.Fixed != "" {
		kv = append(kv, value.Str(cmd.Fixed), value.Int(1))
	}
	kv = listed.appendTo(kv)
	if nested != nil {
		kv = append(kv, value.Str(nest), value.Map(nested...))
	}
	return value.Map(kv...)
}

func contains(words, word string) bool {
	for words != "" {
		var w string
		if w, words, _ = strings.Cut(words, " "); w == word {
			return true
		}
	}
	return false
}

// wireValue turns an argument into the JSON-like value of the payload.
func wireValue(a *command.Arg, v value.Value) value.Value {
	switch a.Type {
	case command.JSON:
		if a.Encoded {
			text, _ := value.AppendJSON(nil, v) // Validate has refused what JSON cannot carry
			return value.Str(string(text))
		}
	case command.Bytes:
		b, _ := v.AsBlob()
		return value.ByteArray(b)
	case command.Int:
		if n, _ := v.AsInt(); n == 0 && a.Zero != 0 {
			return value.Int(a.Zero)
		}
	case command.BlobList:
		if a.Encoded {
			return byteArrays(v)
		}
	case command.Places:
		return placesPayload(v)
	case command.Pairs:
		if a.Object {
			return pairsObject(v)
		}
		pairs := make([]value.Value, v.Len())
		for i := range pairs {
			pairs[i] = value.Map(value.Str("key"), v.Index(i).Index(0), value.Str("value"), v.Index(i).Index(1))
		}
		return value.Array(pairs...)
	}
	return v
}

// pairsObject makes an object of pairs; of equal names the last wins.
func pairsObject(pairs value.Value) value.Value {
	place := make(map[string]int, pairs.Len())
	members := make([]value.Value, 0, 2*pairs.Len())
	for _, p := range pairs.Items() {
		name, _ := p.Index(0).AsStr()
		if at, again := place[name]; again {
			members[at] = p.Index(1)
			continue
		}
		members = append(members, p.Index(0), p.Index(1))
		place[name] = len(members) - 1
	}
	return value.Map(members...)
}

// restPath fills the arguments into a path and names those it took.
func restPath(template string, cmd *command.Command, args []value.Value) (path, taken string, err *errs.Error) {
	var out []byte
	for {
		before, after, found := strings.Cut(template, "{")
		out = append(out, before...)
		if !found {
			return string(out), taken, nil
		}
		var name string
		name, template, _ = strings.Cut(after, "}")
		taken += name + " "
		for i := range cmd.Args {
			if cmd.Args[i].Name != name {
				continue
			}
			s, _ := args[i].AsStr()
			if s == "" {
				return "", "", &errs.Error{Code: errs.InvalidArgument, Command: cmd.Name,
					Message: name + " must not be empty here: over HTTP this command has it in its path (protocol: http-data 1)"}
			}
			out = envelope.AppendPathSegment(out, s)
		}
	}
}
