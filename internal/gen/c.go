package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
)

//go:embed templates/synap.h.tmpl
var cTemplate string

// cOutputs renders the C header.
func cOutputs() []output {
	return []output{{"include/synap.h", renderC("synap.h.tmpl", cTemplate)}}
}

// renderC renders a template with what C and C++ have in common.
func renderC(name, text string) []byte {
	t := template.Must(template.New(name).Funcs(template.FuncMap{
		"cName": cName, "upper": upperSnake, "cComment": cComment, "records": records,
		"required": required, "optional": optional, "kind": replyKind, "argDoc": cArgDoc,
		"params": cParams, "names": cNames, "optionField": cOptionField, "pack": cPack, "packOption": cPackOption,
		"fieldType": cFieldType, "readField": cReadField, "unitOf": func(f command.Field) string { return unit(f.Unit) },
		"out": cOut, "listReader": cListReader, "frameHead": frameHead, "inc": func(i int) int { return i + 1 },
		"lower": lowerFirst, "cppMethod": cppMethod, "cppParams": cppParams, "cppOption": cppOption,
		"cppPack": cppPack, "cppPackOption": cppPackOption, "cppField": cppField, "cppReadField": cppReadField,
		"cppResult": cppResult, "cppReturn": cppReturn, "optStruct": cppOptions, "familyClass": familyType,
	}).Parse(text))
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Families": command.Families, "Codes": errs.Table}); err != nil {
		fatal(err)
	}
	return b.Bytes()
}

