package testserver

import (
	"bufio"
	"io"
	"net"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// The work of one request, without sockets.
func BenchmarkEnvelope(b *testing.B) {
	for _, bench := range []struct{ name, body string }{
		{"set", `{"command":"kv.set","request_id":"123456","payload":{"key":"user:1000","value":"some value of forty bytes, more or less"}}`},
		{"get", `{"command":"kv.get","request_id":"123456","payload":{"key":"user:1000"}}`},
		{"unknown", `{"command":"no.such","request_id":"123456","payload":{}}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := start(b, Config{})
			ctx := &fasthttp.RequestCtx{}
			ctx.Request.Header.SetMethod("POST")
			ctx.Request.SetRequestURI("/api/v1/command")
			ctx.Request.Header.SetContentType("application/json")
			ctx.Request.SetBodyString(bench.body)
			b.ReportAllocs()
			for b.Loop() {
				ctx.Response.Reset()
				s.serve(ctx)
			}
			if ctx.Response.StatusCode() != 200 {
				b.Fatal(ctx.Response.String())
			}
		})
	}
}

// The same through the HTTP server, over a connection in memory: what one client
// that waits for every reply can get.
func BenchmarkConnection(b *testing.B) {
	s := start(b, Config{})
	listener := fasthttputil.NewInmemoryListener()
	defer listener.Close()
	go (&fasthttp.Server{Handler: s.serve, NoDefaultServerHeader: true, NoDefaultDate: true}).Serve(listener)
	body := `{"command":"kv.get","request_id":"1","payload":{"key":"user:1000"}}`
	request := []byte("POST /api/v1/command HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 67\r\n\r\n" + body)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := listener.Dial()
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		exchange(b, conn, request, pb.Next)
	})
}

func exchange(b *testing.B, conn net.Conn, request []byte, more func() bool) {
	in := bufio.NewReader(conn)
	var resp fasthttp.Response
	for more() {
		if _, err := conn.Write(request); err != nil {
			b.Error(err)
			return
		}
		if err := resp.Read(in); err != nil && err != io.EOF {
			b.Error(err)
			return
		}
	}
}
