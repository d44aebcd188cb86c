package engine

import (
	"strings"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

// pubsubStore holds topics, patterns and subscribers (protocol: http-messaging 4).
type pubsubStore struct {
	subscribers map[string]*Subscriber
	topics      map[string]*channel // by exact name; never forgotten
	patterns    []*pattern
	versions    map[string]int64 // of watched keys

	published, delivered, slow int64
}

func (s *pubsubStore) init() {
	s.subscribers, s.topics, s.versions = map[string]*Subscriber{}, map[string]*channel{}, map[string]int64{}
}

type channel struct {
	subscribers []*Subscriber
	messages    int64
	created     int64 // seconds
}

// pattern is one subscription by pattern.
type pattern struct {
	text     string
	segments []string // "#" is only ever the last
	sub      *Subscriber
}

// Message is one delivered message.
type Message struct {
	Topic     string
	Payload   value.Value
	ID        string
	Metadata  value.Value // nil or a map of texts
	Timestamp int64       // seconds
}

// Overflow is what a full buffer does.
type Overflow uint8

// The policies.
const (
	DropOldest Overflow = iota
	DropNewest
	// Detach is the server's own: the subscriber gets nothing more, although its
	// backlog stays and publishes go on counting it (protocol: websocket, slow
	// consumer).
	Detach
)

// Subscriber is one subscriber. Those made by the command pubsub.subscribe have
// no buffer: they only count.
type Subscriber struct {
	e        *Engine
	id       string
	topics   []string // distinct exact names
	overflow Overflow
	wake     func()
	ring     []Message
	head, n  int
	lost     int
	detached bool
	mark     int64 // the last publish that reached it
}

var pubsubCommands = map[string]handler{
	"pubsub.subscribe": pubsubSubscribe, "pubsub.publish": pubsubPublish, "pubsub.unsubscribe": pubsubUnsubscribe,
	"pubsub.topics": pubsubTopics, "pubsub.info": pubsubInfo, "pubsub.stats": pubsubStats,
}

// Subscribe adds a subscriber that is delivered to. wake is called, outside the
// engine's lock, when a message comes into its empty buffer; it must not block.
func (e *Engine) Subscribe(now int64, topics []string, buffer int, overflow Overflow, wake func()) (*Subscriber, string) {
	e.mu.Lock()
	defer e.unlock()
	e.advance(now)
	s := &Subscriber{overflow: overflow, wake: wake, ring: make([]Message, buffer)}
	return s, e.subscribe(s, topics)
}

// subscribe files a subscriber under its topics. A bad pattern leaves what was
// filed before it (protocol: pub/sub quirks).
func (e *Engine) subscribe(s *Subscriber, topics []string) string {
	s.e, s.id = e, e.uuid()
	e.pubsub.subscribers[s.id] = s
	for _, name := range topics {
		if !strings.ContainsAny(name, "*#") {
			e.subscribeTopic(s, name)
			continue
		}
		segments := strings.Split(name, ".")
		if errText := checkPattern(segments); errText != "" {
			return errText
		}
		e.pubsub.patterns = append(e.pubsub.patterns, &pattern{name, segments, s})
	}
	return ""
}

func (e *Engine) subscribeTopic(s *Subscriber, name string) {
	t := e.pubsub.topics[name]
	if t == nil {
		t = &channel{created: e.now / second}
		e.pubsub.topics[name] = t
	}
	for _, other := range t.subscribers {
		if other == s {
			return
		}
	}
	t.subscribers = append(t.subscribers, s)
	s.topics = append(s.topics, name)
}

func checkPattern(segments []string) string {
	count, last := 0, -1
	for i, s := range segments {
		if s == "#" {
			count++
			last = i
		}
	}
	switch {
	case count > 1:
		return "Invalid value: Pattern can only contain one # wildcard"
	case count == 1 && last != len(segments)-1:
		return "Invalid value: # wildcard must be at the end of pattern"
	}
	return ""
}

// matches applies the pattern rules (protocol: http-messaging 4).
func (p *pattern) matches(segments []string) bool {
	for i, want := range p.segments {
		if want == "#" {
			return true
		}
		if i >= len(segments) || !glob(want, segments[i]) {
			return false
		}
	}
	return len(segments) == len(p.segments)
}

// glob matches one segment: each * stands for any text, the empty one too.
func glob(want, s string) bool {
	star := strings.IndexByte(want, '*')
	if star < 0 {
		return want == s
	}
	if !strings.HasPrefix(s, want[:star]) {
		return false
	}
	s, want = s[star:], want[star+1:]
	for {
		star = strings.IndexByte(want, '*')
		if star < 0 {
			return len(s) >= len(want) && strings.HasSuffix(s, want)
		}
		at := strings.Index(s, want[:star])
		if at < 0 {
			return false
		}
		s, want = s[at+star:], want[star+1:]
	}
}

// publish delivers a message and returns its id and how many subscribers it
// matched, each counted once.
func (e *Engine) publish(name string, payload, metadata value.Value) (string, int64) {
	ps := &e.pubsub
	ps.published++
	m := Message{Topic: name, Payload: payload, ID: e.uuid(), Metadata: metadata, Timestamp: e.now / second}
	matched := int64(0)
	deliver := func(s *Subscriber) {
		if s.mark != ps.published {
			s.mark = ps.published
			matched++
			s.put(m)
		}
	}
	if t := ps.topics[name]; t != nil {
		t.messages++
		for _, s := range t.subscribers {
			deliver(s)
		}
	}
	if len(ps.patterns) > 0 {
		segments := strings.Split(name, ".")
		for _, p := range ps.patterns {
			if p.sub.mark != ps.published && p.matches(segments) {
				deliver(p.sub)
			}
		}
	}
	ps.delivered += matched
	return m.ID, matched
}

// put delivers a message into the buffer.
func (s *Subscriber) put(m Message) {
	size := len(s.ring)
	if size == 0 || s.detached {
		return
	}
	if s.n == size {
		switch s.overflow {
		case DropNewest:
			s.lost++
			return
		case Detach:
			s.detached = true
			s.e.pubsub.slow++
			return
		}
		s.ring[s.head] = Message{}
		s.head = (s.head + 1) % size
		s.n--
		s.lost++
	}
	s.ring[(s.head+s.n)%size] = m
	if s.n++; s.n == 1 && s.wake != nil {
		s.e.wakes = append(s.e.wakes, s.wake)
	}
}

// ID returns the subscriber's id.
func (s *Subscriber) ID() string { return s.id }

// Take removes and returns up to max messages, oldest first, and how many were
// lost since the last Take.
func (s *Subscriber) Take(max int) (messages []Message, lost int) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for range min(max, s.n) {
		messages = append(messages, s.ring[s.head])
		s.ring[s.head] = Message{}
		s.head = (s.head + 1) % len(s.ring)
		s.n--
	}
	lost, s.lost = s.lost, 0
	return messages, lost
}

