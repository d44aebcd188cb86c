package engine_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// routes are the REST routes of topics and groups as commands; {…} parts become
// members of the payload.
var routes = []struct{ method, path, command string }{
	{"GET", "/topics", "topics.list"},
	{"POST", "/topics/{topic}", "topics.create"},
	{"DELETE", "/topics/{topic}", "topics.delete"},
	{"GET", "/topics/{topic}/stats", "topics.stats"},
	{"POST", "/topics/{topic}/publish", "topics.publish"},
	{"POST", "/topics/{topic}/partitions/{partition_id}/consume", "topics.consume"},
	{"GET", "/consumer-groups", "groups.list"},
	{"POST", "/consumer-groups/{group}", "groups.create"},
	{"POST", "/consumer-groups/{group}/join", "groups.join"},
	{"DELETE", "/consumer-groups/{group}/members/{member_id}/leave", "groups.leave"},
	{"GET", "/consumer-groups/{group}/members/{member_id}/assignment", "groups.assignment"},
	{"POST", "/consumer-groups/{group}/members/{member_id}/heartbeat", "groups.heartbeat"},
	{"POST", "/consumer-groups/{group}/offsets/commit", "groups.commit"},
	{"GET", "/consumer-groups/{group}/offsets/{partition_id}", "groups.offset"},
	{"GET", "/consumer-groups/{group}/stats", "groups.stats"},
}

// route finds the command of a request and its payload.
func route(method, path string, body value.Value) (string, value.Value, bool) {
	parts := strings.Split(path, "/")
	for _, r := range routes {
		pattern := strings.Split(r.path, "/")
		if r.method != method || len(pattern) != len(parts) {
			continue
		}
		var members []value.Value
		fits := true
		for i, p := range pattern {
			if !strings.HasPrefix(p, "{") {
				fits = fits && p == parts[i]
				continue
			}
			v := value.Str(parts[i])
			if p == "{partition_id}" {
				n, _ := strconv.ParseInt(parts[i], 10, 64)
				v = value.Int(n)
			}
			members = append(members, value.Str(strings.Trim(p, "{}")), v)
		}
		if !fits {
			continue
		}
		for i := range body.Len() {
			k, v := body.Pair(i)
			members = append(members, k, v)
		}
		return r.command, value.Map(members...), true
	}
	return "", value.Nil, false
}

// replayREST runs the steps of a REST vector file that reach the engine; those
// that the HTTP layer answers (text bodies, wrong methods) are left to it.
func replayREST(t *testing.T, area string, least int) {
	steps := 0
	for _, c := range vectorCases(t, area) {
		t.Run(str(c, "name"), func(t *testing.T) {
			w := newWorld()
			for i, s := range c.Field("steps").Items() {
				status, _ := s.Field("reply").Field("status").AsInt()
				want := s.Field("reply").Field("body")
				if _, refused := want.Get("error"); status != 200 && !refused {
					continue
				}
				path := w.fill(str(s, "path"))
				command, payload, ok := route(str(s, "method"), path, s.Field("body"))
				if !ok {
					t.Fatalf("step %d: no command for %s", i, path)
				}
				steps++
				reply, errText := w.Exec(w.now, engine.Raw, command, "r", payload)
				got := reply
				if errText != "" {
					got = value.Map(value.Str("code"), value.Int(400), value.Str("error"), value.Str(errText))
				}
				if d := w.match(want, got); d != "" {
					t.Fatalf("step %d, %s %s: %s", i, command, text(payload), d)
				}
			}
		})
	}
	if steps < least {
		t.Errorf("only %d steps reached the engine", steps)
	}
}

func TestTopicsVectors(t *testing.T) { replayREST(t, "rest-topics", 50) }

// TestRESTOnlyCommands: what has no name on the server's envelope has none here.
func TestRESTOnlyCommands(t *testing.T) {
	w := newWorld()
	for _, r := range routes {
		if _, errText := w.run(engine.Envelope, r.command, `{"topic":"t","group":"g"}`); errText != "Unknown command: "+r.command {
			t.Errorf("%s: %q", r.command, errText)
		}
	}
}

func TestTopicsRefused(t *testing.T) {
	const partitions = `Invalid value: num_partitions must be an integer from 1 to 65536`
	newWorld().steps(t, engine.Raw, []step{
		// These end the server's process.
		{"topics.create", `{"topic":"t","num_partitions":0}`, partitions},
		{"topics.create", `{"topic":"t","num_partitions":-1}`, partitions},
		{"topics.create", `{"topic":"t","num_partitions":65537}`, partitions},
		{"topics.create", `{"topic":"t","num_partitions":18446744073709551615}`, partitions},
		{"topics.create", `{"topic":"t","num_partitions":"3"}`, partitions},
		{"topics.list", `{}`, `{"count":0,"topics":[]}`},
		{"topics.create", `{"topic":"t","num_partitions":65536}`, `{"num_partitions":65536,"replication_factor":1,"success":true,"topic":"t"}`},
		{"topics.create", `{}`, `Invalid request: Missing 'topic' field`},
		{"topics.create", `{"topic":"u","retention_policy":{"type":"Time"}}`,
			`Invalid value: retention_policy must be one of Time{retention_secs}, Size{max_bytes}, Messages{max_messages}, Combined, Infinite`},
		{"topics.publish", `{"topic":"t","data":1}`, `Invalid request: Missing 'event_type' field`},
		{"topics.publish", `{"topic":"t","event_type":"e"}`, `Invalid request: Missing 'data' field`},
		{"topics.consume", `{"topic":"t"}`, `Invalid request: Missing 'partition_id' field`},
		{"topics.consume", `{"topic":"t","partition_id":65536}`, `Invalid request: Partition 65536 not found`},
		{"topics.consume", `{"topic":"none","partition_id":0}`, `Invalid request: Topic 'none' not found`},
	})
}

