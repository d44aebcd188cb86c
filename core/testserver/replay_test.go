package testserver

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/libsynap/libsynap/tests/conformance/runner"
)

type tstep struct {
	Method, Path    string
	Headers         map[string]string
	Body            json.RawMessage
	Command         string
	Payload         json.RawMessage
	RequestID       *string `json:"request_id"`
	WaitMS          int     `json:"wait_ms"`
	Reply           *struct {
		Status  int
		Headers map[string]*string
		Body    json.RawMessage
	}
	Open       string
	Conn       string
	Refused    *struct {
		Status int
		Body   json.RawMessage
	}
	Send       json.RawMessage
	Recv       json.RawMessage
	RecvNoneMS int `json:"recv_none_ms"`
	Ping, Pong string
	Close      int
	RecvClose  json.RawMessage `json:"recv_close"`
}

func dec(raw []byte) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

func TestReplay(t *testing.T) {
	files, _ := filepath.Glob(cmpDir() + "/*.json")
	for _, f := range files {
		base := filepath.Base(f)
		if only := os.Getenv("ONLY"); only != "" && !strings.Contains(base, only) {
			continue
		}
		if !strings.HasPrefix(base, "rest-") && !strings.HasPrefix(base, "ws-") && base != "auth.json" && !strings.HasPrefix(base, "http-") {
			continue
		}
		text, _ := os.ReadFile(f)
		var file struct {
			Cases []struct {
				Name  string
				Needs []string
				Steps []tstep
			}
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		pass, fail, skip := 0, 0, 0
		for _, c := range file.Cases {
			cfg := Config{Stock: base == "ws-stock.json"}
			if slices.Contains(c.Needs, "cluster") {
				skip++
				continue
			}
			if slices.Contains(c.Needs, "auth") {
				cfg.User, cfg.Password, cfg.RequireAuth = "root", "interop-secret", true
			}
			if slices.Contains(c.Needs, "optauth") {
				cfg.User, cfg.Password = "root", "interop-secret"
			}
			s := start(t, cfg)
			r := &replayer{s: s, b: runner.Bindings{}, conns: map[string]*websocket.Conn{}, frames: map[string]chan string{}, pongs: map[string]chan string{}}
			ok := true
			for i, st := range c.Steps {
				if d := r.step(st); d != "" {
					t.Errorf("%s %s step %d: %s", base, c.Name, i, d)
					ok = false
					break
				}
			}
			for _, c := range r.conns {
				c.Close()
			}
			s.Close()
			if ok {
				pass++
			} else {
				fail++
			}
		}
		fmt.Printf("%s: %d pass %d fail %d skip\n", base, pass, fail, skip)
	}
}

type replayer struct {
	s     *Server
	b     runner.Bindings
	conns map[string]*websocket.Conn
	frames, pongs map[string]chan string
}

func (r *replayer) fillStr(s string) string {
	v, err := r.b.Expand(s)
	if err != nil {
		panic(err)
	}
	return v.(string)
}

func (r *replayer) body(raw json.RawMessage) (string, bool) {
	v := dec(raw)
	if m, ok := v.(map[string]any); ok {
		if z, ok := m["$zeros"]; ok {
			n, _ := z.(json.Number).Int64()
			return `{"payload":[` + strings.Repeat("0,", int(n)) + `0]}`, true
		}
		if x, ok := m["$text"]; ok {
			e, err := r.b.Expand(x)
			if err != nil {
				panic(err)
			}
			return e.(string), false
		}
	}
	s, err := r.b.ExpandText(raw)
	if err != nil {
		panic(err)
	}
	var c bytes.Buffer
	json.Compact(&c, []byte(s))
	return c.String(), true
}

func (r *replayer) step(st tstep) string {
	time.Sleep(time.Duration(st.WaitMS) * time.Millisecond)
	if st.Conn == "" {
		st.Conn = "a"
	}
	conn := r.conns[st.Conn]
	switch {
	case st.Command != "" || st.Method != "":
		return r.http(st)
	case st.Open != "":
		h := http.Header{}
		for k, v := range st.Headers {
			h.Set(k, r.fillStr(v))
		}
		c, resp, err := websocket.DefaultDialer.Dial("ws"+r.s.URL()[4:]+r.fillStr(st.Open), h)
		if st.Refused != nil {
			if err == nil {
				return "not refused"
			}
			body, _ := io.ReadAll(resp.Body)
			return r.checkReply(st.Refused.Status, nil, st.Refused.Body, resp, body)
		}
		if err != nil {
			return err.Error()
		}
		r.conns[st.Conn] = c
		ch := make(chan string, 100)
		pong := make(chan string, 10)
		c.SetPongHandler(func(d string) error { pong <- d; return nil })
		r.frames[st.Conn], r.pongs[st.Conn] = ch, pong
		go func() {
			for {
				_, f, err := c.ReadMessage()
				if err != nil {
					close(ch)
					return
				}
				ch <- string(f)
			}
		}()
	case st.Send != nil:
		m, _ := dec(st.Send).(map[string]any)
		if x, ok := m["$bytes"]; ok {
			var b []byte
			for _, n := range x.([]any) {
				i, _ := n.(json.Number).Int64()
				b = append(b, byte(i))
			}
			conn.WriteMessage(websocket.BinaryMessage, b)
			return ""
		}
		text, _ := r.body(st.Send)
		conn.WriteMessage(websocket.TextMessage, []byte(text))
	case st.Recv != nil:
		select {
		case f, ok := <-r.frames[st.Conn]:
			if !ok {
				return "closed"
			}
			return r.b.Match(dec(st.Recv), dec([]byte(f)))
		case <-time.After(4 * time.Second):
			return "no frame"
		}
	case st.RecvNoneMS > 0:
		select {
		case f, ok := <-r.frames[st.Conn]:
			return fmt.Sprint("got ", ok, f)
		case <-time.After(time.Duration(st.RecvNoneMS) * time.Millisecond):
		}
	case st.Ping != "":
		conn.WriteControl(websocket.PingMessage, []byte(st.Ping), time.Now().Add(time.Second))
		select {
		case f := <-r.pongs[st.Conn]:
			if f != st.Pong {
				return f
			}
		case <-time.After(time.Second):
			return "no pong"
		}
	case st.Close != 0:
		conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(st.Close, ""), time.Now().Add(time.Second))
		conn.Close()
		delete(r.conns, st.Conn)
	case st.RecvClose != nil:
		select {
		case f, ok := <-r.frames[st.Conn]:
			if ok {
				return "frame: " + f
			}
		case <-time.After(4 * time.Second):
			return "still open"
		}
	default:
		return "unknown step"
	}
	return ""
}

