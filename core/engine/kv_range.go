package engine

import "github.com/libsynap/libsynap/core/value"

func kvAppend(e *Engine, c *call) (value.Value, string) {
	key, v, errText := c.keyValue()
	if errText != "" {
		return value.Nil, errText
	}
	en, _ := e.kvLive(key)
	en.val += c.quoted(v)
	return e.kvGrown(key, en, "append"), ""
}

// kvGrown stores what append and setrange have made of a key. A key that they
// create is not counted (protocol: http-data quirk 8).
func (e *Engine) kvGrown(key string, en entry, event string) value.Value {
	e.kv.sets++
	e.kv.put(key, en, false)
	e.changed(key, event, en.val, true)
	return member("length", value.Int(int64(len(en.val))))
}

func kvSetrange(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	offset, ok := c.uint("offset")
	if !ok {
		return value.Nil, missing("offset")
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	text := c.quoted(v)
	if offset > maxValue || int(offset)+len(text) > maxValue {
		return value.Nil, "Invalid value: offset is out of range"
	}
	en, _ := e.kvLive(key)
	b := make([]byte, max(len(en.val), int(offset)+len(text)))
	copy(b, en.val)
	copy(b[offset:], text)
	en.val = string(b)
	return e.kvGrown(key, en, "setrange"), ""
}

func kvGetrange(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	start, ok := c.int("start")
	if !ok {
		return value.Nil, missing("start")
	}
	end, ok := c.int("end")
	if !ok {
		return value.Nil, missing("end")
	}
	en, ok := e.kvLive(key)
	part := byteRange(en.val, start, end)
	if !ok || part != "" { // an empty range counts as no read
		e.kvMeasured(ok)
	}
	if part == "" {
		return value.Nil, ""
	}
	return c.stored(part), ""
}

// byteRange cuts a range as GETRANGE counts it (protocol: http-data, Ranges).
func byteRange(s string, start, end int64) string {
	n := int64(len(s))
	if start < 0 {
		start = max(n+start, 0)
	} else {
		start = min(start, n)
	}
	if end < 0 {
		end = max(n+end+1, 0)
	} else {
		end = min(end, n-1) + 1
	}
	if start >= end {
		return ""
	}
	return s[start:end]
}

func kvStrlen(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	en, ok := e.kvLive(key)
	e.kvMeasured(ok)
	return member("length", value.Int(int64(len(en.val)))), ""
}

func kvGetset(e *Engine, c *call) (value.Value, string) {
	key, v, errText := c.keyValue()
	if errText != "" {
		return value.Nil, errText
	}
	old, exists := e.kvLive(key)
	e.kvMeasured(exists)
	e.kvWrite(key, entry{val: c.quoted(v)})
	if !exists {
		return value.Nil, ""
	}
	return c.stored(old.val), ""
}
