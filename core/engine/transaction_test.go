package engine_test

import (
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

const (
	started = `{"message":"Transaction started","success":true}`
	watched = `{"message":"Keys watched","success":true}`
	queued  = `{"queued":true,"success":true}`
	aborted = `{"aborted":true,"message":"Transaction aborted: watched keys changed"}`
	closed  = `Invalid request: No transaction in progress`
	done    = `{"success":true}`
)

func TestTransactionVectors(t *testing.T) { replay(t, "http-transaction", nil) }

// trips reports whether a command, run through a face, trips a WATCH on "w".
func (w *world) trips(t *testing.T, face engine.Face, command, payload string) bool {
	t.Helper()
	w.must(t, engine.Envelope, "transaction.watch", `{"client_id":"watcher","keys":["w"]}`)
	w.run(face, command, payload)
	return w.must(t, engine.Envelope, "transaction.exec", `{"client_id":"watcher"}`) == aborted
}

// TestWatchSeesWhatTheServerSees: few commands trip WATCH, and only when they have
// changed something (protocol: http-data 12).
func TestWatchSeesWhatTheServerSees(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		command, payload string
		want             bool
	}{
		{"kv.set", `{"key":"w","value":1}`, true},
		{"kv.set", `{"key":"other","value":1,"source":"w","keys":["w"]}`, false},
		{"kv.set", `{"value":1}`, false},
		{"kv.incr", `{"key":"w"}`, true},
		{"kv.decr", `{"key":"w"}`, true},
		{"kv.append", `{"key":"w","value":"x"}`, false},
		{"kv.incr", `{"key":"w"}`, false}, // fails
		{"kv.expire", `{"key":"w","ttl":10}`, false},
		{"kv.getset", `{"key":"w","value":1}`, false},
		{"kv.del", `{"key":"w"}`, true},
		{"kv.del", `{"key":"w"}`, false},
		{"kv.mset", `{"pairs":[{"key":"w","value":1}]}`, false},
		{"kv.mdel", `{"keys":["w"]}`, false},
		{"hash.set", `{"key":"w","field":"f","value":1}`, true},
		{"hash.incrby", `{"key":"w","field":"f","increment":1}`, true},
		{"hash.incrbyfloat", `{"key":"w","field":"f","increment":1}`, false},
		{"hash.mset", `{"key":"w","fields":{"g":1}}`, false},
		{"hash.setnx", `{"key":"w","field":"h","value":1}`, false},
		{"hash.del", `{"key":"w","field":"none"}`, false},
		{"hash.del", `{"key":"w","fields":["f","g"]}`, true},
		{"list.lpop", `{"key":"w"}`, false},
		{"list.lpush", `{"key":"w","values":[1,2]}`, true},
		{"list.rpush", `{"key":"w","values":[]}`, true},
		{"list.rpushx", `{"key":"w","values":[3]}`, false},
		{"list.lset", `{"key":"w","index":0,"value":4}`, false},
		{"list.rpoplpush", `{"source":"w","destination":"w"}`, false},
		{"list.rpop", `{"key":"w"}`, true},
		{"key.copy", `{"source":"w","destination":"v"}`, false},
		{"key.rename", `{"source":"v","destination":"w"}`, false},
		{"script.eval", `{"script":"return redis.call('set','w',1)"}`, false},
		{"set.add", `{"key":"w","members":[]}`, true},
		{"set.rem", `{"key":"w","members":["a"]}`, false},
		{"set.pop", `{"key":"w"}`, false},
		{"set.add", `{"key":"w","members":["a","b"]}`, true},
		{"set.rem", `{"key":"w","members":["a"]}`, true},
		{"set.move", `{"source":"w","destination":"v","member":"z"}`, false},
		{"set.move", `{"source":"v","destination":"w","member":"b"}`, false}, // no such set
		{"set.move", `{"source":"w","destination":"v","member":"b"}`, true},
		{"set.pop", `{"key":"w"}`, false}, // it went with its last member
		{"set.add", `{"key":"w","members":["a"]}`, true},
		{"set.pop", `{"key":"w"}`, true},
		{"sortedset.zadd", `{"key":"w","member":"a","score":1}`, false},
		{"kv.flushall", `{}`, false},
	} {
		if got := w.trips(t, engine.Envelope, c.command, c.payload); got != c.want {
			t.Errorf("%s %s: trips WATCH: %v", c.command, c.payload, got)
		}
	}
}

