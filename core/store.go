package core

import (
	"math/rand/v2"
	"sync"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/engine/lua"
)

// stores holds the engines of memory://name addresses: clients of the same name
// in one process share one, and it lives as long as one of them is open. The
// empty name is private to its client.
var stores = struct {
	sync.Mutex
	byName map[string]*store
}{byName: map[string]*store{}}

type store struct {
	engine *engine.Engine
	users  int
}

func openStore(name string) *engine.Engine {
	if name == "" {
		return newEngine()
	}
	stores.Lock()
	defer stores.Unlock()
	s := stores.byName[name]
	if s == nil {
		s = &store{engine: newEngine()}
		stores.byName[name] = s
	}
	s.users++
	return s.engine
}

func closeStore(name string, e *engine.Engine) {
	stores.Lock()
	defer stores.Unlock()
	if s := stores.byName[name]; s != nil && s.engine == e {
		if s.users--; s.users == 0 {
			delete(stores.byName, name)
		}
	}
}

func newEngine() *engine.Engine {
	e := engine.New(engine.Options{Rand: rand.Uint64})
	e.SetScripts(lua.New())
	return e
}
