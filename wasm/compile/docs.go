package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// tableOfCommands is the package whose docs are for the generator alone: a module
// that runs has no use for them, and they were a tenth of what it is in memory.
const tableOfCommands = root + "core/command"

// docs are the members of its structs that hold them.
var docs = []string{"Summary", "Doc", "Errors", "Example"}

// withoutDocs writes the sources of the command table without docs into dir, and
// returns the overlay that has the compiler take them.
func withoutDocs(dir string) (string, error) {
	where, err := exec.Command("go", "list", "-f", "{{.Dir}}", tableOfCommands).Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(where)), "*.go"))
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if source, err = cutDocs(source); err != nil {
			return "", err
		}
		to := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(to, source, 0o644); err != nil {
			return "", err
		}
		replace[name] = to
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, b, 0o644)
}

// cutDocs returns a source file without the members that hold docs, in the types
// and in the literals.
func cutDocs(source []byte) ([]byte, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", source, 0)
	if err != nil {
		return nil, err
	}
	var cuts [][2]int // in order: one never holds another
	cut := func(n ast.Node) {
		from, to := fset.Position(n.Pos()).Offset, fset.Position(n.End()).Offset
		if rest := strings.TrimLeft(string(source[to:]), " \t"); strings.HasPrefix(rest, ",") {
			to = len(source) - len(rest) + 1
		}
		cuts = append(cuts, [2]int{from, to})
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(docs, key.Name) {
				cut(n)
				return false
			}
		case *ast.StructType:
			for _, field := range n.Fields.List {
				if len(field.Names) == 1 && slices.Contains(docs, field.Names[0].Name) {
					cut(field)
				}
			}
		}
		return true
	})
	var out []byte
	at := 0
	for _, c := range cuts {
		out = append(out, source[at:c[0]]...)
		at = c[1]
	}
	return append(out, source[at:]...), nil
}