// TestWatchSeesThePrograms: routes and native wires write unseen, a program with
// the engine in itself does not.
func TestWatchSeesThePrograms(t *testing.T) {
	w := newWorld()
	for face, want := range map[engine.Face]bool{engine.Envelope: true, engine.Program: true, engine.Raw: false, engine.Routed: false} {
		for _, command := range []string{"kv.set", "hash.set"} {
			if got := w.trips(t, face, command, `{"key":"w","field":"f","value":1}`); got != want {
				t.Errorf("%s through face %d trips WATCH: %v", command, face, got)
			}
		}
	}
}

func TestWatchSeesOtherTransactions(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		{"transaction.multi", `{"client_id":"a"}`, started},
		{"transaction.watch", `{"client_id":"b","keys":["n"]}`, watched},
		{"transaction.watch", `{"client_id":"c","keys":["m"]}`, watched},
		{"kv.incr", `{"key":"n","client_id":"a"}`, queued},
		{"kv.incr", `{"key":"m","client_id":"b"}`, queued},
		{"kv.incr", `{"key":"m","client_id":"c"}`, queued},
		{"transaction.exec", `{"client_id":"a"}`, `{"results":[{"value":1}],"success":true}`},
		{"transaction.exec", `{"client_id":"b"}`, aborted},
		{"transaction.exec", `{"client_id":"c"}`, `{"results":[{"value":1}],"success":true}`},
		// What a transaction writes itself does not stop it.
		{"transaction.watch", `{"client_id":"a","keys":["n"]}`, watched},
		{"kv.incr", `{"key":"n","client_id":"a"}`, queued},
		{"transaction.exec", `{"client_id":"a"}`, `{"results":[{"value":2}],"success":true}`},
		// One of several names is enough, and forgetting forgets all.
		{"transaction.watch", `{"client_id":"a","keys":["x","n",5]}`, watched},
		{"kv.del", `{"key":"n"}`, `{"deleted":true}`},
		{"transaction.unwatch", `{"client_id":"a"}`, `{"message":"Keys unwatched","success":true}`},
		{"transaction.exec", `{"client_id":"a"}`, `{"results":[],"success":true}`},
	})
}

func TestTransactionOwners(t *testing.T) {
	newWorld().steps(t, engine.Envelope, []step{
		// The empty name owns a transaction that nothing gets into.
		{"transaction.multi", `{"client_id":""}`, started},
		{"kv.set", `{"key":"a","value":1,"client_id":""}`, done},
		{"transaction.exec", `{"client_id":""}`, `{"results":[],"success":true}`},
		// The request's id stands in for what is no text.
		{"transaction.multi", `{"client_id":5}`, started},
		{"kv.set", `{"key":"a","value":2,"client_id":5}`, done},
		{"kv.set", `{"key":"b","value":2,"client_id":"r"}`, queued},
		{"transaction.exec", `null`, `{"results":[{"ok":true}],"success":true}`},
		{"transaction.unwatch", `{"client_id":"none"}`, `{"message":"Keys unwatched","success":true}`},
		{"transaction.discard", `{"client_id":"none"}`, closed},
	})
}

