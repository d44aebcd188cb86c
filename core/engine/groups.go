package engine

import (
	"math"
	"slices"

	"github.com/libsynap/libsynap/core/value"
)

// groupStore holds the consumer groups (protocol: http-messaging 6). They know
// nothing of the topics: a group hands out numbers up to its partition_count.
type groupStore struct {
	groups map[string]*group
	swept  int64 // the last tick of the sweep
}

// groupSweep is how often the server looks for members that went silent.
const groupSweep = 10 * second

type group struct {
	topic      string
	partitions uint64
	strategy   string
	members    []*groupMember // in the order in which they joined
	offsets    map[uint64]value.Value
	generation int64
	rebalanced int64
}

type groupMember struct {
	id         string
	partitions []uint64
	heard      int64 // the last heartbeat
	timeout    int64 // nanoseconds
}

var groupsCommands = family{
	{"groups.list", groupsList}, {"groups.create", groupsCreate}, {"groups.join", groupsJoin}, {"groups.leave", groupsLeave},
	{"groups.assignment", groupsAssignment}, {"groups.heartbeat", groupsHeartbeat}, {"groups.commit", groupsCommit},
	{"groups.offset", groupsOffset}, {"groups.stats", groupsStats},
}

func (m *groupMember) alive(now int64) bool { return now-m.heard < m.timeout }

// settle runs the sweeps that are due by now. Each rebalances a group if a member
// has gone silent, so those that found none need not be run.
func (s *groupStore) settle(now int64) {
	tick := now / groupSweep
	if tick == s.swept {
		return
	}
	for _, g := range s.groups {
		for at := s.swept + 1; ; at++ {
			silent := int64(math.MaxInt64)
			for _, m := range g.members {
				if m.timeout < math.MaxInt64-m.heard {
					silent = min(silent, m.heard+m.timeout)
				}
			}
			at = max(at, (silent-1)/groupSweep+1)
			if silent == math.MaxInt64 || at > tick {
				break
			}
			g.rebalance(at * groupSweep)
		}
	}
	s.swept = tick
}

// rebalance removes the silent members and assigns the partitions anew.
func (g *group) rebalance(now int64) {
	g.members = slices.DeleteFunc(g.members, func(m *groupMember) bool { return !m.alive(now) })
	g.generation++
	if len(g.members) == 0 {
		return
	}
	g.rebalanced = now
	if g.strategy == "sticky" {
		g.assignSticky()
		return
	}
	n := uint64(len(g.members))
	for i, m := range g.members {
		m.partitions = nil
		if g.strategy == "range" {
			first, share, extra := uint64(i), g.partitions/n, g.partitions%n
			from := first*share + min(first, extra)
			to := (first+1)*share + min(first+1, extra)
			for p := from; p < to; p++ {
				m.partitions = append(m.partitions, p)
			}
			continue
		}
		for p := uint64(i); p < g.partitions; p += n {
			m.partitions = append(m.partitions, p)
		}
	}
}

// assignSticky leaves partitions where they are, deals out the free ones and
// takes from members what is beyond the share and one.
func (g *group) assignSticky() {
	taken := make([]bool, g.partitions)
	for _, m := range g.members {
		for _, p := range m.partitions {
			taken[p] = true
		}
	}
	dealt := 0
	for p := range taken {
		if !taken[p] {
			m := g.members[dealt%len(g.members)]
			m.partitions = append(m.partitions, uint64(p))
			dealt++
		}
	}
	share := len(taken) / len(g.members)
	for _, m := range g.members {
		if len(m.partitions) <= share+1 {
			continue
		}
		excess := m.partitions[share+1:]
		m.partitions = m.partitions[: share+1 : share+1]
		for _, p := range excess {
			to := slices.IndexFunc(g.members, func(m *groupMember) bool { return len(m.partitions) < share })
			if to >= 0 {
				g.members[to].partitions = append(g.members[to].partitions, p)
			}
		}
	}
}

// group returns the group that the call names, and its name.
func (e *Engine) group(c *call) (string, *group, string) {
	e.groups.settle(e.now)
	name, errText := c.str("group")
	if errText != "" {
		return "", nil, errText
	}
	g := e.groups.groups[name]
	if g == nil {
		return "", nil, "Invalid request: Consumer group '" + name + "' not found"
	}
	return name, g, ""
}

// groupMember returns the group and the member that the call names; unknown is what
// follows the id in the error text.
func (e *Engine) groupMember(c *call, unknown string) (string, *group, int, string) {
	id, errText := c.str("member_id")
	if errText != "" {
		return "", nil, 0, errText
	}
	_, g, errText := e.group(c)
	if errText != "" {
		return "", nil, 0, errText
	}
	at := slices.IndexFunc(g.members, func(m *groupMember) bool { return m.id == id })
	if at < 0 {
		return "", nil, 0, "Invalid request: Member " + id + unknown
	}
	return id, g, at, ""
}

func groupsList(e *Engine, c *call) (value.Value, string) {
	return namesReply("groups", e.groups.groups), ""
}

