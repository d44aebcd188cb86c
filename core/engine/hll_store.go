package engine

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// hllStore holds the HyperLogLogs, a name space of its own that key.* does not
// see (protocol: http-data 1).
type hllStore struct {
	hlls                     map[string]*hll
	pfadds, pfcounts, merges int64 // what fails is not counted
}

const (
	hllBits      = 14
	hllRegisters = 1 << hllBits

	keyExpired = "Key expired"
)

// hll is one HyperLogLog.
type hll struct {
	registers [hllRegisters]uint8
	expires   int64 // 0: never
}

func (h *hll) expired(now int64) bool { return h.expires != 0 && h.expires <= now }

// open returns the HyperLogLog, made if there is none or an expired one.
func (s *hllStore) open(now int64, key string) *hll {
	h := s.hlls[key]
	if h == nil || h.expired(now) {
		if s.hlls == nil {
			s.hlls = map[string]*hll{}
		}
		h = &hll{}
		s.hlls[key] = h
	}
	return h
}

// add adds elements and returns how many registers they raised. expires 0 leaves
// the expiry as it is.
func (s *hllStore) add(now int64, key string, elements []string, expires int64) (raised int64) {
	h := s.open(now, key)
	s.pfadds++
	for _, e := range elements {
		if h.add(e) {
			raised++
		}
	}
	if expires != 0 {
		h.expires = expires
	}
	return raised
}

// count estimates the number of distinct elements. The count that meets an
// expired HyperLogLog removes it and says so.
func (s *hllStore) count(now int64, key string) (n uint64, errText string) {
	h := s.hlls[key]
	switch {
	case h == nil:
		return 0, notFound
	case h.expired(now):
		delete(s.hlls, key)
		return 0, keyExpired
	}
	s.pfcounts++
	return h.count(), ""
}

// merge adds the sources that exist to the destination and returns its count.
func (s *hllStore) merge(now int64, destination string, sources []string) (n uint64, errText string) {
	if len(sources) == 0 {
		return 0, "Invalid request: HyperLogLog merge requires at least one source key"
	}
	into := s.open(now, destination)
	s.merges++
	for _, key := range sources {
		if h := s.hlls[key]; h != nil && !h.expired(now) {
			for i, rank := range &h.registers {
				into.registers[i] = max(into.registers[i], rank)
			}
		}
	}
	return into.count(), ""
}

// cardinality is the sum of all counts.
func (s *hllStore) cardinality() (n uint64) {
	for _, h := range s.hlls {
		n += h.count()
	}
	return n
}

// add adds one element and reports whether it raised a register. The rank is
// counted over 64 bits of which the upper 14 are always 0 (protocol: http-data
// 9): that is what makes large counts explode (quirk 21), and what keeps counts
// equal to the server's to the unit.
func (h *hll) add(element string) bool {
	hash := hllHash(element)
	register := &h.registers[hash%hllRegisters]
	rank := uint8(bits.LeadingZeros64(hash>>hllBits) + 1)
	if hash>>hllBits == 0 {
		rank = 64 - hllBits + 1
	}
	if rank <= *register {
		return false
	}
	*register = rank
	return true
}

func (h *hll) count() uint64 {
	const m = float64(hllRegisters)
	sum, zeros := 0.0, 0
	for _, rank := range &h.registers {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			zeros++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/float64(zeros))
	}
	const hashes = 1 << 32
	if estimate > hashes/30.0 {
		estimate = -hashes * math.Log(1-estimate/hashes)
	}
	switch {
	case !(estimate > 0): // also what is no number
		return 0
	case estimate >= math.MaxUint64:
		return math.MaxUint64
	}
	return uint64(estimate)
}

// hllHash is SipHash-1-3 with a zero key, over the length of the element as eight
// bytes and the element.
func hllHash(element string) uint64 {
	v := sipState{0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573}
	v.word(uint64(len(element)))
	rest := element
	for len(rest) >= 8 {
		v.word(binary.LittleEndian.Uint64([]byte(rest[:8])))
		rest = rest[8:]
	}
	last := uint64(8+len(element)) << 56
	for i := range len(rest) {
		last |= uint64(rest[i]) << (8 * i)
	}
	v.word(last)
	v[2] ^= 0xff
	for range 3 {
		v.round()
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

type sipState [4]uint64

func (v *sipState) word(m uint64) {
	v[3] ^= m
	v.round()
	v[0] ^= m
}

func (v *sipState) round() {
	v[0] += v[1]
	v[2] += v[3]
	v[1] = bits.RotateLeft64(v[1], 13) ^ v[0]
	v[3] = bits.RotateLeft64(v[3], 16) ^ v[2]
	v[0] = bits.RotateLeft64(v[0], 32)
	v[2] += v[1]
	v[0] += v[3]
	v[1] = bits.RotateLeft64(v[1], 17) ^ v[2]
	v[3] = bits.RotateLeft64(v[3], 21) ^ v[0]
	v[2] = bits.RotateLeft64(v[2], 32)
}
