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

func TestListVectors(t *testing.T) { replay(t, "http-list", nil) }

func TestListEdges(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"list.rpush", `{"key":"l","values":[1,1.0,"1",[1]]}`, `{"key":"l","length":4}`},
		{"list.lpos", `{"key":"l","value":"1"}`, `{"key":"l","position":2}`},
		{"list.lrem", `{"key":"l","count":5,"value":1.0}`, `{"key":"l","removed":1}`},
		{"list.lrange", `{"key":"l"}`, `{"key":"l","values":[1,"1",[1]]}`},
		{"list.lrem", `{"key":"l","count":-9223372036854775808,"value":1}`, `{"key":"l","removed":1}`},
		{"list.lrem", `{"key":"l","count":0,"value":"1"}`, `{"key":"l","removed":1}`},
		{"list.lrem", `{"key":"l","count":0,"value":[1]}`, `{"key":"l","removed":0}`},
		{"list.llen", `{"key":"l"}`, `{"key":"l","length":0}`},
		{"list.lrem", `{"key":"l","count":0,"value":[1]}`, `Not found`},
		// An empty list is there for pushx and is removed by the pop that fails.
		{"list.lpush", `{"key":"e","values":[]}`, `{"key":"e","length":0}`},
		{"list.rpoplpush", `{"source":"e","destination":"f"}`, `Not found`},
		{"list.lindex", `{"key":"e","index":0}`, `Index out of range`},
		{"list.rpushx", `{"key":"e","values":[]}`, `{"key":"e","length":0}`},
		{"list.rpop", `{"key":"e"}`, `Not found`},
		{"list.rpushx", `{"key":"e","values":[1]}`, `{"key":"e","length":0}`},
		{"list.lrange", `{"key":"e"}`, `Not found`},
		{"list.rpush", `{"key":"r","values":["x"]}`, `{"key":"r","length":1}`},
		{"list.rpoplpush", `{"source":"r","destination":"r"}`, `{"destination":"r","source":"r","value":"x"}`},
		{"list.lpop", `{"key":"r","count":18446744073709551615}`, `{"key":"r","values":["x"]}`},
		{"list.rpush", `{"key":"i","values":["a","b","a"]}`, `{"key":"i","length":3}`},
		{"list.linsert", `{"key":"i","pivot":"a","value":"z","before":"no"}`, `{"key":"i","length":4}`},
		{"list.linsert", `{"key":"i","pivot":"a","value":"y","before":false}`, `{"key":"i","length":5}`},
		{"list.lrange", `{"key":"i"}`, `{"key":"i","values":["z","a","y","b","a"]}`},
		{"list.lset", `{"key":"i","index":5,"value":1}`, `Index out of range`},
		{"list.lset", `{"key":"i","index":-6,"value":null}`, `{"index":-6,"key":"i","success":true}`},
		{"list.ltrim", `{"key":"i","start":-3,"stop":9}`, `{"key":"i","success":true}`},
		{"list.lrange", `{"key":"i","stop":1}`, `{"key":"i","values":["y","b"]}`},
		{"list.lrange", `{"key":"i","start":1.0,"stop":1.5}`, `{"key":"i","values":["y","b","a"]}`},
		{"list.lrange", `{"key":"i","start":-9223372036854775808,"stop":-9223372036854775808}`, `{"key":"i","values":[]}`},
	})
}

