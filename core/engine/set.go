package engine

import "github.com/libsynap/libsynap/core/value"

// The set commands (protocol: http-data 6). There is no unionstore and no
// diffstore, and interstore stores nothing (quirk 12).
var setCommands = family{
	{"set.add", setAdd}, {"set.rem", setRem}, {"set.ismember", setIsmember}, {"set.members", setMembers},
	{"set.card", setCard}, {"set.size", setCard}, {"set.pop", setPop}, {"set.randmember", setRandmember}, {"set.move", setMove},
	{"set.inter", setInter}, {"set.interstore", setInter}, {"set.union", setUnion}, {"set.diff", setDiff}, {"set.stats", setStats},
}

// keyMembers reads the key and the members to store or to remove.
func (c *call) keyMembers() (key string, members []string, errText string) {
	if key, errText = c.str("key"); errText != "" {
		return "", nil, errText
	}
	v := c.payload.Field("members")
	if v.Kind() != value.KindArray {
		return "", nil, "Invalid request: Missing 'members' array"
	}
	members = make([]string, v.Len())
	for i := range members {
		members[i] = c.quoted(v.Index(i))
	}
	return key, members, ""
}

// members is the reply of what hands out members.
func (c *call) members(texts []string) value.Value { return member("members", c.elements(texts)) }

func setAdd(e *Engine, c *call) (value.Value, string) {
	key, members, errText := c.keyMembers()
	if errText != "" {
		return value.Nil, errText
	}
	return member("added", value.Int(e.sets.add(key, members))), ""
}

func setRem(e *Engine, c *call) (value.Value, string) {
	key, members, errText := c.keyMembers()
	if errText != "" {
		return value.Nil, errText
	}
	removed, errText := e.sets.rem(key, members)
	return member("removed", value.Int(removed)), errText
}

func setIsmember(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	v, ok := c.payload.Get("member")
	if !ok {
		return value.Nil, missing("member")
	}
	has, errText := e.sets.has(key, c.quoted(v))
	return member("is_member", value.Bool(has)), errText
}

func setMembers(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	texts, errText := e.sets.members(key)
	return c.members(texts), errText
}

func setCard(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	n, errText := e.sets.card(key)
	return member("size", value.Int(n)), errText
}

// keyCount reads the key and how many members are wanted; what is no count is 1.
func (c *call) keyCount() (key string, count uint64, errText string) {
	key, errText = c.str("key")
	count, ok := c.uint("count")
	if !ok {
		count = 1
	}
	return key, count, errText
}

func setPop(e *Engine, c *call) (value.Value, string) {
	key, count, errText := c.keyCount()
	if errText != "" {
		return value.Nil, errText
	}
	texts, errText := e.sets.pop(key, count)
	return c.members(texts), errText
}

func setRandmember(e *Engine, c *call) (value.Value, string) {
	key, count, errText := c.keyCount()
	if errText != "" {
		return value.Nil, errText
	}
	texts, errText := e.sets.sample(key, count, e.rand)
	return c.members(texts), errText
}

func setMove(e *Engine, c *call) (value.Value, string) {
	source, destination, errText := c.sourceDestination()
	if errText != "" {
		return value.Nil, errText
	}
	v, ok := c.payload.Get("member")
	if !ok {
		return value.Nil, missing("member")
	}
	moved, errText := e.sets.move(source, destination, c.quoted(v))
	return member("moved", value.Bool(moved)), errText
}

// keys reads the names of the sets that a command combines; other elements are
// dropped.
func (c *call) keys() ([]string, string) {
	keys, ok := c.texts("keys")
	if !ok {
		return nil, "Invalid request: Missing 'keys' array"
	}
	return keys, ""
}

func setInter(e *Engine, c *call) (value.Value, string) { return c.combined(e.sets.inter) }
func setUnion(e *Engine, c *call) (value.Value, string) { return c.combined(e.sets.union) }
func setDiff(e *Engine, c *call) (value.Value, string)  { return c.combined(e.sets.diff) }

func (c *call) combined(combine func(keys []string) []string) (value.Value, string) {
	keys, errText := c.keys()
	if errText != "" {
		return value.Nil, errText
	}
	return c.members(combine(keys)), ""
}

func setStats(e *Engine, c *call) (value.Value, string) {
	members := 0
	for _, m := range e.sets.sets {
		members += len(m.list)
	}
	ops := make([]value.Value, 0, 2*setOps)
	for i, name := range setOpNames {
		ops = append(ops, value.Str(name), value.Int(e.sets.ops[i]))
	}
	return object(
		value.Str("total_sets"), value.Int(int64(len(e.sets.sets))),
		value.Str("total_members"), value.Int(int64(members)),
		value.Str("operations"), value.Map(ops...)), ""
}
