package main

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// What Go's linker writes says for every instruction from which line of which file
// it is, and what was inlined there. Only the trace of a trap shows that; without
// it the trace names the functions alone. dropLines leaves it out: 140 KB.
//
// The tables of all functions stand in one piece, each a list of differences, and
// a function has the offsets of its own: of its stack's size, of files, of lines,
// and of others by number (runtime.pcHeader, runtime._func). What is kept moves
// together.
const (
	lineMagic  = "\xf1\xff\xff\xff\x00\x00\x01\x08" // Go 1.20 and later, with words of 8 bytes
	funcStruct = 44
	// inlined is the number of the table that says what was inlined.
	inlined = 2
)

var errLines = errors.New("the linker's table of lines is not as expected; has its form changed?")

// lineTable is where the parts of the linker's table are in an image.
type lineTable struct {
	units, files, tables, funcs int // where they begin; the tables end where the functions begin
	count                       int
}

func findLines(image []byte) (t lineTable, err error) {
	at := bytes.Index(image, []byte(lineMagic))
	if at < 0 || at%8 != 0 || bytes.Contains(image[at+1:], []byte(lineMagic)) || at+72 > len(image) {
		return t, errLines
	}
	word := func(i int) int { return int(binary.LittleEndian.Uint64(image[at+8*i:])) }
	t = lineTable{count: word(1), units: at + word(5), files: at + word(6), tables: at + word(7), funcs: at + word(8)}
	if !(at < t.units && t.units < t.files && t.files < t.tables && t.tables < t.funcs && t.count > 0 && t.funcs+8*t.count < len(image)) {
		return t, errLines
	}
	return t, nil
}

// dropLines takes the tables of files, lines and inlined functions out of an image.
func dropLines(image []byte) error {
	t, err := findLines(image)
	if err != nil {
		return err
	}
	old := bytes.Clone(image[t.tables:t.funcs])
	kept := old[:1:1] // offset 0 is no table
	moved := map[uint32]uint32{0: 0}
	for i := range t.count {
		at := t.funcs + int(binary.LittleEndian.Uint32(image[t.funcs+8*i+4:]))
		if at+funcStruct > len(image) {
			return errLines
		}
		f := image[at:]
		clear(f[20:28]) // files and lines
		clear(f[32:40]) // compilation unit, first line
		places := []int{16}
		for n := range int(binary.LittleEndian.Uint32(f[28:])) {
			place := funcStruct + 4*n
			if place+4 > len(f) {
				return errLines
			}
			if n == inlined {
				clear(f[place : place+4])
			}
			places = append(places, place)
		}
		for _, place := range places {
			off := binary.LittleEndian.Uint32(f[place:])
			to, ok := moved[off]
			if !ok {
				n := tableSize(old, off)
				if n == 0 {
					return errLines
				}
				to = uint32(len(kept))
				moved[off] = to
				kept = append(kept, old[off:int(off)+n]...)
			}
			binary.LittleEndian.PutUint32(f[place:], to)
		}
	}
	clear(image[t.units:t.funcs])
	copy(image[t.tables:], kept)
	return nil
}

// tableSize is the length of a table: pairs of numbers, up to a pair whose first
// number is 0, unless it is the first pair of all.
func tableSize(tables []byte, off uint32) int {
	if int(off) >= len(tables) {
		return 0
	}
	b := tables[off:]
	for first := true; ; first = false {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return 0
		}
		if v == 0 && !first {
			return len(tables) - int(off) - len(b) + n
		}
		b = b[n:]
		if _, n = binary.Uvarint(b); n <= 0 {
			return 0
		}
		b = b[n:]
	}
}
