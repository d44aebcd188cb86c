package main

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Go's linker writes a table from program counters to functions in buckets of
// 4 KiB. On WASM the counters of two functions are 64 KiB apart, so the table has
// sixteen equal buckets per function: 650 KB that say "the n-th function is the
// n-th function", and a tenth of the module. shrink leaves the table out and adds
// a start function of some 40 bytes that writes it.
//
// The table is an array of buckets, a 32-bit index of a function and sixteen
// bytes to add to it within the bucket (runtime.findfuncbucket). Function n owns
// the buckets 16n to 16n+15, all with the index n and nothing to add.
const (
	bucketSize  = 20
	perFunction = 16
	// fewest is how many buckets a table has at least: fewer might be a chance.
	fewest = 1000 * perFunction
)

// shrink returns the module without the table, and without lines.
func shrink(b []byte) ([]byte, error) {
	m, err := parse(b)
	if err != nil {
		return nil, err
	}
	image, err := m.image()
	if err != nil {
		return nil, err
	}
	if err := dropLines(image); err != nil {
		return nil, err
	}
	at, buckets := findTable(image)
	if buckets < fewest {
		return nil, errors.New("the linker's table of functions was not found; has its form changed?")
	}
	without := bytes.Clone(image)
	clear(without[at : at+buckets*bucketSize])
	again := bytes.Clone(without)
	writeTable(again, at, buckets)
	if !bytes.Equal(again, image) {
		return nil, errors.New("the table would not be written as it was")
	}
	m.find(secData).body = appendSegments(nil, without)
	if m, err = m.addStart(startCode(at, buckets)); err != nil {
		return nil, err
	}
	return m.bytes(), nil
}

// findTable returns where the table begins and of how many buckets it is.
func findTable(image []byte) (at, buckets int) {
	for i := 0; i+bucketSize*fewest <= len(image); i += 4 {
		n := 0
		for end := i + bucketSize; end <= len(image) && isBucket(image[end-bucketSize:end], n); end += bucketSize {
			n++
		}
		if n > buckets {
			at, buckets = i, n
		}
	}
	return at, buckets
}

func isBucket(b []byte, n int) bool {
	var want [bucketSize]byte
	binary.LittleEndian.PutUint32(want[:], uint32(n/perFunction))
	return string(b) == string(want[:])
}

// writeTable does what startCode does.
func writeTable(image []byte, at, buckets int) {
	for n := range buckets {
		binary.LittleEndian.PutUint32(image[at+n*bucketSize:], uint32(n/perFunction))
	}
}

// startCode is the body of a function that writes the table.
func startCode(at, buckets int) []byte {
	b := []byte{1, 1, 0x7f} // one local, an i32: the bucket n
	b = append(b, 0x03, 0x40)
	b = append(b, 0x20, 0, 0x41, bucketSize, 0x6c)               // n * bucketSize
	b = append(b, 0x20, 0, 0x41, 4, 0x76)                        // n >> 4, which is n / perFunction
	b = binary.AppendUvarint(append(b, 0x36, 2), uint64(at))     // i32.store offset=at
	b = append(b, 0x20, 0, 0x41, 1, 0x6a, 0x22, 0)               // n += 1
	b = append(appendInt(append(b, 0x41), int64(buckets)), 0x49) // n < buckets
	return append(b, 0x0d, 0, 0x0b, 0x0b)                        // again; end
}

// image is the memory that the data section describes, from address 0.
func (m module) image() ([]byte, error) {
	s := m.find(secData)
	if s == nil || m.find(secDataCount) != nil {
		return nil, errMalformed
	}
	r := reader{b: s.body}
	var image []byte
	for range r.uint() {
		if r.uint() != 0 || r.byte() != 0x41 { // memory 0, i32.const
			return nil, errMalformed
		}
		// The linker writes addresses as signed numbers, all positive and far
		// below 1 GiB, so that they read the same unsigned.
		at := r.uint()
		if r.byte() != 0x0b || at > 1<<30 {
			return nil, errMalformed
		}
		text := r.bytes(r.uint())
		if end := int(at) + len(text); end > len(image) {
			image = append(image, make([]byte, end-len(image))...)
		}
		copy(image[at:], text)
	}
	if r.bad || len(r.b) > 0 {
		return nil, errMalformed
	}
	return image, nil
}

// longestGap is how many zero bytes in a row are written rather than left out: a
// segment of its own costs as much, and its address is harder to compress.
const longestGap = 64

// appendSegments appends a data section for the image.
func appendSegments(dst, image []byte) []byte {
	type segment struct{ at, end int }
	var list []segment
	for i := 0; i < len(image); i++ {
		if image[i] == 0 {
			continue
		}
		if n := len(list); n > 0 && i-list[n-1].end <= longestGap {
			list[n-1].end = i + 1
		} else {
			list = append(list, segment{i, i + 1})
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = append(appendInt(append(dst, 0, 0x41), int64(s.at)), 0x0b)
		dst = binary.AppendUvarint(dst, uint64(s.end-s.at))
		dst = append(dst, image[s.at:s.end]...)
	}
	return dst
}

// appendInt appends a signed LEB128 number.
func appendInt(dst []byte, v int64) []byte {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && b&0x40 == 0) || (v == -1 && b&0x40 != 0) {
			return append(dst, b)
		}
		dst = append(dst, b|0x80)
	}
}
