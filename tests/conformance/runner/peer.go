package runner

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
)

// peer plays the server for our client: it compares what the client sends with
// the recorded request and answers as recorded.
type peer struct {
	server *http.Server
	addr   string

	mu     sync.Mutex
	handle http.HandlerFunc // what the next requests get
	stray  int              // requests that no step expects
}

func newPeer() (*peer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &peer{addr: l.Addr().String()}
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve)}
	go p.server.Serve(l)
	return p, nil
}

func (p *peer) close() { p.server.Close() }

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	handle := p.handle
	if handle == nil {
		p.stray++
	}
	p.mu.Unlock()
	if handle == nil {
		http.Error(w, "the runner expects no request now", http.StatusTeapot)
		return
	}
	handle(w, r)
}

// script sets what requests get from now on, nil for nothing.
func (p *peer) script(handle http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handle = handle
}

// strays returns how many requests came that no step expected, and forgets them.
func (p *peer) strays() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.stray
	p.stray = 0
	return n
}

// exchange is one scripted request and reply.
type exchange struct {
	command       string
	payload       any
	authorization string // expected header, "" for none
	status        int
	body          []byte
	contentType   string
	envelope      map[string]any // the body if it is an envelope: answers the request's id

	mu    sync.Mutex
	seen  int
	wrong string
}

// serve compares a request and answers it.
func (x *exchange) serve(w http.ResponseWriter, r *http.Request) {
	id, wrong := x.compare(r)
	x.mu.Lock()
	x.seen++
	if x.wrong == "" {
		x.wrong = wrong
	}
	x.mu.Unlock()
	body := x.body
	if x.envelope != nil {
		reply := map[string]any{}
		for name, v := range x.envelope {
			reply[name] = v
		}
		reply["request_id"] = id
		body = []byte(writeJSON(reply))
	}
	w.Header()["Content-Type"] = nil // no guessing
	if x.contentType != "" {
		w.Header().Set("Content-Type", x.contentType)
	}
	w.WriteHeader(x.status)
	w.Write(body)
}

// outcome returns how often the request came and what was wrong with it.
func (x *exchange) outcome() (seen int, wrong string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen, x.wrong
}

// compare returns the request's id and how the request differs.
func (x *exchange) compare(r *http.Request) (id, wrong string) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return "", "the request's body breaks off: " + err.Error()
	}
	if r.Method != "POST" || r.RequestURI != commandPath {
		return "", fmt.Sprintf("request: expected POST %s, got %s %s", commandPath, r.Method, r.RequestURI)
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || kind != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return "", fmt.Sprintf("request: the content type is %q", r.Header.Get("Content-Type"))
	}
	if e := r.Header.Get("Content-Encoding"); e != "" {
		return "", "request: the body is encoded with " + e + ", which the server does not undo"
	}
	if got := r.Header.Get("Authorization"); got != x.authorization {
		return "", fmt.Sprintf("request: expected the authorization %q, got %q", x.authorization, got)
	}
	v, err := parseJSON(text)
	if err != nil {
		return "", fmt.Sprintf("request: the body is not JSON (%v): %s", err, clip(string(text)))
	}
	got, ok := v.(map[string]any)
	if !ok {
		return "", "request: the body is not an object: " + clip(string(text))
	}
	id, ok = got["request_id"].(string)
	if !ok {
		return "", "request: no text request_id in " + clip(string(text))
	}
	want := map[string]any{"command": x.command, "request_id": id, "payload": x.payload}
	if d := sameValue(want, got, true, ""); d != "" {
		return id, "request: " + d
	}
	return id, ""
}

// script prepares the reply of an exchange.
func (x *exchange) script(s *samples, want *Reply) error {
	x.status = want.Status
	var err error
	if x.body, x.contentType, err = s.body(want.Body); err != nil {
		return err
	}
	if x.contentType == "application/json" {
		v, err := parseJSON(x.body)
		if err != nil {
			return err
		}
		if _, _, _, ok := envelopeOf(v); ok {
			x.envelope = v.(map[string]any)
		}
	}
	return nil
}

// payloadOf returns the payload of a step as a JSON value.
func payloadOf(b Bindings, raw json.RawMessage) (any, error) {
	if raw == nil {
		return nil, nil
	}
	text, err := b.ExpandText(raw)
	if err != nil {
		return nil, err
	}
	return parseJSON([]byte(text))
}
