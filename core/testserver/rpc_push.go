package testserver

import (
	"sync"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// pushes are the subscriptions of one SynapRPC connection. The server never ends
// them: when the connection is gone they go on being counted, until somebody
// unsubscribes them by their id (protocol: synaprpc quirk 8).
type pushes struct {
	wake    chan struct{} // has one when something waits
	begin   sync.Once
	mu      sync.Mutex
	list    []*engine.Subscriber
	noValue map[*engine.Subscriber]bool // those that are to be told keys only
}

// Subscribe implements native.Session. The connection is locked: the reply comes
// before the first push.
func (c *rpcConn) Subscribe(topics []string, withoutValues bool) (id, errText string) {
	p := &c.push
	sub, errText := c.server.engine.Subscribe(now(), topics, slowConsumer, engine.Detach, func() {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	})
	if errText != "" {
		return "", errText
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, sub)
	if withoutValues {
		if p.noValue == nil {
			p.noValue = map[*engine.Subscriber]bool{}
		}
		p.noValue[sub] = true
	}
	p.begin.Do(func() { c.tasks.Go(c.pushAll) })
	return sub.ID(), ""
}

// pushAll sends what is published, in that order, until the connection ends.
func (c *rpcConn) pushAll() {
	for {
		select {
		case <-c.gone:
			return
		case <-c.push.wake:
		}
		c.mu.Lock()
		for _, m := range c.push.take() {
			c.out = synaprpc.AppendReply(c.out, synaprpc.PushID, m)
		}
		c.send()
		c.mu.Unlock()
	}
}

// take returns what waits as pushes show it.
func (p *pushes) take() []value.Value {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []value.Value
	for _, a := range engine.TakeTogether(p.list) {
		payload := a.Payload
		if p.noValue[a.To] {
			payload = withoutValue(payload)
		}
		text, err := value.AppendSortedJSON(nil, payload)
		if err != nil {
			continue // bytes that are no text have no form here
		}
		list = append(list, object("topic", a.Topic, "payload", string(text), "id", a.ID, "timestamp", value.Int(a.Timestamp)))
	}
	return list
}

// withoutValue is a watch event that tells the key only.
func withoutValue(payload value.Value) value.Value {
	var kept []value.Value
	for i := range payload.Len() {
		name, v := payload.Pair(i)
		if s, _ := name.AsStr(); s != "value" && s != "truncated" {
			kept = append(kept, name, v)
		}
	}
	return value.Map(kept...)
}

func (p *pushes) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, sub := range p.list {
		sub.Abandon()
	}
}