// Close removes the subscriber.
func (s *Subscriber) Close() {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.e.unsubscribe(s, nil)
}

// unsubscribe takes a subscriber off topics, off all if topics is nil, and
// returns how many that were.
func (e *Engine) unsubscribe(s *Subscriber, topics []string) int64 {
	all := topics == nil
	n := int64(0)
	leaves := func(name string) bool {
		for _, t := range topics {
			if t == name {
				return true
			}
		}
		return all
	}
	kept := s.topics[:0]
	for _, name := range s.topics {
		if !leaves(name) {
			kept = append(kept, name)
			continue
		}
		n++
		t := e.pubsub.topics[name]
		for i, other := range t.subscribers {
			if other == s {
				t.subscribers = append(t.subscribers[:i], t.subscribers[i+1:]...)
				break
			}
		}
	}
	s.topics = kept
	patterns := e.pubsub.patterns[:0]
	left := len(s.topics)
	for _, p := range e.pubsub.patterns {
		if p.sub == s && leaves(p.text) {
			n++
			continue
		}
		if p.sub == s {
			left++
		}
		patterns = append(patterns, p)
	}
	clear(e.pubsub.patterns[len(patterns):])
	e.pubsub.patterns = patterns
	if left == 0 {
		delete(e.pubsub.subscribers, s.id)
	}
	return n
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
	subscriptions := len(ps.patterns)
	for _, t := range ps.topics {
		subscriptions += len(t.subscribers)
	}
	return object(
		value.Str("total_topics"), value.Int(int64(len(ps.topics))),
		value.Str("total_subscribers"), value.Int(int64(subscriptions)),
		value.Str("total_wildcard_subscriptions"), value.Int(int64(len(ps.patterns))),
		value.Str("messages_published"), value.Int(ps.published),
		value.Str("messages_delivered"), value.Int(ps.delivered),
		value.Str("slow_consumers_dropped"), value.Int(ps.slow)), ""
}

const (
	// watchPrefix is the topic of a key's changes.
	watchPrefix = "__watch@0__:"
	// watchLimit is the longest value that an event carries.
	watchLimit = 65_536
)

// changed publishes a watch event for a key if somebody watches it (protocol:
// websocket, /kv/ws). version counts only while somebody does.
func (e *Engine) changed(key, event, val string, hasValue bool) {
	ps := &e.pubsub
	if len(ps.patterns) == 0 && len(ps.topics) == 0 {
		return
	}
	name := watchPrefix + key
	if !ps.reaches(name) {
		return
	}
	ps.versions[key]++
	payload := []value.Value{
		value.Str("key"), value.Str(key), value.Str("event"), value.Str(event), value.Str("version"), value.Int(ps.versions[key])}
	if hasValue {
		if len(val) <= watchLimit && utf8.ValidString(val) {
			payload = append(payload, value.Str("value"), value.Str(val))
		} else {
			payload = append(payload, value.Str("truncated"), value.Bool(true))
		}
	}
	e.publish(name, value.Map(payload...), value.Nil)
	if event == "del" {
		delete(ps.versions, key)
	}
}

// reaches reports whether a message to the topic has any subscriber.
func (s *pubsubStore) reaches(name string) bool {
	if t := s.topics[name]; t != nil && len(t.subscribers) > 0 {
		return true
	}
	if len(s.patterns) == 0 {
		return false
	}
	segments := strings.Split(name, ".")
	for _, p := range s.patterns {
		if p.matches(segments) {
			return true
		}
	}
	return false
}

// forgetVersions makes versions start again, as flushing does.
func (s *pubsubStore) forgetVersions() { clear(s.versions) }
