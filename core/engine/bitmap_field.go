package engine

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// fieldOp is one operation of bitfield: on the width bits from offset on, as a
// number.
type fieldOp struct {
	kind     string // GET, SET or INCRBY
	offset   uint64
	width    uint64
	signed   bool
	operand  int64
	overflow string // of INCRBY: SAT, FAIL, or wrap around
}

// fieldOps reads the operations; all are read before any is run.
func (c *call) fieldOps() ([]fieldOp, string) {
	list := c.payload.Field("operations")
	if list.Kind() != value.KindArray {
		return nil, "Invalid request: Missing 'operations' array"
	}
	ops := make([]fieldOp, list.Len())
	for i := range ops {
		v := list.Index(i)
		kind, ok := v.Field("operation").AsStr()
		if !ok {
			return nil, missing("operation")
		}
		op := &ops[i]
		if op.offset, ok = v.Field("offset").AsUint(); !ok {
			return nil, missing("offset")
		}
		if op.width, ok = v.Field("width").AsUint(); !ok {
			return nil, missing("width")
		}
		op.signed, _ = v.Field("signed").AsBool()
		op.kind = strings.ToUpper(kind)
		switch op.kind {
		case "GET":
		case "SET":
			if op.operand, ok = v.Field("value").AsInt(); !ok {
				return nil, "Invalid request: SET operation requires 'value' field"
			}
		case "INCRBY":
			if op.operand, ok = v.Field("increment").AsInt(); !ok {
				return nil, "Invalid request: INCRBY operation requires 'increment' field"
			}
			word, _ := v.Field("overflow").AsStr()
			op.overflow = strings.ToUpper(word)
			switch op.overflow {
			case "", "WRAP", "SAT", "FAIL":
			default: // is WRAP, except on the REST route
				if c.from == Routed {
					return nil, "Invalid request: Invalid overflow behavior: " + word
				}
			}
		default:
			return nil, "Invalid request: Invalid operation: " + kind
		}
	}
	return ops, ""
}

// fields runs operations in order. One that fails ends the command, those before
// it stay applied. The bitmap is made even if nothing is written to it.
func (s *bitmapStore) fields(key string, ops []fieldOp) ([]int64, string) {
	s.open(key)
	results := make([]int64, len(ops))
	for i := range ops {
		var errText string
		if results[i], errText = s.field(key, &ops[i]); errText != "" {
			return nil, errText
		}
	}
	s.ops[opBitfield]++
	return results, ""
}

func (s *bitmapStore) field(key string, op *fieldOp) (int64, string) {
	if op.width < 1 || op.width > 64 {
		return 0, "Invalid value: Bit width must be between 1 and 64"
	}
	if op.kind != "GET" && op.offset > maxBits {
		return 0, farOffset
	}
	old := op.read(s.bitmaps[key])
	switch op.kind {
	case "SET":
		op.write(s.grow(key, op.last()+1), op.operand)
	case "INCRBY":
		n, errText := op.limit(old + op.operand)
		if errText != "" {
			return 0, errText
		}
		op.write(s.grow(key, op.last()+1), n)
		return n, ""
	}
	return old, ""
}

// last is the last byte of the field.
func (op *fieldOp) last() int { return int((op.offset + op.width - 1) / 8) }

// read returns the field's number. Its bits are counted from the least
// significant end of each byte, the other way round than setbit counts; a field
// that is not all in the data reads as 0 (protocol: http-data 8).
func (op *fieldOp) read(b []byte) int64 {
	if op.offset > maxBits || op.last() >= len(b) {
		return 0
	}
	n := uint64(0)
	for i := range op.width {
		k := op.offset + i
		n |= uint64(b[k/8]>>(k%8)&1) << i
	}
	if op.signed && n>>(op.width-1) == 1 {
		// The server masks the shift, so that of 64 bits every one is filled.
		n |= ^uint64(0) << (op.width % 64)
	}
	return int64(n)
}

// write stores the low bits of n.
func (op *fieldOp) write(b []byte, n int64) {
	for i := range op.width {
		k := op.offset + i
		place := byte(1) << (k % 8)
		if uint64(n)>>i&1 == 1 {
			b[k/8] |= place
		} else {
			b[k/8] &^= place
		}
	}
}

// limits are the smallest and the largest number of the field. The server
// computes both in 64 bits and masks the shifts: unsigned numbers of 64 bits end
// at 0.
func (op *fieldOp) limits() (low, high int64) {
	if op.signed {
		half := int64(1) << (op.width - 1)
		return -half, half - 1
	}
	return 0, int64(1)<<(op.width%64) - 1
}

// limit brings a sum into the field's range. Wrapping around goes one period at
// most (protocol: http-data 8).
func (op *fieldOp) limit(n int64) (int64, string) {
	low, high := op.limits()
	if n >= low && n <= high {
		return n, ""
	}
	switch op.overflow {
	case "SAT":
		return min(max(n, low), high), ""
	case "FAIL":
		text := func(n int64) string { return strconv.FormatInt(n, 10) }
		return 0, "Invalid value: Overflow: value " + text(n) + " would exceed range [" + text(low) + ", " + text(high) + "]"
	}
	period := high - low + 1
	if n > high {
		return n - period, ""
	}
	return n + period, ""
}
