package runner

import (
	"fmt"
	"math"
	"slices"
	"strings"

	table "github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
)

// Role host over the native wires. The recordings are those of HTTP, so a reply
// is compared by what the wire can say of it:
//
//  1. A command may answer Unsupported: it has no form there. A command that
//     only reads is left out of its case; one that writes ends the case without a
//     verdict, for what follows may rest on it.
//  2. Members of a reply that the native reply does not give may be missing or
//     null; they are listed in underivable.
//  3. Commands listed in quoting store a text as its JSON text over HTTP and as it
//     is natively. Once a case used one, a recorded JSON text may be the bare text.
//     Commands listed in parsing read what is stored as JSON over HTTP and as text
//     natively: a recorded value may be the text of it.
//     RESP3 writes distances with 4 decimals and coordinates with 6 (protocol: resp3 4).
//  4. Errors must have the code of the recorded error. The text of a wrong argument
//     is not compared: here it is the client that refuses, or the server words it
//     for arguments without names (protocol: synaprpc 6, resp3 3). Nor is that of
//     the commands listed in otherText, where no store speaks.
//  5. Cases listed in nativeDiffers turn on what a command means differently there.
//     They are played all the same: one that passes must leave the list.

// underivable lists the members of replies that cannot be derived from the native
// reply (native-map: "fields not named cannot be derived"), by command; a dot
// descends, also into the items of a list. A wire before a slash limits an entry.
var underivable = map[string][]string{
	"kv.flushdb":                {"flushed"},
	"kv.flushall":               {"flushed"},
	"sortedset.zadd":            {"changed"},
	"hyperloglog.pfadd":         {"added"},
	"resp3/hyperloglog.pfmerge": {"count"},
	"resp3/script.flush":        {"cleared"},
	"queue.consume":             {"message.max_retries", "message.headers"},
	"resp3/pubsub.publish":      {"message_id"},
	"pubsub.stats":              {"slow_consumers_dropped"},
	"stream.consume":            {"events.room", "events.metadata"},
	"stream.stats":              {"dropped", "total_consumed"},
}

// quoting are the commands that store the JSON text of a value over HTTP, its bare
// text natively (native-map: the notes of these commands).
var quoting = []string{
	"kv.mset", "kv.msetnx", "kv.append", "kv.setrange", "kv.getset", "hyperloglog.pfadd",
}

// parsing are the commands whose replies over HTTP are the stored text read as JSON
// (protocol: http-data 1).
var parsing = []string{"kv.mget"}

// otherText are the commands whose errors have a text of the wire: TTL says "key
// does not exist" on SynapRPC and -2 on RESP3 (native-map: kv.ttl).
var otherText = []string{"kv.ttl"}

const (
	quotesCount = "the value is stored without the quotes that the envelope adds, which the length counts"
	noWatch     = "writes over native wires do not trip WATCH (protocol: synaprpc quirk 10)"
	wrongTypes  = "the envelope reads an argument of the wrong type as absent or as 0; a native argument has a type"
)

// nativeDiffers are cases whose replies differ on a native wire by the protocol,
// with the reason. A wire before a slash limits an entry.
var nativeDiffers = map[string]string{
	"kv/append":                                            quotesCount,
	"kv/setrange":                                          quotesCount,
	"kv/ttl-wrong-type-ignored":                            wrongTypes,
	"kv/incr-bad-amount-means-one":                         wrongTypes,
	"q-bytes-coercion":                                     wrongTypes,
	"kv/getrange-splits-utf8":                              "bytes that are not text are the bytes, not the envelope's words for them",
	"kv/non-utf8-value":                                    "bytes that are not text are the bytes, not the envelope's words for them",
	"transaction/watch-conflict-aborts":                    noWatch,
	"transaction/watch-vs-hash-set":                        noWatch,
	"transaction/watch-vs-list-push":                       noWatch,
	"transaction/writes-without-client-id-run-immediately": "TXQUEUE without a transaction is refused, where the envelope carries the command out at once",
	"resp3/q-priority-clamp":                               "RESP3 takes a priority over 255 for none, not for its low byte",
}

// listed looks an entry up for a wire.
func listed[T any](table map[string]T, wire, name string) (T, bool) {
	if v, ok := table[wire+"/"+name]; ok {
		return v, true
	}
	v, ok := table[name]
	return v, ok
}

// nativeWireOf is the scheme of an address if it is that of a native wire.
func nativeWireOf(address string) string {
	switch scheme, _, _ := strings.Cut(address, "://"); scheme {
	case "synap", "resp3":
		return scheme
	}
	return ""
}

// derivable returns the recorded payload without what the wire cannot say and got
// does not have.
func derivable(want, got any, paths []string) any {
	for _, path := range paths {
		want = without(want, got, strings.Split(path, "."))
	}
	return want
}

func without(want, got any, path []string) any {
	if list, ok := want.([]any); ok {
		items, _ := got.([]any)
		out := slices.Clone(list)
		for i := range min(len(out), len(items)) {
			out[i] = without(out[i], items[i], path)
		}
		return out
	}
	object, ok := want.(map[string]any)
	gotObject, okGot := got.(map[string]any)
	if !ok || !okGot {
		return want
	}
	out := make(map[string]any, len(object))
	for name, v := range object {
		e := gotObject[name]
		switch {
		case name != path[0]:
		case len(path) > 1:
			v = without(v, e, path[1:])
		case e == nil:
			if _, null := gotObject[name]; null {
				out[name] = nil
			}
			continue
		}
		out[name] = v
	}
	return out
}

