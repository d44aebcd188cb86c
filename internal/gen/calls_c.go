package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/tests/parity/calls"
)

var cCalls = callsLanguage{include: "calls.h", client: "synap_client client", step: cStep, record: cPrintRecord}

func cText(v any) string {
	if name := savedName(v); name != "" {
		return fmt.Sprintf("saved_text(%q)", name)
	}
	return "text(" + cLiteral(v) + ")"
}

func cBlob(v any) string {
	if isText(v) {
		return "synap_text_n(" + cLiteral(v) + ")"
	}
	return "synap_binary(" + cLiteral(v) + ")"
}

// cValue is the expression of an argument, after the statements that it needs;
// count is that of a list's second parameter.
func cValue(a command.Arg, v any) (before []string, expr, count string) {
	array := func(t string, element func(i int, e any) []string) ([]string, string, string) {
		list := elements(v)
		if len(list) == 0 {
			return nil, "NULL", "0"
		}
		lines := []string{fmt.Sprintf("%s %s[%d];", t, a.Name, len(list))}
		for i, e := range list {
			lines = append(lines, element(i, e)...)
		}
		return lines, a.Name, fmt.Sprint(len(list))
	}
	one := func(expr func(any) string) func(int, any) []string {
		return func(i int, e any) []string { return []string{fmt.Sprintf("%s[%d] = %s;", a.Name, i, expr(e))} }
	}
	switch a.Type {
	case command.String:
		return nil, cText(v), ""
	case command.Blob:
		return nil, cBlob(v), ""
	case command.Bytes:
		return nil, "synap_bytes_of(" + cLiteral(v) + ")", ""
	case command.Int, command.Uint:
		return nil, cInt(v), ""
	case command.Float:
		return nil, cFloat(v), ""
	case command.Bool:
		return nil, fmt.Sprint(v.(bool)), ""
	case command.JSON:
		return append([]string{"synap_writer " + a.Name + ";", "synap_writer_init(&" + a.Name + ");"}, cWriteJSON("&"+a.Name, v)...), "&" + a.Name, ""
	case command.StringList:
		return array("synap_str", one(cText))
	case command.BlobList:
		return array("synap_blob", one(cBlob))
	case command.FloatList:
		return array("double", one(cFloat))
	case command.Places:
		return array("synap_place", func(i int, e any) []string {
			place := elements(e)
			at := fmt.Sprintf("%s[%d]", a.Name, i)
			return []string{at + ".latitude = " + cFloat(place[0]) + ";", at + ".longitude = " + cFloat(place[1]) + ";", at + ".member = " + cBlob(place[2]) + ";"}
		})
	case command.Pairs:
		return array("synap_pair", func(i int, e any) []string {
			pair := elements(e)
			at := fmt.Sprintf("%s[%d]", a.Name, i)
			return []string{at + ".key = " + cText(pair[0]) + ";", at + ".value = " + cBlob(pair[1]) + ";"}
		})
	case command.StringMap:
		m, keys := members(v)
		if len(keys) == 0 {
			return nil, "NULL", "0"
		}
		lines := []string{fmt.Sprintf("synap_str_pair %s[%d];", a.Name, len(keys))}
		for i, k := range keys {
			at := fmt.Sprintf("%s[%d]", a.Name, i)
			lines = append(lines, at+".key = "+cText(k)+";", at+".value = "+cText(m[k])+";")
		}
		return lines, a.Name, fmt.Sprint(len(keys))
	}
	panic("no C literal for argument " + a.Name)
}

// cWriteJSON writes any JSON.
func cWriteJSON(w string, v any) []string {
	switch v := v.(type) {
	case nil:
		return []string{"synap_write_nil(" + w + ");"}
	case bool:
		return []string{fmt.Sprintf("synap_write_bool(%s, %v);", w, v)}
	case string:
		return []string{"synap_write_str(" + w + ", " + cText(v) + ");"}
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			return []string{"synap_write_int(" + w + ", " + cInt(v) + ");"}
		}
		return []string{"synap_write_float(" + w + ", " + cFloat(v) + ");"}
	case []any:
		lines := []string{fmt.Sprintf("synap_write_array(%s, %d);", w, len(v))}
		for _, e := range v {
			lines = append(lines, cWriteJSON(w, e)...)
		}
		return lines
	}
	if _, _, ok := calls.Number(v); ok {
		return []string{"synap_write_int(" + w + ", " + cInt(v) + ");"}
	}
	m, keys := members(v)
	lines := []string{fmt.Sprintf("synap_write_map(%s, %d);", w, len(keys))}
	for _, k := range keys {
		lines = append(lines, "synap_write_str("+w+", "+cText(k)+");")
		lines = append(lines, cWriteJSON(w, m[k])...)
	}
	return lines
}

