package runner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// hostPlayer runs the recorded commands through our binding in another language:
// the role host. A driver, written in that language, passes them on to the
// binding's raw command; a store of the embedded engine answers, or a server.
type hostPlayer struct {
	file    *File
	driver  *driver
	addr    string // "" for the embedded engine
	opened  string // the address that the driver has open
	stores  int
	servers servers
	absent  map[string]int // commands that answered Unsupported over a native wire
}

// The addresses that make role host start test servers, as role server does, and
// play over one of their wires.
const (
	TestServers      = "testserver"
	TestServersRPC   = "testserver-rpc"
	TestServersRESP3 = "testserver-resp3"
)

func newHostPlayer(o *Options, f *File) (player, error) {
	d, err := startDriver(o.Driver)
	return &hostPlayer{file: f, driver: d, addr: o.Addr, servers: servers{}, absent: map[string]int{}}, err
}

func (p *hostPlayer) close() {
	p.driver.close()
	p.servers.close()
}

// hostForm says why a case cannot be played through a binding.
func hostForm(steps []*Step) string {
	for _, s := range steps {
		switch {
		case s.Command == nil:
			return "a step is no command"
		case len(s.Headers) > 0:
			return "headers are the library's"
		case s.Reply.Status != 200:
			return "a status is not seen through a binding"
		// A transaction without a client id belongs to the request id, which is
		// the library's (protocol: http-data 12).
		case strings.HasPrefix(*s.Command, "transaction.") && !strings.Contains(string(s.Payload), `"client_id"`):
			return "the request id matters"
		}
	}
	return ""
}

func (p *hostPlayer) play(c *Case) (int, error) {
	steps, err := parseSteps(c)
	if err != nil {
		return 0, err
	}
	if why := hostForm(steps); why != "" {
		return 0, noForm(why)
	}
	for _, n := range c.Needs {
		if n != "fresh" {
			return 0, noForm("the store is not configured for " + n)
		}
	}
	address, done, err := p.address(c)
	if err != nil {
		return 0, err
	}
	defer done()
	if err := p.open(address); err != nil {
		return 0, &Failure{0, "open: " + err.Error()}
	}
	left, err := p.steps(steps)
	wire := nativeWireOf(p.opened)
	if why, ok := listed(nativeDiffers, wire, c.Name); ok && wire != "" {
		if _, failed := err.(*Failure); failed {
			return 0, noForm("it means something else over " + wire + ": " + why)
		}
		if err == nil && left == 0 {
			return 0, &Failure{0, "the case passes and must leave the list nativeDiffers"}
		}
	}
	return left, err
}

// steps plays the steps of a case.
func (p *hostPlayer) steps(steps []*Step) (left int, err error) {
	state := &hostCase{bound: Bindings{}}
	for i, s := range steps {
		time.Sleep(time.Duration(s.WaitMS) * time.Millisecond)
		switch err := p.step(state, s).(type) {
		case nil:
		case absent:
			p.absent[*s.Command]++
			if !err.harmless {
				return 0, noForm(fmt.Sprintf("%s has no form over %s", *s.Command, nativeWireOf(p.opened)))
			}
			left++
		case *Failure:
			err.Step = i
			return 0, err
		default:
			return 0, err
		}
	}
	if left == len(steps) {
		return 0, noForm("none of its commands has a form over " + nativeWireOf(p.opened))
	}
	return left, nil
}

// hostCase is what a case has come to.
type hostCase struct {
	bound  Bindings
	quoted bool // a command of the list quoting was played
}

// absent says that a command has no form on a native wire.
type absent struct{ harmless bool }

func (absent) Error() string { return "no form" }

// address returns where a case is played: on a store or server of its own if it
// asks for a fresh one.
func (p *hostPlayer) address(c *Case) (address string, done func(), err error) {
	switch {
	case p.addr == TestServers, p.addr == TestServersRPC, p.addr == TestServersRESP3:
		server, done, err := p.servers.get(p.file, c)
		switch {
		case err != nil:
			return "", nil, err
		case p.addr == TestServersRPC:
			return "synap://" + server.RPCAddr(), done, nil
		case p.addr == TestServersRESP3:
			return "resp3://" + server.RESP3Addr(), done, nil
		}
		return "http://" + server.HTTPAddr(), done, nil
	case p.addr != "":
		address = p.addr
	case c.needs("fresh"):
		p.stores++
		address = fmt.Sprintf("memory://fresh-%d", p.stores)
	default:
		address = "memory://shared"
	}
	return address, func() {}, nil
}

