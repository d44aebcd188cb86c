package engine

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// hashStore holds the hashes. A hash exists while it has a field.
type hashStore struct {
	hashes map[string]map[string]string
	// The counters drift as the server's do (protocol: http-data quirk 20):
	// increments do not count the fields that they create, mset counts those that
	// it overwrites.
	fields, sets, gets, dels int64
}

var hashCommands = family{
	{"hash.set", hashSet}, {"hash.get", hashGet}, {"hash.getall", hashGetall}, {"hash.del", hashDel}, {"hash.exists", hashExists},
	{"hash.len", hashLen}, {"hash.keys", hashKeys}, {"hash.vals", hashVals}, {"hash.mset", hashMset}, {"hash.mget", hashMget},
	{"hash.incrby", hashIncrby}, {"hash.incrbyfloat", hashIncrbyfloat}, {"hash.setnx", hashSetnx}, {"hash.stats", hashStats},
}

// put stores a field without counting it as new.
func (s *hashStore) put(key, field, text string) (created bool) {
	h := s.hashes[key]
	if h == nil {
		if s.hashes == nil {
			s.hashes = map[string]map[string]string{}
		}
		h = map[string]string{}
		s.hashes[key] = h
	}
	_, exists := h[field]
	h[field] = text
	s.sets++
	return !exists
}

func (s *hashStore) set(key, field, text string) (created bool) {
	if created = s.put(key, field, text); created {
		s.fields++
	}
	return created
}

func (s *hashStore) get(key, field string) (string, bool) {
	s.gets++
	text, ok := s.hashes[key][field]
	return text, ok
}

func (s *hashStore) has(key, field string) bool {
	_, ok := s.hashes[key][field]
	return ok
}

func (s *hashStore) del(key string, fields []string) (deleted int64) {
	s.dels++
	h := s.hashes[key]
	for _, f := range fields {
		if _, ok := h[f]; ok {
			delete(h, f)
			deleted++
		}
	}
	if len(h) == 0 {
		delete(s.hashes, key)
	}
	s.fields = max(s.fields-deleted, 0)
	return deleted
}

// names returns the fields in byte order. The server has no order; an engine
// that repeats itself is easier to test with.
func (s *hashStore) names(key string) []string {
	names := make([]string, 0, len(s.hashes[key]))
	for f := range s.hashes[key] {
		names = append(names, f)
	}
	slices.Sort(names)
	return names
}

// parsed is how hashes and lists hand out what they store: on the envelope as
// JSON, or as text where it is none (protocol: http-data 1, readers).
func (c *call) parsed(s string) value.Value {
	if c.face == Raw {
		return value.TextOrBytes(s)
	}
	if v, err := value.ParseJSON(s); err == nil {
		return v
	}
	return value.Str(strings.ToValidUTF8(s, "\uFFFD"))
}

// keyField reads the key and the field that most commands begin with.
func (c *call) keyField() (key, field, errText string) {
	if key, errText = c.str("key"); errText != "" {
		return "", "", errText
	}
	field, errText = c.str("field")
	return key, field, errText
}

