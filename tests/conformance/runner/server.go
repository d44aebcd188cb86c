package runner

import (
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/testserver"
)

// The credentials of the servers that cases with needs auth or optauth run on.
const (
	rootUser     = "root"
	rootPassword = "interop-secret"
)

// servers are the test servers of one file, by what cases need of them.
type servers map[string]*testserver.Server

// serverConfig is the server that a case needs.
func serverConfig(f *File, c *Case) (testserver.Config, error) {
	const anyPort = "127.0.0.1:0"
	cfg := testserver.Config{HTTP: anyPort, RPC: anyPort, RESP3: anyPort, Stock: f.Area == "ws-stock"}
	switch {
	case c.needs("cluster"):
		return cfg, noForm("the test server has no cluster mode")
	case c.needs("auth"), c.needs("optauth"):
		cfg.User, cfg.Password, cfg.RequireAuth = rootUser, rootPassword, c.needs("auth")
	}
	// Nothing to do for needs rate: no server enforces its rate limit (protocol:
	// auth-and-ops 4).
	return cfg, nil
}

// get returns a server for the case and what to do when the case has ended. Cases
// that do not ask for a fresh server share one.
func (s servers) get(f *File, c *Case) (server *testserver.Server, done func(), err error) {
	cfg, err := serverConfig(f, c)
	if err != nil {
		return nil, nil, err
	}
	key := "open"
	if c.needs("auth") || c.needs("optauth") {
		key = strings.Join(c.Needs, " ")
	}
	shared := s[key]
	if shared == nil || c.needs("fresh") {
		started, err := testserver.Start(cfg)
		if err != nil {
			return nil, nil, err
		}
		if c.needs("fresh") {
			return started, func() { started.Close() }, nil
		}
		s[key], shared = started, started
	}
	return shared, func() {}, nil
}

func (s servers) close() {
	for _, server := range s {
		server.Close()
	}
}

// serverPlayer sends the recorded requests to a server and compares its replies:
// the role server for HTTP and WebSockets.
type serverPlayer struct {
	file    *File
	running string // address of a server that is not ours, "" to start our own
	servers servers
}

func newServerPlayer(o *Options, f *File) (player, error) {
	return &serverPlayer{f, strings.TrimPrefix(strings.TrimSuffix(o.Addr, "/"), "http://"), servers{}}, nil
}

func (p *serverPlayer) close() { p.servers.close() }

func (p *serverPlayer) play(c *Case) (int, error) {
	steps, err := parseSteps(c)
	if err != nil {
		return 0, err
	}
	addr, done := p.running, func() {}
	if addr == "" {
		server, stop, err := p.servers.get(p.file, c)
		if err != nil {
			return 0, err
		}
		addr, done = server.HTTPAddr(), stop
	} else if strings.Contains(addr, "://") {
		return 0, noForm("the running server is reached over another wire")
	} else if why := needsOtherServer(p.file, c); why != "" {
		return 0, noForm(why)
	}
	defer done()
	t := &talk{addr: addr, http: httpConn{addr: addr}, sockets: map[string]*socket{}, bound: Bindings{}}
	defer t.close()
	for i, s := range steps {
		time.Sleep(time.Duration(s.WaitMS) * time.Millisecond)
		if d := t.step(s); d != "" {
			return 0, &Failure{i, d}
		}
	}
	return 0, nil
}

// needsOtherServer says why a case cannot be played on a server that runs
// already, with settings that nobody knows.
func needsOtherServer(f *File, c *Case) string {
	for _, n := range c.Needs {
		if n != "fresh" {
			return "the running server is not configured for " + n
		}
	}
	if f.Area == "ws-stock" {
		return "the running server may not be a stock build"
	}
	return ""
}

// talk is one case's conversation with a server.
type talk struct {
	addr    string
	http    httpConn
	sockets map[string]*socket
	bound   Bindings
}

func (t *talk) close() {
	t.http.close()
	for _, s := range t.sockets {
		s.close()
	}
}

// step plays one step and returns what differs, "" if nothing.
func (t *talk) step(s *Step) string {
	switch {
	case s.Command != nil, s.Method != "":
		return t.exchange(s)
	case s.Open != "":
		return t.open(s)
	}
	socket := t.sockets[s.Conn]
	if socket == nil {
		return "connection " + s.Conn + " is not open"
	}
	return socket.step(s, t.bound)
}

// exchange plays a command or REST step.
func (t *talk) exchange(s *Step) string {
	r, err := t.bound.requestOf(s)
	if err != nil {
		return err.Error()
	}
	got, err := t.http.roundTrip(r.method, r.path, r.headers, r.body)
	if err != nil {
		return err.Error()
	}
	return t.bound.matchReply(s.Reply, got)
}
