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
