package parity

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/tests/parity/calls"
)

func load(t *testing.T) []*calls.File {
	t.Helper()
	list, err := calls.Load()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// No command is left out by the calls, and no optional argument.
func TestCallsNameEverything(t *testing.T) {
	commands, arguments := calls.Missing(load(t))
	for _, name := range commands {
		t.Errorf("no step calls %s", name)
	}
	for _, name := range arguments {
		t.Errorf("no step gives the argument %s", name)
	}
}

// TestCalls runs every call through the typed method of Go, on the engine and on
// all wires.
func TestCalls(t *testing.T) {
	list := load(t)
	for _, f := range list {
		t.Run(f.Family, func(t *testing.T) {
			for _, g := range f.Groups {
				for _, on := range calls.Transports {
					if g.Holds(on) {
						t.Run(g.Name+"/"+on, func(t *testing.T) { runGroup(t, &g, on) })
					}
				}
			}
		})
	}
}

func runGroup(t *testing.T, g *calls.Group, on string) {
	address := "memory://"
	if on != "memory" {
		s, err := testserver.Start(testserver.Config{HTTP: "127.0.0.1:0", RPC: "127.0.0.1:0", RESP3: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		address = map[string]string{"http": s.URL(), "rpc": s.RPCURL(), "resp3": s.RESP3URL()}[on]
	}
	client, err := core.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	// A group stands or falls as a whole: a command without a form on this wire
	// must say so, and then the others prove nothing.
	if lacking := slices.IndexFunc(g.Steps, func(s calls.Step) bool { return !hasForm(s.Entry(), on) }); lacking >= 0 {
		s := &g.Steps[lacking]
		if slices.ContainsFunc(s.Args, func(a any) bool { return strings.Contains(fmt.Sprint(a), "$saved") }) {
			return
		}
		if _, err := invoke(client, s, s.Args); !errors.Is(err, errs.Unsupported) {
			t.Errorf("%s has no form here and gives %v", s.Command, err)
		}
		return
	}
	saved := map[string]any{}
	for i := range g.Steps {
		s := &g.Steps[i]
		got, err := invoke(client, s, calls.Resolve(s.Args, saved).([]any))
		where := fmt.Sprintf("step %d, %s%v", i+1, s.Command, s.Args)
		var failure *errs.Error
		switch {
		case err != nil && !errors.As(err, &failure):
			t.Fatalf("%s: %v", where, err)
		case failure != nil && s.Error == "":
			t.Errorf("%s: %v", where, failure)
		case s.Error != "" && (failure == nil || failure.Code.String() != s.Error):
			t.Errorf("%s: %v, %v; not the error %s", where, got, err, s.Error)
		case s.Error == "" && s.Checked:
			if d := calls.Match(calls.Resolve(s.Expect, saved), got); d != "" {
				t.Errorf("%s: %s", where, d)
			}
		}
		if s.Save != "" {
			saved[s.Save] = got
		}
	}
}

func hasForm(c *command.Command, on string) bool {
	switch on {
	case "rpc":
		return c.RPC != nil
	case "resp3":
		return c.RESP3 != nil
	}
	return true
}

// plain is a name without what distinguishes spellings.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func fieldNamed(v reflect.Value, name string) reflect.Value {
	return v.FieldByNameFunc(func(have string) bool { return plain(have) == plain(name) })
}

// invoke calls the typed method of a step and returns its result in the notation.
func invoke(client *core.Client, s *calls.Step, args []any) (any, error) {
	c := s.Entry()
	family := fieldNamed(reflect.ValueOf(client).Elem(), c.Family())
	if !family.IsValid() {
		return nil, fmt.Errorf("the client has no namespace for %s", c.Name)
	}
	var method reflect.Value
	for i := range family.NumMethod() {
		if plain(family.Type().Method(i).Name) == plain(c.Method()) {
			method = family.Method(i)
		}
	}
	if !method.IsValid() {
		return nil, fmt.Errorf("no typed method for %s", c.Name)
	}
	in := []reflect.Value{reflect.ValueOf(context.Background())}
	var options reflect.Value
	for i, a := range c.Args {
		if a.Required {
			v, err := spell(args[i], method.Type().In(len(in)))
			if err != nil {
				return nil, fmt.Errorf("%s: argument %s: %w", c.Name, a.Name, err)
			}
			in = append(in, v)
			continue
		}
		if !options.IsValid() {
			options = reflect.New(method.Type().In(method.Type().NumIn() - 1).Elem())
		}
		if args[i] == nil {
			continue
		}
		field := fieldNamed(options.Elem(), a.Name)
		v, err := spell(args[i], field.Type())
		if err != nil {
			return nil, fmt.Errorf("%s: option %s: %w", c.Name, a.Name, err)
		}
		field.Set(v)
	}
	var decoded any
	if c.Reply.Kind == command.ReplyJSONOrNil {
		in = append(in, reflect.ValueOf(&decoded))
	}
	if options.IsValid() {
		in = append(in, options)
	}
	out := method.Call(in)
	if err, _ := out[len(out)-1].Interface().(error); err != nil {
		return nil, err
	}
	switch {
	case c.Reply.Kind == command.ReplyJSONOrNil:
		return notation(reflect.ValueOf(&decoded).Elem(), nil), nil
	case len(out) == 1:
		return nil, nil
	case len(out) == 3 && !out[1].Bool():
		return nil, nil
	}
	return notation(out[0], c.Reply.Record), nil
}

// spell turns a value of the notation into one of a Go type.
func spell(v any, t reflect.Type) (reflect.Value, error) {
	out := reflect.New(t).Elem()
	misfit := fmt.Errorf("%v is no %s", v, t)
	switch t.Kind() {
	case reflect.String:
		b, ok := calls.Binary(v)
		if !ok {
			return out, misfit
		}
		out.SetString(string(b))
	case reflect.Bool:
		b, ok := v.(bool)
		if !ok {
			return out, misfit
		}
		out.SetBool(b)
	case reflect.Int64:
		f, _, ok := calls.Number(v)
		if !ok {
			return out, misfit
		}
		n, _ := f.Int64()
		out.SetInt(n)
	case reflect.Float64:
		f, text, ok := calls.Number(v)
		if !ok {
			return out, misfit
		}
		if f == nil {
			return spellFloat(text, out)
		}
		n, _ := f.Float64()
		out.SetFloat(n)
	case reflect.Interface:
		if v != nil {
			out.Set(reflect.ValueOf(v))
		}
	case reflect.Pointer:
		e, err := spell(v, t.Elem())
		if err != nil {
			return out, err
		}
		out.Set(reflect.New(t.Elem()))
		out.Elem().Set(e)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			b, ok := calls.Binary(v)
			if !ok {
				return out, misfit
			}
			out.SetBytes(b)
			break
		}
		list, ok := v.([]any)
		if !ok {
			return out, misfit
		}
		out.Set(reflect.MakeSlice(t, len(list), len(list)))
		for i := range list {
			e, err := spell(list[i], t.Elem())
			if err != nil {
				return out, err
			}
			out.Index(i).Set(e)
		}
	case reflect.Struct: // a tuple
		list, ok := v.([]any)
		if !ok || len(list) > t.NumField() {
			return out, misfit
		}
		for i := range list {
			e, err := spell(list[i], t.Field(i).Type)
			if err != nil {
				return out, err
			}
			out.Field(i).Set(e)
		}
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			return out, misfit
		}
		out.Set(reflect.MakeMap(t))
		for k := range m {
			e, err := spell(m[k], t.Elem())
			if err != nil {
				return out, err
			}
			out.SetMapIndex(reflect.ValueOf(k), e)
		}
	default:
		return out, misfit
	}
	return out, nil
}

