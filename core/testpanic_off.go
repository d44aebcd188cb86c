//go:build !synap_testpanic

package core

// testPanic is where a test build panics; see its twin.
func testPanic(string) {}
