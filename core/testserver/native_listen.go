package testserver

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// The limits of a native listener (protocol: synaprpc 5, resp3 2).
const (
	defaultIdle    = 300 * time.Second
	maxConnections = 10000
)

// nativeListener serves one native wire.
type nativeListener struct {
	server   *Server
	listener net.Listener
	open     atomic.Int32
	serve    func(*nativeConn)
}

// nativeConn is what the connections of both wires have in common.
type nativeConn struct {
	server  *Server
	conn    net.Conn
	in      input
	session session
}

// listenNative opens the native listeners that the configuration names.
func (s *Server) listenNative(cfg Config) error {
	for _, l := range []struct {
		addr  string
		place **nativeListener
		serve func(*nativeConn)
	}{{cfg.RPC, &s.rpc, serveRPC}, {cfg.RESP3, &s.resp, serveRESP}} {
		if l.addr == "" {
			continue
		}
		listener, err := net.Listen("tcp", l.addr)
		if err != nil {
			return fmt.Errorf("testserver: %w", err)
		}
		*l.place = &nativeListener{server: s, listener: listener, serve: l.serve}
		s.loops.Go((*l.place).accept)
	}
	return nil
}

// accept serves every connection in a goroutine of its own; what is over the limit
// is closed at once. There is no TLS on these wires.
func (l *nativeListener) accept() {
	for {
		conn, err := l.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(tick) // out of file descriptors, most likely
		case l.open.Load() >= maxConnections:
			conn.Close()
		case l.server.open.add(conn):
			l.open.Add(1)
			go l.run(conn)
		}
	}
}

func (l *nativeListener) run(conn net.Conn) {
	defer func() {
		recover() // a defect breaks this connection, not the process
		conn.Close()
		l.open.Add(-1)
		l.server.open.forget(conn)
	}()
	l.serve(&nativeConn{
		server:  l.server,
		conn:    conn,
		in:      input{conn: conn, idle: l.server.idle},
		session: l.server.auth.nativeSession(),
	})
}

func (l *nativeListener) close() {
	if l != nil {
		l.listener.Close()
	}
}

func (l *nativeListener) addr() string {
	if l == nil {
		return ""
	}
	return l.listener.Addr().String()
}

func (l *nativeListener) url(scheme string) string {
	if l == nil {
		return ""
	}
	return scheme + "://" + l.addr()
}

// RPCAddr returns the address on which SynapRPC is served, "" if it is off.
func (s *Server) RPCAddr() string { return s.rpc.addr() }

// RPCURL returns it as clients take it.
func (s *Server) RPCURL() string { return s.rpc.url("synap") }

// RESP3Addr returns the address on which RESP3 is served, "" if it is off.
func (s *Server) RESP3Addr() string { return s.resp.addr() }

// RESP3URL returns it as clients take it.
func (s *Server) RESP3URL() string { return s.resp.url("resp3") }
