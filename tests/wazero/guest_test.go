package wazero

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/wasm/host"
)

// guest is a module written by hand, with the exports of the contract and
// whatever code a test gives them.
type guest struct {
	bodies map[string][]byte // code of an export, without its end; else it returns 0
	types  map[string]string // other types of exports; "" leaves one out
	data   string            // memory from address 64 on
	start  []byte            // code of _initialize
}

// guestExports are the exports of the contract and their types: i is i32, f is f64.
var guestExports = [][2]string{{"synap_abi", ":i"}, {"synap_alloc", "i:i"}, {"synap_result", ":i"}, {"synap_open", "fii:i"}, {"synap_close", "fi:"},
	{"synap_submit", "fiifii:"}, {"synap_cancel", "fii:"}, {"synap_http_response", "fiiiii:"}, {"synap_http_failed", "fiiiii:"},
	{"synap_stream_data", "fiiii:"}, {"synap_stream_closed", "fiiiii:"},
	{"synap_socket_opened", "fii:"}, {"synap_socket_data", "fiiii:"}, {"synap_socket_closed", "fiiii:"}, {"synap_tick", "f:"}}

// guestImports come first in the numbering of functions.
var guestImports = [][2]string{{"completed", "iii:"}, {"http_request", "iiii:"}, {"log", "iii:"}, {"wake_at", "f:"}}

// Code of the guests.
func i32(n int) []byte {
	b := []byte{0x41}
	for v := n; ; v >>= 7 {
		if (v>>6 == 0) || (v>>6 == -1) {
			return append(b, byte(v&0x7f))
		}
		b = append(b, byte(v&0x7f|0x80))
	}
}

func code(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func imported(n byte) []byte { return []byte{0x10, n} }

var trap = []byte{0x00}

// forever repeats code without end.
func forever(body ...[]byte) []byte {
	return code([]byte{0x03, 0x40}, code(body...), []byte{0x0c, 0, 0x0b})
}

func vec(items [][]byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(items))), code(items...)...)
}

func name(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }

func section(id byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{id}, uint64(len(body))), body...)
}

func typeOf(s string) []byte {
	params, results, _ := strings.Cut(s, ":")
	kinds := func(s string) []byte {
		var b []byte
		for _, c := range s {
			b = append(b, map[rune]byte{'i': 0x7f, 'f': 0x7c}[c])
		}
		return append(binary.AppendUvarint(nil, uint64(len(s))), b...)
	}
	return append(append([]byte{0x60}, kinds(params)...), kinds(results)...)
}

func (g guest) bytes() []byte {
	var types, imports, functions, exports, bodies [][]byte
	for i, im := range guestImports {
		types = append(types, typeOf(im[1]))
		imports = append(imports, code(name("synap_host"), name(im[0]), []byte{0, byte(i)}))
	}
	add := func(export, typ string, body []byte) {
		n := byte(len(types))
		types = append(types, typeOf(typ))
		functions = append(functions, []byte{n})
		exports = append(exports, code(name(export), []byte{0, n}))
		body = code([]byte{0}, body, []byte{0x0b})
		bodies = append(bodies, append(binary.AppendUvarint(nil, uint64(len(body))), body...))
	}
	add("_initialize", ":", g.start)
	for _, e := range guestExports {
		typ := e[1]
		if other, ok := g.types[e[0]]; ok {
			if typ = other; typ == "" {
				continue
			}
		}
		body, ok := g.bodies[e[0]]
		if !ok && strings.HasSuffix(typ, ":i") {
			body = i32(map[string]int{"synap_abi": 1, "synap_alloc": 1024, "synap_open": 1}[e[0]])
		}
		add(e[0], typ, body)
	}
	exports = append(exports, code(name("memory"), []byte{2, 0}))
	data := code([]byte{0}, i32(64), []byte{0x0b}, name(g.data))
	return code([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, vec(types)), section(2, vec(imports)), section(3, vec(functions)), section(5, []byte{1, 0, 1}),
		section(7, vec(exports)), section(10, vec(bodies)), section(11, vec([][]byte{data})))
}

const patience = 300 * time.Millisecond

