package session

import (
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// frameOn is a pushed frame of a topic.
func frameOn(topic string) value.Value { return value.Map(str("topic"), str(topic)) }

// Quirk: a slow consumer is detached while its WebSocket stays open (protocol:
// websocket, /pubsub/ws). Only a message that does not come back tells.
func TestProbesAskAfterABurst(t *testing.T) {
	p := NewProbe("/pubsub/ws", "abc")
	burst := func() {
		t.Helper()
		for n := 1; n < probeAfter; n++ {
			if p.Message(false) {
				t.Fatalf("asks after %d messages", n)
			}
		}
		if !p.Message(false) || !p.Asked() {
			t.Fatalf("does not ask after %d messages", probeAfter)
		}
	}
	burst()
	// One question at a time, and the next one when enough has come meanwhile.
	for range 2*probeAfter - 1 {
		if p.Message(true) {
			t.Fatal("asks a second time before the answer")
		}
	}
	topic, _ := p.Step().Payload.Field("topic").AsStr()
	if answers, ask := p.Answer(frameOn(topic)); !answers || !ask || !p.Asked() {
		t.Errorf("answers %v, asks %v", answers, ask)
	}
	if answers, ask := p.Answer(frameOn(topic)); !answers || ask || p.Asked() {
		t.Errorf("answers %v, asks %v", answers, ask)
	}
	burst()
	// Reading that has paused is reason enough; a new connection owes no answer.
	p.Restart()
	if p.Asked() || !p.Message(true) || !p.Asked() {
		t.Error("does not ask after a pause")
	}
	p.Restart()
	burst()
}

func TestProbesAreTheirOwn(t *testing.T) {
	for route, prefix := range map[string]string{"/pubsub/ws": "", "/kv/ws": "__watch@0__:"} {
		p := NewProbe(route, "abc")
		topic, _ := p.Step().Payload.Field("topic").AsStr()
		// The subscribed pattern, with what the route puts before it, matches the
		// published topic and is no exact one, which would stay listed for ever.
		pattern, star := strings.CutSuffix(prefix+p.Name, "*")
		if !star || !strings.HasPrefix(topic, pattern) || strings.ContainsAny(p.Name, ".,#") || p.Step().Command != "pubsub.publish" {
			t.Errorf("%s: subscribes to %s and asks on %s", route, p.Name, topic)
		}
		p.Message(true)
		// Subscribers of everything see the probes of others.
		if answers, ask := p.Answer(frameOn("libsynap-probe-other-1")); !answers || ask || !p.Asked() {
			t.Errorf("%s: a foreign probe: %v %v, still asked %v", route, answers, ask, p.Asked())
		}
		for _, topic := range []string{"news", "", prefix + "user:1"} {
			if answers, _ := p.Answer(frameOn(topic)); answers || !p.Asked() {
				t.Errorf("%s: %q is taken for a probe", route, topic)
			}
		}
		if answers, _ := p.Answer(frameOn(topic)); !answers || p.Asked() {
			t.Errorf("%s: its own probe is none", route)
		}
	}
}
