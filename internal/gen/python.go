package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

//go:embed templates/python.tmpl
var pythonTemplate string

// pythonOutputs renders the Python package's generated modules: errors, records,
// request frames, three classes per family (sync, asyncio, batch) and a plain
// copy of the table for the parity test.
func pythonOutputs() []output {
	t := template.Must(template.New("python").Funcs(template.FuncMap{
		"quote": pyQuote, "doc": pyDoc, "familyType": pyFamilyType, "errorName": pyErrorName, "errorBases": pyErrorBases,
		"fieldType": pyFieldType, "recordDoc": pyRecordDoc, "frame": pyFrame, "method": pyMethod, "argTypeName": pyArgType,
		"replyKind": replyKind, "docText": pyDocText,
	}).Parse(pythonTemplate))
	version, err := os.ReadFile("VERSION")
	if err != nil {
		fatal(err)
	}
	dir := "bindings/python/src/synap_sdk/_generated/"
	var out []output
	render := func(file, name string, data any) {
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, name, data); err != nil {
			fatal(err)
		}
		out = append(out, output{dir + file, pyPruneImports(b.String())})
	}
	var all []*command.Record
	seen := map[string]bool{}
	for _, f := range command.Families {
		for _, r := range records(f) {
			if !seen[r.Name] {
				seen[r.Name] = true
				all = append(all, r)
			}
		}
	}
	tables := map[string]any{
		"Families": command.Families, "Records": all, "Errors": errs.Table, "Options": config.Names(),
		"Version": strings.TrimSpace(string(version)), "Banner": banner,
	}
	render("__init__.py", "init", tables)
	render("version.py", "version", tables)
	render("errors.py", "errors", tables)
	render("records.py", "records", tables)
	render("frames.py", "frames", tables)
	render("families.py", "families", tables)
	render("_table.py", "table", tables)
	for _, f := range command.Families {
		render(f.Name+".py", "family", map[string]any{"Family": f, "Banner": banner, "Records": records(f)})
	}
	return out
}

// pyFamilyType is the class of a family: List and Set are those of typing.
func pyFamilyType(f string) string {
	if f == "list" || f == "set" {
		return familyType(f) + "Commands"
	}
	return familyType(f)
}

// pyPruneImports drops names that the module does not use from its imports of
// one line.
func pyPruneImports(src string) []byte {
	lines := strings.Split(src, "\n")
	kept := lines[:0]
	for _, line := range lines {
		from, names, ok := strings.Cut(line, " import ")
		if ok && strings.HasPrefix(line, "from ") && names != "(" && from != "from __future__" {
			var used []string
			for _, name := range strings.Split(names, ", ") {
				if len(regexp.MustCompile(`\b`+name+`\b`).FindAllString(src, 2)) > 1 {
					used = append(used, name)
				}
			}
			if len(used) == 0 {
				continue
			}
			line = from + " import " + strings.Join(used, ", ")
		}
		kept = append(kept, line)
	}
	return []byte(strings.TrimRight(strings.Join(kept, "\n"), "\n") + "\n")
}

// pyErrorName is the exception of a code: its name with Error, and Synap before
// it where Python has an exception of that name.
func pyErrorName(name string) string {
	switch name {
	case "Timeout", "Connection":
		return "Synap" + name + "Error"
	}
	return name + "Error"
}

// pyErrorBases are the built-in exceptions that an exception is as well.
func pyErrorBases(name string) string {
	switch name {
	case "Timeout":
		return ", TimeoutError"
	case "Connection":
		return ", ConnectionError"
	case "InvalidArgument":
		return ", ValueError"
	}
	return ""
}

func pyArgType(t command.Type) string {
	return map[command.Type]string{
		command.String: "str", command.Blob: "Blob", command.Bytes: "BytesLike", command.JSON: "Json",
		command.Int: "int", command.Uint: "int", command.Float: "float", command.Bool: "bool",
		command.StringList: "Iterable[str]", command.BlobList: "Iterable[Blob]", command.FloatList: "Iterable[float]", command.Places: "Places", command.Pairs: "Pairs", command.StringMap: "Mapping[str, str]",
	}[t]
}

