package session

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

func TestScriptSum(t *testing.T) {
	for n := range 200 {
		text := strings.Repeat("return redis.call('get', KEYS[1]) ", 6)[:n]
		want := sha1.Sum([]byte(text))
		if got, _ := scriptSum(value.Str(text)).AsStr(); got != hex.EncodeToString(want[:]) {
			t.Errorf("%d bytes: %s", n, got)
		}
	}
}
