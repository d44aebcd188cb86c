package testserver

import (
	"errors"
	"io"
	"os"

	"github.com/libsynap/libsynap/core/testserver/native"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/resp3"
)

// respConn is one RESP3 connection. It does one command after the other: one that
// waits holds up the rest.
type respConn struct {
	*nativeConn
	scanner resp3.Scanner
	out     []byte
}

// greeting answers HELLO: the version of the protocol is no state, and what HELLO is
// given is not looked at (protocol: resp3 2).
const greeting = "%3\r\n+server\r\n+synap\r\n+version\r\n+1.0.0\r\n+proto\r\n:3\r\n"

func serveRESP(n *nativeConn) {
	c := &respConn{nativeConn: n}
	for quit := false; !quit; {
		command, err := c.in.next(c.scanner.ScanRequest, c.send)
		if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return // replies that have not been sent by then never are
		}
		request, err := resp3.ParseRequest(command)
		if err != nil {
			return
		}
		quit = c.answer(request)
	}
	c.send()
}

// send writes what has collected. A client that is gone is noticed by reading.
func (c *respConn) send() {
	if len(c.out) > 0 {
		c.conn.Write(c.out)
	}
	if cap(c.out) > keptRoom {
		c.out = nil
	}
	c.out = c.out[:0]
}

// fail answers an error. Those of the connection have a second class behind the
// first (protocol: resp3 quirk 4).
func (c *respConn) fail(errText string) { c.out = resp3.AppendError(c.out, "ERR "+errText) }

// answer carries out one command, and says whether the client wants to quit.
func (c *respConn) answer(r resp3.Request) (quit bool) {
	switch {
	case !r.List:
		c.fail("ERR unexpected value type")
		return false
	case len(r.Args) == 0:
		c.fail("ERR empty command")
		return false
	}
	blob, ok := r.Args[0].AsBlob()
	if !ok {
		c.fail("command must be a string")
		return false
	}
	args := r.Args[1:]
	switch name := native.Upper(blob); {
	case name == "AUTH":
		c.login(args)
	case name == "HELLO":
		c.out = append(c.out, greeting...)
	case name == "QUIT":
		c.out = resp3.AppendSimple(c.out, "OK")
		return true
	case !c.session.known:
		c.out = resp3.AppendError(c.out, "NOAUTH Authentication required")
	case !c.session.may(name):
		c.fail(noPerm)
	default:
		return c.run(name, args)
	}
	return false
}

// run runs a command of the catalogue. True means that the server stops.
func (c *respConn) run(name string, args []value.Value) (stopped bool) {
	result, errText, wait := c.server.native.Run(native.RESP, nil, name, args)
	if wait != nil {
		c.send()
		var ok bool
		if result, ok = wait.Result(c.server.stop); !ok {
			return true
		}
	}
	switch text, _ := result.Value.AsStr(); {
	case errText != "":
		c.fail(errText)
	case result.Status:
		c.out = resp3.AppendSimple(c.out, text)
	default:
		c.out = resp3.AppendValue(c.out, result.Value, result.Maps)
	}
	return false
}

// login takes a user and a password, or a password alone; more is ignored.
func (c *respConn) login(args []value.Value) {
	if len(args) == 0 {
		c.fail("ERR wrong number of arguments for 'AUTH' command")
		return
	}
	words := [2]string{onlyUser}
	for i, v := range args[:min(len(args), 2)] {
		s, ok := v.AsStr()
		if !ok {
			c.fail("ERR password must be a string")
			return
		}
		words[i] = s
	}
	if len(args) == 1 {
		words = [2]string{onlyUser, words[0]}
	}
	if !c.session.login(words[0], words[1]) {
		c.fail(wrongPass)
		return
	}
	c.out = resp3.AppendSimple(c.out, "OK")
}
