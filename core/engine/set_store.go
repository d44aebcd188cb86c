package engine

import "slices"

// setStore holds the sets. Adding nothing makes an empty set; one that loses its
// last member is gone (protocol: http-data 6).
type setStore struct {
	sets map[string]*memberSet
	ops  [setOps]int64
}

// The counted operations, in the order of setOpNames.
const (
	opSadd = iota
	opSrem
	opSismember
	opSmembers
	opScard
	opSpop
	opSrandmember
	opSmove
	opSinter
	opSunion
	opSdiff
	setOps
)

var setOpNames = [...]string{
	"sadd_count", "srem_count", "sismember_count", "smembers_count", "scard_count", "spop_count",
	"srandmember_count", "smove_count", "sinter_count", "sunion_count", "sdiff_count",
}

// find returns the set and counts the operation, if there is one.
func (s *setStore) find(key string, op int) *memberSet {
	m := s.sets[key]
	if m != nil {
		s.ops[op]++
	}
	return m
}

// open returns the set, made if there is none.
func (s *setStore) open(key string) *memberSet {
	m := s.sets[key]
	if m == nil {
		if s.sets == nil {
			s.sets = map[string]*memberSet{}
		}
		m = &memberSet{}
		s.sets[key] = m
	}
	return m
}

// dropEmpty removes a set that an operation has emptied.
func (s *setStore) dropEmpty(key string, m *memberSet) {
	if len(m.list) == 0 {
		delete(s.sets, key)
	}
}

func (s *setStore) add(key string, members []string) (added int64) {
	m := s.open(key)
	s.ops[opSadd]++
	for _, t := range members {
		if m.add(t) {
			added++
		}
	}
	return added
}

func (s *setStore) rem(key string, members []string) (removed int64, errText string) {
	m := s.find(key, opSrem)
	if m == nil {
		return 0, notFound
	}
	for _, t := range members {
		if m.remove(t) {
			removed++
		}
	}
	s.dropEmpty(key, m)
	return removed, ""
}

func (s *setStore) has(key, text string) (bool, string) {
	m := s.find(key, opSismember)
	if m == nil {
		return false, notFound
	}
	return m.index(text) >= 0, ""
}

// members returns all members, the oldest first while the set is small. The
// caller must not keep or change them.
func (s *setStore) members(key string) ([]string, string) {
	m := s.find(key, opSmembers)
	if m == nil {
		return nil, notFound
	}
	return m.list, ""
}

func (s *setStore) card(key string) (int64, string) {
	m := s.find(key, opScard)
	if m == nil {
		return 0, notFound
	}
	return int64(len(m.list)), ""
}

// pop takes up to count members, the oldest first while the set is small.
func (s *setStore) pop(key string, count uint64) ([]string, string) {
	m := s.find(key, opSpop)
	if m == nil {
		return nil, notFound
	}
	taken := m.take(int(min(count, uint64(len(m.list)))))
	s.dropEmpty(key, m)
	return taken, ""
}

// sample returns up to count different members by chance.
func (s *setStore) sample(key string, count uint64, rand func() uint64) ([]string, string) {
	m := s.find(key, opSrandmember)
	if m == nil {
		return nil, notFound
	}
	return m.sample(int(min(count, uint64(len(m.list)))), rand), ""
}

// move counts only when there was something to move.
func (s *setStore) move(source, destination, text string) (bool, string) {
	m := s.sets[source]
	if m == nil {
		return false, notFound
	}
	if !m.remove(text) {
		return false, ""
	}
	s.ops[opSmove]++
	s.dropEmpty(source, m)
	s.open(destination).add(text)
	return true, ""
}

// each calls f for the members of a set; a missing one has none.
func (s *setStore) each(key string, f func(text string)) {
	if m := s.sets[key]; m != nil {
		for _, t := range m.list {
			f(t)
		}
	}
}

func (s *setStore) union(keys []string) []string {
	s.ops[opSunion]++
	var all memberSet
	for _, key := range keys {
		s.each(key, func(t string) { all.add(t) })
	}
	return all.list
}

func (s *setStore) inter(keys []string) []string {
	s.ops[opSinter]++
	return s.filter(keys, true)
}

func (s *setStore) diff(keys []string) []string {
	s.ops[opSdiff]++
	return s.filter(keys, false)
}

// filter returns the members of the first set that each of the others has, or
// that none of them has.
func (s *setStore) filter(keys []string, wanted bool) (kept []string) {
	if len(keys) == 0 {
		return nil
	}
	s.each(keys[0], func(t string) {
		for _, key := range keys[1:] {
			m := s.sets[key]
			if (m != nil && m.index(t) >= 0) != wanted {
				return
			}
		}
		kept = append(kept, t)
	})
	return kept
}

const (
	// A set of at most smallSet members of at most smallMember bytes keeps the
	// order in which they came. Once it has been larger it has no order.
	smallSet    = 128
	smallMember = 64
)

// memberSet is one set.
type memberSet struct {
	list []string
	at   map[string]int // where in list a member is; nil while the set is small
}

// index returns where in the list a member is, -1 if it is no member.
func (m *memberSet) index(text string) int {
	if m.at == nil {
		return slices.Index(m.list, text)
	}
	if i, ok := m.at[text]; ok {
		return i
	}
	return -1
}

func (m *memberSet) add(text string) bool {
	if m.index(text) >= 0 {
		return false
	}
	if m.at == nil && (len(m.list) == smallSet || len(text) > smallMember) {
		m.at = make(map[string]int, 2*len(m.list))
		for i, t := range m.list {
			m.at[t] = i
		}
	}
	if m.at != nil {
		m.at[text] = len(m.list)
	}
	m.list = append(m.list, text)
	return true
}

func (m *memberSet) remove(text string) bool {
	i := m.index(text)
	switch {
	case i < 0:
		return false
	case m.at == nil:
		m.list = slices.Delete(m.list, i, i+1)
		return true
	}
	last := len(m.list) - 1
	moved := m.list[last]
	m.list[i], m.at[moved] = moved, i
	delete(m.at, text)
	m.list = slices.Delete(m.list, last, last+1)
	return true
}

// take removes n members and returns them.
func (m *memberSet) take(n int) []string {
	if m.at == nil {
		taken := slices.Clone(m.list[:n])
		m.list = slices.Delete(m.list, 0, n)
		return taken
	}
	from := len(m.list) - n
	taken := slices.Clone(m.list[from:])
	m.list = slices.Delete(m.list, from, len(m.list))
	for _, t := range taken {
		delete(m.at, t)
	}
	return taken
}

// sample returns n different members, each choice as likely as any other (Floyd):
// the work does not depend on how large the set is.
func (m *memberSet) sample(n int, rand func() uint64) []string {
	chosen := make(map[int]bool, n)
	picked := make([]string, 0, n)
	for bound := len(m.list) - n; bound < len(m.list); bound++ {
		i := int(rand() % uint64(bound+1))
		if chosen[i] {
			i = bound
		}
		chosen[i] = true
		picked = append(picked, m.list[i])
	}
	return picked
}