// publish sends events 1…n without key.
func (w *world) publish(t *testing.T, topic string, n int) {
	t.Helper()
	for i := range n {
		w.must(t, engine.Raw, "topics.publish", `{"topic":"`+topic+`","event_type":"e","data":`+strconv.Itoa(i+1)+`}`)
	}
}

// partition returns "min..max count bytes" of partition 0.
func (w *world) partition(t *testing.T, topic string) string {
	t.Helper()
	v, errText := w.run(engine.Raw, "topics.stats", `{"topic":"`+topic+`"}`)
	if errText != "" {
		t.Fatal(errText)
	}
	p := v.Field("partitions").Index(0)
	return text(p.Field("min_offset")) + ".." + text(p.Field("max_offset")) + " " + text(p.Field("message_count")) + " " + text(p.Field("total_bytes"))
}

// TestTopicsRetention: applied by a publish more than 5 s after the last
// compaction and by the sweep every minute, never else (protocol: http-messaging 5).
func TestTopicsRetention(t *testing.T) {
	for _, c := range []struct{ policy, soon, late, swept string }{
		{`{"type":"Messages","max_messages":2}`, "0..3 4 16", "3..4 2 8", "3..4 2 8"},
		{`{"type":"Size","max_bytes":9}`, "0..3 4 16", "3..4 2 8", "3..4 2 8"},
		{`{"type":"Size","max_bytes":0}`, "0..3 4 16", "5..4 0 0", "5..4 0 0"},
		{`{"type":"Time","retention_secs":6}`, "0..3 4 16", "4..4 1 4", "5..4 0 0"},
		{`{"type":"Time","retention_secs":7}`, "0..3 4 16", "3..4 2 8", "5..4 0 0"},
		{`{"type":"Combined","max_bytes":12,"max_messages":4}`, "0..3 4 16", "2..4 3 12", "2..4 3 12"},
		{`{"type":"Combined"}`, "0..3 4 16", "0..4 5 20", "0..4 5 20"},
		{`{"type":"Infinite"}`, "0..3 4 16", "0..4 5 20", "0..4 5 20"},
		{`null`, "0..3 4 16", "0..4 5 20", "0..4 5 20"},
	} {
		w := newWorld()
		w.now = start / (60 * second) * 60 * second // on a tick of the sweep
		w.must(t, engine.Raw, "topics.create", `{"topic":"to","num_partitions":1,"retention_policy":`+c.policy+`}`)
		w.publish(t, "to", 3)
		w.now += 5 * second
		w.publish(t, "to", 1)
		if got := w.partition(t, "to"); got != c.soon {
			t.Errorf("%s: after 5 s %s, want %s", c.policy, got, c.soon)
		}
		w.now += 6 * second
		if got := w.partition(t, "to"); got != c.soon {
			t.Errorf("%s: reading compacted to %s", c.policy, got)
		}
		w.publish(t, "to", 1)
		if got := w.partition(t, "to"); got != c.late {
			t.Errorf("%s: after 11 s %s, want %s", c.policy, got, c.late)
		}
		w.now += 49 * second
		if got := w.partition(t, "to"); got != c.swept {
			t.Errorf("%s: after the sweep %s, want %s", c.policy, got, c.swept)
		}
	}
}

// TestTopicsDefaultRetention is an hour.
func TestTopicsDefaultRetention(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Raw, "topics.create", `{"topic":"to","num_partitions":1}`)
	w.publish(t, "to", 1)
	w.now += 3590 * second
	if got := w.partition(t, "to"); got != "0..0 1 4" {
		t.Errorf("before the hour: %s", got)
	}
	w.now += 80 * second
	if got := w.partition(t, "to"); got != "1..0 0 0" {
		t.Errorf("after the hour: %s", got)
	}
}

// TestTopicsReading: below the oldest retained event reading begins there, and
// one call returns 1000 events at most.
func TestTopicsReading(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Raw, "topics.create", `{"topic":"to","num_partitions":1,"retention_policy":{"type":"Messages","max_messages":1500}}`)
	w.publish(t, "to", 1600)
	w.now += 6 * second
	w.publish(t, "to", 1)
	read := func(args string) string {
		v, errText := w.run(engine.Raw, "topics.consume", `{"topic":"to","partition_id":0`+args+`}`)
		if errText != "" {
			return errText
		}
		events := v.Field("events")
		first := events.Index(0)
		return text(v.Field("count")) + " from " + text(first.Field("offset")) + " next " + text(v.Field("next_offset"))
	}
	for _, c := range [][2]string{
		{``, `100 from 101 next 201`},
		{`,"from_offset":50,"limit":1`, `1 from 101 next 102`},
		{`,"from_offset":300,"limit":2`, `2 from 300 next 302`},
		{`,"limit":5000`, `1000 from 101 next 1101`},
		{`,"from_offset":1600`, `1 from 1600 next 1601`},
		{`,"from_offset":1601`, `0 from null next 1601`},
		{`,"from_offset":18446744073709551615`, `0 from null next 18446744073709551615`},
	} {
		if got := read(c[0]); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
}
