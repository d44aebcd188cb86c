package engine

import (
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// The commands that combine sorted sets into one (protocol: http-data 7). Each
// replaces the destination unless it says that there is nothing to combine.

// mix is how an intersection or a union computes scores.
type mix struct {
	weights   []float64
	weighted  bool // else all weights are 1
	aggregate string
}

// mix reads weights and aggregate. Weights that are not numbers are dropped, an
// aggregate that is unknown is the sum.
func (c *call) mix() (m mix) {
	weights := c.payload.Field("weights")
	m.weighted = weights.Kind() == value.KindArray
	for _, w := range weights.Items() {
		if f, ok := w.AsFloat(); ok {
			m.weights = append(m.weights, f)
		}
	}
	aggregate, _ := c.payload.Field("aggregate").AsStr()
	m.aggregate = strings.ToLower(aggregate)
	return m
}

// weight returns the weight of the source at a position. The server does not
// survive a source that has none (protocol: http-data 14).
func (m *mix) weight(i int) (float64, string) {
	switch {
	case !m.weighted:
		return 1, ""
	case i < len(m.weights):
		return m.weights[i], ""
	}
	return 0, "Invalid request: weights must hold a number for each key"
}

func (m *mix) join(a, b float64) float64 {
	switch {
	case m.aggregate == "min":
		if compareScores(b, a) < 0 {
			return b
		}
		return a
	case m.aggregate == "max":
		if compareScores(b, a) > 0 {
			return b
		}
		return a
	}
	return a + b
}

// put replaces the destination by what was combined.
func (s *zsetStore) put(destination string, scores map[string]float64) int64 {
	z := &zset{}
	for m, score := range scores {
		z.set(m, score)
	}
	s.replace(destination, z)
	return int64(len(scores))
}

func (s *zsetStore) union(destination string, keys []string, m mix) (int64, string) {
	if len(keys) == 0 {
		return 0, ""
	}
	scores := map[string]float64{}
	for i, key := range keys {
		z := s.sets[key]
		if z == nil {
			continue
		}
		weight, errText := m.weight(i)
		if errText != "" {
			return 0, errText
		}
		for text, score := range z.scores {
			score *= weight
			if sum, ok := scores[text]; ok {
				score = m.join(sum, score)
			}
			scores[text] = score
		}
	}
	return s.put(destination, scores), ""
}

// inter leaves the destination alone if a source is missing.
func (s *zsetStore) inter(destination string, keys []string, m mix) (int64, string) {
	if len(keys) == 0 {
		return 0, ""
	}
	for _, key := range keys {
		if s.sets[key] == nil {
			return 0, ""
		}
	}
	scores := map[string]float64{}
	for i, key := range keys {
		weight, errText := m.weight(i)
		if errText != "" {
			return 0, errText
		}
		z := s.sets[key]
		if i == 0 {
			for text, score := range z.scores {
				scores[text] = score * weight
			}
			continue
		}
		for text, sum := range scores {
			if score, ok := z.scores[text]; ok {
				scores[text] = m.join(sum, score*weight)
			} else {
				delete(scores, text)
			}
		}
	}
	return s.put(destination, scores), ""
}

// diff leaves the destination alone if the first source is missing.
func (s *zsetStore) diff(destination string, keys []string) int64 {
	if len(keys) == 0 || s.sets[keys[0]] == nil {
		return 0
	}
	scores := map[string]float64{}
	for text, score := range s.sets[keys[0]].scores {
		scores[text] = score
	}
	for _, key := range keys[1:] {
		for text := range s.get(key).scores {
			delete(scores, text)
		}
	}
	return s.put(destination, scores)
}

// destinationKeys reads what the three share.
func (c *call) destinationKeys() (destination string, keys []string, errText string) {
	if destination, errText = c.str("destination"); errText != "" {
		return "", nil, errText
	}
	keys, errText = c.keys()
	return destination, keys, errText
}

func storedReply(count int64, destination string) value.Value {
	return object(value.Str("count"), value.Int(count), value.Str("destination"), value.Str(destination))
}

func zsetInterstore(e *Engine, c *call) (value.Value, string) { return c.mixed(e.zsets.inter) }
func zsetUnionstore(e *Engine, c *call) (value.Value, string) { return c.mixed(e.zsets.union) }

func (c *call) mixed(combine func(destination string, keys []string, m mix) (int64, string)) (value.Value, string) {
	destination, keys, errText := c.destinationKeys()
	if errText != "" {
		return value.Nil, errText
	}
	count, errText := combine(destination, keys, c.mix())
	return storedReply(count, destination), errText
}

func zsetDiffstore(e *Engine, c *call) (value.Value, string) {
	destination, keys, errText := c.destinationKeys()
	if errText != "" {
		return value.Nil, errText
	}
	return storedReply(e.zsets.diff(destination, keys), destination), ""
}
