package command

import (
	"strconv"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Guard refuses raw commands that are known to end the server process
// (protocol: http-data 14) and values that JSON cannot carry. Typed commands
// are bounded by their entries.
func Guard(name string, payload value.Value) *errs.Error {
	wrong := checkJSON(payload, 0)
	if wrong != "" {
		wrong = "the payload " + wrong
	} else if check := lethal(name); check != nil {
		wrong = check(payload)
	}
	if wrong == "" {
		return nil
	}
	return &errs.Error{Code: errs.InvalidArgument, Command: name, Message: wrong}
}

// lethal returns the check of a command that can end the server, nil for others.
func lethal(name string) func(p value.Value) string {
	switch name {
	case "kv.setrange", "bitmap.setbit":
		return hugeOffset
	case "bitmap.bitpos":
		return hugeEnd
	case "bitmap.bitfield":
		return hugeFields
	case "sortedset.zcount", "sortedset.zrangebyscore", "sortedset.zremrangebyscore":
		return invertedRange
	case "sortedset.zinterstore", "sortedset.zunionstore":
		return fewWeights
	}
	return nil
}

// hugeOffset and hugeEnd: the server allocates memory up to the offset, or scans up
// to the end.
func hugeOffset(p value.Value) string { return huge(p, "offset") }
func hugeEnd(p value.Value) string    { return huge(p, "end") }

func huge(p value.Value, member string) string {
	if n, ok := p.Field(member).AsUint(); ok && n > maxOffset {
		return member + " must be at most " + strconv.Itoa(maxOffset) + ": the server allocates up to it and dies of huge ones"
	}
	return ""
}

// hugeFields: each operation of a bitfield has an offset of its own. That of a GET
// allocates nothing, but counts on past 2^64 as well.
func hugeFields(p value.Value) string {
	ops := p.Field("operations")
	if ops.Kind() != value.KindArray {
		return ""
	}
	for i := range ops.Len() {
		if wrong := huge(ops.Index(i), "offset"); wrong != "" {
			return wrong
		}
	}
	return ""
}

// invertedRange: a range whose minimum is above its maximum ends the server.
func invertedRange(p value.Value) string {
	low, okLow := p.Field("min").AsFloat()
	high, okHigh := p.Field("max").AsFloat()
	if okLow && okHigh && low > high {
		return "min must not be above max: the server process ends on such a range"
	}
	return ""
}

// fewWeights: fewer numeric weights than keys end the server.
func fewWeights(p value.Value) string {
	weights, given := p.Get("weights")
	if !given || weights.Kind() != value.KindArray {
		return ""
	}
	numeric := 0
	for i := 0; i < weights.Len(); i++ {
		if _, ok := weights.Index(i).AsFloat(); ok {
			numeric++
		}
	}
	if numeric < p.Field("keys").Len() {
		return "weights must hold a number for each key: the server process ends otherwise"
	}
	return ""
}
