package core

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

// natively runs a test over both native wires of a server.
func natively(t *testing.T, f func(t *testing.T, c *Client, s *testserver.Server)) {
	for _, scheme := range []string{"synap", "resp3"} {
		t.Run(scheme, func(t *testing.T) {
			s := serve(t, testserver.Config{RPC: "127.0.0.1:0", RESP3: "127.0.0.1:0"})
			address := s.RPCURL()
			if scheme == "resp3" {
				address = s.RESP3URL()
			}
			f(t, open(t, address), s)
		})
	}
}

// Every typed method that a native wire has a form for.
func TestEveryNativeMethodRuns(t *testing.T) {
	natively(t, func(t *testing.T, c *Client, _ *testserver.Server) {
		ctx := background
		rpc := c.cfg.RPC()
		check := func(what string, want, got any, err error) {
			t.Helper()
			if err != nil || fmt.Sprint(want) != fmt.Sprint(got) {
				t.Errorf("%s: %v, not %v (%v)", what, got, want, err)
			}
		}
		ok, err := c.KV.Set(ctx, "k", "v", &KVSetOptions{TTL: 100})
		check("set", true, ok, err)
		ttl, _, err := c.KV.TTL(ctx, "k")
		check("ttl", true, ttl > 90, err)
		binary := "\xff\x00\n\r\n$-1"
		_, err = c.KV.Set(ctx, "b", binary, nil)
		check("set bytes", nil, err, nil)
		b, err := c.KV.GetBytes(ctx, "b")
		check("get_bytes", binary, string(b), err)
		s, _, err := c.KV.Get(ctx, "k")
		check("get", "v", s, err)
		_, found, err := c.KV.Get(ctx, "none")
		check("get nothing", false, found, err)
		_, err = c.KV.SetJSON(ctx, "j", map[string]any{"a": 1}, nil)
		check("set_json", nil, err, nil)
		var j map[string]int
		_, err = c.KV.GetJSON(ctx, "j", &j)
		check("get_json", "map[a:1]", j, err)
		n, err := c.KV.Incr(ctx, "n")
		check("incr", 1, n, err)
		n, err = c.KV.Incrby(ctx, "n", 1<<60)
		check("incrby", int64(1<<60+1), n, err)
		n, err = c.KV.Decrby(ctx, "n", 1<<60)
		check("decrby", 1, n, err)
		n, err = c.KV.Decr(ctx, "n")
		check("decr", 0, n, err)
		check("mset", nil, c.KV.Mset(ctx, []Pair{{"m1", "1"}, {"m2", binary}}), nil)
		check("mset nothing", nil, c.KV.Mset(ctx, nil), nil)
		values, err := c.KV.Mget(ctx, []string{"m1", "none", "m2"})
		if err != nil || len(values) != 3 || values[0].Value != "1" || values[1].Found || values[2].Value != binary {
			t.Errorf("mget: %+v %v", values, err)
		}
		values, err = c.KV.Mget(ctx, nil)
		check("mget nothing", 0, len(values), err)
		n, err = c.KV.Mdel(ctx, []string{"m1", "m2", "none"})
		check("mdel", 2, n, err)
		n, err = c.KV.Append(ctx, "a", "ab")
		check("append", 2, n, err)
		n, err = c.KV.Setrange(ctx, "a", 3, "x")
		check("setrange", 4, n, err)
		part, _, err := c.KV.Getrange(ctx, "a", 0, 1)
		check("getrange", "ab", part, err)
		_, found, err = c.KV.Getrange(ctx, "none", 0, 1)
		check("getrange nothing", false, found, err)
		n, err = c.KV.Strlen(ctx, "a")
		check("strlen", 4, n, err)
		s, _, err = c.KV.Getset(ctx, "b", "new")
		check("getset", binary, s, err)
		ok, err = c.KV.Msetnx(ctx, []Pair{{"x", "1"}, {"b", "1"}})
		check("msetnx", false, ok, err)
		ok, err = c.KV.Expire(ctx, "a", 50)
		check("expire", true, ok, err)
		ok, err = c.KV.Persist(ctx, "a")
		check("persist", true, ok, err)
		_, has, err := c.KV.TTL(ctx, "a")
		check("no ttl", false, has, err)
		_, _, err = c.KV.TTL(ctx, "none")
		failed(t, err, errs.NotFound)
		keys, err := c.KV.Scan(ctx, &KVScanOptions{Prefix: "a"})
		check("scan", "[a]", keys, err)
		keys, err = c.KV.Keys(ctx)
		check("keys", 5, len(keys), err)
		size, err := c.KV.Dbsize(ctx)
		check("dbsize", true, size >= 0, err)
		stats, err := c.KV.Stats(ctx)
		check("stats", true, stats != nil && stats.Gets > 0 && stats.HitRate > 0, err)
		ok, err = c.KV.Exists(ctx, "a")
		check("exists", true, ok, err)
		ok, err = c.KV.Delete(ctx, "a")
		check("delete", true, ok, err)
		_, found, err = c.KV.Flushdb(ctx)
		check("flushdb", false, found, err)
		_, _, err = c.KV.Flushall(ctx)
		check("flushall", nil, err, nil)

		check("create", nil, c.Queue.Create(ctx, "q", nil), nil)
		_, err = c.Queue.Publish(ctx, "q", []byte("low"), nil)
		check("publish", nil, err, nil)
		id, err := c.Queue.Publish(ctx, "q", []byte(binary), &QueuePublishOptions{Priority: Int64(9)})
		check("publish", 36, len(id), err)
		m, err := c.Queue.Consume(ctx, "q", "w")
		if err != nil || m == nil || m.MessageID != id || string(m.Payload) != binary || m.Priority != 9 || m.MaxRetries != nil {
			t.Errorf("consume: %+v %v", m, err)
		}
		// Quirk: nack's flag as text is ignored (protocol: synaprpc quirk 16).
		check("nack", nil, c.Queue.Nack(ctx, "q", id, &QueueNackOptions{Requeue: Bool(false)}), nil)
		qs, err := c.Queue.Stats(ctx, "q")
		check("queue stats", "0 1", fmt.Sprint(qs.DeadLettered, " ", qs.Nacked), err)
		m, err = c.Queue.Consume(ctx, "q", "w")
		check("consume", "low", string(m.Payload), err)
		check("ack", nil, c.Queue.Ack(ctx, "q", m.MessageID), nil)
		m, err = c.Queue.Consume(ctx, "q", "w")
		check("empty", true, m == nil, err)
		_, err = c.Queue.Consume(ctx, "nowhere", "w")
		failed(t, err, errs.NotFound)
		names, err := c.Queue.List(ctx)
		check("list", "[q]", names, err)
		n, err = c.Queue.Purge(ctx, "q")
		check("purge", 0, n, err)
		ok, err = c.Queue.Delete(ctx, "q")
		check("delete queue", true, ok, err)

		check("create room", nil, c.Stream.Create(ctx, "r", nil), nil)
		failed(t, c.Stream.Create(ctx, "r", nil), errs.AlreadyExists)
		ok, err = c.Stream.GetOrCreate(ctx, "r")
		check("get_or_create", false, ok, err)
		n, err = c.Stream.Publish(ctx, "r", "e", []any{1, "x"})
		check("publish event", 0, n, err)
		events, err := c.Stream.Consume(ctx, "r", "s", &StreamConsumeOptions{Limit: Int64(10)})
		if err != nil || len(events) != 1 || events[0].Event != "e" || events[0].Data.String() != `[1,"x"]` {
			t.Errorf("%+v %v", events, err)
		}
		rs, err := c.Stream.Stats(ctx, "r")
		if err != nil || rs.Name != "r" || rs.MessageCount != 1 || rs.TotalConsumed != nil {
			t.Errorf("%+v %v", rs, err)
		}
		names, err = c.Stream.List(ctx)
		check("rooms", "[r]", names, err)
		check("delete room", nil, c.Stream.Delete(ctx, "r"), nil)
		failed(t, c.Stream.Delete(ctx, "r"), errs.NotFound)

		p, err := c.PubSub.Publish(ctx, "t", "hello", nil)
		check("publish", int64(0), p.SubscribersMatched, err)
		names, err = c.PubSub.Topics(ctx)
		check("topics", "[]", names, err)
		_, err = c.PubSub.Stats(ctx)
		if rpc {
			check("pubsub stats", nil, err, nil)
		} else {
			failed(t, err, errs.Unsupported)
		}
	})
}

