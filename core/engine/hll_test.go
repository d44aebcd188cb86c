package engine_test

import (
	"strconv"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestHyperLogLogVectors(t *testing.T) { replay(t, "http-hyperloglog", nil) }

func TestHyperLogLogEdges(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		// The same bytes are the same element, however they are written.
		{"hyperloglog.pfadd", `{"key":"h","elements":["{\"a\":1,\"b\":[]}",{"b":[],"a":1},"1.0",1.0,"true",true,"",[]]}`, `{"added":4,"key":"h"}`},
		// All elements are read before any is added.
		{"hyperloglog.pfadd", `{"key":"h","elements":["new",[1,2.5]]}`, `Invalid value: HyperLogLog element arrays must contain integers`},
		{"hyperloglog.pfadd", `{"key":"h","elements":["new",[255,256,"x"]]}`, `Invalid value: HyperLogLog element byte out of range (0-255)`},
		{"hyperloglog.pfcount", `{"key":"h"}`, `{"count":4,"key":"h"}`},
		{"hyperloglog.pfmerge", `{"destination":"d","sources":["d"]}`, `{"count":0,"destination":"d"}`},
		{"hyperloglog.pfmerge", `{"destination":"d","sources":["h",5]}`, `Invalid value: Source keys must be strings`},
		{"key.exists", `{"key":"h"}`, `{"exists":false,"key":"h"}`},
	})
}

// TestHyperLogLogCounts: counts are the server's to the unit, also where they
// explode (protocol: http-data 9).
func TestHyperLogLogCounts(t *testing.T) {
	w := newWorld()
	added := 0
	for _, c := range []struct {
		elements int
		count    string
	}{{1000, "1007"}, {40_000, "135847"}, {100_000, "5216366"}, {200_000, "6312716184"}} {
		var elements []value.Value
		for ; added < c.elements; added++ {
			elements = append(elements, value.Str("e"+strconv.Itoa(added)))
		}
		payload := value.Map(value.Str("key"), value.Str("h"), value.Str("elements"), value.Array(elements...))
		if _, errText := w.Exec(w.now, engine.Raw, "hyperloglog.pfadd", "r", payload); errText != "" {
			t.Fatal(errText)
		}
		if got, want := w.must(t, engine.Envelope, "hyperloglog.pfcount", `{"key":"h"}`), `{"count":`+c.count+`,"key":"h"}`; got != want {
			t.Errorf("%d elements: got %s, want %s", c.elements, got, want)
		}
	}
}

// TestHyperLogLogExpiry: a TTL runs from the last pfadd that gave it; one count
// says that it has passed.
func TestHyperLogLogExpiry(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "hyperloglog.pfadd", `{"key":"h","elements":["a"],"ttl_secs":10}`)
	w.now += 9 * second
	w.must(t, engine.Envelope, "hyperloglog.pfadd", `{"key":"h","elements":["b"]}`)
	w.steps(t, engine.Envelope, []step{{"hyperloglog.pfcount", `{"key":"h"}`, `{"count":2,"key":"h"}`}})
	w.now += second
	w.steps(t, engine.Envelope, []step{
		{"hyperloglog.pfmerge", `{"destination":"d","sources":["h"]}`, `{"count":0,"destination":"d"}`},
		{"hyperloglog.pfcount", `{"key":"h"}`, `Key expired`},
		{"hyperloglog.pfcount", `{"key":"h"}`, `Not found`},
		{"hyperloglog.pfadd", `{"key":"h","elements":["c"],"ttl_secs":18446744073709551615}`, `{"added":1,"key":"h"}`},
		{"hyperloglog.pfcount", `{"key":"h"}`, `{"count":1,"key":"h"}`},
	})
}

// TestHyperLogLogRoute: the REST route makes nothing of no elements and has its
// own text for no sources. Bytes are elements like texts.
func TestHyperLogLogRoute(t *testing.T) {
	w := newWorld()
	w.steps(t, engine.Routed, []step{
		{"hyperloglog.pfadd", `{"key":"h","elements":[]}`, `{"added":0,"key":"h"}`},
		{"hyperloglog.pfcount", `{"key":"h"}`, `Not found`},
		{"hyperloglog.pfmerge", `{"destination":"d","sources":[]}`, `Invalid request: HyperLogLog merge requires at least one source key`},
	})
	payload := value.Map(value.Str("key"), value.Str("h"), value.Str("elements"), value.Array(value.BytesOf("\xff"), value.BytesOf("a"), value.Str("a")))
	if reply, errText := w.Exec(w.now, engine.Raw, "hyperloglog.pfadd", "r", payload); errText != "" || text(reply.Field("added")) != "2" {
		t.Errorf("bytes: %v %s", reply, errText)
	}
}
