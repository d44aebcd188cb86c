package sim

import (
	"math/rand/v2"
	"strings"
)

// fault is one kind of trouble.
type fault int

// The kinds of faults. Where one is about connections, each connection, request or
// message throws its own dice.
const (
	refused  fault = iota // no connection comes about
	silent                // the attempt to connect is never answered
	cutUp                 // a request is lost on its way, at any byte
	cutDown               // a reply is lost on its way, at any byte
	zombie                // the client loses the connection, the server's end lives on
	stalled               // bytes come much later
	garbage               // what comes is not what was sent
	never                 // no answer comes
	proxy                 // something between answers instead of the server
	restart               // the server starts anew
	frozen                // the server does nothing for a while
	recreate              // rooms are deleted and created anew
	late                  // the host is late to tell the client the time
	faults
)

var faultNames = [faults]string{"refused", "silent", "cutUp", "cutDown", "zombie", "stalled", "garbage", "never", "proxy", "restart", "frozen", "recreate", "late"}

// weather is how likely each fault is in a run.
type weather struct {
	odds    [faults]float64
	latency int64 // the longest that a byte takes on a good day
	fine    bool  // there are no faults
}

// forecast makes the weather of a seed: fine, one kind of fault, or a storm of
// several.
func forecast(seed uint64) weather {
	r := random(seed, "weather", 0)
	w := weather{latency: []int64{1, 5, 20, 40}[r.IntN(4)] * ms}
	n := 0
	switch r.IntN(8) {
	case 0:
	case 1, 2:
		n = 1
	default:
		n = 2 + r.IntN(int(faults)-2)
	}
	w.fine = n == 0
	for _, f := range r.Perm(int(faults))[:n] {
		w.odds[f] = []float64{0.01, 0.05, 0.2}[r.IntN(3)]
	}
	return w
}

// without returns the weather with some faults left out.
func (w weather) without(left [faults]bool) weather {
	for f, out := range left {
		if out {
			w.odds[f] = 0
		}
	}
	return w
}

func (w weather) String() string {
	var names []string
	for f, odds := range w.odds {
		if odds > 0 {
			names = append(names, faultNames[f])
		}
	}
	if names == nil {
		return "fine weather"
	}
	return strings.Join(names, "+")
}

// strikes throws the dice for a fault. It throws them even if the fault cannot
// come, so that leaving faults out does not change the others.
func (w *world) strikes(r *rand.Rand, f fault) bool { return r.Float64() < w.weather.odds[f] }

// latency is how long something takes on its way.
func (w *world) latency(r *rand.Rand) int64 { return between(r, ms/10, w.weather.latency) }

// clear ends all faults. What is stalled goes on.
func (w *world) clear() {
	w.logf("the weather clears")
	w.cleared = true
	w.weather.odds = [faults]float64{}
	w.server.thaw()
	for _, a := range w.everyone {
		a.clear()
	}
}
