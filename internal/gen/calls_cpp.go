package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/tests/parity/calls"
)

var cppCalls = callsLanguage{include: "calls.hpp", client: "const synap::Client &client", step: cppStep, record: cppPrintRecord}

func cppText(v any) string {
	if name := savedName(v); name != "" {
		return fmt.Sprintf("saved[%q]", name)
	}
	return "std::string(" + cLiteral(v) + ")"
}

// cppList is a braced list of elements.
func cppList(list []any, element func(any) string) string {
	parts := make([]string, len(list))
	for i := range list {
		parts[i] = element(list[i])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// cppValueOf is the expression of an argument.
func cppValueOf(a command.Arg, v any) string {
	switch a.Type {
	case command.String, command.Blob, command.Bytes:
		return cppText(v)
	case command.Int, command.Uint:
		return "std::int64_t{" + cInt(v) + "}"
	case command.Float:
		return cFloat(v)
	case command.Bool:
		return fmt.Sprint(v.(bool))
	case command.JSON:
		return cppJSON(v)
	case command.StringList, command.BlobList:
		return "std::vector<std::string>" + cppList(elements(v), cppText)
	case command.Pairs:
		return "std::vector<std::pair<std::string, std::string>>" + cppList(elements(v), func(e any) string { return cppList(elements(e), cppText) })
	case command.FloatList:
		return "std::vector<double>" + cppList(elements(v), cFloat)
	case command.Places:
		return cppList(elements(v), func(e any) string {
			place := elements(e)
			return "{" + cFloat(place[0]) + ", " + cFloat(place[1]) + ", " + cppText(place[2]) + "}"
		})
	case command.StringMap:
		m, keys := members(v)
		var list []any
		for _, k := range keys {
			list = append(list, []any{k, m[k]})
		}
		return "std::map<std::string, std::string>" + cppList(list, func(e any) string { return cppList(elements(e), cppText) })
	}
	panic("no C++ literal for argument " + a.Name)
}

// cppJSON is the expression of any JSON.
func cppJSON(v any) string {
	inner := ""
	switch v := v.(type) {
	case nil:
		inner = "nullptr"
	case bool:
		inner = fmt.Sprint(v)
	case string:
		inner = cppText(v)
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			inner = cFloat(v)
		} else {
			inner = cInt(v)
		}
	case []any:
		inner = "synap::Value::Array" + cppList(v, cppJSON)
	default:
		if _, _, ok := calls.Number(v); ok {
			inner = cInt(v)
			break
		}
		m, keys := members(v)
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = "{" + cppText(k) + ", " + cppJSON(m[k]) + "}"
		}
		inner = "synap::Value::Object{" + strings.Join(parts, ", ") + "}"
	}
	return "synap::Value(" + inner + ")"
}

// cppStep calls the method of a command and prints what it returns.
func cppStep(s *calls.Step) []string {
	c := s.Entry()
	var lines, args []string
	for i, a := range c.Args {
		switch {
		case a.Required:
			args = append(args, cppValueOf(a, s.Args[i]))
		case s.Args[i] != nil:
			lines = append(lines, "options."+a.Name+" = "+cppValueOf(a, s.Args[i])+";")
		}
	}
	if len(lines) > 0 {
		lines = append([]string{"synap::" + cppOptions(c) + " options;"}, lines...)
		args = append(args, "options")
	}
	call := "client." + c.Family() + "()." + cppMethod(c) + "(" + strings.Join(args, ", ") + ")"
	switch kind := replyKind(c); {
	case kind == "nothing":
		lines = append(lines, "step([&] { "+call+"; print(nullptr); });")
	case kind == "bytesOrNil":
		lines = append(lines, "step([&] { print_bytes("+call+"); });")
	case s.Save != "":
		if kind != "string" {
			panic(c.Name + ": C++ saves only texts")
		}
		lines = append(lines, fmt.Sprintf("step([&] { print(saved[%q] = %s); });", s.Save, call))
	default:
		lines = append(lines, "step([&] { print("+call+"); });")
	}
	return lines
}

// cppPrintRecord declares the function that prints a record, where the templates of
// calls.hpp find it.
func cppPrintRecord(r *command.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "namespace synap {\nstatic void print(const %s &r) {\n    begin_map();\n", r.Name)
	for _, f := range r.Fields {
		function := "print_any"
		if f.Type == command.Bytes {
			function = "print_bytes"
		}
		fmt.Fprintf(&b, "    print_name(%q);\n    %s(r.%s);\n", f.Name, function, f.Name)
	}
	b.WriteString("    end_map();\n}\n} // namespace synap\n")
	return b.String()
}
