package native

import "github.com/libsynap/libsynap/core/value"

func status(text string) Result { return Result{Value: value.Str(text), Status: true} }

func plain(v value.Value) Result { return Result{Value: v} }

var replyOK = status("OK")

// done answers OK whatever the engine says.
func done(*call, value.Value) Result { return replyOK }

// part answers one member of the engine's answer.
func part(name string) func(*call, value.Value) Result {
	return func(_ *call, answer value.Value) Result { return plain(answer.Field(name)) }
}

// asBytes makes bytes of what the engine hands out as text or bytes.
func asBytes(v value.Value) value.Value {
	if s, ok := v.AsBlob(); ok {
		return value.BytesOf(s)
	}
	return v
}

func listOfBytes(v value.Value) value.Value {
	items := make([]value.Value, v.Len())
	for i := range items {
		items[i] = asBytes(v.Index(i))
	}
	return value.Array(items...)
}

// bytesOrNull answers a stored value.
func bytesOrNull(_ *call, answer value.Value) Result { return plain(asBytes(answer)) }

// bytesOf answers one member as bytes, listOf one as a list of bytes.
func bytesOf(name string) func(*call, value.Value) Result {
	return func(_ *call, answer value.Value) Result { return plain(asBytes(answer.Field(name))) }
}

func listOf(name string) func(*call, value.Value) Result {
	return func(_ *call, answer value.Value) Result { return plain(listOfBytes(answer.Field(name))) }
}

// report answers some members of the engine's answer, in the order of names.
func report(names ...string) func(*call, value.Value) Result {
	return func(_ *call, answer value.Value) Result { return plain(extract(answer, names)) }
}

func extract(answer value.Value, names []string) value.Value {
	pairs := make([]value.Value, 0, 2*len(names))
	for _, name := range names {
		pairs = append(pairs, value.Str(name), answer.Field(name))
	}
	return value.Map(pairs...)
}

// object is a map of names and values.
func object(items ...value.Value) value.Value { return value.Map(items...) }

// perWire answers n on RESP3, which counts, where SynapRPC says v.
func (c *call) perWire(v, n value.Value) Result {
	if c.wire == RPC {
		return plain(v)
	}
	return plain(n)
}
