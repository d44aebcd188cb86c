package session

import (
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// native is a native step as the tests write it: the name, and the arguments as
// JSON with bytes as text.
func native(t *testing.T, s Step) string {
	t.Helper()
	items := make([]value.Value, len(s.Args))
	for i, a := range s.Args {
		items[i] = a
		if b, ok := a.AsBlob(); ok {
			items[i] = value.Str(b)
		}
	}
	text, err := value.AppendJSON(nil, value.Array(items...))
	if err != nil {
		t.Fatal(err)
	}
	return s.Name + " " + string(text)
}

func floatsOf(numbers ...float64) []value.Value {
	out := make([]value.Value, len(numbers))
	for i, n := range numbers {
		out[i] = value.Float(n)
	}
	return out
}

func call(t *testing.T, wire Wire, name string, args ...value.Value) *Call {
	t.Helper()
	c := &Call{}
	c.Start(steady(0), wire, lookup(t, name), args, start+second)
	if c.Done() {
		_, err := c.Result()
		t.Fatalf("%s is not sent: %v", name, err)
	}
	return c
}

// Every wire has its own order of coordinates; callers have latitude first on all of
// them (protocol: synaprpc quirk 14, http-data quirk 16).
func TestCoordinatesInTheOrderOfEachWire(t *testing.T) {
	at := floatsOf(37, 15, 200)
	berlin := value.Array(value.Array(value.Float(52.5), value.Int(13), str("berlin")))
	for _, c := range []struct {
		command          string
		args             []value.Value
		http, rpc, resp3 string
	}{
		{"geospatial.geoadd", []value.Value{str("g"), berlin, value.Nil, value.Bool(true)},
			`geospatial.geoadd {"key":"g","locations":[{"lat":52.5,"lon":13.0,"member":"berlin"}],"xx":true}`,
			`GEOADD ["g","XX",52.5,13.0,"berlin"]`, `GEOADD ["g","XX",13.0,52.5,"berlin"]`},
		{"geospatial.georadius", []value.Value{str("g"), at[0], at[1], at[2], str("km"), value.Nil, value.Bool(true), value.Int(3), str("DESC")},
			`geospatial.georadius {"key":"g","center_lat":37.0,"center_lon":15.0,"radius":200.0,"unit":"km","with_dist":true,"with_coord":true,"count":3,"sort":"DESC"}`,
			`GEORADIUS ["g",37.0,15.0,200.0,"km","WITHDIST","WITHCOORD","COUNT",3,"DESC"]`, `GEORADIUS ["g",15.0,37.0,200.0,"km","WITHDIST","WITHCOORD","COUNT",3,"DESC"]`},
		{"geospatial.geosearch", []value.Value{str("g"), at[0], at[1], at[2], value.Nil, value.Bool(false)},
			`geospatial.geosearch {"key":"g","with_dist":false,"from_lonlat":[15.0,37.0],"by_radius":[200.0,"m"]}`,
			`GEOSEARCH ["g","FROMLONLAT",15.0,37.0,"BYRADIUS",200.0,"m"]`, `GEOSEARCH ["g","FROMLONLAT",15.0,37.0,"BYRADIUS",200.0,"m"]`},
		{"geospatial.geosearch_box", []value.Value{str("g"), at[0], at[1], at[2], value.Float(9)},
			`geospatial.geosearch {"key":"g","with_dist":true,"from_lonlat":[15.0,37.0],"by_box":[200.0,9.0,"m"]}`,
			`GEOSEARCH ["g","FROMLONLAT",15.0,37.0,"BYBOX",200.0,9.0,"m","WITHDIST"]`, `GEOSEARCH ["g","FROMLONLAT",15.0,37.0,"BYBOX",200.0,9.0,"m","WITHDIST"]`},
		{"geospatial.geosearch_box_by_member", []value.Value{str("g"), str("m"), at[2], value.Float(9), str("ft")},
			`geospatial.geosearch {"key":"g","from_member":"m","with_dist":true,"by_box":[200.0,9.0,"ft"]}`,
			`GEOSEARCH ["g","FROMMEMBER","m","BYBOX",200.0,9.0,"ft","WITHDIST"]`, `GEOSEARCH ["g","FROMMEMBER","m","BYBOX",200.0,9.0,"ft","WITHDIST"]`},
	} {
		for wire, want := range map[Wire]string{HTTP: c.http, Direct: c.http, RPC: c.rpc, RESP3: c.resp3} {
			step := call(t, wire, c.command, c.args...).Steps()[0]
			got := sent(step)
			if wire.Native() {
				got = native(t, step)
			}
			if got != want {
				t.Errorf("%s on wire %d:\n%s, not\n%s", c.command, wire, got, want)
			}
		}
	}
}

// What comes back is turned round too: (37.5, 15) is a latitude and a longitude.
func TestCoordinatesOfReplies(t *testing.T) {
	found := value.Array(value.Array(str("Catania"), value.Float(56.4), value.Float(37.5), value.Float(15)))
	for wire, reply := range map[Wire]string{
		HTTP:  `{"key":"g","results":[{"member":"Catania","distance":56.4,"coord":{"lat":37.5,"lon":15.0}}]}`,
		RPC:   `[["Catania",56.4,[37.5,15.0]]]`,
		RESP3: `[["Catania","56.4000",["15.000000","37.500000"]]]`,
	} {
		c := call(t, wire, "geospatial.georadius", str("g"), value.Int(37), value.Int(15), value.Int(200))
		c.Reply(js(t, reply), nil)
		if v := result(t, c); !value.Equal(v, found) {
			t.Errorf("wire %d: another place than %s", wire, reply)
		}
	}
	for wire, reply := range map[Wire]string{RPC: `[[37.5,15.0],null]`, RESP3: `[["15","37.5"],null]`} {
		c := call(t, wire, "geospatial.geopos", str("g"), strs("a", "b"))
		c.Reply(js(t, reply), nil)
		if v := result(t, c); !value.Equal(v, value.Array(value.Array(floatsOf(37.5, 15)...), value.Nil)) {
			t.Errorf("wire %d: another place than %s", wire, reply)
		}
	}
	// A raw command has the envelope's reply, and what absence means in its payload.
	c := &Call{}
	c.StartRaw(steady(0), RESP3, "geospatial.georadius", js(t, `{"key":"g","center_lat":37,"center_lon":15,"radius":200}`), start+second)
	if got := native(t, c.Steps()[0]); got != `GEORADIUS ["g",15.0,37.0,200.0,"m"]` {
		t.Error(got)
	}
	c.Reply(js(t, `["Catania"]`), nil)
	if v := result(t, c); !value.Equal(v, js(t, `{"results":[{"member":"Catania"}],"key":"g"}`)) {
		t.Error("not the envelope's reply")
	}
	for _, bad := range []string{`[["m",1,[1]]]`, `[[1]]`, `["m",["m","x"],["m",1,["a","b"]]]`, `{}`, `[[["m"]]]`} {
		c := call(t, RPC, "geospatial.georadius", str("g"), value.Int(37), value.Int(15), value.Int(200))
		c.Reply(js(t, bad), nil)
		failure(t, c, errs.Protocol)
	}
}

// zrange takes the members out of what the envelope has with scores; on native
// wires scores are a map or a flat list.
func TestMembersWithAndWithoutScores(t *testing.T) {
	const envelope = `{"members":[{"member":"a","score":1},{"member":"b","score":2.5}],"key":"z"}`
	scored := value.Array(value.Array(str("a"), value.Float(1)), value.Array(str("b"), value.Float(2.5)))
	for _, c := range []struct {
		wire          Wire
		command       string
		sends, answer string
		want          value.Value
	}{
		{HTTP, "sortedset.zrange", `sortedset.zrange {"key":"z"}`, envelope, strs("a", "b")},
		{Direct, "sortedset.zrange", `sortedset.zrange {"key":"z"}`, envelope, strs("a", "b")},
		{RPC, "sortedset.zrange", `ZRANGE ["z",0,-1]`, `["a","b"]`, strs("a", "b")},
		{HTTP, "sortedset.zrange_with_scores", `sortedset.zrange {"key":"z"}`, envelope, scored},
		{RPC, "sortedset.zrange_with_scores", `ZRANGE ["z",0,-1,"WITHSCORES"]`, `{"a":1,"b":2.5}`, scored},
		{RESP3, "sortedset.zrange_with_scores", `ZRANGE ["z",0,-1,"WITHSCORES"]`, `["a","1","b","2.5"]`, scored},
	} {
		got := call(t, c.wire, c.command, str("z"))
		step := sent(got.Steps()[0])
		if c.wire.Native() {
			step = native(t, got.Steps()[0])
		}
		if step != c.sends {
			t.Errorf("%s on wire %d sends %s", c.command, c.wire, step)
		}
		got.Reply(js(t, c.answer), nil)
		if v := result(t, got); !value.Equal(v, c.want) {
			t.Errorf("%s on wire %d: not what was asked", c.command, c.wire)
		}
	}
}

// The native wires tell floats from integers; 2 as a score goes out as 2.0.
func TestScoresAreFloats(t *testing.T) {
	if got := native(t, call(t, RPC, "sortedset.zadd", str("z"), str("m"), value.Int(2)).Steps()[0]); got != `ZADD ["z",2.0,"m"]` {
		t.Error(got)
	}
	c := call(t, RESP3, "sortedset.zscore", str("z"), str("m"))
	c.Reply(str("1e+20"), nil)
	if v := result(t, c); !value.Equal(v, value.Float(1e20)) {
		t.Error("not the score")
	}
	c = call(t, HTTP, "sortedset.zincrby", str("z"), str("m"), value.Float(1e308))
	c.Reply(js(t, `{"score":null,"key":"z"}`), nil)
	if err := failure(t, c, errs.Protocol); !err.MaybeApplied {
		t.Errorf("%+v", err)
	}
}

// With ch the envelope counts in another member, over HTTP and in the engine.
func TestChangedScoresAreCountedElsewhere(t *testing.T) {
	for _, wire := range []Wire{HTTP, Direct} {
		for ch, want := range map[bool]bool{true: true, false: false} {
			c := call(t, wire, "sortedset.zadd", str("z"), str("m"), value.Int(2), value.Nil, value.Nil, value.Nil, value.Nil, value.Bool(ch))
			c.Reply(js(t, `{"added":0,"changed":1,"key":"z"}`), nil)
			if got, _ := result(t, c).AsBool(); got != want {
				t.Errorf("wire %d, ch %v: %v", wire, ch, got)
			}
		}
	}
}

// Ranges of BITCOUNT are bits in an envelope and bytes on native wires, so none is
// sent there.
func TestRangesOfBytesAreNotRangesOfBits(t *testing.T) {
	for _, wire := range []Wire{RPC, RESP3} {
		c := &Call{}
		c.Start(steady(0), wire, lookup(t, "bitmap.bitcount"), []value.Value{str("b"), value.Int(8), value.Int(15)}, start+second)
		failure(t, c, errs.Unsupported)
		raw := &Call{}
		raw.StartRaw(steady(0), wire, "bitmap.bitcount", js(t, `{"key":"b","start":8}`), start+second)
		failure(t, raw, errs.Unsupported)
	}
}

// Bytes have a form in JSON where the server knows one: a list of numbers.
func TestBytesOfHyperLogLogs(t *testing.T) {
	elements := value.Array(str("a"), value.BytesOf("\x00\xff"))
	if got := sent(call(t, HTTP, "hyperloglog.pfadd", str("h"), elements).Steps()[0]); got != `hyperloglog.pfadd {"key":"h","elements":["a",[0,255]]}` {
		t.Error(got)
	}
	raw := &Call{}
	raw.StartRaw(steady(0), RPC, "hyperloglog.pfadd", js(t, `{"key":"h","elements":["a",[97],5,{"b":1}]}`), start+second)
	if got := native(t, raw.Steps()[0]); got != `PFADD ["h","a","a","5","{\"b\":1}"]` {
		t.Error(got)
	}
	for _, bad := range []string{`[null]`, `[[256]]`, `[["a"]]`} {
		raw := &Call{}
		raw.StartRaw(steady(0), RPC, "hyperloglog.pfadd", js(t, `{"key":"h","elements":`+bad+`}`), start+second)
		failure(t, raw, errs.InvalidArgument)
	}
	raw = &Call{}
	raw.StartRaw(steady(0), RPC, "hyperloglog.pfadd", js(t, `{"key":"h","elements":[]}`), start+second)
	failure(t, raw, errs.Unsupported)
}

// What the server lets pass on a native wire though the envelope does not.
func TestRawCommandsThatANativeWireMisreads(t *testing.T) {
	for quirk, c := range map[string]struct {
		command, payload string
		code             errs.Code
	}{
		"SETBIT takes the lowest bit of a number":  {"bitmap.setbit", `{"key":"b","offset":0,"value":2}`, errs.InvalidArgument},
		"SETBIT before the start kills the server": {"bitmap.setbit", `{"key":"b","offset":-1,"value":1}`, errs.InvalidArgument},
		"SETBIT far out kills the server":          {"bitmap.setbit", `{"key":"b","offset":9223372036854775807,"value":1}`, errs.InvalidArgument},
		"ZADD of a member that is a number":        {"sortedset.zadd", `{"key":"z","member":1,"score":1}`, errs.InvalidArgument},
		"PFMERGE of nothing":                       {"hyperloglog.pfmerge", `{"destination":"h","sources":[]}`, errs.InvalidArgument},
		"places without a member":                  {"geospatial.geoadd", `{"key":"g","locations":[{"lat":1,"lon":2}]}`, errs.InvalidArgument},
		"a search without a centre":                {"geospatial.geosearch", `{"key":"g","by_radius":[1,"m"]}`, errs.Unsupported},
		"CH does not count on SynapRPC":            {"geospatial.geoadd", `{"key":"g","locations":[],"ch":true}`, errs.Unsupported},
	} {
		raw := &Call{}
		raw.StartRaw(steady(0), RPC, c.command, js(t, c.payload), start+second)
		if !raw.Done() {
			t.Errorf("%s: sent", quirk)
			continue
		}
		failure(t, raw, c.code)
	}
	raw := &Call{}
	raw.StartRaw(steady(0), RESP3, "geospatial.geodist", js(t, `{"key":"g","member1":"a","member2":"b","unit":"yd"}`), start+second)
	failure(t, raw, errs.Unsupported) // RESP3 would answer in metres
}

// A reply that is not of its kind is an error, not a wrong result.
func TestRepliesOfTheNewKinds(t *testing.T) {
	for _, c := range []struct {
		command, reply string
		args           []value.Value
	}{
		{"sortedset.zscore", `{"score":"1"}`, []value.Value{str("z"), str("m")}},
		{"sortedset.zmscore", `{"scores":[1,"2"]}`, []value.Value{str("z"), strs("m")}},
		{"sortedset.zmscore", `{"scores":1}`, []value.Value{str("z"), strs("m")}},
		{"sortedset.zrange", `{"members":[5]}`, []value.Value{str("z")}},
		{"sortedset.zrange_with_scores", `{"members":[{"member":"a"}]}`, []value.Value{str("z")}},
		{"bitmap.bitfield", `{"results":[1,null]}`, []value.Value{str("b"), value.Array()}},
		{"geospatial.geopos", `{"coordinates":[5]}`, []value.Value{str("g"), strs("a")}},
		{"geospatial.georadius", `{"results":[{"member":"a","coord":{"lat":"x"}}]}`, []value.Value{str("g"), value.Int(1), value.Int(1), value.Int(1)}},
	} {
		got := call(t, HTTP, c.command, c.args...)
		got.Reply(js(t, c.reply), nil)
		failure(t, got, errs.Protocol)
	}
}
