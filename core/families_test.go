package core

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

// same fails unless a call gave what is wanted.
func same[T any](t *testing.T, what string, want T) func(T, error) {
	t.Helper()
	return func(got T, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, not %+v (%v)", what, got, want, err)
		}
	}
}

// found is the same for calls that may find nothing.
func found[T any](t *testing.T, what string, want T, ok bool) func(T, bool, error) {
	t.Helper()
	return func(got T, is bool, err error) {
		t.Helper()
		if err != nil || is != ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v, not %+v %v (%v)", what, got, is, want, ok, err)
		}
	}
}

// The typed methods as a program writes them; tests/parity calls all with more
// arguments.
func TestHashes(t *testing.T) {
	withEnvelope(t, func(t *testing.T, c *Client) {
		ctx := background
		same(t, "set", true)(c.Hash.Set(ctx, "h", "f", "123"))
		same(t, "set_json", true)(c.Hash.SetJSON(ctx, "h", "n", 10))
		same(t, "setnx", false)(c.Hash.Setnx(ctx, "h", "f", "x"))
		if err := c.Hash.Mset(ctx, "h", []Pair{{"a", "1"}, {"a", "2"}}); err != nil {
			t.Error(err)
		}
		found(t, "get", "123", true)(c.Hash.Get(ctx, "h", "f"))
		found(t, "get", "", false)(c.Hash.Get(ctx, "h", "none"))
		var n int
		if ok, err := c.Hash.GetJSON(ctx, "h", "n", &n); !ok || err != nil || n != 10 {
			t.Error(n, ok, err)
		}
		same(t, "mget", []MaybeString{{"2", true}, {}})(c.Hash.Mget(ctx, "h", []string{"a", "none"}))
		same(t, "getall", map[string]string{"f": "123", "n": "10", "a": "2"})(c.Hash.Getall(ctx, "h"))
		same(t, "keys", []string{})(c.Hash.Keys(ctx, "none"))
		same(t, "vals", []string{})(c.Hash.Vals(ctx, "none"))
		same(t, "len", int64(3))(c.Hash.Len(ctx, "h"))
		same(t, "exists", true)(c.Hash.Exists(ctx, "h", "f"))
		same(t, "incrby", int64(15))(c.Hash.Incrby(ctx, "h", "n", 5))
		same(t, "incrbyfloat", 15.5)(c.Hash.Incrbyfloat(ctx, "h", "n", 0.5))
		same(t, "delete", true)(c.Hash.Delete(ctx, "h", "f"))
		same(t, "mdel", int64(2))(c.Hash.Mdel(ctx, "h", []string{"a", "n", "none"}))
		if s, err := c.Hash.Stats(ctx); err != nil || s.Sets == 0 {
			t.Error(s, err)
		}
	})
}

func TestLists(t *testing.T) {
	withEnvelope(t, func(t *testing.T, c *Client) {
		ctx := background
		same(t, "rpush", int64(2))(c.List.Rpush(ctx, "l", []string{"b", "c"}))
		same(t, "lpush", int64(3))(c.List.Lpush(ctx, "l", []string{"a"}))
		same(t, "lpushx", int64(0))(c.List.Lpushx(ctx, "none", []string{"a"}))
		same(t, "rpushx", int64(4))(c.List.Rpushx(ctx, "l", []string{"123"}))
		same(t, "lrange", []string{"b", "c"})(c.List.Lrange(ctx, "l", &ListLrangeOptions{Start: 1, Stop: Int64(2)}))
		same(t, "llen", int64(4))(c.List.Llen(ctx, "l"))
		found(t, "lindex", "123", true)(c.List.Lindex(ctx, "l", -1))
		if err := c.List.Lset(ctx, "l", 0, "A"); err != nil {
			t.Error(err)
		}
		failed(t, c.List.Lset(ctx, "none", 0, "A"), errs.NotFound)
		found(t, "linsert", int64(5), true)(c.List.Linsert(ctx, "l", "b", "x", &ListLinsertOptions{Before: Bool(false)}))
		found(t, "linsert", int64(0), false)(c.List.Linsert(ctx, "l", "none", "x", nil))
		found(t, "lpos", int64(2), true)(c.List.Lpos(ctx, "l", "x"))
		same(t, "lrem", int64(1))(c.List.Lrem(ctx, "l", 0, "x"))
		found(t, "rpoplpush", "123", true)(c.List.Rpoplpush(ctx, "l", "m"))
		found(t, "lpop", "A", true)(c.List.Lpop(ctx, "l"))
		found(t, "rpop", "c", true)(c.List.Rpop(ctx, "l"))
		found(t, "rpop", "", false)(c.List.Rpop(ctx, "none"))
		same(t, "ltrim", true)(c.List.Ltrim(ctx, "l", nil))
		same(t, "lpop_many", []string{"b"})(c.List.LpopMany(ctx, "l", 3))
		same(t, "rpop_many", []string{})(c.List.RpopMany(ctx, "l", 3))
		if s, err := c.List.Stats(ctx); err != nil || s.TotalLists != 1 || s.Rpoplpush != 1 {
			t.Error(s, err)
		}
	})
}

