package engine

import (
	"slices"

	"github.com/libsynap/libsynap/core/value"
)

// listStore holds the lists. A list can be empty: pushing nothing makes one
// (protocol: http-data 5).
type listStore struct {
	lists map[string]*deque
	ops   [listOps]int64
}

// The counted operations, in the order of listOpNames.
const (
	opLpush = iota
	opRpush
	opLpop
	opRpop
	opLrange
	opLlen
	opLindex
	opLset
	opLtrim
	opLrem
	opLinsert
	opRpoplpush
	listOps
)

var listOpNames = [...]string{
	"lpush_count", "rpush_count", "lpop_count", "rpop_count", "lrange_count", "llen_count", "lindex_count",
	"lset_count", "ltrim_count", "lrem_count", "linsert_count", "rpoplpush_count",
}

var listCommands = family{
	{"list.lpush", listLpush}, {"list.rpush", listRpush}, {"list.lpushx", listLpushx}, {"list.rpushx", listRpushx},
	{"list.lpop", listLpop}, {"list.rpop", listRpop},
	{"list.lrange", listLrange}, {"list.range", listLrange}, {"list.llen", listLlen}, {"list.len", listLlen},
	{"list.lindex", listLindex}, {"list.index", listLindex}, {"list.lset", listLset}, {"list.set", listLset},
	{"list.ltrim", listLtrim}, {"list.trim", listLtrim}, {"list.lrem", listLrem}, {"list.linsert", listLinsert},
	{"list.lpos", listLpos}, {"list.rpoplpush", listRpoplpush}, {"list.stats", listStats},
}

const (
	notFound   = "Not found"
	outOfRange = "Index out of range"
)

// find returns the list and counts the operation, if there is one.
func (s *listStore) find(key string, op int) *deque {
	d := s.lists[key]
	if d != nil {
		s.ops[op]++
	}
	return d
}

// dropEmpty removes a list that an operation has emptied.
func (s *listStore) dropEmpty(key string, d *deque) {
	if d.n == 0 {
		delete(s.lists, key)
	}
}

// open returns the list, made if there is none.
func (s *listStore) open(key string) *deque {
	d := s.lists[key]
	if d == nil {
		if s.lists == nil {
			s.lists = map[string]*deque{}
		}
		d = &deque{}
		s.lists[key] = d
	}
	return d
}

// push adds texts one by one at one end, op saying which.
func (s *listStore) push(key string, texts []string, op int) int64 {
	d := s.open(key)
	s.ops[op]++
	for _, t := range texts {
		if op == opLpush {
			d.pushFront(t)
		} else {
			d.pushBack(t)
		}
	}
	return int64(d.n)
}

// pop takes up to count texts from one end. Nothing taken is "Not found".
func (s *listStore) pop(key string, count uint64, op int) ([]string, string) {
	d := s.find(key, op)
	if d == nil {
		return nil, notFound
	}
	var texts []string
	for ; count > 0 && d.n > 0; count-- {
		if op == opLpop {
			texts = append(texts, d.popFront())
		} else {
			texts = append(texts, d.popBack())
		}
	}
	s.dropEmpty(key, d)
	if len(texts) == 0 {
		return nil, notFound
	}
	return texts, ""
}

// span turns start and stop into a half-open range. A start past the end is the
// last element (protocol: http-data quirk 10).
func span(n, start, stop int64) (from, to int64) {
	clamp := func(i, low int64) int64 {
		if i < 0 {
			return max(n+i, low)
		}
		return min(i, n-1)
	}
	from, to = clamp(start, 0), clamp(stop, -1)+1
	if n == 0 || from >= to {
		return 0, 0
	}
	return from, to
}

func (s *listStore) slice(key string, start, stop int64) ([]string, string) {
	d := s.find(key, opLrange)
	if d == nil {
		return nil, notFound
	}
	from, to := span(int64(d.n), start, stop)
	texts := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		texts = append(texts, *d.at(int(i)))
	}
	return texts, ""
}

func (s *listStore) trim(key string, start, stop int64) string {
	d := s.find(key, opLtrim)
	if d == nil {
		return notFound
	}
	from, to := span(int64(d.n), start, stop)
	for int64(d.n) > to {
		d.popBack()
	}
	for ; from > 0; from-- {
		d.popFront()
	}
	s.dropEmpty(key, d)
	return ""
}

// index returns the place of element i; all before the first are the first.
func (d *deque) index(i int64) *string {
	if i < 0 {
		i = max(int64(d.n)+i, 0)
	}
	if i >= int64(d.n) {
		return nil
	}
	return d.at(int(i))
}

func listLpush(e *Engine, c *call) (value.Value, string)  { return e.listPush(c, opLpush, false) }
func listRpush(e *Engine, c *call) (value.Value, string)  { return e.listPush(c, opRpush, false) }
func listLpushx(e *Engine, c *call) (value.Value, string) { return e.listPush(c, opLpush, true) }
func listRpushx(e *Engine, c *call) (value.Value, string) { return e.listPush(c, opRpush, true) }
func listLpop(e *Engine, c *call) (value.Value, string)   { return e.listPop(c, opLpop) }
func listRpop(e *Engine, c *call) (value.Value, string)   { return e.listPop(c, opRpop) }

// keyed builds a reply of one member and the key.
func keyed(name string, v value.Value, key string) value.Value {
	return object(value.Str(name), v, value.Str("key"), value.Str(key))
}

