package runner

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Options say what to replay.
type Options struct {
	Dir     string    // of the vectors
	Role    string    // server, client or host
	Driver  string    // role host: the program that runs the binding, with arguments
	Files   []string  // names or patterns of files; all if empty
	Cases   string    // only cases whose names contain it
	Addr    string    // role server: a running server; role host: what to open instead of memory://
	Verbose bool      // name every case
	Out     io.Writer // where the report goes
}

// Result counts cases.
type Result struct{ Passed, Failed, NoForm int }

// player plays the cases of one file in one role.
type player interface {
	// play plays one case. It returns how many of its steps were left out because
	// they have no form in this role, and nil, a *Failure or a noForm.
	play(c *Case) (left int, err error)
	close()
}

// Failure is a difference between a vector and what happened.
type Failure struct {
	Step int // from 0
	Text string
}

func (f *Failure) Error() string { return fmt.Sprintf("step %d: %s", f.Step+1, f.Text) }

// noForm says why a case cannot be played in a role.
type noForm string

func (n noForm) Error() string { return string(n) }

// role is a way to play vectors: for each transport of files the player. A
// transport without one has no form in the role. A new wire is a file with its
// player and an entry here.
type role struct {
	players  map[string]func(o *Options, f *File) (player, error)
	parallel int // files played at once
}

var roles = map[string]role{
	"server": {parallel: 4, players: map[string]func(*Options, *File) (player, error){
		"http-command": newServerPlayer,
		"http-rest":    newServerPlayer,
		"websocket":    newServerPlayer,
		"synaprpc":     newNativeServerPlayer,
		"resp3":        newNativeServerPlayer,
	}},
	"client": {parallel: 4, players: map[string]func(*Options, *File) (player, error){
		"http-command": newClientPlayer,
		"http-rest":    newClientPlayer,
		"websocket":    newPushPlayer,
		"synaprpc":     newCodecPlayer,
		"resp3":        newCodecPlayer,
	}},
	"host": {parallel: 4, players: map[string]func(*Options, *File) (player, error){
		"http-command": newHostPlayer,
	}},
}

// Run replays vectors and writes the report, whose last line is
// "N passed, N failed". The error is about the run itself, not about a case.
func Run(o Options) (Result, error) {
	var total Result
	r, ok := roles[o.Role]
	if !ok {
		return total, fmt.Errorf("unknown role %q: server, client or host", o.Role)
	}
	if (o.Role == "host") != (o.Driver != "") {
		return total, errors.New("role host needs -driver, the other roles take none")
	}
	if o.Role == "client" && o.Addr != "" {
		return total, errors.New("role client plays the server itself: it takes no address")
	}
	if o.Role == "server" && o.Addr == TestServers {
		o.Addr = "" // what this role does anyway
	}
	files, err := Load(o.Dir, o.Files, o.Cases)
	if err != nil {
		return total, err
	}
	if o.Addr != "" && !strings.HasPrefix(o.Addr, TestServers) {
		fmt.Fprintln(o.Out, "warning: the server may hold data; cases that need a fresh one may fail")
		r.parallel = 1
	}

	reports := playFiles(&o, r, files)
	return summarize(o.Out, reports)
}

// playFiles plays files, some at once.
func playFiles(o *Options, r role, files []*File) []*report {
	reports := make([]*report, len(files))
	slots := make(chan struct{}, r.parallel)
	var all sync.WaitGroup
	for i, f := range files {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			reports[i] = playFile(o, r, f)
		})
	}
	all.Wait()
	return reports
}

// summarize writes what became of the files.
func summarize(out io.Writer, reports []*report) (total Result, err error) {
	var failures, without []string
	absent := map[string]int{}
	for _, rep := range reports {
		if rep.err != nil {
			return total, fmt.Errorf("%s: %w", rep.file.Name, rep.err)
		}
		io.WriteString(out, rep.text())
		failures = append(failures, rep.failures...)
		if rep.NoForm > 0 {
			without = append(without, fmt.Sprintf("%s %d", rep.file.Name, rep.NoForm))
		}
		total.add(rep.Result)
		for name, n := range rep.absent {
			absent[name] += n
		}
	}
	for _, f := range failures {
		fmt.Fprintln(out, f)
	}
	if total.NoForm > 0 {
		fmt.Fprintf(out, "%d cases have no form in this role: file %s\n", total.NoForm, strings.Join(without, ", "))
	}
	if len(absent) > 0 {
		fmt.Fprintf(out, "commands without a form on this wire: %s\n", strings.Join(slices.Sorted(maps.Keys(absent)), " "))
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", total.Passed, total.Failed)
	return total, nil
}

func (r *Result) add(other Result) {
	r.Passed += other.Passed
	r.Failed += other.Failed
	r.NoForm += other.NoForm
}

// report is what became of one file.
type report struct {
	Result
	file     *File
	left     int            // steps left out of cases that were played
	absent   map[string]int // commands that answered Unsupported over a native wire
	cases    []string
	failures []string
	err      error
}

func (r *report) text() string {
	line := fmt.Sprintf("%-20s %d passed, %d failed", r.file.Name, r.Passed, r.Failed)
	if r.NoForm > 0 {
		line += fmt.Sprintf(", %d without a form", r.NoForm)
	}
	if r.left > 0 {
		line += fmt.Sprintf(" (%d steps have none and were left out)", r.left)
	}
	return line + "\n" + strings.Join(r.cases, "")
}

func playFile(o *Options, r role, f *File) *report {
	rep := &report{file: f}
	start, ok := r.players[f.Transport]
	if !ok {
		rep.NoForm = len(f.Cases)
		return rep
	}
	p, err := start(o, f)
	if err != nil {
		rep.err = err
		return rep
	}
	defer p.close()
	if host, ok := p.(*hostPlayer); ok {
		rep.absent = host.absent
	}
	for _, c := range f.Cases {
		left, err := p.play(c)
		var none noForm
		verdict := "passed"
		switch {
		case err == nil:
			rep.Passed++
			rep.left += left
		case errors.As(err, &none):
			rep.NoForm++
			verdict = "no form: " + string(none)
		default:
			rep.Failed++
			verdict = "FAILED"
			rep.failures = append(rep.failures, fmt.Sprintf("FAILED %s %s, %v", f.Name, c.Name, err))
		}
		if o.Verbose {
			rep.cases = append(rep.cases, fmt.Sprintf("  %s: %s\n", c.Name, verdict))
		}
	}
	return rep
}
