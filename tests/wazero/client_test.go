package wazero

import (
	"context"
	"fmt"
	"net"
	"net/http"
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

// everywhere runs a test on the embedded engine, over HTTP and over SynapRPC.
func everywhere(t *testing.T, do func(t *testing.T, c *host.Client)) {
	for name, address := range map[string]string{"memory": "memory://", "http": server(t, testserver.Config{}).URL(), "synap": nativeServer(t, testserver.Config{}).RPCURL()} {
		t.Run(name, func(t *testing.T) { do(t, open(t, newHost(t, host.Options{}), address)) })
	}
}

func TestQuickStart(t *testing.T) {
	everywhere(t, func(t *testing.T, c *host.Client) {
		equal(t, "set", call(t, c, "kv.set", str("user:1"), str("John Doe"), value.Int(3600)), "true")
		equal(t, "get", call(t, c, "kv.get", str("user:1")), `"John Doe"`)
		equal(t, "incr", call(t, c, "kv.incr", str("counter")), "1")
		equal(t, "mget", call(t, c, "kv.mget", strs("user:1", "none")), `["John Doe",null]`)
		call(t, c, "queue.create", str("jobs"))
		call(t, c, "queue.publish", str("jobs"), value.BytesOf("\x00\xff"), value.Int(5))
		m := call(t, c, "queue.consume", str("jobs"), str("w"))
		if b, _ := m.Index(1).AsBlob(); b != "\x00\xff" {
			t.Errorf("payload %q", b)
		}
		call(t, c, "queue.ack", str("jobs"), m.Index(0))
		call(t, c, "stream.create", str("room"))
		offset := call(t, c, "stream.publish", str("room"), str("e"), value.Map(str("n"), value.Int(1)))
		equal(t, "event", call(t, c, "stream.consume", str("room"), str("me"), offset).Index(0).Index(2), `{"n":1}`)
		reply, err := c.Command(within(t, time.Second), "kv.get", value.Map(str("key"), str("user:1")))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "raw", reply, `"John Doe"`)
		_, err = c.Call(within(t, time.Second), "queue.stats", str("nowhere"))
		if e := failure(t, err, errs.NotFound); e.Command != "queue.stats" {
			t.Errorf("%+v", e)
		}
	})
}

func TestSubscriptions(t *testing.T) {
	everywhere(t, func(t *testing.T, c *host.Client) {
		ctx := within(t, 10*time.Second)
		sub, err := c.Subscribe(ctx, "pubsub.subscribe", value.Array(str("news.*")))
		if err != nil {
			t.Fatal(err)
		}
		watch, err := c.Subscribe(ctx, "kv.watch", strs("k"))
		if err != nil {
			t.Fatal(err)
		}
		call(t, c, "stream.create", str("r"))
		follow, err := c.Subscribe(ctx, "stream.follow", str("r"), str("me"))
		if err != nil {
			t.Fatal(err)
		}
		waiting := make(chan string, 1)
		go func() {
			items, err := sub.Next(ctx, 10)
			waiting <- fmt.Sprint(len(items), err)
		}()
		time.Sleep(20 * time.Millisecond)
		call(t, c, "pubsub.publish", str("news.a"), str("x"))
		if got := <-waiting; got != "1 <nil>" {
			t.Errorf("%s", got)
		}
		call(t, c, "kv.set", str("k"), str("v"))
		call(t, c, "stream.publish", str("r"), str("e"), value.Int(1))
		for what, s := range map[string]*host.Subscription{"watch": watch, "follow": follow} {
			if items, err := s.Next(ctx, 10); err != nil || len(items) != 1 {
				t.Errorf("%s: %d items, %v", what, len(items), err)
			}
		}
		short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
		defer cancel()
		_, err = sub.Next(short, 10)
		if e := failure(t, err, errs.Timeout); e.Command != "pubsub.subscribe" {
			t.Errorf("%+v", e)
		}
		// A cancelled reader takes nothing with it.
		short, cancel = context.WithCancel(ctx)
		time.AfterFunc(20*time.Millisecond, cancel)
		_, err = sub.Next(short, 10)
		failure(t, err, errs.Canceled)
		call(t, c, "pubsub.publish", str("news.b"), str("x"))
		if items, err := sub.Next(ctx, 10); err != nil || len(items) != 1 {
			t.Errorf("%d items, %v", len(items), err)
		}
		sub.Close()
		sub.Close()
		_, err = sub.Next(ctx, 10)
		failure(t, err, errs.Closed)
	})
}

