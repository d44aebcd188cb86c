package synaprpc

import (
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/value"
)

// AppendBody appends what follows the id in a request: name and arguments. It is
// the part that can be made before the id is known.
func AppendBody(dst []byte, name string, args []value.Value) []byte {
	dst = value.AppendMsgpackStr(dst, name)
	dst = value.AppendMsgpackArray(dst, len(args))
	for _, a := range args {
		dst = AppendValue(dst, a)
	}
	return dst
}

// AppendRequest appends the frame of a request with the body of AppendBody.
func AppendRequest(dst []byte, id uint32, body []byte) []byte {
	dst, start := open(dst)
	dst = append(dst, 0x93)
	dst = value.AppendMsgpack(dst, value.Int(int64(id)))
	return seal(append(dst, body...), start)
}

// AppendReply appends the frame of a reply. With id PushID it is a push.
func AppendReply(dst []byte, id uint32, v value.Value) []byte {
	dst, start := open(dst)
	dst = append(dst, 0x92)
	dst = value.AppendMsgpack(dst, value.Int(int64(id)))
	dst = append(dst, 0x81, 0xa2, 'O', 'k')
	return seal(AppendValue(dst, v), start)
}

// AppendFailure appends the frame of a reply that is an error.
func AppendFailure(dst []byte, id uint32, text string) []byte {
	dst, start := open(dst)
	dst = append(dst, 0x92)
	dst = value.AppendMsgpack(dst, value.Int(int64(id)))
	dst = append(dst, 0x81, 0xa3, 'E', 'r', 'r')
	return seal(value.AppendMsgpackStr(dst, text), start)
}

// Reply is a decoded reply or push.
type Reply struct {
	ID     uint32
	Value  value.Value
	Err    string // the server's text of a failure
	Failed bool
}

// ParseReply decodes the body of a frame from the server. The result shares the
// memory of body.
func ParseReply(body string) (Reply, error) {
	p := parser{s: body}
	var r Reply
	n, ok := p.array()
	if !ok || n != 2 {
		return r, ErrMessage
	}
	id, ok := p.uint32()
	if !ok {
		return r, ErrMessage
	}
	r.ID = id
	if n, ok = p.mapping(); !ok || n != 1 {
		return r, ErrMessage
	}
	tag, ok := p.text()
	if !ok {
		return r, ErrMessage
	}
	switch tag {
	case "Ok":
		var err error
		r.Value, err = p.value(0)
		return r, err
	case "Err":
		if r.Err, ok = p.text(); ok {
			r.Failed = true
			return r, nil
		}
	}
	return r, ErrMessage
}

// Request is a decoded request.
type Request struct {
	ID   uint32
	Name string
	Args []value.Value
}

// ParseRequest decodes the body of a frame from a client as leniently as the
// server does (protocol: synaprpc 2): an array of three, or a map by name or place.
func ParseRequest(body string) (Request, error) {
	p := parser{s: body}
	var r Request
	if n, ok := p.array(); ok {
		if n != 3 {
			return r, ErrMessage
		}
		for place := range 3 {
			if err := p.member(&r, place); err != nil {
				return r, err
			}
		}
		return r, nil
	}
	n, ok := p.mapping()
	if !ok {
		return r, ErrMessage
	}
	seen := [3]bool{}
	for range n {
		place := -1
		if name, ok := p.text(); ok {
			switch name {
			case "id":
				place = 0
			case "command":
				place = 1
			case "args":
				place = 2
			}
		} else if i, ok := p.uint32(); ok {
			place = int(min(i, 3))
		} else {
			return r, ErrMessage
		}
		if place < 0 || place > 2 {
			rest, err := skip(p.s)
			if err != nil {
				return r, ErrMessage
			}
			p.s = rest
			continue
		}
		if seen[place] {
			return r, ErrMessage
		}
		seen[place] = true
		if err := p.member(&r, place); err != nil {
			return r, err
		}
	}
	if seen != [3]bool{true, true, true} {
		return r, ErrMessage
	}
	return r, nil
}

func skip(s string) (rest string, err error) {
	_, rest, err = value.ParseMsgpack(s)
	return rest, err
}

// member reads the part of a request that has the place.
func (p *parser) member(r *Request, place int) error {
	ok := false
	switch place {
	case 0:
		r.ID, ok = p.uint32()
	case 1:
		if r.Name, ok = p.text(); !ok {
			r.Name, ok = p.bin()
			ok = ok && utf8.ValidString(r.Name)
		}
	case 2:
		n, isArray := p.array()
		if !isArray || n > len(p.s) {
			return ErrMessage
		}
		r.Args = make([]value.Value, 0, min(n, 1024))
		for range n {
			v, err := p.value(0)
			if err != nil {
				return err
			}
			r.Args = append(r.Args, v)
		}
		return nil
	}
	if !ok {
		return ErrMessage
	}
	return nil
}
