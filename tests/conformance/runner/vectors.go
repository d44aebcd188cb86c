package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is one file of vectors.
type File struct {
	Name      string // without directory and .json
	Transport string // http-command, http-rest, websocket, synaprpc, resp3
	Area      string
	Cases     []*Case
}

// Case is one recorded conversation.
type Case struct {
	Name  string
	Needs []string
	Steps []json.RawMessage // read by the wire that plays them
}

// needs reports whether the case lists a need.
func (c *Case) needs(what string) bool { return slices.Contains(c.Needs, what) }

// knownNeeds are the needs that the conventions define; anything else would be
// played on the wrong server.
var knownNeeds = []string{"fresh", "auth", "optauth", "cluster", "rate"}

// Load reads the files of a directory whose names match one of the patterns (all
// if there are none), and of them the cases whose names contain part.
func Load(dir string, patterns []string, part string) ([]*File, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var files []*File
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		wanted, err := matches(patterns, name)
		if err != nil {
			return nil, err
		}
		if !wanted {
			continue
		}
		f, err := loadFile(path, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		f.Cases = slices.DeleteFunc(f.Cases, func(c *Case) bool { return !strings.Contains(c.Name, part) })
		if len(f.Cases) > 0 {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return nil, errors.New("no case is selected in " + dir)
	}
	return files, nil
}

func matches(patterns []string, name string) (bool, error) {
	for _, p := range patterns {
		ok, err := filepath.Match(strings.TrimSuffix(p, ".json"), name)
		if err != nil || ok {
			return ok, err
		}
	}
	return len(patterns) == 0, nil
}

func loadFile(path, name string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := File{Name: name}
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, err
	}
	f.Name = name
	seen := map[string]bool{}
	for _, c := range f.Cases {
		if c.Name == "" || len(c.Steps) == 0 || seen[c.Name] {
			return nil, fmt.Errorf("case %q has no name, no steps or stands twice", c.Name)
		}
		seen[c.Name] = true
		for _, n := range c.Needs {
			if !slices.Contains(knownNeeds, n) {
				return nil, fmt.Errorf("case %q has the unknown need %q", c.Name, n)
			}
		}
	}
	return &f, nil
}

// Step is one step of the HTTP and WebSocket wires.
type Step struct {
	WaitMS int `json:"wait_ms"`

	// A command step.
	Command   *string
	RequestID *string `json:"request_id"`
	Payload   json.RawMessage

	// A REST step. Headers belong to every kind of request.
	Method, Path string
	Headers      map[string]string
	Body         json.RawMessage

	Reply *Reply

	// WebSocket steps.
	Open             string
	Conn             string
	Refused          *Reply
	Send             json.RawMessage
	Recv             json.RawMessage
	RecvNoneMS       int `json:"recv_none_ms"`
	Ping, Pong       *string
	Close            int
	ServerCloseFrame *bool      `json:"server_close_frame"`
	RecvClose        *RecvClose `json:"recv_close"`
}

// RecvClose is how the server ends a WebSocket.
type RecvClose struct{ Code int }

// Reply is a recorded HTTP reply. A header that is null must be absent.
type Reply struct {
	Status  int
	Headers map[string]*string
	Body    json.RawMessage
}

// parseSteps reads the steps of a case for the HTTP and WebSocket wires. A member
// or matcher that it does not know is an error.
func parseSteps(c *Case) ([]*Step, error) {
	steps := make([]*Step, len(c.Steps))
	for i, raw := range c.Steps {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		s := &Step{Conn: "a"}
		if err := d.Decode(s); err != nil {
			return nil, &Failure{Step: i, Text: "the step cannot be read: " + err.Error()}
		}
		if err := s.check(); err != nil {
			return nil, &Failure{Step: i, Text: "the step cannot be read: " + err.Error()}
		}
		steps[i] = s
	}
	return steps, nil
}

func (s *Step) check() error {
	kinds := 0
	for _, is := range []bool{s.Command != nil, s.Method != "", s.Open != "", s.Send != nil, s.Recv != nil,
		s.RecvNoneMS != 0, s.Ping != nil, s.Close != 0, s.RecvClose != nil} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return errors.New("it is of no kind or of several")
	}
	if (s.Command != nil || s.Method != "") && s.Reply == nil {
		return errors.New("it has no reply")
	}
	if s.Recv != nil {
		if _, err := frameOf(s.Recv); err != nil {
			return err
		}
	}
	for _, r := range []*Reply{s.Reply, s.Refused} {
		if r != nil {
			if _, err := bodyOf(r.Body); err != nil {
				return err
			}
		}
	}
	return nil
}

// requestID is what a command step is sent with.
func (s *Step) requestID() string {
	if s.RequestID == nil {
		return "r"
	}
	return *s.RequestID
}

// header returns a header of the step by its lower-case name.
func (s *Step) header(name string) (string, bool) {
	for n, v := range s.Headers {
		if strings.EqualFold(n, name) {
			return v, true
		}
	}
	return "", false
}
