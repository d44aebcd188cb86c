package native

import (
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

var scriptCommands = family{
	"EVAL":          {params: []param{{kind: text, field: "script"}, numkeys}, run: func(c *call) (Result, string) { return c.eval("script.eval") }},
	"EVALSHA":       {params: []param{{kind: text, field: "sha1"}, numkeys}, run: func(c *call) (Result, string) { return c.eval("script.evalsha") }},
	"SCRIPT.LOAD":   {wires: RPC, params: []param{{kind: text, field: "script"}}, name: "script.load", reply: part("sha1")},
	"SCRIPT.EXISTS": {wires: RPC, params: []param{{kind: names, field: "hashes"}}, name: "script.exists", reply: part("exists")},
	"SCRIPT.FLUSH":  {wires: RPC, name: "script.flush", reply: part("cleared")},
	"SCRIPT.KILL":   {wires: RPC, name: "script.kill", reply: part("terminated")},
	"SCRIPT":        {wires: RESP, run: scriptCommand},
}

// numkeys may not be negative: the server would end (protocol: synaprpc quirk 1).
var numkeys = param{kind: bounded, field: "numkeys", complaint: "numkeys must be an integer"}

// eval answers the result as JSON text.
func (c *call) eval(name string) (Result, string) {
	n, _ := c.field("numkeys").AsInt()
	var texts []value.Value
	for _, v := range c.args[2:] {
		if s, ok := v.AsBlob(); ok && (c.wire == RESP || utf8.ValidString(s)) {
			texts = append(texts, value.BytesOf(s))
		}
	}
	n = min(n, int64(len(texts)))
	c.set("keys", value.Array(texts[:n]...))
	c.set("args", value.Array(texts[n:]...))
	answer, errText := c.exec(name)
	if errText != "" {
		return Result{}, errText
	}
	text, err := value.AppendSortedJSON(nil, answer.Field("result"))
	if err != nil {
		return Result{}, "Internal error: " + err.Error()
	}
	return plain(value.Str(string(text))), ""
}

// scriptCommand is what SynapRPC has as commands of their own.
func scriptCommand(c *call) (Result, string) {
	if len(c.args) == 0 {
		return Result{}, c.arity()
	}
	sub := c.wordAt(0)
	if (sub == "LOAD" || sub == "EXISTS") && len(c.args) < 2 {
		return Result{}, c.arityOf(c.name + " " + sub)
	}
	switch sub {
	case "LOAD":
		c.set("script", value.Str(c.text(1, "script")))
		if c.wrong != "" {
			return Result{}, c.wrong
		}
		answer, errText := c.exec("script.load")
		return plain(answer.Field("sha1")), errText
	case "EXISTS":
		c.set("hashes", value.Array(c.names(1, "sha1")...))
		if c.wrong != "" {
			return Result{}, c.wrong
		}
		answer, errText := c.exec("script.exists")
		return plain(answer.Field("exists")), errText
	case "FLUSH":
		_, errText := c.exec("script.flush")
		return replyOK, errText
	case "KILL":
		answer, errText := c.exec("script.kill")
		if killed, _ := answer.Field("terminated").AsBool(); !killed && errText == "" {
			errText = "No scripts in execution right now."
		}
		return replyOK, errText
	}
	return c.fail("unknown SCRIPT subcommand '" + sub + "'. Try LOAD, EXISTS, FLUSH, KILL")
}
