package main

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Section ids of the WebAssembly binary format.
const (
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secExport    = 7
	secStart     = 8
	secCode      = 10
	secData      = 11
	secDataCount = 12
)

// section is one section of a module.
type section struct {
	id   byte
	body []byte
}

// module is a module cut into its sections.
type module []section

var errMalformed = errors.New("not a WebAssembly module of the kind that Go's linker writes")

const header = "\x00asm\x01\x00\x00\x00"

func parse(b []byte) (module, error) {
	if len(b) < len(header) || string(b[:len(header)]) != header {
		return nil, errMalformed
	}
	r := reader{b: b[len(header):]}
	var m module
	for len(r.b) > 0 && !r.bad {
		id := r.byte()
		m = append(m, section{id, r.bytes(r.uint())})
	}
	if r.bad {
		return nil, errMalformed
	}
	return m, nil
}

func (m module) bytes() []byte {
	out := []byte(header)
	for _, s := range m {
		out = append(out, s.id)
		out = binary.AppendUvarint(out, uint64(len(s.body)))
		out = append(out, s.body...)
	}
	return out
}

// find returns the section of an id, or nil.
func (m module) find(id byte) *section {
	for i := range m {
		if m[i].id == id {
			return &m[i]
		}
	}
	return nil
}

// push appends an entry to a section that is a list, and returns its index.
func (s *section) push(entry []byte) (uint64, error) {
	r := reader{b: s.body}
	n := r.uint()
	if r.bad {
		return 0, errMalformed
	}
	s.body = append(append(binary.AppendUvarint(nil, n+1), r.b...), entry...)
	return n, nil
}

// importedFunctions counts the imports, which must all be functions: they come
// first in the numbering of functions.
func (m module) importedFunctions() (uint64, error) {
	s := m.find(secImport)
	if s == nil {
		return 0, nil
	}
	r := reader{b: s.body}
	n := r.uint()
	for range n {
		r.bytes(r.uint()) // module
		r.bytes(r.uint()) // name
		if r.byte() != 0 || r.bad {
			return 0, errMalformed
		}
		r.uint() // type
	}
	return n, nil
}

// addStart adds a function without parameters that runs when the module is
// instantiated. body is its locals and code.
func (m module) addStart(body []byte) (module, error) {
	types, functions, code := m.find(secType), m.find(secFunction), m.find(secCode)
	after := slices.IndexFunc(m, func(s section) bool { return s.id == secExport })
	if types == nil || functions == nil || code == nil || after < 0 || m.find(secStart) != nil {
		return nil, errMalformed
	}
	imported, err := m.importedFunctions()
	if err != nil {
		return nil, err
	}
	kind, err := types.push([]byte{0x60, 0, 0})
	if err != nil {
		return nil, err
	}
	index, err := functions.push(binary.AppendUvarint(nil, kind))
	if err != nil {
		return nil, err
	}
	if _, err := code.push(append(binary.AppendUvarint(nil, uint64(len(body))), body...)); err != nil {
		return nil, err
	}
	start := section{secStart, binary.AppendUvarint(nil, imported+index)}
	return slices.Insert(m, after+1, start), nil
}

// reader reads the primitive forms of the binary format. After a read beyond the
// end, bad is set and everything reads as nothing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}
