package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// pushPlayer makes our client subscribe at a peer that sends the recorded
// frames: the role client for WebSockets. Our client follows streams and queues
// by polling, so only /pubsub/ws and /kv/ws have a form; so have not what only
// other clients send (frames, pings) and the requests between, which other
// clients make.
type pushPlayer struct {
	clientPlayer
}

func newPushPlayer(o *Options, f *File) (player, error) {
	p, err := newPeer()
	return &pushPlayer{clientPlayer{p, map[string]*core.Client{}}}, err
}

// subscription is a recorded open as our client makes it.
type subscription struct {
	route         string
	cmd           *command.Command
	names         []string
	authorization string
}

// routes are the WebSocket routes that our client uses.
var routes = map[string]struct{ command, param string }{
	"/pubsub/ws": {"pubsub.subscribe", "topics"},
	"/kv/ws":     {"kv.watch", "keys"},
}

// subscriptionOf reads an open step; ok is false if our client has no such
// subscription.
func subscriptionOf(b Bindings, s *Step) (sub *subscription, ok bool, err error) {
	path, err := b.fill(s.Open)
	if err != nil {
		return nil, false, err
	}
	path, query, _ := strings.Cut(path, "?")
	route, ok := routes[path]
	if !ok {
		return nil, false, nil
	}
	sub = &subscription{route: path, cmd: command.Lookup(route.command)}
	if a, ok := s.header("authorization"); ok {
		if sub.authorization, err = b.fill(a); err != nil {
			return nil, false, err
		}
	}
	for _, member := range strings.Split(query, "&") {
		name, val, _ := strings.Cut(member, "=")
		switch name {
		case "":
		case route.param:
			if sub.names, err = namesOf(val); err != nil {
				return nil, false, err
			}
		case "api_key":
			// Only browsers need the key in the query; ours sends the header.
			sub.authorization = "Bearer " + val
		default:
			return nil, false, nil
		}
	}
	return sub, true, nil
}

