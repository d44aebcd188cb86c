package testserver

import "github.com/libsynap/libsynap/core/value"

// The routes of partitioned topics (protocol: http-messaging 5). None of them
// needs a permission.
var topicRoutes = []route{
	{method: "GET", path: "/topics", run: command("topics.list")},
	{method: "POST", path: "/topics/{topic}", body: topicBody, run: command("topics.create", "topic")},
	{method: "DELETE", path: "/topics/{topic}", run: command("topics.delete", "topic")},
	{method: "GET", path: "/topics/{topic}/stats", run: command("topics.stats", "topic")},
	{method: "POST", path: "/topics/{topic}/publish", body: topicPublishBody, run: command("topics.publish", "topic")},
	{method: "POST", path: "/topics/{topic}/partitions/{partition_id:u64}/consume", body: topicConsumeBody, run: command("topics.consume", "topic", "partition_id")},
}

var topicBody = &shape{"struct CreateTopicRequest", []field{
	{name: "num_partitions", rule: optional, read: usize},
	{name: "replication_factor", rule: optional, read: usize},
	{name: "retention_policy", rule: optional, read: retentionPolicy},
	{name: "segment_bytes", rule: optional, read: u64},
}}

var topicPublishBody = &shape{"struct PublishToPartitionRequest", []field{
	{name: "event_type", read: str},
	{name: "key", rule: optional, read: str},
	{name: "data", read: anyJSON},
}}

var topicConsumeBody = &shape{"struct ConsumeFromPartitionRequest", []field{
	{name: "from_offset", rule: optional, read: u64},
	{name: "limit", rule: optional, read: usize},
}}

// retentionNeeds are the kinds of retention and the number that each needs.
// Combined takes any of the three, Infinite none.
var retentionNeeds = map[string]string{"Time": "retention_secs", "Size": "max_bytes", "Messages": "max_messages"}

var retentionKind = variant("Time", "Size", "Messages", "Combined", "Infinite")

// retentionPolicy reads an object whose "type" says what else it holds.
func retentionPolicy(d *decoder) (value.Value, error) {
	if c := d.p.Peek(); c != '{' {
		return value.Nil, d.wrongType("internally tagged enum RetentionPolicyRequest")
	}
	var items []value.Value
	err := d.p.Object(func(key string) error {
		read := anyJSON
		if key == "type" {
			read = retentionKind
		}
		v, err := read(d)
		items = append(items, value.Str(key), v)
		return within(err, key)
	})
	policy := value.Map(items...)
	if err != nil {
		return policy, d.leave(err, '}')
	}
	kind, _ := policy.Field("type").AsStr()
	if kind == "" {
		return policy, wrong("missing field `type`")
	}
	needed := retentionNeeds[kind]
	if _, has := policy.Get(needed); needed != "" && !has {
		return policy, wrong("missing field `" + needed + "`")
	}
	for _, name := range retentionNeeds {
		v, has := policy.Get(name)
		if !has || kind == "Infinite" || (v.IsNil() && kind == "Combined") || (name != needed && needed != "") {
			continue
		}
		if _, ok := v.AsUint(); !ok {
			return policy, wrong("invalid type: " + describe(v) + ", expected u64")
		}
	}
	return policy, nil
}