// TestQueueingChecksFields: a command that is refused is not queued and does not
// spoil the transaction; what the data refuses stops EXEC halfway.
func TestQueueingChecksFields(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "transaction.multi", `{"client_id":"c"}`)
	w.steps(t, engine.Envelope, []step{
		{"kv.set", `{"client_id":"c","key":"k"}`, `Invalid request: Missing 'value' field`},
		{"hash.set", `{"client_id":"c","key":"k","field":"f"}`, `Invalid request: Missing 'value' field`},
		{"hash.del", `{"client_id":"c","key":"k"}`, `Invalid request: Missing 'fields' array or 'field'`},
		{"hash.incrby", `{"client_id":"c","key":"k","field":"f","increment":1.5}`, `Invalid request: Missing 'increment' field`},
		{"list.lpush", `{"client_id":"c","key":"k","values":"x"}`, `Invalid request: Missing 'values' array`},
		{"list.lpop", `{"client_id":"c","count":1}`, `Invalid request: Missing 'key' field`},
		{"list.lpop", `{"client_id":"c","key":"k","count":1.0}`, `Not found`}, // at once: 1.0 is not 1
		{"list.rpush", `{"client_id":"c","key":"l","values":[{"b":1,"a":"x"}]}`, queued},
		{"list.lpop", `{"client_id":"c","key":"l","count":1}`, queued},
		{"set.rem", `{"client_id":"c","key":"s","members":"x"}`, `Invalid request: Missing 'members' array`},
		{"set.add", `{"client_id":"c","key":"s","members":["x","x"]}`, queued},
		{"set.rem", `{"client_id":"c","key":"s","members":["y"]}`, queued},
		{"kv.del", `{"client_id":"c","key":"none"}`, queued},
		{"hash.del", `{"client_id":"c","key":"none","field":"f"}`, queued},
		{"kv.incr", `{"client_id":"c","key":"n","amount":"x"}`, queued},
		{"transaction.exec", `{"client_id":"c"}`, `{"results":[{"length":1},"{\"a\":\"x\",\"b\":1}",{"added":1},{"removed":0},{"deleted":0},{"deleted":0},{"value":1}],"success":true}`},
		{"transaction.multi", `{"client_id":"c"}`, started},
		{"kv.incr", `{"client_id":"c","key":"n"}`, queued},
		{"list.rpop", `{"client_id":"c","key":"l","count":1}`, queued},
		{"kv.incr", `{"client_id":"c","key":"n"}`, queued},
		{"transaction.exec", `{"client_id":"c"}`, `Not found`},
		{"kv.get", `{"key":"n"}`, `"2"`},
		{"transaction.exec", `{"client_id":"c"}`, closed},
	})
}

// TestQueueOfNativeWires: values are stored as they are, and the callers share
// transactions with the envelope.
func TestQueueOfNativeWires(t *testing.T) {
	w := newWorld()
	queue := func(client, name, payload string) string {
		v, err := value.ParseJSON(payload)
		if err != nil {
			t.Fatal(err)
		}
		ok, errText := w.Queue(w.now, client, name, v)
		if errText == "" && !ok {
			return "none"
		}
		return errText
	}
	if got := queue("c", "kv.set", `{"key":"k","value":"v"}`); got != "none" {
		t.Errorf("without a transaction: %q", got)
	}
	w.must(t, engine.Raw, "transaction.multi", `{"client_id":"c"}`)
	for _, c := range [][3]string{
		{"kv.get", `{"key":"k"}`, "Invalid request: 'kv.get' cannot be queued in a transaction"},
		{"set.pop", `{"key":"k"}`, "Invalid request: 'set.pop' cannot be queued in a transaction"},
		{"kv.set", `{"key":"k"}`, "Invalid request: Missing 'value' field"},
		{"kv.set", `{"key":"k","value":"v","ttl":60}`, ""},
		{"kv.incr", `{"key":"n","amount":5}`, ""},
		{"kv.mdel", `{"keys":["k","none","n"]}`, ""},
		{"hash.set", `{"key":"h","field":"f","value":"v"}`, ""},
		{"list.rpush", `{"key":"l","values":["a","b"]}`, ""},
		{"list.lpop", `{"key":"l"}`, ""},
		{"hash.del", `{"key":"h","fields":["f","g"]}`, ""},
	} {
		if got := queue("c", c[0], c[1]); got != c[2] {
			t.Errorf("%s %s: %q", c[0], c[1], got)
		}
	}
	w.must(t, engine.Envelope, "transaction.watch", `{"client_id":"w","keys":["n"]}`)
	const want = `{"results":[{"ok":true},{"value":5},{"deleted":2},{"ok":true},{"length":2},"a",{"deleted":1}],"success":true}`
	if got := w.must(t, engine.Raw, "transaction.exec", `{"client_id":"c"}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := w.must(t, engine.Envelope, "transaction.exec", `{"client_id":"w"}`); got != aborted {
		t.Errorf("watching what a wire's transaction deletes: %s", got)
	}
}

// TestQueuedTTLBeginsAtExec: a command does when it runs what it does by itself.
func TestQueuedTTLBeginsAtExec(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "transaction.multi", `{"client_id":"c"}`)
	w.must(t, engine.Envelope, "kv.set", `{"key":"k","value":1,"ttl":10,"client_id":"c"}`)
	w.now += 60 * second
	w.must(t, engine.Envelope, "transaction.exec", `{"client_id":"c"}`)
	if got := w.must(t, engine.Envelope, "kv.ttl", `{"key":"k"}`); got != `{"ttl":10}` {
		t.Errorf("ttl %s", got)
	}
}
