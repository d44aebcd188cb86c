package session

import (
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// Probe finds out whether a push channel still delivers. The server detaches a
// subscriber whose 1,024 buffered messages overflow, but leaves its WebSocket open
// and answers its pings (protocol: websocket, slow consumer): only a message that
// is published and does not come back tells. So every subscription also listens to
// a topic of its own, and asks after each burst.
type Probe struct {
	// Name is what to subscribe to beside the caller's names: a pattern, because an
	// exact topic would stay listed on the server for ever.
	Name   string
	prefix string
	since  int // messages since the last question
	asked  bool
}

// probeAfter is how many messages a question follows. A subscriber that was
// detached unnoticed gets at least 1,023 more after its last answered question was
// put, so half of that cannot miss it.
const probeAfter = 512

// probeTopic begins the topics of all probes. Subscribers of # see those of others,
// which are nothing to their readers.
const probeTopic = "libsynap-probe-"

// NewProbe returns the probe of a subscription over a push route; id tells it from
// all others.
func NewProbe(route, id string) *Probe {
	p := &Probe{Name: probeTopic + id + "-*", prefix: probeTopic + id + "-"}
	if route == "/kv/ws" {
		p.prefix = "__watch@0__:" + p.prefix
	}
	return p
}

// Restart forgets the connection before.
func (p *Probe) Restart() { p.since, p.asked = 0, false }

// Asked reports whether a question is open.
func (p *Probe) Asked() bool { return p.asked }

// Answer reports whether a frame is a probe, own or foreign, and whether to put the
// next question.
func (p *Probe) Answer(frame value.Value) (answers, ask bool) {
	topic, _ := frame.Field("topic").AsStr()
	if !strings.HasPrefix(topic, p.prefix) {
		return strings.HasPrefix(topic, probeTopic), false
	}
	p.asked = false
	return true, p.due(false)
}

// Message counts a message and reports whether to put a question. paused says that
// reading had stopped before it.
func (p *Probe) Message(paused bool) (ask bool) {
	p.since++
	return p.due(paused)
}

func (p *Probe) due(paused bool) bool {
	if p.asked || (!paused && p.since < probeAfter) {
		return false
	}
	p.since, p.asked = 0, true
	return true
}

// Step is the question.
func (p *Probe) Step() Step {
	return Step{Command: "pubsub.publish", Idempotent: true,
		Payload: value.Map(value.Str("topic"), value.Str(p.prefix+"1"), value.Str("payload"), value.Nil)}
}
