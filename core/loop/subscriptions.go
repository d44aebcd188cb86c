package loop

import (
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// subscription is one open subscription: items from the engine, a push channel or
// polls, handed to one reader at a time.
type subscription struct {
	c      *Client
	id     int64
	cmd    *command.Command
	reader *reader
	ended  bool
	err    *errs.Error // why it ended, nil for a close

	// The source of the items is one of these; a follower polls the engine or the
	// server.
	sub      *engine.Subscriber
	push     *push
	follower *session.Follower

	lost   int           // by sub, not yet told
	unread []value.Value // of a poll whose reader had gone
	asking *job          // the poll under way
	pause  timer         // before the next
	wake   timer         // set while messages of the engine wait to be served
}

// reader is a frame that waits for items.
type reader struct {
	s     *subscription
	tag   int32
	max   int
	timer timer
}

const defaultBuffer = 1024

func (c *Client) subscribe(tag int32, f *session.Frame, deadline int64) {
	fail := func(err *errs.Error) {
		err.Command = f.Name
		c.complete(tag, value.Nil, err)
	}
	cmd := command.Lookup(f.Name)
	switch {
	case cmd == nil:
		fail(errs.New(errs.Unsupported, "unknown command "+f.Name))
		return
	case cmd.Reply.Kind != command.ReplyStream:
		fail(errs.New(errs.InvalidArgument, f.Name+" is a call, not a subscription"))
		return
	}
	args, err := cmd.Validate(f.Args)
	if err != nil {
		fail(err)
		return
	}
	c.lastSub++
	s := &subscription{c: c, id: c.lastSub, cmd: cmd}
	switch {
	case cmd.HTTP.Path == "":
		s.follow(tag, args, deadline)
	case c.engine != nil:
		if err := s.subscribeEngine(args); err != nil {
			fail(err)
			return
		}
		s.opened(tag)
	default:
		if err := s.openPush(tag, args, deadline); err != nil {
			fail(err)
		}
	}
}

// opened answers the frame that asked for the subscription.
func (s *subscription) opened(tag int32) {
	s.c.subs[s.id] = s
	s.c.complete(tag, value.Int(s.id), nil)
}

func bufferOf(args []value.Value) (size int, block bool) {
	size = defaultBuffer
	if n, ok := args[1].AsInt(); ok {
		size = int(n)
	}
	policy, _ := args[2].AsStr()
	return size, policy == "block"
}

func names(list value.Value) []string {
	out := make([]string, list.Len())
	for i := range out {
		out[i], _ = list.Index(i).AsStr()
	}
	return out
}

func (s *subscription) subscribeEngine(args []value.Value) *errs.Error {
	c := s.c
	size, block := bufferOf(args)
	overflow := engine.DropOldest
	if block {
		overflow = engine.DropNewest
	}
	topics := names(args[0])
	if s.cmd.Name == "kv.watch" {
		for i := range topics {
			topics[i] = "__watch@0__:" + topics[i]
		}
	}
	var text string
	s.sub, text = c.engine.Subscribe(c.now, topics, size, overflow, func() {
		// A command is under way, perhaps another client's: the reader is served
		// after it.
		if s.reader != nil {
			c.timers.set(&s.wake, c.now, s.serve)
			c.host.Due()
		}
	})
	if text != "" {
		return errs.FromServer(text)
	}
	return nil
}

// take returns up to max items that are there now.
func (s *subscription) take(max int) []value.Value {
	switch {
	case s.sub != nil:
		return s.takeMessages(max)
	case s.push != nil:
		return s.push.buf.Take(max)
	}
	n := min(max, len(s.unread))
	items := s.unread[:n]
	s.unread = s.unread[n:]
	return items
}

// takeMessages takes from the engine. Anyone may publish to a watch topic; only
// true events count.
func (s *subscription) takeMessages(max int) []value.Value {
	var items []value.Value
	for {
		messages, lost := s.sub.Take(max)
		s.lost += lost
		for i := range messages {
			item, err := session.PushItem(s.cmd, object(&messages[i]))
			if err != nil {
				continue
			}
			if s.lost != 0 {
				item, s.lost = session.WithLost(item, int64(s.lost)), 0
			}
			items = append(items, item)
		}
		if len(items) > 0 || len(messages) < max {
			return items
		}
	}
}

// object is a message as a WebSocket would carry it.
func object(m *engine.Message) value.Value {
	return value.Map(
		value.Str("topic"), value.Str(m.Topic), value.Str("payload"), m.Payload,
		value.Str("message_id"), value.Str(m.ID), value.Str("timestamp"), value.Int(m.Timestamp),
		value.Str("metadata"), m.Metadata)
}

// next serves a reader now or keeps it until items come or its time is up.
func (c *Client) next(tag int32, id int64, max int, deadline int64) {
	s := c.subs[id]
	switch {
	case s == nil:
		c.complete(tag, value.Nil, errs.New(errs.Closed, "the subscription is closed or never was"))
		return
	case s.reader != nil:
		c.complete(tag, value.Nil, errs.New(errs.InvalidArgument, "another reader waits on this subscription"))
		return
	}
	r := &reader{s: s, tag: tag, max: max}
	s.reader = r
	if s.serve(); s.reader != r {
		return
	}
	c.frames[tag] = r
	c.timers.set(&r.timer, deadline, func() {
		r.leave()
		c.complete(tag, value.Array(), nil)
	})
	if s.follower != nil && s.asking == nil && !s.pause.waits() {
		s.poll()
	}
}

// leave frees the subscription for the next reader.
func (r *reader) leave() {
	r.s.reader = nil
	r.s.c.timers.stop(&r.timer)
}

func (r *reader) giveUp(err *errs.Error) {
	r.leave()
	err.Command = r.s.cmd.Name
	r.s.c.complete(r.tag, value.Nil, err)
}

// serve hands what is there to the reader that waits.
func (s *subscription) serve() {
	r := s.reader
	if r == nil {
		return
	}
	items := s.take(r.max)
	switch {
	case len(items) > 0:
		r.leave()
		s.c.complete(r.tag, value.Array(items...), nil)
	case s.ended && s.err != nil:
		own := *s.err
		r.giveUp(&own)
	case s.ended:
		r.giveUp(errs.New(errs.Closed, "the subscription is closed"))
	}
}

// end ends the subscription; err nil means that it was closed. One that failed
// is kept, so that its next reader learns why.
func (s *subscription) end(err *errs.Error) {
	c := s.c
	if err == nil {
		delete(c.subs, s.id)
	}
	if s.ended {
		return
	}
	s.ended, s.err = true, err
	if s.sub != nil {
		s.sub.Close()
	}
	if s.push != nil {
		s.push.close()
	}
	if s.asking != nil {
		s.asking.finish()
	}
	c.timers.stop(&s.pause)
	s.serve()
}

// follow starts a stream.follow or queue.follow with one question, which tells
// an unknown room or queue at once.
func (s *subscription) follow(tag int32, args []value.Value, deadline int64) {
	c := s.c
	j := &job{c: c, tag: tag, tagged: true, deadline: deadline}
	j.single().Start(c.policy, c.wire(), command.Lookup(s.cmd.Family()+".stats"), args[:1], deadline)
	j.then = func(*job) {
		stats, err := j.call.Result()
		if err != nil {
			err.Command = s.cmd.Name
			c.complete(tag, value.Nil, err)
			return
		}
		s.follower = session.NewFollower(s.cmd, args, c.wire(), c.policy)
		s.follower.Saw(stats)
		s.opened(tag)
	}
	c.run(j)
}

// poll asks the follower's source once, if a reader waits.
func (s *subscription) poll() {
	c := s.c
	if s.reader == nil {
		return
	}
	j := &job{c: c, deadline: c.now + int64(c.cfg.Timeout), then: s.polled}
	for _, step := range s.follower.Steps(s.reader.max) {
		call := &session.Call{}
		call.StartStep(c.policy, c.wire(), step, j.deadline)
		j.calls = append(j.calls, call)
	}
	s.asking = j
	c.run(j)
}

func (s *subscription) polled(j *job) {
	s.asking = nil
	if s.ended {
		return
	}
	replies := make([]value.Value, len(j.calls))
	failures := make([]*errs.Error, len(j.calls))
	for i, call := range j.calls {
		replies[i], failures[i] = call.Result()
		if err := failures[i]; err != nil && session.Transient(err) {
			if i > 0 && !s.follower.Stream() {
				break // messages taken before the break must reach the reader
			}
			s.pollIn(int64(s.follower.Broken()))
			return
		}
	}
	items, err := s.follower.Replies(replies, failures)
	s.unread = items // a poll is only made when none are left
	if err != nil {
		s.end(err)
		return
	}
	s.serve()
	if s.reader != nil {
		s.pollIn(int64(s.follower.Wait()))
	}
}

func (s *subscription) pollIn(wait int64) { s.c.timers.set(&s.pause, s.c.now+wait, s.poll) }
