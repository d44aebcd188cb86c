package wazero

import (
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

func TestPluginOverSockets(t *testing.T) {
	p := newPlugin(t)
	address := value.Array(str("synap://me:pw@[::1]:7"), value.Nil, value.Nil, value.Bool(true))
	c := p.call("synap_open", p.now, string(value.AppendMsgpack(nil, address)))
	if c <= 0 {
		t.Fatalf("handle %d", c)
	}
	p.submit(c, 1, value.Int(0), str("kv.incr"), value.Array(str("n")))
	p.submit(c, 2, value.Int(0), str("kv.get"), value.Array(str("n")))
	if len(p.sockets) != 1 || len(p.written) != 0 {
		t.Fatalf("%d sockets, %d writes", len(p.sockets), len(p.written))
	}
	s := p.sockets[0]
	equal(t, "socket", value.Array(s.Items()[1:]...), `["::1",7,false,3000]`)
	id, _ := s.Index(0).AsInt()
	p.call("synap_socket_opened", p.now, c, int32(id))
	if len(p.written) != 1 || !strings.Contains(p.written[0], "AUTH") {
		t.Fatalf("%q", p.written)
	}
	p.call("synap_socket_data", p.now, c, int32(id), string(synaprpc.AppendReply(nil, 0, str("OK"))))
	if len(p.written) != 2 {
		t.Fatalf("%q", p.written)
	}
	replies := string(synaprpc.AppendReply(synaprpc.AppendReply(nil, 2, value.BytesOf("5")), 1, value.Int(5)))
	p.call("synap_socket_data", p.now, c, int32(id), replies[:7])
	p.call("synap_socket_data", p.now, c, int32(id), replies[7:])
	for tag, want := range map[int64]string{1: "5", 2: `"5"`} {
		v, code := p.reply(tag)
		if code != 0 {
			t.Errorf("frame %d: %v", tag, code)
		}
		equal(t, "reply", v, want)
	}
	p.submit(c, 3, value.Int(0), str("kv.incr"), value.Array(str("n")))
	p.call("synap_socket_closed", p.now, c, int32(id), "the cable is cut")
	if _, code := p.reply(3); code != errs.Connection {
		t.Errorf("%v", code)
	}
	p.call("synap_close", p.now, c)
}

// A host that does not say that it has sockets has none.
func TestPluginWithoutSockets(t *testing.T) {
	p := newPlugin(t)
	for _, address := range []string{"synap://h", "resp3s://h"} {
		n := p.open(address)
		if n >= 0 {
			t.Fatalf("%s: handle %d", address, n)
		}
		at := p.call("synap_result")
		e := p.read(p.mod, uint32(at), uint32(-n))
		code, _ := e.Index(0).AsInt()
		message, _ := e.Index(3).AsStr()
		if errs.Code(code) != errs.Unsupported || !strings.Contains(message, "needs TCP, which a browser does not have; use http://") {
			t.Errorf("%s: %s", address, text(e))
		}
	}
}