func TestModulesThatAreNone(t *testing.T) {
	for what, test := range map[string]struct {
		module []byte
		code   errs.Code
		says   string
	}{
		"text":          {[]byte("hello"), errs.InvalidArgument, "not synap.wasm"},
		"half a module": {module[:len(module)/2], errs.InvalidArgument, "not synap.wasm"},
		"empty module":  {[]byte("\x00asm\x01\x00\x00\x00"), errs.InvalidArgument, "synap_abi"},
		"no cancel":     {guest{types: map[string]string{"synap_cancel": ""}}.bytes(), errs.InvalidArgument, "synap_cancel"},
		"other type":    {guest{types: map[string]string{"synap_tick": "i:"}}.bytes(), errs.InvalidArgument, "synap_tick"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := host.New(context.Background(), host.Options{Module: test.module})
			contains(t, "error", failure(t, err, test.code).Message, test.says)
		})
	}
	_, err := host.New(context.Background(), host.Options{Path: "/no/such/file"})
	failure(t, err, errs.InvalidArgument)
}

func TestModulesThatDoNotStart(t *testing.T) {
	for what, test := range map[string]struct {
		guest guest
		code  errs.Code
		says  string
	}{
		"another version":   {guest{bodies: map[string][]byte{"synap_abi": i32(2)}}, errs.Unsupported, "version 2"},
		"trap at the start": {guest{start: trap}, errs.Panic, "unreachable"},
		"loop at the start": {guest{start: forever()}, errs.Timeout, "in time"},
		"trap in abi":       {guest{bodies: map[string][]byte{"synap_abi": trap}}, errs.Panic, "unreachable"},
		"imports at once":   {guest{start: code(i32(9), i32(-1), i32(-1), imported(0), trap)}, errs.Panic, "unreachable"},
		"trap in open":      {guest{bodies: map[string][]byte{"synap_open": trap}}, errs.Panic, "unreachable"},
		"no room":           {guest{bodies: map[string][]byte{"synap_alloc": i32(0)}}, errs.Panic, "room"},
		"room outside":      {guest{bodies: map[string][]byte{"synap_alloc": i32(65530)}}, errs.Panic, "outside its memory"},
		"error outside":     {guest{bodies: map[string][]byte{"synap_open": i32(-100), "synap_result": i32(65530)}}, errs.Panic, "outside its memory"},
		"error is none":     {guest{data: "\xc0", bodies: map[string][]byte{"synap_open": i32(-1), "synap_result": i32(64)}}, errs.Panic, "not a message"},
		"error is nonsense": {guest{data: "\xc1", bodies: map[string][]byte{"synap_open": i32(-1), "synap_result": i32(64)}}, errs.Panic, "not a message"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, host.Options{Module: test.guest.bytes(), Patience: patience})
			for range 2 {
				_, err := h.Open(within(t, 10*time.Second), "memory://")
				contains(t, "error", failure(t, err, test.code).Message, test.says)
			}
		})
	}
}

// Guests that go wrong in a call: the call fails, the client is unusable, and the
// host opens another.
func TestModulesThatGoWrong(t *testing.T) {
	request := "\x96\xa1G\xa1u\xa0\xc4\x00\x01\x00" // [method, url, authorization, body, timeout, lane]
	for what, test := range map[string]struct {
		submit []byte
		data   string
		says   string
	}{
		"trap":                    {trap, "", "unreachable"},
		"division by zero":        {code(i32(1), i32(0), []byte{0x6d, 0x1a}), "", "divide by zero"},
		"loop":                    {forever(), "", "longer than"},
		"load outside":            {code(i32(-1), []byte{0x28, 2, 0, 0x1a}), "", "out of bounds"},
		"recursion":               {code([]byte{0x44, 0, 0, 0, 0, 0, 0, 0, 0}, i32(0), i32(0), []byte{0x44, 0, 0, 0, 0, 0, 0, 0, 0}, i32(0), i32(0), imported(10)), "", "unusable"},
		"completion outside":      {code(i32(1), i32(-1), i32(100), imported(0)), "", "outside its memory"},
		"completion is nonsense":  {code(i32(1), i32(64), i32(1), imported(0)), "\xc1", "not a message"},
		"completion is no list":   {code(i32(1), i32(64), i32(1), imported(0)), "\xc0", "not a message"},
		"completion without tag":  {code(i32(1), i32(64), i32(3), imported(0)), "\x91\x91\x01", "not a message"},
		"completion's error":      {code(i32(1), i32(64), i32(5), imported(0)), "\x91\x93\x01\xc0\xc0", "not a message"},
		"completions for ever":    {forever(i32(1), i32(64), i32(1), imported(0)), "\x90", "more in one call"},
		"request is nonsense":     {code(i32(1), i32(1), i32(64), i32(1), imported(1)), "\x90", "not a message"},
		"requests for ever":       {forever(i32(1), i32(1), i32(64), i32(len(request)), imported(1)), request, "more in one call"},
		"messages for ever":       {forever(i32(1), i32(64), i32(1), imported(2)), "x", "more in one call"},
		"message outside":         {code(i32(1), i32(65535), i32(100), imported(2)), "", "outside its memory"},
		"wakes at no time at all": {code([]byte{0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, imported(3)), "", "not a message"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := guest{data: test.data, bodies: map[string][]byte{"synap_submit": test.submit}}
			h := newHost(t, host.Options{Module: g.bytes(), Patience: patience, MaxMemory: 1 << 20, PoolSize: 1})
			for range 2 { // the host lives on
				c := open(t, h, "memory://")
				_, err := c.Call(within(t, 10*time.Second), "kv.get", str("k"))
				e := failure(t, err, errs.Panic)
				contains(t, "error", e.Message, test.says)
				if !e.MaybeApplied || e.Transport != "memory" {
					t.Errorf("%+v", e)
				}
				_, err = c.Call(within(t, 10*time.Second), "kv.get", str("k"))
				failure(t, err, errs.Panic)
				failure(t, c.Close(), errs.Panic)
			}
		})
	}
}

