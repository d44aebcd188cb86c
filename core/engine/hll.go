//go:build !wasip1

package engine

import "github.com/libsynap/libsynap/core/value"

// This file says itself that the WASM module is without it: the linker drops only
// large maps that nothing uses.
var hllCommands = family{
	{"hyperloglog.pfadd", hllPfadd}, {"hyperloglog.pfcount", hllPfcount}, {"hyperloglog.pfmerge", hllPfmerge}, {"hyperloglog.stats", hllStats},
}

// hllElement is the bytes of an element: of a text its UTF-8, of a list of bytes
// these, of any other value its JSON text.
func hllElement(v value.Value) (element, errText string) {
	switch v.Kind() {
	case value.KindNil:
		return "", "Invalid value: HyperLogLog elements cannot be null"
	case value.KindArray:
		if s, ok := v.AsByteArray(); ok {
			return s, ""
		}
		for i := range v.Len() {
			if n, ok := v.Index(i).AsUint(); !ok {
				return "", "Invalid value: HyperLogLog element arrays must contain integers"
			} else if n > 255 {
				return "", "Invalid value: HyperLogLog element byte out of range (0-255)"
			}
		}
	}
	return rawText(v), ""
}

func hllPfadd(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	list := c.payload.Field("elements")
	if list.Kind() != value.KindArray {
		return value.Nil, "Invalid request: Missing 'elements' array"
	}
	elements := make([]string, list.Len())
	for i := range elements {
		if elements[i], errText = hllElement(list.Index(i)); errText != "" {
			return value.Nil, errText
		}
	}
	if len(elements) == 0 && c.from == Routed {
		return keyed("added", value.Int(0), key), "" // the route makes nothing of nothing
	}
	expires := int64(0)
	if seconds, ok := c.uint("ttl_secs"); ok {
		expires = e.expiry(seconds)
	}
	return keyed("added", value.Int(e.hlls.add(e.now, key, elements, expires)), key), ""
}

func hllPfcount(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	n, errText := e.hlls.count(e.now, key)
	return keyed("count", value.Uint(n), key), errText
}

func hllPfmerge(e *Engine, c *call) (value.Value, string) {
	destination, errText := c.str("destination")
	if errText != "" {
		return value.Nil, errText
	}
	sources, errText := c.sourceKeys("sources")
	if errText != "" {
		return value.Nil, errText
	}
	if len(sources) == 0 && (c.from == Envelope || c.from == Program) { // the store's own text has another name
		return value.Nil, "Invalid request: HyperLogLog pfmerge requires at least one source key"
	}
	n, errText := e.hlls.merge(e.now, destination, sources)
	return object(value.Str("destination"), value.Str(destination), value.Str("count"), value.Uint(n)), errText
}

func hllStats(e *Engine, _ *call) (value.Value, string) {
	s := &e.hlls
	return object(
		value.Str("total_hlls"), value.Int(int64(len(s.hlls))),
		value.Str("total_cardinality"), value.Uint(s.cardinality()),
		value.Str("pfadd_count"), value.Int(s.pfadds),
		value.Str("pfcount_count"), value.Int(s.pfcounts),
		value.Str("pfmerge_count"), value.Int(s.merges)), ""
}
