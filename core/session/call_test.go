package session

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func TestCallSucceeds(t *testing.T) {
	c := begin(t, steady(3), "kv.incr", str("k"))
	if c.Done() || c.WakeAt() != 0 || len(c.Steps()) != 1 || c.Raw() {
		t.Fatal("a call begins with one step, at once")
	}
	c.Reply(js(t, `{"value":7}`), nil)
	if v := result(t, c); !value.Equal(v, value.Int(7)) {
		t.Errorf("%v", v)
	}
	// What comes late changes nothing.
	c.Reply(js(t, `{"value":8}`), nil)
	c.Broken(start, connection(), true)
	c.Expired(true)
	c.Cancel(errs.New(errs.Canceled, "x"), true)
	c.Failed(errs.New(errs.Closed, "x"))
	if v := result(t, c); !value.Equal(v, value.Int(7)) || len(c.Steps()) != 0 && c.Done() == false {
		t.Errorf("%v", v)
	}
}

func TestInvalidCallsAreNeverSent(t *testing.T) {
	c := begin(t, steady(3), "kv.set", str("k"))
	if err := failure(t, c, errs.InvalidArgument); err.Command != "kv.set" || len(c.Steps()) != 0 || err.MaybeApplied {
		t.Errorf("%v, %d steps", err, len(c.Steps()))
	}
	c.StartRaw(steady(3), HTTP, "kv.setrange", js(t, `{"key":"k","offset":18446744073709551615,"value":"x"}`), start+second)
	failure(t, c, errs.InvalidArgument)
	c.StartRaw(steady(3), HTTP, "kv.set", value.Map(str("key"), value.BytesOf("x")), start+second)
	failure(t, c, errs.InvalidArgument)
	// A subscription is no call.
	c = begin(t, steady(3), "stream.follow", str("r"), str("s"))
	failure(t, c, errs.Unsupported)
}

// what a failed call says of its effect, for every way to fail.
func TestWhatMayHaveBeenAppliedAndWhatIsRepeated(t *testing.T) {
	type end struct {
		again        bool // the call goes on
		maybe, retry bool // of the error
	}
	read, put, write := []value.Value{str("k")}, []value.Value{str("k"), str("v")}, []value.Value{str("k")}
	several := []value.Value{pairs("a", "1", "b", "2", "c", "3")}
	for _, c := range []struct {
		what     string
		command  string
		args     []value.Value
		answered int
		sent     bool
		broken   end
		expired  end
	}{
		{"a read, not sent", "kv.get", read, 0, false, end{true, false, true}, end{false, false, true}},
		{"a read, sent", "kv.get", read, 0, true, end{true, false, true}, end{false, false, true}},
		{"a repeatable write, not sent", "kv.set", put, 0, false, end{true, false, true}, end{false, false, true}},
		{"a repeatable write, sent", "kv.set", put, 0, true, end{true, true, true}, end{false, true, true}},
		{"another write, not sent", "kv.incr", write, 0, false, end{true, false, true}, end{false, false, true}},
		{"another write, sent", "kv.incr", write, 0, true, end{false, true, false}, end{false, true, false}},
		{"several writes, none sent", "kv.mset", several, 0, false, end{true, false, true}, end{false, false, true}},
		{"several writes, all sent", "kv.mset", several, 0, true, end{true, true, true}, end{false, true, true}},
		{"several writes, one answered, rest not sent", "kv.mset", several, 1, false, end{true, true, true}, end{false, true, true}},
		{"several writes, one answered, rest sent", "kv.mset", several, 1, true, end{true, true, true}, end{false, true, true}},
		{"several reads, one answered", "kv.mget", []value.Value{strs("a", "b")}, 1, true, end{true, false, true}, end{false, false, true}},
		{"a conditional write, not sent", "kv.set", []value.Value{str("k"), str("v"), value.Nil, value.Bool(true)}, 0, false, end{true, false, true}, end{false, false, true}},
		{"a conditional write, sent", "kv.set", []value.Value{str("k"), str("v"), value.Nil, value.Bool(true)}, 0, true, end{false, true, false}, end{false, true, false}},
		{"taking a message, sent", "queue.consume", []value.Value{str("q"), str("c")}, 0, true, end{false, true, false}, end{false, true, false}},
		{"a script, sent", "kv.msetnx", several, 0, true, end{false, true, false}, end{false, true, false}},
	} {
		prepare := func(retries int) *Call {
			call := begin(t, steady(retries), c.command, c.args...)
			for range c.answered {
				call.Reply(value.Nil, nil)
			}
			return call
		}
		call := prepare(3)
		call.Broken(start, connection(), c.sent)
		if call.Done() == c.broken.again {
			t.Errorf("%s: repeated %v", c.what, !call.Done())
		}
		if c.broken.again && call.Steps() == nil {
			t.Errorf("%s: nothing is left to send", c.what)
		}
		call = prepare(0)
		call.Broken(start, connection(), c.sent)
		if err := failure(t, call, errs.Connection); err.MaybeApplied != c.broken.maybe || err.Retryable != c.broken.retry {
			t.Errorf("%s, broken: maybe applied %v, retryable %v", c.what, err.MaybeApplied, err.Retryable)
		}
		call = prepare(3)
		call.Expired(c.sent)
		if err := failure(t, call, errs.Timeout); err.MaybeApplied != c.expired.maybe || err.Retryable != c.expired.retry {
			t.Errorf("%s, expired: maybe applied %v, retryable %v", c.what, err.MaybeApplied, err.Retryable)
		}
		call = prepare(3)
		call.Cancel(errs.New(errs.Canceled, "given up"), c.sent)
		if err := failure(t, call, errs.Canceled); err.MaybeApplied != c.expired.maybe {
			t.Errorf("%s, cancelled: maybe applied %v", c.what, err.MaybeApplied)
		}
	}
}

