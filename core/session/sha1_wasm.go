//go:build wasip1

package session

import "github.com/libsynap/libsynap/core/value"

// scriptSum leaves the sum out: one member of a raw command's reply is not worth
// what SHA-1 weighs in the module.
func scriptSum(value.Value) value.Value { return value.Nil }
