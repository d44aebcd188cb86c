package core

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

func TestFollowAStream(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client) {
		if err := c.Stream.Create(background, "room", nil); err != nil {
			t.Fatal(err)
		}
		put := func(n int) {
			t.Helper()
			if _, err := c.Stream.Publish(background, "room", "number", n); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 600 { // more than one poll brings
			put(n)
		}
		f, err := c.Stream.Follow(background, "room", "me", &StreamFollowOptions{FromOffset: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for n := 5; n < 600; n++ {
			if e := item(t, f); e.Offset != int64(n) || e.Data.String() != fmt.Sprint(n) || e.Event != "number" || e.Lost != 0 || e.ID == "" {
				t.Fatalf("%+v, not %d", e, n)
			}
		}
		silent(t, f)
		put(600)
		if e := item(t, f); e.Offset != 600 {
			t.Errorf("%+v", e)
		}
		// A recreated room is followed from its start, and said to be another.
		if err := c.Stream.Delete(background, "room"); err != nil {
			t.Fatal(err)
		}
		if err := c.Stream.Create(background, "room", nil); err != nil {
			t.Fatal(err)
		}
		put(7)
		ctx, cancel := context.WithTimeout(background, 3*time.Second)
		defer cancel()
		e, err := f.Next(ctx)
		if err != nil { // the poll fell between deletion and creation
			failed(t, err, errs.NotFound)
			return
		}
		if e.Offset != 0 || e.Lost != -1 || e.Data.String() != "7" {
			t.Errorf("%+v", e)
		}
	})
}

// A room that is deleted is waited for, and its successor read from the start.
func TestFollowingWaitsForTheRoom(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client) {
		make := func(event string) {
			t.Helper()
			if err := c.Stream.Create(background, "room", nil); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Stream.Publish(background, "room", event, nil); err != nil {
				t.Fatal(err)
			}
		}
		make("old")
		f, err := c.Stream.Follow(background, "room", "me", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got, err := f.Next(background); err != nil || got.Event != "old" || got.Lost != 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		if err := c.Stream.Delete(background, "room"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(background, 200*ms)
		defer cancel()
		_, err = f.Next(ctx)
		if failed(t, err, errs.Timeout); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v is not the context's own error", err)
		}
		make("new")
		ctx, cancel = context.WithTimeout(background, 5*time.Second)
		defer cancel()
		if got, err := f.Next(ctx); err != nil || got.Event != "new" || got.Offset != 0 || got.Lost != -1 {
			t.Errorf("the new room: %+v, %v", got, err)
		}
	})
}

