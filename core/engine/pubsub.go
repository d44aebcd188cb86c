package engine

import (
	"slices"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// pubsubStore holds topics, patterns and subscribers (protocol: http-messaging 4).
type pubsubStore struct {
	subscribers map[string]*Subscriber
	topics      map[string]*channel // by exact name; never forgotten
	patterns    []*pattern
	exact       int              // subscriptions to exact names
	versions    map[string]int64 // of watched keys

	// totals are the counts as of the last change that succeeded: what a bad
	// pattern leaves behind is not seen until the next one.
	totals                     totals
	published, delivered, slow int64
}

type totals struct{ topics, exact, patterns int }

func (s *pubsubStore) init() {
	s.subscribers, s.topics, s.versions = map[string]*Subscriber{}, map[string]*channel{}, map[string]int64{}
}

func (s *pubsubStore) count() { s.totals = totals{len(s.topics), s.exact, len(s.patterns)} }

type channel struct {
	subscribers []*Subscriber
	messages    int64
	created     int64 // seconds
}

var pubsubCommands = family{
	{"pubsub.subscribe", pubsubSubscribe}, {"pubsub.publish", pubsubPublish}, {"pubsub.unsubscribe", pubsubUnsubscribe},
	{"pubsub.topics", pubsubTopics}, {"pubsub.info", pubsubInfo}, {"pubsub.stats", pubsubStats},
}

// subscribe files a subscriber under its topics. A bad pattern leaves what was
// filed before it (protocol: pub/sub quirks).
func (e *Engine) subscribe(s *Subscriber, topics []string) string {
	ps := &e.pubsub
	s.e, s.id = e, e.uuid()
	ps.subscribers[s.id] = s
	for _, name := range topics {
		if strings.ContainsAny(name, "*#") {
			p, errText := newPattern(name, s)
			if errText != "" {
				return errText
			}
			ps.patterns = append(ps.patterns, p)
			continue
		}
		t := ps.topics[name]
		if t == nil {
			t = &channel{created: e.now / second}
			ps.topics[name] = t
		}
		if !slices.Contains(s.topics, name) {
			t.subscribers = append(t.subscribers, s)
			s.topics = append(s.topics, name)
			ps.exact++
		}
	}
	ps.count()
	return ""
}

// unsubscribe takes a subscriber off topics, off all if topics is nil, and
// returns how many that were.
func (e *Engine) unsubscribe(s *Subscriber, topics []string) int64 {
	ps := &e.pubsub
	leaves := func(name string) bool { return topics == nil || slices.Contains(topics, name) }
	before := len(s.topics) + len(ps.patterns)
	s.topics = slices.DeleteFunc(s.topics, func(name string) bool {
		if !leaves(name) {
			return false
		}
		t := ps.topics[name]
		at := slices.Index(t.subscribers, s)
		t.subscribers = slices.Delete(t.subscribers, at, at+1)
		ps.exact--
		return true
	})
	left := len(s.topics)
	ps.patterns = slices.DeleteFunc(ps.patterns, func(p *pattern) bool {
		if p.sub == s && !leaves(p.text) {
			left++
		}
		return p.sub == s && leaves(p.text)
	})
	if left == 0 {
		delete(ps.subscribers, s.id)
	}
	return int64(before - len(s.topics) - len(ps.patterns))
}

// publish delivers a message and returns its id and how many subscribers it
// matched, each counted once.
func (e *Engine) publish(name string, payload, metadata value.Value) (string, int64) {
	ps := &e.pubsub
	ps.published++
	m := Message{Topic: name, Payload: payload, ID: e.uuid(), Metadata: metadata, Timestamp: e.now / second, place: ps.published}
	matched := int64(0)
	if t := ps.topics[name]; t != nil {
		t.messages++
		matched = int64(len(t.subscribers))
		for _, s := range t.subscribers {
			s.mark = ps.published
			s.put(&m)
		}
	}
	for _, p := range ps.patterns {
		if p.sub.mark != ps.published && p.matches(name) {
			p.sub.mark = ps.published
			p.sub.put(&m)
			matched++
		}
	}
	ps.delivered += matched
	return m.ID, matched
}

func pubsubSubscribe(e *Engine, c *call) (value.Value, string) {
	v, ok := c.payload.Get("topics")
	if !ok {
		return value.Nil, missing("topics")
	}
	if v.Kind() != value.KindArray {
		return value.Nil, "Invalid request: 'topics' must be an array"
	}
	topics := texts(v)
	if len(topics) == 0 {
		return value.Nil, "Invalid request: At least one topic required"
	}
	s := &Subscriber{}
	if errText := e.subscribe(s, topics); errText != "" {
		return value.Nil, errText
	}
	return object(
		value.Str("subscriber_id"), value.Str(s.id),
		value.Str("topics"), list(topics),
		value.Str("subscription_count"), value.Int(int64(len(topics)))), ""
}

// texts are the texts of an array; other elements are skipped.
func texts(v value.Value) []string {
	var out []string
	for i := 0; i < v.Len(); i++ {
		if s, ok := v.Index(i).AsStr(); ok {
			out = append(out, s)
		}
	}
	return out
}

func pubsubPublish(e *Engine, c *call) (value.Value, string) {
	name, errText := c.str("topic")
	if errText != "" {
		return value.Nil, errText
	}
	payload, ok := c.payload.Get("payload")
	if !ok {
		if payload, ok = c.payload.Get("data"); !ok {
			return value.Nil, "Invalid request: Missing 'payload' or 'data' field"
		}
	}
	if name == "" {
		return value.Nil, "Invalid value: Topic cannot be empty"
	}
	id, matched := e.publish(name, payload, metadataOf(c.payload.Field("metadata")))
	return object(
		value.Str("message_id"), value.Str(id),
		value.Str("topic"), value.Str(name),
		value.Str("subscribers_matched"), value.Int(matched)), ""
}

// metadataOf keeps the texts of an object; anything else is no metadata.
func metadataOf(v value.Value) value.Value {
	if v.Kind() != value.KindMap {
		return value.Nil
	}
	var kv []value.Value
	for i := 0; i < v.Len(); i++ {
		k, val := v.Pair(i)
		if _, ok := val.AsStr(); ok {
			kv = append(kv, k, val)
		}
	}
	return value.Map(kv...)
}

func pubsubUnsubscribe(e *Engine, c *call) (value.Value, string) {
	id, errText := c.str("subscriber_id")
	if errText != "" {
		return value.Nil, errText
	}
	var topics []string
	if v := c.payload.Field("topics"); v.Kind() == value.KindArray {
		topics = append([]string{}, texts(v)...)
	}
	n := int64(0)
	if s := e.pubsub.subscribers[id]; s != nil {
		n = e.unsubscribe(s, topics)
	}
	e.pubsub.count()
	return member("unsubscribed", value.Int(n)), ""
}

func pubsubTopics(e *Engine, c *call) (value.Value, string) {
	names := make([]string, 0, len(e.pubsub.topics))
	for name := range e.pubsub.topics {
		names = append(names, name)
	}
	return object(value.Str("topics"), list(names), value.Str("count"), value.Int(int64(len(names)))), ""
}

func pubsubInfo(e *Engine, c *call) (value.Value, string) {
	name, errText := c.str("topic")
	if errText != "" {
		return value.Nil, errText
	}
	t := e.pubsub.topics[name]
	if t == nil {
		return value.Nil, "Invalid request: Topic '" + name + "' not found"
	}
	return object(
		value.Str("topic"), value.Str(name),
		value.Str("subscriber_count"), value.Int(int64(len(t.subscribers))),
		value.Str("message_count"), value.Int(t.messages),
		value.Str("created_at"), value.Int(t.created)), ""
}

// pubsubStats counts subscriptions, not subscribers, under total_subscribers, as
// the server does.
func pubsubStats(e *Engine, c *call) (value.Value, string) {
	ps := &e.pubsub
	return object(
		value.Str("total_topics"), value.Int(int64(ps.totals.topics)),
		value.Str("total_subscribers"), value.Int(int64(ps.totals.exact+ps.totals.patterns)),
		value.Str("total_wildcard_subscriptions"), value.Int(int64(ps.totals.patterns)),
		value.Str("messages_published"), value.Int(ps.published),
		value.Str("messages_delivered"), value.Int(ps.delivered),
		value.Str("slow_consumers_dropped"), value.Int(ps.slow)), ""
}
