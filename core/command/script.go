package command

var (
	argScriptKeys = Arg{Name: "keys", Type: StringList, Loose: true, Doc: "What the script sees as KEYS. Absent: none."}
	argScriptArgs = Arg{Name: "args", Type: StringList, Loose: true, Doc: "What the script sees as ARGV. Absent: none."}
)

var scriptFamily = Family{Name: "script", Doc: "Lua scripts, which run on the server in one step.", Commands: []Command{
	{Name: "script.eval", Summary: "Runs a script.",
		Doc:  "redis.call knows most commands of strings, hashes, lists, sets and sorted sets. Values that it reads and writes are raw: the text that hash.set stored has JSON quotes. Writes made before an error stay. The server does not stop a script that runs too long.",
		Args: []Arg{{Name: "script", Type: String, Required: true, Doc: "The Lua text."}, argScriptKeys, argScriptArgs},
		HTTP: HTTP{Command: "script.eval"}, RPC: native("EVAL", "script #keys keys... args...", "json sha1=sha1(script)"), RESP3: native("EVAL", "script #keys keys... args...", "json sha1=sha1(script)"),
		Reply: Reply{Kind: ReplyJSON, Field: "result", Doc: "What the script returns; an empty table is [null]."}, Traits: write,
		Errors:  "InvalidArgument for a syntax error or error(), Server for a failed redis.call.",
		Example: `client.script.eval("return redis.call('get', KEYS[1])", keys=["user:1"])`},
	{Name: "script.evalsha", Summary: "Runs a script that the server has.", Doc: "As eval; every script that was given to eval or load is kept.",
		Args: []Arg{{Name: "sha1", Type: String, Required: true, Doc: "The SHA-1 of the text in lower case, from load."}, argScriptKeys, argScriptArgs},
		HTTP: HTTP{Command: "script.evalsha"}, RPC: native("EVALSHA", "sha1 #keys keys... args...", "json sha1"), RESP3: native("EVALSHA", "sha1 #keys keys... args...", "json sha1"),
		Reply: Reply{Kind: ReplyJSON, Field: "result", Doc: "What the script returns; an empty table is [null]."}, Traits: write,
		Errors:  "NotFound if the server does not have the script, else as eval.",
		Example: `client.script.evalsha("e0e1f9fabfc9d4800c877a703b823ac0578ff8db", keys=["user:1"])`},
	{Name: "script.load", Summary: "Gives a script to the server without running it.", Doc: "It is not compiled: a syntax error shows when it runs.",
		Args: []Arg{{Name: "script", Type: String, Required: true, Doc: "The Lua text."}},
		HTTP: HTTP{Command: "script.load"}, RPC: native("SCRIPT.LOAD", "script", "string"), RESP3: native("SCRIPT", `"LOAD" script`, "string"),
		Reply: Reply{Kind: ReplyString, Field: "sha1", Doc: "The SHA-1 of the text, for evalsha."}, Traits: put,
		Example: `client.script.load("return 1")`},
	{Name: "script.exists", Summary: "Reports which scripts the server has.",
		Args: []Arg{{Name: "hashes", Type: StringList, Required: true, Loose: true, Doc: "SHA-1 sums in lower case."}},
		HTTP: HTTP{Command: "script.exists"}, RPC: native("SCRIPT.EXISTS", "hashes...", "bools"), RESP3: native("SCRIPT", `"EXISTS" hashes...`, "bools"),
		Reply: Reply{Kind: ReplyBools, Field: "exists", Doc: "One per sum, in order."}, Traits: read,
		Example: `client.script.exists(["e0e1f9fabfc9d4800c877a703b823ac0578ff8db"])`},
	{Name: "script.flush", Summary: "Makes the server forget all scripts.",
		HTTP: HTTP{Command: "script.flush"}, RPC: native("SCRIPT.FLUSH", "", "int"), RESP3: native("SCRIPT", `"FLUSH"`, "unknown"),
		Reply: Reply{Kind: ReplyIntOrNil, Field: "cleared", Doc: "How many there were; nothing where the wire does not say."}, Traits: write,
		Example: `client.script.flush()`},
	{Name: "script.kill", Summary: "Asks the server to stop the running script.", Doc: "The server agrees and goes on running it (protocol: http-data quirk 19).",
		HTTP: HTTP{Command: "script.kill"}, RPC: native("SCRIPT.KILL", "", "bool"), RESP3: native("SCRIPT", `"KILL"`, "ok"),
		Reply: Reply{Kind: ReplyBool, Field: "terminated", No: "No scripts in execution", Doc: "Whether a script was running."}, Traits: put,
		Example: `client.script.kill()`},
}}
