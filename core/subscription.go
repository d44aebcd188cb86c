package core

import (
	"context"
	"sync"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/transport"
	"github.com/libsynap/libsynap/core/value"
)

// Subscription delivers the items of a topic, watched key, stream or queue. It
// survives broken connections and tells, on the next item, what was lost.
type Subscription struct {
	client *Client
	cmd    *command.Command
	id     int64
	source source
	done   chan struct{}
	once   sync.Once
	next   sync.Mutex // one reader at a time; guards unread
	unread []value.Value
}

// source is where items come from.
type source interface {
	// take returns up to max items that are there now. Without any it returns
	// the channel that tells of new ones, or how long to wait before asking
	// again. It does not wait itself.
	take(max int) (items []value.Value, more <-chan struct{}, wait time.Duration, err *errs.Error)
	close()
}

// defaultBuffer is the size of a subscription's buffer unless it is given.
const defaultBuffer = 1024

// Subscribe starts the subscription of a table entry (pubsub.subscribe,
// kv.watch, stream.follow, queue.follow) with positional arguments. It returns
// when the server has confirmed it.
func (c *Client) Subscribe(ctx context.Context, cmd *command.Command, args ...value.Value) (*Subscription, error) {
	s, err := c.subscribe(ctx, cmd, args, time.Unix(0, c.deadline(ctx)))
	if err != nil {
		err.Command, err.Transport = cmd.Name, c.cfg.Scheme
		return nil, err
	}
	return s, nil
}

func (c *Client) subscribe(ctx context.Context, cmd *command.Command, args []value.Value, deadline time.Time) (*Subscription, *errs.Error) {
	if c.closed.Load() {
		return nil, c.closedError("")
	}
	if ctx.Err() != nil {
		return nil, canceled(ctx)
	}
	if cmd.Reply.Kind != command.ReplyStream {
		return nil, errs.New(errs.InvalidArgument, cmd.Name+" is a call, not a subscription")
	}
	args, err := cmd.Validate(args)
	if err != nil {
		return nil, err
	}
	s := &Subscription{client: c, cmd: cmd, done: make(chan struct{})}
	switch {
	case cmd.HTTP.Path == "":
		s.source, err = c.follow(ctx, cmd, args, deadline)
	case c.engine != nil:
		s.source, err = c.subscribeEngine(cmd, args)
	default:
		s.source, err = c.subscribePush(ctx, cmd, args, deadline)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.subs == nil {
		c.mu.Unlock()
		s.source.close()
		return nil, c.closedError("")
	}
	c.nextID++
	s.id = c.nextID
	c.subs[s.id] = s
	c.mu.Unlock()
	return s, nil
}

// Next returns the items that have come, at most max, and waits for the first.
// Each item is a record: an array of the fields in the table's order. When ctx
// ends it returns no items and the context's reason as a *errs.Error of code
// Timeout or Canceled; the subscription lives on.
func (s *Subscription) Next(ctx context.Context, max int) ([]value.Value, error) {
	items, err := s.wait(ctx.Done(), time.Time{}, max, nil)
	if err == nil && len(items) == 0 {
		err = canceled(ctx)
	}
	if err != nil {
		err.Command, err.Transport = s.cmd.Name, s.client.cfg.Scheme
		return nil, err
	}
	return items, nil
}

// wait returns items, none when stop is closed or deadline (if any) passes. If
// claim is given it is asked before items are handed out; when it says no (the
// reader has gone) they are kept for the next reader.
func (s *Subscription) wait(stop <-chan struct{}, deadline time.Time, max int, claim func() bool) ([]value.Value, *errs.Error) {
	s.next.Lock()
	defer s.next.Unlock()
	for {
		select {
		case <-s.done:
			return nil, errs.New(errs.Closed, "the subscription is closed")
		case <-stop:
			return nil, nil
		default:
		}
		items, more, pause, err := s.take(max)
		if err != nil {
			return nil, err
		}
		if len(items) > 0 {
			if claim != nil && !claim() {
				s.unread = items
				return nil, nil
			}
			return items, nil
		}
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return nil, nil
			}
			if more != nil || pause > left {
				pause = left
			}
		}
		s.pause(stop, more, pause)
	}
}

