package engine

import (
	"slices"
	"sort"
)

// scored is a member of a sorted set with its score.
type scored struct {
	member string
	score  float64
}

// compareScores orders scores: -0.0 equals 0, NaN comes after everything.
func compareScores(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b || (a != a && b != b):
		return 0
	case a != a:
		return 1
	}
	return -1
}

// before is the order of a sorted set: by score, then by the member's bytes.
func (a scored) before(b scored) bool {
	if c := compareScores(a.score, b.score); c != 0 {
		return c < 0
	}
	return a.member < b.member
}

// maxChunk bounds what an insertion has to move.
const maxChunk = 512

// ranking holds the members of a sorted set in order, in chunks: a rank is found
// by adding up the lengths of chunks, an insertion moves part of one.
type ranking struct {
	chunks [][]scored // none is empty
	n      int
}

// find returns the first place for which below does not hold; below must hold
// for a beginning of the ranking. The place behind the end is chunk len(chunks).
func (r *ranking) find(below func(scored) bool) (chunk, i int) {
	chunk = sort.Search(len(r.chunks), func(k int) bool {
		c := r.chunks[k]
		return !below(c[len(c)-1])
	})
	if chunk < len(r.chunks) {
		c := r.chunks[chunk]
		i = sort.Search(len(c), func(k int) bool { return !below(c[k]) })
	}
	return chunk, i
}

// count returns for how many members below holds.
func (r *ranking) count(below func(scored) bool) int {
	chunk, n := r.find(below)
	for _, c := range r.chunks[:chunk] {
		n += len(c)
	}
	return n
}

func (r *ranking) insert(x scored) {
	r.n++
	k, i := r.find(func(y scored) bool { return y.before(x) })
	if k == len(r.chunks) {
		if k == 0 {
			r.chunks = [][]scored{{x}}
			return
		}
		k--
		i = len(r.chunks[k])
	}
	c := slices.Insert(r.chunks[k], i, x)
	r.chunks[k] = c
	if len(c) > maxChunk {
		half := len(c) / 2
		r.chunks = slices.Insert(r.chunks, k+1, slices.Clone(c[half:]))
		r.chunks[k] = slices.Delete(c, half, len(c))
	}
}

// remove takes out a member that is there.
func (r *ranking) remove(x scored) {
	r.n--
	k, i := r.find(func(y scored) bool { return y.before(x) })
	c := slices.Delete(r.chunks[k], i, i+1)
	r.chunks[k] = c
	switch {
	case len(c) == 0:
		r.chunks = slices.Delete(r.chunks, k, k+1)
	case k+1 < len(r.chunks) && len(c)+len(r.chunks[k+1]) <= maxChunk/2:
		r.chunks[k] = append(c, r.chunks[k+1]...)
		r.chunks = slices.Delete(r.chunks, k+1, k+2)
	}
}

// slice returns a copy of the members of ranks from (inclusive) to to (exclusive).
func (r *ranking) slice(from, to int) []scored {
	out := make([]scored, 0, to-from)
	for _, c := range r.chunks {
		if to <= 0 {
			break
		}
		if from < len(c) {
			out = append(out, c[max(from, 0):min(to, len(c))]...)
		}
		from -= len(c)
		to -= len(c)
	}
	return out
}