// rounded replaces recorded numbers by those that got has in their place and that
// differ from them by no more than 4 decimals leave out.
func rounded(want, got any) any {
	exact := want
	if d, ok := want.(map[string]any); ok && len(d) == 1 && d["$approx"] != nil {
		exact = d["$approx"]
	}
	if a, ok := number(exact); ok {
		if b, ok := number(got); ok && math.Abs(a-b) < 1e-4 {
			return got
		}
		return want
	}
	switch want := want.(type) {
	case []any:
		items, _ := got.([]any)
		out := slices.Clone(want)
		for i := range min(len(out), len(items)) {
			out[i] = rounded(out[i], items[i])
		}
		return out
	case map[string]any:
		object, _ := got.(map[string]any)
		out := make(map[string]any, len(want))
		for name, v := range want {
			out[name] = rounded(v, object[name])
		}
		return out
	}
	return want
}

// unparsed replaces recorded JSON values by the texts that spell them where got has
// those. kv.mget has null for a text that is no JSON.
func unparsed(want, got any) any {
	text, isText := got.(string)
	_, wanted := want.(string)
	if isText && !wanted {
		v, err := parseJSON([]byte(text))
		if err != nil && want == nil || err == nil && sameValue(want, v, false, "") == "" {
			return text
		}
	}
	switch want := want.(type) {
	case []any:
		items, _ := got.([]any)
		out := slices.Clone(want)
		for i := range min(len(out), len(items)) {
			out[i] = unparsed(out[i], items[i])
		}
		return out
	case map[string]any:
		object, _ := got.(map[string]any)
		out := make(map[string]any, len(want))
		for name, v := range want {
			out[name] = unparsed(v, object[name])
		}
		return out
	}
	return want
}

// bare replaces recorded JSON texts by the texts that they spell where got has
// those: got is searched at the same place, or anywhere in a list without order.
func bare(want, got any) any {
	switch want := want.(type) {
	case string:
		v, err := parseJSON([]byte(want))
		if text, ok := v.(string); ok && err == nil && got == text {
			return text
		}
	case []any:
		items, _ := got.([]any)
		out := slices.Clone(want)
		for i := range min(len(out), len(items)) {
			out[i] = bare(out[i], items[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(want))
		object, _ := got.(map[string]any)
		for name, v := range want {
			if list, ok := v.([]any); ok && name == "$unordered" {
				items, _ := got.([]any)
				v = bareAmong(list, items)
			} else {
				v = bare(v, object[name])
			}
			out[name] = v
		}
		return out
	}
	return want
}

func bareAmong(want, items []any) []any {
	out := slices.Clone(want)
	for i := range out {
		text, ok := out[i].(string)
		if !ok || slices.Contains(onlyTexts(items), text) {
			continue
		}
		for _, item := range items {
			if b := bare(text, item); b != any(text) {
				out[i] = b
				break
			}
		}
	}
	return out
}

func onlyTexts(items []any) []string {
	var out []string
	for _, e := range items {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// checkNativeError returns how err differs from the recorded error text, by rule 4.
func checkNativeError(err *errs.Error, command, transport string, b Bindings, text any) string {
	e, d := clientError(err, command, transport)
	if d != "" {
		return d
	}
	if want := recordedError(b, text); want != nil {
		if e.Code != want.Code {
			return fmt.Sprintf("the error's code: expected %s as of %s, got %s (%v)", want.Code.String(), writeJSON(text), e.Code.String(), e)
		}
		if e.Status != 0 && e.Status != want.Status {
			return fmt.Sprintf("the error's status: expected none or %d, got %d (%v)", want.Status, e.Status, e)
		}
	}
	if e.MaybeApplied {
		return fmt.Sprintf("the error %q says that the command may have been applied; it was refused", e.Message)
	}
	if e.Code == errs.InvalidArgument || slices.Contains(otherText, command) {
		return ""
	}
	// The native wires give the error of a store without the envelope's "Invalid
	// request: ".
	if d := b.Match(text, e.Message); d != "" && b.Match(text, "Invalid request: "+e.Message) != "" {
		return "the error's message: " + d
	}
	return ""
}

// recordedError is the error of a recorded text, nil if its kind is not known: a
// matcher may leave it open.
func recordedError(b Bindings, text any) *errs.Error {
	if name, parts, _ := only(text); name == "$contains" {
		if list, ok := parts.([]any); ok && len(list) > 0 {
			text = list[0]
		}
	}
	recorded, _ := text.(string)
	if filled, err := b.fill(recorded); err == nil {
		recorded = filled
	}
	for _, f := range families {
		if strings.HasPrefix(recorded, f.start) {
			return errs.FromServer(recorded)
		}
	}
	return nil
}

// changesNothing reports whether a step's command left the server as it was when
// it was recorded.
func changesNothing(command string, success bool) bool {
	return !success || table.ReadOnly(command) || slices.Contains(reading, command)
}

// reading are the commands outside the command table that change nothing.
var reading = strings.Fields("info slowlog.get memory.usage client.list")
