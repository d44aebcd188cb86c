package core

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

// gate is a peer that answers a read of key with the key, but of "slow" only once
// it is opened.
type gate struct {
	*peer
	waiting atomic.Int64
	open    chan struct{}
	once    sync.Once
}

func newGate(t *testing.T) *gate {
	g := &gate{open: make(chan struct{})}
	g.peer = listen(t, "", func(l *link) {
		for {
			a, ok := l.next()
			if !ok {
				return
			}
			key, _ := a.payload.Field("key").AsStr()
			if key == "slow" {
				g.waiting.Add(1)
				select {
				case <-g.open:
				case <-g.done:
				}
			}
			l.reply(a, `"`+key+`"`)
		}
	})
	return g
}

func (g *gate) release() { g.once.Do(func() { close(g.open) }) }

// hold waits until n reads are held back.
func (g *gate) hold(t *testing.T, n int64) {
	t.Helper()
	within(t, 3*time.Second, "calls are held back", func() bool { return g.waiting.Load() == n })
}

func TestCancellationLeavesOtherCallsAlone(t *testing.T) {
	g := newGate(t)
	c := open(t, g.url(), With("pool_size", 2))
	ctx, cancel := context.WithCancel(background)
	gone := make(chan error, 1)
	go func() {
		_, _, err := c.KV.Get(ctx, "slow")
		gone <- err
	}()
	g.hold(t, 1)
	cancel()
	if e := failed(t, <-gone, errs.Canceled); e.MaybeApplied { // a read
		t.Errorf("%+v", e)
	}
	read := func(key string) {
		t.Helper()
		if s, _, err := c.KV.Get(background, key); err != nil || s != key {
			t.Errorf("%q for %q: %v", s, key, err)
		}
	}
	for range 10 { // the other connection
		read("fast")
	}
	g.release() // the reply that nobody waits for comes
	for range 10 {
		read("one")
		read("two")
	}
}

// A call that waits for its turn when its caller gives up is never sent.
func TestCancellationBeforeSending(t *testing.T) {
	g := newGate(t)
	c := open(t, g.url(), With("pool_size", 1))
	first := make(chan error, 1)
	go func() {
		_, _, err := c.KV.Get(background, "slow")
		first <- err
	}()
	g.hold(t, 1)
	ctx, cancel := context.WithCancel(background)
	time.AfterFunc(30*ms, cancel)
	_, err := c.KV.Incr(ctx, "k")
	failed(t, err, errs.Canceled)
	canceled := make(chan error, 1)
	stop := c.Go(string(value.AppendMsgpack(nil, value.Array(value.Int(0), value.Str("kv.decr"), value.Array(value.Str("k"))))), 0,
		func(_ value.Value, err error) { canceled <- err })
	stop()
	failed(t, <-canceled, errs.Canceled)
	stop() // once more does nothing
	short, done := context.WithTimeout(background, 30*ms)
	defer done()
	_, err = c.KV.Incrby(short, "k", 5)
	if e := failed(t, err, errs.Timeout); e.MaybeApplied {
		t.Errorf("it was never sent: %+v", e)
	}
	g.release()
	if err := <-first; err != nil {
		t.Error(err)
	}
	if s, _, err := c.KV.Get(background, "k"); err != nil || s != "k" {
		t.Error(err)
	}
	if got := g.commands(); got != "kv.get kv.get" {
		t.Errorf("the server saw %s", got)
	}
}