func TestStockServerHasNoPushes(t *testing.T) {
	c := open(t, newHost(t, host.Options{}), server(t, testserver.Config{Stock: true}).URL())
	_, err := c.Subscribe(within(t, 5*time.Second), "pubsub.subscribe", strs("t"))
	contains(t, "error", failure(t, err, errs.Unsupported).Message, "stock build")
}

func TestCredentials(t *testing.T) {
	s := server(t, testserver.Config{User: "root", Password: "pw", RequireAuth: true})
	h := newHost(t, host.Options{})
	_, err := open(t, h, s.URL()).Call(within(t, 5*time.Second), "kv.get", str("k"))
	failure(t, err, errs.Unauthenticated)
	c := open(t, h, s.URL(), host.With("username", str("root")), host.With("password", str("pw")))
	call(t, c, "kv.set", str("k"), str("v"))
	sub, err := c.Subscribe(within(t, 5*time.Second), "pubsub.subscribe", strs("t"))
	if err != nil {
		t.Fatal(err)
	}
	sub.Close()
}

func TestOptionsOfTheEnvironment(t *testing.T) {
	t.Setenv("SYNAP_URL", "memory://")
	t.Setenv("SYNAP_MAX_IN_FLIGHT", "nonsense")
	h := newHost(t, host.Options{})
	_, err := h.Open(context.Background(), "")
	contains(t, "error", failure(t, err, errs.InvalidArgument).Message, "max_in_flight")
	t.Setenv("SYNAP_MAX_IN_FLIGHT", "")
	call(t, open(t, h, ""), "kv.set", str("k"), str("v"))
}

// Clients of one memory:// name share a store wherever they are placed.
func TestNamedStores(t *testing.T) {
	h := newHost(t, host.Options{PoolSize: 3})
	var clients []*host.Client
	for range 3 {
		open(t, h, "memory://")
		clients = append(clients, open(t, h, "memory://shared"))
	}
	call(t, clients[0], "kv.set", str("k"), str("v"))
	equal(t, "get", call(t, clients[2], "kv.get", str("k")), `"v"`)
	for _, c := range clients {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "get", call(t, open(t, h, "memory://shared"), "kv.get", str("k")), "null")
}

func TestManyGoroutines(t *testing.T) {
	everywhere(t, func(t *testing.T, c *host.Client) {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					key := str(fmt.Sprint(g, ":", i))
					call(t, c, "kv.set", key, key)
					want := text(key)
					equal(t, "get", call(t, c, "kv.get", key), want)
					call(t, c, "kv.incr", str("n"))
				}
			})
		}
		wg.Wait()
		equal(t, "counter", call(t, c, "kv.get", str("n")), `"400"`)
	})
}

// hole is a server that takes connections and never answers.
func hole(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return "http://" + l.Addr().String()
}