func (s *Subscription) take(max int) ([]value.Value, <-chan struct{}, time.Duration, *errs.Error) {
	if n := min(max, len(s.unread)); n > 0 {
		items := s.unread[:n]
		s.unread = s.unread[n:]
		return items, nil, 0, nil
	}
	return s.source.take(max)
}

// pause waits for news, at most d if d is not 0.
func (s *Subscription) pause(stop, more <-chan struct{}, d time.Duration) {
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-more:
	case <-timer:
	case <-stop:
	case <-s.done:
	}
}

// Close ends the subscription. Closing twice is harmless.
func (s *Subscription) Close() {
	s.once.Do(func() {
		close(s.done)
		c := s.client
		c.mu.Lock()
		delete(c.subs, s.id)
		c.mu.Unlock()
		s.source.close()
	})
}

// subscription finds an open subscription by its id.
func (c *Client) subscription(id int64) (*Subscription, *errs.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.subs[id]
	if s == nil {
		return nil, errs.New(errs.Closed, "the subscription is closed or never was")
	}
	return s, nil
}

func names(list value.Value) []string {
	out := make([]string, list.Len())
	for i := range out {
		out[i], _ = list.Index(i).AsStr()
	}
	return out
}

// bufferOf reads the buffer and overflow arguments.
func bufferOf(args []value.Value) (size int, block bool) {
	size = defaultBuffer
	if n, ok := args[1].AsInt(); ok {
		size = int(n)
	}
	policy, _ := args[2].AsStr()
	return size, policy == "block"
}

// engineSource is a subscription of the embedded engine.
type engineSource struct {
	cmd  *command.Command
	sub  *engine.Subscriber
	more chan struct{}
	lost int // to be told with the next item
	// newest: a full buffer drops what comes, so that a loss lies behind all that
	// waits in it. behind is such a loss.
	newest bool
	behind int
}

func (c *Client) subscribeEngine(cmd *command.Command, args []value.Value) (source, *errs.Error) {
	size, block := bufferOf(args)
	overflow := engine.DropOldest
	if block {
		overflow = engine.DropNewest
	}
	topics := names(args[0])
	if cmd.Name == "kv.watch" {
		for i := range topics {
			topics[i] = "__watch@0__:" + topics[i]
		}
	}
	s := &engineSource{cmd: cmd, newest: block, more: make(chan struct{}, 1)}
	var text string
	s.sub, text = c.engine.Subscribe(time.Now().UnixNano(), topics, size, overflow, s.wake)
	if text != "" {
		return nil, errs.FromServer(text)
	}
	return s, nil
}

func (s *engineSource) wake() { signal(s.more) }

// signal leaves a token in a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *engineSource) take(max int) ([]value.Value, <-chan struct{}, time.Duration, *errs.Error) {
	messages, lost := s.sub.Take(max)
	if s.newest {
		s.behind += lost
	} else {
		s.lost += lost
	}
	items := make([]value.Value, 0, len(messages))
	for i := range messages {
		m := &messages[i]
		item, err := session.PushItem(s.cmd, value.Map(
			value.Str("topic"), value.Str(m.Topic), value.Str("payload"), m.Payload,
			value.Str("message_id"), value.Str(m.ID), value.Str("timestamp"), value.Int(m.Timestamp),
			value.Str("metadata"), m.Metadata))
		if err != nil { // anyone may publish to a watch topic; only true events count
			continue
		}
		if s.lost != 0 {
			item, s.lost = session.WithLost(item, int64(s.lost)), 0
		}
		items = append(items, item)
	}
	if len(messages) == max {
		s.wake()
	} else { // the buffer is empty: what comes next comes after the loss
		s.lost, s.behind = s.lost+s.behind, 0
	}
	return items, s.more, 0, nil
}

func (s *engineSource) close() { s.sub.Close() }

// pushSource is a subscription to pushes.
type pushSource struct{ *transport.Push }

