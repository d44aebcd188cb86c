//go:build synap_testpanic

package main

import "strings"

// testPanic makes a request that names test.panic.boundary panic in the export
// itself, outside of all that core guards.
func testPanic(frame string) {
	if strings.Contains(frame, "test.panic.boundary") {
		panic("test.panic was called at the boundary")
	}
}