// pyPack is the function of _codec that packs an argument.
func pyPack(t command.Type) string {
	return map[command.Type]string{
		command.String: "pack_text", command.Blob: "pack_blob", command.Bytes: "pack_bytes", command.JSON: "pack_json",
		command.Int: "pack_int", command.Uint: "pack_int", command.Float: "pack_float", command.Bool: "pack_bool",
		command.StringList: "pack_texts", command.BlobList: "pack_blobs", command.FloatList: "pack_floats", command.Places: "pack_places", command.Pairs: "pack_pairs", command.StringMap: "pack_text_map",
	}[t]
}

func pyFieldType(t command.Type) string {
	return map[command.Type]string{
		command.String: "str", command.Bytes: "bytes", command.JSON: "Any", command.Blob: "Union[str, bytes]",
		command.Int: "int", command.Uint: "int", command.Float: "float", command.Bool: "bool",
		command.StringList: "List[str]", command.StringMap: "Dict[str, str]",
		command.StringOrNil: "Optional[str]", command.BlobOrNil: "Union[str, bytes, None]", command.IntOrNil: "Optional[int]", command.FloatOrNil: "Optional[float]",
	}[t]
}

func pyReplyType(c *command.Command) string {
	record := ""
	if c.Reply.Record != nil {
		record = c.Reply.Record.Name
	}
	return map[string]string{
		"nothing": "None", "bool": "bool", "int": "int", "intOrNil": "Optional[int]", "string": "str",
		"blobOrNil": "Union[str, bytes, None]", "bytesOrNil": "Optional[bytes]", "jsonOrNil": "Any",
		"float": "float", "map": "Dict[str, Union[str, bytes]]", "bools": "List[bool]", "json": "Any",
		"floatOrNil": "Optional[float]", "floats": "List[Optional[float]]", "ints": "List[int]", "values": "List[Union[str, bytes]]", "recordsOrNil": "List[Optional[" + record + "]]",
		"strings": "List[str]", "blobs": "List[Union[str, bytes, None]]",
		"record": record, "recordOrNil": "Optional[" + record + "]", "records": "List[" + record + "]",
	}[replyKind(c)]
}

// pyDefault is the default of an optional argument in signatures. Booleans and
// numbers show theirs; all else is absent.
func pyDefault(a command.Arg) string {
	switch {
	case a.Default == "":
		return "None"
	case a.Type == command.Bool:
		return strings.ToUpper(a.Default[:1]) + a.Default[1:]
	case a.Type == command.String:
		return pyQuote(a.Default)
	}
	return a.Default
}

// pyIsAbsent is the condition under which an optional argument need not be sent,
// "" if it always is.
func pyIsAbsent(a command.Arg) string {
	if d := pyDefault(a); d == "None" || d == "True" || d == "False" {
		return a.Name + " is " + d
	}
	return ""
}

// pyParams are the parameters of a method after self.
func pyParams(c *command.Command, defaults bool) []string {
	var out []string
	for _, a := range c.Args {
		if a.Name == "timeout" {
			fatal(fmt.Errorf("%s: the argument timeout would hide the deadline of the call; name it otherwise", c.Name))
		}
		p := a.Name + ": " + pyArgType(a.Type)
		if !a.Required {
			if pyDefault(a) == "None" {
				p = a.Name + ": Optional[" + pyArgType(a.Type) + "]"
			}
			if defaults {
				p += " = " + pyDefault(a)
			}
		}
		out = append(out, p)
	}
	return out
}

