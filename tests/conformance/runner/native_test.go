package runner

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// natives loads the recorded files of the native wires.
func natives(t *testing.T) []*File {
	t.Helper()
	files, err := Load("../../vectors", []string{"synaprpc-*", "resp3-*"}, "")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What the runner reads and writes itself is held against every recorded byte.
func TestNotationOfTheRecordings(t *testing.T) {
	requests, replies := 0, 0
	for _, f := range natives(t) {
		wire := nativeWires[f.Transport]
		for _, c := range f.Cases {
			steps, err := parseNative(c)
			if err != nil {
				t.Fatalf("%s %s: %v", f.Name, c.Name, err)
			}
			bound := Bindings{}
			for i, s := range steps {
				if s.request != nil {
					requests++
					request, err := bound.Expand(s.request)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := wire.write(request); err != nil || !bytes.Equal(got, s.sent) {
						t.Errorf("%s %s, step %d: made %x of %s, %v", f.Name, c.Name, i+1, got, s.Send, err)
					}
				}
				list := s.replies
				if s.push != nil {
					list = append(list, s.push)
				}
				for _, r := range list {
					if r.bytes == nil {
						continue
					}
					replies++
					timeless := &recorded{pattern: timeless(r.pattern), bytes: r.bytes}
					if d := wire.match(bound, timeless, false, r.bytes); d != "" {
						t.Errorf("%s %s, step %d: %s", f.Name, c.Name, i+1, d)
					}
					v, _ := wire.read(r.bytes)
					if wire.isPush(v) != (s.push != nil) {
						t.Errorf("%s %s, step %d: a push is taken for a reply or the other way round", f.Name, c.Name, i+1)
					}
					for n := range min(len(r.bytes), 600) {
						if size, err := wire.size(r.bytes[:n]); err != nil || size > 0 && size != len(r.bytes) {
							t.Fatalf("%s %s, step %d: %d bytes have the size %d, %v", f.Name, c.Name, i+1, n, size, err)
						}
					}
				}
			}
		}
	}
	if requests < 1300 || replies < 1390 {
		t.Errorf("only %d requests and %d replies", requests, replies)
	}
}

func TestNativeStepsThatAreNotUnderstoodFail(t *testing.T) {
	for name, step := range map[string]string{
		"unknown member":        `{"note":"x","send_hex":"00","bogus":1}`,
		"unknown matcher":       `{"recv":{"id":1,"result":{"Ok":{"$nope":1}}},"recv_hex":"00"}`,
		"no bytes":              `{"send":{"id":1,"command":"PING","args":[]}}`,
		"bytes twice":           `{"send_hex":"00","send_raw":"0"}`,
		"bytes without meaning": `{"send_hex":"00","recv_hex":"00"}`,
		"meaning without bytes": `{"recv":{"id":1,"result":{"Ok":"Null"}}}`,
		"no hex":                `{"send_hex":"0"}`,
		"two kinds":             `{"send_hex":"00","half_close":true}`,
		"no kind":               `{"conn":"a"}`,
		"another expectation":   `{"expect":"luck"}`,
		"silence without time":  `{"expect":"silence"}`,
		"an end with time":      `{"expect":"closed","ms":5}`,
		"volatile raw bytes":    `{"send_hex":"00","send_volatile":true}`,
	} {
		dir := write(t, map[string]string{"synaprpc-a": file("synaprpc", `{"name":"a","steps":[`+step+`]}`)})
		for _, role := range []string{"server", "client"} {
			if result, lines := run(t, Options{Dir: dir, Role: role, Addr: map[string]string{"server": "synap://127.0.0.1:1"}[role]}); result.Failed != 1 {
				t.Errorf("%s in role %s: %+v %q", name, role, result, lines)
			}
		}
	}
}

// rereader is a server that says what was recorded: for each connection the next
// case. spoil changes the replies of a case's last step.
type rereader struct {
	cases [][]*nativeStep
	spoil func(replies []byte) []byte
}

func (r *rereader) serve(l net.Listener) {
	for _, steps := range r.cases {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		r.play(conn, steps)
	}
}

func (r *rereader) play(conn net.Conn, steps []*nativeStep) {
	defer conn.Close()
	last := 0
	for i, s := range steps {
		if len(s.replies) > 0 {
			last = i
		}
	}
	for i, s := range steps {
		if got := make([]byte, len(s.sent)); len(got) > 0 {
			if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, s.sent) {
				return
			}
		}
		var out []byte
		for j := range s.replies { // the last first: any order is allowed
			out = append(out, s.replies[len(s.replies)-1-j].bytes...)
		}
		if i == last && r.spoil != nil {
			out = r.spoil(out)
		}
		conn.Write(out)
		switch {
		case s.HalfClose:
			io.Copy(io.Discard, conn)
		case s.Expect == "closed", i == last && r.spoil != nil:
			return
		}
	}
	io.Copy(io.Discard, conn) // until the player has seen enough
}

