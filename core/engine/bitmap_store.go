package engine

import (
	"math"
	"math/bits"
	"slices"
)

// bitmapStore holds the bitmaps, a name space of its own that key.* does not see
// (protocol: http-data 1). A bitmap can be empty.
type bitmapStore struct {
	bitmaps map[string][]byte
	ops     [bitmapOps]int64
}

// The counted operations, in the order of bitmapOpNames. What fails is not
// counted.
const (
	opSetbit = iota
	opGetbit
	opBitcount
	opBitop
	opBitpos
	opBitfield
	bitmapOps
)

var bitmapOpNames = [...]string{
	"setbit_count", "getbit_count", "bitcount_count", "bitop_count", "bitpos_count", "bitfield_count",
}

const (
	// maxBits bounds what a bitmap may grow to. The server allocates up to any
	// offset and dies of huge ones (protocol: http-data 14).
	maxBits = 512 << 20

	badBit      = "Invalid value: Bit value must be 0 or 1"
	farOffset   = "Invalid value: offset is out of range"
	allBits     = math.MaxUint64 // as the end of a range: up to the last bit
	notInBitmap = math.MaxUint64 // what position answers if there is no such bit
)

// find returns a bitmap and counts the operation, if there is one.
func (s *bitmapStore) find(key string, op int) ([]byte, string) {
	b, ok := s.bitmaps[key]
	if !ok {
		return nil, notFound
	}
	s.ops[op]++
	return b, ""
}

// open makes an empty bitmap where there is none.
func (s *bitmapStore) open(key string) {
	if _, ok := s.bitmaps[key]; !ok {
		s.put(key, nil)
	}
}

func (s *bitmapStore) put(key string, b []byte) {
	if s.bitmaps == nil {
		s.bitmaps = map[string][]byte{}
	}
	s.bitmaps[key] = b
}

// grow returns the bitmap with room for n bytes.
func (s *bitmapStore) grow(key string, n int) []byte {
	b := s.bitmaps[key]
	if len(b) < n {
		b = slices.Grow(b, n-len(b))[:n]
		s.put(key, b)
	}
	return b
}

// bitAt returns bit k, counted from the most significant end of each byte; past
// the data it is 0.
func bitAt(b []byte, k uint64) byte {
	if k/8 >= uint64(len(b)) {
		return 0
	}
	return b[k/8] >> (7 - k%8) & 1
}

// set sets a bit and returns the one that was there. A refused value leaves an
// empty bitmap behind, as on the server.
func (s *bitmapStore) set(key string, offset uint64, bit byte) (old byte, errText string) {
	if offset > maxBits {
		return 0, farOffset
	}
	s.open(key)
	if bit > 1 {
		return 0, badBit
	}
	s.ops[opSetbit]++
	b := s.grow(key, int(offset/8)+1)
	old = bitAt(b, offset)
	place := byte(1) << (7 - offset%8)
	b[offset/8] = b[offset/8]&^place | bit*place
	return old, ""
}

func (s *bitmapStore) get(key string, offset uint64) (bit byte, errText string) {
	b, errText := s.find(key, opGetbit)
	return bitAt(b, offset), errText
}

// count counts the ones from bit start to bit end, both included.
func (s *bitmapStore) count(key string, start, end uint64) (n int64, errText string) {
	b, errText := s.find(key, opBitcount)
	if len(b) == 0 {
		return 0, errText
	}
	end = min(end, uint64(len(b))*8-1)
	if start > end {
		return 0, ""
	}
	for i := start / 8; i <= end/8; i++ {
		c := b[i]
		if i == start/8 {
			c &= 0xff >> (start % 8)
		}
		if i == end/8 {
			c &= 0xff << (7 - end%8)
		}
		n += int64(bits.OnesCount8(c))
	}
	return n, ""
}

// position finds the first bit of a value between start and end, both included;
// without an end the last bit is it. The server looks at each bit up to the end,
// however far; those past the data are all 0.
func (s *bitmapStore) position(key string, bit byte, start, end uint64) (at uint64, errText string) {
	b, ok := s.bitmaps[key]
	if !ok {
		return notInBitmap, notFound
	}
	if bit > 1 {
		return notInBitmap, badBit
	}
	s.ops[opBitpos]++
	size := uint64(len(b)) * 8
	without := -bit ^ 0xff // a byte without such a bit
	for k := start; k < size && k <= end; {
		if k%8 == 0 && b[k/8] == without {
			k += 8
			continue
		}
		if bitAt(b, k) == bit {
			return k, ""
		}
		k++
	}
	if beyond := max(start, size); bit == 0 && end != allBits && beyond <= end {
		return beyond, ""
	}
	return notInBitmap, ""
}

// combine stores what an operation makes of the sources that exist and returns
// its length in bytes.
func (s *bitmapStore) combine(destination, op string, sources []string) (length int, errText string) {
	if len(sources) == 0 {
		return 0, "Invalid request: At least one source key required"
	}
	var found [][]byte
	size := 0
	for _, key := range sources {
		if b, ok := s.bitmaps[key]; ok {
			found = append(found, b)
			size = max(size, len(b))
		}
	}
	switch {
	case len(found) == 0:
		return 0, notFound
	case (op == "AND" || op == "XOR") && len(found) < 2:
		return 0, "Invalid request: " + op + " operation requires at least 2 source keys"
	case op == "NOT" && len(found) != 1:
		return 0, "Invalid request: NOT operation requires exactly 1 source key"
	}
	s.ops[opBitop]++
	out := make([]byte, size)
	copy(out, found[0])
	if op == "NOT" {
		for i := range out {
			out[i] = ^out[i]
		}
	}
	for _, b := range found[1:] {
		for i := range out {
			c := byte(0) // the shorter ones are padded
			if i < len(b) {
				c = b[i]
			}
			switch op {
			case "AND":
				out[i] &= c
			case "OR":
				out[i] |= c
			case "XOR":
				out[i] ^= c
			}
		}
	}
	s.put(destination, out)
	return size, ""
}

// size returns the number of bitmaps and of their bits.
func (s *bitmapStore) size() (bitmaps, bits int64) {
	for _, b := range s.bitmaps {
		bits += int64(len(b)) * 8
	}
	return int64(len(s.bitmaps)), bits
}