// pyFrame renders the function that builds the request frame of a command. The
// head of the frame is a constant; trailing arguments that are absent are left
// out as long as all that can be absent are.
func pyFrame(c *command.Command) string {
	var b strings.Builder
	b.WriteString(pyDef("def "+pyFrameName(c), pyParams(c, false), "bytes", ""))
	packed := len(c.Args)
	var absent []string
	for packed > 0 && !c.Args[packed-1].Required && pyIsAbsent(c.Args[packed-1]) != "" {
		packed--
		absent = append([]string{pyIsAbsent(c.Args[packed])}, absent...)
	}
	if len(absent) > 0 {
		b.WriteString("    if " + strings.Join(absent, " and ") + ":\n")
		b.WriteString("        return " + pySum(c, packed, "        ") + "\n")
		packed = len(c.Args)
	}
	b.WriteString("    return " + pySum(c, packed, "    ") + "\n")
	return b.String()
}

func pyFrameName(c *command.Command) string { return strings.ReplaceAll(c.Name, ".", "_") }

// pySum is the frame with the first n arguments.
func pySum(c *command.Command, n int, indent string) string {
	op := byte(0)
	if replyKind(c) == "stream" {
		op = 3
	}
	head := value.AppendMsgpackArray(value.AppendMsgpackStr([]byte{0x93, op}, c.Name), n)
	terms := []string{pyBytes(head)}
	for _, a := range c.Args[:n] {
		term := fmt.Sprintf("%s(%s, %s)", pyPack(a.Type), a.Name, pyQuote(c.Name+": "+a.Name))
		if is := pyIsAbsent(a); !a.Required && is != "" {
			term = "(NIL if " + is + " else " + term + ")"
		}
		terms = append(terms, term)
	}
	if one := strings.Join(terms, " + "); len(one) < 80 {
		return one
	}
	return "(\n" + indent + "    " + strings.Join(terms, "\n"+indent+"    + ") + "\n" + indent + ")"
}

// pyMethod renders one method: flavour is sync, async or batch.
func pyMethod(flavour string, c *command.Command) string {
	stream := replyKind(c) == "stream"
	if flavour == "batch" && stream {
		return ""
	}
	params := append([]string{"self"}, pyParams(c, true)...)
	result := pyReplyType(c)
	def := "    def "
	switch {
	case flavour == "batch":
		result = "BatchResult[" + result + "]"
	case stream && flavour == "async":
		result = "AsyncSubscription[" + c.Reply.Record.Name + "]"
	case stream:
		result = "Subscription[" + c.Reply.Record.Name + "]"
	case flavour == "async":
		def = "    async def "
	}
	if flavour != "batch" {
		params = append(params, "*", "timeout: Optional[float] = None")
	}
	var names []string
	for _, a := range c.Args {
		names = append(names, a.Name)
	}
	frame := "frames." + pyFrameName(c) + "(" + strings.Join(names, ", ") + ")"
	make := ""
	if c.Reply.Record != nil {
		make = "make_" + c.Reply.Record.Name
	}
	var body string
	call := "self._call(" + frame + ", timeout)"
	if flavour == "async" {
		call = "await " + call
	}
	switch kind := replyKind(c); {
	case flavour == "batch" && make == "":
		body = "return self._add(" + frame + ")"
	case flavour == "batch":
		body = "return self._add(" + frame + ", " + map[string]string{
			"record": make, "recordOrNil": "optional(" + make + ")", "records": "listed(" + make + ")", "recordsOrNil": "listed(optional(" + make + "))"}[kind] + ")"
	case stream:
		open := "Subscription"
		if flavour == "async" {
			open = "AsyncSubscription"
		}
		body = "return " + open + "(self._channel, " + frame + ", " + make + ", " + pyQuote(c.Name) + ", timeout)"
	case kind == "nothing":
		body = call
	case kind == "jsonOrNil" || kind == "json":
		body = "return " + call
	case kind == "record":
		body = "return " + make + "(" + call + ")"
	case kind == "recordOrNil":
		body = "reply = " + call + "\n        return None if reply is None else " + make + "(reply)"
	case kind == "recordsOrNil":
		body = "return [None if fields is None else " + make + "(fields) for fields in " + call + "]"
	case kind == "records":
		body = "return [" + make + "(fields) for fields in " + call + "]"
	default:
		body = "reply: " + result + " = " + call + "\n        return reply"
	}
	return pyDef(def+c.Method(), params, result, "    ") + pyMethodDoc(flavour, c) + "        " + body + "\n"
}

