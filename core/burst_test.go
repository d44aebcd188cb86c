package core

import (
	"context"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

// Quirk: a subscriber whose 1,024 buffered messages overflow is detached while its
// WebSocket stays open (protocol: websocket, slow consumer). The subscription
// notices, connects again and says that something was lost.
func TestABurstDoesNotSilenceASubscription(t *testing.T) {
	s := serve(t, testserver.Config{})
	c, publisher := open(t, s.URL(), With("timeout", time.Second)), open(t, s.URL())
	f := feed(t, c, "t")
	const burst = 20_000
	frames := make([]session.Frame, burst)
	for i := range frames {
		frames[i] = session.Frame{Op: session.OpTyped, Name: "pubsub.publish", Args: []value.Value{value.Str("t"), value.Int(int64(i))}}
	}
	publisher.batch(background, frames, time.Now().Add(20*time.Second))
	seen, lost, unknown := 0, int64(0), false
	end := time.Now().Add(20 * time.Second)
	for {
		if time.Now().After(end) {
			t.Fatalf("nothing came after the burst: %d seen, %d lost", seen, lost)
		}
		publish(t, publisher, "t", "tick")
		ctx, cancel := context.WithTimeout(background, 200*ms)
		m, err := f.Next(ctx)
		cancel()
		if err != nil {
			continue
		}
		if m.Lost < 0 {
			unknown = true
		} else {
			lost += m.Lost
		}
		if seen++; m.Message.String() == `"tick"` {
			break
		}
	}
	if int64(seen)+lost < burst && !unknown {
		t.Errorf("%d seen and %d lost of %d, and nothing says so", seen, lost, burst)
	}
}
