// Package proxy stands between a client and a server on loopback and spoils what
// passes, on command and once: a fault is armed, and the next bytes that go its way
// meet it. It knows nothing of the wires.
package proxy

import (
	"net"
	"sync"
	"time"
)

// Kind is what happens to the bytes.
type Kind int

// The kinds.
const (
	Reset Kind = iota // they are dropped and the connection is reset
	Cut               // half of them pass, then the connection is closed
	Stall             // they, and all after them, wait for Release
	Drip              // they pass byte by byte, but soon
	Crawl             // they pass byte by byte, too slowly for any deadline, until Release
)

// Fault is one fault, in one direction.
type Fault struct {
	Kind  Kind
	Reply bool // of what the server sends; else of what the client sends
	All   bool // every connection meets it, until Release
}

const (
	dripPause  = 200 * time.Microsecond
	crawlPause = 200 * time.Millisecond // RESP3 answers a number in four bytes
)

// Proxy is a running proxy.
type Proxy struct {
	address, target string

	mu       sync.Mutex
	listener net.Listener
	links    map[*link]struct{}
	armed    *Fault
	fired    chan struct{} // closed when the armed fault is met
	released chan struct{} // closed by Release
	running  sync.WaitGroup
}

// link is one client's connection and its continuation to the server.
type link struct{ client, server *net.TCPConn }

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	c.Close()
}

// Start starts a proxy before the target.
func Start(target string) (*Proxy, error) {
	p := &Proxy{target: target, address: "127.0.0.1:0", links: map[*link]struct{}{}, released: make(chan struct{})}
	return p, p.Up()
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.address }

// Up listens, again after Down and then where it did before.
func (p *Proxy) Up() error {
	listener, err := net.Listen("tcp", p.address)
	for deadline := time.Now().Add(2 * time.Second); err != nil && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
		listener, err = net.Listen("tcp", p.address)
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.listener, p.address = listener, listener.Addr().String()
	p.mu.Unlock()
	p.running.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			client := c.(*net.TCPConn)
			p.running.Go(func() { p.serve(client) })
		}
	})
	return nil
}

// Down refuses connections and resets those there are.
func (p *Proxy) Down() {
	p.mu.Lock()
	p.listener.Close()
	p.mu.Unlock()
	p.Break()
}

// Break resets all connections.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		reset(l.client)
		reset(l.server)
	}
}

// Close ends the proxy and all that runs for it.
func (p *Proxy) Close() {
	p.Release()
	p.Down()
	p.running.Wait()
}

// Arm has the next bytes meet the fault. The channel is closed when they do.
func (p *Proxy) Arm(f Fault) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.fired = &f, make(chan struct{})
	return p.fired
}

// Release takes back an armed fault and lets go of all that is held back.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = nil
	close(p.released)
	p.released = make(chan struct{})
}

// meet returns the fault that bytes of a direction meet, and what ends it.
func (p *Proxy) meet(reply bool) (*Fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.armed
	if f == nil || f.Reply != reply {
		return nil, nil
	}
	select {
	case <-p.fired:
	default:
		close(p.fired)
	}
	if !f.All {
		p.armed = nil
	}
	return f, p.released
}

func (p *Proxy) serve(client *net.TCPConn) {
	c, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	l := &link{client: client, server: c.(*net.TCPConn)}
	p.mu.Lock()
	p.links[l] = struct{}{}
	p.mu.Unlock()
	p.running.Go(func() { p.pump(l, l.client, l.server, false) })
	p.pump(l, l.server, l.client, true)
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// pump moves bytes one way until either end is gone. Both connections end with it.
func (p *Proxy) pump(l *link, from, to *net.TCPConn, reply bool) {
	defer l.close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.pass(l, to, buf[:n], reply) {
			return
		}
		if err != nil {
			return
		}
	}
}

// pass hands bytes on, through the fault if there is one; false ends the link.
func (p *Proxy) pass(l *link, to *net.TCPConn, b []byte, reply bool) bool {
	f, released := p.meet(reply)
	if f == nil {
		_, err := to.Write(b)
		return err == nil
	}
	switch f.Kind {
	case Reset:
		reset(l.client)
		reset(l.server)
		return false
	case Cut:
		_, _ = to.Write(b[:len(b)/2])
		return false
	case Stall:
		<-released
	case Drip, Crawl:
		pause := dripPause
		if f.Kind == Crawl {
			pause = crawlPause
		}
		for len(b) > 0 {
			select {
			case <-released:
				pause = 0
			case <-time.After(pause):
			}
			if _, err := to.Write(b[:1]); err != nil {
				return false
			}
			b = b[1:]
		}
		return true
	}
	_, err := to.Write(b)
	return err == nil
}