// pyDef is the head of a function, one parameter a line when it is long.
func pyDef(def string, params []string, result, indent string) string {
	one := def + "(" + strings.Join(params, ", ") + ") -> " + result + ":\n"
	if len(one) <= 110 {
		return one
	}
	return def + "(\n" + indent + "    " + strings.Join(params, ",\n"+indent+"    ") + ",\n" + indent + ") -> " + result + ":\n"
}

// pyMethodDoc is the docstring of a method.
func pyMethodDoc(flavour string, c *command.Command) string {
	const in = "        "
	var b strings.Builder
	if flavour == "batch" {
		return in + `"""` + pyDocText("Queues "+c.Name+": "+c.Summary) + `"""` + "\n"
	}
	b.WriteString(in + `"""` + pyDocText(c.Summary) + "\n")
	if c.Doc != "" {
		b.WriteString("\n" + pyDoc(in, "", c.Doc))
	}
	b.WriteString("\n" + in + "Args:\n")
	for _, a := range c.Args {
		b.WriteString(pyDoc(in+"    ", "  ", a.Name+": "+a.Doc+pyBounds(a)))
	}
	timeout := "timeout: Deadline of this call, in seconds. Absent: the client's."
	if replyKind(c) == "stream" {
		timeout = "timeout: Deadline of registering, in seconds. Absent: the client's."
	}
	b.WriteString(pyDoc(in+"    ", "  ", timeout))
	if text := result(c); text != "" {
		b.WriteString("\n" + in + "Returns:\n" + pyDoc(in+"    ", "  ", strings.ToUpper(text[:1])+text[1:]))
	}
	if c.Errors != "" {
		b.WriteString("\n" + in + "Raises:\n" + pyDoc(in+"    ", "  ", "SynapError: "+c.Errors))
	}
	if flavour == "sync" || replyKind(c) != "stream" {
		example := c.Example
		if flavour == "async" {
			example = "await " + example
		}
		b.WriteString("\n" + in + "Example:\n" + in + "    " + pyDocText(example) + "\n")
	}
	b.WriteString(in + `"""` + "\n")
	return b.String()
}

func pyBounds(a command.Arg) string {
	s := pyUnit(a.Unit)
	if a.Min != 0 || a.Max != 0 {
		s += fmt.Sprintf(" From %d to %d.", a.Min, a.Max)
	}
	if !a.Required && a.Default != "" {
		s += " Default: " + pyDefault(a) + "."
	}
	return s
}

func pyUnit(u string) string {
	if u == "" {
		return ""
	}
	return " In " + u + "."
}

func pyRecordDoc(r *command.Record) string {
	var b strings.Builder
	b.WriteString(`    """` + pyDocText(r.Doc) + "\n\n    Attributes:\n")
	for _, f := range r.Fields {
		b.WriteString(pyDoc("        ", "  ", f.Name+": "+f.Doc+pyUnit(f.Unit)))
	}
	b.WriteString(`    """` + "\n")
	return b.String()
}

// pyDoc wraps text at 100 columns; hang indents the lines after the first.
func pyDoc(indent, hang, text string) string {
	var b strings.Builder
	line := ""
	for _, w := range strings.Fields(pyDocText(text)) {
		if line != "" && len(indent)+len(line)+1+len(w) > 100 {
			b.WriteString(indent + line + "\n")
			line = hang + w
			continue
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	b.WriteString(indent + line + "\n")
	return b.String()
}

// pyDocText makes text safe inside a docstring.
func pyDocText(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"""`, `'''`)
}

func pyQuote(s string) string { return strconv.QuoteToASCII(s) }

// pyBytes is a bytes literal.
func pyBytes(b []byte) string {
	var s strings.Builder
	s.WriteString(`b"`)
	for _, c := range b {
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			s.WriteByte(c)
		} else {
			fmt.Fprintf(&s, `\x%02x`, c)
		}
	}
	s.WriteByte('"')
	return s.String()
}
