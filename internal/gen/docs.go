package main

import (
	"fmt"
	"strings"

	"github.com/libsynap/libsynap/core/command"
)

// docsOutputs renders the command reference.
func docsOutputs() []output {
	var b strings.Builder
	b.WriteString("<!-- " + banner + " -->\n# Commands\n\n" +
		"Every command of the clients, generated from the command table. Names are the same in all hosts, in the host's own spelling: " +
		"`kv.get_bytes` is `client.kv.get_bytes` in Python, `client.KV.GetBytes` in Go, `synap_kv_get_bytes` in C and `client.kv().get_bytes` in C++.\n\n" +
		"Every call takes a timeout of its own, fails with a typed error, and is repeated by itself only where the table says *repeatable*. " +
		"The columns of wires say how the command travels; `–` means that the wire has no form for it. SynapRPC and RESP3 forms are listed for the wires to come.\n")
	for _, f := range command.Families {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", f.Name, f.Doc)
		for i := range f.Commands {
			writeCommand(&b, &f.Commands[i])
		}
		for _, r := range records(f) {
			writeRecord(&b, r)
		}
	}
	return []output{{"docs/commands.md", []byte(b.String())}}
}

func writeCommand(b *strings.Builder, c *command.Command) {
	fmt.Fprintf(b, "\n### %s\n\n%s %s\n\n```python\n%s\n```\n\n", c.Name, c.Summary, c.Doc, c.Example)
	if len(c.Args) > 0 {
		b.WriteString("| argument | type | default | meaning |\n|---|---|---|---|\n")
		for _, a := range c.Args {
			def := "required"
			if !a.Required {
				if def = a.Default; def == "" {
					def = "absent"
				}
			}
			fmt.Fprintf(b, "| `%s` | %s | %s | %s%s |\n", a.Name, typeName(a.Type), def, a.Doc, bounds(a))
		}
		b.WriteString("\n")
	}
	if text := result(c); text != "" {
		fmt.Fprintf(b, "Returns %s\n", text)
	}
	if c.Errors != "" {
		fmt.Fprintf(b, "\nErrors: %s\n", c.Errors)
	}
	fmt.Fprintf(b, "\nHTTP: %s · SynapRPC: %s · RESP3: %s%s\n", httpForm(c), nativeForm(c.RPC), nativeForm(c.RESP3), traits(c))
}

func writeRecord(b *strings.Builder, r *command.Record) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n| field | type | meaning |\n|---|---|---|\n", r.Name, r.Doc)
	for _, f := range r.Fields {
		fmt.Fprintf(b, "| `%s` | %s | %s%s |\n", f.Name, typeName(f.Type), f.Doc, unit(f.Unit))
	}
}

func typeName(t command.Type) string {
	return map[command.Type]string{
		command.String: "text", command.Blob: "text or bytes", command.Bytes: "bytes", command.JSON: "any JSON value",
		command.Int: "integer", command.Uint: "integer", command.Float: "float", command.Bool: "boolean",
		command.StringList: "list of texts", command.Pairs: "list of (key, value)", command.StringMap: "map of texts",
		command.BlobList: "list of text or bytes", command.FloatList: "list of floats", command.Places: "list of (latitude, longitude, member)", command.FloatOrNil: "float or nothing", command.StringOrNil: "text or nothing", command.BlobOrNil: "text, bytes or nothing", command.IntOrNil: "integer or nothing",
	}[t]
}

func bounds(a command.Arg) string {
	s := unit(a.Unit)
	if a.Min != 0 || a.Max != 0 {
		s += fmt.Sprintf(" From %d to %d.", a.Min, a.Max)
	}
	return s
}

func result(c *command.Command) string {
	kind := map[string]string{
		"bool": "a boolean.", "int": "an integer.", "intOrNil": "an integer or nothing.", "string": "a text.",
		"blobOrNil": "text, bytes or nothing.", "bytesOrNil": "bytes or nothing.", "jsonOrNil": "a JSON value or nothing.",
		"float": "a float.", "map": "a map from text to text or bytes.", "bools": "a list of booleans.", "json": "a JSON value.",
		"floatOrNil": "a float or nothing.", "floats": "a list of float or nothing.", "ints": "a list of integers.", "values": "a list of text or bytes.",
		"strings": "a list of texts.", "blobs": "a list of text, bytes or nothing.",
	}[replyKind(c)]
	if r := c.Reply.Record; r != nil {
		kind = map[string]string{"record": "a ", "recordOrNil": "a ", "records": "a list of ", "recordsOrNil": "a list of ", "stream": "a subscription of "}[replyKind(c)] + "`" + r.Name + "`"
		if replyKind(c) == "recordOrNil" || replyKind(c) == "recordsOrNil" {
			kind += " or nothing"
		}
		kind += "."
	}
	if kind != "" && c.Reply.Doc != "" {
		kind += " " + c.Reply.Doc
	}
	return kind
}

func httpForm(c *command.Command) string {
	h := c.HTTP
	switch h.Shape {
	case command.REST:
		return "`" + h.Method + " " + h.Path + "`"
	case command.Each:
		return "one `" + h.Command + "` each, pipelined"
	case command.Script:
		return "`" + h.Command + "`"
	case command.Push:
		if h.Path != "" {
			return "WebSocket `" + h.Path + "`"
		}
		return "polls `" + h.Command + "`"
	}
	s := "`" + h.Command + "`"
	if h.Alt != nil && h.Alt.Shape == command.REST {
		s += ", with " + strings.Join(h.When, "/") + " `" + h.Alt.Method + " " + h.Alt.Path + "`"
	}
	return s
}

func nativeForm(n *command.Native) string {
	if n == nil {
		return "–"
	}
	return "`" + strings.TrimSpace(n.Name+" "+n.Args) + "`"
}

func traits(c *command.Command) string {
	if c.Traits.Idempotent && replyKind(c) != "stream" {
		return " · repeatable"
	}
	return ""
}
