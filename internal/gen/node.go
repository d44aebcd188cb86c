package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
)

//go:embed templates/node.tmpl
var nodeTemplate string

// nodeOutputs renders the TypeScript package's generated modules: errors,
// records, one module per family (options, request frames, the class of clients
// and that of batches), and for its tests a plain copy of the table and the
// examples of the documentation.
func nodeOutputs() []output {
	t := template.Must(template.New("node").Funcs(template.FuncMap{
		"quote": pyQuote, "docText": tsDocText, "familyType": tsFamilyType, "lowerCamel": lowerCamel, "optionName": tsOptionName,
		"fieldDoc": tsFieldDoc, "fieldType": tsFieldType, "fieldValue": tsFieldValue, "argDoc": tsArgDoc, "argType": tsArgType,
		"optional": optional, "required": required, "method": tsMethod, "argsType": tsArgsType, "names": tsNames,
		"frame": tsFrame, "makers": tsMakers, "methodOf": tsMethodOf, "batchMethod": tsBatchMethod, "replyKind": replyKind,
		"example": tsExample,
	}).Parse(nodeTemplate))
	version, err := os.ReadFile("VERSION")
	if err != nil {
		fatal(err)
	}
	var all []*command.Record
	for _, f := range command.Families {
		for _, r := range records(f) {
			if !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	tables := map[string]any{
		"Families": command.Families, "Records": all, "Errors": errs.Table, "Options": config.Names(),
		"Version": strings.TrimSpace(string(version)), "Banner": banner,
	}
	var out []output
	render := func(path, name string, data any) {
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, name, data); err != nil {
			fatal(err)
		}
		out = append(out, output{"bindings/node/" + path, tsPruneImports(b.String())})
	}
	for _, name := range []string{"version", "options", "errors", "records", "families", "index"} {
		render("src/generated/"+name+".ts", name, tables)
	}
	for _, f := range command.Families {
		render("src/generated/"+f.Name+".ts", "family", map[string]any{"Family": f, "Banner": banner, "Records": records(f)})
	}
	render("test/generated/table.mjs", "table", tables)
	render("test/generated/examples.ts", "examples", tables)
	return out
}

var (
	tsImport   = regexp.MustCompile(`^import (type )?\{ (.*) \} from (.*)$`)
	tsComments = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
)

// tsPruneImports drops names that the module does not use from its imports.
func tsPruneImports(src string) []byte {
	code := tsComments.ReplaceAllString(src, "")
	lines := strings.Split(src, "\n")
	kept := lines[:0]
	for _, line := range lines {
		if m := tsImport.FindStringSubmatch(line); m != nil {
			var used []string
			for _, name := range strings.Split(m[2], ", ") {
				bare := strings.TrimPrefix(name, "type ")
				if len(regexp.MustCompile(`\b`+bare+`\b`).FindAllString(code, 2)) > 1 {
					used = append(used, name)
				}
			}
			if len(used) == 0 {
				continue
			}
			line = "import " + m[1] + "{ " + strings.Join(used, ", ") + " } from " + m[3]
		}
		kept = append(kept, line)
	}
	return []byte(strings.TrimRight(strings.Join(kept, "\n"), "\n") + "\n")
}

// lowerCamel turns snake_case into camelCase.
func lowerCamel(s string) string {
	words := strings.Split(s, "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// tsOptionName is the name of a client option. Times name their unit, because
// that of the other languages is the second and that of JavaScript is not.
func tsOptionName(name string) string {
	switch name {
	case "timeout", "connect_timeout", "backoff":
		return lowerCamel(name) + "Ms"
	}
	return lowerCamel(name)
}

// tsFamilyType is the class of a family: Set is that of the language.
func tsFamilyType(f string) string {
	if f == "set" {
		return "SetCommands"
	}
	return familyType(f)
}

func tsMethod(c *command.Command) string { return lowerCamel(c.Method()) }

// tsArgsType is the name of the type of a command's optional arguments.
func tsArgsType(c *command.Command) string {
	return familyType(c.Family()) + camelName(c.Method()) + "Args"
}

func camelName(s string) string {
	s = lowerCamel(s)
	return strings.ToUpper(s[:1]) + s[1:]
}

func tsArgType(a command.Arg) string {
	if a.OneOf != nil {
		return `"` + strings.Join(a.OneOf, `" | "`) + `"`
	}
	return map[command.Type]string{
		command.String: "string", command.Blob: "TextOrBytes", command.Bytes: "Uint8Array", command.JSON: "unknown",
		command.Int: "Integer", command.Uint: "Integer", command.Float: "number", command.Bool: "boolean",
		command.StringList: "Texts", command.BlobList: "Blobs", command.FloatList: "Floats", command.Places: "Places", command.Pairs: "Pairs", command.StringMap: "TextMap",
	}[a.Type]
}

// tsPack is the method of Writer that writes an argument.
func tsPack(t command.Type) string {
	return map[command.Type]string{
		command.String: "text", command.Blob: "blob", command.Bytes: "data", command.JSON: "json",
		command.Int: "int", command.Uint: "int", command.Float: "float", command.Bool: "bool",
		command.StringList: "texts", command.BlobList: "blobs", command.FloatList: "floats", command.Places: "places", command.Pairs: "pairs", command.StringMap: "textMap",
	}[t]
}

func tsFieldType(t command.Type) string {
	return map[command.Type]string{
		command.String: "string", command.Bytes: "Uint8Array", command.JSON: "unknown", command.Blob: "TextOrBytes",
		command.Int: "number", command.Uint: "number", command.Float: "number", command.Bool: "boolean",
		command.StringList: "string[]", command.StringMap: "Readonly<Record<string, string>>",
		command.StringOrNil: "string | null", command.BlobOrNil: "TextOrBytes | null", command.IntOrNil: "number | null", command.FloatOrNil: "number | null",
	}[t]
}

// tsFieldValue is the expression of a record's field.
func tsFieldValue(i int, f command.Field) string {
	switch f.Type {
	case command.JSON:
		return fmt.Sprintf("f[%d]", i)
	case command.Int, command.Uint:
		return fmt.Sprintf("toNumber(f[%d] as Integer)", i)
	case command.IntOrNil:
		return fmt.Sprintf("f[%d] === null ? null : toNumber(f[%d] as Integer)", i, i)
	}
	return fmt.Sprintf("f[%d] as %s", i, tsFieldType(f.Type))
}

// isValue reports whether a command's integer is a value of the user's, which
// may be any int64, and not a count, a time or an offset.
func isValue(c *command.Command) bool {
	return replyKind(c) == "int" && c.Reply.Field == "value" && c.Traits.Mutates // not a bit that is read
}

func tsReplyType(c *command.Command) string {
	record := ""
	if c.Reply.Record != nil {
		record = c.Reply.Record.Name
	}
	if isValue(c) {
		return "Integer"
	}
	return map[string]string{
		"nothing": "void", "bool": "boolean", "int": "number", "intOrNil": "number | null", "string": "string",
		"blobOrNil": "TextOrBytes | null", "bytesOrNil": "Uint8Array | null", "jsonOrNil": "unknown",
		"strings": "string[]", "blobs": "(TextOrBytes | null)[]",
		"float": "number", "map": "Record<string, TextOrBytes>", "bools": "boolean[]", "json": "unknown",
		"floatOrNil": "number | null", "floats": "(number | null)[]", "ints": "Integer[]", "values": "TextOrBytes[]", "recordsOrNil": "(" + record + " | null)[]",
		"record": record, "recordOrNil": record + " | null", "records": record + "[]", "stream": record,
	}[replyKind(c)]
}

// tsMake is the function that makes a command's result of its reply.
func tsMake(c *command.Command) string {
	kind := replyKind(c)
	switch kind {
	case "nothing":
		return "nothing"
	case "int":
		if !isValue(c) {
			return "toNumber"
		}
	case "intOrNil":
		return "countOrNull"
	case "record", "stream":
		return "make" + c.Reply.Record.Name
	case "recordOrNil":
		return lowerFirst(c.Reply.Record.Name) + "OrNull"
	case "records":
		return lowerFirst(c.Reply.Record.Name) + "List"
	case "recordsOrNil":
		return lowerFirst(c.Reply.Record.Name) + "OrNullList"
	}
	return "asIs<" + tsReplyType(c) + ">"
}

// tsMakers declares the functions that tsMake names and that are made of others.
func tsMakers(f *command.Family) string {
	var lines []string
	add := func(line string) {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for i := range f.Commands {
		c := &f.Commands[i]
		switch replyKind(c) {
		case "intOrNil":
			add("const countOrNull = orNull(toNumber);\n")
		case "recordOrNil":
			add("const " + tsMake(c) + " = orNull(make" + c.Reply.Record.Name + ");\n")
		case "records":
			add("const " + tsMake(c) + " = listOf(make" + c.Reply.Record.Name + ");\n")
		case "recordsOrNil":
			add("const " + tsMake(c) + " = listOf(orNull(make" + c.Reply.Record.Name + "));\n")
		}
	}
	return strings.Join(lines, "")
}

// tsNames declares the set of a command's optional arguments.
func tsNames(c *command.Command) string {
	if len(optional(c)) == 0 {
		return ""
	}
	var names []string
	for _, a := range optional(c) {
		names = append(names, pyQuote(lowerCamel(a.Name)))
	}
	return "const " + tsMethod(c) + "Names: ReadonlySet<string> = new Set([" + strings.Join(names, ", ") + "]);"
}

// tsParams are the parameters of the required arguments.
func tsParams(c *command.Command) []string {
	var out []string
	seenOptional := false
	for _, a := range c.Args {
		if !a.Required {
			seenOptional = true
			if a.Name == "signal" || a.Name == "timeout_ms" {
				fatal(fmt.Errorf("%s: the argument %s would hide an option of every call; name it otherwise", c.Name, a.Name))
			}
			continue
		}
		if seenOptional {
			fatal(fmt.Errorf("%s: the required argument %s must stand before the optional ones", c.Name, a.Name))
		}
		out = append(out, lowerCamel(a.Name)+": "+tsArgType(a))
	}
	return out
}

// tsFrame renders the function that writes a command's request frame.
func tsFrame(c *command.Command) string {
	op, names, kind := 0, "none", "CallOptions"
	if replyKind(c) == "stream" {
		op = 3
	}
	if len(optional(c)) > 0 {
		names, kind = tsMethod(c)+"Names", tsArgsType(c)
	}
	var b strings.Builder
	params := append([]string{"w: Writer"}, tsParams(c)...)
	fmt.Fprintf(&b, "function write%s(%s, o: %s | null | undefined): void {\n", camelName(c.Method()), strings.Join(params, ", "), kind)
	begin := fmt.Sprintf("w.begin(%d, %s, %d, %d, o, %s)", op, pyQuote(c.Name), len(required(c)), len(c.Args), names)
	if len(optional(c)) > 0 {
		begin = "const more = " + begin
	}
	b.WriteString("  " + begin + ";\n")
	for _, a := range required(c) {
		fmt.Fprintf(&b, "  w.%s(%s, %s);\n", tsPack(a.Type), lowerCamel(a.Name), pyQuote(lowerCamel(a.Name)))
	}
	if len(optional(c)) > 0 {
		b.WriteString("  if (!more) return;\n")
		for _, a := range optional(c) {
			name := lowerCamel(a.Name)
			fmt.Fprintf(&b, "  if (!w.absent(o!.%s)) w.%s(o!.%s, %s);\n", name, tsPack(a.Type), name, pyQuote(name))
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// tsCall is the arrow function that writes the frame of a call.
func tsCall(c *command.Command) string {
	args := []string{"w"}
	for _, a := range required(c) {
		args = append(args, lowerCamel(a.Name))
	}
	return "(w) => write" + camelName(c.Method()) + "(" + strings.Join(append(args, "options"), ", ") + "), " + tsMake(c) + ", options"
}

func tsMethodOf(c *command.Command) string {
	options := "CallOptions"
	if len(optional(c)) > 0 {
		options = tsArgsType(c) + " & CallOptions"
	}
	params := strings.Join(append(tsParams(c), "options?: "+options), ", ")
	result, call := "Promise<"+tsReplyType(c)+">", "call"
	if replyKind(c) == "stream" {
		result, call = "LazySubscription<"+tsReplyType(c)+">", "subscription"
	}
	return tsMethodDoc(c) + "  " + tsMethod(c) + "(" + params + "): " + result + " {\n" +
		"    return this.#caller." + call + "(" + tsCall(c) + ");\n  }\n"
}

func tsBatchMethod(c *command.Command) string {
	if replyKind(c) == "stream" {
		return ""
	}
	params := tsParams(c)
	if len(optional(c)) > 0 {
		params = append(params, "options?: "+tsArgsType(c))
	}
	call := tsCall(c)
	if len(optional(c)) == 0 {
		call = strings.ReplaceAll(call, "options", "undefined")
	}
	return tsDoc("  ", "Queues "+c.Family()+"."+tsMethod(c)+": "+c.Summary) + "\n  " + tsMethod(c) + "(" + strings.Join(params, ", ") +
		"): BatchResult<" + tsReplyType(c) + "> {\n    return this.#add(" + call + ");\n  }\n"
}

// tsMethodDoc is the documentation of a method.
func tsMethodDoc(c *command.Command) string {
	parts := []string{tsDocText(c.Summary)}
	if c.Doc != "" {
		parts = append(parts, "", tsDocText(c.Doc))
	}
	parts = append(parts, "")
	for _, a := range required(c) {
		parts = append(parts, "@param "+lowerCamel(a.Name)+" "+tsDocText(tsArgText(a)))
	}
	what := "The deadline of the call and a signal to give it up."
	if replyKind(c) == "stream" {
		what = "The deadline of registering, and a signal that ends the subscription."
	}
	if names := optional(c); len(names) > 0 {
		var quoted []string
		for _, a := range names {
			quoted = append(quoted, "`"+lowerCamel(a.Name)+"`")
		}
		what = strings.Join(quoted, ", ") + "; t" + what[1:]
	}
	parts = append(parts, "@param options "+what)
	if text := tsResult(c); text != "" {
		parts = append(parts, "@returns "+tsDocText(text))
	}
	if c.Errors != "" {
		parts = append(parts, "@throws {SynapError} "+tsDocText(c.Errors))
	}
	parts = append(parts, "@example", "\x00"+tsExample(c)+";")
	return tsComment("  ", parts)
}

// tsResult says what a command returns.
func tsResult(c *command.Command) string {
	text := strings.ReplaceAll(result(c), "nothing", "null")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func tsFieldDoc(f command.Field) string {
	text := f.Doc + pyUnit(f.Unit)
	if strings.HasSuffix(tsFieldType(f.Type), "| null") {
		text = strings.ReplaceAll(text, "nothing", "null")
	}
	return tsDoc("  ", text)
}

func tsArgText(a command.Arg) string {
	s := a.Doc + pyUnit(a.Unit)
	if a.Min != 0 || a.Max != 0 {
		s += fmt.Sprintf(" From %d to %d.", a.Min, a.Max)
	}
	if !a.Required && a.Default != "" {
		s += " Default: " + a.Default + "."
	}
	return s
}

func tsArgDoc(a command.Arg) string { return tsDoc("  ", tsArgText(a)) }

// tsDoc is a comment of one paragraph.
func tsDoc(indent, text string) string {
	one := indent + "/** " + tsDocText(text) + " */"
	if len(one) <= 120 {
		return one
	}
	return strings.TrimSuffix(tsComment(indent, []string{tsDocText(text)}), "\n")
}

// tsComment wraps paragraphs at 100 columns; one that starts with \x00 stays as it is.
func tsComment(indent string, paragraphs []string) string {
	var b strings.Builder
	b.WriteString(indent + "/**\n")
	for _, p := range paragraphs {
		if strings.HasPrefix(p, "\x00") {
			b.WriteString(indent + " * " + p[1:] + "\n")
			continue
		}
		line := indent + " *"
		hang := ""
		for i, w := range strings.Fields(p) {
			if i > 0 && len(line)+1+len(w) > 100 {
				b.WriteString(line + "\n")
				line = indent + " *" + hang
			}
			if i == 0 && strings.HasPrefix(w, "@") {
				hang = "  "
			}
			line += " " + w
		}
		b.WriteString(line + "\n")
	}
	b.WriteString(indent + " */\n")
	return b.String()
}

// tsSnake finds the names of the table in its texts, to spell them as here.
var tsSnake = func() *regexp.Regexp {
	names := []string{"maybe_applied"}
	add := func(name string) {
		if strings.Contains(name, "_") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, f := range command.Families {
		for i := range f.Commands {
			c := &f.Commands[i]
			add(c.Method())
			for _, a := range c.Args {
				add(a.Name)
			}
			if c.Reply.Record != nil {
				for _, field := range c.Reply.Record.Fields {
					add(field.Name)
				}
			}
		}
	}
	return regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)\b`)
}()

// tsDocText spells names as in JavaScript and keeps the comment open.
func tsDocText(s string) string {
	return strings.ReplaceAll(tsSnake.ReplaceAllStringFunc(s, lowerCamel), "*/", "* /")
}

var (
	tsLoop    = regexp.MustCompile(`^(?:async )?for (\w+) in (.*?): (.*)$`)
	tsInvoke  = regexp.MustCompile(`^client\.[a-z_.]+\((.*)\)$`)
	tsKeyword = regexp.MustCompile(`^(\w+)=(.*)$`)
	tsTuple   = regexp.MustCompile(`\(([-\d."][^()]*)\)([,\]])`)
	tsBool    = regexp.MustCompile(`\b(True|False)\b`)
	tsBytes   = regexp.MustCompile(`\bb("[^"]*")`)
)

// tsExample turns the table's example, which is Python, into JavaScript.
func tsExample(c *command.Command) string {
	m := tsLoop.FindStringSubmatch(c.Example)
	if m == nil {
		return "await " + tsInvocation(c, c.Example)
	}
	body := strings.Replace(tsSpell(m[3]), "print(", "console.log(", 1)
	if !strings.HasPrefix(body, "console") {
		body = "await " + body
	}
	return "for await (const " + m[1] + " of " + tsInvocation(c, m[2]) + ") " + body
}

// tsInvocation puts the optional arguments of a call into its options.
func tsInvocation(c *command.Command, s string) string {
	m := tsInvoke.FindStringSubmatchIndex(s)
	if m == nil {
		fatal(fmt.Errorf("%s: the example %q is not understood", c.Name, s))
	}
	var given, more []string
	for i, a := range tsSplit(s[m[2]:m[3]]) {
		if k := tsKeyword.FindStringSubmatch(a); k != nil {
			more = append(more, tsSpell(k[1])+": "+tsSpell(k[2]))
		} else if i < len(required(c)) {
			given = append(given, tsSpell(a))
		} else {
			more = append(more, lowerCamel(c.Args[i].Name)+": "+tsSpell(a))
		}
	}
	if len(more) > 0 {
		given = append(given, "{ "+strings.Join(more, ", ")+" }")
	}
	return tsSpell(s[:m[2]]) + strings.Join(given, ", ") + ")"
}

// tsSplit splits arguments at the commas between them.
func tsSplit(s string) []string {
	var out []string
	depth, start, quoted := 0, 0, false
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		case r == ',' && depth == 0:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	if strings.TrimSpace(s[start:]) != "" {
		out = append(out, s[start:])
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// tsSpell turns names and literals into JavaScript's.
func tsSpell(s string) string {
	s = tsBool.ReplaceAllStringFunc(s, strings.ToLower)
	s = tsTuple.ReplaceAllString(tsSnake.ReplaceAllStringFunc(s, lowerCamel), "[$1]$2")
	return tsBytes.ReplaceAllString(s, "new TextEncoder().encode($1)")
}
