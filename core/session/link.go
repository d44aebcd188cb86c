package session

import (
	"encoding/binary"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/resp3"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// Link is one connection of a native wire: the handshake, requests out, replies
// and pushes in. It numbers the requests: a reply carries the ticket of what it
// answers, by its id on SynapRPC and by its place on RESP3.
//
// A driver writes what Hello and Append return, and hands in what arrives:
//
//	for n := link.Size(buf); n > 0; n = link.Size(buf) {
//		link.Receive(string(buf[:n]))
//		buf = buf[n:]
//	}
//
// An error of Size or Receive means that the connection is of no more use.
type Link struct {
	wire     Wire
	limit    int // bytes of a reply
	user     string
	password string

	next    uint64 // ticket of the next request
	due     uint64 // RESP3: ticket of the next reply
	greeted uint64 // tickets of the handshake are below
	waiting int    // replies of the handshake that are missing
	scan    resp3.Scanner
	mixer   mixer
	// Server is what RESP3's HELLO calls the server, "" if it does not say.
	Server string
}

// Limits of a native connection.
const (
	// MaxPipelined is how many requests the server works on per connection
	// (protocol: synaprpc 5). Further ones wait in the socket.
	MaxPipelined = 256
	// IdleLimit is how long an unused connection is kept, well below the server's own
	// 300 s (protocol: synaprpc 5).
	IdleLimit = 60 * span.Second
	// PingEvery and Silence find dead subscriptions: the server says nothing unasked,
	// and closes who has said nothing for long.
	PingEvery = 15 * span.Second
	Silence   = 40 * span.Second
	// ids is the number of request ids of SynapRPC: all but the one of pushes.
	ids = synaprpc.PushID
)

// Pick returns which of n connections takes more requests, where load tells how many
// are under way on each; -1 if a further one should be opened, of which there are
// most at most. It goes through them in their order, so that few are used much: what
// travels together costs less.
func Pick(n, most, requests int, load func(i int) int) int {
	least, under := -1, 0
	for i := range n {
		l := load(i)
		if l == 0 || l+requests <= MaxPipelined {
			return i
		}
		if least < 0 || l < under {
			least, under = i, l
		}
	}
	if n < most {
		return -1
	}
	return least // the server reads on as it finishes
}

// NewLink returns the state of a new connection. limit bounds a reply's bytes.
func NewLink(wire Wire, user, password string, limit int) *Link {
	return &Link{wire: wire, user: user, password: password, limit: limit}
}

// Hello appends what opens the connection; nothing if nothing need be said. The
// link is Ready when its replies were received.
func (l *Link) Hello(dst []byte) []byte {
	if l.password != "" {
		args := []value.Value{value.Str(l.password)}
		if l.user != "" {
			args = []value.Value{value.Str(l.user), value.Str(l.password)}
		}
		dst = l.greet(dst, "AUTH", args...)
	}
	if l.wire == RESP3 {
		// HELLO 3 AUTH would not authenticate here (protocol: resp3 quirk 1).
		dst = l.greet(dst, "HELLO", value.Str("3"))
	}
	return dst
}

func (l *Link) greet(dst []byte, name string, args ...value.Value) []byte {
	dst, _ = l.Append(dst, AppendNative(nil, l.wire, name, args))
	l.waiting++
	l.greeted = l.next
	return dst
}

// Ready reports whether the handshake is over.
func (l *Link) Ready() bool { return l.waiting == 0 }

// AppendNative appends a request without what only its connection knows.
func AppendNative(dst []byte, wire Wire, name string, args []value.Value) []byte {
	if wire == RESP3 {
		return resp3.AppendCommand(dst, name, args)
	}
	return synaprpc.AppendBody(dst, name, args)
}

// Append appends a request of AppendNative and returns its ticket.
func (l *Link) Append(dst, request []byte) ([]byte, uint64) {
	ticket := l.next
	l.next++
	if l.wire == RESP3 {
		return append(dst, request...), ticket
	}
	return synaprpc.AppendRequest(dst, uint32(ticket%ids), request), ticket
}

// Sent returns the ticket that the next request will have.
func (l *Link) Sent() uint64 { return l.next }

// Size returns how many bytes of buf are the next message, 0 if it is not yet
// complete. buf starts with what was not received before.
func (l *Link) Size(buf []byte) (int, *errs.Error) {
	var n int
	var err error
	if l.wire == RESP3 {
		n, err = l.scan.Scan(buf, l.limit)
	} else if n, err = synaprpc.Size(buf, l.limit); n > len(buf) {
		n = 0
	}
	switch err {
	case nil:
		return n, nil
	case synaprpc.ErrFrameSize, resp3.ErrSize:
		if l.wire == RPC && binary.LittleEndian.Uint32(buf) > synaprpc.MaxBody {
			return 0, l.garbage() // no frame is that long: it is the text of another protocol
		}
		return 0, errs.New(errs.TooLarge, "a reply is larger than max_reply_bytes; the connection was closed over it")
	}
	return 0, l.garbage()
}

func (l *Link) garbage() *errs.Error {
	return errs.New(errs.Protocol, "what the server sent is not "+wireName(l.wire)+": is this the port of its "+wireName(l.wire)+" listener?")
}

// Received is a message from the server.
type Received struct {
	Ticket uint64      // what it answers
	Value  value.Value // the reply, or the push
	Err    *errs.Error // the server refused the request
	Push   bool        // it answers nothing
	Hello  bool        // it belongs to the handshake and is dealt with
}

// Receive decodes a message whose size Size returned.
func (l *Link) Receive(message string) (Received, *errs.Error) {
	r, err := l.decode(message)
	if err != nil || r.Push {
		return r, err
	}
	if r.Ticket >= l.greeted || l.waiting == 0 {
		r.Ticket = l.mixer.mix(r.Ticket, l.next)
		return r, nil
	}
	r.Hello = true
	l.waiting--
	switch {
	case r.Err == nil:
		l.Server, _ = r.Value.Field("server").AsStr()
	case r.Err.Code == errs.Unauthenticated, l.password != "" && r.Ticket == 0:
		r.Err.Code = errs.Unauthenticated
		return r, r.Err
	}
	return r, nil // whoever does not know HELLO speaks an older RESP, which is read too
}

func (l *Link) decode(message string) (r Received, err *errs.Error) {
	if l.wire == RESP3 {
		m, bad := resp3.Parse(message)
		if bad != nil {
			return r, l.garbage()
		}
		if m.Push {
			return Received{Push: true, Value: m.Value}, nil
		}
		if l.due == l.next {
			return r, l.unasked()
		}
		r = Received{Ticket: l.due, Value: m.Value}
		l.due++
		if m.Failed {
			r.Err = NativeError(m.Err)
		}
		return r, nil
	}
	m, bad := synaprpc.ParseReply(message[4:])
	if bad != nil {
		return r, l.garbage()
	}
	if m.ID == synaprpc.PushID {
		return Received{Push: true, Value: m.Value}, nil
	}
	// The newest request with this id: ids come round after four thousand million.
	ago := (l.next + ids - 1 - uint64(m.ID)) % ids
	if ago >= l.next {
		return r, l.unasked()
	}
	r = Received{Ticket: l.next - 1 - ago, Value: m.Value}
	if m.Failed {
		r.Err = NativeError(m.Err)
	}
	return r, nil
}

// AnsweredTwice is the error of a reply whose request has been answered.
func AnsweredTwice() *errs.Error {
	return errs.New(errs.Protocol, "the server answered one question twice; the connection was closed over it")
}

// OthersFault is what an error of one reply, which ended the connection, is to the
// other calls on it.
func OthersFault(err *errs.Error) *errs.Error {
	return errs.New(errs.Connection, "the connection was given up because of another call's reply: "+err.Message)
}

// Unreachable is the error of a connection that did not come about.
func Unreachable(server, why string) *errs.Error {
	return errs.New(errs.Connection, "cannot reach "+server+": "+why+". Is the server running there?")
}

func (l *Link) unasked() *errs.Error {
	return errs.New(errs.Protocol, "the server answered a question that nobody asked; the connection was closed over it")
}

// PushObject arranges a SynapRPC push as the object that a WebSocket brings.
func PushObject(v value.Value) (value.Value, bool) {
	text, ok := v.Field("payload").AsStr()
	if !ok {
		return value.Nil, false
	}
	payload, err := value.ParseJSON(text)
	if err != nil {
		return value.Nil, false
	}
	return value.Map(value.Str("topic"), v.Field("topic"), value.Str("payload"), payload,
		value.Str("message_id"), v.Field("id"), value.Str("timestamp"), v.Field("timestamp")), true
}
