package engine_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/engine"
)

func TestBitmapVectors(t *testing.T) { replay(t, "http-bitmap", nil) }

func TestBitmapEdges(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		// Only the low byte of a value counts. A refused bit leaves a bitmap behind.
		{"bitmap.setbit", `{"key":"b","offset":0,"value":258}`, `Invalid value: Bit value must be 0 or 1`},
		{"bitmap.bitcount", `{"key":"b"}`, `{"count":0,"key":"b"}`},
		{"bitmap.bitpos", `{"key":"b","value":0}`, `{"key":"b","position":null}`},
		{"bitmap.setbit", `{"key":"b","offset":8,"value":257}`, `{"key":"b","offset":8,"old_value":0}`},
		{"bitmap.getbit", `{"key":"b","offset":18446744073709551615}`, `{"key":"b","offset":18446744073709551615,"value":0}`},
		{"bitmap.bitcount", `{"key":"b","start":8,"end":8}`, `{"count":1,"key":"b"}`},
		{"bitmap.bitcount", `{"key":"b","end":18446744073709551615}`, `{"count":1,"key":"b"}`},
		// Bits past the data are 0 up to the end that was given, if one was.
		{"bitmap.bitop", `{"destination":"n","operation":"Not","source_keys":["b","none"]}`, `{"destination":"n","length":2}`},
		{"bitmap.bitpos", `{"key":"n","value":0}`, `{"key":"n","position":8}`},
		{"bitmap.bitpos", `{"key":"n","value":0,"start":9}`, `{"key":"n","position":null}`},
		{"bitmap.bitpos", `{"key":"n","value":0,"start":9,"end":15}`, `{"key":"n","position":null}`},
		{"bitmap.bitpos", `{"key":"n","value":0,"start":9,"end":1000000000000000}`, `{"key":"n","position":16}`},
		{"bitmap.bitpos", `{"key":"n","value":1,"start":16,"end":1000000000000000}`, `{"key":"n","position":null}`},
		{"bitmap.bitpos", `{"key":"n","value":0,"start":50,"end":60}`, `{"key":"n","position":50}`},
		// What is not there is skipped, and what is left is counted.
		{"bitmap.bitop", `{"destination":"d","operation":"XOR","source_keys":["b","none"]}`, `Invalid request: XOR operation requires at least 2 source keys`},
		{"bitmap.bitop", `{"destination":"d","operation":"AND","source_keys":["none","no"]}`, `Not found`},
		{"bitmap.setbit", `{"key":"s","offset":0,"value":1}`, `{"key":"s","offset":0,"old_value":0}`},
		{"bitmap.bitop", `{"destination":"d","operation":"AND","source_keys":["n","s"]}`, `{"destination":"d","length":2}`},
		{"bitmap.bitcount", `{"key":"d"}`, `{"count":1,"key":"d"}`},
		{"bitmap.bitop", `{"destination":"s","operation":"OR","source_keys":["s","n","s"]}`, `{"destination":"s","length":2}`},
		{"bitmap.bitcount", `{"key":"s"}`, `{"count":15,"key":"s"}`},
		{"key.type", `{"key":"s"}`, `{"key":"s","type":"none"}`},
	})
}

// TestBitfieldEdges: the arithmetic of http-data 8.
func TestBitfieldEdges(t *testing.T) {
	run := func(ops string) string { return `{"key":"f","operations":[` + ops + `]}` }
	op := func(kind, offset, width, rest string) string {
		return `{"operation":"` + kind + `","offset":` + offset + `,"width":` + width + rest + `}`
	}
	newWorld().steps(t, engine.Envelope, []step{
		// Wrapping goes one period at most; what is stored is the low bits.
		{"bitmap.bitfield", run(op("SET", "0", "8", `,"value":255`)), `{"key":"f","results":[0]}`},
		{"bitmap.bitfield", run(op("INCRBY", "0", "8", `,"increment":1000`) + "," + op("GET", "0", "8", "")), `{"key":"f","results":[999,231]}`},
		{"bitmap.bitfield", run(op("INCRBY", "0", "8", `,"increment":-232,"overflow":"wrap"`)), `{"key":"f","results":[255]}`},
		{"bitmap.bitfield", run(op("INCRBY", "0", "8", `,"increment":-300,"overflow":"sat"`)), `{"key":"f","results":[0]}`},
		{"bitmap.bitfield", run(op("INCRBY", "0", "8", `,"increment":127,"signed":true`) + "," + op("INCRBY", "0", "8", `,"increment":1,"signed":true`)), `{"key":"f","results":[127,-128]}`},
		{"bitmap.bitfield", run(op("INCRBY", "0", "8", `,"increment":-1,"signed":true,"overflow":"FAIL"`)), `Invalid value: Overflow: value -129 would exceed range [-128, 127]`},
		// A field that is not all in the data reads as 0, and is found when written.
		{"bitmap.bitfield", run(op("GET", "4", "8", "")), `{"key":"f","results":[0]}`},
		{"bitmap.bitfield", run(op("SET", "5", "6", `,"value":63`) + "," + op("GET", "0", "16", "")), `{"key":"f","results":[0,2016]}`},
		// What came before an error stays; a bad word is found before anything is run.
		{"bitmap.bitfield", run(op("SET", "0", "16", `,"value":1`) + "," + op("GET", "0", "0", "")), `Invalid value: Bit width must be between 1 and 64`},
		{"bitmap.bitfield", run(op("SET", "0", "16", `,"value":2`) + "," + op("ZAP", "0", "8", "")), `Invalid request: Invalid operation: ZAP`},
		{"bitmap.bitfield", run(op("GET", "0", "16", "")), `{"key":"f","results":[1]}`},
		// 64 bits: unsigned ones end at 0, signed ones below 0 read as -1.
		{"bitmap.bitfield", run(op("INCRBY", "64", "64", `,"increment":5`)), `{"key":"f","results":[4]}`},
		{"bitmap.bitfield", run(op("INCRBY", "64", "64", `,"increment":5,"overflow":"SAT"`)), `{"key":"f","results":[0]}`},
		{"bitmap.bitfield", run(op("INCRBY", "64", "64", `,"increment":5,"overflow":"FAIL"`)), `Invalid value: Overflow: value 5 would exceed range [0, 0]`},
		{"bitmap.bitfield", run(op("SET", "64", "64", `,"value":-7`) + "," + op("GET", "64", "64", "") + "," + op("GET", "64", "64", `,"signed":true`)), `{"key":"f","results":[0,-7,-1]}`},
		{"bitmap.bitfield", run(op("SET", "64", "63", `,"value":-1`) + "," + op("GET", "64", "63", "") + "," + op("GET", "64", "63", `,"signed":true`)), `{"key":"f","results":[9223372036854775801,9223372036854775807,-1]}`},
		{"bitmap.bitfield", run(`5`), `Invalid request: Missing 'operation' field`},
	})
}

