package testserver

import (
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// The pub/sub routes. Every failure of theirs is status 200 with the text in
// "error", missing permissions too (protocol: http-messaging 4, quirks).
var pubsubRoutes = []route{
	{method: "POST", path: "/pubsub/subscribe", body: &shape{"struct PubSubSubscribeRequest", []field{{name: "topics", read: list(str)}}}, run: pubsubSubscribe},
	{method: "POST", path: "/pubsub/unsubscribe", body: &shape{"struct PubSubUnsubscribeRequest", []field{{name: "subscriber_id", read: str}, {name: "topics", rule: optional, read: list(str)}}},
		run: pubsub("pubsub.unsubscribe", 0)},
	{method: "GET", path: "/pubsub/topics", run: pubsub("pubsub.topics", actionRead)},
	{method: "GET", path: "/pubsub/stats", run: pubsub("pubsub.stats", actionRead)},
	{method: "POST", path: "/pubsub/{topic}/publish", body: pubsubPublishBody, run: pubsub("pubsub.publish", actionWrite, "topic")},
	{method: "GET", path: "/pubsub/{topic}/info", run: pubsub("pubsub.info", actionRead, "topic")},
}

var pubsubPublishBody = &shape{"struct PubSubPublishRequest", []field{
	{name: "payload", alias: "data", read: anyJSON},
	{name: "metadata", rule: optional, read: textMap},
}}

// pubsub is the handler of a route that is one command and needs an action on
// the topic in its path, or on all topics.
func pubsub(name string, needs action, params ...string) func(*request) {
	return func(r *request) {
		if needs != 0 {
			if len(params) > 0 && !r.mayTopic(r.params[0], needs) {
				return
			}
			if len(params) == 0 && !r.who.may("pubsub:*", needs) {
				r.json(object("error", "Insufficient permissions"))
				return
			}
		}
		r.pubsub(name, r.payload(params...))
	}
}

func (r *request) mayTopic(topic string, needs action) bool {
	if r.who.may("pubsub:"+topic, needs) {
		return true
	}
	r.json(object("error", "Insufficient permissions for topic: "+topic))
	return false
}

func (r *request) pubsub(name string, payload value.Value) {
	reply, errText := r.server.engine.Exec(now(), engine.Raw, name, "", payload)
	if errText == "" {
		r.json(reply)
		return
	}
	if errs.FromServer(errText).Code == errs.NotFound {
		errText = "Topic not found"
	}
	r.json(object("error", errText))
}

func pubsubSubscribe(r *request) {
	topics := r.field("topics").Items()
	for _, t := range topics {
		if topic, _ := t.AsStr(); !r.mayTopic(topic, actionRead) {
			return
		}
	}
	if len(topics) == 0 { // an error on the envelope, a success here
		r.json(object("subscriber_id", randomUUID(), "topics", value.Array(), "subscription_count", 0))
		return
	}
	r.pubsub("pubsub.subscribe", r.payload())
}