// A trap takes along the clients of its instance, not those of others.
func TestTrapStaysInItsInstance(t *testing.T) {
	// The frame's third byte is the first of the command's name: k ends well, x traps.
	submit := code([]byte{0x20, 4, 0x2d, 0, 3}, i32('x'), []byte{0x46, 0x04, 0x40}, trap, []byte{0x0b}, // if frame[3] == 'x'
		i32(66), []byte{0x20, 2, 0x3a, 0, 0}, // the tag into the completion
		[]byte{0x20, 1}, i32(64), i32(4), imported(0))
	// Handles count up in the word at address 0.
	opens := code(i32(0), i32(0), []byte{0x28, 2, 0}, i32(1), []byte{0x6a, 0x36, 2, 0}, i32(0), []byte{0x28, 2, 0})
	g := guest{data: "\x91\x92\x00\x07", bodies: map[string][]byte{"synap_submit": submit, "synap_open": opens}}
	h := newHost(t, host.Options{Module: g.bytes(), PoolSize: 2})
	a, b, c := open(t, h, "memory://"), open(t, h, "memory://"), open(t, h, "memory://")
	for _, client := range []*host.Client{a, b, c} {
		equal(t, "reply", call(t, client, "k"), "7")
	}
	_, err := a.Call(within(t, time.Second), "x")
	failure(t, err, errs.Panic)
	alive := 0
	for _, client := range []*host.Client{a, b, c} {
		if _, err := client.Call(within(t, time.Second), "k"); err == nil {
			alive++
		}
	}
	if alive != 1 {
		t.Errorf("%d clients live; two instances had three", alive)
	}
	equal(t, "a new client", call(t, open(t, h, "memory://"), "k"), "7")
}

// A handle that two clients share would give each the other's replies.
func TestModuleGivesHandleTwice(t *testing.T) {
	h := newHost(t, host.Options{Module: guest{}.bytes(), PoolSize: 1})
	open(t, h, "memory://")
	_, err := h.Open(within(t, time.Second), "memory://")
	failure(t, err, errs.Panic)
}

// A guest that never completes a request: the context ends the wait.
func TestModuleThatNeverAnswers(t *testing.T) {
	h := newHost(t, host.Options{Module: guest{}.bytes()})
	c := open(t, h, "memory://")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Call(ctx, "kv.get", str("k"))
	failure(t, err, errs.Timeout)
	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = c.Call(ctx, "kv.get", str("k"))
	failure(t, err, errs.Canceled)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// The real module under a memory limit that its engine exceeds.
func TestModuleRunsOutOfMemory(t *testing.T) {
	var said atomic.Int64
	h := newHost(t, host.Options{Module: module, CompilationCache: cacheDir, MaxMemory: 32 << 20, Log: func(int, string) { said.Add(1) }})
	c := open(t, h, "memory://")
	ctx := within(t, 20*time.Second)
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		_, err = c.Call(ctx, "kv.set", str(fmt.Sprint(i)), value.BytesOf(strings.Repeat("x", 1<<20)))
	}
	failure(t, err, errs.Panic)
	if said.Load() == 0 {
		t.Error("the log says nothing")
	}
	call(t, open(t, h, "memory://"), "kv.set", str("k"), str("v"))
}
