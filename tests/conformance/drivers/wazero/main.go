// Command wazero is the conformance driver of synap.wasm under wazero
// (tests/conformance/runner, driver.go): it reads requests from standard input and
// answers on standard output. The module is build/synap.wasm, or the file that
// SYNAP_WASM names; SYNAP_WASM_CACHE names a directory for compiled code.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/session"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/wasm/host"
)

func main() {
	ctx := context.Background()
	h, err := host.New(ctx, host.Options{Path: cmp.Or(os.Getenv("SYNAP_WASM"), "build/synap.wasm"), CompilationCache: os.Getenv("SYNAP_WASM_CACHE")})
	if err != nil {
		fail(err)
	}
	defer h.Close()
	in, out := bufio.NewReader(os.Stdin), os.Stdout
	var client *host.Client
	for {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); err == io.EOF {
			return
		} else if err != nil {
			fail(err)
		}
		text := make([]byte, binary.LittleEndian.Uint32(size[:]))
		if _, err := io.ReadFull(in, text); err != nil {
			fail(err)
		}
		request, _, err := value.ParseMsgpack(string(text))
		if err != nil {
			fail(err)
		}
		var reply value.Value
		if op, _ := request.Index(0).AsStr(); op == "open" {
			if client != nil {
				client.Close()
			}
			address, _ := request.Index(1).AsStr()
			client, err = h.Open(ctx, address)
		} else {
			name, _ := request.Index(1).AsStr()
			reply, err = client.Command(ctx, name, request.Index(2))
		}
		frame := value.AppendMsgpack(make([]byte, 4), answer(reply, err))
		binary.LittleEndian.PutUint32(frame, uint32(len(frame)-4))
		if _, err := out.Write(frame); err != nil {
			fail(err)
		}
	}
}

// answer is [reply], or [nil, error].
func answer(reply value.Value, err error) value.Value {
	var e *errs.Error
	if err != nil && !errors.As(err, &e) {
		fail(err)
	}
	return session.Outcome(reply, e)
}

func fail(err error) {
	os.Stderr.WriteString("driver: " + err.Error() + "\n")
	os.Exit(1)
}
