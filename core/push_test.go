package core

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

// serve starts a test server that the test closes at its end.
func serve(t *testing.T, cfg testserver.Config) *testserver.Server {
	t.Helper()
	if cfg.HTTP == "" {
		cfg.HTTP = "127.0.0.1:0"
	}
	var s *testserver.Server
	within(t, 2*time.Second, "listening on "+cfg.HTTP, func() bool {
		var err error
		if s, err = testserver.Start(cfg); err != nil && !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
		return err == nil
	})
	t.Cleanup(func() { s.Close() })
	return s
}

// everywhere runs a test on every wire of a server and on the embedded engine.
func everywhere(t *testing.T, f func(t *testing.T, c *Client)) {
	onPushing(t, f)
	t.Run("resp3", func(t *testing.T) { f(t, open(t, serve(t, testserver.Config{RESP3: "127.0.0.1:0"}).RESP3URL())) })
}

// withEnvelope runs a test where commands have all their options.
func withEnvelope(t *testing.T, f func(t *testing.T, c *Client)) {
	t.Run("http", func(t *testing.T) { f(t, open(t, serve(t, testserver.Config{}).URL())) })
	t.Run("memory", func(t *testing.T) { f(t, open(t, "memory://")) })
}

// onPushing runs a test where pushes come.
func onPushing(t *testing.T, f func(t *testing.T, c *Client)) {
	withEnvelope(t, f)
	t.Run("synap", func(t *testing.T) { f(t, open(t, serve(t, testserver.Config{RPC: "127.0.0.1:0"}).RPCURL())) })
}

func feed(t *testing.T, c *Client, topics ...string) *Feed[PubSubMessage] {
	t.Helper()
	f, err := c.PubSub.Subscribe(background, topics, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func publish(t *testing.T, c *Client, topic string, message any) *Published {
	t.Helper()
	p, err := c.PubSub.Publish(background, topic, message, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// item waits for the next item of a feed.
func item[T any](t *testing.T, f *Feed[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, 5*time.Second)
	defer cancel()
	v, err := f.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// read is the JSON text of the next message.
func read(t *testing.T, f *Feed[PubSubMessage]) string {
	t.Helper()
	return item(t, f).Message.String()
}

// silent fails the test if anything comes.
func silent[T any](t *testing.T, f *Feed[T]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, 30*ms)
	defer cancel()
	v, err := f.Next(ctx)
	if err == nil {
		t.Fatalf("%+v came", v)
	}
	failed(t, err, errs.Timeout)
}

func TestPublishAndSubscribe(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		f := feed(t, c, "news", "sport.*", "x.#")
		options, from := &PubSubPublishOptions{Metadata: map[string]string{"from": "test"}}, "test"
		if c.wire().Native() { // no form for it there
			options, from = nil, ""
		}
		p, err := c.PubSub.Publish(background, "news", map[string]any{"b": 1, "a": []any{1.5, nil}}, options)
		if err != nil || p.SubscribersMatched != 1 || p.MessageID == "" {
			t.Fatalf("%+v %v", p, err)
		}
		m := item(t, f)
		if m.Topic != "news" || m.Message.String() != `{"a":[1.5,null],"b":1}` || m.MessageID != p.MessageID || m.Metadata["from"] != from || m.Lost != 0 || time.Since(time.Unix(m.Timestamp, 0)).Abs() > 5*time.Second {
			t.Errorf("%+v", m)
		}
		for topic, matches := range map[string]int64{"sport.tennis": 1, "sport": 0, "sport.a.b": 0, "x": 1, "x.y.z": 1, "NEWS": 0, "sport.*": 1} {
			if p := publish(t, c, topic, topic); p.SubscribersMatched != matches {
				t.Errorf("%s matches %d", topic, p.SubscribersMatched)
			}
			if matches == 1 {
				if m := item(t, f); m.Topic != topic || m.Message.String() != `"`+topic+`"` || len(m.Metadata) != 0 {
					t.Errorf("%s: %+v", topic, m)
				}
			}
		}
		for n := range 500 {
			publish(t, c, "news", n)
		}
		for n := range 500 {
			if m := item(t, f); m.Message.String() != fmt.Sprint(n) || m.Lost != 0 {
				t.Fatalf("%s after %d lost, not %d", m.Message, m.Lost, n)
			}
		}
		silent(t, f)
		f.Close()
		within(t, 2*time.Second, "nobody subscribes any more", func() bool { return publish(t, c, "news", 1).SubscribersMatched == 0 })
		_, err = f.Next(background)
		failed(t, err, errs.Closed)
	})
}

// Every JSON value comes through as it is.
func TestMessagesKeepTheirType(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		f := feed(t, c, "t")
		for _, text := range []string{`"123"`, `123`, `"null"`, `null`, `true`, `1.0`, `-0.0`, `9223372036854775807`, `18446744073709551615`, `[]`, `[0,255]`, `{}`, `{"z":1,"a":{"z":1,"a":2}}`, `""`, `"\u0000🎉"`} {
			v, err := value.ParseJSON(text)
			if err != nil {
				t.Fatal(err)
			}
			publish(t, c, "t", v)
			got := item(t, f).Message
			if c.wire().Native() { // SynapRPC sorts members (protocol: synaprpc 8)
				sorted, _ := value.AppendSortedJSON(nil, v)
				v, _ = value.ParseJSON(string(sorted))
			}
			if !value.Equal(got.Value(), v) {
				t.Errorf("%s comes as %s", text, got)
			}
		}
	})
}

