package testserver

import (
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func queueSocket(r *request) {
	if !r.upgradable(true) {
		return
	}
	queue, consumer := r.params[0], r.params[1]
	r.upgrade(true, func(s *socket) { s.consume(queue, consumer) })
}

// consume tries to take a message once a tick; every frame from the client starts
// the tick anew. An unknown queue is as good as an empty one (protocol:
// websocket.md "/queue/…").
func (s *socket) consume(queue, consumer string) {
	defer s.server.clients.add("queue-"+queue+"-"+consumer, &s.client)()
	if !s.send("type", "connected", "queue", queue, "consumer_id", consumer) {
		return
	}
	t := time.NewTimer(socketTick)
	defer t.Stop()
	for {
		select {
		case <-s.gone:
			return
		case frame := <-s.frames:
			s.settle(queue, frame)
		case <-t.C:
			reply, _ := s.server.engine.Exec(now(), engine.Raw, "queue.consume", "", object("queue", queue, "consumer_id", consumer))
			if m := reply.Field("message"); !m.IsNil() && !s.sendMessage(m) {
				return
			}
		}
		t.Reset(socketTick)
	}
}

// sendMessage sends a message. The engine does not tell when it was published, so
// created_at is the time of the delivery.
func (s *socket) sendMessage(m value.Value) bool {
	return s.send("type", "message", "message_id", m.Field("id"), "payload", m.Field("payload"), "priority", m.Field("priority"),
		"retry_count", m.Field("retry_count"), "created_at", value.Int(time.Now().Unix()), "headers", m.Field("headers"))
}

// settle does what a frame asks; nothing is answered, whatever comes of it.
func (s *socket) settle(queue string, frame []byte) {
	v, err := value.ParseJSON(string(frame))
	id, hasID := v.Field("message_id").AsStr()
	if err != nil || !hasID {
		return
	}
	switch name, _ := v.Field("command").AsStr(); name {
	case "ack":
		s.server.engine.Exec(now(), engine.Raw, "queue.ack", "", object("queue", queue, "message_id", id))
	case "nack":
		requeue, isBool := v.Field("requeue").AsBool()
		s.server.engine.Exec(now(), engine.Raw, "queue.nack", "", object("queue", queue, "message_id", id, "requeue", requeue || !isBool))
	}
}
