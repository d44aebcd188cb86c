package command

import (
	"strconv"

	"github.com/libsynap/libsynap/core/value"
)

var (
	argBitmap = Arg{Name: "key", Type: String, Required: true, Doc: "The bitmap."}
	argBit    = Arg{Name: "value", Type: Int, Required: true, Min: 0, Max: 1, Check: bit, Doc: "0 or 1."}
	argFirst  = Arg{Name: "start", Type: Int, Unit: "bits", Default: "0", Min: 0, Max: maxOffset, Doc: "First bit."}
	argLast   = Arg{Name: "end", Type: Int, Unit: "bits", Min: 0, Max: maxOffset, Doc: "Last bit, included. Absent: the last there is."}
)

var recordBitmapStats = &Record{Name: "BitmapStats", Doc: "Counters of the bitmaps.", Fields: []Field{
	{Name: "total_bitmaps", Type: Int, Doc: "Bitmaps."},
	{Name: "total_bits", Type: Int, Unit: "bits", Doc: "Their length, in sum."},
	{Name: "setbit_count", Type: Int, Doc: "Calls of setbit."},
	{Name: "getbit_count", Type: Int, Doc: "Calls of getbit."},
	{Name: "bitcount_count", Type: Int, Doc: "Calls of bitcount."},
	{Name: "bitop_count", Type: Int, Doc: "Calls of bitop."},
	{Name: "bitpos_count", Type: Int, Doc: "Calls of bitpos."},
	{Name: "bitfield_count", Type: Int, Doc: "Calls of bitfield."},
}}

// The server answers a missing bitmap with an error; here it has no bits.
var bitmapFamily = Family{Name: "bitmap", Doc: "Bitmaps: single bits by their number, and counters of a few bits. A store of their own: key and kv commands do not see them.", Commands: []Command{
	{Name: "bitmap.setbit", Summary: "Sets one bit.",
		Args: []Arg{argBitmap, {Name: "offset", Type: Int, Required: true, Unit: "bits", Min: 0, Max: maxOffset, Doc: "The bit's number; 0 is the highest bit of the first byte. The server allocates up to here and dies of huge ones."}, argBit},
		HTTP: HTTP{Command: "bitmap.setbit"}, RPC: native("SETBIT", "key offset value", "int key offset"), RESP3: native("SETBIT", "key offset value", "int key offset"),
		Reply: Reply{Kind: ReplyInt, Field: "old_value", Doc: "What the bit was."}, Traits: write,
		Example: `client.bitmap.setbit("seen", 42, 1)`},
	{Name: "bitmap.getbit", Summary: "Returns one bit.",
		Args: []Arg{argBitmap, {Name: "offset", Type: Int, Required: true, Unit: "bits", Min: 0, Max: 1 << 53, Doc: "The bit's number. Bits past the end are 0."}},
		HTTP: HTTP{Command: "bitmap.getbit"}, RPC: native("GETBIT", "key offset", "int key offset"), RESP3: native("GETBIT", "key offset", "int key offset"),
		Reply: Reply{Kind: ReplyInt, Field: "value", Absent: true, Doc: "0 or 1."}, Traits: read,
		Example: `client.bitmap.getbit("seen", 42)`},
	{Name: "bitmap.bitcount", Summary: "Returns the number of bits that are 1.",
		Args: []Arg{argBitmap, argFirst, argLast},
		// The native wires count their range in bytes, so they take none.
		HTTP: HTTP{Command: "bitmap.bitcount"}, RPC: native("BITCOUNT", "key", "int key"), RESP3: native("BITCOUNT", "key", "int key"),
		Reply: Reply{Kind: ReplyInt, Field: "count", Absent: true}, Traits: read,
		Errors:  "Unsupported on native wires with a range: there it would count bytes.",
		Example: `client.bitmap.bitcount("seen")`},
	{Name: "bitmap.bitpos", Summary: "Returns the number of the first bit with a value.",
		Args: []Arg{argBitmap, argBit, argFirst, argLast},
		HTTP: HTTP{Command: "bitmap.bitpos"}, Reply: Reply{Kind: ReplyIntOrNil, Field: "position", Absent: true, Doc: "Nothing if there is none."}, Traits: read,
		Example: `client.bitmap.bitpos("seen", 1)`},
	{Name: "bitmap.bitop", Summary: "Combines bitmaps and stores the result.",
		Doc: "Shorter ones count as filled up with zeros; missing ones are left out.",
		Args: []Arg{{Name: "destination", Type: String, Required: true, Doc: "The bitmap that gets the result."},
			{Name: "operation", Type: String, Required: true, OneOf: []string{"AND", "OR", "XOR", "NOT"}, Doc: "AND, OR, XOR or NOT."},
			{Name: "source_keys", Type: StringList, Required: true, Doc: "The bitmaps: two or more that exist for AND and XOR, one for NOT."}},
		HTTP: HTTP{Command: "bitmap.bitop"}, Reply: Reply{Kind: ReplyInt, Field: "length", Doc: "The length of the result in bytes."}, Traits: write,
		Errors:  "NotFound if all sources are missing, InvalidArgument if too few or too many exist.",
		Example: `client.bitmap.bitop("both", "AND", ["monday", "tuesday"])`},
	{Name: "bitmap.bitfield", Summary: "Reads and writes whole numbers of a few bits, in one step.",
		Doc: "Each operation is an object: operation (GET, SET or INCRBY), offset (bits), width (1 to 63), signed (false if left out), value for SET, increment for INCRBY, and overflow for INCRBY (WRAP if left out, SAT or FAIL). " +
			"Fields count bits from the lowest of each byte, setbit from the highest (protocol: http-data quirk 15). Operations before one that fails stay applied.",
		Args: []Arg{argBitmap, {Name: "operations", Type: JSON, Required: true, Check: checkFields, Doc: "A list of operations."}},
		HTTP: HTTP{Command: "bitmap.bitfield"}, Reply: Reply{Kind: ReplyInts, Field: "results", Doc: "One number per operation: of SET the old value, of GET and INCRBY the new one."}, Traits: write,
		Errors:  "InvalidArgument for an overflow with FAIL.",
		Example: `client.bitmap.bitfield("hits", [{"operation": "INCRBY", "offset": 0, "width": 8, "increment": 1}])`},
	{Name: "bitmap.stats", Summary: "Returns counters of the bitmaps.",
		HTTP: HTTP{Command: "bitmap.stats"}, Reply: Reply{Kind: ReplyRecord, Record: recordBitmapStats}, Traits: read,
		Example: `client.bitmap.stats()`},
}}

