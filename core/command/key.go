package command

var (
	argSource      = Arg{Name: "source", Type: String, Required: true, Doc: "The key."}
	argDestination = Arg{Name: "destination", Type: String, Required: true, Doc: "Its new name."}
)

// The native wires see only strings under these names, where the envelope sees
// five stores: they have no form for this family.
var keyFamily = Family{Name: "key", Doc: "Keys of the stores of strings, hashes, lists, sets and sorted sets. One name may be a key in each.", Commands: []Command{
	{Name: "key.type", Summary: "Returns what a key holds.",
		Doc:  "Of a name that is a key in several stores the first in the order zset, set, list, hash, string counts. Bitmaps and HyperLogLogs are not seen.",
		Args: []Arg{argKey}, HTTP: HTTP{Command: "key.type"},
		Reply: Reply{Kind: ReplyString, Field: "type", Doc: "string, hash, list, set or zset; none if the key is missing."}, Traits: read,
		Example: `client.key.type("user:1")`},
	{Name: "key.exists", Summary: "Reports whether a key exists in any store.", Args: []Arg{argKey}, HTTP: HTTP{Command: "key.exists"},
		Reply: Reply{Kind: ReplyBool, Field: "exists"}, Traits: read,
		Example: `client.key.exists("user:1")`},
	{Name: "key.rename", Summary: "Renames a key, in place of what had its new name.",
		Doc:  "Only what type reports is moved. The TTL is kept in whole seconds. The server leaves the source of a list of one element in place, and appends to a list that has the new name (protocol: http-data quirk 11).",
		Args: []Arg{argSource, argDestination}, HTTP: HTTP{Command: "key.rename"},
		Reply: Reply{Kind: ReplyNothing}, Traits: write,
		Errors:  "NotFound if the key is missing.",
		Example: `client.key.rename("draft", "final")`},
	{Name: "key.renamenx", Summary: "Renames a key if its new name is free.", Doc: "Moves what rename moves.",
		Args: []Arg{argSource, argDestination}, HTTP: HTTP{Command: "key.renamenx"},
		Reply: Reply{Kind: ReplyBool, Field: "success", No: "already exists", Doc: "False if the new name is taken."}, Traits: write,
		Errors:  "NotFound if the key is missing.",
		Example: `client.key.renamenx("draft", "final")`},
	{Name: "key.copy", Summary: "Copies a key.", Doc: "Only what type reports is copied, with its TTL in whole seconds.",
		Args: []Arg{argSource, {Name: "destination", Type: String, Required: true, Doc: "The name of the copy."}, {Name: "replace", Type: Bool, Default: "false", Doc: "Replace what has the name."}}, HTTP: HTTP{Command: "key.copy"},
		Reply: Reply{Kind: ReplyBool, Field: "success", No: "already exists", Doc: "False if the name is taken and replace is not given."}, Traits: write,
		Errors:  "NotFound if the key is missing.",
		Example: `client.key.copy("user:1", "backup:1", replace=True)`},
	{Name: "key.randomkey", Summary: "Returns the key of some string.", Doc: "Keys of other stores are never chosen.", HTTP: HTTP{Command: "key.randomkey"},
		Reply: Reply{Kind: ReplyBlobOrNil, Field: "key", Doc: "The key, which is text; nothing if there are no strings."}, Traits: read,
		Example: `client.key.randomkey()`},
}}
