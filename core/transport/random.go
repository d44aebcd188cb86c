package transport

import (
	"encoding/hex"
	"math/rand/v2"
)

// randomHex returns 64 random bits as text.
func randomHex() string {
	var b [8]byte
	u := rand.Uint64()
	for i := range b {
		b[i] = byte(u >> (8 * i))
	}
	return hex.EncodeToString(b[:])
}