// maxWidth leaves out fields of 64 bits: unsigned ones hold nothing but 0 for the
// server and signed ones read every negative number as -1 (protocol: http-data 8).
const maxWidth = 63

// checkFields refuses operations of a bitfield that the server takes for others: it
// reads an unknown overflow as WRAP and a member of a wrong type as absent.
func checkFields(v value.Value) string {
	if v.Kind() != value.KindArray {
		return mustBe("a list of operations", v)
	}
	for i := range v.Len() {
		if wrong := checkField(v.Index(i)); wrong != "" {
			return "element " + strconv.Itoa(i) + ": " + wrong
		}
	}
	return ""
}

func checkField(op value.Value) string {
	integer := func(name string, low, high int64) string {
		if n, ok := op.Field(name).AsInt(); !ok || n < low || n > high {
			return name + " must be an integer from " + strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10)
		}
		return ""
	}
	if op.Kind() != value.KindMap {
		return mustBe("an object", op)
	}
	operand := ""
	switch name, _ := op.Field("operation").AsStr(); name {
	case "GET":
	case "SET":
		operand = "value"
	case "INCRBY":
		operand = "increment"
	default:
		return "operation must be GET, SET or INCRBY"
	}
	if wrong := integer("offset", 0, maxOffset); wrong != "" {
		return wrong
	}
	if wrong := integer("width", 1, maxWidth); wrong != "" {
		return wrong
	}
	if _, ok := op.Field(operand).AsInt(); operand != "" && !ok {
		return operand + " must be an integer"
	}
	if s := op.Field("signed"); !s.IsNil() && s.Kind() != value.KindBool {
		return mustBe("a boolean in signed", s)
	}
	if o := op.Field("overflow"); !o.IsNil() {
		if s, _ := o.AsStr(); s != "WRAP" && s != "SAT" && s != "FAIL" {
			return "overflow must be WRAP, SAT or FAIL"
		}
	}
	return ""
}
