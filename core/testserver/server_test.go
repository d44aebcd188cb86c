package testserver

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	if cfg.HTTP == "" {
		cfg.HTTP = "127.0.0.1:0"
	}
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// plain is a client that neither asks for compression nor follows anything.
var plain = &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: 10 * time.Second}

func ask(t testing.TB, s *Server, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := plain.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	s := start(t, Config{})
	resp, body := ask(t, s, "HEAD", "/health", "")
	if resp.StatusCode != 200 || body != "" || resp.ContentLength <= 0 {
		t.Errorf("%d %q, length %d", resp.StatusCode, body, resp.ContentLength)
	}
}

// A reply of 31 bytes stays as it is, one of 32 is compressed.
func TestCompressionFromThirtyTwoBytes(t *testing.T) {
	s := start(t, Config{})
	for text, want := range map[string]bool{strings.Repeat("x", 29): false, strings.Repeat("x", 30): true} {
		ask(t, s, "POST", "/kv/set", `{"key":"gzip","value":"`+text+`"}`)
		resp, _ := ask(t, s, "GET", "/kv/get/gzip", "", "Accept-Encoding", "gzip")
		if got := resp.Header.Get("Content-Encoding") == "gzip"; got != want || (resp.Header.Get("Vary") != "") != want {
			t.Errorf("%d bytes: compressed %v, vary %q", len(text)+2, got, resp.Header.Get("Vary"))
		}
	}
}

// A body far over the limit is refused without being read, even if the client
// does not say how long it is.
func TestHugeBodies(t *testing.T) {
	s := start(t, Config{})
	conn, err := net.Dial("tcp", s.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /api/v1/command HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999999\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	reply, _ := io.ReadAll(conn)
	if !bytes.HasPrefix(reply, []byte("HTTP/1.1 413 ")) || !bytes.HasSuffix(reply, []byte(tooLarge)) {
		t.Errorf("%s", reply)
	}
}

// Keys of any length travel in paths.
func TestLongPaths(t *testing.T) {
	s := start(t, Config{})
	key := strings.Repeat("k", 30_000)
	if resp, body := ask(t, s, "GET", "/kv/get/"+key, ""); resp.StatusCode != 200 || body != `{"error":"Key not found"}` {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// A key that is fixed at the start works like any, and is no administrator.
func TestPresetKey(t *testing.T) {
	s := start(t, Config{APIKey: "preset-key", RequireAuth: true})
	for _, test := range []struct {
		path, key string
		status    int
	}{
		{"/kv/stats", "preset-key", 200}, {"/info", "preset-key", 200}, {"/kv/stats", "other", 401}, {"/auth/users", "preset-key", 400}, {"/metrics", "other", 200},
	} {
		if resp, body := ask(t, s, "GET", test.path, "", "Authorization", "Bearer "+test.key); resp.StatusCode != test.status {
			t.Errorf("%s with %s: %d %s", test.path, test.key, resp.StatusCode, body)
		}
	}
}

// Seconds beyond what a date can hold stop the real server; here they are refused.
func TestKeyExpiryOutOfRange(t *testing.T) {
	s := start(t, Config{})
	for seconds, want := range map[string]int{"9000000000000": 400, "9223372036854775807": 400, "9223372036854775808": 400, "18446744073709551615": 200, "60": 200} {
		if resp, body := ask(t, s, "POST", "/auth/keys", `{"name":"k","expires_in_seconds":`+seconds+`}`); resp.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", seconds, resp.StatusCode, body, want)
		}
	}
}

func TestTLS(t *testing.T) {
	cert, key := selfSigned(t)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	os.WriteFile(certFile, cert, 0o600)
	os.WriteFile(keyFile, key, 0o600)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: 5 * time.Second}
	for _, cfg := range []Config{{TLSCert: string(cert), TLSKey: string(key)}, {TLSCert: certFile, TLSKey: keyFile}} {
		s := start(t, cfg)
		resp, err := client.Get(s.URL() + "/health")
		if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(s.URL(), "https://") {
			t.Errorf("%v %v", resp, err)
		}
	}
	if _, err := Start(Config{HTTP: "127.0.0.1:0", TLSCert: "no such file", TLSKey: keyFile}); err == nil {
		t.Error("started without a certificate")
	}
}

func selfSigned(t *testing.T) (cert, key []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: text})
}

// Close ends idle connections, half-sent requests and WebSockets at once, and no
// goroutine of the server stays.
func TestCloseEndsEverything(t *testing.T) {
	plain.CloseIdleConnections()
	before := settled(0)
	s := start(t, Config{})
	addr := s.HTTPAddr()
	idle := dial(t, addr)
	io.WriteString(idle, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
	readSome(t, idle)
	half := dial(t, addr)
	io.WriteString(half, "POST /api/v1/command HTTP/1.1\r\nContent-Le")
	sockets := []net.Conn{upgrade(t, addr, "/pubsub/ws?topics=a"), upgrade(t, addr, "/queue/q/ws/c"), upgrade(t, addr, "/kv/ws?keys=k")}

	began := time.Now()
	s.Close()
	if took := time.Since(began); took > time.Second {
		t.Errorf("Close took %v", took)
	}
	for _, conn := range append(sockets, idle, half) {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := io.Copy(io.Discard, conn); os.IsTimeout(err) {
			t.Error("a connection is still open")
		}
		conn.Close()
	}
	if _, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		t.Error("the port is still open")
	}
	if after := settled(before); after > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after\n%s", before, after, buf[:runtime.Stack(buf, true)])
	}
	s.Close() // again is harmless
}

// settled waits for goroutines that are on their way out.
func settled(want int) int {
	for range 30 {
		if runtime.NumGoroutine() <= want {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// upgrade opens a WebSocket and reads up to its welcome.
func upgrade(t *testing.T, addr, path string) net.Conn {
	t.Helper()
	conn := dial(t, addr)
	io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	var got []byte
	for !bytes.Contains(got, []byte("connected")) {
		got = append(got, readSome(t, conn)...)
	}
	return conn
}

func readSome(t *testing.T, conn net.Conn) []byte {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}
