package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/value"
)

// redisCase runs on our test server's RESP3 and on Redis; what it returns is compared.
type redisCase struct {
	name string
	run  func(c *core.Client) string
}

// results joins what several calls returned.
func results(list ...any) string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = fmt.Sprint(v)
	}
	return strings.Join(out, " ")
}

func maybe(v any, found bool, err error) string {
	if err == nil && !found {
		return "nothing"
	}
	return said(v, err)
}

// raw runs a command by its name in the envelope.
func raw(c *core.Client, name string, pairs ...any) string {
	var members []value.Value
	for _, p := range pairs {
		switch p := p.(type) {
		case string:
			members = append(members, value.Str(p))
		case int:
			members = append(members, value.Int(int64(p)))
		}
	}
	v, err := c.Command(background, name, value.Map(members...))
	if err != nil {
		return code(err)
	}
	text, err := value.AppendSortedJSON(nil, v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func set(c *core.Client, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if _, err := c.KV.Set(background, pairs[i], pairs[i+1], nil); err != nil {
			panic(err)
		}
	}
}

func sorted(list []string, err error) string {
	slices.Sort(list)
	return said(list, err)
}

// Each case uses keys of its own; scan, keys, dbsize and flush come last.
var redisCases = []redisCase{
	{"set, get", func(c *core.Client) string {
		ok, err := c.KV.Set(background, "a", "wört\r\n", nil)
		return results(said(ok, err), maybe(c.KV.Get(background, "a")), maybe(c.KV.Get(background, "none")))
	}},
	{"set with nx", func(c *core.Client) string {
		ok, err := c.KV.Set(background, "a", "v", &core.KVSetOptions{Nx: true})
		return said(ok, err)
	}},
	{"set, get_bytes of bytes", func(c *core.Client) string {
		set(c, "b", notText)
		v, err := c.KV.GetBytes(background, "b")
		return said(bytesOf(string(v)), err)
	}},
	{"set_json, get_json", func(c *core.Client) string {
		var v any
		ok, err := c.KV.SetJSON(background, "j", object{"n": []any{1, nil}}, nil)
		found, err2 := c.KV.GetJSON(background, "j", &v)
		return results(said(ok, err), maybe(v, found, err2))
	}},
	{"set with ttl, ttl, persist", func(c *core.Client) string {
		ok, err := c.KV.Set(background, "t", "v", &core.KVSetOptions{TTL: 1000})
		n, has, err2 := c.KV.TTL(background, "t")
		p, err3 := c.KV.Persist(background, "t")
		again, err4 := c.KV.Persist(background, "t")
		return results(said(ok, err), maybe(n > 990, has, err2), said(p, err3), said(again, err4), maybe(c.KV.TTL(background, "t")))
	}},
	{"ttl of a missing key", func(c *core.Client) string { return maybe(c.KV.TTL(background, "none")) }},
	{"expire, also of a missing key", func(c *core.Client) string {
		set(c, "x", "v")
		a, err := c.KV.Expire(background, "x", 1000)
		b, err2 := c.KV.Expire(background, "none", 1000)
		return results(said(a, err), said(b, err2))
	}},
	{"exists", func(c *core.Client) string {
		a, err := c.KV.Exists(background, "x")
		b, err2 := c.KV.Exists(background, "none")
		return results(said(a, err), said(b, err2))
	}},
	{"delete, mdel", func(c *core.Client) string {
		set(c, "d1", "v", "d2", "v", "d3", "v")
		a, err := c.KV.Delete(background, "d1")
		b, err2 := c.KV.Delete(background, "d1")
		n, err3 := c.KV.Mdel(background, []string{"d1", "d2", "d3"})
		return results(said(a, err), said(b, err2), said(n, err3))
	}},
	{"incr, incrby, decr, decrby", func(c *core.Client) string {
		a, err := c.KV.Incr(background, "n")
		b, err2 := c.KV.Incrby(background, "n", 1<<60)
		d, err3 := c.KV.Decrby(background, "n", 1<<60)
		e, err4 := c.KV.Decr(background, "n")
		return results(said(a, err), said(b, err2), said(d, err3), said(e, err4))
	}},
	{"incr of a text", func(c *core.Client) string {
		set(c, "text", "v")
		n, err := c.KV.Incr(background, "text")
		return said(n, err)
	}},
	{"incr over the largest number", func(c *core.Client) string {
		set(c, "max", "9223372036854775807")
		n, err := c.KV.Incr(background, "max")
		return said(n, err)
	}},
	{"append, strlen", func(c *core.Client) string {
		a, err := c.KV.Append(background, "ap", "ab")
		b, err2 := c.KV.Append(background, "ap", notText)
		n, err3 := c.KV.Strlen(background, "ap")
		m, err4 := c.KV.Strlen(background, "none")
		return results(said(a, err), said(b, err2), said(n, err3), said(m, err4))
	}},
	{"getrange", func(c *core.Client) string {
		set(c, "r", "abcdef")
		return results(maybe(c.KV.Getrange(background, "r", 1, 2)), maybe(c.KV.Getrange(background, "r", -2, -1)), maybe(c.KV.Getrange(background, "none", 0, 1)))
	}},
	{"setrange past the end", func(c *core.Client) string {
		n, err := c.KV.Setrange(background, "r", 8, "z")
		return results(said(n, err), maybe(c.KV.Get(background, "r")))
	}},
	{"getset", func(c *core.Client) string {
		return results(maybe(c.KV.Getset(background, "gs", "one")), maybe(c.KV.Getset(background, "gs", "two")))
	}},
	{"getset of a value with a TTL", func(c *core.Client) string {
		_, err := c.KV.Set(background, "gt", "v", &core.KVSetOptions{TTL: 1000})
		_, _, err2 := c.KV.Getset(background, "gt", "w")
		_, has, err3 := c.KV.TTL(background, "gt")
		return results(said("", err), said("", err2), maybe("TTL", has, err3))
	}},
	{"mset, mget", func(c *core.Client) string {
		err := c.KV.Mset(background, []core.Pair{{Key: "m1", Value: "1"}, {Key: "m2", Value: notText}})
		list, err2 := c.KV.Mget(background, []string{"m1", "none", "m2"})
		out := said("ok", err)
		for _, v := range list {
			out += " " + maybe(bytesOf(v.Value)["bytes"], v.Found, nil)
		}
		return results(out, said("", err2))
	}},
	{"msetnx", func(c *core.Client) string {
		a, err := c.KV.Msetnx(background, []core.Pair{{Key: "x1", Value: "1"}, {Key: "x2", Value: "2"}})
		b, err2 := c.KV.Msetnx(background, []core.Pair{{Key: "x2", Value: "1"}, {Key: "x3", Value: "1"}})
		return results(said(a, err), said(b, err2))
	}},
	{"command() of kv.set and kv.get", func(c *core.Client) string {
		return results(raw(c, "kv.set", "key", "raw", "value", "v", "ttl", 60), raw(c, "kv.get", "key", "raw"), raw(c, "kv.get", "key", "none"))
	}},
	{"command() of kv.incr with an amount, kv.del", func(c *core.Client) string {
		return results(raw(c, "kv.incr", "key", "rn", "amount", 5), raw(c, "kv.del", "key", "rn"))
	}},
	{"command() of kv.expire and kv.ttl", func(c *core.Client) string {
		return results(raw(c, "kv.expire", "key", "raw", "ttl", 60), raw(c, "kv.ttl", "key", "none"))
	}},
	{"command() of other families, such as hash.get", func(c *core.Client) string { return raw(c, "hash.get", "key", "h", "field", "f") }},
	{"queue.list", func(c *core.Client) string { l, err := c.Queue.List(background); return said(len(l), err) }},
	{"stream.list", func(c *core.Client) string { l, err := c.Stream.List(background); return said(len(l), err) }},
	{"stats", func(c *core.Client) string { s, err := c.KV.Stats(background); return said(s != nil, err) }},
	{"pubsub.publish of a text", func(c *core.Client) string {
		p, err := c.PubSub.Publish(background, "t", "text", nil)
		return said(p != nil && p.SubscribersMatched == 0, err)
	}},
	{"pubsub.topics", func(c *core.Client) string { l, err := c.PubSub.Topics(background); return said(len(l), err) }},
	{"scan of a prefix", func(c *core.Client) string {
		set(c, "s:1", "v", "s:2", "v", "s:[1]", "v")
		return sorted(c.KV.Scan(background, &core.KVScanOptions{Prefix: "s:"}))
	}},
	{"scan with a limit, over 1000 keys", func(c *core.Client) string {
		var pairs []core.Pair
		for i := range 1000 {
			pairs = append(pairs, core.Pair{Key: fmt.Sprint("many:", i), Value: "v"})
		}
		err := c.KV.Mset(background, pairs)
		keys, err2 := c.KV.Scan(background, &core.KVScanOptions{Limit: core.Int64(2000)})
		return results(said("", err), said(len(keys) >= 1000, err2))
	}},
	{"keys", func(c *core.Client) string {
		keys, err := c.KV.Keys(background)
		return said(len(keys) >= 1000 && slices.Contains(keys, "many:999"), err)
	}},
	{"flushdb, dbsize", func(c *core.Client) string {
		flushed := maybe(c.KV.Flushdb(background))
		n, err := c.KV.Dbsize(background)
		return results(flushed, said(n, err))
	}},
	{"flushall", func(c *core.Client) string { return maybe(c.KV.Flushall(background)) }},
}
