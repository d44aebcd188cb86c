// Package testserver serves the embedded engine on real sockets the way a Synap
// server 1.3.1 does: HTTP with its two faces, authentication and WebSockets, and
// the native wires SynapRPC and RESP3. It exists for tests and demos. It keeps
// everything in memory, hashes passwords fast instead of safely and was never
// hardened: do not run it in production.
package testserver

import (
	"crypto/tls"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/engine/lua"
	"github.com/libsynap/libsynap/core/testserver/native"
)

// Config says what a Server serves. The zero Config serves nothing.
type Config struct {
	// HTTP is the address to listen on, "127.0.0.1:0" for any free port; "" is off.
	HTTP string
	// RPC and RESP3 are the addresses of the native wires, in the same form. They
	// have no TLS.
	RPC, RESP3 string
	// IdleTimeout is how long a native connection may be silent: zero for the 300 s
	// of the server, negative for ever.
	IdleTimeout time.Duration
	// User and Password are the root user, APIKey a key with all permissions.
	// Authentication is on when any of the three is set.
	User, Password, APIKey string
	// RequireAuth refuses requests without credentials. Without it they are
	// anonymous, which is enough for the envelope (protocol: auth-and-ops 1).
	RequireAuth bool
	// Stock answers WebSocket upgrades with 500, as the released 1.3.1 does.
	Stock bool
	// TLSCert and TLSKey turn TLS on: PEM texts, or paths of PEM files.
	TLSCert, TLSKey string
	// Engine is the engine to serve, nil for a new one that knows scripts.
	Engine *engine.Engine
}

// Server is a running server.
type Server struct {
	engine  *engine.Engine
	auth    *store
	stock   bool
	runID   string
	started time.Time
	clients clients

	native    *native.Commands
	rpc, resp *nativeListener // nil if off
	idle      time.Duration

	listener net.Listener
	scheme   string
	stop     chan struct{}
	loops    sync.WaitGroup // the accept loop and the clock
	open     connections
	closing  sync.Once
}

// tick is how often the engine is told the time: often enough for the shortest
// of its sweeps, 100 ms.
const tick = 50 * time.Millisecond

// Start starts a server. Close ends it.
func Start(cfg Config) (*Server, error) {
	s := &Server{engine: cfg.Engine, auth: newStore(cfg), stock: cfg.Stock, runID: randomUUID(), started: time.Now(), stop: make(chan struct{}), scheme: "http"}
	s.clients.list = map[string]*client{}
	s.open.conns = map[net.Conn]struct{}{}
	if s.engine == nil {
		s.engine = engine.New(engine.Options{Rand: mathrand.Uint64})
		s.engine.SetScripts(lua.New())
	}
	s.native = native.New(s.engine, now)
	if s.idle = max(cfg.IdleTimeout, 0); cfg.IdleTimeout == 0 {
		s.idle = defaultIdle
	}
	if cfg.HTTP != "" {
		if err := s.listen(cfg); err != nil {
			return nil, err
		}
	}
	if err := s.listenNative(cfg); err != nil {
		s.Close()
		return nil, err
	}
	s.loops.Go(s.keepTime)
	return s, nil
}

func (s *Server) listen(cfg Config) error {
	listener, err := net.Listen("tcp", cfg.HTTP)
	if err != nil {
		return fmt.Errorf("testserver: %w", err)
	}
	s.listener = listener
	if cfg.TLSCert != "" {
		cert, err := certificate(cfg.TLSCert, cfg.TLSKey)
		if err != nil {
			listener.Close()
			return fmt.Errorf("testserver: TLS: %w", err)
		}
		s.scheme = "https"
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
	http := &fasthttp.Server{
		Handler:               s.serve,
		ErrorHandler:          refuseUnreadable,
		ConnState:             s.open.changed,
		KeepHijackedConns:     true, // a WebSocket closes its connection itself
		MaxRequestBodySize:    readLimit,
		ReadBufferSize:        64 << 10, // keys travel in paths
		NoDefaultServerHeader: true,
		NoDefaultDate:         true,
		NoDefaultContentType:  true,
		Logger:                silent{},
	}
	s.loops.Go(func() { s.accept(listener, http) })
	return nil
}

// accept serves every connection in a goroutine of its own. The accept loop of the
// HTTP package would leave a sleeping goroutine behind for ten seconds.
func (s *Server) accept(listener net.Listener, http *fasthttp.Server) {
	for {
		conn, err := listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(tick) // out of file descriptors, most likely
		case s.open.add(conn):
			go http.ServeConn(conn)
		}
	}
}

// silent is the log of the HTTP server: what clients do wrong is their tests'
// business.
type silent struct{}

func (silent) Printf(string, ...any) {}

func certificate(cert, key string) (tls.Certificate, error) {
	texts := [2][]byte{}
	for i, s := range []string{cert, key} {
		if strings.HasPrefix(strings.TrimSpace(s), "-----BEGIN") {
			texts[i] = []byte(s)
			continue
		}
		text, err := os.ReadFile(s)
		if err != nil {
			return tls.Certificate{}, err
		}
		texts[i] = text
	}
	return tls.X509KeyPair(texts[0], texts[1])
}

// keepTime makes what is due happen although nobody asks.
func (s *Server) keepTime() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			s.engine.Advance(now())
			s.native.Changed()
		}
	}
}

func now() int64 { return time.Now().UnixNano() }

// HTTPAddr returns the address that the server listens on, "" if HTTP is off.
func (s *Server) HTTPAddr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// URL returns the address as clients take it, "" if HTTP is off.
func (s *Server) URL() string {
	if s.listener == nil {
		return ""
	}
	return s.scheme + "://" + s.HTTPAddr()
}

// Engine returns the engine that is served.
func (s *Server) Engine() *engine.Engine { return s.engine }

// Close stops listening, breaks every connection and returns when all goroutines
// have ended.
func (s *Server) Close() error {
	s.closing.Do(func() {
		close(s.stop)
		if s.listener != nil {
			s.listener.Close()
		}
		s.rpc.close()
		s.resp.close()
		s.open.breakAll()
		s.loops.Wait()
		s.open.all.Wait()
	})
	return nil
}

// connections are the open connections, so that Close can break them: the HTTP
// server alone would wait for its clients.
type connections struct {
	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
	all    sync.WaitGroup
}

// add takes a new connection; false means that the server is closing.
func (c *connections) add(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		conn.Close()
		return false
	}
	c.all.Add(1)
	c.conns[conn] = struct{}{}
	return true
}

// changed is told of the life of a connection. One that became a WebSocket is not
// closed yet: its handler calls forget.
func (c *connections) changed(conn net.Conn, state fasthttp.ConnState) {
	if state == fasthttp.StateClosed {
		c.forget(conn)
	}
}

func (c *connections) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
	c.all.Done()
}

func (c *connections) breakAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for conn := range c.conns {
		conn.Close()
	}
}
