//go:build wasip1

// Command codec is the codecs of synap.wasm alone, as a module of their own: what
// encoding and decoding cost without the client round them.
package main

import (
	"strings"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/envelope"
)

func main() {}

var (
	frame = string(value.AppendMsgpack(nil, value.Array(value.Int(0), value.Str("kv.get"), value.Array(value.Str("bench:1")))))
	reply = `{"success":true,"request_id":"1","payload":"` + strings.Repeat("The quick brown fox. ", 5)[:100] + `"}`
	get   = command.Lookup("kv.get")

	request, result []byte
)

// pairs makes n times a request of a frame and a result of its reply, and returns
// the length of the last result, 0 if one failed.
//
//go:wasmexport pairs
func pairs(n int32) int32 {
	for range n {
		f, bad := session.ParseFrame(frame)
		if bad != nil || f.Name != get.Name {
			return 0
		}
		payload := value.Map(value.Str("key"), f.Args[0])
		if request, bad = envelope.AppendCommand(request[:0], get.HTTP.Command, "1", payload); bad != nil {
			return 0
		}
		v, bad := envelope.ParseCommand(200, reply, "1")
		if bad != nil {
			return 0
		}
		result = value.AppendMsgpack(result[:0], v)
	}
	return int32(len(result))
}
