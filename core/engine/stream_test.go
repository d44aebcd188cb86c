package engine_test

import (
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestStreamVectors(t *testing.T) { replay(t, "http-stream", nil) }

func (c *clock) streamFill(n int) {
	payload := value.Map(value.Str("room"), value.Str("r"), value.Str("event"), value.Str("e"), value.Str("data"), value.Int(1))
	for range n {
		if _, errText := c.e.Exec(c.now, engine.Envelope, "stream.publish", "", payload); errText != "" {
			c.t.Fatal(errText)
		}
	}
}

func (c *clock) streamStats(min, count, dropped string) {
	c.t.Helper()
	s := c.do(engine.Envelope, "stream.stats", `{"room":"r"}`)
	if text(s.Field("min_offset")) != min || text(s.Field("message_count")) != count || text(s.Field("dropped")) != dropped {
		c.t.Errorf("got %s, want min_offset %s, message_count %s, dropped %s", text(s), min, count, dropped)
	}
}

// TestStreamHardLimit: a subscriber that has not read holds events back up to
// 100,000; once it has read, the room shrinks to 10,000 (protocol: stream rule 3).
func TestStreamHardLimit(t *testing.T) {
	c := newClock(t)
	c.do(engine.Envelope, "stream.create", `{"room":"r"}`)
	c.streamFill(3)
	c.do(engine.Envelope, "stream.consume", `{"room":"r","subscriber_id":"slow","limit":2}`)
	c.do(engine.Envelope, "stream.consume", `{"room":"r","subscriber_id":"ahead","from_offset":18446744073709551615}`)
	c.streamFill(99_997)
	c.streamStats("2", "99998", "0") // the two that both have read went
	c.streamFill(2)
	c.streamStats("2", "100000", "0")
	c.streamFill(5)
	c.streamStats("7", "100000", "5")
	c.expect("stream.consume", `{"room":"r","subscriber_id":"slow","from_offset":100000,"limit":0}`, `{"events":[],"next_offset":100000}`)
	c.streamFill(1)
	c.streamStats("90008", "10000", "5")
}

// TestStreamRetentionIsSwept: events go at the sweep of each minute, once they are
// an hour old (protocol: stream rule 5); offsets go on.
func TestStreamRetentionIsSwept(t *testing.T) {
	c := newClock(t)
	c.now = start - start%(60*second) + second
	c.do(engine.Envelope, "stream.create", `{"room":"r"}`)
	c.streamFill(2)
	c.wait(3600)
	c.streamStats("0", "2", "0") // old enough, not swept
	c.wait(59)
	c.streamStats("2", "0", "0")
	if got := text(c.do(engine.Envelope, "stream.stats", `{"room":"r"}`).Field("max_offset")); got != "0" {
		t.Errorf("max_offset of an empty room: %s", got)
	}
	if _, errText := c.try(engine.Envelope, "stream.consume", `{"room":"r","subscriber_id":"s","from_offset":1}`); errText != "Invalid request: Stream offset 1 out of range; earliest retained offset is 2" {
		t.Errorf("got %q", errText)
	}
	c.expect("stream.publish", `{"room":"r","event":"e","data":1}`, `{"offset":2,"room":"r"}`)
	c.expect("stream.consume", `{"room":"r","subscriber_id":"s","from_offset":2,"limit":0}`, `{"events":[],"next_offset":2}`)
}

// TestStreamNumbers: what is no integer of the right range counts as absent
// (protocol: stream quirks).
func TestStreamNumbers(t *testing.T) {
	c := newClock(t)
	c.do(engine.Envelope, "stream.create", `{"room":"r"}`)
	c.streamFill(150)
	for payload, want := range map[string]int{
		``: 100, `,"limit":-1`: 100, `,"limit":"5"`: 100, `,"limit":5.0`: 100, `,"limit":18446744073709551615`: 150,
		`,"from_offset":140`: 10, `,"from_offset":-3`: 100, `,"from_offset":149,"limit":1`: 1, `,"from_offset":150`: 0,
	} {
		reply := c.do(engine.Envelope, "stream.consume", `{"room":"r","subscriber_id":"s"`+payload+`}`)
		if got := reply.Field("events").Len(); got != want {
			t.Errorf("consume%s: %d events, want %d", payload, got, want)
		}
	}
}

// TestStreamGenerationsGrow, whatever the clock says.
func TestStreamGenerationsGrow(t *testing.T) {
	c := newClock(t)
	last := int64(0)
	for i := range 10 {
		if i == 5 {
			c.wait(-3600)
		}
		c.do(engine.Envelope, "stream.create", `{"room":"r"}`)
		s := c.do(engine.Envelope, "stream.stats", `{"room":"r"}`)
		generation, _ := s.Field("generation").AsInt()
		if created, _ := s.Field("created_at").AsInt(); generation <= last || generation < created {
			t.Fatalf("generation %d after %d, created at %d", generation, last, created)
		}
		last = generation
		c.do(engine.Envelope, "stream.delete", `{"room":"r"}`)
	}
}
