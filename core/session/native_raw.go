package session

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// planRaw turns an envelope's command and payload into a native command: that of
// the first entry which takes all that the payload holds.
func planRaw(steps []Step, wire Wire, name string, payload value.Value) (*command.Command, []Step, *errs.Error) {
	var refused *errs.Error
	for _, cmd := range command.Entries(name) {
		form := formOf(cmd, wire)
		if form == nil || (cmd.Queues() && !queues(cmd, payload)) {
			continue
		}
		arg, err := payloadArgs(wire, cmd, payload)
		if err == nil {
			steps, err = planNative(steps, wire, cmd, arg)
		}
		if err == nil {
			for i := range steps { // none for an empty list
				steps[i].Idempotent = repeatable(name, payload)
			}
			return cmd, steps, nil
		}
		if refused == nil || refused.Code == errs.Unsupported {
			refused = err
		}
	}
	if refused == nil {
		refused = unsupported(wire, name, "")
	}
	return nil, nil, refused
}

// payloadArgs reads the arguments of an entry out of an envelope's payload, and
// checks what the HTTP server would check.
func payloadArgs(wire Wire, cmd *command.Command, payload value.Value) (func(int) value.Value, *errs.Error) {
	taken := 0 // members of the payload
	args := make([]value.Value, len(cmd.Args))
	for i := range cmd.Args {
		a := &cmd.Args[i]
		if a.Wire() == "-" {
			continue
		}
		v, given, whole := payloadMember(a, payload)
		if whole && given {
			taken++
		}
		var err *errs.Error
		if args[i], err = payloadArg(wire, cmd, a, v, given || !whole); err != nil {
			return nil, err
		}
	}
	if payload.Kind() == value.KindMap && taken < payload.Len() {
		for i := range payload.Len() {
			k, v := payload.Pair(i)
			key, _ := k.AsStr()
			if !v.IsNil() && !hasField(cmd, key) && !contains(cmd.Ignored, key) && (key != cmd.Fixed || !value.Equal(v, value.Int(1))) {
				return nil, unsupported(wire, cmd.ServerName(), " with "+strconv.Quote(key))
			}
		}
	}
	return func(i int) value.Value { return args[i] }, nil
}

// payloadMember finds an argument in a payload: whole says that it has a member of
// its own, not part of one ("config.max_depth", "from_lonlat[1]").
func payloadMember(a *command.Arg, payload value.Value) (v value.Value, given, whole bool) {
	outer, inner, nested := strings.Cut(a.Wire(), ".")
	outer, at, listed := inBrackets(outer)
	v, given = payload.Get(outer)
	if !given && a.Alias != "" {
		v, given = payload.Get(a.Alias)
	}
	switch {
	case nested:
		return v.Field(inner), given, false
	case listed:
		return v.Index(at), given, false
	case !given && a.Sent && a.Type == command.Bool:
		v = value.Bool(false) // what absence means in an envelope
	}
	return v, given, true
}

// payloadArg checks a member of a payload, and returns it as the argument that it
// is: nil where the envelope would take it for missing.
func payloadArg(wire Wire, cmd *command.Command, a *command.Arg, v value.Value, given bool) (value.Value, *errs.Error) {
	invalid := func(what string) (value.Value, *errs.Error) {
		return value.Nil, &errs.Error{Code: errs.InvalidArgument, Command: cmd.ServerName(), Message: what}
	}
	field := a.Wire()
	if v.IsNil() && a.Required && !a.Loose {
		switch {
		case a.Choice:
			outer, _, _ := inBrackets(field)
			return v, unsupported(wire, cmd.ServerName(), " without "+outer)
		case !given || (a.Type != command.Blob && a.Type != command.JSON):
			return invalid("Missing '" + field + "' field")
		}
	}
	if a.Loose {
		v = loose(v)
	}
	if v.IsNil() {
		return v, nil
	}
	optional := !a.Required && !a.Loose
	n, isInt := v.AsInt()
	s, isText := v.AsStr()
	empty := a.NonEmpty && v.Len() == 0
	switch {
	case !fits(a, v) && optional:
		return value.Nil, nil
	case !fits(a, v):
		return invalid(field + " cannot be a " + v.Kind().String())
	case isInt && n < 0 && a.Min >= 0 && a.Max > 0 && optional && a.Unit != "seconds":
		return value.Nil, nil
	case isInt && n < 0 && a.Min >= 0 && a.Max > 0:
		// The native wires take it for a huge number (protocol: synaprpc quirk 3).
		return invalid(field + " must not be negative")
	case empty && (a.Type == command.BlobList || a.Type == command.Places):
		// Over HTTP it makes an empty list, set or other key.
		return v, unsupported(wire, cmd.ServerName(), " of no "+field)
	case empty:
		return invalid(field + " must not be empty")
	case isText && wire == RESP3 && a.OneOf != nil && !isOneOf(a, s):
		// RESP3 takes an unknown unit for metres (protocol: resp3 5).
		return v, unsupported(wire, cmd.ServerName(), " with "+a.Name+" "+strconv.Quote(s))
	}
	if a.Check != nil {
		if wrong := a.Check(v); wrong != "" {
			return invalid(field + " " + wrong)
		}
	}
	return v, nil
}

// queues reports whether the envelope would queue a command with the payload.
func queues(cmd *command.Command, payload value.Value) bool {
	client, _ := payload.Field("client_id").AsStr()
	return client != "" && (cmd.Fixed == "" || value.Equal(payload.Field(cmd.Fixed), value.Int(1)))
}

// loose makes texts of a list's elements as the envelope does where it takes any.
func loose(list value.Value) value.Value {
	if list.Kind() != value.KindArray && !list.IsNil() {
		return list
	}
	texts := make([]value.Value, list.Len())
	for i := range texts {
		switch e := list.Index(i); e.Kind() {
		case value.KindNil:
			texts[i] = value.Str("")
		default:
			texts[i] = blob(e)
		}
	}
	return value.Array(texts...)
}

func isOneOf(a *command.Arg, s string) bool {
	for _, word := range a.OneOf {
		if strings.EqualFold(word, s) {
			return true
		}
	}
	return false
}

func hasField(cmd *command.Command, key string) bool {
	for i := range cmd.Args {
		outer, _, _ := strings.Cut(cmd.Args[i].Wire(), ".")
		if outer, _, _ = strings.Cut(outer, "["); outer == key || cmd.Args[i].Alias == key {
			return true
		}
	}
	return false
}

// fits reports whether a payload's value has the type of an argument.
func fits(a *command.Arg, v value.Value) bool {
	switch a.Type {
	case command.String:
		_, ok := v.AsStr()
		return ok
	case command.Int, command.Uint:
		_, ok := v.AsInt()
		return ok
	case command.Float:
		_, ok := v.AsFloat()
		return ok
	case command.Bool:
		return v.Kind() == value.KindBool
	case command.Bytes:
		_, ok := bytesOf(v)
		return ok
	case command.StringList:
		if v.Kind() != value.KindArray {
			return false
		}
		for i := range v.Len() {
			if _, ok := v.Index(i).AsStr(); !ok {
				return false
			}
		}
	case command.BlobList:
		return v.Kind() == value.KindArray
	case command.Places:
		return arePlaces(v)
	case command.Pairs:
		if a.Object {
			return v.Kind() == value.KindMap
		}
		if v.Kind() != value.KindArray {
			return false
		}
		for i := range v.Len() {
			_, isText := v.Index(i).Field("key").AsStr()
			if _, given := v.Index(i).Get("value"); !isText || !given {
				return false
			}
		}
	}
	return true
}
