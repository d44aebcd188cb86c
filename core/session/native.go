package session

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func formOf(cmd *command.Command, wire Wire) *command.Form {
	n := cmd.RPC
	if wire == RESP3 {
		n = cmd.RESP3
	}
	if n == nil {
		return nil
	}
	return command.FormOf(n)
}

func wireName(wire Wire) string {
	if wire == RESP3 {
		return "RESP3"
	}
	return "SynapRPC"
}

func unsupported(wire Wire, name, what string) *errs.Error {
	return &errs.Error{Code: errs.Unsupported, Command: name,
		Message: name + what + " has no form on " + wireName(wire) + "; use http://. Nothing was sent"}
}

// planNative turns a typed call into a native command. arg returns an argument.
func planNative(steps []Step, wire Wire, cmd *command.Command, arg func(int) value.Value) ([]Step, *errs.Error) {
	form := formOf(cmd, wire)
	if form == nil {
		return nil, unsupported(wire, cmd.Name, "")
	}
	for i := range cmd.Args {
		a := &cmd.Args[i]
		if v := arg(i); !v.IsNil() && !form.Takes(i) && a.Field != "-" && !isDefault(a, v) {
			return nil, unsupported(wire, cmd.Name, " with "+a.Name)
		}
	}
	args, err := nativeArgs(cmd, form, arg)
	if err != nil || args == nil {
		return nil, err
	}
	return append(steps, Step{Command: cmd.ServerName(), Name: form.Name, Args: args, Idempotent: cmd.Traits.Idempotent}), nil
}

// isDefault reports whether v says what leaving it out says.
func isDefault(a *command.Arg, v value.Value) bool {
	if a.Default == "" {
		return false
	}
	return value.Equal(v, defaultOf(a))
}

func defaultOf(a *command.Arg) value.Value {
	switch a.Type {
	case command.Bool:
		return value.Bool(a.Default == "true")
	case command.Int, command.Uint:
		n, _ := strconv.ParseInt(a.Default, 10, 64)
		return value.Int(n)
	}
	return value.Str(a.Default)
}

// nativeArgs builds what follows a command's name; nil without an error if a
// list that must have elements has none, so that there is nothing to ask.
func nativeArgs(cmd *command.Command, form *command.Form, arg func(int) value.Value) ([]value.Value, *errs.Error) {
	out := make([]value.Value, 0, len(form.Tokens))
	// held are fillers, sent only before an argument that is given.
	var held []value.Value
	for i := range form.Tokens {
		t := &form.Tokens[i]
		if t.Group >= 0 && arg(t.Group).IsNil() {
			if t.Filler != "" {
				n, _ := strconv.ParseInt(t.Filler, 10, 64)
				held = append(held, value.Int(n))
			}
			continue
		}
		out, held = append(out, held...), nil
		if t.Count {
			out = append(out, value.Int(int64(arg(t.Arg).Len())))
			continue
		}
		if t.Flag {
			on := arg(t.Arg)
			if on.IsNil() {
				on = defaultOf(&cmd.Args[t.Arg])
			}
			if b, _ := on.AsBool(); b {
				out = append(out, value.Str(t.Literal))
			}
			continue
		}
		if t.Literal != "" {
			out = append(out, value.Str(t.Literal))
			continue
		}
		a := &cmd.Args[t.Arg]
		v := arg(t.Arg)
		if v.IsNil() && !a.Required {
			if t.List && !a.Required {
				continue
			}
			v = defaultOf(a)
		}
		if t.List {
			if v.Len() == 0 && a.Required {
				return nil, nil
			}
			if v.Kind() == value.KindMap { // pairs of an envelope's object
				for j := range v.Len() {
					k, e := v.Pair(j)
					out = append(out, k, blobOf(a, e))
				}
				continue
			}
			for j := range v.Len() {
				if a.Type == command.Places {
					out = appendPlace(out, t.Conv, v.Index(j))
					continue
				}
				out = appendElement(out, a, v.Index(j))
			}
			continue
		}
		sent, err := nativeArg(cmd, a, t.Conv, v)
		if err != nil {
			return nil, err
		}
		out = append(out, sent)
	}
	return out, nil
}