func TestWatch(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		f, err := c.KV.Watch(background, []string{"user:*", "exact"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		steps := []func() error{
			func() error { _, err := c.KV.Set(background, "user:1", "Jörg", nil); return err },
			func() error { _, err := c.KV.Set(background, "other", "x", nil); return err },
			func() error { _, err := c.KV.Incrby(background, "user:n", 5); return err },
			func() error { _, err := c.KV.Append(background, "user:1", "!"); return err },
			func() error { _, err := c.KV.Set(background, "user:1", repeat("v", 65_537), nil); return err },
			func() error { _, err := c.KV.Expire(background, "user:1", 60); return err },
			func() error { _, err := c.KV.Delete(background, "user:1"); return err },
			// Anyone may publish to a watch topic; that is no event.
			func() error { _, err := c.PubSub.Publish(background, "__watch@0__:user:1", "forged", nil); return err },
			func() error { _, err := c.KV.Set(background, "exact", "", nil); return err },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []WatchEvent{
			{Key: "user:1", Event: "set", Value: "Jörg", Version: 1},
			{Key: "user:n", Event: "incrby", Value: "5", Version: 1},
			{Key: "user:1", Event: "append", Value: "Jörg!", Version: 2},
			{Key: "user:1", Event: "set", Version: 3, Truncated: true},
			{Key: "user:1", Event: "expire", Version: 4},
			{Key: "user:1", Event: "del", Version: 5},
			{Key: "exact", Event: "set", Version: 1},
		} {
			if got := item(t, f); got != want {
				t.Errorf("%+v, not %+v", got, want)
			}
		}
		silent(t, f)
	})
}

func TestSlowReadersLoseTheOldestAndAreTold(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		f, err := c.PubSub.Subscribe(background, []string{"t"}, &PubSubSubscribeOptions{Buffer: 8})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		other := feed(t, c, "t") // says when all have arrived
		const sent = 50
		for n := range sent {
			publish(t, c, "t", n)
		}
		for range sent {
			item(t, other)
		}
		// Both subscriptions are served side by side: give this one a moment.
		var m PubSubMessage
		next := int64(0)
		for next < sent {
			m = item(t, f)
			next += m.Lost
			if m.Message.String() != fmt.Sprint(next) {
				t.Fatalf("%s after %d lost, not %d", m.Message, m.Lost, next)
			}
			next++
		}
		if next != sent {
			t.Errorf("%d of %d are accounted for", next, sent)
		}
		publish(t, c, "t", "next")
		if m := item(t, f); m.Lost != 0 || m.Message.String() != `"next"` {
			t.Errorf("%s after %d lost", m.Message, m.Lost)
		}
	})
	// On the embedded engine nothing is on its way: the count is exact.
	c := open(t, "memory://")
	f, err := c.PubSub.Subscribe(background, []string{"t"}, &PubSubSubscribeOptions{Buffer: 8})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		publish(t, c, "t", n)
	}
	if m := item(t, f); m.Lost != 42 || m.Message.String() != "42" {
		t.Errorf("%s after %d lost", m.Message, m.Lost)
	}
}

