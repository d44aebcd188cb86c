package wazero

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/wasm/host"
)

func nativeServer(t testing.TB, cfg testserver.Config) *testserver.Server {
	t.Helper()
	cfg.RPC, cfg.RESP3 = "127.0.0.1:0", "127.0.0.1:0"
	return server(t, cfg)
}

// natively runs a test over both native wires.
func natively(t *testing.T, cfg testserver.Config, do func(t *testing.T, h *host.Host, address string)) {
	for _, scheme := range []string{"synap", "resp3"} {
		t.Run(scheme, func(t *testing.T) {
			s := nativeServer(t, cfg)
			address := s.RPCURL()
			if scheme == "resp3" {
				address = s.RESP3URL()
			}
			do(t, newHost(t, host.Options{}), address)
		})
	}
}

func TestNativeCalls(t *testing.T) {
	natively(t, testserver.Config{}, func(t *testing.T, h *host.Host, address string) {
		c := open(t, h, address)
		call(t, c, "kv.set", str("k"), value.BytesOf("\xff\x00"), value.Int(60))
		if s, ok := call(t, c, "kv.get", str("k")).AsBlob(); !ok || s != "\xff\x00" {
			t.Errorf("%q", s)
		}
		if n, _ := call(t, c, "kv.ttl", str("k")).AsInt(); n < 58 || n > 60 {
			t.Errorf("ttl %d", n)
		}
		large := strings.Repeat("x", 5<<20)
		call(t, c, "kv.set", str("large"), str(large))
		if s, _ := call(t, c, "kv.get", str("large")).AsBlob(); s != large {
			t.Errorf("%d bytes", len(s))
		}
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { call(t, c, "kv.incr", str("n")) })
		}
		all.Wait()
		equal(t, "incr", call(t, c, "kv.get", str("n")), `"1000"`)
		_, err := c.Call(within(t, time.Second), "queue.stats", str("nowhere"))
		failure(t, err, errs.NotFound)
	})
}

func TestNativeCredentials(t *testing.T) {
	natively(t, testserver.Config{User: "root", Password: "pw", RequireAuth: true}, func(t *testing.T, h *host.Host, address string) {
		_, err := open(t, h, address).Call(within(t, 5*time.Second), "kv.get", str("k"))
		failure(t, err, errs.Unauthenticated)
		_, err = open(t, h, address, host.With("username", str("root")), host.With("password", str("no"))).Call(within(t, 5*time.Second), "kv.get", str("k"))
		failure(t, err, errs.Unauthenticated)
		call(t, open(t, h, address, host.With("username", str("root")), host.With("password", str("pw"))), "kv.set", str("k"), str("v"))
	})
}

// A server that takes the connection and says nothing.
func TestNativeTimeoutAndCancel(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := newHost(t, host.Options{})
	c := open(t, h, "synap://"+l.Addr().String())
	_, err = c.Call(within(t, 50*time.Millisecond), "kv.incr", str("k"))
	if e := failure(t, err, errs.Timeout); !e.MaybeApplied {
		t.Errorf("%+v", e)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = c.Call(ctx, "kv.incr", str("k"))
	failure(t, err, errs.Canceled)
	l.Close()
	c = open(t, h, "resp3://"+l.Addr().String(), host.With("max_retries", value.Int(0)))
	_, err = c.Call(within(t, time.Second), "kv.incr", str("k"))
	if e := failure(t, err, errs.Connection); e.MaybeApplied || !strings.Contains(e.Message, "refused") {
		t.Errorf("%+v", e)
	}
}

func TestNativeServerRestarts(t *testing.T) {
	s := nativeServer(t, testserver.Config{})
	c := open(t, newHost(t, host.Options{}), s.RPCURL())
	ctx := within(t, 10*time.Second)
	sub, err := c.Subscribe(ctx, "pubsub.subscribe", strs("t"))
	if err != nil {
		t.Fatal(err)
	}
	call(t, c, "kv.set", str("k"), str("v"))
	address := s.RPCAddr()
	s.Close()
	again, err := testserver.Start(testserver.Config{RPC: address})
	if err != nil {
		t.Skip("the port is taken: ", err)
	}
	defer again.Close()
	equal(t, "get", call(t, c, "kv.get", str("k")), "null")
	for {
		call(t, c, "pubsub.publish", str("t"), str("x"))
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		items, err := sub.Next(short, 10)
		cancel()
		if err == nil {
			if n, _ := items[0].Index(items[0].Len() - 1).AsInt(); n != -1 {
				t.Errorf("the loss is not told: %s", text(items[0]))
			}
			break
		}
		failure(t, err, errs.Timeout)
	}
}

func TestStockServerPushesOverRPC(t *testing.T) {
	s := nativeServer(t, testserver.Config{Stock: true})
	c := open(t, newHost(t, host.Options{}), s.URL(), host.With("push", str(s.RPCURL())))
	ctx := within(t, 10*time.Second)
	sub, err := c.Subscribe(ctx, "kv.watch", strs("k"))
	if err != nil {
		t.Fatal(err)
	}
	call(t, c, "kv.set", str("k"), str("v"))
	if items, err := sub.Next(ctx, 10); err != nil || len(items) != 1 {
		t.Errorf("%d items, %v", len(items), err)
	}
	sub.Close()
	_, err = open(t, newHost(t, host.Options{}), s.RESP3URL()).Subscribe(ctx, "kv.watch", strs("k"))
	failure(t, err, errs.Unsupported)
}

func TestNativeTLS(t *testing.T) {
	natively(t, testserver.Config{}, func(t *testing.T, h *host.Host, address string) {
		scheme, plain, _ := strings.Cut(address, "://")
		at, ca := tlsProxy(t, plain)
		c := open(t, h, scheme+"s://"+at, host.With("tls_ca", str(ca)))
		call(t, c, "kv.set", str("k"), str("v"))
		equal(t, "get", call(t, c, "kv.get", str("k")), `"v"`)
		_, err := open(t, h, scheme+"s://"+at, host.With("max_retries", value.Int(0))).Call(within(t, 5*time.Second), "kv.get", str("k"))
		contains(t, "error", failure(t, err, errs.Connection).Message, "tls_ca")
		call(t, open(t, h, scheme+"s://"+at, host.With("tls_insecure", value.Bool(true))), "kv.get", str("k"))
	})
}

// tlsProxy takes TLS connections and hands them on to a plain address.
func tlsProxy(t *testing.T, to string) (address, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				out, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer out.Close()
				go io.Copy(out, in)
				io.Copy(in, out)
			}()
		}
	}()
	return l.Addr().String(), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Clients leave neither goroutines nor sockets behind.
func TestNativeLeavesNothing(t *testing.T) {
	s := nativeServer(t, testserver.Config{})
	h := newHost(t, host.Options{})
	round := func() {
		for _, address := range []string{s.RPCURL(), s.RESP3URL()} {
			c := open(t, h, address)
			call(t, c, "kv.set", str("k"), str("v"))
			if strings.HasPrefix(address, "synap") {
				if _, err := c.Subscribe(within(t, time.Second), "pubsub.subscribe", strs("t")); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	round()
	time.Sleep(700 * time.Millisecond)
	before := runtime.NumGoroutine()
	for range 20 {
		round()
	}
	for end := time.Now().Add(3 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<16)
		t.Error(fmt.Sprint(n-before), " goroutines are left:\n", string(buf[:runtime.Stack(buf, true)]))
	}
}