func spellFloat(text string, out reflect.Value) (reflect.Value, error) {
	var f float64
	_, err := fmt.Sscan(text, &f)
	out.SetFloat(f)
	return out, err
}

// notation turns a Go value into the notation; record says what a struct is.
func notation(v reflect.Value, record *command.Record) any {
	if !v.IsValid() {
		return nil
	}
	switch x := v.Interface().(type) {
	case core.JSON:
		var decoded any
		if err := x.Decode(&decoded); err != nil {
			return err
		}
		return notation(reflect.ValueOf(&decoded).Elem(), nil)
	case []byte:
		return calls.Bytes(x)
	}
	if v.Kind() == reflect.Struct { // a value that may be missing
		if found := v.FieldByName("Found"); found.IsValid() && v.NumField() == 2 {
			if !found.Bool() {
				return nil
			}
			return notation(v.Field(0), nil)
		}
	}
	switch v.Kind() {
	case reflect.String:
		return calls.Text(v.String())
	case reflect.Float64:
		return calls.Float(v.Float())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return notation(v.Elem(), record)
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = notation(v.Index(i), record)
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = notation(v.MapIndex(k), record)
		}
		return out
	case reflect.Struct:
		out := calls.Record{}
		for _, f := range record.Fields {
			field := fieldNamed(v, f.Name)
			if f.Type == command.StringOrNil && field.Kind() == reflect.String && field.String() == "" {
				out[f.Name] = nil // Go says "" for nothing
				continue
			}
			out[f.Name] = notation(field, nil)
		}
		return out
	}
	return v.Interface()
}
