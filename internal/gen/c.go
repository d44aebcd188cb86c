package main

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"regexp"
	"strings"
	"text/template"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
)

//go:embed templates/*.h.tmpl templates/*.hpp.tmpl
var cTemplates embed.FS

// cOutputs renders what of the C headers derives from the table, and what the
// library must know of it.
func cOutputs() []output {
	constants := fmt.Sprintf("/* %s */\n#define LIBRARY_VERSION \"%s\"\n#define CODE_FORK %d\n", banner, libraryVersion(), errs.Fork)
	return append(familyHeaders("h"),
		output{"include/synap/codes_gen.h", renderC("codes.h.tmpl", nil)},
		output{"include/synap/commands_gen.h", renderC("commands.h.tmpl", nil)},
		output{"capi/constants_gen.h", []byte(constants)})
}

// familyHeaders renders one header per family: C for ext h, C++ for hpp.
func familyHeaders(ext string) []output {
	var outputs []output
	for _, f := range command.Families {
		outputs = append(outputs, output{"include/synap/" + f.Name + "_gen." + ext, renderC("family."+ext+".tmpl", f)})
	}
	return outputs
}

// libraryVersion is what the file VERSION says.
func libraryVersion() string {
	b, err := os.ReadFile("VERSION")
	if err != nil {
		fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// renderC renders a template with what C and C++ have in common.
func renderC(name string, family *command.Family) []byte {
	t := template.Must(template.New(name).Funcs(template.FuncMap{
		"cName": cName, "upper": upperSnake, "cComment": cComment, "records": records,
		"required": required, "optional": optional, "kind": replyKind, "argDoc": cArgDoc,
		"params": cParams, "names": cNames, "optionField": cOptionField, "pack": cPack, "packOption": cPackOption,
		"fieldType": cFieldType, "readField": cReadField, "unitOf": func(f command.Field) string { return unit(f.Unit) },
		"out": cOut, "frameHead": frameHead, "join": strings.Join, "screaming": strings.ToUpper,
		"optionsInit": cOptionsInit, "signature": cSignature, "errorsDoc": cErrorsDoc,
		"errorNames": cErrorNames, "cppOptionType": cppOptionType,
		"lower": lowerFirst, "cppMethod": cppMethod, "cppParams": cppParams, "cppOption": cppOption,
		"cppPack": cppPack, "cppPackOption": cppPackOption, "cppField": cppField, "cppReadField": cppReadField,
		"cppResult": cppResult, "cppReturn": cppReturn, "optStruct": cppOptions, "familyClass": familyType,
	}).ParseFS(cTemplates, "templates/*"))
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Banner": banner, "Family": family, "Families": command.Families, "Codes": errs.Table,
		"Options": config.Names(), "Version": libraryVersion()}); err != nil {
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
	rest := indent + " *"
	switch {
	case strings.HasPrefix(first, " *"):
		rest = " *"
	case strings.HasPrefix(first[len(indent):], "//"):
		rest = indent + "//"
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
		case command.BlobList:
			out += ", const synap_blob *" + a.Name + ", size_t " + a.Name + "_count"
		case command.Places:
			out += ", const synap_place *" + a.Name + ", size_t " + a.Name + "_count"
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
		if a.Type == command.StringList || a.Type == command.Pairs || a.Type == command.BlobList || a.Type == command.Places {
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
	case command.Float:
		return "bool has_" + a.Name + "; double " + a.Name + ";"
	case command.FloatList:
		return "const double *" + a.Name + "; size_t " + a.Name + "_count;"
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
	case command.BlobList:
		return "synap_write_blobs(w, " + a.Name + ", " + a.Name + "_count);"
	case command.Places:
		return "synap_write_places(w, " + a.Name + ", " + a.Name + "_count);"
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
	case command.Float:
		write = "synap_write_float(w, " + o + ");"
	case command.FloatList:
		given, write = o+" != NULL", "synap_write_floats(w, "+o+", "+o+"_count);"
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
	case command.Blob:
		return "synap_blob " + f.Name + ";"
	case command.FloatOrNil:
		return "bool has_" + f.Name + "; double " + f.Name + ";"
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
	case command.Blob:
		return o + " = synap_value_blob(field);"
	case command.FloatOrNil:
		return "out->has_" + f.Name + " = field.kind == SYNAP_FLOAT;\n    " + o + " = synap_value_float(field);"
	case command.IntOrNil:
		return "out->has_" + f.Name + " = field.kind == SYNAP_INT;\n    " + o + " = synap_value_int(field);"
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

// cOptionsInit initializes an options struct: every option absent.
func cOptionsInit(c *command.Command) string {
	var parts []string
	for _, a := range optional(c) {
		if pointer(a) {
			parts = append(parts, "false")
		}
		switch a.Type {
		case command.String:
			parts = append(parts, "{NULL, 0}")
		case command.Int, command.Float:
			parts = append(parts, "0")
		case command.Bool:
			parts = append(parts, "false")
		default: // a list and its count
			parts = append(parts, "NULL, 0")
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// cSignature breaks a long line at its commas.
func cSignature(line string) string {
	const width, indent = 110, "        "
	var b strings.Builder
	for len(line) > width {
		i := strings.LastIndex(line[:width], ", ")
		b.WriteString(line[:i+1] + "\n")
		line = indent + line[i+2:]
	}
	return b.String() + line
}

var errorNames = func() *regexp.Regexp {
	var names []string
	for _, c := range errs.Table {
		names = append(names, c.Name)
	}
	return regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)\b`)
}()

// cErrorsDoc says what a command fails with, in the names of C.
func cErrorsDoc(c *command.Command) string {
	if c.Errors == "" {
		return "."
	}
	return ": " + cErrorNames(c.Errors)
}

// cErrorNames puts the names of C where a text names codes.
func cErrorNames(text string) string {
	return errorNames.ReplaceAllStringFunc(text, func(name string) string { return "SYNAP_E" + upperSnake(name) })
}

// outParam is the output parameter of a wrapper: its declaration, its
// documentation and how it is read from the reply.
type outParam struct {
	Decl string
	Docs []string
	Read string
}

func cOut(c *command.Command) outParam {
	rec := ""
	if c.Reply.Record != nil {
		rec = "synap_" + cName(c.Reply.Record.Name)
	}
	out := func(how string) string { return "\\param out " + how + " " + c.Reply.Doc }
	switch replyKind(c) {
	case "nothing":
		return outParam{Read: "synap_buf_free(&reply);"}
	case "bool":
		return outParam{", bool *out", []string{out("May be NULL.")}, "synap_bool_take(out, &reply);"}
	case "int":
		return outParam{", int64_t *out", []string{out("May be NULL.")}, "synap_int_take(out, NULL, &reply);"}
	case "intOrNil":
		return outParam{", int64_t *out, bool *present", []string{out("May be NULL."), "\\param present May be NULL. Whether there is a result."},
			"synap_int_take(out, present, &reply);"}
	case "float":
		return outParam{", double *out", []string{out("May be NULL.")}, "synap_float_take(out, &reply);"}
	case "floatOrNil":
		return outParam{", double *out, bool *present", []string{out("May be NULL."), "\\param present May be NULL. Whether there is a result."},
			"synap_float_or_nil_take(out, present, &reply);"}
	case "map", "json":
		return outParam{", SYNAP_OWN synap_reply *out", []string{out("Yours: read its value, free it with synap_reply_free.")}, "synap_reply_take(out, &reply);"}
	case "string", "blobOrNil", "bytesOrNil", "jsonOrNil":
		return outParam{", SYNAP_OWN synap_reply *out", []string{out("Yours: free it with synap_reply_free.")}, "synap_reply_take(out, &reply);"}
	case "strings", "blobs", "records", "bools", "floats", "ints", "recordsOrNil", "values":
		return outParam{", SYNAP_OWN synap_list *out", []string{out("Yours: read it with " + cListReader(c) + ", free it with synap_list_free.")}, "synap_list_take(out, &reply);"}
	case "record":
		return outParam{", SYNAP_OWN " + rec + "_t *out", []string{out("Yours: free it with " + rec + "_free.")}, rec + "_take(out, NULL, synap_parse(reply), &reply);"}
	case "recordOrNil":
		return outParam{", SYNAP_OWN " + rec + "_t *out, bool *found", []string{out("Yours if *found: free it with " + rec + "_free."), "\\param found May be NULL. Whether there is a result."},
			rec + "_take(out, found, synap_parse(reply), &reply);"}
	}
	return outParam{", int64_t *subscription", []string{"\\param subscription Read it with synap_" + cName(c.Name) + "_next, or many items at once with synap_next and " + rec + "_next; end it with synap_unsubscribe."},
		"synap_int_take(subscription, NULL, &reply);"}
}

func cListReader(c *command.Command) string {
	switch replyKind(c) {
	case "strings":
		return "synap_list_next_str"
	case "blobs", "bools", "floats", "ints", "values":
		return "synap_list_next"
	case "recordsOrNil":
		return "synap_list_next, and what is not SYNAP_NIL with synap_" + cName(c.Reply.Record.Name) + "_read"
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
