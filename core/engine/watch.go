package engine

import (
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

const (
	// watchPrefix is the topic of a key's changes.
	watchPrefix = "__watch@0__:"
	// watchLimit is the longest value that an event carries.
	watchLimit = 65_536
)

// changed publishes a watch event for a key if somebody watches it (protocol:
// websocket, /kv/ws). Versions count only while somebody does, and start again
// when the key is gone.
func (e *Engine) changed(key, event, val string, hasValue bool) {
	ps := &e.pubsub
	if ps.exact+len(ps.patterns) > 0 && ps.reaches(watchPrefix+key) {
		ps.versions[key]++
		payload := []value.Value{
			value.Str("key"), value.Str(key), value.Str("event"), value.Str(event), value.Str("version"), value.Int(ps.versions[key])}
		if hasValue && len(val) <= watchLimit && utf8.ValidString(val) {
			payload = append(payload, value.Str("value"), value.Str(val))
		} else if hasValue {
			payload = append(payload, value.Str("truncated"), value.Bool(true))
		}
		e.publish(watchPrefix+key, object(payload...), value.Nil)
	}
	if event == "del" || event == "expired" {
		delete(ps.versions, key)
	}
}

// reaches reports whether a message to the topic has any subscriber.
func (s *pubsubStore) reaches(topic string) bool {
	if t := s.topics[topic]; t != nil && len(t.subscribers) > 0 {
		return true
	}
	for _, p := range s.patterns {
		if p.matches(topic) {
			return true
		}
	}
	return false
}
