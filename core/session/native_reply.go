package session

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// fromNative turns the reply to a native command into the payload of the
// envelope's reply, of which both faces of a call make their result. A raw call
// gets all members that the wire lets derive.
func (c *Call) fromNative(step *Step, reply value.Value) (value.Value, *errs.Error) {
	cmd := c.entry
	if c.asked { // the extra question: that it was answered is the answer
		return reply, nil
	}
	form := formOf(cmd, c.wire)
	v, err := c.nativeResult(form.Kind, reply)
	if err != nil {
		return v, err
	}
	if c.cmd == nil && cmd.Reply.Stored {
		v = envelopeStored(v)
	}
	if cmd.Reply.First {
		v = value.Array(v)
	}
	if form.Kind == "found" {
		return foundOrNot(c.cmd == nil, cmd.Reply.Field, reply, v), nil
	}
	field := cmd.Reply.Field
	if c.cmd == nil && cmd.HTTP.Shape == command.Envelope && cmd.HTTP.Field != "" {
		field = cmd.HTTP.Field
	}
	whole := field == "" && v.Kind() == value.KindMap
	switch {
	case c.cmd != nil && field == "":
		return v, nil
	case c.cmd != nil:
		return value.Map(value.Str(field), v), nil
	case field == "" && form.Kind == "ok":
		field = "success"
	case field == "" && !whole:
		return v, nil
	}
	var members []value.Value
	if whole {
		for i := range v.Len() {
			k, m := v.Pair(i)
			members = append(members, k, m)
		}
	} else {
		members = append(members, value.Str(field), v)
	}
	return value.Map(c.extras(form, members, v)...), nil
}

// foundOrNot leaves the member out of a reply that found nothing.
func foundOrNot(raw bool, field string, reply, v value.Value) value.Value {
	var members []value.Value
	if raw {
		members = append(members, value.Str("found"), value.Bool(!reply.IsNil()))
	}
	if !reply.IsNil() {
		members = append(members, value.Str(field), v)
	}
	return value.Map(members...)
}

// extras adds what only the envelope's reply has.
func (c *Call) extras(form *command.Form, members []value.Value, v value.Value) []value.Value {
	if form.Kind == "ok" && form.Extras != nil {
		members = append([]value.Value{}, value.Str("success"), value.Bool(true))
	}
	for _, e := range form.Extras {
		name, from, renamed := strings.Cut(e, "=")
		if !renamed {
			from = name
		}
		switch e {
		case "count":
			members = append(members, value.Str(e), value.Int(int64(v.Len())))
			continue
		case "success":
			members = append(members, value.Str(e), value.Bool(true))
			continue
		}
		switch text, isText := strings.CutPrefix(name, "message:"); {
		case isText:
			members = append(members, value.Str("message"), value.Str(strings.ReplaceAll(text, "_", " ")))
			continue
		case from == "sha1(script)":
			if sum := scriptSum(c.payload.Field("script")); !sum.IsNil() {
				members = append(members, value.Str(name), sum)
			}
			continue
		}
		if n, err := strconv.ParseInt(from, 10, 64); err == nil {
			members = append(members, value.Str(name), value.Int(n))
			continue
		}
		members = append(members, value.Str(name), c.member(from))
	}
	if form.Kind == "events" {
		next, _ := c.payload.Field("from_offset").AsInt()
		if n := v.Len(); n > 0 {
			last, _ := v.Index(n - 1).Field("offset").AsInt()
			next = last + 1
		}
		members = append(members, value.Str("next_offset"), value.Int(next))
	}
	return members
}

// nativeResult converts a native reply.
func (c *Call) nativeResult(kind string, r value.Value) (value.Value, *errs.Error) {
	switch kind {
	case "ok":
		if s, ok := r.AsStr(); ok && s == "OK" {
			return value.Bool(true), nil
		}
	case "int", "length":
		if _, ok := r.AsInt(); ok {
			return r, nil
		}
	case "int>0", "bool":
		if n, ok := r.AsInt(); ok {
			return value.Bool(n > 0), nil
		}
		if r.Kind() == value.KindBool {
			return r, nil
		}
	case "bytes", "part", "found":
		s, ok := r.AsBlob()
		switch {
		case r.IsNil() || (ok && s == "" && kind == "part"):
			return value.Nil, nil
		case !ok:
		case c.cmd == nil: // the envelope has text
			return value.TextOrBytes(s), nil
		default:
			return r, nil
		}
	case "string":
		if s, ok := r.AsBlob(); ok {
			return value.TextOrBytes(s), nil
		}
	case "list":
		if r.Kind() == value.KindArray {
			return blobs(r), nil
		}
	case "scan":
		if keys := r.Index(1); keys.Kind() == value.KindArray {
			return keys, nil
		}
	case "map":
		if m, ok := pairsOf(r); ok {
			return m, nil
		}
	case "ttl":
		switch n, ok := r.AsInt(); {
		case !ok:
		case n == -1:
			return value.Nil, nil
		case n == -2:
			return r, &errs.Error{Code: errs.NotFound, Command: c.name, Message: "the key is missing"}
		default:
			return r, nil
		}
	case "float":
		if f, ok := floatOf(r); ok {
			return value.Float(f), nil
		}
	case "score", "scored", "changed", "latlon-hits", "lonlat-hits", "latlon-points", "lonlat-points":
		if v, ok := c.geoResult(kind, r); ok {
			return v, nil
		}
	case "json":
		if s, ok := r.AsBlob(); ok {
			if parsed, err := value.ParseJSON(s); err == nil {
				return parsed, nil
			}
		}
	case "bools":
		if r.Kind() == value.KindArray {
			return bools(r), nil
		}
	case "queued":
		if s, ok := r.AsStr(); ok && s == "QUEUED" {
			return value.Bool(true), nil
		}
	case "results":
		if v, ok := executed(r); ok {
			return v, nil
		}
	case "created":
		if s, ok := r.AsStr(); ok && (s == "CREATED" || s == "EXISTS") {
			return value.Bool(s == "CREATED"), nil
		}
	case "unknown":
		return value.Nil, nil
	case "matched":
		if _, ok := r.AsInt(); ok {
			return value.Map(value.Str("subscribers_matched"), r), nil
		}
	case "message":
		return c.nativeMessage(r)
	case "events":
		return c.nativeEvents(r)
	case "kvstats":
		if m, ok := pairsOf(r); ok {
			return kvStats(m), nil
		}
	}
	return value.Nil, badReply(c.entry, "is a "+r.Kind().String()+" that does not belong to this command")
}

