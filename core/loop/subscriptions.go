package loop

import (
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
)

// subscription is one open subscription: items from the engine, a WebSocket or
// polls, handed to one reader at a time.
type subscription struct {
	c      *Client
	id     int64
	cmd    *command.Command
	reader *reader
	ended  bool
	err    *errs.Error // why it ended, nil for a close

	buf *session.Buffer // pushes and polls
	sub *engine.Subscriber
	// ws and follower are the sources over HTTP; a follower also serves the engine.
	ws       *push
	follower *session.Follower
	polling  bool
}

// reader is a frame that waits for items.
type reader struct {
	tag      int32
	max      int
	deadline int64
}

const (
	defaultBuffer = 1024
	// maxItems is the most that one reader may ask for (session.ParseFrame).
	maxItems = 4096
)

func (c *Client) subscribe(tag int32, f *session.Frame, deadline int64) {
	cmd := command.Lookup(f.Name)
	fail := func(err *errs.Error) {
		err.Command = f.Name
		c.complete(tag, value.Nil, err)
	}
	if cmd == nil || cmd.Reply.Kind != command.ReplyStream {
		fail(&errs.Error{Code: errs.Unsupported, Message: "there is no subscription " + f.Name})
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
		c.follow(tag, s, args, deadline)
		return
	case c.engine != nil:
		err = s.subscribeEngine(args)
	default:
		err = s.openPush(tag, args, deadline)
		if err == nil {
			return // answered when the server has confirmed
		}
	}
	if err != nil {
		fail(err)
		return
	}
	c.opened(tag, s)
}

func (c *Client) opened(tag int32, s *subscription) {
	c.subs[s.id] = s
	c.complete(tag, value.Int(s.id), nil)
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
	// The wake comes while a command runs: the reader is served from the next
	// event, which the timer makes at once.
	s.sub, text = s.c.engine.Subscribe(s.c.now, topics, size, overflow, func() { s.c.at(0, nil, s.serve) })
	if text != "" {
		return errs.FromServer(text)
	}
	return nil
}

// take returns up to max items that are there now.
func (s *subscription) take(max int) []value.Value {
	if s.sub == nil {
		if s.buf == nil {
			return nil
		}
		return s.buf.Take(max)
	}
	messages, lost := s.sub.Take(max)
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
		if lost != 0 {
			item, lost = session.WithLost(item, int64(lost)), 0
		}
		items = append(items, item)
	}
	return items
}

// next serves a reader now or keeps it until items come or its time is up.
func (c *Client) next(tag int32, id int64, max int, deadline int64) {
	s := c.subs[id]
	if s == nil {
		c.complete(tag, value.Nil, errs.New(errs.Closed, "the subscription is closed or never was"))
		return
	}
	if s.reader != nil {
		c.complete(tag, value.Nil, errs.New(errs.InvalidArgument, "another reader waits on this subscription"))
		return
	}
	r := &reader{tag, max, deadline}
	s.reader = r
	s.serve()
	if s.reader != r {
		return
	}
	c.at(deadline, nil, func() {
		if s.reader == r {
			s.reader = nil
			c.complete(tag, value.Array(), nil)
		}
	})
	if s.follower != nil && !s.polling {
		s.poll()
	}
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
		s.reader = nil
		s.c.complete(r.tag, value.Array(items...), nil)
	case s.ended:
		s.reader = nil
		err := s.err
		if err == nil {
			err = errs.New(errs.Closed, "the subscription is closed")
		}
		err.Command = s.cmd.Name
		s.c.complete(r.tag, value.Nil, err)
	}
}

// end ends the subscription; err nil means that it was closed.
func (s *subscription) end(err *errs.Error) {
	if s.ended {
		return
	}
	s.ended, s.err = true, err
	if err == nil {
		delete(s.c.subs, s.id)
	}
	if s.sub != nil {
		s.sub.Close()
	}
	if s.ws != nil {
		s.ws.close()
	}
	s.serve()
}

// follow starts a stream.follow or queue.follow with one question, which tells
// an unknown room or queue at once.
func (c *Client) follow(tag int32, s *subscription, args []value.Value, deadline int64) {
	call := &session.Call{}
	call.Start(c.policy, c.wire(), command.Lookup(s.cmd.Family()+".stats"), args[:1], deadline)
	c.run(&job{deadline: deadline, calls: []*session.Call{call}, finish: func(*job) {
		stats, err := call.Result()
		if err != nil {
			err.Command = s.cmd.Name
			c.complete(tag, value.Nil, err)
			return
		}
		s.follower = session.NewFollower(s.cmd, args, c.wire(), c.policy)
		s.follower.Saw(stats)
		c.opened(tag, s)
	}})
}

// poll asks the follower's source once, for the reader that waits.
func (s *subscription) poll() {
	c, r := s.c, s.reader
	if r == nil || s.ended {
		s.polling = false
		return
	}
	s.polling = true
	deadline := c.now + int64(c.cfg.Timeout)
	j := &job{deadline: deadline, finish: s.polled}
	for _, step := range s.follower.Steps(r.max) {
		call := &session.Call{}
		call.StartStep(c.policy, c.wire(), step, deadline)
		j.calls = append(j.calls, call)
	}
	c.run(j)
}

func (s *subscription) polled(j *job) {
	c := s.c
	if s.ended {
		return
	}
	again := func(wait int64) { c.at(c.now+wait, nil, s.poll) }
	replies := make([]value.Value, len(j.calls))
	failures := make([]*errs.Error, len(j.calls))
	for i, call := range j.calls {
		replies[i], failures[i] = call.Result()
		if err := failures[i]; err != nil && session.Transient(err) {
			if i > 0 && !s.follower.Stream() {
				break // messages taken before the break must reach the reader
			}
			again(int64(s.follower.Broken()))
			return
		}
	}
	items, err := s.follower.Replies(replies, failures)
	if len(items) > 0 {
		if s.buf == nil {
			s.buf = session.NewBuffer(maxItems) // a poll brings no more, and none is made while some are unread
		}
		for _, item := range items {
			s.buf.Push(item)
		}
	}
	if err != nil {
		s.end(err)
		return
	}
	s.polling = false
	s.serve()
	if s.reader != nil {
		s.polling = true
		again(int64(s.follower.Wait()))
	}
}
