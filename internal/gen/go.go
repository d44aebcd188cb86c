package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"strings"
	"text/template"

	"github.com/libsynap/libsynap/core/command"
)

//go:embed templates/family.go.tmpl
var goTemplate string

// goOutputs renders the typed Go methods, one file per family, and the struct
// that ties the families to the Client.
func goOutputs() []output {
	t := template.Must(template.New("family.go.tmpl").Funcs(template.FuncMap{
		"camel": camel, "goName": goName, "comment": goComment, "join": strings.Join,
		"argType": goArgType, "argPack": goArgPack, "fieldType": goFieldType, "fieldUnpack": goFieldUnpack,
		"signature": goSignature, "required": required, "optional": optional, "optType": goOptionType, "optPack": goOptionPack,
		"records": records, "kind": replyKind, "familyType": familyType, "argDocs": goArgDocs,
		"zeroBefore": goZeroBefore, "callArgs": goCallArgs, "hasJSON": hasJSON,
		"unitOf": func(f command.Field) string { return unit(f.Unit) }, "unitArg": func(a command.Arg) string { return unit(a.Unit) },
		"defaultOf": goDefault, "lower": lowerFirst,
	}).Parse(goTemplate))
	var out []output
	render := func(path, name string, data any) {
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, name, data); err != nil {
			fatal(err)
		}
		src, err := format.Source(b.Bytes())
		if err != nil {
			fatal(fmt.Errorf("%s: %w\n%s", path, err, b.Bytes()))
		}
		out = append(out, output{path, src})
	}
	for _, f := range command.Families {
		render("core/"+f.Name+"_gen.go", "family", f)
	}
	render("core/families_gen.go", "families", command.Families)
	return out
}

// familyType is the Go type of a family's namespace.
func familyType(f string) string {
	switch f {
	case "kv":
		return "KV"
	case "pubsub":
		return "PubSub"
	case "sortedset":
		return "SortedSet"
	case "hyperloglog":
		return "HyperLogLog"
	}
	return camel(f)
}

var initialisms = map[string]string{"id": "ID", "ttl": "TTL", "kv": "KV", "json": "JSON", "db": "DB"}

