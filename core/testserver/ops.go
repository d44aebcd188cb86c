package testserver

import (
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// version is the server version that is shown.
const version = "1.3.1"

// The operational routes (protocol: auth-and-ops 4).
var opsRoutes = []route{
	{method: "GET", path: "/health", run: fixed(object("status", "healthy", "service", "synap", "version", version))},
	{method: "GET", path: "/metrics", run: metricsPage},
	{method: "GET", path: "/info", needs: "admin admin:*", run: infoRoute},
	{method: "GET", path: "/clients", run: command("client.list")},
	{method: "GET", path: "/slowlog", run: command("slowlog.get")},
	{method: "POST", path: "/snapshot", run: fixed(object("message", "Snapshot triggered successfully", "success", true))},
	{method: "GET", path: "/hub/quota", run: failing("Unauthorized: Hub integration enabled but no Hub authentication found")},
}

// fixed always answers the same.
func fixed(v value.Value) func(*request) { return func(r *request) { r.json(v) } }

// failing always fails the same.
func failing(text string) func(*request) { return func(r *request) { r.fail(text) } }

func infoRoute(r *request) {
	if reply, ok := r.exec(engine.Raw, "info", object("section", r.query("section"))); ok {
		r.json(reply)
	}
}

// The cluster routes of a server that is not in a cluster (protocol:
// auth-and-ops 4 "Cluster").
var clusterRoutes = []route{
	{method: "GET", path: "/cluster/info", needs: "read cluster:info", run: noCluster},
	{method: "GET", path: "/cluster/nodes", needs: "read cluster:nodes", run: noCluster},
	{method: "POST", path: "/cluster/nodes", needs: "configure cluster:nodes", run: noCluster,
		body: &shape{"struct AddNodeRequest", []field{{name: "node_id", read: str}, {name: "address", read: str}}}},
	{method: "GET", path: "/cluster/nodes/{node_id}", needs: "read cluster:nodes", run: noCluster},
	{method: "DELETE", path: "/cluster/nodes/{node_id}", needs: "configure cluster:nodes", run: noCluster},
	{method: "GET", path: "/cluster/slots", needs: "read cluster:slots", run: noCluster},
	{method: "POST", path: "/cluster/slots/assign", needs: "configure cluster:slots", run: noCluster,
		body: &shape{"struct AssignSlotsRequest", []field{{name: "node_id", read: str}, {name: "slots", read: list(nested(&shape{"struct SlotRange", []field{{name: "start", read: u16}, {name: "end", read: u16}}}))}}}},
	{method: "POST", path: "/cluster/migration/start", needs: "configure cluster:migration", run: noCluster,
		body: &shape{"struct StartMigrationRequest", []field{{name: "slot", read: u16}, {name: "from_node", read: str}, {name: "to_node", read: str}}}},
	{method: "POST", path: "/cluster/migration/complete", needs: "configure cluster:migration", run: noCluster,
		body: &shape{"struct CompleteMigrationRequest", []field{{name: "slot", read: u16}}}},
	{method: "GET", path: "/cluster/migration/{slot:u16}", needs: "read cluster:migration", run: noCluster},
}

var noCluster = failing("Invalid request: Cluster mode not enabled")