// namesOf splits a comma list of percent-encoded names.
func namesOf(list string) ([]string, error) {
	var names []string
	for _, part := range strings.Split(list, ",") {
		name, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// line is one subscription and the peer's end of it.
type line struct {
	sub    *subscription
	client *core.Client
	wrong  chan string          // what is wrong with the upgrade request
	conns  chan *websocket.Conn // the peer's end once upgraded
	conn   *websocket.Conn
	gone   chan struct{} // closed when the client's end is gone
	result chan opened   // what Subscribe returned
	stream *core.Subscription
	err    error // why there is no stream
}

type opened struct {
	stream *core.Subscription
	err    error
}

func (p *pushPlayer) play(c *Case) (left int, err error) {
	steps, err := parseSteps(c)
	if err != nil {
		return 0, err
	}
	s := &samples{bound: Bindings{}}
	lines := map[string]*line{}
	defer func() {
		for _, l := range lines {
			l.close()
		}
	}()
	defer p.peer.script(nil)
	for i, step := range steps {
		d, played := "", true
		switch l := lines[step.Conn]; {
		case step.Open != "":
			d, err = p.open(s, step, lines)
		case l != nil && step.Recv != nil:
			d = l.recv(s, step)
		case l != nil && step.RecvNoneMS != 0:
			d = l.recvNone()
		case l != nil && step.Close != 0:
			d = l.leave()
		case l != nil && step.RecvClose != nil:
			d = l.breakOff()
		default:
			played = false
			s.leaveOut(step)
		}
		if err != nil {
			return 0, err
		}
		if d != "" {
			return 0, &Failure{i, d}
		}
		if !played {
			left++
		}
	}
	if left == len(steps) {
		return 0, noForm("nothing of it is a subscription of the client")
	}
	return left, nil
}

// open plays an open step: the client subscribes, the peer compares the upgrade
// and accepts or refuses it.
func (p *pushPlayer) open(s *samples, step *Step, lines map[string]*line) (string, error) {
	sub, ok, err := subscriptionOf(s.bound, step)
	if err != nil {
		return err.Error(), nil
	}
	var client *core.Client
	if ok {
		if client, ok, err = p.client(sub.authorization); err != nil {
			return err.Error(), nil
		}
	}
	if !ok {
		return "", noForm("our client does not open " + step.Open)
	}
	l := &line{sub: sub, client: client, wrong: make(chan string, 16), conns: make(chan *websocket.Conn, 16), result: make(chan opened, 1), gone: make(chan struct{})}
	refusal := &exchange{}
	if step.Refused != nil {
		if err := refusal.script(s, step.Refused); err != nil {
			return err.Error(), nil
		}
	}
	p.peer.script(func(w http.ResponseWriter, r *http.Request) {
		l.wrong <- sub.compare(r)
		if step.Refused != nil {
			w.Header().Set("Content-Type", refusal.contentType)
			w.WriteHeader(refusal.status)
			w.Write(refusal.body)
			return
		}
		upgrader := websocket.Upgrader{}
		if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
			l.conns <- conn
		}
	})
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		names := make([]value.Value, len(sub.names))
		for i, n := range sub.names {
			names[i] = value.Str(n)
		}
		stream, err := client.Subscribe(ctx, sub.cmd, value.Array(names...))
		l.result <- opened{stream, err}
	}()
	if step.Refused != nil {
		return l.refused(step.Refused), nil
	}
	lines[step.Conn] = l
	select {
	case l.conn = <-l.conns:
	case r := <-l.result:
		l.result <- r
		if r.err == nil {
			return "Subscribe succeeded before the upgrade", nil
		}
		return "Subscribe: " + r.err.Error(), nil
	case <-time.After(patience):
		return "the client sent no upgrade", nil
	}
	go func() { // read what the client sends, until it is gone
		defer close(l.gone)
		for {
			if _, _, err := l.conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	return <-l.wrong, nil
}

// compare returns how an upgrade request differs from the recorded one.
func (sub *subscription) compare(r *http.Request) string {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	param := routes[sub.route].param
	list, found := strings.CutPrefix(query, param+"=")
	if path != sub.route || !found || strings.ContainsAny(list, "&#") {
		return fmt.Sprintf("the upgrade: expected %s?%s=… alone, got %s", sub.route, param, r.RequestURI)
	}
	names, err := namesOf(list)
	// Our client listens to a topic of its own beside the recorded ones, to find out
	// whether a silent connection still delivers.
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "libsynap-probe-") })
	if err != nil || !slices.Equal(names, sub.names) {
		return fmt.Sprintf("the upgrade: expected the %s %q, got %q (%s)", param, sub.names, names, r.RequestURI)
	}
	if got := r.Header.Get("Authorization"); got != sub.authorization {
		return fmt.Sprintf("the upgrade: expected the authorization %q, got %q", sub.authorization, got)
	}
	if got := r.Header.Get("Sec-WebSocket-Extensions") + r.Header.Get("Sec-WebSocket-Protocol"); got != "" {
		return "the upgrade asks for " + got + ", which the server does not know"
	}
	return ""
}

// refused checks what the client makes of a refused upgrade.
func (l *line) refused(want *Reply) string {
	var r opened
	select {
	case r = <-l.result:
	case <-time.After(patience):
		return "Subscribe does not return"
	}
	if r.err == nil {
		r.stream.Close()
		return "Subscribe: expected an error, it succeeded"
	}
	e, d := clientError(r.err, l.sub.cmd.Name, "http")
	if d != "" {
		return d
	}
	select {
	case wrong := <-l.wrong:
		if wrong != "" {
			return wrong
		}
		if e.Status != want.Status {
			return fmt.Sprintf("the error's status: expected %d, got %d (%v)", want.Status, e.Status, e)
		}
	default: // not even tried, which is right only for what no server accepts
		if len(l.sub.names) > 0 && want.Status != 400 || e.Code != errs.InvalidArgument {
			return fmt.Sprintf("the client sent no upgrade: %v", e)
		}
		return ""
	}
	// 500 is how the stock server says that it has no WebSockets (protocol:
	// websocket, first paragraph).
	code, known := statusCodes[want.Status]
	if want.Status == 500 {
		code, known = errs.Unsupported, true
	}
	if known && e.Code != code {
		return fmt.Sprintf("the error's code for status %d: expected %v, got %v (%v)", want.Status, code, e.Code, e)
	}
	return ""
}

// recv plays a recorded frame: the peer sends it, the client must deliver it.
func (l *line) recv(s *samples, step *Step) string {
	text, _, err := s.body(step.Recv)
	if err != nil {
		return err.Error()
	}
	v, err := parseJSON(text)
	if err != nil {
		return err.Error()
	}
	sent, _ := v.(map[string]any)
	if err := l.conn.WriteMessage(websocket.TextMessage, text); err != nil {
		return "the client's connection is gone: " + err.Error()
	}
	if reason, ok := sent["error"].(string); ok {
		return l.failure(reason)
	}
	switch sent["type"] {
	case "connected":
		return l.confirmed()
	case "message":
		return l.deliver(sent)
	}
	return "the runner does not know the frame " + clip(string(text))
}