// camel turns snake_case into CamelCase.
func camel(s string) string {
	var b strings.Builder
	for _, w := range strings.Split(s, "_") {
		if up, ok := initialisms[w]; ok {
			b.WriteString(up)
		} else if w != "" {
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return b.String()
}

// goName turns a snake_case argument into a Go parameter name.
func goName(s string) string {
	c := camel(s)
	head := strings.ToLower(c[:1]) + c[1:]
	if up, ok := initialisms[s]; ok {
		head = strings.ToLower(up)
	}
	if head == "value" { // would hide the package
		return "val"
	}
	return head
}

func goComment(prefix, text string) string {
	var b strings.Builder
	line := prefix
	for _, w := range strings.Fields(text) {
		if len(line)+1+len(w) > 80 && line != prefix {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = prefix
		}
		line += " " + w
	}
	b.WriteString(line)
	return b.String()
}

func required(c *command.Command) []command.Arg { return filterArgs(c, true) }
func optional(c *command.Command) []command.Arg { return filterArgs(c, false) }

func filterArgs(c *command.Command, want bool) []command.Arg {
	var out []command.Arg
	for _, a := range c.Args {
		if a.Required == want {
			out = append(out, a)
		}
	}
	return out
}

// records lists the records of a family, each once, in order of appearance.
func records(f *command.Family) []*command.Record {
	var out []*command.Record
	seen := map[string]bool{}
	for _, c := range f.Commands {
		if r := c.Reply.Record; r != nil && !seen[r.Name] {
			seen[r.Name] = true
			out = append(out, r)
		}
	}
	return out
}

func goArgType(a command.Arg) string {
	switch a.Type {
	case command.String, command.Blob:
		return "string"
	case command.Bytes:
		return "[]byte"
	case command.JSON:
		return "any"
	case command.Int, command.Uint:
		return "int64"
	case command.Float:
		return "float64"
	case command.Bool:
		return "bool"
	case command.StringList:
		return "[]string"
	case command.BlobList:
		return "[]string"
	case command.FloatList:
		return "[]float64"
	case command.Places:
		return "[]Place"
	case command.Pairs:
		return "[]Pair"
	case command.StringMap:
		return "map[string]string"
	}
	panic("no Go type for argument " + a.Name)
}

func goArgPack(a command.Arg, expr string) string {
	switch a.Type {
	case command.String:
		return "value.Str(" + expr + ")"
	case command.Blob:
		return "value.TextOrBytes(" + expr + ")"
	case command.Bytes:
		return "value.Bytes(" + expr + ")"
	case command.JSON:
		return goName(a.Name) + "Value"
	case command.Int, command.Uint:
		return "value.Int(" + expr + ")"
	case command.Float:
		return "value.Float(" + expr + ")"
	case command.Bool:
		return "value.Bool(" + expr + ")"
	case command.StringList:
		return "packStrings(" + expr + ")"
	case command.BlobList:
		return "packBlobs(" + expr + ")"
	case command.FloatList:
		return "packFloats(" + expr + ")"
	case command.Places:
		return "packPlaces(" + expr + ")"
	case command.Pairs:
		return "packPairs(" + expr + ")"
	case command.StringMap:
		return "packMap(" + expr + ")"
	}
	panic("no packing for argument " + a.Name)
}

// pointer reports whether an option must be a pointer, because its zero value
// is not what absence means.
func pointer(a command.Arg) bool {
	switch a.Type {
	case command.Bool:
		return a.Default == "true"
	case command.Int:
		return a.Min < 1 && a.Default != "0"
	case command.Float:
		return a.Default != "0"
	}
	return false
}

func goOptionType(a command.Arg) string {
	if pointer(a) {
		return "*" + goArgType(a)
	}
	return goArgType(a)
}

// goOptionPack is the statement that puts an option into args.
func goOptionPack(i int, a command.Arg) string {
	field := "options." + camel(a.Name)
	set := fmt.Sprintf("args[%d] = ", i)
	switch {
	case pointer(a):
		return fmt.Sprintf("if %s != nil {\n%s%s\n}", field, set, goArgPack(a, "*"+field))
	case a.Type == command.StringList || a.Type == command.StringMap || a.Type == command.FloatList:
		return fmt.Sprintf("if %s != nil {\n%s%s\n}", field, set, goArgPack(a, field))
	case a.Type == command.Bool:
		return fmt.Sprintf("if %s {\n%s%s\n}", field, set, goArgPack(a, field))
	case a.Type == command.String:
		return fmt.Sprintf("if %s != \"\" {\n%s%s\n}", field, set, goArgPack(a, field))
	}
	return fmt.Sprintf("if %s != 0 {\n%s%s\n}", field, set, goArgPack(a, field))
}

func goFieldType(f command.Field) string {
	switch f.Type {
	case command.String, command.StringOrNil, command.Blob:
		return "string"
	case command.FloatOrNil:
		return "*float64"
	case command.Int:
		return "int64"
	case command.IntOrNil:
		return "*int64"
	case command.Float:
		return "float64"
	case command.Bool:
		return "bool"
	case command.Bytes:
		return "[]byte"
	case command.JSON:
		return "JSON"
	case command.StringMap:
		return "map[string]string"
	}
	panic("no Go type for field " + f.Name)
}

func goFieldUnpack(i int, f command.Field) string {
	v := fmt.Sprintf("v.Index(%d)", i)
	switch f.Type {
	case command.String, command.StringOrNil, command.Blob:
		return "unpackString(" + v + ")"
	case command.FloatOrNil:
		return "unpackFloatOrNil(" + v + ")"
	case command.Int:
		return "unpackInt(" + v + ")"
	case command.IntOrNil:
		return "unpackIntOrNil(" + v + ")"
	case command.Float:
		return "unpackFloat(" + v + ")"
	case command.Bool:
		return "unpackBool(" + v + ")"
	case command.Bytes:
		return "unpackBytes(" + v + ")"
	case command.JSON:
		return "JSON{" + v + "}"
	case command.StringMap:
		return "unpackMap(" + v + ")"
	}
	panic("no unpacking for field " + f.Name)
}

func replyKind(c *command.Command) string {
	return [...]string{"nothing", "bool", "int", "intOrNil", "string", "blobOrNil", "bytesOrNil", "jsonOrNil", "strings", "blobs", "record", "recordOrNil", "records", "stream", "float", "map", "bools", "json",
		"floatOrNil", "floats", "ints", "recordsOrNil", "values"}[c.Reply.Kind]
}

// goSignature is the method's parameters and results.
func goSignature(family string, c *command.Command) string {
	params := []string{"ctx context.Context"}
	for _, a := range required(c) {
		params = append(params, goName(a.Name)+" "+goArgType(a))
	}
	if replyKind(c) == "jsonOrNil" {
		params = append(params, "into any")
	}
	if len(optional(c)) > 0 {
		params = append(params, "options *"+familyType(family)+camel(c.Method())+"Options")
	}
	record := ""
	if c.Reply.Record != nil {
		record = c.Reply.Record.Name
	}
	results := map[string]string{
		"nothing": "error", "bool": "(bool, error)", "int": "(int64, error)", "intOrNil": "(n int64, ok bool, err error)",
		"string": "(string, error)", "blobOrNil": "(stored string, found bool, err error)", "bytesOrNil": "([]byte, error)",
		"jsonOrNil": "(found bool, err error)", "strings": "([]string, error)", "blobs": "([]MaybeString, error)",
		"record": "(*" + record + ", error)", "recordOrNil": "(*" + record + ", error)", "records": "([]" + record + ", error)",
		"stream": "(*Feed[" + record + "], error)",
		"float":  "(float64, error)", "map": "(map[string]string, error)", "bools": "([]bool, error)", "json": "(JSON, error)",
		"floatOrNil": "(n float64, ok bool, err error)", "floats": "([]*float64, error)", "ints": "([]int64, error)", "recordsOrNil": "([]*" + record + ", error)", "values": "([]string, error)",
	}[replyKind(c)]
	return "(" + strings.Join(params, ", ") + ") " + results
}

func goArgDocs(c *command.Command) string {
	var b strings.Builder
	for _, a := range c.Args {
		if a.Required {
			b.WriteString("\n//   - " + goName(a.Name) + ": " + a.Doc + unit(a.Unit))
		}
	}
	return b.String()
}

func unit(u string) string {
	if u == "" {
		return ""
	}
	return " (" + u + ")"
}

func goDefault(a command.Arg) string {
	switch {
	case a.Default != "" && a.Default != "false" && a.Default != "0":
		return " Default: " + a.Default + "."
	case pointer(a):
		return " nil: absent."
	}
	return ""
}

func hasJSON(c *command.Command) bool {
	for _, a := range required(c) {
		if a.Type == command.JSON {
			return true
		}
	}
	return false
}

// goZeroBefore is what a failing method returns before its error.
func goZeroBefore(c *command.Command) string {
	return map[string]string{"nothing": "", "bool": "false, ", "int": "0, ", "intOrNil": "0, false, ", "string": `"", `,
		"blobOrNil": `"", false, `, "jsonOrNil": "false, ",
		"bytesOrNil": "nil, ", "strings": "nil, ", "blobs": "nil, ", "record": "nil, ", "recordOrNil": "nil, ", "records": "nil, ", "stream": "nil, ",
		"float": "0, ", "map": "nil, ", "bools": "nil, ", "json": "JSON{}, ",
		"floatOrNil": "0, false, ", "floats": "nil, ", "ints": "nil, ", "recordsOrNil": "nil, ", "values": "nil, "}[replyKind(c)]
}

// goCallArgs is what follows the command in the call.
func goCallArgs(c *command.Command) string {
	if len(optional(c)) > 0 {
		return ", args..."
	}
	out := ""
	for _, a := range c.Args {
		out += ", " + goArgPack(a, goName(a.Name))
	}
	return out
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
