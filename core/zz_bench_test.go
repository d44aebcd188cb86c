package core

import (
	"context"
	"testing"

	"github.com/libsynap/libsynap/core/testserver"
)

func benchClient(b *testing.B) *Client {
	s, err := testserver.Start(testserver.Config{HTTP: "127.0.0.1:0"})
	if err != nil { b.Fatal(err) }
	b.Cleanup(func() { s.Close() })
	c, err := Open(s.URL())
	if err != nil { b.Fatal(err) }
	b.Cleanup(func() { c.Close() })
	c.KV.Set(context.Background(), "k", "value", nil)
	return c
}
func BenchmarkGet1(b *testing.B) {
	c := benchClient(b); b.ReportAllocs()
	for b.Loop() { c.KV.Get(context.Background(), "k") }
}
func BenchmarkGet64(b *testing.B) {
	c := benchClient(b); b.ReportAllocs(); b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) { for pb.Next() { c.KV.Get(context.Background(), "k") } })
}
func BenchmarkMget100(b *testing.B) {
	c := benchClient(b); b.ReportAllocs()
	keys := make([]string, 100)
	for i := range keys { keys[i] = "k" }
	for b.Loop() { c.KV.Mget(context.Background(), keys) }
}
