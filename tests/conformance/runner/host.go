package runner

import (
	"fmt"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// hostPlayer runs the recorded commands through our binding in another language:
// the role host. A driver, written in that language, passes them on to the
// binding's raw command; a store of the embedded engine answers, or the server at
// an address.
type hostPlayer struct {
	file   *File
	driver *driver
	addr   string
	opened string // the address that the driver has open
	stores int
}

func newHostPlayer(o *Options, f *File) (player, error) {
	d, err := startDriver(o.Driver)
	return &hostPlayer{file: f, driver: d, addr: o.Addr}, err
}

func (p *hostPlayer) close() { p.driver.close() }

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
	if err := p.open(c.needs("fresh")); err != nil {
		return 0, &Failure{0, "open: " + err.Error()}
	}
	bound := Bindings{}
	for i, s := range steps {
		time.Sleep(time.Duration(s.WaitMS) * time.Millisecond)
		if d := p.step(bound, s); d != "" {
			return 0, &Failure{i, d}
		}
	}
	return 0, nil
}

// open makes the driver open a store of its own, or the shared one again.
func (p *hostPlayer) open(fresh bool) error {
	address := p.addr
	switch {
	case address != "":
	case fresh:
		p.stores++
		address = fmt.Sprintf("memory://fresh-%d", p.stores)
	default:
		address = "memory://shared"
	}
	if address == p.opened {
		return nil
	}
	reply, err := p.driver.ask(value.Array(value.Str("open"), value.Str(address)))
	if err != nil {
		return err
	}
	if _, failure, err := readReply(reply); err != nil {
		return err
	} else if failure != nil {
		return failure
	}
	p.opened = address
	return nil
}

func (p *hostPlayer) step(b Bindings, s *Step) string {
	payload, err := payloadOf(b, s.Payload)
	if err != nil {
		return err.Error()
	}
	recorded, err := bodyOf(s.Reply.Body)
	if err != nil {
		return err.Error()
	}
	success, want, text, ok := envelopeOf(recorded.pattern)
	if !ok {
		return "the recorded reply is no envelope"
	}
	reply, err := p.driver.ask(value.Array(value.Int(1), value.Str(*s.Command), toClient(payload)))
	if err != nil {
		return err.Error()
	}
	got, failure, err := readReply(reply)
	if err != nil {
		return err.Error()
	}
	if !success {
		if failure == nil {
			return fmt.Sprintf("expected the error %s, the call succeeded", writeJSON(text))
		}
		return checkError(failure, *s.Command, p.transport(failure), func(message string) string { return b.Match(text, message) })
	}
	if failure != nil {
		return fmt.Sprintf("expected success, got %v", failure)
	}
	v, err := fromClient(got)
	if err != nil {
		return err.Error()
	}
	if d := b.Match(want, v); d != "" {
		return "result: " + d
	}
	return ""
}

// transport is the transport that an error must name: none if the error type of
// the binding has none.
func (p *hostPlayer) transport(failure *errs.Error) string {
	if failure.Transport == "" {
		return ""
	}
	transport, _, _ := strings.Cut(p.opened, "://")
	return transport
}

// readReply takes a driver's reply apart: [reply], or [nil, error].
func readReply(v value.Value) (reply value.Value, failure *errs.Error, err error) {
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
