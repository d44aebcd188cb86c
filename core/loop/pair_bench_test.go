package loop

import (
	"bytes"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// nowhere is a host that keeps the last request and does nothing.
type nowhere struct {
	Host
	id   int32
	body []byte
}

func (n *nowhere) HTTPRequest(id int32, r *Request) { n.id, n.body = id, append(n.body[:0], r.Body...) }
func (n *nowhere) HasSockets() bool                 { return true }
func (n *nowhere) Due()                             {}

// BenchmarkPair is what one call over HTTP costs without its host: a frame in, a
// request out, a response in, a completion out.
func BenchmarkPair(b *testing.B) {
	h := &nowhere{}
	c, err := Open(1, "http://h", value.Nil, nil, h, func() uint64 { return 1 }, nil)
	if err != nil {
		b.Fatal(err)
	}
	frame := string(value.AppendMsgpack(nil, value.Array(value.Int(0), value.Str("kv.get"), value.Array(value.Str("key:1")))))
	var body []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Submit(1, 1, frame, 0)
		at := bytes.Index(h.body, []byte(`"request_id":"`)) + 14
		end := at + bytes.IndexByte(h.body[at:], '"')
		body = append(append(append(body[:0], `{"success":true,"request_id":"`...), h.body[at:end]...), `","payload":"vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"}`...)
		c.HTTPResponse(1, h.id, 200, string(body))
		if len(c.Completions()) != 1 {
			b.Fatal("no completion")
		}
	}
}
