package sim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"

	"github.com/libsynap/libsynap/core/loop"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
)

// actor is one client with its host.
type actor struct {
	w      *world
	n      int
	r      *rand.Rand
	scheme string
	client *loop.Client
	closed bool

	web     web
	sockets map[int32]*socket // WebSockets
	conns   map[int32]*conn   // of the native wires

	lastTag int32
	waiting map[int32]func(loop.Completion)
	eager   bool  // the host tells the time with every event
	wakeAt  int64 // when it will tell it next
	busy    bool  // completions are being dealt with

	follows []*follow
}

// lateness is how late a host may be with the time.
const lateness = 30 * ms

var schemes = []string{"http", "synap", "resp3"}

func newActor(w *world) *actor {
	n := len(w.everyone)
	r := w.random("actor", n)
	a := &actor{w: w, n: n, r: r, scheme: schemes[r.IntN(len(schemes))], eager: r.IntN(2) == 0}
	a.web = web{a: a, open: map[int32]*exchange{}, lanes: map[int32]*lane{}}
	a.sockets, a.conns, a.waiting = map[int32]*socket{}, map[int32]*conn{}, map[int32]func(loop.Completion){}
	w.everyone = append(w.everyone, a)
	return a
}

func (a *actor) String() string { return "c" + strconv.Itoa(a.n) + "(" + a.scheme + ")" }

// dice are the random numbers of one connection or request.
func (a *actor) dice(what string, id int32) *rand.Rand {
	return a.w.random(what, a.n<<32|int(id))
}

// open gives the actor a client.
func (a *actor) open() {
	r := a.w.random("options", a.n)
	options := []value.Value{
		str("timeout"), value.Float([]float64{0.3, 0.5, 1}[r.IntN(3)]),
		str("connect_timeout"), value.Float(0.3),
		str("max_retries"), value.Int(int64(r.IntN(5))),
		str("backoff"), value.Float([]float64{0, 0.01, 0.05}[r.IntN(3)]),
		str("pool_size"), value.Int(1 + r.Int64N(3)),
	}
	if r.IntN(6) == 0 {
		options = append(options, str("max_in_flight"), value.Int(3+r.Int64N(5)))
	}
	if r.IntN(4) == 0 {
		options = append(options, str("username"), str("u"), str("password"), str("secret"))
	}
	random := a.w.random("policy", a.n)
	address := a.scheme + "://host:" + strconv.Itoa(ports[a.scheme])
	client, err := loop.Open(a.w.now, address, value.Map(options...), nil, a, random.Uint64, nil)
	if err != nil {
		a.w.violated("%s: cannot open: %v", a, err)
		return
	}
	a.client = client
}

var ports = map[string]int{"http": 15500, "synap": 15501, "resp3": 6379}

// submit makes a request of a frame; done gets its end.
func (a *actor) submit(timeout int64, frame value.Value, done func(loop.Completion)) int32 {
	a.lastTag++
	tag := a.lastTag
	a.waiting[tag] = done
	a.client.Submit(a.w.now, tag, string(value.AppendMsgpack(nil, frame)), span.Duration(timeout))
	a.settle()
	return tag
}

// settle is what the host does after each event: it takes what has ended, and
// plans when to tell the time next.
func (a *actor) settle() {
	if a.busy { // whoever is will go on
		return
	}
	a.busy = true
	if a.eager {
		a.client.Tick(a.w.now)
	}
	for {
		list := slices.Clone(a.client.Completions())
		if len(list) == 0 {
			break
		}
		if a.closed { // in no order
			slices.SortFunc(list, func(one, other loop.Completion) int { return cmp.Compare(one.Tag, other.Tag) })
		}
		for _, done := range list {
			end := a.waiting[done.Tag]
			if end == nil {
				a.w.violated("%s: frame %d ends twice, or never began", a, done.Tag)
				continue
			}
			delete(a.waiting, done.Tag)
			end(done)
		}
	}
	a.busy = false
	at := a.client.WakeAt()
	if at == 0 || (a.wakeAt != 0 && a.wakeAt <= at) {
		return
	}
	a.wakeAt = at
	wait := int64(0)
	if a.w.strikes(a.r, late) {
		wait = between(a.r, 0, lateness)
	}
	a.w.at(at+wait, func() {
		if a.wakeAt == at {
			a.wakeAt = 0
		}
		a.client.Tick(a.w.now)
		a.settle()
	})
}

// Due implements loop.Host.
func (a *actor) Due() { a.w.violated("%s: Due, although no engine is shared", a) }

// HasSockets implements loop.Host.
func (a *actor) HasSockets() bool { return true }

// Log implements loop.Host.
func (a *actor) Log(_ int32, message string) { a.w.logf("%s: log: %s", a, message) }

// clear ends what is amiss with its connections: the operating system finds out in
// the end, too.
func (a *actor) clear() {
	for _, id := range keys(a.sockets) {
		if s := a.sockets[id]; s.broken || s.frames == 0 {
			a.w.after(100*ms, func() { s.closed(0, "") })
		}
	}
	for _, id := range keys(a.conns) {
		a.conns[id].clear()
	}
}

func keys[V any](m map[int32]V) []int32 {
	list := make([]int32, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// close closes the client.
func (a *actor) close() {
	a.w.logf("%s: close", a)
	a.closed = true
	a.client.Close(a.w.now)
	a.settle()
	if n := len(a.waiting); n > 0 {
		a.w.violated("%s: %d frames have not ended although the client is closed", a, n)
	}
}

// nothingLeft checks that a closed client and its host hold nothing any more. Every
// map and list of the client must be empty, whatever it is for.
func (a *actor) nothingLeft() {
	w := a.w
	if len(a.web.open)+len(a.sockets)+len(a.conns) > 0 {
		w.violated("%s: left with the host are %d requests, %d WebSockets, %d sockets", a, len(a.web.open), len(a.sockets), len(a.conns))
	}
	if at := a.client.WakeAt(); at != 0 {
		w.violated("%s: the closed client wants to be woken in %d ms", a, (at-w.now)/ms)
	}
	for _, what := range held(a.client) {
		w.violated("%s: the closed client holds %s", a, what)
	}
}

// held names the maps and lists of a client that are not empty, and what counts.
func held(c *loop.Client) []string {
	var names []string
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch field := v.Field(i); field.Kind() {
		case reflect.Map:
			if field.Len() > 0 {
				names = append(names, fmt.Sprintf("%d %s", field.Len(), name))
			}
		case reflect.Int:
			if name == "inFlight" && field.Int() != 0 {
				names = append(names, fmt.Sprintf("inFlight %d", field.Int()))
			}
		}
	}
	return names
}
