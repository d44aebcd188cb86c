package testserver

import "github.com/libsynap/libsynap/core/engine"

// The queue routes (protocol: http-messaging 2). Ack and nack need no permission.
var queueRoutes = []route{
	{method: "POST", path: "/queue/{name}", body: queueBody, needs: "configure queue:{name}", run: queueCreate},
	{method: "DELETE", path: "/queue/{name}", needs: "delete queue:{name}", run: succeeded("queue.delete", "queue")},
	{method: "GET", path: "/queue/list", needs: "read queue:*", run: command("queue.list")},
	{method: "POST", path: "/queue/{name}/publish", body: queuePublishBody, needs: "write queue:{name}", run: command("queue.publish", "queue")},
	{method: "GET", path: "/queue/{name}/consume/{consumer_id}", needs: "read queue:{name}", run: queueConsume},
	{method: "POST", path: "/queue/{name}/ack", body: &shape{"struct QueueAckRequest", []field{{name: "message_id", read: str}}}, run: command("queue.ack", "queue")},
	{method: "POST", path: "/queue/{name}/nack", body: &shape{"struct QueueNackRequest", []field{{name: "message_id", read: str}, {name: "requeue", read: boolean}}},
		run: command("queue.nack", "queue")},
	{method: "GET", path: "/queue/{name}/stats", needs: "read queue:{name}", run: command("queue.stats", "queue")},
	{method: "POST", path: "/queue/{name}/purge", needs: "delete queue:{name}", run: succeeded("queue.purge", "queue")},
}

var queueBody = &shape{"struct QueueCreateRequest", []field{
	{name: "max_depth", rule: optional, read: usize},
	{name: "ack_deadline_secs", rule: optional, read: u64},
	{name: "default_max_retries", rule: optional, read: u32},
	{name: "default_priority", rule: optional, read: u8},
	{name: "prefetch_limit", rule: optional, read: usize},
}}

var queuePublishBody = &shape{"struct QueuePublishRequest", []field{
	{name: "payload", read: byteList},
	{name: "priority", rule: optional, read: u8},
	{name: "max_retries", rule: optional, read: u32},
}}

// succeeded is a command whose REST reply also says "success".
func succeeded(name string, params ...string) func(*request) {
	return func(r *request) {
		if reply, ok := r.exec(engine.Raw, name, r.payload(params...)); ok {
			r.json(with(reply, "success", true))
		}
	}
}

// queueCreate honours the two defaults only beside one of the other options
// (protocol: queue quirks).
func queueCreate(r *request) {
	payload := object("name", r.params[0])
	for _, name := range []string{"max_depth", "ack_deadline_secs", "prefetch_limit"} {
		if !r.field(name).IsNil() {
			payload = with(payload, "config", r.payload())
			break
		}
	}
	if _, ok := r.exec(engine.Raw, "queue.create", payload); ok {
		r.json(object("success", true, "queue", r.params[0]))
	}
}

// queueConsume answers flat, with nothing but nulls if there is no message.
func queueConsume(r *request) {
	reply, ok := r.exec(engine.Raw, "queue.consume", r.payload("queue", "consumer_id"))
	if !ok {
		return
	}
	m := reply.Field("message")
	flat := object("message_id", m.Field("id"))
	for _, name := range []string{"payload", "priority", "retry_count", "max_retries", "headers"} {
		flat = with(flat, name, m.Field(name))
	}
	r.json(flat)
}
