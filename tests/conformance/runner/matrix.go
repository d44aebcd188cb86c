package runner

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// matrixWires are the wires of the matrix: what role host opens for each.
var matrixWires = []struct{ name, addr string }{
	{"memory", ""},
	{"http", TestServers},
	{"synap", TestServersRPC},
	{"resp3", TestServersRESP3},
}

// row is one host on one wire.
type row struct {
	host, wire string
	reports    []*report
}

// RunMatrix plays role host with every driver on every wire (all if none is named)
// and writes one table of passed/failed/without a form by host, wire and family,
// the failures, and as last line "N passed, N failed".
func RunMatrix(o Options, drivers, wires []string) (total Result, err error) {
	if len(drivers) == 0 {
		return total, errors.New("the matrix needs at least one -driver")
	}
	for _, w := range wires {
		if !slices.ContainsFunc(matrixWires, func(known struct{ name, addr string }) bool { return known.name == w }) {
			return total, fmt.Errorf("unknown wire %q: memory, http, synap or resp3", w)
		}
	}
	host := roles["host"]
	files, err := Load(o.Dir, o.Files, o.Cases)
	if err != nil {
		return total, err
	}
	files = slices.DeleteFunc(files, func(f *File) bool { return host.players[f.Transport] == nil })
	if len(files) == 0 {
		return total, errors.New("no file is selected that a host can play")
	}
	var rows []row
	for _, d := range drivers {
		for _, w := range matrixWires {
			if len(wires) > 0 && !slices.Contains(wires, w.name) {
				continue
			}
			o := o
			o.Role, o.Driver, o.Addr = "host", d, w.addr
			r := row{hostName(d), w.name, playFiles(&o, host, files)}
			for _, rep := range r.reports {
				if rep.err != nil {
					return total, fmt.Errorf("%s, %s, %s: %w", r.host, r.wire, rep.file.Name, rep.err)
				}
				total.add(rep.Result)
			}
			rows = append(rows, r)
		}
	}
	writeMatrix(o.Out, files, rows)
	for _, r := range rows {
		for _, rep := range r.reports {
			io.WriteString(o.Out, strings.Join(rep.cases, ""))
			for _, f := range rep.failures {
				fmt.Fprintf(o.Out, "%s %s %s\n", r.host, r.wire, f)
			}
		}
	}
	fmt.Fprintf(o.Out, "%d passed, %d failed\n", total.Passed, total.Failed)
	return total, nil
}

// hostName names a driver's command line in the table: its last word, without
// directory and extension.
func hostName(driver string) string {
	words := strings.Fields(driver)
	if len(words) == 0 {
		return "?"
	}
	name := filepath.Base(words[len(words)-1])
	return strings.TrimPrefix(strings.TrimSuffix(name, filepath.Ext(name)), "driver-")
}

func writeMatrix(out io.Writer, files []*File, rows []row) {
	fmt.Fprintln(out, "passed/failed/without a form")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	head := []string{"host", "wire"}
	for _, f := range files {
		head = append(head, strings.TrimPrefix(f.Name, "http-"))
	}
	fmt.Fprintln(t, strings.Join(append(head, "all"), "\t"))
	for _, r := range rows {
		line := []string{r.host, r.wire}
		var all Result
		for _, rep := range r.reports {
			line = append(line, rep.Result.cell())
			all.add(rep.Result)
		}
		fmt.Fprintln(t, strings.Join(append(line, all.cell()), "\t"))
	}
	t.Flush()
}

func (r Result) cell() string { return fmt.Sprintf("%d/%d/%d", r.Passed, r.Failed, r.NoForm) }
