package session

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// The shapes of sorted sets and places.

// inBrackets splits "from_lonlat[1]": the member of the payload and the place in its
// list.
func inBrackets(field string) (member string, at int, ok bool) {
	member, rest, ok := strings.Cut(field, "[")
	if ok {
		at, _ = strconv.Atoi(strings.TrimSuffix(rest, "]"))
	}
	return member, at, ok
}

// lists collects the arguments that share lists of the payload.
type lists struct {
	names []string
	items [][]value.Value
}

func (l *lists) put(name string, at int, v value.Value) {
	i := 0
	for i < len(l.names) && l.names[i] != name {
		i++
	}
	if i == len(l.names) {
		l.names, l.items = append(l.names, name), append(l.items, nil)
	}
	for len(l.items[i]) <= at {
		l.items[i] = append(l.items[i], value.Nil)
	}
	l.items[i][at] = v
}

func (l *lists) appendTo(kv []value.Value) []value.Value {
	for i, name := range l.names {
		kv = append(kv, value.Str(name), value.Array(l.items[i]...))
	}
	return kv
}

// placesPayload makes the envelope's objects of (latitude, longitude, member).
func placesPayload(v value.Value) value.Value {
	out := make([]value.Value, v.Len())
	for i := range out {
		p := v.Index(i)
		out[i] = value.Map(value.Str("lat"), float(p.Index(0)), value.Str("lon"), float(p.Index(1)), value.Str("member"), p.Index(2))
	}
	return value.Array(out...)
}

// appendPlace adds a place in the order that the wire has for coordinates.
func appendPlace(out []value.Value, conv command.Conv, p value.Value) []value.Value {
	lat, lon, member := p.Index(0), p.Index(1), p.Index(2)
	if p.Kind() == value.KindMap { // of an envelope
		lat, lon, member = p.Field("lat"), p.Field("lon"), p.Field("member")
	}
	if conv == command.LonLat {
		lat, lon = lon, lat
	}
	return append(out, float(lat), float(lon), member)
}

func arePlaces(v value.Value) bool {
	if v.Kind() != value.KindArray {
		return false
	}
	for i := range v.Len() {
		p := v.Index(i)
		_, lat := p.Field("lat").AsFloat()
		_, lon := p.Field("lon").AsFloat()
		_, member := p.Field("member").AsStr()
		if !lat || !lon || !member {
			return false
		}
	}
	return true
}

// float makes an integer that stands for a float one: a native wire tells them apart.
func float(v value.Value) value.Value {
	f, _ := v.AsFloat()
	return value.Float(f)
}

// byteArrays gives the bytes in a list the form that JSON has for them.
func byteArrays(v value.Value) value.Value {
	out := make([]value.Value, v.Len())
	for i := range out {
		out[i] = v.Index(i)
		if b, _ := out[i].AsBlob(); out[i].Kind() == value.KindBytes {
			out[i] = value.ByteArray(b)
		}
	}
	return value.Array(out...)
}

// fromByteArray is the native form of an element that may be an array of bytes.
func fromByteArray(v value.Value) value.Value {
	if b, ok := v.AsByteArray(); ok {
		return value.BytesOf(b)
	}
	return blob(v)
}

// scored reads members with scores: a map, or a flat list.
func scored(r value.Value) (value.Value, bool) {
	m, ok := pairsOf(r)
	if !ok {
		return r, false
	}
	out := make([]value.Value, m.Len())
	for i := range out {
		member, score := m.Pair(i)
		f, isFloat := floatOf(score)
		text, isText := member.AsBlob()
		if !isFloat || !isText {
			return r, false
		}
		out[i] = value.Map(value.Str("member"), value.TextOrBytes(text), value.Str("score"), value.Float(f))
	}
	return value.Array(out...), true
}

// point reads a pair of coordinates, or nothing. order is how the wire has them.
func point(order string, r value.Value) (value.Value, bool) {
	if r.IsNil() {
		return r, true
	}
	a, okA := floatOf(r.Index(0))
	b, okB := floatOf(r.Index(1))
	if !okA || !okB || r.Len() != 2 {
		return r, false
	}
	if order == "lonlat" {
		a, b = b, a
	}
	return value.Map(value.Str("lat"), value.Float(a), value.Str("lon"), value.Float(b)), true
}

