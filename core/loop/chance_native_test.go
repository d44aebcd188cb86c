package loop

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"

	"github.com/libsynap/libsynap/core/session"
)

// TestChanceNative does what TestChance does, over the native wires: replies come
// out of order, in pieces, or not at all.
func TestChanceNative(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playNative(t, rand.New(rand.NewPCG(seed, 2))) })
	}
}

func playNative(t *testing.T, r *rand.Rand) {
	scheme := "synap"
	if r.IntN(2) == 0 {
		scheme = "resp3"
	}
	w := openNative(t, scheme+"://h", str("timeout"), value.Float(0.2), str("max_retries"), value.Int(int64(r.IntN(4))), str("pool_size"), value.Int(2))
	tag := int32(0)
	var increments []int32
	for range 200 {
		switch n := r.IntN(20); {
		case n < 5:
			tag++
			increments = append(increments, tag)
			w.call(tag, "kv.incr", str("n"))
		case n < 6:
			tag++
			w.batch(tag, "kv.set", args(str("m"), str("x")), "kv.get", args(str("m")), "no.such", args())
		case n < 7:
			tag++
			w.call(tag, "kv.mget", strs("n", "m"))
		case n < 8 && tag > 0:
			w.c.Cancel(w.now, 1+r.Int32N(tag))
			w.settle()
		case n < 10:
			w.to(w.now + int64(r.IntN(50))*ms)
		case n < 11 && w.c.WakeAt() != 0:
			w.wake()
		case len(w.peers) > 0:
			w.peers[r.IntN(len(w.peers))].act(r)
		}
	}
	w.to(w.now + second)
	if r.IntN(2) == 0 {
		w.c.Close(w.now)
		w.settle()
	}
	for i := int32(1); i <= tag; i++ {
		if _, ok := w.done[i]; !ok {
			t.Errorf("frame %d has not ended", i)
		}
	}
	// What succeeded was applied once; what may have been applied says so.
	least, most := int64(0), int64(0)
	for _, i := range increments {
		switch done := w.done[i]; {
		case done.Err == nil:
			least++
			most++
		case done.Err.MaybeApplied:
			most++
		}
	}
	got := int64(0)
	if v, text := w.server.Exec(w.now, engine.Raw, "kv.get", "", value.Map(str("key"), str("n"))); text == "" && !v.IsNil() {
		s, _ := v.AsBlob()
		fmt.Sscan(s, &got)
	}
	if got < least || got > most {
		t.Errorf("%d increments, want %d to %d", got, least, most)
	}
	for len(w.peers) > 0 {
		w.to(w.now + int64(session.IdleLimit))
	}
	w.atRest()
}

// act lets the server's end of a socket do something.
func (p *peer) act(r *rand.Rand) {
	w := p.w
	if s := w.c.sockets[p.id]; !s.open {
		if r.IntN(5) == 0 {
			p.reset("refused")
		} else {
			w.c.SocketOpened(w.now, p.id)
			w.settle()
		}
		return
	}
	i := 0
	if p.scan == nil && len(p.asked) > 0 {
		i = r.IntN(len(p.asked))
	}
	switch n := r.IntN(10); {
	case len(p.asked) == 0 && n < 9:
	case n < 7:
		b := p.carryOut(i)
		cut := r.IntN(len(b))
		p.data(append([]byte(nil), b[:cut]...))
		p.data(b[cut:])
	case n < 8: // it was carried out, but the reply is lost with the socket
		p.carryOut(i)
		p.reset("reset")
	case n < 9:
		p.data([]byte("\x00\x00\x00\x00nonsense\r\n"))
	default:
		p.reset("reset")
	}
}
