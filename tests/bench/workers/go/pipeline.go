package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/resp3"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// pipeline does the operation on one connection of a native wire, in one goroutine
// and with nothing else: the requests are written beforehand, all that are due leave
// in one write, of the replies only what shows that they are right is looked at,
// nobody sets a deadline.
type pipeline struct {
	conn  net.Conn
	rpc   bool // SynapRPC, else RESP3
	slots []rawSlot
	order []int // RESP3: the slots whose requests are under way, oldest first
	out   []byte
	in    []byte
	first int // in[first:] was not looked at yet
}

// rawSlot is one of the operations under way.
type rawSlot struct {
	steps []rawStep
	step  int // the one under way
	began time.Time
}

// rawStep is one request of an operation.
type rawStep struct {
	request []byte
	holds   []byte // what the reply must hold
	message bool   // the reply names the message that the next request is about
}

// mostSlots is how many ids of SynapRPC are one byte.
const mostSlots = 128

func openPipeline(address, op string, inFlight int) (subject, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if inFlight > mostSlots {
		return nil, fmt.Errorf("INFLIGHT must be at most %d here", mostSlots)
	}
	p := &pipeline{rpc: u.Scheme == "synap", slots: make([]rawSlot, inFlight), in: make([]byte, 0, 64<<10)}
	if p.conn, err = net.Dial("tcp", u.Host); err != nil {
		return nil, err
	}
	if !p.rpc {
		if err := p.once("HELLO", "3"); err != nil {
			return nil, err
		}
	}
	if err := p.once("QCREATE", queue, "0", "30"); err != nil {
		return nil, err
	}
	for slot := range p.slots {
		key := fmt.Sprint("bench:", slot)
		if err := p.once("SET", key, text); err != nil {
			return nil, err
		}
		switch op {
		case "get":
			p.slots[slot].steps = []rawStep{{request: p.request(slot, "GET", key), holds: []byte(text)}}
		case "set":
			p.slots[slot].steps = []rawStep{{request: p.request(slot, "SET", key, text)}}
		case "queue":
			p.slots[slot].steps = []rawStep{
				{request: p.request(slot, "QPUBLISH", queue, text)},
				{request: p.request(slot, "QCONSUME", queue, key), holds: []byte(text), message: true},
				{request: p.request(slot, "QACK", queue, noMessage)},
			}
		default:
			return nil, fmt.Errorf("OP must be get, set or queue here, not %q", op)
		}
	}
	return p.measure, nil
}

// noMessage stands where the id of a message goes, a UUID.
var noMessage = strings.Repeat("?", 36)

func (p *pipeline) request(slot int, name string, args ...string) []byte {
	values := make([]value.Value, len(args))
	for i, a := range args {
		values[i] = value.Str(a)
	}
	if p.rpc {
		return synaprpc.AppendRequest(nil, uint32(slot), synaprpc.AppendBody(nil, name, values))
	}
	return resp3.AppendCommand(nil, name, values)
}

// once makes one request and waits for its reply.
func (p *pipeline) once(name string, args ...string) error {
	p.out = append(p.out, p.request(0, name, args...)...)
	reply, err := p.next()
	if err == nil && !p.fine(reply) {
		err = fmt.Errorf("%s was answered with %q", name, reply)
	}
	return err
}

// size returns how long the first reply is, 0 if it is not complete.
func (p *pipeline) size() int {
	b := p.in[p.first:]
	if !p.rpc {
		return respSize(b)
	}
	if len(b) >= 4 {
		if n := 4 + int(binary.LittleEndian.Uint32(b)); n <= len(b) {
			return n
		}
	}
	return 0
}

func respSize(b []byte) int {
	line := 1 + bytes.IndexByte(b, '\n')
	if line == 0 {
		return 0
	}
	n := 0
	for _, digit := range b[1:max(line-2, 1)] {
		n = 10*n + int(digit-'0')
	}
	switch b[0] {
	case '$':
		if line += n + 2; line > len(b) {
			return 0
		}
		return line
	case '%', '*':
		if b[0] == '%' {
			n *= 2
		}
		for range n {
			item := respSize(b[line:])
			if item == 0 {
				return 0
			}
			line += item
		}
	}
	return line
}

var rpcOK = []byte("\x81\xa2Ok")

func (p *pipeline) fine(reply []byte) bool {
	if p.rpc {
		return bytes.HasPrefix(reply[6:], rpcOK)
	}
	return reply[0] != '-'
}

// next returns the next reply. It writes what is due before it waits for more.
func (p *pipeline) next() ([]byte, error) {
	for {
		if n := p.size(); n > 0 {
			p.first += n
			return p.in[p.first-n : p.first], nil
		}
		if len(p.out) > 0 {
			if _, err := p.conn.Write(p.out); err != nil {
				return nil, err
			}
			p.out = p.out[:0]
		}
		p.in, p.first = append(p.in[:0], p.in[p.first:]...), 0
		n, err := p.conn.Read(p.in[len(p.in):cap(p.in)])
		if err != nil {
			return nil, err
		}
		p.in = p.in[:len(p.in)+n]
	}
}

// send has a slot's request written when next waits.
func (p *pipeline) send(slot int) {
	s := &p.slots[slot]
	p.out = append(p.out, s.steps[s.step].request...)
	if !p.rpc {
		p.order = append(p.order, slot)
	}
}

// answered returns the slot whose request a reply answers.
func (p *pipeline) answered(reply []byte) int {
	if p.rpc {
		return int(reply[5])
	}
	slot := p.order[0]
	p.order = append(p.order[:0], p.order[1:]...)
	return slot
}

func (p *pipeline) measure(length time.Duration) (m measurement, err error) {
	samples := make([]time.Duration, keepSamples)
	start := time.Now()
	end := start.Add(length)
	for slot := range p.slots {
		p.slots[slot].began = time.Now()
		p.send(slot)
	}
	for underWay := len(p.slots); underWay > 0; {
		reply, err := p.next()
		if err != nil {
			return m, err
		}
		slot := p.answered(reply)
		s := &p.slots[slot]
		if err := p.check(s, reply); err != nil {
			return m, err
		}
		if s.step++; s.step < len(s.steps) {
			p.send(slot)
			continue
		}
		now := time.Now()
		samples[m.count%keepSamples] = now.Sub(s.began)
		m.count++
		if s.step, s.began = 0, now; now.After(end) {
			underWay--
			continue
		}
		p.send(slot)
	}
	m.elapsed, m.latencies = time.Since(start), samples[:min(m.count, keepSamples)]
	return m, nil
}

// What the id of a message follows.
var (
	rpcMark  = []byte("\xa2id\x81\xa3Str\xd9\x24")
	respMark = []byte("$36\r\n")
)

// check looks at the reply to a slot's request, and completes the next one.
func (p *pipeline) check(s *rawSlot, reply []byte) error {
	step := &s.steps[s.step]
	if !p.fine(reply) || !bytes.Contains(reply, step.holds) {
		return fmt.Errorf("%q was answered with %q", step.request, reply)
	}
	if !step.message {
		return nil
	}
	mark := respMark
	if p.rpc {
		mark = rpcMark
	}
	_, id, found := bytes.Cut(reply, mark)
	if !found || len(id) < len(noMessage) {
		return fmt.Errorf("no id in %q", reply)
	}
	ack := s.steps[s.step+1].request // ends with it
	if !p.rpc {
		ack = bytes.TrimSuffix(ack, []byte("\r\n"))
	}
	copy(ack[len(ack)-len(noMessage):], id[:len(noMessage)])
	return nil
}
