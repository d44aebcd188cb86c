package host

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/transport"
)

// network is the connections of one client.
type network struct {
	cfg     *config.Config
	secrets *tls.Config
	tls     *tls.Config // secrets, nil for http
	http    fasthttp.HostClient
	ctx     context.Context // ends with close
	cancel  context.CancelFunc

	mu   sync.Mutex
	open map[*liveConn]struct{}
}

// request is an HTTP request or WebSocket upgrade that the module wants made.
type request struct {
	id                         int32
	method, url, authorization string
	body                       string
	timeout                    time.Duration
	lane                       int64
}

const (
	userAgent = "libsynap"
	// idleLimit is how long an unused connection is kept.
	idleLimit = 60 * time.Second
	// slack is how much longer than told an exchange may take: the module ends
	// the wait itself, and says so more exactly.
	slack = 100 * time.Millisecond
)

// How much of a request the server can have seen, as in synap_http_failed.
const (
	notSent = iota
	perhapsSent
	overMax
)

func newNetwork(cfg *config.Config) (*network, *errs.Error) {
	n := &network{cfg: cfg, open: map[*liveConn]struct{}{}}
	var err *errs.Error
	if n.secrets, err = transport.TLSConfig(cfg); err != nil {
		return nil, err
	}
	if cfg.Scheme == config.HTTPS {
		n.tls = n.secrets
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.http = fasthttp.HostClient{
		Addr:                      cfg.Host,
		IsTLS:                     n.tls != nil,
		Dial:                      n.dial,
		MaxConns:                  cfg.PoolSize,
		MaxConnWaitTimeout:        cfg.Timeout,
		MaxIdleConnDuration:       idleLimit,
		MaxIdemponentCallAttempts: 1, // repeating is for the module to decide
		MaxResponseBodySize:       min(cfg.MaxReplyBytes, maxInput),
		NoDefaultUserAgentHeader:  true,
		DisablePathNormalizing:    true,
		SecureErrorLogMessage:     true,
	}
	return n, nil
}

// close closes all connections, those in use too.
func (n *network) close() {
	n.mu.Lock()
	n.cancel()
	open := n.open
	n.open = nil
	n.mu.Unlock()
	for c := range open {
		c.TCPConn.Close()
	}
}

// dialError marks a failure before anything was sent.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

// dial opens a connection, TLS included.
func (n *network) dial(addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(n.ctx, n.cfg.ConnectTimeout)
	defer cancel()
	plain, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, dialError{err}
	}
	live := &liveConn{plain.(*net.TCPConn), n, time.Now()}
	n.mu.Lock()
	if n.open == nil {
		n.mu.Unlock()
		plain.Close()
		return nil, dialError{net.ErrClosed}
	}
	n.open[live] = struct{}{}
	n.mu.Unlock()
	if n.tls == nil {
		return live, nil
	}
	secure := tls.Client(live, n.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		live.Close()
		return nil, dialError{err}
	}
	return secure, nil
}

// liveConn is a connection that refuses to write when the server has closed it
// while it rested: the command would be lost in it, and nobody could tell that it
// was never seen.
type liveConn struct {
	*net.TCPConn
	n    *network
	used time.Time
}

func (c *liveConn) Close() error {
	c.n.mu.Lock()
	delete(c.n.open, c)
	c.n.mu.Unlock()
	return c.TCPConn.Close()
}

// checkAfter is how long a connection may rest before it is asked. A younger one
// is not worth a system call.
const checkAfter = 5 * time.Millisecond

func (c *liveConn) Write(b []byte) (int, error) {
	if time.Since(c.used) > checkAfter && c.gone() {
		return 0, dialError{errors.New("the server closed the connection while it rested")}
	}
	n, err := c.TCPConn.Write(b)
	c.used = time.Now()
	return n, err
}

func (c *liveConn) gone() bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = err != syscall.EAGAIN && err != syscall.EINTR
	})
	return gone || err != nil
}

// sendRequests starts the requests that an export has made; in.mu is held. A lane
// is made in one export, so that here it is complete.
func (c *Client) sendRequests() {
	list := c.requests
	c.requests = nil
	if c.net == nil {
		return
	}
	for len(list) > 0 {
		n := 1
		for list[0].lane != 0 && n < len(list) && list[n].lane == list[0].lane {
			n++
		}
		go c.exchange(list[:n])
		list = list[n:]
	}
}

// exchange sends the requests of a lane one after the other and hands in what
// comes. When one fails, those after it must not reach the server.
func (c *Client) exchange(list []request) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	for i := range list {
		err := c.net.do(&list[i], req, resp)
		if err == nil {
			c.in.input(fnHTTPResponse, c.id, string(resp.Body()), list[i].id, int32(resp.StatusCode()))
			continue
		}
		c.in.input(fnHTTPFailed, c.id, transport.Reason(err), list[i].id, sentOf(err))
		for _, r := range list[i+1:] {
			c.in.input(fnHTTPFailed, c.id, "an earlier request of the batch failed", r.id, notSent)
		}
		return
	}
}

func (n *network) do(r *request, req *fasthttp.Request, resp *fasthttp.Response) error {
	req.Reset()
	resp.Reset()
	req.URI().DisablePathNormalizing = true
	req.SetRequestURI(r.url)
	req.Header.SetMethod(r.method)
	req.Header.SetContentType("application/json")
	req.Header.SetUserAgent(userAgent)
	if r.authorization != "" {
		req.Header.Set("Authorization", r.authorization)
	}
	req.SetBodyString(r.body)
	return n.http.DoTimeout(req, resp, r.timeout+slack)
}

// sentOf says how much of a failed request the server can have seen.
func sentOf(err error) int32 {
	switch {
	case errors.As(err, new(dialError)), errors.Is(err, fasthttp.ErrNoFreeConns):
		return notSent
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return overMax
	}
	return perhapsSent
}
