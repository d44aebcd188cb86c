package engine_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestSortedsetVectors(t *testing.T) { replay(t, "http-sortedset", nil) }

func TestSortedsetRanks(t *testing.T) {
	all := `{"key":"z","members":[{"member":"a","score":1.0},{"member":"b","score":2.0},{"member":"c","score":2.0}]}`
	none := `{"key":"z","members":[]}`
	newWorld().steps(t, engine.Envelope, []step{
		{"sortedset.zadd", `{"key":"z","member":"c","score":2}`, `{"added":1,"changed":0,"key":"z"}`},
		{"sortedset.zadd", `{"key":"z","member":"b","score":2}`, `{"added":1,"changed":0,"key":"z"}`},
		{"sortedset.zadd", `{"key":"z","member":"a","score":1}`, `{"added":1,"changed":0,"key":"z"}`},
		// One before the first is empty, more than one wraps around to the last.
		{"sortedset.zrange", `{"key":"z","stop":-3}`, `{"key":"z","members":[{"member":"a","score":1.0}]}`},
		{"sortedset.zrange", `{"key":"z","stop":-4}`, none},
		{"sortedset.zrange", `{"key":"z","stop":-5}`, all},
		{"sortedset.zrange", `{"key":"z","start":-9223372036854775808,"stop":9223372036854775807}`, all},
		{"sortedset.zrange", `{"key":"z","stop":-9223372036854775808}`, all},
		{"sortedset.zrevrange", `{"key":"z","start":1,"stop":-5}`, `{"key":"z","members":[{"member":"b","score":2.0},{"member":"a","score":1.0}]}`},
		{"sortedset.zrange", `{"key":"z","start":3}`, none},
		{"sortedset.zpopmax", `{"key":"z","count":18446744073709551615}`,
			`{"count":3,"key":"z","members":[{"member":"c","score":2.0},{"member":"b","score":2.0},{"member":"a","score":1.0}]}`},
		{"sortedset.zrange", `{"key":"z","stop":-5}`, none},
		{"sortedset.zremrangebyrank", `{"key":"z","start":0,"stop":-9}`, `{"key":"z","removed":0}`},
		{"sortedset.zrank", `{"key":"z","member":"a"}`, `{"key":"z","member":"a","rank":null}`},
	})
}

func TestSortedsetScores(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"sortedset.zadd", `{"key":"z","member":"neg","score":-0.0}`, `{"added":1,"changed":0,"key":"z"}`},
		{"sortedset.zadd", `{"key":"z","member":"pos","score":0}`, `{"added":1,"changed":0,"key":"z"}`},
		{"sortedset.zcount", `{"key":"z","min":0,"max":0}`, `{"count":2,"key":"z"}`},
		{"sortedset.zcount", `{"key":"z","min":-0.0,"max":-0.0}`, `{"count":2,"key":"z"}`},
		{"sortedset.zadd", `{"key":"z","member":"pos","score":-0.0,"ch":true}`, `{"added":0,"changed":0,"key":"z"}`},
		// The server's process would end on these.
		{"sortedset.zcount", `{"key":"z","min":1,"max":0}`, `Invalid request: min must not be above max`},
		{"sortedset.zrangebyscore", `{"key":"z","min":1,"max":0}`, `Invalid request: min must not be above max`},
		{"sortedset.zremrangebyscore", `{"key":"z","min":1,"max":0}`, `Invalid request: min must not be above max`},
		{"sortedset.zcount", `{"key":"none","min":1,"max":0}`, `{"count":0,"key":"none"}`},
		{"sortedset.zunionstore", `{"destination":"d","keys":["none","z"],"weights":[1,"2"]}`, `Invalid request: weights must hold a number for each key`},
		{"sortedset.zinterstore", `{"destination":"d","keys":["z","none"],"weights":[]}`, `{"count":0,"destination":"d"}`},
		{"sortedset.zunionstore", `{"destination":"d","keys":["z","none"],"weights":[1]}`, `{"count":2,"destination":"d"}`},
		// Infinities have no JSON.
		{"sortedset.zincrby", `{"key":"i","member":"m","increment":1e308}`, `{"key":"i","score":1e+308}`},
		{"sortedset.zincrby", `{"key":"i","member":"m","increment":1e308}`, `{"key":"i","score":null}`},
		{"sortedset.zscore", `{"key":"i","member":"m"}`, `{"key":"i","member":"m","score":null}`},
		{"sortedset.zcount", `{"key":"i"}`, `{"count":1,"key":"i"}`},
		// gt and lt look at the number that was given.
		{"sortedset.zadd", `{"key":"g","member":"m","score":5}`, `{"added":1,"changed":0,"key":"g"}`},
		{"sortedset.zadd", `{"key":"g","member":"m","score":4,"gt":true,"incr":true}`, `{"added":0,"changed":0,"key":"g"}`},
		{"sortedset.zadd", `{"key":"g","member":"m","score":4,"lt":true,"incr":true,"ch":true}`, `{"added":0,"changed":1,"key":"g"}`},
		{"sortedset.zscore", `{"key":"g","member":"m"}`, `{"key":"g","member":"m","score":9.0}`},
		{"sortedset.zadd", `{"key":"g","member":"new","score":4,"lt":true,"gt":true}`, `{"added":1,"changed":0,"key":"g"}`},
	})
}