// cStep calls the function of a command and prints what comes out. What that is is
// read from the declaration of its output parameter.
func cStep(s *calls.Step) []string {
	c := s.Entry()
	name := "synap_" + cName(c.Name)
	var declare, lines, after []string
	args := "client"
	if len(optional(c)) > 0 {
		declare = append(declare, name+"_options options = "+strings.ToUpper(name)+"_OPTIONS_INIT;")
	}
	for i, a := range c.Args {
		v := s.Args[i]
		if v == nil && !a.Required {
			continue
		}
		before, expr, count := cValue(a, v)
		for _, line := range before {
			if strings.HasSuffix(line, "];") && !strings.Contains(line, "=") || strings.HasPrefix(line, "synap_writer ") {
				declare = append(declare, line)
			} else {
				lines = append(lines, line)
			}
		}
		if a.Type == command.JSON {
			after = append(after, "synap_writer_free("+expr+");")
		}
		if a.Required {
			args += ", " + expr
			if count != "" {
				args += ", " + count
			}
			continue
		}
		lines = append(lines, "options."+a.Name+" = "+expr+";")
		if count != "" {
			lines = append(lines, "options."+a.Name+"_count = "+count+";")
		}
		if pointer(a) {
			lines = append(lines, "options.has_"+a.Name+" = true;")
		}
	}
	if len(optional(c)) > 0 {
		args += ", &options"
	}
	args += ", 0"
	there := "" // the flag that says whether there is a result
	var print []string
	decl := strings.ReplaceAll(cOut(c).Decl, "SYNAP_OWN ", "")
	for _, p := range strings.Split(decl, ", ")[1:] {
		typ, param, _ := strings.Cut(p, " *")
		declare = append(declare, typ+" "+param+";")
		args += ", &" + param
		record := ""
		if r := c.Reply.Record; r != nil {
			record = "synap_" + cName(r.Name)
		}
		switch {
		case param == "present", param == "found":
			there = param
		case typ == "bool", typ == "double":
			print = []string{"print_" + typ + "(out);"}
		case typ == "int64_t":
			print = []string{"print_int(out);"}
		case typ == "synap_reply":
			print = []string{"print_value(out.value);", "synap_reply_free(&out);"}
		case typ == "synap_list" && replyKind(c) == "recordsOrNil":
			declare = append(declare, record+"_t item;", "synap_value v;")
			print = []string{"begin_list();", "while (synap_list_next(&out, &v)) {", "    begin_item();", "    if (v.kind == SYNAP_NIL) {", "        print_null();", "        continue;", "    }",
				"    " + record + "_read(v, &item);", "    print_" + cName(c.Reply.Record.Name) + "(&item);", "}", "end_list();", "synap_list_free(&out);"}
		case typ == "synap_list" && record != "":
			declare = append(declare, record+"_t item;")
			print = []string{"begin_list();", "while (" + record + "_next(&out, &item)) {", "    begin_item();", "    print_" + cName(c.Reply.Record.Name) + "(&item);", "}",
				"end_list();", "synap_list_free(&out);"}
		case typ == "synap_list":
			print = []string{"print_list(&out);", "synap_list_free(&out);"}
		case typ == record+"_t":
			print = []string{"print_" + cName(c.Reply.Record.Name) + "(&out);", record + "_free(&out);"}
		default:
			panic(c.Name + ": no way to print " + typ)
		}
	}
	switch {
	case len(print) == 0:
		print = []string{"print_null();"}
	case there != "":
		for i := range print {
			print[i] = "    " + print[i]
		}
		print = append(append([]string{"if (!" + there + ") {", "    print_null();", "} else {"}, print...), "}")
	}
	out := append(declare, lines...)
	out = append(out, "if (succeeds("+name+"("+args+", &calls_error))) {")
	for _, line := range print {
		out = append(out, "    "+line)
	}
	if s.Save != "" {
		if replyKind(c) != "string" {
			panic(c.Name + ": C saves only texts")
		}
		last := out[len(out)-1] // frees the text
		out = append(out[:len(out)-1], fmt.Sprintf("    save_text(%q, synap_value_str(out.value));", s.Save), last)
	}
	out = append(out, "    end_step();", "}")
	return append(out, after...)
}

// cPrintRecord declares the function that prints a record.
func cPrintRecord(r *command.Record) string {
	var b strings.Builder
	name := cName(r.Name)
	fmt.Fprintf(&b, "static void print_%s(const synap_%s_t *r) {\n    begin_map();\n", name, name)
	for _, f := range r.Fields {
		fmt.Fprintf(&b, "    print_name(%q);\n", f.Name)
		decl := cFieldType(f)
		expr := "r->" + f.Name
		if strings.HasPrefix(decl, "bool has_") {
			fmt.Fprintf(&b, "    if (!r->has_%s)\n        print_null();\n    else\n    ", f.Name)
			_, decl, _ = strings.Cut(decl, "; ")
		}
		typ, _, _ := strings.Cut(decl, " ")
		function, ok := map[string]string{"synap_str": "print_str", "int64_t": "print_int", "double": "print_double", "bool": "print_bool",
			"synap_bytes": "print_bytes", "synap_value": "print_value", "synap_blob": "print_blob"}[typ]
		if !ok {
			panic("no way to print the field " + f.Name)
		}
		fmt.Fprintf(&b, "    %s(%s);\n", function, expr)
	}
	b.WriteString("    end_map();\n}\n")
	return b.String()
}
