package sim

import (
	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/testserver/native"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/resp3"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// respPeer is the server's end of a RESP3 connection.
type respPeer struct {
	c       *conn
	s       *server
	buf     []byte
	scanner resp3.Scanner
}

func (p *respPeer) receive(b []byte) {
	p.buf = append(p.buf, b...)
	var out []byte
	for {
		n, err := p.scanner.ScanRequest(p.buf)
		if err != nil {
			p.c.a.w.violated("%s: what is sent is not RESP3", p.c.a)
			return
		}
		if n == 0 {
			break
		}
		request, err := resp3.ParseRequest(string(p.buf[:n]))
		if err != nil || len(request.Args) == 0 {
			p.c.a.w.violated("%s: what is sent is no RESP3 command", p.c.a)
			return
		}
		p.buf = p.buf[n:]
		out = p.run(out, text(request.Args[0]), request.Args[1:])
	}
	p.c.reply(out)
}

func (p *respPeer) run(out []byte, name string, args []value.Value) []byte {
	switch name {
	case "AUTH":
		return resp3.AppendSimple(out, "OK")
	case "HELLO":
		return resp3.AppendValue(out, value.Map(str("server"), str("synap"), str("proto"), value.Int(3)), true)
	}
	result, failed, _ := p.s.native.Run(native.RESP, nil, name, args)
	switch status, _ := result.Value.AsStr(); {
	case failed != "":
		return resp3.AppendError(out, "ERR "+failed)
	case result.Status:
		return resp3.AppendSimple(out, status)
	}
	return resp3.AppendValue(out, result.Value, result.Maps)
}

func (p *respPeer) gone() {}

// rpcPeer is the server's end of a SynapRPC connection.
type rpcPeer struct {
	c    *conn
	s    *server
	buf  []byte
	subs []*engine.Subscriber
}

func (p *rpcPeer) receive(b []byte) {
	w := p.c.a.w
	p.buf = append(p.buf, b...)
	var out []byte
	for {
		n, err := synaprpc.Size(p.buf, synaprpc.MaxBody)
		if err != nil {
			w.violated("%s: what is sent is not SynapRPC", p.c.a)
			return
		}
		if n == 0 || n > len(p.buf) {
			break
		}
		request, err := synaprpc.ParseRequest(string(p.buf[4:n]))
		if err != nil {
			w.violated("%s: what is sent is no SynapRPC request", p.c.a)
			return
		}
		p.buf = p.buf[n:]
		reply := p.run(&request)
		if p.c.r.IntN(8) == 0 {
			p.hold(reply)
		} else {
			out = append(out, reply...)
		}
	}
	p.c.reply(out)
}

// hold keeps a reply back: those that a server has to wait for come later than
// others (protocol: synaprpc 5).
func (p *rpcPeer) hold(reply []byte) {
	p.c.a.w.after(between(p.c.r, 0, 5*ms), func() { p.c.reply(reply) })
}

func (p *rpcPeer) run(r *synaprpc.Request) []byte {
	if r.Name == "AUTH" {
		return synaprpc.AppendReply(nil, r.ID, str("OK"))
	}
	result, failed, _ := p.s.native.Run(native.RPC, p, r.Name, r.Args)
	if failed != "" {
		return synaprpc.AppendFailure(nil, r.ID, failed)
	}
	return synaprpc.AppendReply(nil, r.ID, result.Value)
}

// Subscribe implements native.Session.
func (p *rpcPeer) Subscribe(topics []string, _ bool) (id, errText string) {
	w := p.c.a.w
	sub, errText := p.s.engine.Subscribe(w.now, topics, slowConsumer, engine.Detach, func() { w.after(0, p.pump) })
	if errText != "" {
		return "", errText
	}
	p.subs = append(p.subs, sub)
	return sub.ID(), ""
}

// pump sends what was published.
func (p *rpcPeer) pump() {
	if p.c.peer != peer(p) {
		return
	}
	var out []byte
	for _, m := range engine.TakeTogether(p.subs) {
		payload, err := value.AppendSortedJSON(nil, m.Payload)
		if err != nil {
			continue
		}
		out = synaprpc.AppendReply(out, synaprpc.PushID, value.Map(str("topic"), str(m.Topic), str("payload"), str(string(payload)),
			str("id"), str(m.ID), str("timestamp"), value.Int(m.Timestamp)))
	}
	p.c.reply(out)
}

// gone implements peer. The subscribers live on, without anybody to deliver to
// (protocol: synaprpc quirk 8).
func (p *rpcPeer) gone() {
	for _, sub := range p.subs {
		sub.Abandon()
	}
}
