package main

import (
	"bytes"
	"fmt"

	"github.com/valyala/fasthttp"
)

// openPlain makes the operation with fasthttp and nothing else: the bodies are
// written beforehand, of the replies only what the next request needs is looked
// for, nobody sets a deadline.
func openPlain(address, op string, inFlight int) (operation, error) {
	p := &plain{requests: make([]fasthttp.Request, inFlight), responses: make([]fasthttp.Response, inFlight)}
	p.client.MaxConnsPerHost = inFlight
	for i := range p.requests {
		r := &p.requests[i]
		r.SetRequestURI(address + "/api/v1/command")
		r.Header.SetMethod("POST")
		r.Header.SetContentType("application/json")
	}
	gets, sets := make([][]byte, inFlight), make([][]byte, inFlight)
	for i := range gets {
		gets[i] = fmt.Appendf(nil, `{"command":"kv.get","request_id":"1","payload":{"key":"bench:%d"}}`, i)
		sets[i] = fmt.Appendf(nil, `{"command":"kv.set","request_id":"1","payload":{"key":"bench:%d","value":"%s"}}`, i, text)
		if _, err := p.post(i, sets[i]); err != nil {
			return nil, err
		}
	}
	switch op {
	case "get":
		return func(slot int) error { _, err := p.post(slot, gets[slot]); return err }, nil
	case "set":
		return func(slot int) error { _, err := p.post(slot, sets[slot]); return err }, nil
	case "queue":
		publish := []byte(`{"command":"queue.publish","request_id":"1","payload":{"queue":"bench","payload":[`)
		for i := range len(text) {
			publish = fmt.Appendf(publish, "%d,", text[i])
		}
		publish = append(publish[:len(publish)-1], "]}}"...)
		consume := []byte(`{"command":"queue.consume","request_id":"1","payload":{"queue":"bench","consumer_id":"bench"}}`)
		ack := `{"command":"queue.ack","request_id":"1","payload":{"queue":"bench","message_id":"`
		_, err := p.post(0, []byte(`{"command":"queue.create","request_id":"1","payload":{"name":"bench"}}`))
		return func(slot int) error {
			if _, err := p.post(slot, publish); err != nil {
				return err
			}
			reply, err := p.post(slot, consume)
			if err != nil {
				return err
			}
			_, after, found := bytes.Cut(reply, []byte(`"id":"`))
			id, _, _ := bytes.Cut(after, []byte(`"`))
			if !found {
				return fmt.Errorf("queue.consume answered %q", reply)
			}
			body := append(append(append(make([]byte, 0, 128), ack...), id...), `"}}`...)
			_, err = p.post(slot, body)
			return err
		}, err
	}
	return nil, unknownOperation(op)
}

type plain struct {
	client    fasthttp.Client
	requests  []fasthttp.Request
	responses []fasthttp.Response
}

var success = []byte(`"success":true`)

// post sends a command and returns the reply, which is valid until the slot's
// next one.
func (p *plain) post(slot int, body []byte) ([]byte, error) {
	req, resp := &p.requests[slot], &p.responses[slot]
	req.SetBodyRaw(body)
	if err := p.client.Do(req, resp); err != nil {
		return nil, err
	}
	if reply := resp.Body(); bytes.Contains(reply, success) {
		return reply, nil
	}
	return nil, fmt.Errorf("the server answered %q", resp.Body())
}
