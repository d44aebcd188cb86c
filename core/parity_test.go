package core

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
)

// families finds the typed namespaces of a client by the names of the table.
func familiesOf(c *Client) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	v := reflect.ValueOf(c).Elem().FieldByName("families")
	for i := range v.NumField() {
		out[strings.ToLower(v.Type().Field(i).Name)] = reflect.ValueOf(c).Elem().FieldByName(v.Type().Field(i).Name)
	}
	return out
}

// plain is a name without what distinguishes spellings.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// Every entry of the table is a method, every method is an entry, and the types of
// arguments and results are those that the entry names.
func TestTypedMethodsAreTheTable(t *testing.T) {
	found := familiesOf(open(t, "memory://"))
	if len(found) != len(command.Families) {
		t.Errorf("%d namespaces for %d families", len(found), len(command.Families))
	}
	params := map[command.Type]string{command.String: "string", command.Blob: "string", command.Bytes: "[]uint8", command.JSON: "interface {}", command.Int: "int64", command.Uint: "int64", command.Float: "float64", command.Bool: "bool",
		command.StringList: "[]string", command.Pairs: "[]core.Pair", command.StringMap: "map[string]string",
		command.BlobList: "[]string", command.FloatList: "[]float64", command.Places: "[]core.Place"}
	for _, family := range command.Families {
		v, ok := found[family.Name]
		if !ok {
			t.Errorf("no namespace for %s", family.Name)
			continue
		}
		methods := map[string]reflect.Method{}
		for i := range v.Type().NumMethod() {
			m := v.Type().Method(i)
			methods[plain(m.Name)] = m
		}
		for i := range family.Commands {
			c := &family.Commands[i]
			m, ok := methods[plain(c.Method())]
			if !ok {
				t.Errorf("no method for %s", c.Name)
				continue
			}
			delete(methods, plain(c.Method()))
			want := []string{"context.Context"}
			optional := 0
			for _, a := range c.Args {
				if a.Required {
					want = append(want, params[a.Type])
				} else {
					optional++
				}
			}
			var got []string
			for n := 1; n < m.Type.NumIn(); n++ {
				in := m.Type.In(n)
				if in.Kind() == reflect.Pointer && in.Elem().Kind() == reflect.Struct {
					if in.Elem().NumField() != optional {
						t.Errorf("%s: %d options for %d optional arguments", c.Name, in.Elem().NumField(), optional)
					}
					optional = 0
					continue
				}
				got = append(got, in.String())
			}
			if c.Reply.Kind == command.ReplyJSONOrNil { // the variable to fill
				got = got[:len(got)-1]
			}
			if !slices.Equal(got, want) || optional != 0 {
				t.Errorf("%s takes %v, not %v and %d options", c.Name, got, want, optional)
			}
			if out := m.Type.Out(m.Type.NumOut() - 1).String(); out != "error" {
				t.Errorf("%s returns no error but %s", c.Name, out)
			}
			results := map[command.ReplyKind]string{command.ReplyNothing: "", command.ReplyBool: "bool", command.ReplyInt: "int64", command.ReplyIntOrNil: "int64 bool", command.ReplyString: "string",
				command.ReplyBlobOrNil: "string bool", command.ReplyBytesOrNil: "[]uint8", command.ReplyJSONOrNil: "bool", command.ReplyStrings: "[]string", command.ReplyBlobs: "[]core.MaybeString",
				command.ReplyFloat: "float64", command.ReplyMap: "map[string]string", command.ReplyBools: "[]bool", command.ReplyJSON: "core.JSON",
				command.ReplyFloatOrNil: "float64 bool", command.ReplyFloats: "[]*float64", command.ReplyInts: "[]int64", command.ReplyValues: "[]string"}
			var outs []string
			for n := range m.Type.NumOut() - 1 {
				outs = append(outs, m.Type.Out(n).String())
			}
			if r := c.Reply.Record; r != nil {
				record := map[command.ReplyKind]string{command.ReplyRecord: "*core.%s", command.ReplyRecordOrNil: "*core.%s", command.ReplyRecords: "[]core.%s", command.ReplyMaybeRecords: "[]*core.%s"}[c.Reply.Kind]
				if record == "" {
					record = "*core.Feed[github.com/libsynap/libsynap/core.%s]"
				}
				results[c.Reply.Kind] = fmt.Sprintf(record, r.Name)
			}
			if got := strings.Join(outs, " "); got != results[c.Reply.Kind] {
				t.Errorf("%s returns %s, not %s", c.Name, got, results[c.Reply.Kind])
			}
		}
		for _, m := range methods {
			t.Errorf("%s.%s is in no entry", family.Name, m.Name)
		}
	}
}

