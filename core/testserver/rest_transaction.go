package testserver

import (
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// The transaction routes (protocol: http-data 12).
var transactionRoutes = []route{
	{method: "POST", path: "/transaction/multi", run: transactionRoute("transaction.multi")},
	{method: "POST", path: "/transaction/watch", body: &shape{"struct TransactionWatchRequest", []field{{name: "keys", read: list(str)}}},
		run: transactionRoute("transaction.watch")},
	{method: "POST", path: "/transaction/unwatch", run: transactionRoute("transaction.unwatch")},
	{method: "POST", path: "/transaction/discard", run: transactionRoute("transaction.discard")},
	{method: "POST", path: "/transaction/exec", run: transactionExec},
}

// transact runs a transaction command. All callers of the routes are one client
// to the server, so they share one transaction.
func (r *request) transact(name string) (value.Value, bool) {
	return r.exec(engine.Routed, name, with(r.payload(), "client_id", "rest_client"))
}

func transactionRoute(name string) func(*request) {
	return func(r *request) {
		if reply, ok := r.transact(name); ok {
			r.json(reply)
		}
	}
}

// transactionExec answers the results alone, or that there are none.
func transactionExec(r *request) {
	reply, ok := r.transact("transaction.exec")
	if !ok {
		return
	}
	for _, name := range []string{"results", "aborted"} {
		if v, has := reply.Get(name); has {
			r.json(object(name, v))
		}
	}
}
