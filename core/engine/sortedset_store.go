package engine

import "slices"

// zsetStore holds the sorted sets. One that has been emptied stays: it counts as
// a key and as a source of the stores (protocol: http-data 7).
type zsetStore struct {
	sets map[string]*zset
}

// zset is one sorted set.
type zset struct {
	scores map[string]float64
	order  ranking
}

// noZset stands for a missing one where nothing is added.
var noZset zset

func (s *zsetStore) get(key string) *zset {
	if z := s.sets[key]; z != nil {
		return z
	}
	return &noZset
}

// open returns the sorted set, made if there is none.
func (s *zsetStore) open(key string) *zset {
	z := s.sets[key]
	if z == nil {
		z = &zset{}
		s.replace(key, z)
	}
	return z
}

func (s *zsetStore) replace(key string, z *zset) {
	if s.sets == nil {
		s.sets = map[string]*zset{}
	}
	s.sets[key] = z
}

func (z *zset) set(member string, score float64) {
	if old, exists := z.scores[member]; exists {
		z.order.remove(scored{member, old})
	} else if z.scores == nil {
		z.scores = map[string]float64{}
	}
	z.scores[member] = score
	z.order.insert(scored{member, score})
}

func (z *zset) remove(member string) bool {
	score, exists := z.scores[member]
	if exists {
		delete(z.scores, member)
		z.order.remove(scored{member, score})
	}
	return exists
}

// zaddFlags are the conditions of an addition.
type zaddFlags struct{ nx, xx, gt, lt, incr bool }

// add sets a member's score as far as the flags allow. gt and lt compare the
// given number with the old score, even when it is to be added to it.
func (s *zsetStore) add(key, member string, score float64, f zaddFlags) (added, changed bool) {
	z := s.open(key)
	old, exists := z.scores[member]
	if (exists && f.nx) || (!exists && f.xx) {
		return false, false
	}
	if exists {
		order := compareScores(score, old)
		if (f.gt && order <= 0) || (f.lt && order >= 0) {
			return false, false
		}
		if f.incr {
			score += old
		}
	}
	z.set(member, score)
	return !exists, exists && compareScores(score, old) != 0
}

func (s *zsetStore) incr(key, member string, by float64) float64 {
	z := s.open(key)
	score := z.scores[member] + by
	z.set(member, score)
	return score
}

func (s *zsetStore) rem(key string, members []string) (removed int64) {
	z := s.get(key)
	for _, m := range members {
		if z.remove(m) {
			removed++
		}
	}
	return removed
}

func (s *zsetStore) score(key, member string) (float64, bool) {
	score, ok := s.get(key).scores[member]
	return score, ok
}

func (s *zsetStore) card(key string) int64 { return int64(s.get(key).order.n) }

// rank counts from 0, from the greatest member if reverse.
func (s *zsetStore) rank(key, member string, reverse bool) (int64, bool) {
	z := s.get(key)
	score, ok := z.scores[member]
	if !ok {
		return 0, false
	}
	x := scored{member, score}
	rank := z.order.count(func(y scored) bool { return y.before(x) })
	if reverse {
		rank = z.order.n - 1 - rank
	}
	return int64(rank), true
}

// ranks turns start and stop into a half-open range of ranks. A stop that is more
// than one before the first member wraps around to the last (protocol: http-data
// quirk 14).
func ranks(n, start, stop int64) (from, to int) {
	if start < 0 {
		start = max(n+start, 0)
	}
	end := min(stop, n-1) + 1
	if stop < 0 {
		if end = n + stop + 1; end < 0 {
			end = n
		}
	}
	if start >= end {
		return 0, 0
	}
	return int(start), int(end)
}

// slice returns the members of a range of ranks, in reverse counted and listed
// from the greatest.
func (s *zsetStore) slice(key string, start, stop int64, reverse bool) []scored {
	z := s.get(key)
	from, to := ranks(int64(z.order.n), start, stop)
	if !reverse {
		return z.order.slice(from, to)
	}
	members := z.order.slice(z.order.n-to, z.order.n-from)
	slices.Reverse(members)
	return members
}

// scoreRange returns the ranks of the scores from low to high, both included. The
// server does not survive a low above high (protocol: http-data 14).
func (z *zset) scoreRange(low, high float64) (from, to int, errText string) {
	if compareScores(low, high) > 0 {
		return 0, 0, "Invalid request: min must not be above max"
	}
	from = z.order.count(func(y scored) bool { return compareScores(y.score, low) < 0 })
	to = z.order.count(func(y scored) bool { return compareScores(y.score, high) <= 0 })
	return from, to, ""
}

func (s *zsetStore) count(key string, low, high float64) (int64, string) {
	z := s.sets[key]
	if z == nil {
		return 0, ""
	}
	from, to, errText := z.scoreRange(low, high)
	return int64(to - from), errText
}

func (s *zsetStore) byScore(key string, low, high float64) ([]scored, string) {
	z := s.sets[key]
	if z == nil {
		return nil, ""
	}
	from, to, errText := z.scoreRange(low, high)
	return z.order.slice(from, to), errText
}

// take removes members that are there.
func (z *zset) take(members []scored) int64 {
	for _, m := range members {
		z.remove(m.member)
	}
	return int64(len(members))
}

func (s *zsetStore) remRanks(key string, start, stop int64) int64 {
	return s.get(key).take(s.slice(key, start, stop, false))
}

func (s *zsetStore) remScores(key string, low, high float64) (int64, string) {
	members, errText := s.byScore(key, low, high)
	return s.get(key).take(members), errText
}

// pop takes up to count members, the least first or the greatest first.
func (s *zsetStore) pop(key string, count uint64, greatest bool) []scored {
	z := s.get(key)
	n := int64(min(count, uint64(z.order.n)))
	if n == 0 {
		return nil
	}
	members := s.slice(key, 0, n-1, greatest)
	z.take(members)
	return members
}
