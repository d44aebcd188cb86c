//go:build !synap_testpanic

package main

func testPanic(string) {}
