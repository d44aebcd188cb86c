package engine

import (
	"cmp"
	"slices"

	"github.com/libsynap/libsynap/core/value"
)

// Message is one delivered message.
type Message struct {
	Topic     string
	Payload   value.Value
	ID        string
	Metadata  value.Value // nil or a map of texts
	Timestamp int64       // seconds
	place     int64       // among all that were published
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
	size     int       // messages that may wait
	ring     []Message // grows up to size
	head, n  int
	lost     int
	detached bool
	mark     int64 // the last publish that reached it
}

// Subscribe adds a subscriber that is delivered to. wake is called, outside the
// engine's lock, when a message comes into its empty buffer; it must not block.
func (e *Engine) Subscribe(now int64, topics []string, buffer int, overflow Overflow, wake func()) (*Subscriber, string) {
	e.mu.Lock()
	defer e.unlock()
	e.advance(now)
	s := &Subscriber{overflow: overflow, wake: wake, size: buffer}
	errText := e.subscribe(s, topics)
	if errText != "" {
		s.size = 0 // what a bad pattern leaves behind only counts
	}
	return s, errText
}

// put delivers a message into the buffer.
func (s *Subscriber) put(m *Message) {
	if s.size == 0 || s.detached {
		return
	}
	if s.n == s.size {
		switch s.overflow {
		case DropNewest:
			s.lost++
			return
		case Detach:
			s.detached = true
			s.e.pubsub.slow++
			return
		}
		s.pop()
		s.lost++
	}
	if s.n == len(s.ring) {
		s.grow()
	}
	s.ring[(s.head+s.n)%len(s.ring)] = *m
	if s.n++; s.n == 1 && s.wake != nil {
		s.e.wakes = append(s.e.wakes, s.wake)
	}
}

func (s *Subscriber) grow() {
	ring := make([]Message, min(max(2*len(s.ring), 8), s.size))
	n := copy(ring, s.ring[s.head:])
	copy(ring[n:], s.ring[:s.head])
	s.ring, s.head = ring, 0
}

func (s *Subscriber) pop() Message {
	m := s.ring[s.head]
	s.ring[s.head] = Message{}
	s.head = (s.head + 1) % len(s.ring)
	s.n--
	return m
}

// ID returns the subscriber's id.
func (s *Subscriber) ID() string { return s.id }

// Take removes and returns up to max messages, oldest first, and how many were
// lost since the last Take.
func (s *Subscriber) Take(max int) (messages []Message, lost int) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	if n := min(max, s.n); n > 0 {
		messages = make([]Message, n)
		for i := range messages {
			messages[i] = s.pop()
		}
	}
	lost, s.lost = s.lost, 0
	return messages, lost
}

// TakeTogether is Take for the subscribers of one connection: what waits for any
// of them, in the order in which it was published.
func TakeTogether(subscribers []*Subscriber) []Arrival {
	if len(subscribers) == 0 {
		return nil
	}
	e := subscribers[0].e
	e.mu.Lock()
	defer e.mu.Unlock()
	var arrived []Arrival
	for _, s := range subscribers {
		for s.n > 0 {
			arrived = append(arrived, Arrival{s, s.pop()})
		}
	}
	slices.SortStableFunc(arrived, func(a, b Arrival) int { return cmp.Compare(a.place, b.place) })
	return arrived
}

// Arrival is a message and whom it is for.
type Arrival struct {
	To *Subscriber
	Message
}

// Abandon gives up what waits and what is to come, without removing the
// subscriber: publishes go on counting it.
func (s *Subscriber) Abandon() {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.size, s.ring, s.n, s.wake = 0, nil, 0, nil
}

// Close removes the subscriber.
func (s *Subscriber) Close() {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.e.unsubscribe(s, nil)
	s.e.pubsub.count()
}
