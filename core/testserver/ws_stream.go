package testserver

import (
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func streamSocket(r *request) {
	if !r.upgradable(true) {
		return
	}
	room, subscriber := r.params[0], r.params[1]
	from := parseUint(r.query("from_offset"))
	if from.IsNil() {
		from = value.Int(0)
	}
	r.upgrade(false, func(s *socket) { s.followRoom(room, subscriber, from) })
}

// followRoom reads the room once a tick from the offset on. A failure is told and
// ends the connection (protocol: websocket.md "/stream/…").
func (s *socket) followRoom(room, subscriber string, offset value.Value) {
	defer s.server.clients.add("stream-"+room+"-"+subscriber, &s.client)()
	if !s.send("type", "connected", "room", room, "subscriber_id", subscriber, "from_offset", offset) {
		return
	}
	t := time.NewTicker(socketTick)
	defer t.Stop()
	for {
		select {
		case <-s.gone:
			return
		case <-t.C:
		}
		reply, errText := s.server.engine.Exec(now(), engine.Raw, "stream.consume", "",
			object("room", room, "subscriber_id", subscriber, "from_offset", offset, "limit", 100))
		if errText != "" {
			s.send("type", "error", "error", strings.TrimPrefix(errText, "Invalid request: "))
			return
		}
		for _, event := range reply.Field("events").Items() {
			if !s.sendEvent(event) {
				return
			}
		}
		offset = reply.Field("next_offset")
	}
}

// sendEvent sends an event with its data as JSON; over HTTP it is bytes.
func (s *socket) sendEvent(event value.Value) bool {
	text, _ := event.Field("data").AsByteArray()
	data, err := value.ParseJSON(text)
	if err != nil {
		data = value.Nil
	}
	return s.send("type", "event", "offset", event.Field("offset"), "event", event.Field("event"), "data", data, "timestamp", event.Field("timestamp"))
}
