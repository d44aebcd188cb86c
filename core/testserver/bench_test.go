package testserver

import (
	"bufio"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/valyala/fasthttp"
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

// The same over loopback sockets, with 64 connections that wait for every reply.
// What the clients cost is part of the figure.
func BenchmarkSockets(b *testing.B) {
	s := start(b, Config{})
	request := []byte("POST /api/v1/command HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 67\r\n\r\n" +
		`{"command":"kv.get","request_id":"1","payload":{"key":"user:1000"}}`)
	b.ReportAllocs()
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", s.HTTPAddr())
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