// TestBitmapFarOffsets: what makes the server allocate up to there is an error
// (protocol: http-data 14); what only looks there is answered.
func TestBitmapFarOffsets(t *testing.T) {
	w := newWorld()
	for _, offset := range []string{"536870913", "9223372036854775808", "18446744073709551615"} {
		for name, payload := range map[string]string{
			"bitmap.setbit":   `{"key":"b","offset":` + offset + `,"value":1}`,
			"bitmap.bitfield": `{"key":"b","operations":[{"operation":"INCRBY","offset":` + offset + `,"width":8,"increment":1}]}`,
		} {
			if _, errText := w.run(engine.Envelope, name, payload); !strings.HasPrefix(errText, "Invalid value: ") {
				t.Errorf("%s at %s: %q", name, offset, errText)
			}
		}
		w.steps(t, engine.Envelope, []step{
			{"bitmap.bitfield", `{"key":"b","operations":[{"operation":"GET","offset":` + offset + `,"width":64}]}`, `{"key":"b","results":[0]}`},
		})
	}
}

func TestBitmapStats(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "bitmap.setbit", `{"key":"b","offset":20,"value":1}`)
	w.run(engine.Envelope, "bitmap.setbit", `{"key":"empty","offset":20,"value":2}`)
	w.must(t, engine.Envelope, "bitmap.bitpos", `{"key":"b","value":1}`)
	w.run(engine.Envelope, "bitmap.getbit", `{"key":"none","offset":1}`)
	w.must(t, engine.Envelope, "bitmap.bitop", `{"destination":"d","operation":"OR","source_keys":["b"]}`)
	const want = `{"bitcount_count":0,"bitfield_count":0,"bitop_count":1,"bitpos_count":1,"getbit_count":0,"setbit_count":1,"total_bitmaps":3,"total_bits":48}`
	if got := w.must(t, engine.Envelope, "bitmap.stats", `{}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestBitmapAgainstSlice drives a bitmap beside a slice of bits.
func TestBitmapAgainstSlice(t *testing.T) {
	w := newWorld()
	rng := rand.New(rand.NewPCG(1, 2))
	var model []int
	for range 2000 {
		at, bit := rng.IntN(90), rng.IntN(2)
		w.must(t, engine.Envelope, "bitmap.setbit", `{"key":"b","offset":`+strconv.Itoa(at)+`,"value":`+strconv.Itoa(bit)+`}`)
		for len(model) < at/8*8+8 {
			model = append(model, 0)
		}
		model[at] = bit
		start, end, bit := rng.IntN(100), rng.IntN(100), rng.IntN(2)
		count, position := 0, "null"
		for k := start; k <= end; k++ {
			inside := k < len(model)
			if inside && model[k] == 1 {
				count++
			}
			if (inside && model[k] == bit || !inside && bit == 0) && position == "null" {
				position = strconv.Itoa(k)
			}
		}
		bounds := `,"start":` + strconv.Itoa(start) + `,"end":` + strconv.Itoa(end) + `}`
		w.steps(t, engine.Envelope, []step{
			{"bitmap.bitcount", `{"key":"b"` + bounds, `{"count":` + strconv.Itoa(count) + `,"key":"b"}`},
			{"bitmap.bitpos", `{"key":"b","value":` + strconv.Itoa(bit) + bounds, `{"key":"b","position":` + position + `}`},
		})
	}
}