// Raw commands keep the envelope's names, payloads and replies.
func TestRawCommandsOnNativeWires(t *testing.T) {
	natively(t, func(t *testing.T, c *Client, _ *testserver.Server) {
		for _, step := range []struct{ name, payload, want string }{
			{"kv.set", `{"key":"k","value":{"b":1,"a":2.0},"ttl":50}`, `{"success":true}`},
			{"kv.get", `{"key":"k"}`, `"{\"a\":2.0,\"b\":1}"`},
			{"kv.incr", `{"key":"n","amount":5}`, `{"value":5}`},
			{"kv.incr", `{"key":"n"}`, `{"value":6}`},
			{"kv.exists", `{"key":"n"}`, `{"exists":true}`},
			{"kv.mset", `{"pairs":[{"key":"m","value":"x"}]}`, `{"success":true}`},
			{"kv.mget", `{"keys":["m","none"]}`, `{"values":["x",null]}`},
			{"kv.scan", `{"prefix":"m"}`, `{"keys":["m"],"count":1}`},
			{"kv.del", `{"key":"m"}`, `{"deleted":true}`},
			{"queue.create", `{"name":"q"}`, `{"success":true}`},
			{"queue.publish", `{"queue":"q","payload":[0,255]}`, ""},
			{"queue.list", `{}`, `{"queues":["q"]}`},
			{"kv.mget", `{"keys":[]}`, `{"values":[]}`},
			{"kv.mset", `{"pairs":[]}`, `{"success":true}`},
			{"kv.set", `{"key":"null","value":null}`, `{"success":true}`},
			{"kv.get", `{"key":"null"}`, `"null"`},
			{"queue.delete", `{"name":"other"}`, `{"deleted":false}`},
			{"stream.get_or_create", `{"room":"g"}`, `{"created":true,"success":true,"room":"g"}`},
			{"stream.create", `{"room":"r"}`, `{"success":true,"room":"r"}`},
			{"stream.publish", `{"room":"r","event":"e","data":[1]}`, `{"offset":0,"room":"r"}`},
			{"stream.delete", `{"room":"r"}`, `{"success":true,"deleted":"r"}`},
		} {
			p, err := value.ParseJSON(step.payload)
			if err != nil {
				t.Fatal(err)
			}
			v, err := c.Command(background, step.name, p)
			want, _ := value.ParseJSON(step.want)
			if got, _ := value.AppendJSON(nil, v); err != nil || (step.want != "" && !value.Equal(v, want)) {
				t.Errorf("%s %s: %s, not %s (%v)", step.name, step.payload, got, step.want, err)
			}
		}
		v, err := c.Command(background, "queue.consume", value.Map(value.Str("queue"), value.Str("q"), value.Str("consumer_id"), value.Str("w")))
		if s, ok := v.Field("message").Field("payload").AsByteArray(); err != nil || !ok || s != "\x00\xff" {
			t.Errorf("%v %v", v, err)
		}
		_, err = c.Command(background, "kv.get", value.Map())
		failed(t, err, errs.InvalidArgument)
		_, err = c.Command(background, "kv.get", value.Map(value.Str("key"), value.Int(1)))
		failed(t, err, errs.InvalidArgument)
		// Quirk: a negative TTL is taken as a huge one (protocol: synaprpc quirk 3).
		_, err = c.Command(background, "kv.expire", value.Map(value.Str("key"), value.Str("k"), value.Str("ttl"), value.Int(-1)))
		failed(t, err, errs.InvalidArgument)
	})
}

