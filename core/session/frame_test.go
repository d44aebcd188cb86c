package session

import (
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func frame(items ...value.Value) string {
	return string(value.AppendMsgpack(nil, value.Array(items...)))
}

func TestFramesOfEveryOperation(t *testing.T) {
	i := value.Int
	f, err := ParseFrame(frame(i(0), str("kv.get"), value.Array(str("k"))))
	if err != nil || f.Op != OpTyped || f.Name != "kv.get" || len(f.Args) != 1 || !value.Equal(f.Args[0], str("k")) {
		t.Errorf("%+v %v", f, err)
	}
	f, err = ParseFrame(frame(i(1), str("kv.get"), value.Map(str("key"), str("k"))))
	if err != nil || f.Op != OpRaw || !value.Equal(f.Payload, value.Map(str("key"), str("k"))) {
		t.Errorf("%+v %v", f, err)
	}
	if f, err = ParseFrame(frame(i(1), str("kv.keys"), value.Nil)); err != nil || !f.Payload.IsNil() {
		t.Errorf("%+v %v", f, err)
	}
	f, err = ParseFrame(frame(i(2), value.Array(value.Array(i(0), str("kv.incr"), value.Array(str("k"))), value.Array(i(1), str("x.y"), value.Nil))))
	if err != nil || f.Op != OpBatch || len(f.Batch) != 2 || f.Batch[0].Name != "kv.incr" || f.Batch[1].Op != OpRaw {
		t.Errorf("%+v %v", f, err)
	}
	if f, err = ParseFrame(frame(i(2), value.Array())); err != nil || len(f.Batch) != 0 {
		t.Errorf("%+v %v", f, err)
	}
	f, err = ParseFrame(frame(i(3), str("kv.watch"), value.Array(strs("k"))))
	if err != nil || f.Op != OpSubscribe || f.Name != "kv.watch" {
		t.Errorf("%+v %v", f, err)
	}
	f, err = ParseFrame(frame(i(4), i(7), i(1_000_000)))
	if err != nil || f.Op != OpNext || f.ID != 7 || f.Max != 4096 {
		t.Errorf("%+v %v", f, err)
	}
	if f, err = ParseFrame(frame(i(5), i(7))); err != nil || f.Op != OpUnsubscribe || f.ID != 7 {
		t.Errorf("%+v %v", f, err)
	}
}

func TestMalformedFramesAreRefused(t *testing.T) {
	i := value.Int
	call := value.Array(i(0), str("kv.get"), value.Array())
	for name, s := range map[string]string{
		"nothing":                   "",
		"no array":                  string(value.AppendMsgpack(nil, str("kv.get"))),
		"an empty array":            frame(),
		"a name first":              frame(str("kv.get"), value.Array()),
		"an unknown operation":      frame(i(6), i(1)),
		"a negative operation":      frame(i(-1), i(1)),
		"a call without arguments":  frame(i(0), str("kv.get")),
		"a call of four parts":      frame(i(0), str("kv.get"), value.Array(), value.Nil),
		"arguments as a map":        frame(i(0), str("kv.get"), value.Map()),
		"a name as bytes":           frame(i(0), value.BytesOf("kv.get"), value.Array()),
		"a raw one without payload": frame(i(1), str("kv.get")),
		"a batch of nothing":        frame(i(2)),
		"a batch of texts":          frame(i(2), strs("kv.get")),
		"a batch in a batch":        frame(i(2), value.Array(value.Array(i(2), value.Array(call)))),
		"a subscription in a batch": frame(i(2), value.Array(value.Array(i(3), str("kv.watch"), value.Array()))),
		"one bad call of two":       frame(i(2), value.Array(call, value.Array(i(0)))),
		"next of nothing":           frame(i(4), i(1)),
		"next of no items":          frame(i(4), i(1), i(0)),
		"next by name":              frame(i(4), str("1"), i(1)),
		"unsubscribe by name":       frame(i(5), str("1")),
		"unsubscribe of two":        frame(i(5), i(1), i(2)),
		"more than one":             frame(i(5), i(1)) + frame(i(5), i(1)),
		"cut off":                   frame(i(0), str("kv.get"), value.Array())[:4],
		"too deep":                  "\x93\x00\xa6kv.get" + strings.Repeat("\x91", 200),
	} {
		if f, err := ParseFrame(s); err == nil || err.Code != errs.InvalidArgument || !strings.HasPrefix(err.Message, "malformed request frame: ") {
			t.Errorf("%s: %+v %v", name, f, err)
		}
	}
	big := value.AppendMsgpackArray([]byte{0x92, 0x02}, maxBatch+1)
	one := value.AppendMsgpack(nil, call)
	for range maxBatch + 1 {
		big = append(big, one...)
	}
	if _, err := ParseFrame(string(big)); err == nil || !strings.Contains(err.Message, "100,000") {
		t.Errorf("%v", err)
	}
}

func TestErrorsCrossAsArrays(t *testing.T) {
	e := &errs.Error{Code: errs.Connection, Status: 502, Message: "m", Command: "kv.incr", Transport: "http", MaybeApplied: true}
	want := value.Array(value.Int(4), value.Int(502), value.Int(2), str("m"), str("kv.incr"), str("http"))
	if !value.Equal(ErrorValue(e), want) || !value.Equal(Outcome(str("x"), e), value.Array(value.Nil, want)) {
		t.Error("not [code, status, flags, message, command, transport]")
	}
	e.MaybeApplied, e.Retryable = false, true
	if flags := ErrorValue(e).Index(2); !value.Equal(flags, value.Int(1)) {
		t.Error("retryable is not flag 1")
	}
	if !value.Equal(Outcome(str("x"), nil), value.Array(str("x"))) || !value.Equal(Outcome(value.Nil, nil), value.Array(value.Nil)) {
		t.Error("a reply is not [reply]")
	}
}

func FuzzParseFrame(f *testing.F) {
	for _, s := range []string{
		frame(value.Int(0), str("kv.get"), value.Array(str("k"))), frame(value.Int(2), value.Array(value.Array(value.Int(1), str("x"), value.Nil))),
		frame(value.Int(4), value.Int(1), value.Int(5)), frame(value.Int(5), value.Int(1)), "\x92\x02\xdd\xff\xff\xff\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := ParseFrame(string(in))
		if err != nil {
			return
		}
		for _, one := range append([]Frame{got}, got.Batch...) {
			if one.Op < OpTyped || one.Op > OpUnsubscribe || (one.Op == OpNext && (one.Max < 1 || one.Max > 4096)) {
				t.Fatalf("% x is %+v", in, one)
			}
		}
	})
}