// With overflow=block a server is not read from while the buffer is full: nothing
// is lost as long as it holds the rest.
func TestBlockingReadersLoseNothing(t *testing.T) {
	c := open(t, serve(t, testserver.Config{}).URL())
	f, err := c.PubSub.Subscribe(background, []string{"t"}, &PubSubSubscribeOptions{Buffer: 4, Overflow: "block"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for n := range 500 {
		publish(t, c, "t", n)
	}
	for n := range 500 {
		if m := item(t, f); m.Message.String() != fmt.Sprint(n) || m.Lost != 0 {
			t.Fatalf("%s after %d lost, not %d", m.Message, m.Lost, n)
		}
	}
	silent(t, f)
	if topics, err := c.PubSub.Topics(background); err != nil || strings.Join(topics, " ") != "t" {
		t.Errorf("the probes left topics behind: %q %v", topics, err)
	}
	// The publisher cannot wait on the embedded engine: the newest are lost, and told.
	c = open(t, "memory://")
	f, err = c.PubSub.Subscribe(background, []string{"t"}, &PubSubSubscribeOptions{Buffer: 4, Overflow: "block"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		publish(t, c, "t", n)
	}
	for n := range 4 {
		if m := item(t, f); m.Message.String() != fmt.Sprint(n) || m.Lost != 0 {
			t.Errorf("%s after %d lost, not %d", m.Message, m.Lost, n)
		}
	}
	publish(t, c, "t", "next")
	if m := item(t, f); m.Lost != 6 || m.Message.String() != `"next"` {
		t.Errorf("%s after %d lost", m.Message, m.Lost)
	}
}

// Quirk: a slow consumer is detached without its connection being closed
// (protocol: websocket, /pubsub/ws). The probe of a blocking reader notices.
func TestADetachedReaderNoticesAndConnectsAgain(t *testing.T) {
	c := open(t, serve(t, testserver.Config{}).URL(), With("backoff", 5*ms), With("timeout", time.Second))
	f, err := c.PubSub.Subscribe(background, []string{"t"}, &PubSubSubscribeOptions{Buffer: 1, Overflow: "block"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// More than the buffers of this client, the sockets and the server hold together.
	big := repeat("x", 100_000)
	dropped := func() bool {
		s, err := c.PubSub.Stats(background)
		return err == nil && s.SlowConsumersDropped != nil && *s.SlowConsumersDropped > 0
	}
	sent := 0
	for ; !dropped(); sent++ {
		if sent > 3000 {
			t.Fatal("the server drops nobody")
		}
		publish(t, c, "t", fmt.Sprint(sent, " ", big))
	}
	for n := 0; ; n++ {
		ctx, cancel := context.WithTimeout(background, 50*ms)
		m, err := f.Next(ctx)
		cancel()
		if err != nil { // the backlog is read; what comes now goes to nobody yet
			publish(t, c, "t", "probe")
			continue
		}
		if m.Lost == 0 {
			continue
		}
		if m.Lost != -1 || n == 0 {
			t.Errorf("message %d says that %d were lost", n, m.Lost)
		}
		break
	}
}

func TestSubscriptionsSurviveARestart(t *testing.T) {
	s := serve(t, testserver.Config{})
	var back atomic.Int64
	c := open(t, s.URL(), With("backoff", 5*ms), WithLog(func(_ int, m string) {
		if strings.HasSuffix(m, "is back") {
			back.Add(1)
		}
	}))
	f := feed(t, c, "t.*")
	publish(t, c, "t.1", 1)
	if m := item(t, f); m.Lost != 0 {
		t.Errorf("%+v", m)
	}
	publish(t, c, "t.1", 2)
	for round := range int64(2) {
		s.Close()
		time.Sleep(30 * ms) // some attempts fail
		s = serve(t, testserver.Config{HTTP: s.HTTPAddr()})
		within(t, 5*time.Second, "the subscription is back", func() bool { return back.Load() == round+1 })
		publish(t, c, "t.1", "after")
		m := item(t, f)
		if m.Message.String() == "2" && round == 0 { // it had come before
			m = item(t, f)
		}
		if m.Message.String() != `"after"` || m.Lost != -1 {
			t.Errorf("%s after %d lost", m.Message, m.Lost)
		}
		publish(t, c, "t.1", "more")
		if m := item(t, f); m.Message.String() != `"more"` || m.Lost != 0 {
			t.Errorf("%s after %d lost", m.Message, m.Lost)
		}
	}
}

// A server that comes back and does not want us any more ends the subscription.
func TestSubscriptionsEndWhenTheServerRefusesThem(t *testing.T) {
	s := serve(t, testserver.Config{})
	c := open(t, s.URL(), With("backoff", 5*ms))
	f := feed(t, c, "t")
	s.Close()
	serve(t, testserver.Config{HTTP: s.HTTPAddr(), User: "root", Password: "pw", RequireAuth: true})
	ctx, cancel := context.WithTimeout(background, 5*time.Second)
	defer cancel()
	_, err := f.Next(ctx)
	failed(t, err, errs.Unauthenticated)
}

func TestCloseWhileWaiting(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		if err := c.Stream.Create(background, "room", nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Queue.Create(background, "queue", nil); err != nil {
			t.Fatal(err)
		}
		waiting := func(start func() (interface{ Close() }, func(context.Context) error)) {
			t.Helper()
			f, next := start()
			result := make(chan error, 1)
			go func() { result <- next(background) }()
			time.Sleep(20 * ms)
			promptly(t, func() {
				f.Close()
				failed(t, <-result, errs.Closed)
			})
			f.Close() // once more is harmless
		}
		waiting(func() (interface{ Close() }, func(context.Context) error) {
			f := feed(t, c, "t")
			return f, func(ctx context.Context) error { _, err := f.Next(ctx); return err }
		})
		waiting(func() (interface{ Close() }, func(context.Context) error) {
			f, err := c.Stream.Follow(background, "room", "me", nil)
			if err != nil {
				t.Fatal(err)
			}
			return f, func(ctx context.Context) error { _, err := f.Next(ctx); return err }
		})
		waiting(func() (interface{ Close() }, func(context.Context) error) {
			f, err := c.Queue.Follow(background, "queue", "me", nil)
			if err != nil {
				t.Fatal(err)
			}
			return f, func(ctx context.Context) error { _, err := f.Next(ctx); return err }
		})
		// Closing the client ends them all.
		f := feed(t, c, "t")
		result := make(chan error, 1)
		go func() { _, err := f.Next(background); result <- err }()
		time.Sleep(10 * ms)
		promptly(t, func() {
			c.Close()
			failed(t, <-result, errs.Closed)
		})
	})
}

func TestReadersThatGiveUpLoseNothing(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		f := feed(t, c, "t")
		for n := range 20 {
			ctx, cancel := context.WithCancel(background)
			time.AfterFunc(time.Duration(n%3)*ms, cancel)
			if n%2 == 0 {
				publish(t, c, "t", n)
			}
			if m, err := f.Next(ctx); err == nil {
				if m.Lost != 0 {
					t.Errorf("%+v", m)
				}
				publish(t, c, "t", "again") // keep the count
			} else {
				failed(t, err, errs.Canceled)
			}
			cancel()
		}
		// What was published and not read yet is all there, in order.
		publish(t, c, "t", "last")
		for last := -1; ; {
			m := item(t, f)
			if m.Lost != 0 {
				t.Errorf("%+v", m)
			}
			if m.Message.String() == `"last"` {
				break
			}
			if n := 0; m.Message.Decode(&n) == nil {
				if n <= last {
					t.Errorf("%d after %d", n, last)
				}
				last = n
			}
		}
	})
}

// Quirk: the stock build answers every upgrade with 500 (protocol: websocket).
func TestStockServersHaveNoPushChannel(t *testing.T) {
	c := open(t, serve(t, testserver.Config{Stock: true}).URL())
	_, err := c.PubSub.Subscribe(background, []string{"t"}, nil)
	e := failed(t, err, errs.Unsupported)
	if !strings.Contains(e.Message, "stock build") || !strings.Contains(e.Message, "stream.follow") || e.Command != "pubsub.subscribe" || e.Retryable {
		t.Errorf("%+v", e)
	}
	_, err = c.KV.Watch(background, []string{"k"}, nil)
	failed(t, err, errs.Unsupported)
	// Following by polling works all the same.
	if _, err := c.Stream.GetOrCreate(background, "room"); err != nil {
		t.Fatal(err)
	}
	f, err := c.Stream.Follow(background, "room", "me", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := c.Stream.Publish(background, "room", "e", 1); err != nil {
		t.Fatal(err)
	}
	if e := item(t, f); e.Offset != 0 {
		t.Errorf("%+v", e)
	}
}

func TestSubscriptionsThatCannotBeOpened(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		_, err := c.PubSub.Subscribe(background, []string{"a.#.b"}, nil)
		if e := failed(t, err, errs.InvalidArgument); !strings.Contains(e.Message, "#") || e.Command != "pubsub.subscribe" {
			t.Errorf("%+v", e)
		}
		for _, topics := range [][]string{nil, {}, {""}, {"ok", ""}} {
			_, err := c.PubSub.Subscribe(background, topics, nil)
			failed(t, err, errs.InvalidArgument)
		}
		_, err = c.PubSub.Subscribe(background, []string{"t"}, &PubSubSubscribeOptions{Overflow: "explode"})
		failed(t, err, errs.InvalidArgument)
		_, err = c.PubSub.Subscribe(background, []string{"t"}, &PubSubSubscribeOptions{Buffer: -1})
		failed(t, err, errs.InvalidArgument)
		_, err = c.Stream.Follow(background, "nowhere", "me", nil)
		if e := failed(t, err, errs.NotFound); e.Command != "stream.follow" {
			t.Errorf("%+v", e)
		}
		_, err = c.Queue.Follow(background, "nowhere", "me", nil)
		failed(t, err, errs.NotFound)
		_, err = c.Subscribe(background, cmdKVGet, value.Str("k"))
		failed(t, err, errs.InvalidArgument)
	})
	s := serve(t, testserver.Config{User: "root", Password: "pw", RequireAuth: true})
	c := open(t, s.URL())
	_, err := c.PubSub.Subscribe(background, []string{"t"}, nil)
	failed(t, err, errs.Unauthenticated)
	c = open(t, s.URL(), With("username", "root"), With("password", "pw"))
	feed(t, c, "t")
	// Quirk: the list is cut at commas (protocol: websocket, /pubsub/ws).
	_, err = c.PubSub.Subscribe(background, []string{"a,b"}, nil)
	failed(t, err, errs.InvalidArgument)
	_, err = Open(s.URL(), With("push", "smoke"))
	failed(t, err, errs.InvalidArgument)
	c = open(t, "http://"+unused(t))
	_, err = c.PubSub.Subscribe(background, []string{"t"}, nil)
	if e := failed(t, err, errs.Connection); !e.Retryable {
		t.Errorf("%+v", e)
	}
}

// A server that takes the upgrade and says nothing, or answers something else.
func TestPushChannelsThatDoNotStart(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		code   errs.Code
	}{
		"no answer at all": {"", errs.Timeout},
		"garbage":          {"garbage\r\n\r\n", errs.Connection},
		"not found":        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", errs.Protocol},
		"unavailable":      {"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", errs.Server},
	} {
		p := listen(t, "", func(l *link) {
			if _, err := http.ReadRequest(l.r); err == nil {
				if c.answer == "" {
					l.hang()
				}
				l.send(c.answer)
			}
		})
		patience := 10 * time.Second
		if c.code == errs.Timeout {
			patience = 100 * ms
		}
		client, patient := open(t, p.url(), With("timeout", patience)), open(t, p.url(), With("timeout", 30*time.Second))
		promptly(t, func() {
			_, err := client.PubSub.Subscribe(background, []string{"t"}, nil)
			if e := failed(t, err, c.code); e.Command != "pubsub.subscribe" {
				t.Errorf("%s: %+v", name, e)
			}
		})
		if c.answer == "" {
			took(t, 30*ms, 300*ms, func() {
				ctx, cancel := context.WithCancel(background)
				time.AfterFunc(30*ms, cancel)
				_, err := patient.PubSub.Subscribe(ctx, []string{"t"}, nil)
				failed(t, err, errs.Canceled)
			})
		}
		p.close()
	}
}

func TestRangingOverAFeed(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		f := feed(t, c, "t")
		for n := range 3 {
			publish(t, c, "t", n)
		}
		var got []string
		for m, err := range f.All(background) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, m.Message.String()); len(got) == 3 {
				break
			}
		}
		if strings.Join(got, " ") != "0 1 2" {
			t.Error(got)
		}
		_, err := f.Next(background) // the loop has closed it
		failed(t, err, errs.Closed)
		ctx, cancel := context.WithTimeout(background, 20*ms)
		defer cancel()
		for m, err := range feed(t, c, "t").All(ctx) {
			t.Errorf("%+v %v", m, err)
		}
	})
}
