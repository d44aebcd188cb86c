package testserver

// The routes of consumer groups (protocol: http-messaging 6). None of them needs
// a permission.
var groupRoutes = []route{
	{method: "GET", path: "/consumer-groups", run: command("groups.list")},
	{method: "POST", path: "/consumer-groups/{group_id}", body: groupBody, run: command("groups.create", "group")},
	{method: "POST", path: "/consumer-groups/{group_id}/join", body: &shape{"struct JoinGroupRequest", []field{{name: "session_timeout_secs", rule: optional, read: u64}}},
		run: command("groups.join", "group")},
	{method: "DELETE", path: "/consumer-groups/{group_id}/members/{member_id}/leave", run: command("groups.leave", "group", "member_id")},
	{method: "GET", path: "/consumer-groups/{group_id}/members/{member_id}/assignment", run: command("groups.assignment", "group", "member_id")},
	{method: "POST", path: "/consumer-groups/{group_id}/members/{member_id}/heartbeat", run: command("groups.heartbeat", "group", "member_id")},
	{method: "POST", path: "/consumer-groups/{group_id}/offsets/commit", body: &shape{"struct CommitOffsetRequest", []field{{name: "partition_id", read: usize}, {name: "offset", read: u64}}},
		run: command("groups.commit", "group")},
	{method: "GET", path: "/consumer-groups/{group_id}/offsets/{partition_id:u64}", run: command("groups.offset", "group", "partition_id")},
	{method: "GET", path: "/consumer-groups/{group_id}/stats", run: command("groups.stats", "group")},
}

var groupBody = &shape{"struct CreateConsumerGroupRequest", []field{
	{name: "topic", read: str},
	{name: "partition_count", read: usize},
	{name: "strategy", rule: optional, read: str},
	{name: "session_timeout_secs", rule: optional, read: u64},
}}