// elements hands out stored texts.
func (c *call) elements(texts []string) value.Value {
	items := make([]value.Value, len(texts))
	for i, t := range texts {
		items[i] = c.parsed(t)
	}
	return value.Array(items...)
}

func (e *Engine) listPush(c *call, op int, onlyExisting bool) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	values := c.payload.Field("values")
	if values.Kind() != value.KindArray {
		return value.Nil, "Invalid request: Missing 'values' array"
	}
	if onlyExisting && e.lists.lists[key] == nil {
		return keyed("length", value.Int(0), key), ""
	}
	texts := make([]string, values.Len())
	for i := range texts {
		texts[i] = c.quoted(values.Index(i))
	}
	return keyed("length", value.Int(e.lists.push(key, texts, op)), key), ""
}

func (e *Engine) listPop(c *call, op int) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	count, ok := c.uint("count")
	if !ok {
		count = 1
	}
	texts, errText := e.lists.pop(key, count, op)
	return keyed("values", c.elements(texts), key), errText
}

// bounds reads the optional start and stop of a range.
func (c *call) bounds() (start, stop int64) {
	if n, ok := c.int("start"); ok {
		start = n
	}
	stop = -1
	if n, ok := c.int("stop"); ok {
		stop = n
	}
	return start, stop
}

func listLrange(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	start, stop := c.bounds()
	texts, errText := e.lists.slice(key, start, stop)
	return keyed("values", c.elements(texts), key), errText
}

func listLlen(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	if c.from == Routed && e.lists.lists[key] == nil {
		return value.Nil, notFound
	}
	return keyed("length", value.Int(e.lists.length(key)), key), ""
}

// length counts as llen when there is a list.
func (s *listStore) length(key string) int64 {
	if d := s.find(key, opLlen); d != nil {
		return int64(d.n)
	}
	return 0
}

func listLindex(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	index, ok := c.int("index")
	if !ok {
		return value.Nil, missing("index")
	}
	d := e.lists.find(key, opLindex)
	if d == nil {
		return value.Nil, notFound
	}
	p := d.index(index)
	if p == nil {
		return value.Nil, outOfRange
	}
	return object(value.Str("value"), c.parsed(*p), value.Str("key"), value.Str(key), value.Str("index"), value.Int(index)), ""
}

func listLset(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	index, ok := c.int("index")
	if !ok {
		return value.Nil, missing("index")
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	d := e.lists.find(key, opLset)
	if d == nil {
		return value.Nil, notFound
	}
	p := d.index(index)
	if p == nil {
		return value.Nil, outOfRange
	}
	*p = c.quoted(v)
	return object(strSuccess, value.Bool(true), value.Str("key"), value.Str(key), value.Str("index"), value.Int(index)), ""
}

func listLtrim(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	start, stop := c.bounds()
	return keyed("success", value.Bool(true), key), e.lists.trim(key, start, stop)
}

func listLrem(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	count, ok := c.int("count")
	if !ok {
		return value.Nil, missing("count")
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	d := e.lists.find(key, opLrem)
	if d == nil {
		return value.Nil, notFound
	}
	removed := d.remove(c.quoted(v), count)
	e.lists.dropEmpty(key, d)
	return keyed("removed", value.Int(removed), key), ""
}

func listLinsert(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	pivot, ok := c.payload.Get("pivot")
	if !ok {
		return value.Nil, missing("pivot")
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	before, ok := c.payload.Field("before").AsBool()
	before = before || !ok
	d := e.lists.find(key, opLinsert)
	if d == nil {
		return value.Nil, notFound
	}
	items := d.items()
	at := slices.Index(items, c.quoted(pivot))
	if at < 0 {
		return value.Nil, notFound
	}
	if !before {
		at++
	}
	items = slices.Insert(items, at, c.quoted(v))
	d.set(items, 2*len(items))
	return keyed("length", value.Int(int64(d.n)), key), ""
}

func listLpos(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	v, ok := c.payload.Get("value")
	if !ok {
		return value.Nil, missing("value")
	}
	d := e.lists.lists[key]
	if d == nil {
		return value.Nil, notFound
	}
	if at := slices.Index(d.items(), c.quoted(v)); at >= 0 {
		return keyed("position", value.Int(int64(at)), key), ""
	}
	return keyed("position", value.Nil, key), ""
}

func listRpoplpush(e *Engine, c *call) (value.Value, string) {
	source, destination, errText := c.sourceDestination()
	if errText != "" {
		return value.Nil, errText
	}
	d := e.lists.lists[source]
	if d == nil || d.n == 0 {
		return value.Nil, notFound
	}
	text := d.popBack()
	e.lists.dropEmpty(source, d)
	e.lists.open(destination).pushFront(text)
	e.lists.ops[opRpoplpush]++
	return object(value.Str("value"), c.parsed(text), value.Str("source"), value.Str(source), value.Str("destination"), value.Str(destination)), ""
}

func listStats(e *Engine, c *call) (value.Value, string) {
	elements := 0
	for _, d := range e.lists.lists {
		elements += d.n
	}
	ops := make([]value.Value, 0, 2*listOps+4)
	for i, name := range listOpNames {
		ops = append(ops, value.Str(name), value.Int(e.lists.ops[i]))
	}
	// The blocking pops are commands of the native wires only.
	ops = append(ops, value.Str("blpop_count"), value.Int(0), value.Str("brpop_count"), value.Int(0))
	return object(
		value.Str("total_lists"), value.Int(int64(len(e.lists.lists))),
		value.Str("total_elements"), value.Int(int64(elements)),
		value.Str("operations"), value.Map(ops...)), ""
}
