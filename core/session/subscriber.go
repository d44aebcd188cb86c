package session

import (
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Subscriber is a subscription to pushes over SynapRPC, through all its
// connections. A subscriber outlives its connection on the server (protocol:
// synaprpc quirk 8), so each new connection first ends those of the one before.
type Subscriber struct {
	cmd   *command.Command
	names []string
	// open tells what the requests of Start are, by ticket.
	open map[uint64]bool
	ids  []string // of the server's subscribers
	left int      // replies missing until it stands
	next int      // requests of Start that have no ticket yet
	old  int      // of these, how many end what was before
}

// NewSubscriber returns the state of a subscription to names.
func NewSubscriber(cmd *command.Command, names []string) *Subscriber {
	return &Subscriber{cmd: cmd, names: names}
}

// Start returns the requests that subscribe on a new connection.
func (s *Subscriber) Start() []Step {
	steps := s.Stop()
	s.old = len(steps)
	if s.watches() {
		for _, name := range s.names { // each takes one pattern
			steps = append(steps, Step{Name: "KV.WATCH", Args: []value.Value{value.Str(name), value.Str("value")}})
		}
	} else {
		topics := make([]value.Value, len(s.names))
		for i, name := range s.names {
			topics[i] = value.Str(name)
		}
		steps = append(steps, Step{Name: "SUBSCRIBE", Args: topics})
	}
	s.open, s.ids, s.next, s.left = map[uint64]bool{}, nil, len(steps), len(steps)-s.old
	return steps
}

func (s *Subscriber) watches() bool { return s.cmd.Name == "kv.watch" }

// Asked hands in the ticket of the next request that was sent.
func (s *Subscriber) Asked(ticket uint64) {
	if s.next == 0 { // a ping or a probe
		return
	}
	s.next--
	if s.old > 0 {
		s.old--
		return
	}
	s.open[ticket] = true
}

// Reply hands in a reply; an error ends the subscription.
func (s *Subscriber) Reply(r Received) *errs.Error {
	if !s.open[r.Ticket] {
		return nil
	}
	delete(s.open, r.Ticket)
	if r.Err != nil {
		return r.Err
	}
	id, ok := r.Value.Field("subscriber_id").AsStr()
	if !ok {
		return badReply(s.cmd, "has no subscriber_id")
	}
	s.ids = append(s.ids, id)
	s.left--
	return nil
}

// Ready reports whether the subscription stands on this connection.
func (s *Subscriber) Ready() bool { return s.left == 0 }

// Stop returns the requests that end what the server still has of it.
func (s *Subscriber) Stop() []Step {
	name := "UNSUBSCRIBE"
	if s.watches() {
		name = "KV.UNWATCH"
	}
	steps := make([]Step, len(s.ids))
	for i, id := range s.ids {
		steps[i] = Step{Name: name, Args: []value.Value{value.Str(id)}}
	}
	return steps
}

// NativeStep gives an envelope's step its form on a native wire.
func NativeStep(wire Wire, step Step) (Step, *errs.Error) {
	_, steps, err := planRaw(nil, wire, step.Command, step.Payload)
	if err != nil {
		return step, err
	}
	return steps[0], nil
}

// NoPushes is the error of subscriptions over RESP3.
func NoPushes(cmd *command.Command) *errs.Error {
	return unsupported(RESP3, cmd.Name, " (the server pushes nothing there)")
}

// NoPushChannel is the error of a subscription that neither a WebSocket nor
// SynapRPC carries.
func NoPushChannel(ws, rpc *errs.Error, address string) *errs.Error {
	return &errs.Error{Code: errs.Unsupported, Status: ws.Status, Message: "no push channel. Over WebSocket: " + ws.Message +
		". Over SynapRPC at " + address + ": " + rpc.Message + ". Name another SynapRPC listener with push=synap://host:port"}
}