func appendElement(out []value.Value, a *command.Arg, e value.Value) []value.Value {
	switch {
	case a.Type == command.BlobList && a.Encoded:
		return append(out, fromByteArray(e))
	case a.Type == command.BlobList:
		return append(out, blobOf(a, e))
	case a.Type != command.Pairs:
		return append(out, e)
	case e.Kind() == value.KindMap: // of an envelope
		return append(out, e.Field("key"), blobOf(a, e.Field("value")))
	}
	return append(out, e.Index(0), blobOf(a, e.Index(1)))
}

// blobOf is a value in the form in which the argument travels.
func blobOf(a *command.Arg, v value.Value) value.Value {
	if a.Stored {
		return storedText(v)
	}
	return blob(v)
}

// blob is how a stored value travels: text and bytes themselves, any other value
// (of raw commands) as the JSON text that the server makes of it over HTTP.
func blob(v value.Value) value.Value {
	if _, ok := v.AsBlob(); ok {
		return v
	}
	text, err := value.AppendSortedJSON(nil, v)
	if err != nil {
		return value.Nil
	}
	return value.Str(string(text))
}

func jsonText(v value.Value) value.Value {
	text, err := value.AppendJSON(nil, v)
	if err != nil { // Validate has refused what JSON cannot carry
		return value.Nil
	}
	return value.Str(string(text))
}

func nativeArg(cmd *command.Command, a *command.Arg, conv command.Conv, v value.Value) (value.Value, *errs.Error) {
	switch {
	case conv == command.TextOnly:
		if _, ok := v.AsStr(); !ok {
			// The server would deliver the JSON text of it as text.
			return v, unsupported(RESP3, cmd.Name, " of a "+a.Name+" that is not text")
		}
		return v, nil
	case a.Stored:
		return storedText(v), nil
	case a.Type == command.Float:
		return float(v), nil
	case conv == command.JSONText || (a.Type == command.JSON && a.Encoded):
		return jsonText(v), nil
	case a.Type == command.Blob:
		return blob(v), nil
	case a.Type == command.Bytes:
		s, ok := bytesOf(v)
		if !ok {
			s, _ = v.AsBlob()
		}
		return value.BytesOf(s), nil
	}
	return v, nil
}