// open makes the driver open an address, unless it has it open.
func (p *hostPlayer) open(address string) error {
	if address == p.opened {
		return nil
	}
	reply, err := p.driver.ask(value.Array(value.Str("open"), value.Str(address)))
	if err != nil {
		return err
	}
	if _, e, err := readReply(reply); err != nil {
		return err
	} else if e != nil {
		return e
	}
	p.opened = address
	return nil
}

// What the embedded engine answers where it is built without a Lua interpreter, and
// without whole families: in WASM.
const (
	withoutScripts  = "Internal error: scripting is not part of this build"
	withoutFamilies = " (memory:// of the WASM module has the families "
)

// step plays one command. Its error is a *Failure, absent or a noForm.
func (p *hostPlayer) step(state *hostCase, s *Step) error {
	b, wire := state.bound, nativeWireOf(p.opened)
	payload, err := payloadOf(b, s.Payload)
	if err != nil {
		return failure("%v", err)
	}
	recorded, err := bodyOf(s.Reply.Body)
	if err != nil {
		return failure("%v", err)
	}
	success, want, text, ok := envelopeOf(recorded.pattern)
	if !ok {
		return failure("the recorded reply is no envelope")
	}
	reply, err := p.driver.ask(value.Array(value.Int(1), value.Str(*s.Command), toClient(payload)))
	if err != nil {
		return failure("%v", err)
	}
	got, e, err := readReply(reply)
	state.quoted = state.quoted || slices.Contains(quoting, *s.Command)
	d := ""
	switch {
	case err != nil:
		d = err.Error()
	case e != nil && e.Message == withoutScripts && p.addr == "":
		return noForm("the embedded engine has no interpreter here")
	case e != nil && strings.Contains(e.Message, withoutFamilies) && p.addr == "":
		return noForm("the embedded engine has not this family here")
	case wire != "" && e != nil && e.Code == errs.Unsupported:
		return absent{changesNothing(*s.Command, success)}
	case !success && e == nil:
		d = fmt.Sprintf("expected the error %s, the call succeeded", writeJSON(text))
	case !success && wire != "":
		d = checkNativeError(e, *s.Command, p.transport(e), b, text)
	case !success:
		d = checkError(e, *s.Command, p.transport(e), func(message string) string { return b.Match(text, message) })
	case e != nil:
		d = "expected success, got " + e.Error()
	default:
		v, err := fromClient(got)
		if err != nil {
			return failure("%v", err)
		}
		if wire != "" {
			paths, _ := listed(underivable, wire, *s.Command)
			want = derivable(want, v, paths)
		}
		if wire == "resp3" && strings.HasPrefix(*s.Command, "geospatial.") {
			want = rounded(want, v)
		}
		if wire != "" && slices.Contains(parsing, *s.Command) {
			want = unparsed(want, v)
		}
		if wire != "" && state.quoted {
			want = bare(want, v)
		}
		if d = b.Match(want, v); d != "" {
			d = "result: " + d
		}
	}
	if d != "" {
		return failure("%s", d)
	}
	return nil
}

func failure(format string, args ...any) error { return &Failure{Text: fmt.Sprintf(format, args...)} }

// transport is the transport that an error must name: none if the error type of
// the binding has none.
func (p *hostPlayer) transport(e *errs.Error) string {
	if e.Transport == "" {
		return ""
	}
	transport, _, _ := strings.Cut(p.opened, "://")
	return transport
}

// readReply takes a driver's reply apart: [reply], or [nil, error].
func readReply(v value.Value) (reply value.Value, refused *errs.Error, err error) {
	if v.Kind() == value.KindArray && v.Len() == 1 {
		return v.Index(0), nil, nil
	}
	e := v.Index(1)
	code, okCode := e.Index(0).AsInt()
	status, okStatus := e.Index(1).AsInt()
	flags, okFlags := e.Index(2).AsInt()
	message, okMessage := e.Index(3).AsStr()
	command, okCommand := e.Index(4).AsStr()
	transport, okTransport := e.Index(5).AsStr()
	okTransport = okTransport || e.Index(5).IsNil()
	if v.Len() != 2 || e.Len() != 6 || !okCode || !okStatus || !okFlags || !okMessage || !okCommand || !okTransport {
		return value.Nil, nil, fmt.Errorf("the driver's reply has another form than [reply] and [nil, [code, status, flags, message, command, transport]]")
	}
	return value.Nil, &errs.Error{
		Code: errs.Code(code), Status: int(status), Message: message, Command: command, Transport: transport,
		Retryable: flags&1 != 0, MaybeApplied: flags&2 != 0,
	}, nil
}
