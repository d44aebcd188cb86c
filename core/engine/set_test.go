package engine_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestSetVectors(t *testing.T) { replay(t, "http-set", nil) }

func TestSetEdges(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"set.add", `{"key":"s","members":[1,1.0,"1",null,1]}`, `{"added":4}`},
		{"set.members", `{"key":"s"}`, `{"members":[1,1.0,"1",null]}`},
		{"set.ismember", `{"key":"s","member":null}`, `{"is_member":true}`},
		{"set.rem", `{"key":"s","members":[1,1]}`, `{"removed":1}`},
		{"set.rem", `{"key":"s","members":[]}`, `{"removed":0}`},
		{"set.members", `{"key":"s"}`, `{"members":[1.0,"1",null]}`},
		{"set.pop", `{"key":"s","count":-1}`, `{"members":[1.0]}`},
		{"set.pop", `{"key":"s","count":18446744073709551615}`, `{"members":["1",null]}`},
		{"set.card", `{"key":"s"}`, `Not found`},
		// An empty set is there until something is taken out of it.
		{"set.add", `{"key":"e","members":[]}`, `{"added":0}`},
		{"set.size", `{"key":"e"}`, `{"size":0}`},
		{"key.exists", `{"key":"e"}`, `{"exists":false,"key":"e"}`},
		{"set.randmember", `{"key":"e"}`, `{"members":[]}`},
		{"set.inter", `{"keys":["e",5]}`, `{"members":[]}`},
		// A set can be moved within itself: the member becomes the newest.
		{"set.add", `{"key":"m","members":["a","b"]}`, `{"added":2}`},
		{"set.move", `{"source":"m","destination":"m","member":"a"}`, `{"moved":true}`},
		{"set.members", `{"key":"m"}`, `{"members":["b","a"]}`},
		{"set.move", `{"source":"m","destination":"n","member":"x"}`, `{"moved":false}`},
		{"set.card", `{"key":"n"}`, `Not found`},
		{"set.union", `{"keys":["none","m",5,"m"]}`, `{"members":["b","a"]}`},
		{"set.diff", `{"keys":["m","none"]}`, `{"members":["b","a"]}`},
		{"set.diff", `{"keys":["m","m"]}`, `{"members":[]}`},
	})
}

// TestSetStats: only calls that found the set count, and moves that moved.
func TestSetStats(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "set.add", `{"key":"a","members":["x","y"]}`)
	w.must(t, engine.Envelope, "set.rem", `{"key":"a","members":["none"]}`)
	w.run(engine.Envelope, "set.rem", `{"key":"none","members":["x"]}`)
	w.run(engine.Envelope, "set.card", `{"key":"none"}`)
	w.must(t, engine.Envelope, "set.ismember", `{"key":"a","member":"x"}`)
	w.must(t, engine.Envelope, "set.move", `{"source":"a","destination":"b","member":"x"}`)
	w.must(t, engine.Envelope, "set.move", `{"source":"a","destination":"b","member":"x"}`)
	w.must(t, engine.Envelope, "set.interstore", `{"keys":["a","b"]}`)
	const want = `{"operations":{"sadd_count":1,"scard_count":0,"sdiff_count":0,"sinter_count":1,"sismember_count":1,` +
		`"smembers_count":0,"smove_count":1,"spop_count":0,"srandmember_count":0,"srem_count":1,"sunion_count":0},` +
		`"total_members":2,"total_sets":2}`
	if got := w.must(t, engine.Envelope, "set.stats", `{}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSetRaw: text and bytes come back as they were, and are other members than
// the JSON texts of the envelope.
func TestSetRaw(t *testing.T) {
	w := newWorld()
	members := value.Array(value.Str("text"), value.BytesOf("\xff\x00"), value.BytesOf("text"))
	payload := value.Map(value.Str("key"), value.Str("s"), value.Str("members"), members)
	if reply, errText := w.Exec(w.now, engine.Raw, "set.add", "", payload); errText != "" || text(reply) != `{"added":2}` {
		t.Fatalf("got %v %s", reply, errText)
	}
	reply, _ := w.run(engine.Raw, "set.members", `{"key":"s"}`)
	if want := value.Array(value.Str("text"), value.BytesOf("\xff\x00")); !value.Equal(reply.Field("members"), want) {
		t.Errorf("got %v, want %v", reply, want)
	}
	w.steps(t, engine.Envelope, []step{
		{"set.ismember", `{"key":"s","member":"text"}`, `{"is_member":false}`},
		{"set.add", `{"key":"s","members":["text"]}`, `{"added":1}`},
		{"set.members", `{"key":"s"}`, `{"members":["text","` + "\uFFFD" + `\u0000","text"]}`},
	})
}

// member lists n members as JSON.
func someMembers(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return strings.Join(names, ",")
}

// TestSetOrder: 128 members of 64 bytes keep their order, one more member or one
// more byte gives it up; what is in the set stays right all the same.
func TestSetOrder(t *testing.T) {
	long := `"` + strings.Repeat("x", 62) + `"` // 64 bytes as JSON text
	w := newWorld()
	all := someMembers(127) + "," + long
	w.must(t, engine.Envelope, "set.add", `{"key":"s","members":[`+all+`]}`)
	if got := w.must(t, engine.Envelope, "set.members", `{"key":"s"}`); got != `{"members":[`+all+`]}` {
		t.Errorf("the members of a small set came out of order: %s", got)
	}
	if got := w.must(t, engine.Envelope, "set.pop", `{"key":"s","count":3}`); got != `{"members":[0,1,2]}` {
		t.Errorf("a small set gave %s, not its oldest members", got)
	}

	model := map[string]bool{}
	for i := 3; i < 127; i++ {
		model[strconv.Itoa(i)] = true
	}
	model[long] = true
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		name := strconv.Itoa(random.IntN(400))
		if random.IntN(2) == 0 {
			got := w.must(t, engine.Envelope, "set.add", `{"key":"s","members":[`+name+`]}`)
			if want := `{"added":` + map[bool]string{true: "0", false: "1"}[model[name]] + `}`; got != want {
				t.Fatalf("adding %s: got %s, want %s", name, got, want)
			}
			model[name] = true
		} else {
			got := w.must(t, engine.Envelope, "set.rem", `{"key":"s","members":[`+name+`]}`)
			if want := `{"removed":` + map[bool]string{true: "1", false: "0"}[model[name]] + `}`; got != want {
				t.Fatalf("removing %s: got %s, want %s", name, got, want)
			}
			delete(model, name)
		}
	}
	reply, _ := w.run(engine.Envelope, "set.pop", `{"key":"s","count":1000}`)
	if n := reply.Field("members").Len(); n != len(model) {
		t.Errorf("got %d members, want %d", n, len(model))
	}
	for _, m := range reply.Field("members").Items() {
		if !model[text(m)] {
			t.Errorf("%s is in the set", text(m))
		}
	}
}

// TestSetRandmember: different members each time, each of them in time.
func TestSetRandmember(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "set.add", `{"key":"s","members":[`+someMembers(10)+`]}`)
	seen := map[string]bool{}
	for range 100 {
		reply, _ := w.run(engine.Envelope, "set.randmember", `{"key":"s","count":4}`)
		var drawn []string
		for _, m := range reply.Field("members").Items() {
			drawn = append(drawn, text(m))
			seen[text(m)] = true
		}
		slices.Sort(drawn)
		if len(slices.Compact(drawn)) != 4 {
			t.Fatalf("got %s", text(reply))
		}
	}
	if len(seen) != 10 {
		t.Errorf("only %d of 10 members came up", len(seen))
	}
}
