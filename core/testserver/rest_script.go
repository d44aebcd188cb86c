package testserver

// The script routes (protocol: http-data 11). Unlike on the envelope keys are text.
var scriptRoutes = []route{
	{method: "POST", path: "/script/eval", body: &shape{"struct EvalRequest", scriptFields("script")}, run: command("script.eval")},
	{method: "POST", path: "/script/evalsha", body: &shape{"struct EvalShaRequest", scriptFields("sha1")}, run: command("script.evalsha")},
	{method: "POST", path: "/script/load", body: &shape{"struct ScriptLoadRequest", []field{{name: "script", read: str}}}, run: command("script.load")},
	{method: "POST", path: "/script/exists", body: &shape{"struct ScriptExistsRequest", []field{{name: "hashes", read: list(str)}}},
		run: command("script.exists")},
	{method: "POST", path: "/script/flush", run: command("script.flush")},
	{method: "POST", path: "/script/kill", run: command("script.kill")},
}

func scriptFields(script string) []field {
	return []field{
		{name: script, read: str},
		{name: "keys", rule: defaulted, read: list(str)},
		{name: "args", rule: defaulted, read: list(anyJSON)},
		{name: "timeout_ms", rule: optional, read: u64},
	}
}
