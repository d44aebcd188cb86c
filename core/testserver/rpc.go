package testserver

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/testserver/native"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// maxInFlight is how many requests of one connection may be waiting for their
// answers; more are not read (protocol: synaprpc 5).
const maxInFlight = 256

// rpcConn is one SynapRPC connection.
type rpcConn struct {
	*nativeConn
	slots chan struct{}  // one for each request in flight
	tasks sync.WaitGroup // the requests that wait, and the pushing
	gone  chan struct{}  // closed when nothing more can be answered

	// mu guards out, and everything that must keep its order on the connection: a
	// command and its reply are one step, so that no push comes between.
	mu   sync.Mutex
	out  []byte
	push pushes
}

func serveRPC(n *nativeConn) {
	c := &rpcConn{nativeConn: n, slots: make(chan struct{}, maxInFlight), gone: make(chan struct{})}
	c.push.wake = make(chan struct{}, 1)
	defer func() {
		close(c.gone)
		c.conn.Close()
		c.tasks.Wait()
		c.push.abandon()
	}()
	err := c.readAll()
	c.flush()
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
		c.finish()
	}
}

// readAll answers requests until the client leaves, asks to quit (nil), or sends
// what is no request.
func (c *rpcConn) readAll() error {
	for {
		select {
		case c.slots <- struct{}{}:
		default:
			c.flush()
			select {
			case c.slots <- struct{}{}:
			case <-c.server.stop:
				return io.ErrClosedPipe
			}
		}
		frame, err := c.in.next(func(buf []byte) (int, error) { return synaprpc.Size(buf, synaprpc.MaxBody) }, c.flush)
		if err != nil {
			<-c.slots
			return err
		}
		request, err := synaprpc.ParseRequest(frame[4:])
		if err != nil {
			<-c.slots
			return err
		}
		if quit := c.answer(&request); quit {
			return nil
		}
	}
}

// finish lets what is in flight be answered after the client has said that it
// sends no more, or has been silent for too long.
func (c *rpcConn) finish() {
	for range cap(c.slots) {
		select {
		case c.slots <- struct{}{}:
		case <-c.server.stop:
			return
		}
	}
}

func (c *rpcConn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.send()
}

// send writes what has collected. A client that is gone is noticed by reading.
func (c *rpcConn) send() {
	if len(c.out) > 0 {
		c.conn.Write(c.out)
	}
	if cap(c.out) > keptRoom {
		c.out = nil
	}
	c.out = c.out[:0]
}

// answer carries out one request, and says whether the client wants to quit.
func (c *rpcConn) answer(r *synaprpc.Request) (quit bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	result, errText, wait := c.carryOut(r)
	if wait != nil {
		c.tasks.Go(func() { c.answerLater(r.ID, wait) })
		return false
	}
	c.reply(r.ID, result, errText)
	<-c.slots
	return r.Name == "QUIT" && errText == ""
}

func (c *rpcConn) answerLater(id uint32, wait *native.Wait) {
	result, ok := wait.Result(c.gone)
	if !ok {
		return
	}
	c.mu.Lock()
	c.reply(id, result, "")
	c.send()
	c.mu.Unlock()
	<-c.slots
}

func (c *rpcConn) reply(id uint32, result native.Result, errText string) {
	if errText != "" {
		c.out = synaprpc.AppendFailure(c.out, id, errText)
		return
	}
	c.out = synaprpc.AppendReply(c.out, id, result.Value)
}

// carryOut runs a command.
func (c *rpcConn) carryOut(r *synaprpc.Request) (native.Result, string, *native.Wait) {
	if r.ID == synaprpc.PushID {
		return native.Result{}, "ERR request id u32::MAX is reserved for server push frames", nil
	}
	if result, errText, done := c.builtIn(r); done {
		return result, errText, nil
	}
	if !c.session.may(r.Name) {
		return native.Result{}, noPerm, nil
	}
	return c.server.native.Run(native.RPC, c, r.Name, r.Args)
}

// builtIn answers what the connection knows by itself, and refuses strangers. Names
// are told apart by case here, and nowhere else (protocol: synaprpc quirk 13).
func (c *rpcConn) builtIn(r *synaprpc.Request) (result native.Result, errText string, done bool) {
	switch {
	case r.Name == "AUTH":
		errText = c.login(r.Args)
		return native.Result{Value: value.Str("OK")}, errText, true
	case r.Name == "QUIT":
		return native.Result{Value: value.Str("OK")}, "", true
	case c.session.known || r.Name == "HELLO": // which does not exist
		return result, "", false
	case r.Name == "PING":
		result.Value, errText = earlyPing(r.Args)
		return result, errText, true
	}
	return result, "NOAUTH Authentication required.", true
}

func (c *rpcConn) login(args []value.Value) (errText string) {
	words := [2]string{onlyUser}
	for i, v := range args {
		s, ok := v.AsBlob()
		if !ok || i >= len(words) || !utf8.ValidString(s) {
			return "ERR invalid arguments for 'AUTH'"
		}
		words[i] = s
	}
	switch len(args) {
	case 0:
		return "ERR invalid arguments for 'AUTH'"
	case 1:
		words = [2]string{onlyUser, words[0]}
	}
	if !c.session.login(words[0], words[1]) {
		return wrongPass
	}
	return ""
}

// earlyPing is PING before AUTH, which is stricter than the one after it and
// answers bytes as bytes.
func earlyPing(args []value.Value) (value.Value, string) {
	switch {
	case len(args) == 0:
		return value.Str("PONG"), ""
	case len(args) > 1:
		return value.Nil, "ERR wrong number of arguments for 'PING' (" + strconv.Itoa(len(args)) + ")"
	}
	if _, ok := args[0].AsBlob(); !ok {
		return value.Nil, "ERR PING argument must be a string or bytes"
	}
	return args[0], ""
}