// TestSortedsetStores: what they replace, what they leave, and a destination
// among the sources.
func TestSortedsetStores(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"sortedset.zadd", `{"key":"x","member":"a","score":2}`, `{"added":1,"changed":0,"key":"x"}`},
		{"sortedset.zadd", `{"key":"x","member":"b","score":3}`, `{"added":1,"changed":0,"key":"x"}`},
		{"sortedset.zadd", `{"key":"y","member":"b","score":5}`, `{"added":1,"changed":0,"key":"y"}`},
		{"sortedset.zunionstore", `{"destination":"x","keys":["x","y"],"weights":[10,1],"aggregate":"Min"}`, `{"count":2,"destination":"x"}`},
		{"sortedset.zrange", `{"key":"x"}`, `{"key":"x","members":[{"member":"b","score":5.0},{"member":"a","score":20.0}]}`},
		{"sortedset.zinterstore", `{"destination":"d","keys":["x","y",7],"aggregate":"avg"}`, `{"count":1,"destination":"d"}`},
		{"sortedset.zmscore", `{"key":"d","members":["a","b"]}`, `{"key":"d","scores":[null,10.0]}`},
		{"sortedset.zdiffstore", `{"destination":"d","keys":["x","y","none"]}`, `{"count":1,"destination":"d"}`},
		{"sortedset.zdiffstore", `{"destination":"d","keys":["none","x"]}`, `{"count":0,"destination":"d"}`},
		{"sortedset.zrange", `{"key":"d"}`, `{"key":"d","members":[{"member":"a","score":20.0}]}`},
		// An emptied set is a source all the same.
		{"sortedset.zrem", `{"key":"y","members":["b"]}`, `{"key":"y","removed":1}`},
		{"sortedset.zinterstore", `{"destination":"d","keys":["x","y"]}`, `{"count":0,"destination":"d"}`},
		{"sortedset.zcard", `{"key":"d"}`, `{"count":0,"key":"d"}`},
		{"sortedset.stats", `{}`, `{"avg_members_per_key":0.6666666666666666,"memory_bytes":480,"total_keys":3,"total_members":2}`},
	})
}

// TestSortedsetRaw: members are bytes, in the order of their bytes.
func TestSortedsetRaw(t *testing.T) {
	w := newWorld()
	for _, m := range []value.Value{value.Str("\uFFFD"), value.BytesOf("\xff"), value.Str("a")} {
		payload := value.Map(value.Str("key"), value.Str("z"), value.Str("member"), m, value.Str("score"), value.Int(1))
		if _, errText := w.Exec(w.now, engine.Raw, "sortedset.zadd", "", payload); errText != "" {
			t.Fatal(errText)
		}
	}
	reply, _ := w.run(engine.Raw, "sortedset.zrange", `{"key":"z"}`)
	for i, want := range []value.Value{value.Str("a"), value.Str("\uFFFD"), value.BytesOf("\xff")} {
		if got := reply.Field("members").Index(i).Field("member"); !value.Equal(got, want) {
			t.Errorf("rank %d: got %v, want %v", i, got, want)
		}
	}
	w.steps(t, engine.Envelope, []step{
		{"sortedset.zrange", `{"key":"z","start":-1}`, `{"key":"z","members":[{"member":"` + "\uFFFD" + `","score":1.0}]}`},
		{"sortedset.zscore", `{"key":"z","member":"a"}`, `{"key":"z","member":"a","score":1.0}`},
	})
}

// TestSortedsetModel compares a large sorted set with a sorted list, through
// additions, new scores and removals of all kinds.
func TestSortedsetModel(t *testing.T) {
	w := newWorld()
	model := map[string]float64{}
	random := rand.New(rand.NewPCG(3, 4))
	sorted := func() []string {
		names := make([]string, 0, len(model))
		for name := range model {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(model[a], model[b]), cmp.Compare(a, b)) })
		return names
	}
	for i := range 12_000 {
		name := "m" + strconv.Itoa(random.IntN(4000))
		quoted := text(value.Str(name))
		switch n := random.IntN(100); {
		case n < 80 || i < 3000:
			score := random.IntN(1000)
			w.must(t, engine.Envelope, "sortedset.zadd", `{"key":"z","member":`+quoted+`,"score":`+strconv.Itoa(score)+`}`)
			model[name] = float64(score)
		case n < 99:
			w.must(t, engine.Envelope, "sortedset.zrem", `{"key":"z","members":[`+quoted+`]}`)
			delete(model, name)
		default:
			low := random.IntN(1000)
			span := `{"key":"z","min":` + strconv.Itoa(low) + `,"max":` + strconv.Itoa(low+5) + `}`
			want := 0
			for name, score := range model {
				if score >= float64(low) && score <= float64(low+5) {
					delete(model, name)
					want++
				}
			}
			if got := w.must(t, engine.Envelope, "sortedset.zremrangebyscore", span); got != `{"key":"z","removed":`+strconv.Itoa(want)+`}` {
				t.Fatalf("%s: got %s, want %d", span, got, want)
			}
		}
	}
	names := sorted()
	reply, _ := w.run(engine.Envelope, "sortedset.zrange", `{"key":"z"}`)
	members := reply.Field("members")
	if members.Len() != len(names) {
		t.Fatalf("got %d members, want %d", members.Len(), len(names))
	}
	for i, name := range names {
		if got := str(members.Index(i), "member"); got != name {
			t.Fatalf("rank %d: got %s, want %s", i, got, name)
		}
	}
	for range 50 {
		i := random.IntN(len(names))
		name := text(value.Str(names[i]))
		if got := w.must(t, engine.Envelope, "sortedset.zrank", `{"key":"z","member":`+name+`}`); got != `{"key":"z","member":`+name+`,"rank":`+strconv.Itoa(i)+`}` {
			t.Fatalf("rank of %s: got %s, want %d", name, got, i)
		}
	}
}
