package main

import "github.com/libsynap/libsynap/core/command"

// cppOutputs renders what of the C++ headers derives from the table.
func cppOutputs() []output {
	return append(familyHeaders("hpp"), output{"include/synap/families_gen.hpp", renderC("families.hpp.tmpl", nil)})
}

// cppMethod is a method's name; delete and union are words of the language.
func cppMethod(c *command.Command) string {
	switch c.Method() {
	case "delete":
		return "del"
	case "union":
		return "union_"
	}
	return c.Method()
}

// cppOptions is the name of a command's options struct.
func cppOptions(c *command.Command) string {
	return familyType(c.Family()) + camel(c.Method()) + "Options"
}

func cppType(a command.Arg) string {
	switch a.Type {
	case command.String:
		return "std::string_view"
	case command.Blob:
		return "Blob"
	case command.Bytes:
		return "BytesView"
	case command.JSON:
		return "const Value &"
	case command.Int:
		return "std::int64_t"
	case command.Float:
		return "double"
	case command.Bool:
		return "bool"
	case command.StringList:
		return "const std::vector<std::string> &"
	case command.BlobList:
		return "const std::vector<std::string> &"
	case command.Places:
		return "const std::vector<Place> &"
	case command.Pairs:
		return "const std::vector<std::pair<std::string, std::string>> &"
	}
	panic("no C++ type for argument " + a.Name)
}

func cppParams(c *command.Command) string {
	out := ""
	for _, a := range required(c) {
		if out != "" {
			out += ", "
		}
		t := cppType(a)
		if t[len(t)-1] != '&' {
			t += " "
		}
		out += t + a.Name
	}
	if len(optional(c)) > 0 {
		if out != "" {
			out += ", "
		}
		out += "const " + cppOptions(c) + " &options = {}"
	}
	return out
}

func cppOption(a command.Arg) string {
	return "std::optional<" + cppOptionType(a) + "> " + a.Name + "{};"
}

func cppOptionType(a command.Arg) string {
	return map[command.Type]string{command.String: "std::string", command.Int: "std::int64_t", command.Bool: "bool",
		command.Float: "double", command.FloatList: "std::vector<double>",
		command.StringList: "std::vector<std::string>", command.StringMap: "std::map<std::string, std::string>"}[a.Type]
}

func cppPack(a command.Arg) string {
	if a.Type == command.BlobList {
		return "detail::write_blobs(w, " + a.Name + ");"
	}
	return "detail::write(w, " + a.Name + ");"
}

func cppPackOption(a command.Arg) string {
	return "detail::write(w, options." + a.Name + ");"
}

func cppField(f command.Field) string {
	return map[command.Type]string{command.String: "std::string", command.StringOrNil: "std::optional<std::string>",
		command.Blob: "std::string", command.FloatOrNil: "std::optional<double>",
		command.Int: "std::int64_t", command.IntOrNil: "std::optional<std::int64_t>", command.Float: "double", command.Bool: "bool",
		command.Bytes: "std::string", command.JSON: "Value", command.StringMap: "std::map<std::string, std::string>"}[f.Type] + " " + f.Name + "{};"
}

func cppReadField(f command.Field) string { return "detail::read(field, r." + f.Name + ");" }

// cppValue is the type of what a command returns.
func cppValue(c *command.Command) string {
	rec := ""
	if c.Reply.Record != nil {
		rec = c.Reply.Record.Name
	}
	return map[string]string{"nothing": "void", "bool": "bool", "int": "std::int64_t", "intOrNil": "std::optional<std::int64_t>",
		"string": "std::string", "blobOrNil": "std::optional<std::string>", "bytesOrNil": "std::optional<std::string>",
		"jsonOrNil": "std::optional<Value>", "strings": "std::vector<std::string>", "blobs": "std::vector<std::optional<std::string>>",
		"record": rec, "recordOrNil": "std::optional<" + rec + ">", "records": "std::vector<" + rec + ">",
		"stream": rec, "float": "double", "map": "std::map<std::string, std::string>", "bools": "std::vector<bool>", "json": "Value",
		"floatOrNil": "std::optional<double>", "floats": "std::vector<std::optional<double>>", "ints": "std::vector<std::int64_t>", "values": "std::vector<std::string>", "recordsOrNil": "std::vector<std::optional<" + rec + ">>"}[replyKind(c)]
}

func cppResult(c *command.Command) string {
	if replyKind(c) == "stream" {
		return "Subscription<" + cppValue(c) + ">"
	}
	return "Result<" + cppValue(c) + ">"
}

// cppReturn turns the frame into the result.
func cppReturn(c *command.Command) string {
	if replyKind(c) == "stream" {
		return "return how_.template subscribe<" + cppValue(c) + ">(w);"
	}
	return "return how_.template run<" + cppValue(c) + ">(w);"
}
