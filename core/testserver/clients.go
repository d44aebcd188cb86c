package testserver

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libsynap/libsynap/core/value"
)

// clients are the connected WebSockets; nothing else is listed (protocol:
// websocket.md "Common rules").
type clients struct {
	mu   sync.Mutex
	list map[string]*client
}

type client struct {
	addr  string
	since time.Time
	last  atomic.Int64 // Unix seconds of the last frame
}

func (c *client) connected(addr string) {
	c.addr, c.since = addr, time.Now()
	c.active()
}

func (c *client) active() { c.last.Store(time.Now().Unix()) }

// add lists a client until the result is called.
func (l *clients) add(id string, c *client) (remove func()) {
	l.mu.Lock()
	l.list[id] = c
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		if l.list[id] == c {
			delete(l.list, id)
		}
		l.mu.Unlock()
	}
}

// report is the reply of GET /clients and of client.list.
func (l *clients) report() value.Value {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]value.Value, 0, len(l.list))
	at := time.Now()
	for _, id := range slices.Sorted(maps.Keys(l.list)) {
		c := l.list[id]
		list = append(list, object("id", id, "addr", c.addr, "age", int(at.Sub(c.since).Seconds()), "idle", int(at.Unix()-c.last.Load()),
			"flags", "N", "db", 0, "sub", 0, "psub", 0, "multi", 0, "qbuf", 0, "qbuf_free", 0, "obl", 0, "oll", 0, "omem", 0, "events", "r", "cmd", "client"))
	}
	return object("clients", value.Array(list...), "count", len(list))
}