func TestDeadlineAndCancel(t *testing.T) {
	c := open(t, newHost(t, host.Options{}), hole(t), host.With("timeout", value.Float(0.1)))
	start := time.Now()
	_, err := c.Call(context.Background(), "kv.incr", str("k")) // the client's own deadline
	if e := failure(t, err, errs.Timeout); !e.MaybeApplied {
		t.Errorf("%+v", e)
	}
	if d := time.Since(start); d < 100*time.Millisecond || d > 2*time.Second {
		t.Errorf("after %v", d)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err = c.Call(ctx, "kv.get", str("k"))
	failure(t, err, errs.Timeout)
	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = c.Call(ctx, "kv.incr", str("k"))
	if e := failure(t, err, errs.Canceled); !e.MaybeApplied || e.Command != "kv.incr" || e.Transport != "http" {
		t.Errorf("%+v", e)
	}
	_, err = c.Call(ctx, "kv.incr", str("k"))
	if e := failure(t, err, errs.Canceled); e.MaybeApplied {
		t.Errorf("%+v", e)
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	l.Close()
	c := open(t, newHost(t, host.Options{}), address, host.With("backoff", value.Float(0.001)))
	_, err = c.Call(within(t, 5*time.Second), "kv.incr", str("k"))
	if e := failure(t, err, errs.Connection); e.MaybeApplied || !e.Retryable || !strings.Contains(e.Message, "refused") {
		t.Errorf("%+v", e)
	}
	_, err = c.Subscribe(within(t, 5*time.Second), "pubsub.subscribe", strs("t"))
	failure(t, err, errs.Connection)
}

func TestReplyOverTheLimit(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: mux}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	c := open(t, newHost(t, host.Options{}), "http://"+l.Addr().String(), host.With("max_reply_bytes", value.Int(1024)))
	_, err = c.Call(within(t, 5*time.Second), "kv.get", str("k"))
	failure(t, err, errs.TooLarge)
}

// A batch whose connection breaks stops: what comes after must not overtake what
// is repeated.
func TestBatchStopsWhereItBreaks(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, r.ContentLength)
		r.Body.Read(b)
		mu.Lock()
		defer mu.Unlock()
		v, _ := value.ParseJSON(string(b))
		key, _ := v.Field("payload").Field("key").AsStr()
		if seen = append(seen, key); len(seen) == 2 {
			panic(http.ErrAbortHandler)
		}
		id, _ := v.Field("request_id").AsStr()
		fmt.Fprintf(w, `{"success":true,"request_id":%q,"payload":"x"}`, id)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: mux}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	c := open(t, newHost(t, host.Options{}), "http://"+l.Addr().String())
	equal(t, "mget", call(t, c, "kv.mget", strs("a", "b", "c")), `["x","x","x"]`)
	if got := strings.Join(seen, " "); got != "a b b c" {
		t.Errorf("the server saw %s", got)
	}
}

// A client that is closed with everything in flight: all of it ends, and no
// goroutine or connection is left.
func TestCloseWithCallsInFlight(t *testing.T) {
	address := hole(t)
	live := server(t, testserver.Config{})
	h := newHost(t, host.Options{})
	before := runtime.NumGoroutine()
	c := open(t, h, address)
	pushes := open(t, h, live.URL())
	sub, err := pushes.Subscribe(within(t, 5*time.Second), "pubsub.subscribe", strs("t"))
	if err != nil {
		t.Fatal(err)
	}
	ends := make(chan error, 100)
	for i := range 20 {
		go func() {
			_, err := c.Call(context.Background(), "kv.set", str(fmt.Sprint(i)), str("v"))
			ends <- err
		}()
	}
	go func() {
		_, err := c.Subscribe(context.Background(), "pubsub.subscribe", strs("t"))
		ends <- err
	}()
	go func() {
		_, err := sub.Next(context.Background(), 1)
		ends <- err
	}()
	time.Sleep(50 * time.Millisecond)
	for _, client := range []*host.Client{c, pushes} {
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		failure(t, client.Close(), errs.Closed)
	}
	for range 22 {
		failure(t, <-ends, errs.Closed)
	}
	_, err = c.Call(context.Background(), "kv.get", str("k"))
	failure(t, err, errs.Closed)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		// Two for the server's own, and fasthttp's cleaner of idle connections.
		if n := runtime.NumGoroutine(); n <= before+3 {
			break
		} else if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines more than before\n%s", n-before, buf[:runtime.Stack(buf, true)])
		}
	}
}

func TestCloseHost(t *testing.T) {
	h := newHost(t, host.Options{})
	c := open(t, h, hole(t))
	end := make(chan error)
	go func() {
		_, err := c.Call(context.Background(), "kv.get", str("k"))
		end <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	failure(t, <-end, errs.Closed)
	failure(t, h.Close(), errs.Closed)
	_, err := h.Open(context.Background(), "memory://")
	failure(t, err, errs.Closed)
	_, err = c.Call(context.Background(), "kv.get", str("k"))
	failure(t, err, errs.Closed)
}

// Compiled code that another process left in the directory is used again.
func TestCompilationCache(t *testing.T) {
	dir := t.TempDir()
	var took [2]time.Duration
	for i := range took {
		start := time.Now()
		h, err := host.New(context.Background(), host.Options{Module: module, CompilationCache: dir})
		if err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(start)
		h.Close()
	}
	t.Logf("compiled in %v, loaded in %v", took[0], took[1])
	if took[1] > took[0]/2 {
		t.Errorf("loading takes %v, compiling %v", took[1], took[0])
	}
	_, err := host.New(context.Background(), host.Options{Module: module, CompilationCache: "/dev/null/x"})
	failure(t, err, errs.InvalidArgument)
}
