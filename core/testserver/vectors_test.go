package testserver_test

import (
	"testing"

	"github.com/libsynap/libsynap/tests/conformance/runner"
)

// Every exchange recorded with a real server over HTTP and WebSockets, for what
// the test server serves.
func TestVectors(t *testing.T) {
	result, err := runner.Run(runner.Options{Dir: "../../tests/vectors", Role: "server", Out: t.Output(), Files: []string{
		"auth", "rest-envelope", "rest-kv", "rest-key", "rest-hash", "rest-list", "rest-script", "rest-transaction", "rest-admin", "rest-set", "rest-sortedset", "rest-bitmap", "rest-hyperloglog", "rest-geospatial", "rest-queue", "rest-stream", "rest-pubsub", "rest-topics", "rest-groups", "rest-ops", "ws-*"}})
	if err != nil {
		t.Fatal(err)
	}
	// Without a form: the two cases of rest-ops that need a cluster.
	if result.Failed > 0 || result.NoForm != 2 || result.Passed < 200 {
		t.Errorf("%d cases failed, %d had no form", result.Failed, result.NoForm)
	}
}