// reread plays the recorded cases with one connection against a rereader. It takes
// only those whose recorded bytes still match, and if spoiled those whose last
// reply is no text that may differ.
func reread(t *testing.T, f *File, spoil func([]byte) []byte) (result Result, total int) {
	t.Helper()
	r := &rereader{spoil: spoil}
	g := &File{Name: f.Name, Transport: f.Transport, Area: f.Area}
	for _, c := range f.Cases {
		steps, err := parseNative(c)
		if err != nil {
			t.Fatal(err)
		}
		fits, firm := true, false
		for _, s := range steps {
			fits = fits && s.Conn == "" && s.push == nil && !strings.Contains(string(s.Recv), "timestamp_")
			if len(s.replies) > 0 {
				firm = !s.Volatile
			}
			for _, reply := range s.replies {
				fits = fits && reply.bytes != nil
			}
		}
		if fits && (firm || spoil == nil) {
			g.Cases = append(g.Cases, &Case{Name: c.Name, Steps: c.Steps})
			r.cases = append(r.cases, steps)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go r.serve(l)
	rep := playFile(&Options{Addr: nativeWires[f.Transport].scheme + "://" + l.Addr().String()}, roles["server"], g)
	if spoil == nil {
		for _, failure := range rep.failures {
			t.Error(failure)
		}
	}
	return rep.Result, len(g.Cases)
}

func TestNativeRecordingsPassWhereTheyAreSaidAgain(t *testing.T) {
	t.Parallel()
	played := 0
	for _, f := range natives(t) {
		result, total := reread(t, f, nil)
		if result != (Result{Passed: total}) {
			t.Errorf("%s: of %d cases %+v", f.Name, total, result)
		}
		played += total
	}
	if played < 230 {
		t.Errorf("only %d cases", played)
	}
}

func TestNoSpoiledNativeReplyPasses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func([]byte) []byte{
		"another last byte": func(b []byte) []byte {
			if len(b) > 2 && b[len(b)-1] == '\n' {
				b[len(b)-3] ^= 1 // before the line's end
			} else {
				b[len(b)-1] ^= 1
			}
			return b
		},
		"a reply more": func(b []byte) []byte { return append(b, b...) },
	} {
		for _, f := range natives(t) {
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				result, total := reread(t, f, func(b []byte) []byte { return spoil(bytes.Clone(b)) })
				if result.Failed != total {
					t.Errorf("of %d cases %+v", total, result)
				}
			})
		}
	}
}

func TestPushesAndRepliesAreReadApart(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	frame := func(id, payload string) []byte {
		var text string
		if payload == "" {
			text = `{"Err":"ERR"}`
		} else {
			text = `{"Ok":{"Str":"` + payload + `"}}`
		}
		b := rpcFrame(reply(t, id, text))
		return b
	}
	go func() {
		for _, b := range [][]byte{frame("4294967295", "p1"), frame("1", "r1"), frame("4294967295", ""), frame("4294967295", "p2")} {
			server.Write(b[:3]) // frames come apart
			server.Write(b[3:])
		}
		time.Sleep(50 * time.Millisecond)
		server.Close()
	}()
	c := &nativeConn{wire: nativeWires["synaprpc"], conn: client}
	var got []string
	for _, push := range []bool{false, true, true, false} {
		b, err := c.next(push)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := rpcReply(b)
		got = append(got, writeJSON(v.(map[string]any)["result"]))
	}
	if want := `[{"Ok":{"Str":"r1"}} {"Ok":{"Str":"p1"}} {"Ok":{"Str":"p2"}} {"Err":"ERR"}]`; fmt.Sprint(got) != want {
		t.Errorf("got %v", got)
	}
	if d := c.silent(time.Millisecond); d != "" {
		t.Error(d)
	}
	if d := c.ended(); d != "" {
		t.Error(d)
	}
}