// planRaw turns an envelope's command and payload into a native command: that of
// the first entry which takes all that the payload holds.
func planRaw(steps []Step, wire Wire, name string, payload value.Value) (*command.Command, []Step, *errs.Error) {
	var refused *errs.Error
	for _, cmd := range command.Entries(name) {
		form := formOf(cmd, wire)
		if form == nil || (cmd.Queues() && !queues(cmd, payload)) {
			continue
		}
		arg, err := payloadArgs(wire, cmd, form, payload)
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
func payloadArgs(wire Wire, cmd *command.Command, form *command.Form, payload value.Value) (func(int) value.Value, *errs.Error) {
	found := 0
	args := make([]value.Value, len(cmd.Args))
	for i := range cmd.Args {
		a := &cmd.Args[i]
		field := a.Wire()
		if field == "-" {
			continue
		}
		outer, inner, nested := strings.Cut(field, ".")
		outer, at, listed := inBrackets(outer)
		v, given := payload.Get(outer)
		if !given && a.Alias != "" {
			v, given = payload.Get(a.Alias)
		}
		switch {
		case nested:
			v = v.Field(inner)
		case listed && v.Kind() == value.KindArray && at < v.Len():
			v = v.Index(at)
		case listed:
			v = value.Nil
		case given:
			found++
		case a.Sent && a.Type == command.Bool:
			v = value.Bool(false) // what absence means in an envelope
		}
		if a.Choice && a.Required && v.IsNil() {
			return nil, unsupported(wire, cmd.ServerName(), " without "+outer)
		}
		if a.Required && !a.Loose && v.IsNil() && a.Type != command.Blob && a.Type != command.JSON || a.Required && !a.Loose && !given && !nested {
			return nil, &errs.Error{Code: errs.InvalidArgument, Command: cmd.ServerName(), Message: "Missing '" + field + "' field"}
		}
		if a.Loose {
			v = loose(v)
		}
		if !v.IsNil() && !fits(a, v) {
			if !a.Required && !a.Loose { // the envelope takes it for missing
				continue
			}
			return nil, &errs.Error{Code: errs.InvalidArgument, Command: cmd.ServerName(), Message: field + " cannot be a " + v.Kind().String()}
		}
		if !v.IsNil() && a.Check != nil {
			if wrong := a.Check(v); wrong != "" {
				return nil, &errs.Error{Code: errs.InvalidArgument, Command: cmd.ServerName(), Message: field + " " + wrong}
			}
		}
		if n, ok := v.AsInt(); ok && n < 0 && a.Min >= 0 && a.Max > 0 {
			// The native wires take it for a huge number (protocol: synaprpc quirk 3),
			// where the envelope refuses it or takes it for none.
			if !a.Required && a.Unit != "seconds" {
				continue
			}
			return nil, &errs.Error{Code: errs.InvalidArgument, Command: cmd.ServerName(), Message: field + " must not be negative"}
		}
		if a.NonEmpty && v.Len() == 0 && (a.Type == command.BlobList || a.Type == command.Places) {
			// Over HTTP it makes an empty list, set or other key.
			return nil, unsupported(wire, cmd.ServerName(), " of no "+field)
		}
		if s, isText := v.AsStr(); isText && wire == RESP3 && a.OneOf != nil && !isOneOf(a, s) {
			// RESP3 takes an unknown unit for metres (protocol: resp3 5).
			return nil, unsupported(wire, cmd.ServerName(), " with "+a.Name+" "+strconv.Quote(s))
		}
		if a.NonEmpty && v.Len() == 0 {
			return nil, &errs.Error{Code: errs.InvalidArgument, Command: cmd.ServerName(), Message: field + " must not be empty"}
		}
		args[i] = v
	}
	if payload.Kind() == value.KindMap && found < payload.Len() {
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

// nothingAsked is the result of a command on an empty list.
func nothingAsked(cmd *command.Command) value.Value {
	switch cmd.Reply.Kind {
	case command.ReplyBlobs, command.ReplyValues, command.ReplyStrings, command.ReplyRecords, command.ReplyBools, command.ReplyMaybeRecords:
		return value.Array()
	case command.ReplyInt:
		return value.Int(0)
	case command.ReplyBool: // msetnx: no key stands in the way
		return value.Bool(true)
	}
	return value.Nil
}

// rawNothing is the envelope's reply to a command on an empty list.
func rawNothing(cmd *command.Command) value.Value {
	if cmd.Reply.Field == "" {
		return value.Map(value.Str("success"), value.Bool(true))
	}
	return value.Map(value.Str(cmd.Reply.Field), nothingAsked(cmd))
}

// NativeError returns the Error for a text that the server reported on a native
// wire. What stands before the store's own text differs per wire (protocol:
// synaprpc 6, resp3 3).
func NativeError(text string) *errs.Error {
	plain := text
	for strings.HasPrefix(plain, "ERR ") {
		plain = plain[4:]
	}
	e := errs.FromServer(plain)
	if known := errs.FromServer("Invalid request: " + plain); e.Code == errs.Server && known.Code != errs.InvalidArgument {
		e.Code, e.Status = known.Code, known.Status // the same text without what HTTP puts before it
	}
	switch {
	case strings.HasPrefix(plain, "NOAUTH"):
		e.Code, e.Message = errs.Unauthenticated, "the server wants credentials: give username and password"
	case strings.HasPrefix(plain, "WRONGPASS"):
		e.Code = errs.Unauthenticated
		e.Message = "the server refuses the username and password. A server whose authentication is off refuses any: connect without them then"
	case strings.HasPrefix(plain, "NOPERM"):
		e.Code = errs.PermissionDenied
	case strings.HasPrefix(plain, "unknown command"):
		e.Code, e.Message = errs.Unsupported, "the server does not know this command: "+plain
	case strings.HasPrefix(plain, "key does not exist"):
		e.Code = errs.NotFound
	case e.Code == errs.Server && e.Status == 0 && plain != text:
		// What the wire itself refuses is about the arguments.
		e.Code = errs.InvalidArgument
	}
	return e
}