// confirmed waits for Subscribe to return after the welcome.
func (l *line) confirmed() string {
	select {
	case r := <-l.result:
		if r.err != nil {
			return "Subscribe: " + r.err.Error()
		}
		l.stream = r.stream
		return ""
	case <-time.After(patience):
		return "Subscribe does not return after the welcome"
	}
}

// failure checks that the client reports the error that the server sent.
func (l *line) failure(reason string) string {
	err := error(nil)
	if l.stream == nil {
		select {
		case r := <-l.result:
			if err = r.err; err == nil {
				l.stream = r.stream
			}
		case <-time.After(patience):
			return "Subscribe does not return after the error frame"
		}
	}
	if l.stream != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, err = l.stream.Next(ctx, 1)
	}
	l.err = err
	return checkError(err, l.sub.cmd.Name, "http", func(message string) string { return sameValue(reason, message, true, "") })
}

// deliver checks that the client hands out a message as it was sent.
func (l *line) deliver(sent map[string]any) string {
	if l.stream == nil {
		return "there was no welcome"
	}
	want, isItem, d := record(l.sub.cmd, sent)
	if d != "" {
		return d
	}
	if !isItem {
		return l.recvNone()
	}
	ctx, cancel := context.WithTimeout(context.Background(), frameWait)
	defer cancel()
	items, err := l.stream.Next(ctx, 10)
	if err != nil {
		return "Next: " + err.Error()
	}
	if len(items) != 1 {
		return fmt.Sprintf("Next: expected one item, got %d", len(items))
	}
	got, err := fromClient(items[0])
	if err != nil {
		return err.Error()
	}
	if d := sameValue(want, got, true, ""); d != "" {
		return "delivered: " + d
	}
	return ""
}

// record returns the item that a client must make of a message frame: the fields
// of the table's record in its order. isItem is false for what anyone may publish
// to a watch topic without it being a change of a key.
func record(cmd *command.Command, sent map[string]any) (item []any, isItem bool, d string) {
	fields := map[string]any{"lost": json.Number("0")}
	if cmd.Name == "kv.watch" {
		event, _ := sent["payload"].(map[string]any)
		if event["key"] == nil || event["event"] == nil || event["version"] == nil {
			return nil, false, ""
		}
		for _, name := range []string{"key", "event", "version", "value"} {
			fields[name] = event[name]
		}
		fields["truncated"] = event["truncated"] == true
	} else {
		for _, name := range []string{"topic", "message_id", "timestamp", "metadata"} {
			fields[name] = sent[name]
		}
		fields["message"] = sent["payload"]
		if fields["metadata"] == nil {
			fields["metadata"] = map[string]any{}
		}
	}
	for _, f := range cmd.Reply.Record.Fields {
		v, known := fields[f.Name]
		if !known {
			return nil, false, "the runner does not know the field " + f.Name + " of " + cmd.Name
		}
		item = append(item, v)
	}
	return item, true, ""
}

// recvNone checks that the client delivers nothing. The recorded time is for
// servers; here nothing was sent that could come.
func (l *line) recvNone() string {
	if l.stream == nil {
		return "there was no welcome"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	items, err := l.stream.Next(ctx, 1)
	if len(items) > 0 {
		return "Next: expected nothing, got an item"
	}
	if err != nil && !errors.Is(err, errs.Timeout) {
		return "Next: " + err.Error()
	}
	return ""
}

// leave checks that closing the subscription ends its connection.
func (l *line) leave() string {
	if l.stream == nil {
		return "there was no welcome"
	}
	l.stream.Close()
	select {
	case <-l.gone:
		return ""
	case <-time.After(frameWait):
		return "the connection is open after Close"
	}
}

// breakOff drops the connection as the server does after an error frame.
func (l *line) breakOff() string {
	if l.err == nil {
		return "the runner knows a server's end of a connection only after an error frame"
	}
	l.conn.NetConn().Close()
	return ""
}

func (l *line) close() {
	if l.conn != nil {
		l.conn.Close()
	}
	if l.stream == nil {
		select {
		case r := <-l.result:
			l.stream = r.stream
		default:
		}
	}
	if l.stream != nil {
		l.stream.Close()
	}
}