// blobs gives the elements of a list the type of stored values.
func blobs(list value.Value) value.Value {
	items := list.Items()
	for i, e := range items {
		if e.Kind() == value.KindBytes {
			s, _ := e.AsBlob()
			out := append([]value.Value(nil), items...)
			out[i] = value.TextOrBytes(s)
			for j := i + 1; j < len(out); j++ {
				if s, ok := out[j].AsBlob(); ok {
					out[j] = value.TextOrBytes(s)
				}
			}
			return value.Array(out...)
		}
	}
	return list
}

// pairsOf reads a map, or a flat list of names and values.
func pairsOf(r value.Value) (value.Value, bool) {
	switch {
	case r.Kind() == value.KindMap:
		return r, true
	case r.Kind() == value.KindArray && r.Len()%2 == 0:
		return value.Map(r.Items()...), true
	}
	return r, false
}

// nativeMessage reads a consumed message: nothing, a map, or a list of id, payload,
// priority and retry count.
func (c *Call) nativeMessage(r value.Value) (value.Value, *errs.Error) {
	if r.IsNil() {
		return r, nil
	}
	if r.Kind() == value.KindArray && r.Len() == 4 {
		r = value.Map(value.Str("id"), r.Index(0), value.Str("payload"), r.Index(1),
			value.Str("priority"), r.Index(2), value.Str("retry_count"), r.Index(3))
	}
	if r.Kind() != value.KindMap {
		return value.Nil, badReply(c.entry, "is no message")
	}
	return c.asBytes(r, "payload"), nil
}

func (c *Call) nativeEvents(r value.Value) (value.Value, *errs.Error) {
	if r.Kind() != value.KindArray {
		return value.Nil, badReply(c.entry, "is no list of events")
	}
	events := r.Items()
	out := make([]value.Value, len(events))
	for i, e := range events {
		out[i] = c.asBytes(e, "data")
	}
	return value.Array(out...), nil
}

// asBytes gives a member that holds bytes the form that records are read from;
// for raw calls that of the envelope.
func (c *Call) asBytes(m value.Value, name string) value.Value {
	raw := c.cmd == nil && !c.bare
	got := m.Field(name)
	if got.Kind() == value.KindBytes && !raw {
		return m
	}
	b, ok := got.AsBlob()
	if !ok {
		return m
	}
	as := value.BytesOf(b)
	if raw {
		as = value.ByteArray(b)
	}
	members := make([]value.Value, 0, 2*m.Len())
	for i := range m.Len() {
		k, v := m.Pair(i)
		if s, _ := k.AsStr(); s == name {
			v = as
		}
		members = append(members, k, v)
	}
	return value.Map(members...)
}

// kvStats arranges the counters as the envelope does.
func kvStats(m value.Value) value.Value {
	hits, _ := m.Field("hits").AsFloat()
	misses, _ := m.Field("misses").AsFloat()
	rate := 0.0
	if hits+misses > 0 {
		rate = hits / (hits + misses)
	}
	operations := make([]value.Value, 0, 10)
	for _, name := range []string{"gets", "sets", "dels", "hits", "misses"} {
		operations = append(operations, value.Str(name), m.Field(name))
	}
	return value.Map(
		value.Str("total_keys"), m.Field("total_keys"),
		value.Str("total_memory_bytes"), m.Field("total_memory_bytes"),
		value.Str("operations"), value.Map(operations...),
		value.Str("hit_rate"), value.Float(rate))
}

// floatOf reads a float, which RESP3 may write as text.
func floatOf(r value.Value) (float64, bool) {
	if s, isText := r.AsBlob(); isText {
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	}
	return r.AsFloat()
}

// bools reads a list of booleans, which RESP3 writes as 0 and 1.
func bools(list value.Value) value.Value {
	out := make([]value.Value, list.Len())
	for i := range out {
		b, isBool := list.Index(i).AsBool()
		n, _ := list.Index(i).AsInt()
		out[i] = value.Bool(isBool && b || n > 0)
	}
	return value.Array(out...)
}

// executed reads what became of a transaction: a JSON text per command, or nothing.
func executed(r value.Value) (value.Value, bool) {
	if r.IsNil() {
		return value.Map(value.Str("aborted"), value.Bool(true), value.Str("message"), value.Str("Transaction aborted: watched keys changed")), true
	}
	if r.Kind() != value.KindArray {
		return r, false
	}
	results := make([]value.Value, r.Len())
	for i := range results {
		results[i] = parseStored(r.Index(i))
	}
	return value.Map(value.Str("success"), value.Bool(true), value.Str("results"), value.Array(results...)), true
}
