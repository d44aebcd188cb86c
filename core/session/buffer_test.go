package session

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// item is a pushed record: a number, and what was lost before it.
func item(n int64) value.Value { return value.Array(value.Int(n), value.Int(0)) }

func taken(items []value.Value) string {
	var out []string
	for _, v := range items {
		n, _ := v.Index(0).AsInt()
		out = append(out, fmt.Sprintf("%d/%d", n, lostOf(v)))
	}
	return strings.Join(out, " ")
}

func TestBufferKeepsOrder(t *testing.T) {
	b := NewBuffer(3)
	if b.Len() != 0 || b.Full() || len(b.Take(5)) != 0 {
		t.Fatal("a new buffer holds something")
	}
	for n := range int64(3) {
		b.Push(item(n))
	}
	if !b.Full() || b.Len() != 3 {
		t.Error("three items do not fill it")
	}
	if got := taken(b.Take(2)); got != "0/0 1/0" {
		t.Error(got)
	}
	b.Push(item(3))
	if got := taken(b.Take(10)); got != "2/0 3/0" || b.Len() != 0 {
		t.Error(got)
	}
}

func TestBufferDropsTheOldestAndCounts(t *testing.T) {
	b := NewBuffer(3)
	for n := range int64(8) {
		b.Push(item(n))
	}
	if got := taken(b.Take(10)); got != "5/5 6/0 7/0" {
		t.Error(got)
	}
	b = NewBuffer(1)
	for n := range int64(4) {
		b.Push(item(n))
	}
	if got := taken(b.Take(1)); got != "3/3" {
		t.Error(got)
	}
	b.Push(item(4))
	if got := taken(b.Take(1)); got != "4/0" {
		t.Error(got)
	}
}

func TestBufferMarksLossesOfUnknownSize(t *testing.T) {
	b := NewBuffer(2)
	b.Push(item(0))
	b.Gap(Unknown)
	b.Push(item(1))
	b.Push(item(2)) // drops 0
	if got := taken(b.Take(9)); got != "1/-1 2/0" {
		t.Error(got)
	}
	// What follows a dropped unknown is unknown.
	b.Gap(Unknown)
	for n := range int64(4) {
		b.Push(item(n))
	}
	if got := taken(b.Take(9)); got != "2/-1 3/0" {
		t.Error(got)
	}
	b.Gap(2)
	b.Gap(3)
	b.Push(item(9))
	if got := taken(b.Take(9)); got != "9/5" {
		t.Error(got)
	}
	b.Gap(2)
	b.Gap(Unknown)
	b.Gap(3)
	b.Push(item(9))
	b.Push(WithLost(item(10), 4))
	if got := taken(b.Take(9)); got != "9/-1 10/4" {
		t.Error(got)
	}
}

// Whatever happens, items read plus items said to be lost are all there were.
func TestBufferLosesNothingUncounted(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := NewBuffer(1 + r.IntN(5))
		pushed, next := int64(0), int64(0)
		read := func(max int) {
			for _, v := range b.Take(max) {
				n, _ := v.Index(0).AsInt()
				if next += lostOf(v); n != next {
					t.Fatalf("seed %d: item %d comes where %d is due", seed, n, next)
				}
				next++
			}
		}
		for range 200 {
			switch r.IntN(4) {
			case 0:
				read(1 + r.IntN(4))
			case 1: // lost before it came here
				lost := int64(1 + r.IntN(3))
				b.Gap(lost)
				pushed += lost
			default:
				b.Push(item(pushed))
				pushed++
			}
		}
		b.Push(item(pushed))
		read(100)
		if next != pushed+1 {
			t.Fatalf("seed %d: %d of %d items are accounted for", seed, next, pushed+1)
		}
	}
}

func TestPushedObjectsBecomeRecords(t *testing.T) {
	message, err := PushItem(lookup(t, "pubsub.subscribe"), js(t, `{"type":"message","message_id":"m","topic":"t","payload":{"a":1},"metadata":null,"timestamp":9}`))
	if want := value.Array(str("t"), js(t, `{"a":1}`), str("m"), value.Int(9), value.Map(), value.Int(0)); err != nil || !value.Equal(message, want) {
		t.Errorf("%v", err)
	}
	event, err := PushItem(lookup(t, "kv.watch"), js(t, `{"type":"message","message_id":"m","topic":"__watch@0__:k","payload":{"key":"k","event":"set","version":3,"value":"5"},"metadata":null,"timestamp":9}`))
	if want := value.Array(str("k"), str("set"), str("5"), value.Int(3), value.Bool(false), value.Int(0)); err != nil || !value.Equal(event, want) {
		t.Errorf("%v", err)
	}
	event, err = PushItem(lookup(t, "kv.watch"), js(t, `{"payload":{"key":"k","event":"set","version":3,"truncated":true}}`))
	if want := value.Array(str("k"), str("set"), value.Nil, value.Int(3), value.Bool(true), value.Int(0)); err != nil || !value.Equal(event, want) {
		t.Errorf("%v", err)
	}
	// Anyone may publish to a watch topic (protocol: websocket, quirks).
	for _, forged := range []string{`{"payload":"hello"}`, `{"payload":{"key":"k"}}`, `{"payload":{"key":5,"event":"set","version":1}}`, `{"payload":{"key":"k","event":"set","version":"1"}}`, `{}`} {
		if v, err := PushItem(lookup(t, "kv.watch"), js(t, forged)); err == nil {
			t.Errorf("%s is taken for an event: %s", forged, v.Kind())
		}
	}
}