// cName turns CamelCase or dotted names into snake_case.
func cName(s string) string {
	s = strings.NewReplacer("PubSub", "Pubsub", "KV", "Kv", ".", "_").Replace(s)
	var b strings.Builder
	for i, r := range s {
		if r >= 'A' && r <= 'Z' {
			if i > 0 && s[i-1] != '_' {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func upperSnake(s string) string { return strings.ToUpper(cName(s)) }

// cComment wraps text in a block comment; first begins its first line.
func cComment(first, text string) string {
	indent := first[:len(first)-len(strings.TrimLeft(first, " "))]
	rest := indent
	switch trimmed := first[len(indent):]; {
	case strings.HasPrefix(trimmed, "//"):
		rest += "//"
	case indent == "" || strings.HasPrefix(first, " *"):
		rest = " *"
	default:
		rest += " *"
	}
	var b strings.Builder
	line, empty := first, true
	for _, w := range strings.Fields(strings.ReplaceAll(text, "*/", "* /")) {
		w = strings.ReplaceAll(w, "/*", "/ *")
		if len(line)+1+len(w) > 96 && !empty {
			b.WriteString(line + "\n")
			line = rest
		}
		line, empty = line+" "+w, false
	}
	b.WriteString(line)
	return b.String()
}

func cArgDoc(a command.Arg) string {
	s := a.Doc + unit(a.Unit)
	if a.Min != 0 || a.Max != 0 {
		s += fmt.Sprintf(" From %d to %d.", a.Min, a.Max)
	}
	if !a.Required && a.Default != "" {
		s += " Default: " + a.Default + "."
	}
	return s
}

// cParams are the parameters of required arguments.
func cParams(c *command.Command) string {
	out := ""
	for _, a := range required(c) {
		switch a.Type {
		case command.String:
			out += ", synap_str " + a.Name
		case command.Blob:
			out += ", synap_blob " + a.Name
		case command.Bytes:
			out += ", synap_bytes " + a.Name
		case command.JSON:
			out += ", const synap_writer *" + a.Name
		case command.Int:
			out += ", int64_t " + a.Name
		case command.Float:
			out += ", double " + a.Name
		case command.Bool:
			out += ", bool " + a.Name
		case command.StringList:
			out += ", const synap_str *" + a.Name + ", size_t " + a.Name + "_count"
		case command.Pairs:
			out += ", const synap_pair *" + a.Name + ", size_t " + a.Name + "_count"
		default:
			panic("no C type for argument " + a.Name)
		}
	}
	if len(optional(c)) > 0 {
		out += ", const synap_" + cName(c.Name) + "_options *options"
	}
	return out
}

// cNames are the same as arguments of a call.
func cNames(c *command.Command) string {
	out := ""
	for _, a := range required(c) {
		out += ", " + a.Name
		if a.Type == command.StringList || a.Type == command.Pairs {
			out += ", " + a.Name + "_count"
		}
	}
	if len(optional(c)) > 0 {
		out += ", options"
	}
	return out
}

// cOptionField declares an option; zero means absent unless it has a flag.
func cOptionField(a command.Arg) string {
	switch a.Type {
	case command.String:
		return "synap_str " + a.Name + ";"
	case command.Int:
		if pointer(a) {
			return "bool has_" + a.Name + "; int64_t " + a.Name + ";"
		}
		return "int64_t " + a.Name + ";"
	case command.Bool:
		if pointer(a) {
			return "bool has_" + a.Name + "; bool " + a.Name + ";"
		}
		return "bool " + a.Name + ";"
	case command.StringList:
		return "const synap_str *" + a.Name + "; size_t " + a.Name + "_count;"
	case command.StringMap:
		return "const synap_str_pair *" + a.Name + "; size_t " + a.Name + "_count;"
	}
	panic("no C type for option " + a.Name)
}

func cPack(a command.Arg) string {
	switch a.Type {
	case command.String:
		return "synap_write_str(w, " + a.Name + ");"
	case command.Blob:
		return "synap_write_blob(w, " + a.Name + ");"
	case command.Bytes:
		return "synap_write_bytes(w, " + a.Name + ");"
	case command.JSON:
		return "synap_write_value(w, " + a.Name + ");"
	case command.Int:
		return "synap_write_int(w, " + a.Name + ");"
	case command.Float:
		return "synap_write_float(w, " + a.Name + ");"
	case command.Bool:
		return "synap_write_bool(w, " + a.Name + ");"
	case command.StringList:
		return "synap_write_strs(w, " + a.Name + ", " + a.Name + "_count);"
	case command.Pairs:
		return "synap_write_pairs(w, " + a.Name + ", " + a.Name + "_count);"
	}
	panic("no packing for argument " + a.Name)
}

func cPackOption(a command.Arg) string {
	o := "options->" + a.Name
	given := o + " != 0"
	write := "synap_write_int(w, " + o + ");"
	switch a.Type {
	case command.String:
		given, write = o+".data != NULL", "synap_write_str(w, "+o+");"
	case command.Bool:
		given, write = o, "synap_write_bool(w, "+o+");"
	case command.StringList:
		given, write = o+" != NULL", "synap_write_strs(w, "+o+", "+o+"_count);"
	case command.StringMap:
		given, write = o+" != NULL", "synap_write_str_pairs(w, "+o+", "+o+"_count);"
	}
	if pointer(a) {
		given = "options->has_" + a.Name
	}
	return "if (options != NULL && " + given + ")\n        " + write + "\n    else\n        synap_write_nil(w);"
}

func cFieldType(f command.Field) string {
	switch f.Type {
	case command.String, command.StringOrNil:
		return "synap_str " + f.Name + ";"
	case command.Int:
		return "int64_t " + f.Name + ";"
	case command.IntOrNil:
		return "bool has_" + f.Name + "; int64_t " + f.Name + ";"
	case command.Float:
		return "double " + f.Name + ";"
	case command.Bool:
		return "bool " + f.Name + ";"
	case command.Bytes:
		return "synap_bytes " + f.Name + ";"
	case command.JSON, command.StringMap:
		return "synap_value " + f.Name + ";"
	}
	panic("no C type for field " + f.Name)
}

func cReadField(f command.Field) string {
	o := "out->" + f.Name
	switch f.Type {
	case command.String, command.StringOrNil:
		return o + " = synap_value_str(field);"
	case command.Int:
		return o + " = synap_value_int(field);"
	case command.IntOrNil:
		return "out->has_" + f.Name + " = field.kind != SYNAP_NIL;\n    " + o + " = synap_value_int(field);"
	case command.Float:
		return o + " = synap_value_float(field);"
	case command.Bool:
		return o + " = synap_value_bool(field);"
	case command.Bytes:
		return o + " = synap_value_bytes(field);"
	case command.JSON, command.StringMap:
		return o + " = field;"
	}
	panic("no reading for field " + f.Name)
}

// cOut is the output parameter of a wrapper, with its documentation.
type outParam struct{ Decl, Doc, Read string }

func cOut(c *command.Command) outParam {
	rec := ""
	if c.Reply.Record != nil {
		rec = "synap_" + cName(c.Reply.Record.Name)
	}
	switch replyKind(c) {
	case "nothing":
		return outParam{"", "", "synap_buf_free(&reply);"}
	case "bool":
		return outParam{", bool *out", "out: NULL, or where the result goes.", "if (out != NULL)\n        *out = synap_value_bool(synap_parse(reply));\n    synap_buf_free(&reply);"}
	case "int":
		return outParam{", int64_t *out", "out: NULL, or where the result goes.", "if (out != NULL)\n        *out = synap_value_int(synap_parse(reply));\n    synap_buf_free(&reply);"}
	case "intOrNil":
		return outParam{", int64_t *out, bool *present", "out, present: NULL, or where the result goes and whether there is one.",
			"if (out != NULL)\n        *out = synap_value_int(synap_parse(reply));\n    if (present != NULL)\n        *present = synap_parse(reply).kind != SYNAP_NIL;\n    synap_buf_free(&reply);"}
	case "string", "blobOrNil", "bytesOrNil", "jsonOrNil":
		return outParam{", synap_reply *out", "out: yours; free it with synap_reply_free.", "synap_reply_take(out, &reply);"}
	case "strings", "blobs", "records":
		return outParam{", synap_list *out", "out: yours; read it with " + cListReader(c) + ", free it with synap_list_free.", "synap_list_take(out, &reply);"}
	case "record":
		return outParam{", " + rec + "_t *out", "out: yours; free it with " + rec + "_free.", rec + "_read(synap_parse(reply), out);\n    out->owner = reply;"}
	case "recordOrNil":
		return outParam{", " + rec + "_t *out, bool *found", "out: yours if *found; free it with " + rec + "_free.",
			"*found = synap_parse(reply).kind != SYNAP_NIL;\n    " + rec + "_read(synap_parse(reply), out);\n    if (*found)\n        out->owner = reply;\n    else\n        synap_buf_free(&reply);"}
	}
	return outParam{", int64_t *subscription", "subscription: read it with synap_next and " + rec + "_next, end it with synap_unsubscribe.",
		"*subscription = synap_value_int(synap_parse(reply));\n    synap_buf_free(&reply);"}
}

func cListReader(c *command.Command) string {
	switch replyKind(c) {
	case "strings":
		return "synap_list_next_str"
	case "blobs":
		return "synap_list_next"
	}
	return "synap_" + cName(c.Reply.Record.Name) + "_next"
}

// frameHead is the operation number of a command's frame.
func frameHead(c *command.Command) int {
	if c.Reply.Kind == command.ReplyStream {
		return 3
	}
	return 0
}
