package runner

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/errs"
)

// clientPlayer makes our client send the recorded commands to a peer: the role
// client for HTTP. Only command envelopes have a form here: commands, and
// requests to the envelope's route whose body is a whole envelope.
type clientPlayer struct {
	peer    *peer
	clients map[string]*core.Client // by address with credentials
}

func newClientPlayer(_ *Options, _ *File) (player, error) {
	p, err := newPeer()
	return &clientPlayer{p, map[string]*core.Client{}}, err
}

func (p *clientPlayer) close() {
	for _, c := range p.clients {
		c.Close()
	}
	p.peer.close()
}

// call is a step as a call of the client.
type call struct {
	command       string
	payload       any
	authorization string
}

// maxBody is the largest body that the server reads. The client's request_id is
// not the recorded one, so a request that just fits when recorded may not fit.
const maxBody = 2_097_152

// callOf returns the call that a step spells, or ok false if it has none.
func callOf(b Bindings, s *Step) (c *call, ok bool, err error) {
	c = &call{}
	for name, v := range s.Headers {
		switch strings.ToLower(name) {
		case "authorization":
			if c.authorization, err = b.fill(v); err != nil {
				return nil, false, err
			}
		case "content-type": // the client's own
		default:
			return nil, false, nil
		}
	}
	if s.Command != nil {
		c.command = *s.Command
		c.payload, err = payloadOf(b, s.Payload)
		return c, err == nil, err
	}
	if s.Method != "POST" || s.Path != commandPath {
		return nil, false, nil
	}
	text, _, err := b.requestBody(s.Body)
	if err != nil {
		return nil, false, err
	}
	v, err := parseJSON(text)
	if err != nil {
		return nil, false, nil
	}
	object, _ := v.(map[string]any)
	_, hasID := object["request_id"].(string)
	var hasCommand, hasPayload bool
	c.command, hasCommand = object["command"].(string)
	c.payload, hasPayload = object["payload"]
	exact := len(text) > maxBody-64 && s.Reply.Status == 200
	return c, hasID && hasCommand && hasPayload && !exact, nil
}

// client returns the client with the credentials of an Authorization header; ok
// is false if no option leads to this header.
func (p *clientPlayer) client(authorization string) (c *core.Client, ok bool, err error) {
	address := url.URL{Scheme: "http", Host: p.peer.addr}
	query := url.Values{}
	switch scheme, rest, _ := strings.Cut(authorization, " "); {
	case authorization == "":
	case scheme == "Bearer" && rest != "" && !strings.Contains(rest, " "):
		query.Set("api_key", rest)
	case scheme == "Basic":
		text, err := base64.StdEncoding.DecodeString(rest)
		user, password, found := strings.Cut(string(text), ":")
		if err != nil || !found {
			return nil, false, nil
		}
		query.Set("username", user)
		query.Set("password", password)
	default:
		return nil, false, nil
	}
	address.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	c = p.clients[address.String()]
	if c == nil {
		if c, err = core.Open(address.String()); err != nil {
			return nil, false, err
		}
		p.clients[address.String()] = c
	}
	return c, true, nil
}

func (p *clientPlayer) play(c *Case) (left int, err error) {
	steps, err := parseSteps(c)
	if err != nil {
		return 0, err
	}
	s := &samples{bound: Bindings{}}
	for i, step := range steps {
		call, ok, err := callOf(s.bound, step)
		if err != nil {
			return 0, &Failure{i, err.Error()}
		}
		var client *core.Client
		if ok {
			if client, ok, err = p.client(call.authorization); err != nil {
				return 0, &Failure{i, err.Error()}
			}
		}
		if !ok {
			left++
			s.leaveOut(step)
			continue
		}
		if d := p.exchange(s, client, call, step.Reply); d != "" {
			return 0, &Failure{i, d}
		}
	}
	if left == len(steps) {
		return 0, noForm("no step is a command")
	}
	return left, nil
}

// leaveOut invents what a step that is not played would have bound.
func (s *samples) leaveOut(step *Step) {
	if step.Reply != nil {
		s.body(step.Reply.Body) // only for the bindings; later steps that miss one fail
	}
}

// exchange plays one command.
func (p *clientPlayer) exchange(s *samples, client *core.Client, c *call, reply *Reply) string {
	x := &exchange{command: c.command, payload: c.payload, authorization: c.authorization}
	if err := x.script(s, reply); err != nil {
		return err.Error()
	}
	p.peer.script(x.serve)
	defer p.peer.script(nil)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := client.Command(ctx, c.command, toClient(c.payload))
	seen, wrong := x.outcome()
	tooLarge := reply.Status == 413 && seen == 0
	switch {
	case wrong != "":
		return wrong
	case seen == 0 && !tooLarge:
		return fmt.Sprintf("the client sent nothing: %v", err)
	case seen > 1:
		return fmt.Sprintf("the client sent the request %d times", seen)
	case tooLarge: // the client knows the limit and need not try
		e, d := clientError(err, c.command, "http")
		if d == "" && e.Code != errs.TooLarge {
			d = fmt.Sprintf("the error's code: expected %v, got %v", errs.TooLarge, e.Code)
		}
		return d
	case reply.Status != 200:
		return checkStatus(err, c.command, "http", reply.Status)
	case x.envelope == nil:
		return "the recorded reply is no envelope"
	}
	success, payload, text, _ := envelopeOf(x.envelope)
	if !success {
		return checkError(err, c.command, "http", func(message string) string { return sameValue(text, message, true, "") })
	}
	if err != nil {
		return fmt.Sprintf("expected success, got %v", err)
	}
	v, err := fromClient(got)
	if err != nil {
		return err.Error()
	}
	if d := sameValue(payload, v, true, ""); d != "" {
		return "result: " + d
	}
	return ""
}