// The attempt that may have been applied need not be the last one.
func TestAnEarlierAttemptIsRemembered(t *testing.T) {
	for what, last := range map[string]func(c *Call){
		"not reached":  func(c *Call) { c.Broken(start+second, connection(), false) },
		"expired":      func(c *Call) { c.Expired(false) },
		"cancelled":    func(c *Call) { c.Cancel(errs.New(errs.Canceled, "x"), false) },
		"refused then": func(c *Call) { c.Reply(value.Nil, errs.FromServer("Memory limit exceeded")) },
	} {
		c := begin(t, steady(1), "kv.set", str("k"), str("v"))
		c.Broken(start, connection(), true)
		last(c)
		if _, err := c.Result(); err == nil || !err.MaybeApplied {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A server that refuses a command has not carried it out, whatever it is.
func TestRefusedCommandsWereNotApplied(t *testing.T) {
	c := begin(t, steady(3), "queue.publish", str("q"), value.BytesOf("x"))
	c.Reply(value.Nil, errs.FromServer("Queue is full: q"))
	if err := failure(t, c, errs.ResourceExhausted); err.MaybeApplied || !err.Retryable || err.Status != 507 {
		t.Errorf("%+v", err)
	}
	// Of several steps the others were sent too.
	c = begin(t, steady(3), "kv.mset", pairs("a", "1", "b", "2"))
	c.Reply(value.Nil, errs.FromServer("Memory limit exceeded"))
	if err := failure(t, c, errs.ResourceExhausted); !err.MaybeApplied {
		t.Errorf("%+v", err)
	}
	c = begin(t, steady(3), "kv.mget", strs("a", "b"))
	c.Reply(value.Nil, errs.FromServer("Internal error: x"))
	if err := failure(t, c, errs.Server); err.MaybeApplied {
		t.Errorf("%+v", err)
	}
	// A gateway that fails knows nothing: only what may be repeated stays retryable.
	gateway := func() *errs.Error {
		return &errs.Error{Code: errs.Server, Status: 503, Message: "x", Retryable: true, MaybeApplied: true}
	}
	c = begin(t, steady(3), "kv.incr", str("k"))
	c.Reply(value.Nil, gateway())
	if err := failure(t, c, errs.Server); !err.MaybeApplied || err.Retryable {
		t.Errorf("%+v", err)
	}
	c = begin(t, steady(3), "kv.get", str("k"))
	c.Reply(value.Nil, gateway())
	if err := failure(t, c, errs.Server); err.MaybeApplied || !err.Retryable {
		t.Errorf("%+v", err)
	}
}

// Only a broken connection is worth another attempt.
func TestOtherFailuresAreNotRepeated(t *testing.T) {
	for _, code := range []errs.Code{errs.TooLarge, errs.Protocol, errs.Closed} {
		c := begin(t, steady(3), "kv.get", str("k"))
		c.Broken(start, errs.New(code, "x"), true)
		if err := failure(t, c, code); err.Retryable || err.MaybeApplied {
			t.Errorf("%+v", err)
		}
	}
}

func TestWaitsDoubleUpToACapAndAreSpread(t *testing.T) {
	p := steady(20)
	state := uint64(1)
	p.Rand = func() uint64 { // xorshift
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		return state
	}
	for attempt, want := range []time.Duration{50, 100, 200, 400, 800, 1600, 2000, 2000, 2000} {
		limit, shortest, longest := want*time.Millisecond, time.Hour, time.Duration(0)
		for range 1000 {
			d := p.BackoffFor(attempt)
			shortest, longest = min(shortest, d), max(longest, d)
		}
		// Full jitter: anything from nothing to the limit.
		if longest >= limit || longest < limit*9/10 || shortest > limit/10 {
			t.Errorf("waits before attempt %d are from %v to %v, not from 0 to %v", attempt+2, shortest, longest, limit)
		}
	}
	// A call goes through them one after the other.
	c := &Call{}
	c.Start(p, HTTP, lookup(t, "kv.get"), []value.Value{str("k")}, start+3600*second)
	p.Rand = func() uint64 { return uint64(150 * time.Millisecond) }
	for attempt, want := range []int64{0, 50, 150, 150} {
		c.Broken(start, connection(), true)
		if got := c.WakeAt() - start; c.Done() || got != want*int64(time.Millisecond) {
			t.Fatalf("wait %d is %v", attempt+1, time.Duration(got))
		}
	}
	p = steady(3)
	p.Backoff = 0
	if got := p.BackoffFor(5); got != 0 {
		t.Errorf("no backoff waits %v", got)
	}
	// A first wait beyond the cap is what the user asked for.
	p.Backoff, p.Rand = 30*time.Second, func() uint64 { return uint64(29 * time.Second) }
	if got := p.BackoffFor(4); got != 29*time.Second {
		t.Errorf("%v", got)
	}
}

func TestMaxRetriesCountsFurtherAttempts(t *testing.T) {
	for retries := range 4 {
		c := begin(t, steady(retries), "kv.get", str("k"))
		attempts := 0
		for !c.Done() {
			attempts++
			c.Broken(start, connection(), true)
		}
		if attempts != retries+1 {
			t.Errorf("max_retries %d makes %d attempts", retries, attempts)
		}
		failure(t, c, errs.Connection)
	}
}

func TestNoAttemptStartsAfterTheDeadline(t *testing.T) {
	p := steady(100)
	c := begin(t, p, "kv.get", str("k"))
	now := start
	for !c.Done() {
		if c.WakeAt() >= c.Deadline {
			t.Fatal("waits beyond the deadline")
		}
		now = max(now, c.WakeAt())
		c.Broken(now, connection(), true)
	}
	if err := failure(t, c, errs.Connection); !err.Retryable || now > c.Deadline {
		t.Errorf("%v", err)
	}
	c = begin(t, p, "kv.get", str("k"))
	c.Broken(c.Deadline, connection(), false)
	failure(t, c, errs.Connection)
}

// In an outage every call would repeat itself; the budget keeps that from
// multiplying the load.
func TestRetryBudgetInALongOutage(t *testing.T) {
	p := steady(10)
	const calls = 10_000
	attempts := 0
	for range calls {
		p.Started()
		c := begin(t, p, "kv.get", str("k"))
		for !c.Done() {
			attempts++
			c.Broken(start, connection(), true)
		}
	}
	if extra := attempts - calls; extra > calls/budgetShare*5/4 || extra < calls/budgetShare/2 {
		t.Errorf("%d calls made %d further attempts", calls, extra)
	}
	// A few failures in a quiet client are always repeated.
	p = steady(3)
	for n := range 6 {
		p.Started()
		c := begin(t, p, "kv.get", str("k"))
		c.Broken(start, connection(), true)
		if c.Done() {
			t.Fatalf("call %d of a fresh client is not repeated", n+1)
		}
	}
	// The budget comes back with calls that succeed.
	for range 5000 {
		p.Started()
	}
	for n := range 100 {
		c := begin(t, p, "kv.get", str("k"))
		c.Broken(start, connection(), true)
		if c.Done() {
			t.Fatalf("call %d after the outage is not repeated", n+1)
		}
	}
}

func TestARepeatedCallSendsOnlyWhatIsLeft(t *testing.T) {
	c := begin(t, steady(3), "kv.mget", strs("a", "b", "c"))
	c.Reply(str("1"), nil)
	c.Broken(start, connection(), true)
	if got := c.Steps(); len(got) != 2 || sent(got[0]) != `kv.get {"key":"b"}` {
		t.Fatalf("%d steps left", len(got))
	}
	c.Reply(value.Nil, nil)
	c.Reply(str("3"), nil)
	if v := result(t, c); !value.Equal(v, value.Array(str("1"), value.Nil, str("3"))) {
		t.Error("the parts were put together wrongly")
	}
}

func TestRawCommands(t *testing.T) {
	raw := func(name string) *Call {
		c := &Call{}
		c.StartRaw(steady(3), HTTP, name, value.Nil, start+second)
		return c
	}
	c := raw("kv.mget")
	if !c.Raw() || sent(c.Steps()[0]) != "kv.mget null" {
		t.Errorf("%s", sent(c.Steps()[0]))
	}
	c.Reply(js(t, `{"values":[null,{"a":1}]}`), nil)
	if v := result(t, c); !value.Equal(v, js(t, `{"values":[null,{"a":1}]}`)) {
		t.Error("the reply of a raw command is the server's own")
	}
	// The server's placeholder is what the envelope answers.
	c = raw("kv.get")
	c.Reply(str("<binary data: 3 bytes>"), nil)
	if v := result(t, c); !value.Equal(v, str("<binary data: 3 bytes>")) {
		t.Error("the reply of a raw command was changed")
	}
	// Reads are repeated, what the table does not know is not.
	c = raw("kv.get")
	c.Broken(start, connection(), true)
	if c.Done() {
		t.Error("a raw read is not repeated")
	}
	c.Expired(true)
	if err := failure(t, c, errs.Timeout); err.MaybeApplied {
		t.Error("a read was applied")
	}
	for _, name := range []string{"no.such", "kv.incr", "pubsub.subscribe"} {
		c = raw(name)
		c.Broken(start, connection(), true)
		if err := failure(t, c, errs.Connection); !err.MaybeApplied || err.Retryable || err.Command != name {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

func TestRepliesOfAnotherShapeAreErrors(t *testing.T) {
	k := str("k")
	for name, c := range map[string]struct {
		command string
		args    []value.Value
		reply   string
	}{
		"no member":             {"kv.incr", []value.Value{k}, `{}`},
		"text for an integer":   {"kv.incr", []value.Value{k}, `{"value":"7"}`},
		"float for an integer":  {"kv.incr", []value.Value{k}, `{"value":7.0}`},
		"over int64":            {"kv.incr", []value.Value{k}, `{"value":9223372036854775808}`},
		"null for an integer":   {"kv.incr", []value.Value{k}, `{"value":null}`},
		"text for a boolean":    {"kv.delete", []value.Value{k}, `{"deleted":"true"}`},
		"null for an object":    {"kv.delete", []value.Value{k}, `null`},
		"a list for an object":  {"kv.delete", []value.Value{k}, `[true]`},
		"an object for a value": {"kv.get", []value.Value{k}, `{"value":"x"}`},
		"a number for a value":  {"kv.get", []value.Value{k}, `5`},
		"true for a value":      {"kv.get", []value.Value{k}, `true`},
		"numbers for keys":      {"kv.keys", nil, `{"keys":["a",5]}`},
		"text for keys":         {"kv.keys", nil, `{"keys":"a"}`},
		"bytes for keys":        {"kv.keys", nil, `{"keys":[1,2]}`},
		"half a record":         {"queue.stats", []value.Value{k}, `{"depth":1}`},
		"a list for a record":   {"queue.stats", []value.Value{k}, `[]`},
		"a bad payload":         {"queue.consume", []value.Value{k, k}, `{"message":{"id":"i","payload":"text","priority":5,"retry_count":0,"max_retries":3}}`},
		"events that are none":  {"stream.consume", []value.Value{k, k}, `{"events":[{}]}`},
		"data that is no JSON":  {"stream.consume", []value.Value{k, k}, `{"events":[{"offset":0,"event":"e","data":[123],"timestamp":1,"id":"i"}]}`},
		"data that is text":     {"stream.consume", []value.Value{k, k}, `{"events":[{"offset":0,"event":"e","data":"{}","timestamp":1,"id":"i"}]}`},
	} {
		call := begin(t, steady(3), c.command, c.args...)
		call.Reply(js(t, c.reply), nil)
		if err := failure(t, call, errs.Protocol); err.MaybeApplied != call.cmd.Traits.Mutates || err.Command != c.command {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

func TestRepliesBecomeWhatTheTablePromises(t *testing.T) {
	k := str("k")
	i := value.Int
	for name, c := range map[string]struct {
		command string
		args    []value.Value
		reply   string
		want    value.Value
	}{
		"nothing":                    {"stream.create", []value.Value{k}, `{"success":true,"room":"k"}`, value.Nil},
		"a boolean":                  {"kv.delete", []value.Value{k}, `{"deleted":false}`, value.Bool(false)},
		"an integer":                 {"kv.incr", []value.Value{k}, `{"value":-9223372036854775808}`, i(math.MinInt64)},
		"a TTL":                      {"kv.ttl", []value.Value{k}, `{"ttl":9}`, i(9)},
		"no TTL":                     {"kv.ttl", []value.Value{k}, `{"ttl":null}`, value.Nil},
		"text that looks like more":  {"kv.get", []value.Value{k}, `"{\"a\":1}"`, str(`{"a":1}`)},
		"the text null":              {"kv.get", []value.Value{k}, `"null"`, str("null")},
		"a missing key":              {"kv.get", []value.Value{k}, `null`, value.Nil},
		"bytes of a text":            {"kv.get_bytes", []value.Value{k}, `"é"`, value.BytesOf("é")},
		"no bytes":                   {"kv.get_bytes", []value.Value{k}, `null`, value.Nil},
		"JSON":                       {"kv.get_json", []value.Value{k}, `"{\"a\":[1,2.0]}"`, js(t, `{"a":[1,2.0]}`)},
		"no JSON at all":             {"kv.get_json", []value.Value{k}, `null`, value.Nil},
		"the JSON null":              {"kv.get_json", []value.Value{k}, `"null"`, value.Nil},
		"a set":                      {"kv.set", []value.Value{k, k}, `{"success":true}`, value.Bool(true)},
		"a conditional set":          {"kv.set", []value.Value{k, k, value.Nil, value.Bool(true)}, `{"success":true,"key":"k","written":false}`, value.Bool(false)},
		"a script that says 1":       {"kv.msetnx", []value.Value{pairs("a", "b")}, `{"result":1,"sha1":"x"}`, value.Bool(true)},
		"a script that says 0":       {"kv.msetnx", []value.Value{pairs("a", "b")}, `{"result":0,"sha1":"x"}`, value.Bool(false)},
		"keys":                       {"kv.scan", nil, `{"keys":["a",""],"count":2}`, strs("a", "")},
		"nested members of a record": {"kv.stats", nil, `{"total_keys":1,"total_memory_bytes":2,"operations":{"gets":3,"sets":4,"dels":5,"hits":6,"misses":7},"hit_rate":0.5}`, value.Array(i(1), i(2), i(3), i(4), i(5), i(6), i(7), value.Float(0.5))},
		"an integer for a float":     {"kv.stats", nil, `{"total_keys":1,"total_memory_bytes":2,"operations":{"gets":3,"sets":4,"dels":5,"hits":6,"misses":7},"hit_rate":0}`, value.Array(i(1), i(2), i(3), i(4), i(5), i(6), i(7), value.Float(0))},
		"a message":                  {"queue.consume", []value.Value{k, k}, `{"message":{"id":"i","payload":[0,255],"priority":5,"retry_count":0,"max_retries":3,"headers":{}}}`, value.Array(str("i"), value.BytesOf("\x00\xff"), i(5), i(0), i(3))},
		"an empty message":           {"queue.consume", []value.Value{k, k}, `{"message":{"id":"i","payload":[],"priority":5,"retry_count":0,"max_retries":3,"headers":{}}}`, value.Array(str("i"), value.BytesOf(""), i(5), i(0), i(3))},
		"events":                     {"stream.consume", []value.Value{k, k}, `{"events":[{"id":"i","offset":3,"room":"k","event":"e","data":[123,34,97,34,58,49,46,48,125],"timestamp":9,"metadata":{}}],"next_offset":4}`, value.Array(value.Array(i(3), str("e"), js(t, `{"a":1.0}`), i(9), str("i")))},
		"no events":                  {"stream.consume", []value.Value{k, k}, `{"events":[],"next_offset":0}`, value.Array()},
		"an event of null":           {"stream.consume", []value.Value{k, k}, `{"events":[{"id":"i","offset":0,"room":"k","event":"e","data":[110,117,108,108],"timestamp":9,"metadata":{}}],"next_offset":1}`, value.Array(value.Array(i(0), str("e"), value.Nil, i(9), str("i")))},
		"a published message":        {"pubsub.publish", []value.Value{k, k}, `{"message_id":"m","topic":"k","subscribers_matched":2}`, value.Array(str("m"), i(2))},
	} {
		call := begin(t, steady(3), c.command, c.args...)
		if c.command == "queue.consume" {
			call.policy.learnQueue("k")
		}
		call.Reply(js(t, c.reply), nil)
		if v := result(t, call); !value.Equal(v, c.want) {
			got, _ := value.AppendJSON(nil, v)
			t.Errorf("%s: %s %s", name, v.Kind(), got)
		}
	}
	c := begin(t, steady(3), "kv.get_json", k)
	c.Reply(str("{not json"), nil)
	if err := failure(t, c, errs.InvalidArgument); !strings.Contains(err.Message, "get_bytes") || err.MaybeApplied {
		t.Errorf("%v", err)
	}
}

// The engine is called on its raw face; it answers bytes as bytes.
func TestTheEngineIsAskedDirectly(t *testing.T) {
	direct := func(name string, args ...value.Value) *Call {
		c := &Call{}
		c.Start(steady(0), Direct, command.Lookup(name), args, start+second)
		return c
	}
	for _, c := range []struct {
		call *Call
		want string
	}{
		{direct("kv.set", str("k"), str("v"), value.Nil, value.Bool(true)), `kv.set {"key":"k","value":"v","nx":true}`},
		{direct("kv.mset", pairs("a", "1")), `kv.mset {"pairs":[{"key":"a","value":"1"}]}`},
		{direct("kv.msetnx", pairs("a", "1")), `kv.msetnx {"pairs":[{"key":"a","value":"1"}]}`},
		{direct("kv.append", str(""), str("x")), `kv.append {"key":"","value":"x"}`},
		{direct("kv.mget", strs()), `kv.mget {"keys":[]}`},
	} {
		if got := sent(c.call.Steps()[0]); got != c.want || c.call.Raw() {
			t.Errorf("%s, not %s", got, c.want)
		}
	}
	c := direct("kv.get", str("k"))
	c.Reply(value.BytesOf("\xff"), nil)
	if v := result(t, c); !value.Equal(v, value.BytesOf("\xff")) {
		t.Error("bytes came back as something else")
	}
	// What looks like a placeholder is data here.
	c = direct("kv.get", str("k"))
	c.Reply(str("<binary data: 3 bytes>"), nil)
	if v := result(t, c); !value.Equal(v, str("<binary data: 3 bytes>")) {
		t.Error("the engine has no placeholders")
	}
	c = direct("kv.mget", strs("a", "b"))
	c.Reply(value.Map(str("values"), value.Array(value.BytesOf("\xff"), value.Nil)), nil)
	if v := result(t, c); !value.Equal(v, value.Array(value.BytesOf("\xff"), value.Nil)) {
		t.Error("mget answers wrongly")
	}
}
