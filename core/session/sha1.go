//go:build !wasip1

package session

import (
	"crypto/sha1"
	"encoding/hex"

	"github.com/libsynap/libsynap/core/value"
)

// scriptSum is the name that the server gives to a script.
func scriptSum(script value.Value) value.Value {
	s, _ := script.AsStr()
	sum := sha1.Sum([]byte(s))
	return value.Str(hex.EncodeToString(sum[:]))
}
