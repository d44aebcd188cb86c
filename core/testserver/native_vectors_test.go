package testserver_test

import (
	"testing"

	"github.com/libsynap/libsynap/tests/conformance/runner"
)

// Every exchange recorded with a real server over the native wires.
func TestNativeVectors(t *testing.T) {
	result, err := runner.Run(runner.Options{Dir: "../../tests/vectors", Role: "server", Out: t.Output(), Files: []string{"synaprpc-*", "resp3-*"}})
	if err != nil {
		t.Fatal(err)
	}
	if result.Failed > 0 || result.NoForm > 0 || result.Passed < 300 {
		t.Errorf("%d cases passed, %d failed, %d had no form", result.Passed, result.Failed, result.NoForm)
	}
}