// Every typed method runs, on a server and on the engine, and says what its entry
// promises. The list is checked against the table: none is left out.
func TestEveryTypedMethodRuns(t *testing.T) {
	withEnvelope(t, func(t *testing.T, c *Client) {
		ctx := background
		called := map[string]bool{}
		run := func(name string, f func() error) {
			t.Helper()
			called[name] = true
			if err := f(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		expect := func(name string, want any, got any, err error) {
			t.Helper()
			called[name] = true
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, not %+v (%v)", name, got, want, err)
			}
		}
		two := func(s string, ok bool) string { return fmt.Sprint(s, " ", ok) }

		ok, err := c.KV.Set(ctx, "k", "value", nil)
		expect("kv.set", true, ok, err)
		ok, err = c.KV.SetJSON(ctx, "j", []int{1}, &KVSetJSONOptions{TTL: 100})
		expect("kv.set_json", true, ok, err)
		s, found, err := c.KV.Get(ctx, "k")
		expect("kv.get", "value true", two(s, found), err)
		s, found, err = c.KV.Get(ctx, "missing")
		expect("kv.get", " false", two(s, found), err)
		b, err := c.KV.GetBytes(ctx, "k")
		expect("kv.get_bytes", []byte("value"), b, err)
		b, err = c.KV.GetBytes(ctx, "missing")
		expect("kv.get_bytes", []byte(nil), b, err)
		var list []int
		found, err = c.KV.GetJSON(ctx, "j", &list)
		expect("kv.get_json", "[1] true", fmt.Sprint(list, found), err)
		ok, err = c.KV.Exists(ctx, "k")
		expect("kv.exists", true, ok, err)
		n, err := c.KV.Incr(ctx, "n")
		expect("kv.incr", int64(1), n, err)
		n, err = c.KV.Incrby(ctx, "n", 10)
		expect("kv.incrby", int64(11), n, err)
		n, err = c.KV.Decr(ctx, "n")
		expect("kv.decr", int64(10), n, err)
		n, err = c.KV.Decrby(ctx, "n", 4)
		expect("kv.decrby", int64(6), n, err)
		run("kv.mset", func() error { return c.KV.Mset(ctx, []Pair{{"a", "1"}, {"b", "2"}}) })
		values, err := c.KV.Mget(ctx, []string{"a", "x", "b"})
		expect("kv.mget", []MaybeString{{"1", true}, {"", false}, {"2", true}}, values, err)
		n, err = c.KV.Mdel(ctx, []string{"a", "x", "b"})
		expect("kv.mdel", int64(2), n, err)
		n, err = c.KV.Append(ctx, "k", "!")
		expect("kv.append", int64(6), n, err)
		s, found, err = c.KV.Getrange(ctx, "k", 1, -2)
		expect("kv.getrange", "alue true", two(s, found), err)
		s, found, err = c.KV.Getrange(ctx, "k", 5, 2)
		expect("kv.getrange", " false", two(s, found), err)
		n, err = c.KV.Setrange(ctx, "k", 5, "?")
		expect("kv.setrange", int64(6), n, err)
		n, err = c.KV.Strlen(ctx, "k")
		expect("kv.strlen", int64(6), n, err)
		s, found, err = c.KV.Getset(ctx, "k", "new")
		expect("kv.getset", "value? true", two(s, found), err)
		ok, err = c.KV.Msetnx(ctx, []Pair{{"c", "3"}, {"d", "4"}})
		expect("kv.msetnx", true, ok, err)
		ok, err = c.KV.Expire(ctx, "c", 100)
		expect("kv.expire", true, ok, err)
		n, found, err = c.KV.TTL(ctx, "c")
		expect("kv.ttl", true, found && n >= 98 && n <= 100, err)
		_, _, err = c.KV.TTL(ctx, "missing")
		failed(t, err, errs.NotFound)
		ok, err = c.KV.Persist(ctx, "c")
		expect("kv.persist", true, ok, err)
		keys, err := c.KV.Scan(ctx, &KVScanOptions{Prefix: "c"})
		expect("kv.scan", []string{"c"}, keys, err)
		keys, err = c.KV.Keys(ctx)
		slices.Sort(keys)
		expect("kv.keys", []string{"c", "d", "j", "k", "n"}, keys, err)
		n, err = c.KV.Dbsize(ctx)
		expect("kv.dbsize", true, n > 0, err)
		stats, err := c.KV.Stats(ctx)
		expect("kv.stats", true, stats != nil && stats.Gets > 0 && stats.Sets > 0 && stats.Hits > 0 && stats.HitRate > 0 && stats.TotalMemoryBytes > 0, err)
		ok, err = c.KV.Delete(ctx, "k")
		expect("kv.delete", true, ok, err)
		ok, err = c.KV.Delete(ctx, "k")
		expect("kv.delete", false, ok, err)
		watch, err := c.KV.Watch(ctx, []string{"w"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.KV.Set(ctx, "w", "1", nil)
		expect("kv.watch", WatchEvent{Key: "w", Event: "set", Value: "1", Version: 1}, item(t, watch), nil)
		_, found, err = c.KV.Flushdb(ctx)
		expect("kv.flushdb", true, found, err)
		n, found, err = c.KV.Flushall(ctx)
		expect("kv.flushall", "0 true", fmt.Sprint(n, " ", found), err)

		run("queue.create", func() error { return c.Queue.Create(ctx, "q", nil) })
		id, err := c.Queue.Publish(ctx, "q", []byte("x"), nil)
		expect("queue.publish", 36, len(id), err)
		m, err := c.Queue.Consume(ctx, "q", "w")
		expect("queue.consume", id, m.MessageID, err)
		run("queue.nack", func() error { return c.Queue.Nack(ctx, "q", id, nil) })
		follow, err := c.Queue.Follow(ctx, "q", "w", nil)
		if err != nil {
			t.Fatal(err)
		}
		expect("queue.follow", int64(1), item(t, follow).RetryCount, nil)
		run("queue.ack", func() error { return c.Queue.Ack(ctx, "q", id) })
		qs, err := c.Queue.Stats(ctx, "q")
		expect("queue.stats", &QueueStats{Published: 1, Consumed: 2, Acked: 1, Nacked: 1}, qs, err)
		names, err := c.Queue.List(ctx)
		expect("queue.list", []string{"q"}, names, err)
		c.Queue.Publish(ctx, "q", []byte("x"), nil)
		n, err = c.Queue.Purge(ctx, "q")
		expect("queue.purge", int64(1), n, err)
		ok, err = c.Queue.Delete(ctx, "q")
		expect("queue.delete", true, ok, err)
		ok, err = c.Queue.Delete(ctx, "q")
		expect("queue.delete", false, ok, err)

		run("stream.create", func() error {
			return c.Stream.Create(ctx, "r", &StreamCreateOptions{Partitions: 1, RetentionHours: 24})
		})
		ok, err = c.Stream.GetOrCreate(ctx, "r")
		expect("stream.get_or_create", false, ok, err)
		n, err = c.Stream.Publish(ctx, "r", "e", map[string]int{"a": 1})
		expect("stream.publish", int64(0), n, err)
		events, err := c.Stream.Consume(ctx, "r", "s", nil)
		expect("stream.consume", `{"a":1}`, events[0].Data.String(), err)
		var decoded map[string]int
		expect("stream.consume", map[string]int{"a": 1}, decoded, events[0].Data.Decode(&decoded))
		rs, err := c.Stream.Stats(ctx, "r")
		expect("stream.stats", true, rs != nil && rs.Name == "r" && rs.MessageCount == 1 && rs.TotalPublished == 1 && rs.SubscriberCount == 1 && *rs.TotalConsumed == 1 && *rs.Dropped == 0 && rs.Generation > 0 && rs.CreatedAt > 0, err)
		names, err = c.Stream.List(ctx)
		expect("stream.list", []string{"r"}, names, err)
		room, err := c.Stream.Follow(ctx, "r", "s", nil)
		if err != nil {
			t.Fatal(err)
		}
		expect("stream.follow", "e", item(t, room).Event, nil)
		run("stream.delete", func() error { return c.Stream.Delete(ctx, "r") })
		failed(t, c.Stream.Delete(ctx, "r"), errs.NotFound)

		sub, err := c.PubSub.Subscribe(ctx, []string{"t"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.PubSub.Publish(ctx, "t", "hello", nil)
		expect("pubsub.publish", int64(1), p.SubscribersMatched, err)
		expect("pubsub.subscribe", p.MessageID, item(t, sub).MessageID, nil)
		names, err = c.PubSub.Topics(ctx)
		slices.Sort(names)
		expect("pubsub.topics", []string{"__watch@0__:w", "t"}, names, err)
		info, err := c.PubSub.Info(ctx, "t")
		expect("pubsub.info", true, info != nil && info.Topic == "t" && info.SubscriberCount == 1 && info.MessageCount == 1 && time.Since(time.Unix(info.CreatedAt, 0)).Abs() < 5*time.Second, err)
		_, err = c.PubSub.Info(ctx, "nobody")
		failed(t, err, errs.NotFound)
		ps, err := c.PubSub.Stats(ctx)
		expect("pubsub.stats", true, ps != nil && ps.TotalTopics == 2 && ps.MessagesPublished >= 2 && ps.SlowConsumersDropped != nil, err)
		n, err = c.PubSub.Unsubscribe(ctx, "nobody", &PubSubUnsubscribeOptions{Topics: []string{"t"}})
		expect("pubsub.unsubscribe", int64(0), n, err)
		for _, f := range []interface{ Close() }{watch, follow, room, sub} {
			f.Close()
		}

		for _, family := range command.Families {
			if !slices.Contains([]string{"kv", "queue", "stream", "pubsub"}, family.Name) {
				continue // tests/parity calls them
			}
			for i := range family.Commands {
				if name := family.Commands[i].Name; !called[name] {
					t.Errorf("%s was not called", name)
				}
			}
		}
	})
}