func TestKeysScriptsTransactions(t *testing.T) {
	withEnvelope(t, func(t *testing.T, c *Client) {
		ctx := background
		c.KV.Set(ctx, "k", "v", nil)
		same(t, "type", "string")(c.Key.Type(ctx, "k"))
		same(t, "exists", true)(c.Key.Exists(ctx, "k"))
		same(t, "copy", true)(c.Key.Copy(ctx, "k", "copy", nil))
		same(t, "copy", false)(c.Key.Copy(ctx, "k", "copy", nil))
		same(t, "copy", true)(c.Key.Copy(ctx, "k", "copy", &KeyCopyOptions{Replace: true}))
		same(t, "renamenx", false)(c.Key.Renamenx(ctx, "k", "copy"))
		if err := c.Key.Rename(ctx, "copy", "k"); err != nil {
			t.Error(err)
		}
		found(t, "randomkey", "k", true)(c.Key.Randomkey(ctx))

		v, err := c.Script.Eval(ctx, "return {KEYS[1], ARGV[1]}", &ScriptEvalOptions{Keys: []string{"k"}, Args: []string{"1"}})
		same(t, "eval", `["k","1"]`)(v.String(), err)
		sha, err := c.Script.Load(ctx, "return 1")
		if v, err = c.Script.Evalsha(ctx, sha, nil); err != nil || v.String() != "1" {
			t.Error(v, err)
		}
		same(t, "exists", []bool{true, false})(c.Script.Exists(ctx, []string{sha, "x"}))
		same(t, "kill", false)(c.Script.Kill(ctx))
		found(t, "flush", int64(2), true)(c.Script.Flush(ctx))

		queue := func(ok bool, err error) {
			t.Helper()
			if !ok || err != nil {
				t.Error(ok, err)
			}
		}
		if err := c.Transaction.Multi(ctx, "me"); err != nil {
			t.Error(err)
		}
		queue(c.Transaction.KVSet(ctx, "me", "t", "123", nil))
		queue(c.Transaction.KVIncr(ctx, "me", "n", nil))
		queue(c.Transaction.HashSet(ctx, "me", "th", "f", "123"))
		found(t, "get", "", false)(c.KV.Get(ctx, "t"))
		r, err := c.Transaction.Exec(ctx, "me")
		if err != nil || r.Aborted || r.Results.String() != `[{"ok":true},{"value":1},{"ok":true}]` {
			t.Error(r, err)
		}
		found(t, "get", "123", true)(c.Hash.Get(ctx, "th", "f"))
		_, err = c.Transaction.Exec(ctx, "me")
		failed(t, err, errs.InvalidArgument)
	})
}

// What one wire stores in hashes and lists reads the same on all others, text as
// text, although the envelope stores JSON and the native wires bytes (protocol:
// http-data 1). Bytes that are not text pass the native wires.
func TestOneStoreReadsAlikeOnAllWires(t *testing.T) {
	s := serve(t, testserver.Config{RPC: "127.0.0.1:0", RESP3: "127.0.0.1:0"})
	clients := map[string]*Client{"http": open(t, s.URL()), "synap": open(t, s.RPCURL()), "resp3": open(t, "resp3://"+s.RESP3Addr())}
	texts := []string{"plain", "123", "1.50", "null", "true", `"quoted"`, `{"b":1, "a":2}`, "", "Zoë\n\x00", "[1"}
	for from, writer := range clients {
		for i, text := range texts {
			if _, err := writer.Hash.Set(background, "h", fmt.Sprint(from, i), text); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := writer.List.Rpush(background, from, texts); err != nil {
			t.Fatal(err)
		}
		for to, reader := range clients {
			for i, text := range texts {
				found(t, from+" to "+to, text, true)(reader.Hash.Get(background, "h", fmt.Sprint(from, i)))
			}
			same(t, from+" to "+to, texts)(reader.List.Lrange(background, from, nil))
		}
	}
	same(t, "incrby", int64(1))(clients["synap"].Hash.Incrby(background, "h", "n", 1))
	found(t, "get", "1", true)(clients["http"].Hash.Get(background, "h", "n"))
	same(t, "bytes", true)(clients["synap"].Hash.Set(background, "h", "bytes", "\xff\x00"))
	found(t, "bytes", "\xff\x00", true)(clients["resp3"].Hash.Get(background, "h", "bytes"))
	_, err := clients["http"].Hash.Set(background, "h", "bytes", "\xff\x00")
	failed(t, err, errs.InvalidArgument)
}

// Raw commands store what the envelope stores, whatever wire they take.
func TestTypedAndRawCommandsShareHashes(t *testing.T) {
	c := open(t, "memory://")
	same(t, "set", true)(c.Hash.Set(background, "h", "f", "123"))
	got, err := c.Command(background, "hash.get", value.Map(value.Str("key"), value.Str("h"), value.Str("field"), value.Str("f")))
	if text := got.Field("value"); err != nil || !value.Equal(text, value.Str("123")) {
		t.Error(got, err)
	}
}
