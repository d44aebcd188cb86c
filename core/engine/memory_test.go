package engine_test

import (
	"testing"

	"github.com/libsynap/libsynap/core/engine"
)

func TestMemoryUsage(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"memory.usage", `{}`, `Invalid request: Missing 'key' field`},
		{"memory.usage", `{"key":"é"}`, `Key not found: Key 'é' does not exist`},
		{"kv.set", `{"key":"é","value":"ü"}`, `{"success":true}`},
		{"memory.usage", `{"key":"é"}`, `{"bytes":68,"human":"68B","key":"é"}`},
		{"hash.mset", `{"key":"é","fields":{"long name":1,"b":"x"}}`, `{"success":true}`},
		{"memory.usage", `{"key":"é"}`, `{"bytes":134,"human":"134B","key":"é"}`},
		{"list.rpush", `{"key":"é","values":["x"]}`, `{"key":"é","length":1}`},
		{"memory.usage", `{"key":"é"}`, `{"bytes":85,"human":"85B","key":"é"}`},
		{"kv.set", `{"key":"gone","value":"x","ttl":0}`, `{"success":true}`},
		{"memory.usage", `{"key":"gone"}`, `Key not found: Key 'gone' does not exist`},
	})
	for n, want := range map[int64]string{0: "0B", 1023: "1023B", 1024: "1KB", 1030: "1KB", 1035: "1.01KB", 2070: "2.02KB", 1 << 20: "1MB", 5 << 40: "5120GB"} {
		if got := engine.HumanBytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
