package engine_test

import (
	"testing"

	"github.com/libsynap/libsynap/core/engine"
)

func TestGroupsVectors(t *testing.T) { replayREST(t, "rest-groups", 70) }

// grouped makes a group and returns functions that join it and read assignments.
func grouped(t *testing.T, w *world, config string) (join func(body string) string, assigned func(member string) string) {
	t.Helper()
	w.must(t, engine.Raw, "groups.create", `{"group":"g","topic":"t",`+config+`}`)
	join = func(body string) string {
		t.Helper()
		v, errText := w.run(engine.Raw, "groups.join", `{"group":"g"`+body+`}`)
		if errText != "" {
			t.Fatal(errText)
		}
		return str(v, "member_id")
	}
	assigned = func(member string) string {
		t.Helper()
		v, errText := w.run(engine.Raw, "groups.assignment", `{"group":"g","member_id":"`+member+`"}`)
		if errText != "" {
			return errText
		}
		return text(v.Field("partitions"))
	}
	return join, assigned
}

// TestGroupsStrategies with three members of seven partitions.
func TestGroupsStrategies(t *testing.T) {
	for _, c := range []struct {
		strategy string
		want     [3]string
	}{
		{"round_robin", [3]string{"[0,3,6]", "[1,4]", "[2,5]"}},
		{"range", [3]string{"[0,1,2]", "[3,4]", "[5,6]"}},
		{"sticky", [3]string{"[0,1,2]", "[4,5,6]", "[3]"}},
	} {
		w := newWorld()
		join, assigned := grouped(t, w, `"partition_count":7,"strategy":"`+c.strategy+`"`)
		ids := [3]string{join(``), join(``), join(``)}
		for i, id := range ids {
			if got := assigned(id); got != c.want[i] {
				t.Errorf("%s: member %d has %s, want %s", c.strategy, i, got, c.want[i])
			}
		}
	}
}

// TestGroupsStickyStays: partitions of a member that leaves are dealt out, the
// others stay where they are.
func TestGroupsStickyStays(t *testing.T) {
	w := newWorld()
	join, assigned := grouped(t, w, `"partition_count":4,"strategy":"sticky"`)
	a, b := join(``), join(``)
	if assigned(a) != "[0,1,2]" || assigned(b) != "[3]" {
		t.Fatalf("%s %s", assigned(a), assigned(b))
	}
	w.must(t, engine.Raw, "groups.leave", `{"group":"g","member_id":"`+a+`"}`)
	if got := assigned(b); got != "[3,0,1,2]" {
		t.Errorf("after the leave: %s", got)
	}
}

// TestGroupsSilentMember: it goes at the next rebalance, which a sweep every 10 s
// brings about only if there is one.
func TestGroupsSilentMember(t *testing.T) {
	w := newWorld()
	w.now = start / (10 * second) * 10 * second
	join, assigned := grouped(t, w, `"partition_count":2`)
	quiet, lively := join(`,"session_timeout_secs":12`), join(`,"session_timeout_secs":3600`)
	stats := func() string {
		v, _ := w.run(engine.Raw, "groups.stats", `{"group":"g"}`)
		return text(v.Field("state")) + " " + text(v.Field("member_count")) + " generation " + text(v.Field("generation")) + " " + text(v.Field("last_rebalance_secs"))
	}
	w.now += 11 * second
	w.must(t, engine.Raw, "groups.heartbeat", `{"group":"g","member_id":"`+quiet+`"}`)
	w.now += 14 * second
	if got := stats(); got != `"Stable" 2 generation 2 25` {
		t.Errorf("silent for 14 s, before the sweep: %s", got)
	}
	if got := assigned(quiet); got != "[0]" {
		t.Errorf("silent, before the sweep: %s", got)
	}
	w.now += 8 * second
	if got := stats(); got != `"Stable" 1 generation 3 3` {
		t.Errorf("after the sweep: %s", got)
	}
	if got := assigned(quiet); got != "Invalid request: Member "+quiet+" not found" {
		t.Errorf("after the sweep: %s", got)
	}
	if got := assigned(lively); got != "[0,1]" {
		t.Errorf("after the sweep: %s", got)
	}
	w.now += 3600 * second
	if got := stats(); got != `"Empty" 0 generation 4 3603` {
		t.Errorf("all silent: %s", got)
	}
}

// TestGroupsNoTimeout: a timeout of 0 is over at once, an endless one never.
func TestGroupsNoTimeout(t *testing.T) {
	w := newWorld()
	join, assigned := grouped(t, w, `"partition_count":1`)
	if id := join(`,"session_timeout_secs":0`); assigned(id) != "Invalid request: Member "+id+" not found" {
		t.Errorf("a timeout of 0: %s", assigned(id))
	}
	id := join(`,"session_timeout_secs":18446744073709551615`)
	w.now += 100 * 365 * 86400 * second
	if got := assigned(id); got != "[0]" {
		t.Errorf("an endless timeout: %s", got)
	}
}

func TestGroupsRefused(t *testing.T) {
	const partitions = `Invalid value: partition_count must be an integer from 0 to 65536`
	newWorld().steps(t, engine.Raw, []step{
		{"groups.create", `{"group":"g","topic":"t","partition_count":18446744073709551615}`, partitions},
		{"groups.create", `{"group":"g","topic":"t","partition_count":-1}`, partitions},
		{"groups.create", `{"group":"g","topic":"t"}`, `Invalid request: Missing 'partition_count' field`},
		{"groups.create", `{"group":"g","partition_count":1}`, `Invalid request: Missing 'topic' field`},
		{"groups.create", `{"group":"g","topic":"t","partition_count":1,"strategy":5}`, `Invalid request: Invalid assignment strategy`},
		{"groups.create", `{"group":"g","topic":"t","partition_count":0}`, `{"group_id":"g","success":true,"topic":"t"}`},
		{"groups.commit", `{"group":"g","offset":1}`, `Invalid request: Missing 'partition_id' field`},
		{"groups.commit", `{"group":"g","partition_id":1}`, `Invalid request: Missing 'offset' field`},
		{"groups.commit", `{"group":"g","partition_id":1,"offset":18446744073709551615}`, `{"offset":18446744073709551615,"partition_id":1,"success":true}`},
		{"groups.offset", `{"group":"g","partition_id":1}`, `{"group_id":"g","offset":18446744073709551615,"partition_id":1}`},
		{"groups.leave", `{"group":"g"}`, `Invalid request: Missing 'member_id' field`},
	})
}
