package testserver

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// slowConsumer is how many messages wait for a client that does not read, beyond
// what the connection itself holds (protocol: websocket.md "Slow consumer").
const slowConsumer = 1024

func pubsubSocket(r *request) {
	r.subscribe("topics", "", "At least one topic required in query param: ?topics=topic1,topic2")
}

// watchSocket is pub/sub on the channels of the keys.
func watchSocket(r *request) {
	r.subscribe("keys", "__watch@0__:", "At least one key required in query param: ?keys=key1,key2")
}

// subscribe serves the topics in the query: a list between commas.
func (r *request) subscribe(query, prefix, refusal string) {
	if !r.upgradable(false) {
		return
	}
	var topics []string
	for item := range strings.SplitSeq(r.query(query), ",") {
		if item != "" {
			topics = append(topics, prefix+item)
		}
	}
	if topics == nil {
		r.refuse(fasthttp.StatusBadRequest, refusal)
		return
	}
	r.upgrade(false, func(s *socket) { s.deliver(topics) })
}

// deliver sends what is published. A client that is too slow is detached by the
// engine: it gets the backlog and then nothing, but stays connected.
func (s *socket) deliver(topics []string) {
	wake := make(chan struct{}, 1)
	sub, errText := s.server.engine.Subscribe(now(), topics, slowConsumer, engine.Detach, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	if errText != "" {
		s.send("error", errText)
		return
	}
	defer sub.Close()
	defer s.server.clients.add("pubsub-"+sub.ID(), &s.client)()
	if !s.send("type", "connected", "subscriber_id", sub.ID(), "topics", texts(topics), "subscription_count", len(topics)) {
		return
	}
	for {
		msgs, _ := sub.Take(1)
		if len(msgs) == 0 {
			select {
			case <-wake:
				continue
			case <-s.gone:
				return
			}
		}
		m := &msgs[0]
		if !s.send("type", "message", "message_id", m.ID, "topic", m.Topic, "payload", m.Payload, "metadata", m.Metadata, "timestamp", value.Int(m.Timestamp)) {
			return
		}
	}
}