func TestFollowersSurviveARestart(t *testing.T) {
	s := serve(t, testserver.Config{})
	c := open(t, s.URL(), With("backoff", 5*ms), With("max_retries", 1))
	if err := c.Stream.Create(background, "room", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Queue.Create(background, "jobs", nil); err != nil {
		t.Fatal(err)
	}
	events, err := c.Stream.Follow(background, "room", "me", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	jobs, err := c.Queue.Follow(background, "jobs", "me", &QueueFollowOptions{Prefetch: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer jobs.Close()
	engine := s.Engine()
	for n := range 3 {
		if _, err := c.Stream.Publish(background, "room", "e", n); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Queue.Publish(background, "jobs", []byte{byte(n)}, nil); err != nil {
			t.Fatal(err)
		}
		if e := item(t, events); e.Offset != int64(n) || e.Lost != 0 {
			t.Errorf("%+v", e)
		}
		if m := item(t, jobs); m.Payload[0] != byte(n) {
			t.Errorf("%+v", m)
		}
		s.Close()
		silent(t, events)
		silent(t, jobs)
		s = serve(t, testserver.Config{HTTP: s.HTTPAddr(), Engine: engine})
	}
}

func TestFollowAQueue(t *testing.T) {
	everywhere(t, func(t *testing.T, c *Client) {
		if err := c.Queue.Create(background, "jobs", nil); err != nil {
			t.Fatal(err)
		}
		f, err := c.Queue.Follow(background, "jobs", "worker", &QueueFollowOptions{Prefetch: 4})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for n := range 20 {
			if _, err := c.Queue.Publish(background, "jobs", []byte{byte(n), 0xff}, nil); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 20 {
			m := item(t, f)
			if string(m.Payload) != string([]byte{byte(n), 0xff}) || m.RetryCount != 0 {
				t.Fatalf("%+v, not %d", m, n)
			}
			// No more than prefetch messages are taken ahead of the reader.
			if s, err := c.Queue.Stats(background, "jobs"); err != nil || s.Consumed > int64(n+1+4) || s.Consumed < int64(n+1) {
				t.Errorf("%+v after %d, %v", s, n+1, err)
			}
			if err := c.Queue.Ack(background, "jobs", m.MessageID); err != nil {
				t.Error(err)
			}
		}
		silent(t, f)
		if s, err := c.Queue.Stats(background, "jobs"); err != nil || s.Acked != 20 || s.Depth != 0 || s.Consumers != 0 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

// A server that stops answering must not hold a reader beyond its own patience.
func TestFollowersHonourTheReadersDeadline(t *testing.T) {
	p := listen(t, "", func(l *link) {
		for {
			a, ok := l.next()
			if !ok {
				return
			}
			if !strings.HasSuffix(a.command, ".stats") || l.n > 1 {
				l.hang()
				return
			}
			l.reply(a, `{"name":"room","message_count":0,"min_offset":0,"max_offset":0,"subscriber_count":0,"total_published":0,"total_consumed":0,"dropped":0,"created_at":1,"generation":1,`+
				`"depth":0,"consumers":0,"published":0,"consumed":0,"acked":0,"nacked":0,"dead_lettered":0}`)
		}
	})
	c := open(t, p.url(), With("timeout", 20*time.Second))
	events, err := c.Stream.Follow(background, "room", "me", nil)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := c.Queue.Follow(background, "jobs", "me", nil)
	if err != nil {
		t.Fatal(err)
	}
	next := func(ctx context.Context, stream bool) error {
		if stream {
			_, err := events.Next(ctx)
			return err
		}
		_, err := jobs.Next(ctx)
		return err
	}
	for _, stream := range []bool{true, false} {
		for range 2 { // the second time a poll is under way already
			took(t, 50*ms, 250*ms, func() {
				ctx, cancel := context.WithTimeout(background, 50*ms)
				defer cancel()
				failed(t, next(ctx, stream), errs.Timeout)
			})
			took(t, 30*ms, 250*ms, func() {
				ctx, cancel := context.WithCancel(background)
				time.AfterFunc(30*ms, cancel)
				failed(t, next(ctx, stream), errs.Canceled)
			})
		}
	}
	// Frames too: no items in time is the empty list.
	v, err := c.Frame(background, string(value.AppendMsgpack(nil, value.Array(value.Int(3), value.Str("kv.watch"), value.Array()))))
	if err == nil {
		t.Errorf("a watch of nothing: %s", v.Kind())
	}
	promptly(t, func() {
		events.Close()
		jobs.Close()
	})
}

// Subscriptions as host bindings use them: ids, items, an empty list when time is
// up.
func TestSubscriptionFrames(t *testing.T) {
	onPushing(t, func(t *testing.T, c *Client) {
		frame := func(timeout time.Duration, items ...value.Value) (value.Value, error) {
			type outcome struct {
				v   value.Value
				err error
			}
			done := make(chan outcome, 1)
			c.Go(string(value.AppendMsgpack(nil, value.Array(items...))), timeout, func(v value.Value, err error) { done <- outcome{v, err} })
			o := <-done
			return o.v, o.err
		}
		i, s := value.Int, value.Str
		id, err := frame(0, i(3), s("pubsub.subscribe"), value.Array(value.Array(s("t"))))
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			publish(t, c, "t", n)
		}
		var got []string
		for len(got) < 3 {
			v, err := frame(2*time.Second, i(4), id, i(2))
			if err != nil || v.Len() == 0 || v.Len() > 2 {
				t.Fatalf("%d items, %v", v.Len(), err)
			}
			for _, item := range v.Items() {
				n, _ := item.Index(1).AsInt()
				got = append(got, fmt.Sprint(n))
			}
		}
		if strings.Join(got, " ") != "0 1 2" {
			t.Error(got)
		}
		took(t, 30*ms, 230*ms, func() {
			if v, err := frame(30*ms, i(4), id, i(10)); err != nil || v.Kind() != value.KindArray || v.Len() != 0 {
				t.Errorf("%s %v", v.Kind(), err)
			}
		})
		// A reader that is cancelled takes nothing with it.
		canceled := make(chan error, 1)
		stop := c.Go(string(value.AppendMsgpack(nil, value.Array(i(4), id, i(10)))), 5*time.Second, func(_ value.Value, err error) { canceled <- err })
		stop()
		failed(t, <-canceled, errs.Canceled)
		publish(t, c, "t", 9)
		if v, err := frame(2*time.Second, i(4), id, i(10)); err != nil || v.Len() != 1 {
			t.Errorf("%d items, %v", v.Len(), err)
		}
		if v, err := frame(0, i(5), id); err != nil || !v.IsNil() {
			t.Error(err)
		}
		_, err = frame(0, i(4), id, i(1))
		failed(t, err, errs.Closed)
		if _, err := frame(0, i(5), id); err != nil {
			t.Errorf("unsubscribing twice: %v", err)
		}
		_, err = frame(0, i(3), s("kv.get"), value.Array(s("k")))
		failed(t, err, errs.InvalidArgument)
		_, err = frame(0, i(3), s("kv.nope"), value.Array())
		failed(t, err, errs.Unsupported)
		_, err = frame(0, i(0), s("kv.nope"), value.Array())
		failed(t, err, errs.Unsupported)
		_, err = frame(0, i(7))
		failed(t, err, errs.InvalidArgument)
	})
}