func (r *replayer) http(st tstep) string {
	method, path, body, isJSON := st.Method, "", "", false
	if st.Command != "" {
		id := "r"
		if st.RequestID != nil {
			id = *st.RequestID
		}
		c, _ := json.Marshal(st.Command)
		i, _ := json.Marshal(id)
		p, err := r.b.ExpandText(st.Payload)
		if err != nil {
			return err.Error()
		}
		method, path, body, isJSON = "POST", "/api/v1/command", `{"command":`+string(c)+`,"request_id":`+string(i)+`,"payload":`+p+`}`, true
	} else {
		path = r.fillStr(st.Path)
		if st.Body != nil {
			body, isJSON = r.body(st.Body)
		}
	}
	req, err := http.NewRequest(method, r.s.URL()+path, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	if isJSON {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range st.Headers {
		req.Header.Set(k, r.fillStr(v))
		if k == "host" {
			req.Host = v
		}
	}
	resp, err := plain.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(got))
		if err != nil {
			return err.Error()
		}
		got, _ = io.ReadAll(z)
	}
	return r.checkReply(st.Reply.Status, st.Reply.Headers, st.Reply.Body, resp, got)
}

func (r *replayer) checkReply(status int, headers map[string]*string, body json.RawMessage, resp *http.Response, got []byte) string {
	if resp.StatusCode != status {
		return fmt.Sprintf("status %d want %d: %s", resp.StatusCode, status, got)
	}
	for k, v := range headers {
		have, has := resp.Header.Get(k), len(resp.Header.Values(k)) > 0
		if v == nil && has || v != nil && have != *v {
			return fmt.Sprintf("header %s is %q", k, have)
		}
	}
	if m, ok := dec(body).(map[string]any); ok {
		if _, ok := m["$empty"]; ok {
			if len(got) != 0 {
				return "body " + string(got)
			}
			return ""
		}
		if x, ok := m["$text"]; ok {
			if s := r.fillStr(x.(string)); s != string(got) {
				return fmt.Sprintf("text %s\nwant %s", got, s)
			}
			return ""
		}
		if _, ok := m["$any"]; ok {
			return ""
		}
	}
	if !json.Valid(got) {
		return "not JSON: " + string(got)
	}
	return r.b.Match(dec(body), dec(got))
}

func cmpDir() string {
	if d := os.Getenv("VDIR"); d != "" {
		return d
	}
	return "../../tests/vectors"
}