func TestManyCallersShareOneConnection(t *testing.T) {
	var at, most atomic.Int64
	p := listen(t, "", func(l *link) {
		for {
			a, ok := l.next()
			if !ok {
				return
			}
			most.Store(max(most.Load(), at.Add(1)))
			key, _ := a.payload.Field("key").AsStr()
			at.Add(-1)
			l.reply(a, `"`+key+`"`)
		}
	})
	c := open(t, p.url(), With("pool_size", 1), With("timeout", 20*time.Second))
	var calls sync.WaitGroup
	for i := range 50 {
		key := string(rune('a' + i%26))
		calls.Go(func() {
			for range 10 {
				if s, _, err := c.KV.Get(background, key); err != nil || s != key {
					t.Errorf("%q for %q: %v", s, key, err)
					return
				}
			}
			if _, err := c.Frame(background, batch("kv.get", key, "kv.get", key)); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if most.Load() != 1 || p.dialed() != 1 {
		t.Errorf("%d at once on %d connections", most.Load(), p.dialed())
	}
}

// A full pool is back-pressure, and then the deadline: never sent, never applied.
func TestPoolExhaustion(t *testing.T) {
	g := newGate(t)
	c := open(t, g.url(), With("pool_size", 2), With("timeout", 3*time.Second))
	var held sync.WaitGroup
	for range 2 {
		held.Go(func() {
			if _, _, err := c.KV.Get(background, "slow"); err != nil {
				t.Error(err)
			}
		})
	}
	g.hold(t, 2)
	ctx, cancel := context.WithTimeout(background, 50*ms)
	defer cancel()
	took(t, 50*ms, 250*ms, func() {
		_, err := c.KV.Incr(ctx, "k")
		if e := failed(t, err, errs.Timeout); e.MaybeApplied || !e.Retryable {
			t.Errorf("%+v", e)
		}
	})
	g.release()
	held.Wait()
	if _, _, err := c.KV.Get(background, "k"); err != nil {
		t.Error(err)
	}
}

func TestMaxInFlight(t *testing.T) {
	g := newGate(t)
	c := open(t, g.url(), With("max_in_flight", 3))
	var held sync.WaitGroup
	for range 3 {
		held.Go(func() {
			if _, _, err := c.KV.Get(background, "slow"); err != nil {
				t.Error(err)
			}
		})
	}
	g.hold(t, 3)
	_, err := c.KV.Incr(background, "k")
	if e := failed(t, err, errs.ResourceExhausted); e.MaybeApplied || !e.Retryable || !strings.Contains(e.Message, "max_in_flight (3)") {
		t.Errorf("%+v", e)
	}
	v, err := c.Frame(background, batch("kv.get", "a", "kv.get", "b"))
	if got := outcomes(t, v, err); got != "ResourceExhaustedr ResourceExhaustedr" {
		t.Error(got)
	}
	g.release()
	held.Wait()
	// A batch counts its commands, and one that is larger than the limit still goes.
	v, err = c.Frame(background, batch("kv.get", "a", "kv.get", "b", "kv.get", "c", "kv.get", "d"))
	if got := outcomes(t, v, err); got != "ok ok ok ok" {
		t.Error(got)
	}
}

func TestCloseEndsCallsInFlight(t *testing.T) {
	g := newGate(t)
	c := open(t, g.url(), With("timeout", 20*time.Second), With("pool_size", 3))
	results := make(chan error, 6)
	for range 2 {
		go func() {
			_, _, err := c.KV.Get(background, "slow")
			results <- err
		}()
	}
	go func() {
		v, err := c.Frame(background, batch("kv.get", "slow", "kv.incr", "k"))
		if got := outcomes(t, v, err); got != "Closed Closed?" {
			t.Errorf("the batch ends with %s", got)
		}
		results <- errs.New(errs.Closed, "")
	}()
	g.hold(t, 3)
	for range 2 { // one waits for its turn
		go func() {
			_, err := c.KV.Incr(background, "k")
			if e := failed(t, err, errs.Closed); e.MaybeApplied {
				t.Errorf("it was never sent: %+v", e)
			}
			results <- err
		}()
	}
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	go func() {
		_, _, err := c.KV.Get(ctx, "slow")
		results <- err
	}()
	within(t, time.Second, "all calls are in", func() bool { return c.inFlight.Load() == 7 })
	promptly(t, func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		for range 6 {
			failed(t, <-results, errs.Closed)
		}
	})
}

// Close also ends a call that waits to be repeated, and one that is connecting.
func TestCloseEndsCallsThatAreNotConnected(t *testing.T) {
	var logged atomic.Int64
	c := open(t, "http://"+unused(t), With("max_retries", 100), With("backoff", 30*time.Second), With("timeout", 60*time.Second), WithLog(func(int, string) { logged.Add(1) }))
	result := make(chan error, 1)
	go func() {
		_, err := c.KV.Incr(background, "k")
		result <- err
	}()
	within(t, 2*time.Second, "the call waits", func() bool { return logged.Load() > 0 })
	promptly(t, func() {
		c.Close()
		failed(t, <-result, errs.Closed)
	})
	// A listener that accepts nobody: the handshake of TLS never ends.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c = open(t, "https://"+l.Addr().String(), With("timeout", 60*time.Second), With("connect_timeout", 60*time.Second))
	go func() {
		_, err := c.KV.Incr(background, "k")
		result <- err
	}()
	within(t, time.Second, "the call is in", func() bool { return c.inFlight.Load() == 1 })
	time.Sleep(20 * ms)
	promptly(t, func() {
		c.Close()
		if e := failed(t, <-result, errs.Closed); e.MaybeApplied {
			t.Errorf("%+v", e)
		}
	})
}

func TestConnectTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := open(t, "https://"+l.Addr().String(), With("connect_timeout", 50*ms), With("max_retries", 1), With("backoff", ms))
	took(t, 100*ms, 400*ms, func() {
		_, err := c.KV.Incr(background, "k")
		if e := failed(t, err, errs.Connection); e.MaybeApplied || !e.Retryable {
			t.Errorf("%+v", e)
		}
	})
}

func TestUseAfterClose(t *testing.T) {
	s := serve(t, testserver.Config{})
	for _, address := range []string{s.URL(), "memory://"} {
		c := open(t, address)
		sub := feed(t, c, "t")
		if err := c.Queue.Create(background, "q", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := c.KV.Set(background, "k", "v", nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		failed(t, c.Close(), errs.Closed)
		_, err := c.KV.Incr(background, "k")
		if e := failed(t, err, errs.Closed); e.MaybeApplied || e.Command != "kv.incr" {
			t.Errorf("%+v", e)
		}
		_, err = c.Command(background, "kv.get", value.Nil)
		failed(t, err, errs.Closed)
		_, err = c.PubSub.Subscribe(background, []string{"t"}, nil)
		failed(t, err, errs.Closed)
		_, err = c.Queue.Follow(background, "q", "w", nil)
		failed(t, err, errs.Closed)
		_, err = sub.Next(background)
		failed(t, err, errs.Closed)
		sub.Close() // harmless
		for _, f := range []value.Value{
			value.Array(value.Int(0), value.Str("kv.incr"), value.Array(value.Str("k"))),
			value.Array(value.Int(2), value.Array()),
			value.Array(value.Int(3), value.Str("kv.watch"), value.Array(value.Array(value.Str("k")))),
			value.Array(value.Int(4), value.Int(1), value.Int(1)),
			value.Array(value.Int(5), value.Int(1)),
		} {
			_, err = c.Frame(background, string(value.AppendMsgpack(nil, f)))
			failed(t, err, errs.Closed)
		}
	}
}

// authority makes a certificate authority and a certificate of it for 127.0.0.1.
func authority(t *testing.T) (ca, cert, key string) {
	t.Helper()
	newKey := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	text := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	caKey, leafKey := newKey(), newKey()
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test server"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &caKey.PublicKey, caKey)
	ca = text("CERTIFICATE", der, err)
	der, err = x509.CreateCertificate(rand.Reader, leaf, root, &leafKey.PublicKey, caKey)
	cert = text("CERTIFICATE", der, err)
	der, err = x509.MarshalECPrivateKey(leafKey)
	return ca, cert, text("EC PRIVATE KEY", der, err)
}

func TestTLS(t *testing.T) {
	ca, cert, key := authority(t)
	otherCA, _, _ := authority(t)
	s := serve(t, testserver.Config{TLSCert: cert, TLSKey: key})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(ca), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]Option{"PEM text": With("tls_ca", ca), "a file": With("tls_ca", file), "any certificate": With("tls_insecure", true)} {
		c := open(t, s.URL(), option)
		if _, err := c.KV.Set(background, "k", "v", nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if values, err := c.KV.Mget(background, []string{"k", "k"}); err != nil || values[1].Value != "v" {
			t.Errorf("%s: %v", name, err)
		}
		f := feed(t, c, "news")
		publish(t, c, "news", "1")
		if got := read(t, f); got != `"1"` {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, options := range map[string][]Option{"the system's authorities": nil, "another authority": {With("tls_ca", otherCA)}} {
		c := open(t, s.URL(), append(options, With("max_retries", 0))...)
		_, err := c.KV.Set(background, "k", "v", nil)
		if e := failed(t, err, errs.Connection); e.MaybeApplied || !strings.Contains(e.Message, "is not trusted") || !strings.Contains(e.Message, "tls_ca") {
			t.Errorf("%s: %+v", name, e)
		}
		_, err = c.PubSub.Subscribe(background, []string{"t"}, nil)
		failed(t, err, errs.Connection)
	}
	for name, options := range map[string][]Option{
		"a file that is not there":  {With("tls_ca", file+".missing")},
		"a file without":            {With("tls_ca", "-----BEGIN nothing-----")},
		"a certificate and no key":  {With("tls_cert", cert), With("tls_key", cert)},
		"a key file that is not":    {With("tls_cert", cert), With("tls_key", file+".missing")},
		"a certificate that is not": {With("tls_cert", file+".missing"), With("tls_key", key)},
	} {
		_, err := Open(s.URL(), options...)
		if e := failed(t, err, errs.InvalidArgument); !strings.Contains(e.Message, "tls_") {
			t.Errorf("%s: %v", name, e)
		}
	}
	// Plain HTTP to a TLS port and the reverse.
	c := open(t, "http://"+s.HTTPAddr(), With("max_retries", 0))
	if _, _, err := c.KV.Get(background, "k"); err == nil {
		t.Error("http:// reads from a TLS port")
	}
	plain := serve(t, testserver.Config{})
	c = open(t, "https://"+plain.HTTPAddr(), With("max_retries", 0), With("timeout", 2*time.Second))
	_, _, err := c.KV.Get(background, "k")
	failed(t, err, errs.Connection)
}

// A TLS server that closes a resting connection sends a farewell first.
func TestTLSConnectionsClosedWhileTheyRest(t *testing.T) {
	ca, cert, key := authority(t)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	p := listen(t, "", func(l *link) {
		secure := tls.Server(l.Conn, &tls.Config{Certificates: []tls.Certificate{pair}})
		inner := &link{Conn: secure, peer: l.peer, n: l.n}
		inner.r = l.r
		inner.r.Reset(secure)
		for {
			a, ok := inner.next()
			if !ok {
				_ = secure.CloseWrite() // the farewell, and the TCP connection stays
				time.Sleep(100 * ms)
				return
			}
			inner.answer(a)
			_ = secure.SetReadDeadline(time.Now().Add(50 * ms))
		}
	})
	c := open(t, "https://"+p.addr(), With("tls_ca", ca), With("max_retries", 0))
	for n := range 2 {
		if _, err := c.KV.Incr(background, "k"); err != nil {
			t.Errorf("call %d: %v", n, err)
		}
		time.Sleep(80 * ms)
	}
	if p.dialed() != 2 {
		t.Errorf("%d connections", p.dialed())
	}
}

// A client certificate is sent when the server asks for one.
func TestClientCertificates(t *testing.T) {
	ca, cert, key := authority(t)
	pair, _ := tls.X509KeyPair([]byte(cert), []byte(key))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	p := listen(t, "", func(l *link) {
		secure := tls.Server(l.Conn, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots})
		inner := &link{Conn: secure, peer: l.peer, n: l.n, r: l.r}
		inner.r.Reset(secure)
		inner.sane()
	})
	c := open(t, "https://"+p.addr(), With("tls_ca", ca), With("tls_cert", cert), With("tls_key", key))
	if _, err := c.KV.Incr(background, "k"); err != nil {
		t.Error(err)
	}
	c = open(t, "https://"+p.addr(), With("tls_ca", ca), With("max_retries", 0))
	_, err := c.KV.Incr(background, "k")
	failed(t, err, errs.Connection)
}