// A few connections carry many calls.
func TestCallsShareNativeConnections(t *testing.T) {
	natively(t, func(t *testing.T, c *Client, _ *testserver.Server) {
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				key := fmt.Sprint("k", i)
				for n := range 20 {
					if _, err := c.KV.Set(background, key, fmt.Sprint(key, n), nil); err != nil {
						t.Error(err)
					}
					if v, _, err := c.KV.Get(background, key); err != nil || v != fmt.Sprint(key, n) {
						t.Errorf("%s: %v %v", key, v, err)
					}
				}
			})
		}
		all.Wait()
	})
}

// On stock servers pushes of an http address come over SynapRPC (protocol:
// websocket, stock).
func TestPushesOfStockServers(t *testing.T) {
	s := serve(t, testserver.Config{RPC: "127.0.0.1:0", Stock: true})
	c := open(t, s.URL(), With("push", s.RPCURL()))
	f := feed(t, c, "news.*")
	publish(t, c, "news.one", map[string]int{"a": 1})
	if m := item(t, f); m.Topic != "news.one" || m.Message.String() != `{"a":1}` {
		t.Errorf("%+v", m)
	}
	w, err := c.KV.Watch(background, []string{"a*", "b"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	for _, key := range []string{"a1", "c", "b"} {
		if _, err := c.KV.Set(background, key, "v", nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"a1", "b"} {
		if e := item(t, w); e.Key != key || e.Value != "v" || e.Event != "set" {
			t.Errorf("%+v", e)
		}
	}
	c = open(t, s.URL(), With("push", "ws"))
	_, err = c.PubSub.Subscribe(background, []string{"t"}, nil)
	failed(t, err, errs.Unsupported)
	c = open(t, s.URL(), With("push", "synap://"+unused(t)))
	_, err = c.PubSub.Subscribe(background, []string{"t"}, nil)
	failed(t, err, errs.Connection)
}

// Quirk: a subscription survives its connection on the server (protocol: synaprpc
// quirk 8), so it is ended there too, at once or after a reconnect.
func TestNativeSubscribersAreEnded(t *testing.T) {
	s := serve(t, testserver.Config{RPC: "127.0.0.1:0"})
	c := open(t, s.RPCURL())
	f := feed(t, c, "t")
	if p := publish(t, c, "t", 1); p.SubscribersMatched != 1 {
		t.Errorf("%+v", p)
	}
	item(t, f)
	f.Close()
	within(t, 2*time.Second, "nobody subscribes any more", func() bool { return publish(t, c, "t", 1).SubscribersMatched == 0 })
}

func TestNativeServerRestart(t *testing.T) {
	s := serve(t, testserver.Config{RPC: "127.0.0.1:0"})
	c := open(t, s.RPCURL(), With("backoff", "5ms"))
	f := feed(t, c, "t")
	if _, err := c.KV.Set(background, "k", "v", nil); err != nil {
		t.Fatal(err)
	}
	address, engine := s.RPCAddr(), s.Engine()
	s.Close()
	s = serve(t, testserver.Config{RPC: address, Engine: engine})
	if v, _, err := c.KV.Get(background, "k"); err != nil || v != "v" {
		t.Errorf("%v %v", v, err)
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				_, _ = c.PubSub.Publish(background, "t", "again", nil)
			}
		}
	}()
	if m := item(t, f); m.Lost != -1 {
		t.Errorf("the break is not told: %+v", m)
	}
	close(done)
	within(t, 3*time.Second, "the subscriber of before is gone", func() bool {
		return publish(t, c, "t", "more").SubscribersMatched == 1
	})
}