func hashSet(e *Engine, c *call) (value.Value, string) {
	key, field, errText := c.keyField()
	if errText != "" {
		return value.Nil, errText
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	created := e.hashes.set(key, field, c.quoted(v))
	return object(value.Str("created"), value.Bool(created), value.Str("key"), value.Str(key), value.Str("field"), value.Str(field)), ""
}

func hashGet(e *Engine, c *call) (value.Value, string) {
	key, field, errText := c.keyField()
	if errText != "" {
		return value.Nil, errText
	}
	text, ok := e.hashes.get(key, field)
	if !ok {
		return member("found", value.Bool(false)), ""
	}
	return object(value.Str("found"), value.Bool(true), value.Str("value"), c.parsed(text)), ""
}

func hashGetall(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	names := e.hashes.names(key)
	fields := make([]value.Value, 0, 2*len(names))
	for _, f := range names {
		fields = append(fields, value.Str(f), c.parsed(e.hashes.hashes[key][f]))
	}
	return object(value.Str("fields"), value.Map(fields...), value.Str("count"), value.Int(int64(len(names)))), ""
}

// texts returns the texts of an array field; other elements are dropped.
func (c *call) texts(field string) ([]string, bool) {
	v := c.payload.Field(field)
	if v.Kind() != value.KindArray {
		return nil, false
	}
	out := make([]string, 0, v.Len())
	for i := range v.Len() {
		if s, ok := v.Index(i).AsStr(); ok {
			out = append(out, s)
		}
	}
	return out, true
}

func hashDel(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	fields, errText := c.fieldNames()
	if errText != "" {
		return value.Nil, errText
	}
	return member("deleted", value.Int(e.hashes.del(key, fields))), ""
}

// fieldNames reads the names of several fields, or of one.
func (c *call) fieldNames() ([]string, string) {
	if fields, ok := c.texts("fields"); ok {
		return fields, ""
	}
	field, ok := c.payload.Field("field").AsStr()
	if !ok {
		return nil, "Invalid request: Missing 'fields' array or 'field'"
	}
	return []string{field}, ""
}

func hashExists(e *Engine, c *call) (value.Value, string) {
	key, field, errText := c.keyField()
	return member("exists", value.Bool(e.hashes.has(key, field))), errText
}

func hashLen(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	return member("length", value.Int(int64(len(e.hashes.hashes[key])))), errText
}

func hashKeys(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	return keysReply(e.hashes.names(key)), errText
}

func hashVals(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	names := e.hashes.names(key)
	values := make([]value.Value, len(names))
	for i, f := range names {
		values[i] = c.parsed(e.hashes.hashes[key][f])
	}
	return object(value.Str("values"), value.Array(values...), value.Str("count"), value.Int(int64(len(names)))), ""
}

func hashMset(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	fields := c.payload.Field("fields")
	if fields.Kind() != value.KindMap {
		return value.Nil, "Invalid request: Missing 'fields' object"
	}
	texts := map[string]string{}
	for i := range fields.Len() {
		k, v := fields.Pair(i)
		field, ok := k.AsStr()
		if !ok {
			return value.Nil, "Invalid request: Missing 'fields' object"
		}
		texts[field] = c.quoted(v)
	}
	for field, text := range texts {
		e.hashes.put(key, field, text)
		e.hashes.fields++
	}
	return replyDone, ""
}

func hashMget(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	fields, ok := c.texts("fields")
	if !ok {
		return value.Nil, "Invalid request: Missing 'fields' array"
	}
	values := make([]value.Value, len(fields))
	for i, f := range fields {
		if text, ok := e.hashes.hashes[key][f]; ok {
			values[i] = c.parsed(text)
		}
	}
	return member("values", value.Array(values...)), ""
}

func hashIncrby(e *Engine, c *call) (value.Value, string) {
	key, field, errText := c.keyField()
	if errText != "" {
		return value.Nil, errText
	}
	by, ok := c.int("increment")
	if !ok {
		return value.Nil, missing("increment")
	}
	n := int64(0)
	if text, ok := e.hashes.hashes[key][field]; ok {
		var err error
		if n, err = strconv.ParseInt(text, 10, 64); err != nil {
			return value.Nil, "Invalid value: Field value is not a valid integer"
		}
	}
	sum := n + by
	if (by > 0 && sum < n) || (by < 0 && sum > n) {
		return value.Nil, "Invalid value: Integer overflow"
	}
	e.hashes.put(key, field, strconv.FormatInt(sum, 10))
	return member("value", value.Int(sum)), ""
}

func hashIncrbyfloat(e *Engine, c *call) (value.Value, string) {
	key, field, errText := c.keyField()
	if errText != "" {
		return value.Nil, errText
	}
	by, ok := c.payload.Field("increment").AsFloat()
	if !ok {
		return value.Nil, missing("increment")
	}
	f := 0.0
	if text, ok := e.hashes.hashes[key][field]; ok {
		if f, ok = parseFloat(text); !ok {
			return value.Nil, "Invalid value: Field value is not a valid float"
		}
	}
	f += by
	e.hashes.put(key, field, plainFloat(f))
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return member("value", value.Nil), ""
	}
	return member("value", value.Float(f)), ""
}

// parseFloat reads a number as the server does: decimal, inf or nan.
func parseFloat(s string) (float64, bool) {
	if strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

// plainFloat writes a number as the server writes it into text: all digits, no
// exponent, no ".0".
func plainFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func hashSetnx(e *Engine, c *call) (value.Value, string) {
	key, field, errText := c.keyField()
	if errText != "" {
		return value.Nil, errText
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	free := !e.hashes.has(key, field)
	if free {
		e.hashes.set(key, field, c.quoted(v))
	}
	return member("created", value.Bool(free)), ""
}

func hashStats(e *Engine, c *call) (value.Value, string) {
	s := &e.hashes
	return object(
		value.Str("total_hashes"), value.Int(0),
		value.Str("total_fields"), value.Int(s.fields),
		value.Str("operations"), object(
			value.Str("hset_count"), value.Int(s.sets),
			value.Str("hget_count"), value.Int(s.gets),
			value.Str("hdel_count"), value.Int(s.dels))), ""
}
