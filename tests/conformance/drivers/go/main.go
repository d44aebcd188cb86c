// Command go is the conformance driver of the Go client (tests/conformance/runner,
// driver.go): it reads requests from standard input and answers on standard output.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func main() {
	in, out := bufio.NewReader(os.Stdin), os.Stdout
	var client *core.Client
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
			client, err = core.Open(address)
		} else {
			name, _ := request.Index(1).AsStr()
			reply, err = client.Command(context.Background(), name, request.Index(2))
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
	if err == nil {
		return value.Array(reply)
	}
	var e *errs.Error
	if !errors.As(err, &e) {
		fail(err)
	}
	flags := int64(0)
	if e.Retryable {
		flags |= 1
	}
	if e.MaybeApplied {
		flags |= 2
	}
	return value.Array(value.Nil, value.Array(value.Int(int64(e.Code)), value.Int(int64(e.Status)), value.Int(flags),
		value.Str(e.Message), value.Str(e.Command), value.Str(e.Transport)))
}

func fail(err error) {
	os.Stderr.WriteString("driver: " + err.Error() + "\n")
	os.Exit(1)
}
