//go:build synap_testpanic

package core

// testPanic makes the raw command test.panic panic, so that a test can see what
// a defect inside the library does to its host.
func testPanic(name string) {
	if name == "test.panic" {
		panic("test.panic was called")
	}
}