func (c *Client) subscribePush(ctx context.Context, cmd *command.Command, args []value.Value, deadline time.Time) (source, *errs.Error) {
	size, block := bufferOf(args)
	opts := transport.PushOptions{Size: size, Block: block, Policy: c.policy, Log: func(m string) { c.log(LogWarning, m) }}
	p, err := c.server.OpenPush(ctx, cmd, names(args[0]), opts, deadline)
	if err != nil {
		return nil, err
	}
	return pushSource{p}, nil
}

func (s pushSource) take(max int) ([]value.Value, <-chan struct{}, time.Duration, *errs.Error) {
	items, err := s.Take(max)
	return items, s.More(), 0, err
}

func (s pushSource) close() { s.Push.Close() }

// followSource polls a stream or queue. Over a wire a poll runs on a goroutine of
// its own: a reader that gives up does not wait for it, and what it brings is kept
// for the next one.
type followSource struct {
	client *Client
	f      *session.Follower // belongs to the poll under way
	ctx    context.Context   // ends with the subscription
	end    context.CancelFunc
	more   chan struct{}

	mu      sync.Mutex
	polling bool
	due     time.Time // of the next poll
	items   []value.Value
	err     *errs.Error
}

func (c *Client) follow(ctx context.Context, cmd *command.Command, args []value.Value, deadline time.Time) (source, *errs.Error) {
	// One question tells an unknown room or queue at once.
	family := cmd.Family()
	stats, err := c.ask(ctx, family+".stats", args[0], deadline)
	if err != nil {
		return nil, err
	}
	f := session.NewFollower(cmd, args, c.wire(), c.policy)
	f.Saw(stats)
	s := &followSource{client: c, f: f, more: make(chan struct{}, 1)}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s, nil
}

// ask runs a typed command with one argument.
func (c *Client) ask(ctx context.Context, name string, arg value.Value, deadline time.Time) (value.Value, *errs.Error) {
	t := newTrip()
	t.call.Start(c.policy, c.wire(), command.Lookup(name), []value.Value{arg}, deadline.UnixNano())
	c.drive(ctx, t)
	v, err := t.call.Result()
	t.release()
	return v, err
}

func (s *followSource) take(max int) ([]value.Value, <-chan struct{}, time.Duration, *errs.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.items) == 0 && s.err == nil && !s.polling {
		if wait := time.Until(s.due); wait > 0 {
			return nil, nil, wait, nil
		}
		if s.client.engine == nil {
			s.polling = true
			go func() {
				items, wait, err := s.poll(max)
				s.mu.Lock()
				s.polling = false
				s.polled(items, wait, err)
				s.mu.Unlock()
				signal(s.more)
			}()
		} else {
			s.polled(s.poll(max))
		}
	}
	if s.polling {
		return nil, s.more, 0, nil
	}
	if n := min(max, len(s.items)); n > 0 {
		items := s.items[:n]
		s.items = s.items[n:]
		return items, nil, 0, nil
	}
	return nil, nil, time.Millisecond, s.err
}

func (s *followSource) polled(items []value.Value, wait time.Duration, err *errs.Error) {
	s.items, s.err, s.due = items, err, time.Now().Add(wait)
}

// poll asks once, for at most max items.
func (s *followSource) poll(max int) (items []value.Value, wait time.Duration, err *errs.Error) {
	c := s.client
	steps := s.f.Steps(max)
	calls := make([]*session.Call, len(steps))
	limit := time.Now().Add(c.cfg.Timeout).UnixNano()
	for i, step := range steps {
		calls[i] = &session.Call{}
		calls[i].StartStep(c.policy, c.wire(), step, limit)
	}
	t := newTrip()
	t.calls = calls
	c.drive(s.ctx, t)
	t.release()
	replies := make([]value.Value, len(calls))
	failures := make([]*errs.Error, len(calls))
	for i, call := range calls {
		replies[i], failures[i] = call.Result()
		if err := failures[i]; err != nil && session.Transient(err) {
			if i > 0 && !s.f.Stream() {
				break // messages taken before the break must reach the reader
			}
			return nil, s.f.Broken(), nil
		}
	}
	if items, err = s.f.Replies(replies, failures); len(items) == 0 {
		wait = s.f.Wait()
	}
	return items, wait, err
}

func (s *followSource) close() { s.end() }