func groupsCreate(e *Engine, c *call) (value.Value, string) {
	e.groups.settle(e.now)
	name, errText := c.str("group")
	if errText != "" {
		return value.Nil, errText
	}
	topic, errText := c.str("topic")
	if errText != "" {
		return value.Nil, errText
	}
	if c.payload.Field("partition_count").IsNil() {
		return value.Nil, missing("partition_count")
	}
	partitions, errText := c.sized("partition_count", 0, 0)
	if errText != "" {
		return value.Nil, errText
	}
	strategy := "round_robin"
	if v := c.payload.Field("strategy"); !v.IsNil() {
		strategy, _ = v.AsStr()
	}
	if strategy != "round_robin" && strategy != "range" && strategy != "sticky" {
		return value.Nil, "Invalid request: Invalid assignment strategy"
	}
	if e.groups.groups[name] != nil {
		return value.Nil, "Invalid request: Consumer group '" + name + "' already exists"
	}
	if e.groups.groups == nil {
		e.groups.groups = map[string]*group{}
	}
	e.groups.groups[name] = &group{
		topic: topic, partitions: partitions, strategy: strategy,
		offsets: map[uint64]value.Value{}, rebalanced: e.now,
	}
	return object(strSuccess, value.Bool(true), value.Str("group_id"), value.Str(name), value.Str("topic"), value.Str(topic)), ""
}

func groupsJoin(e *Engine, c *call) (value.Value, string) {
	name, g, errText := e.group(c)
	if errText != "" {
		return value.Nil, errText
	}
	seconds, ok := c.uint("session_timeout_secs")
	if !ok {
		seconds = 30
	}
	m := &groupMember{id: e.uuid(), heard: e.now, timeout: int64(min(seconds, math.MaxInt64/uint64(second))) * second}
	g.members = append(g.members, m)
	g.rebalance(e.now)
	return object(value.Str("member_id"), value.Str(m.id), value.Str("group_id"), value.Str(name)), ""
}

func groupsLeave(e *Engine, c *call) (value.Value, string) {
	id, g, at, errText := e.groupMember(c, " not found in group")
	if errText != "" {
		return value.Nil, errText
	}
	g.members = slices.Delete(g.members, at, at+1)
	g.rebalance(e.now)
	return object(strSuccess, value.Bool(true), value.Str("member_id"), value.Str(id)), ""
}

func groupsAssignment(e *Engine, c *call) (value.Value, string) {
	id, g, at, errText := e.groupMember(c, " not found")
	if errText != "" {
		return value.Nil, errText
	}
	name, _ := c.str("group")
	partitions := make([]value.Value, len(g.members[at].partitions))
	for i, p := range g.members[at].partitions {
		partitions[i] = value.Uint(p)
	}
	return object(value.Str("member_id"), value.Str(id), value.Str("group_id"), value.Str(name), value.Str("partitions"), value.Array(partitions...)), ""
}

func groupsHeartbeat(e *Engine, c *call) (value.Value, string) {
	_, g, at, errText := e.groupMember(c, " not found in group")
	if errText != "" {
		return value.Nil, errText
	}
	g.members[at].heard = e.now
	return replyDone, ""
}

func groupsCommit(e *Engine, c *call) (value.Value, string) {
	id, ok := c.uint("partition_id")
	if !ok {
		return value.Nil, missing("partition_id")
	}
	offset, ok := c.uint("offset")
	if !ok {
		return value.Nil, missing("offset")
	}
	_, g, errText := e.group(c)
	if errText != "" {
		return value.Nil, errText
	}
	g.offsets[id] = value.Uint(offset)
	return object(strSuccess, value.Bool(true), value.Str("partition_id"), value.Uint(id), value.Str("offset"), value.Uint(offset)), ""
}

func groupsOffset(e *Engine, c *call) (value.Value, string) {
	id, ok := c.uint("partition_id")
	if !ok {
		return value.Nil, missing("partition_id")
	}
	name, g, errText := e.group(c)
	if errText != "" {
		return value.Nil, errText
	}
	return object(value.Str("group_id"), value.Str(name), value.Str("partition_id"), value.Uint(id), value.Str("offset"), g.offsets[id]), ""
}

func groupsStats(e *Engine, c *call) (value.Value, string) {
	name, g, errText := e.group(c)
	if errText != "" {
		return value.Nil, errText
	}
	state := "Stable"
	if len(g.members) == 0 {
		state = "Empty"
	}
	return object(
		value.Str("group_id"), value.Str(name),
		value.Str("topic"), value.Str(g.topic),
		value.Str("state"), value.Str(state),
		value.Str("member_count"), value.Int(int64(len(g.members))),
		value.Str("generation"), value.Int(g.generation),
		value.Str("partition_count"), value.Uint(g.partitions),
		value.Str("committed_partitions"), value.Int(int64(len(g.offsets))),
		value.Str("last_rebalance_secs"), value.Int((e.now-g.rebalanced)/second)), ""
}