// TestListStats: only calls that found the list count; what key.* and rpoplpush
// do inside counts as the server counts it.
func TestListStats(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "list.rpush", `{"key":"a","values":[1,2,3]}`)
	w.must(t, engine.Envelope, "list.lpushx", `{"key":"a","values":[0]}`)
	w.must(t, engine.Envelope, "list.lpushx", `{"key":"none","values":[0]}`)
	w.must(t, engine.Envelope, "list.llen", `{"key":"none"}`)
	w.must(t, engine.Envelope, "list.len", `{"key":"a"}`)
	w.must(t, engine.Envelope, "list.lpos", `{"key":"a","value":1}`)
	w.must(t, engine.Envelope, "list.rpoplpush", `{"source":"a","destination":"b"}`)
	w.run(engine.Envelope, "list.lindex", `{"key":"a","index":99}`)
	w.run(engine.Envelope, "list.lpop", `{"key":"a","count":0}`)
	w.run(engine.Envelope, "list.linsert", `{"key":"none","pivot":1,"value":1}`)
	const want = `{"operations":{"blpop_count":0,"brpop_count":0,"lindex_count":1,"linsert_count":0,"llen_count":1,"lpop_count":1,` +
		`"lpush_count":1,"lrange_count":0,"lrem_count":0,"lset_count":0,"ltrim_count":0,"rpop_count":0,"rpoplpush_count":1,"rpush_count":1},` +
		`"total_elements":4,"total_lists":2}`
	if got := w.must(t, engine.Envelope, "list.stats", `{}`); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestListRaw(t *testing.T) {
	w := newWorld()
	push := value.Map(value.Str("key"), value.Str("l"), value.Str("values"),
		value.Array(value.Str("text"), value.BytesOf("\xff"), value.Int(5)))
	if _, errText := w.Exec(w.now, engine.Raw, "list.rpush", "r", push); errText != "" {
		t.Fatal(errText)
	}
	got, _ := w.run(engine.Raw, "list.lrange", `{"key":"l"}`)
	want := value.Array(value.Str("text"), value.BytesOf("\xff"), value.Str("5"))
	if !value.Equal(got.Field("values"), want) {
		t.Errorf("got %v, want %v", got.Field("values"), want)
	}
	w.steps(t, engine.Raw, []step{
		{"list.lpos", `{"key":"l","value":"5"}`, `{"key":"l","position":2}`},
		{"list.lindex", `{"key":"l","index":0}`, `{"index":0,"key":"l","value":"text"}`},
		{"list.rpoplpush", `{"source":"l","destination":"m"}`, `{"destination":"m","source":"l","value":"5"}`},
	})
	w.steps(t, engine.Envelope, []step{{"list.lrange", `{"key":"l"}`, `{"key":"l","values":["text","` + "\uFFFD" + `"]}`}})
}

// TestListAgainstSlice drives a list with random commands beside a plain slice.
func TestListAgainstSlice(t *testing.T) {
	w := newWorld()
	rng := rand.New(rand.NewPCG(1, 2))
	var model []string
	for i := range 3000 {
		v := strconv.Itoa(rng.IntN(6))
		n := rng.IntN(4)
		switch rng.IntN(6) {
		case 0:
			w.must(t, engine.Envelope, "list.lpush", `{"key":"l","values":[`+v+`,9]}`)
			model = append([]string{"9", v}, model...)
		case 1, 2:
			w.must(t, engine.Envelope, "list.rpush", `{"key":"l","values":[`+v+`]}`)
			model = append(model, v)
		case 3:
			w.run(engine.Envelope, "list.lpop", `{"key":"l","count":`+strconv.Itoa(n)+`}`)
			model = model[min(n, len(model)):]
		case 4:
			w.run(engine.Envelope, "list.rpop", `{"key":"l","count":`+strconv.Itoa(n)+`}`)
			model = model[:len(model)-min(n, len(model))]
		case 5:
			w.run(engine.Envelope, "list.lrem", `{"key":"l","count":-1,"value":`+v+`}`)
			for at := len(model) - 1; at >= 0; at-- {
				if model[at] == v {
					model = slices.Delete(slices.Clone(model), at, at+1)
					break
				}
			}
		}
		want := `{"key":"l","values":[` + strings.Join(model, ",") + `]}`
		got, errText := w.run(engine.Envelope, "list.lrange", `{"key":"l"}`)
		if errText == "" && text(got) != want || errText != "" && len(model) > 0 {
			t.Fatalf("after %d commands: got %s %s, want %s", i+1, text(got), errText, want)
		}
	}
}
