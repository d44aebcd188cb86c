package runner

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// patience is how long an answer of a server may take.
const patience = 15 * time.Second

// httpConn is an HTTP/1.1 connection that sends requests exactly as a vector
// writes them: no library may tidy up paths such as /kv/get/%zz.
type httpConn struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
}

// answer is an HTTP reply, decompressed.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (h *httpConn) close() {
	if h.conn != nil {
		h.conn.Close()
		h.conn = nil
	}
}

// roundTrip sends one request and reads the reply.
func (h *httpConn) roundTrip(method, path string, headers map[string]string, body []byte) (*answer, error) {
	if h.conn == nil {
		conn, err := net.DialTimeout("tcp", h.addr, patience)
		if err != nil {
			return nil, err
		}
		h.conn, h.in = conn, bufio.NewReader(conn)
	}
	_ = h.conn.SetDeadline(time.Now().Add(patience))
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\n", method, path)
	lower := map[string]bool{}
	for _, name := range sortedHeaders(headers) {
		fmt.Fprintf(&head, "%s: %s\r\n", name, headers[name])
		lower[strings.ToLower(name)] = true
	}
	if !lower["host"] {
		fmt.Fprintf(&head, "host: %s\r\n", h.addr)
	}
	if !lower["content-length"] && (body != nil || method == "POST" || method == "PUT") {
		fmt.Fprintf(&head, "content-length: %d\r\n", len(body))
	}
	head.WriteString("\r\n")
	// The request is written beside reading: a server may refuse a large body
	// before it has read it.
	written := make(chan error, 1)
	conn := h.conn
	go func() {
		_, err := conn.Write(append([]byte(head.String()), body...))
		written <- err
	}()
	a, again, err := h.read(method)
	if err != nil || !again {
		h.close()
	}
	if sent := <-written; err != nil && sent != nil {
		err = fmt.Errorf("%w (sending: %v)", err, sent)
	}
	return a, err
}

// read reads a reply; again says whether the connection can be used further.
func (h *httpConn) read(method string) (a *answer, again bool, err error) {
	resp, err := http.ReadResponse(h.in, &http.Request{Method: method})
	if err != nil {
		return nil, false, fmt.Errorf("no HTTP reply: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, false, fmt.Errorf("the reply's body breaks off: %w", err)
	}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		r, err := gzip.NewReader(strings.NewReader(string(body)))
		if err != nil {
			return nil, false, fmt.Errorf("the reply is not gzip: %w", err)
		}
		if body, err = io.ReadAll(r); err != nil {
			return nil, false, fmt.Errorf("the reply is not gzip: %w", err)
		}
	}
	return &answer{resp.StatusCode, resp.Header, body}, !resp.Close, nil
}

func sortedHeaders(headers map[string]string) []string {
	names := map[string]any{}
	for name := range headers {
		names[name] = nil
	}
	return sortedNames(names)
}

// request is what a command or REST step sends.
type request struct {
	method, path string
	headers      map[string]string
	body         []byte
}

// commandPath is the route of the envelope.
const commandPath = "/api/v1/command"

// requestOf builds the request of a command or REST step.
func (b Bindings) requestOf(s *Step) (*request, error) {
	r := &request{headers: map[string]string{}}
	for name, v := range s.Headers {
		text, err := b.fill(v)
		if err != nil {
			return nil, err
		}
		r.headers[name] = text
	}
	var contentType string
	var err error
	if s.Command != nil {
		payload := "null"
		if s.Payload != nil {
			if payload, err = b.ExpandText(s.Payload); err != nil {
				return nil, err
			}
		}
		r.method, r.path, contentType = "POST", commandPath, "application/json"
		r.body = []byte(`{"command":` + writeJSON(*s.Command) + `,"request_id":` + writeJSON(s.requestID()) + `,"payload":` + payload + `}`)
	} else {
		r.method = s.Method
		if r.path, err = b.fill(s.Path); err != nil {
			return nil, err
		}
		if r.body, contentType, err = b.requestBody(s.Body); err != nil {
			return nil, err
		}
	}
	if _, given := s.header("content-type"); !given && contentType != "" {
		r.headers["content-type"] = contentType
	}
	return r, nil
}

// matchReply returns how a reply differs from the recorded one.
func (b Bindings) matchReply(want *Reply, got *answer) string {
	if got.status != want.Status {
		return fmt.Sprintf("status: expected %d, got %d with the body %s", want.Status, got.status, clip(string(got.body)))
	}
	names := map[string]any{}
	for name := range want.Headers {
		names[name] = nil
	}
	for _, name := range sortedNames(names) {
		expected, values := want.Headers[name], got.header.Values(name)
		switch {
		case expected == nil && len(values) > 0:
			return fmt.Sprintf("header %s: expected none, got %q", name, values)
		case expected != nil:
			text, err := b.fill(*expected)
			if err != nil {
				return "header " + name + ": " + err.Error()
			}
			if strings.Join(values, ", ") != text {
				return fmt.Sprintf("header %s: expected %q, got %q", name, text, values)
			}
		}
	}
	recorded, err := bodyOf(want.Body)
	if err != nil {
		return err.Error()
	}
	return b.matchBody(recorded, want.Status, got.body)
}