func points(order string, r value.Value) (value.Value, bool) {
	if r.Kind() != value.KindArray {
		return r, false
	}
	out := make([]value.Value, r.Len())
	for i := range out {
		var ok bool
		if out[i], ok = point(order, r.Index(i)); !ok {
			return r, false
		}
	}
	return value.Array(out...), true
}

// hits reads what a search found: members, or lists of a member, its distance and
// its coordinates, of which those not asked for are nothing.
func hits(order string, r value.Value) (value.Value, bool) {
	if r.Kind() != value.KindArray {
		return r, false
	}
	out := make([]value.Value, r.Len())
	for i := range out {
		hit := r.Index(i)
		name := hit
		if hit.Kind() == value.KindArray {
			name = hit.Index(0)
		}
		text, ok := name.AsBlob()
		if !ok {
			return r, false
		}
		members := []value.Value{value.Str("member"), value.TextOrBytes(text)}
		if hit.Kind() == value.KindArray {
			if d, ok := floatOf(hit.Index(1)); ok {
				members = append(members, value.Str("distance"), value.Float(d))
			}
			place, ok := point(order, hit.Index(2))
			if !ok {
				return r, false
			}
			if !place.IsNil() {
				members = append(members, value.Str("coord"), place)
			}
		}
		out[i] = value.Map(members...)
	}
	return value.Array(out...), true
}

// geoResult converts the replies of geo commands and sorted sets.
func (c *Call) geoResult(kind string, r value.Value) (v value.Value, ok bool) {
	order, shape, _ := strings.Cut(kind, "-")
	switch {
	case shape == "hits":
		return hits(order, r)
	case shape == "points":
		return points(order, r)
	case kind == "scored":
		return scored(r)
	case kind == "score":
		if r.IsNil() {
			return r, true
		}
		f, ok := floatOf(r)
		return value.Float(f), ok
	case kind == "changed":
		return c.changed(r)
	}
	return r, false
}

// changed reads whether something changed. The envelope counts what did: how much
// that was the wire does not say.
func (c *Call) changed(r value.Value) (value.Value, bool) {
	n, isInt := r.AsInt()
	b, isBool := r.AsBool()
	on := b || n > 0
	switch {
	case c.cmd != nil:
		return value.Bool(on), isInt || isBool
	case on:
		return value.Nil, isInt || isBool
	}
	return value.Int(0), isInt || isBool
}

// member returns a member of the request for the reply, or what leaving it out means.
func (c *Call) member(name string) value.Value {
	v := c.payload.Field(name)
	if v.IsNil() {
		for i := range c.entry.Args {
			if a := &c.entry.Args[i]; a.Wire() == name && a.Default != "" {
				return defaultOf(a)
			}
		}
	}
	return v
}

// decodeShapes decodes the replies of sorted sets, bitmaps and places.
func decodeShapes(cmd *command.Command, v value.Value) (value.Value, *errs.Error) {
	switch cmd.Reply.Kind {
	case command.ReplyFloatOrNil:
		if f, ok := v.AsFloat(); ok {
			return value.Float(f), nil
		}
		if v.IsNil() {
			return v, nil
		}
	case command.ReplyFloats:
		return decodeList(cmd, v, func(e value.Value) (value.Value, *errs.Error) {
			f, ok := e.AsFloat()
			if !ok && !e.IsNil() {
				return e, badReply(cmd, "lists something that is no number")
			} else if !ok {
				return e, nil
			}
			return value.Float(f), nil
		})
	case command.ReplyInts:
		return decodeList(cmd, v, func(e value.Value) (value.Value, *errs.Error) {
			if _, ok := e.AsInt(); !ok {
				return e, badReply(cmd, "lists something that is no integer")
			}
			return e, nil
		})
	case command.ReplyMaybeRecords:
		return decodeList(cmd, v, func(e value.Value) (value.Value, *errs.Error) {
			if e.IsNil() {
				return e, nil
			}
			return decodeRecord(cmd, e)
		})
	}
	return value.Nil, badReply(cmd, "holds a "+v.Kind().String()+" where another type is due")
}
