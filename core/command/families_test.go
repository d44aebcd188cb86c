package command

import (
	"math"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func jsonOf(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.ParseJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What ends a 1.3.1 server as a raw command is refused of typed calls too
// (protocol: http-data 14), and so is what the server takes for something else.
func TestTypedCallsAreGuarded(t *testing.T) {
	s, i, f, b := value.Str, value.Int, value.Float, value.Bool
	none := value.Nil
	place := func(lat, lon float64) value.Value { return list(list(f(lat), f(lon), s("m"))) }
	fields := func(text string) []value.Value { return []value.Value{s("k"), jsonOf(t, text)} }
	for quirk, c := range map[string]struct {
		command string
		args    []value.Value
		message string // "" if the call is harmless
	}{
		"SETBIT far out allocates up to there":               {"bitmap.setbit", []value.Value{s("k"), i(maxOffset + 1), i(1)}, "offset must be from 0"},
		"SETBIT before the start aborts the server":          {"bitmap.setbit", []value.Value{s("k"), i(-1), i(1)}, "offset must be from 0"},
		"SETBIT at the largest offset":                       {"bitmap.setbit", []value.Value{s("k"), i(maxOffset), i(0)}, ""},
		"SETBIT of 257 sets 1":                               {"bitmap.setbit", []value.Value{s("k"), i(1), i(257)}, "value must be from 0 to 1"},
		"BITPOS scans bit by bit up to end":                  {"bitmap.bitpos", []value.Value{s("k"), i(1), none, i(1_000_000_000_000)}, "end must be from 0"},
		"BITFIELD far out allocates up to there":             {"bitmap.bitfield", fields(`[{"operation":"SET","offset":9223372036854775808,"width":8,"value":1}]`), "element 0: offset must be an integer from 0 to 536870912"},
		"BITFIELD takes an unknown overflow for WRAP":        {"bitmap.bitfield", fields(`[{"operation":"INCRBY","offset":0,"width":8,"increment":1,"overflow":"sat"}]`), "overflow must be WRAP, SAT or FAIL"},
		"BITFIELD misreads fields of 64 bits":                {"bitmap.bitfield", fields(`[{"operation":"GET","offset":0,"width":64}]`), "width must be an integer from 1 to 63"},
		"BITFIELD SET without a value":                       {"bitmap.bitfield", fields(`[{"operation":"SET","offset":0,"width":8}]`), "value must be an integer"},
		"BITFIELD of an unknown operation":                   {"bitmap.bitfield", fields(`[{"operation":"get","offset":0,"width":8}]`), "operation must be GET, SET or INCRBY"},
		"BITFIELD signed by a number":                        {"bitmap.bitfield", fields(`[{"operation":"GET","offset":0,"width":8,"signed":1}]`), "must be a boolean in signed"},
		"BITFIELD of a number":                               {"bitmap.bitfield", fields(`[5]`), "element 0: must be an object, not int"},
		"BITFIELD of an object":                              {"bitmap.bitfield", fields(`{}`), "operations must be a list of operations"},
		"BITFIELD of all operations":                         {"bitmap.bitfield", fields(`[{"operation":"GET","offset":0,"width":63,"signed":true},{"operation":"SET","offset":536870912,"width":1,"value":-1},{"operation":"INCRBY","offset":0,"width":8,"increment":1,"overflow":"FAIL"}]`), ""},
		"ZCOUNT with min over max ends the server":           {"sortedset.zcount", []value.Value{s("k"), f(2), f(1)}, "min must not be above max"},
		"ZRANGEBYSCORE with min over max ends the server":    {"sortedset.zrangebyscore", []value.Value{s("k"), i(2), f(1.5)}, "min must not be above max"},
		"ZRANGEBYSCORE with scores, min over max":            {"sortedset.zrangebyscore_with_scores", []value.Value{s("k"), f(2), i(1)}, "min must not be above max"},
		"ZREMRANGEBYSCORE with min over max ends the server": {"sortedset.zremrangebyscore", []value.Value{s("k"), f(0), f(-0.5)}, "min must not be above max"},
		"ZCOUNT of one score":                                {"sortedset.zcount", []value.Value{s("k"), f(1), i(1)}, ""},
		"ZINTERSTORE with too few weights ends the server":   {"sortedset.zinterstore", []value.Value{s("d"), list(s("a"), s("b")), list(f(1))}, "weights must hold a number for each key"},
		"ZUNIONSTORE with no weights ends the server":        {"sortedset.zunionstore", []value.Value{s("d"), list(s("a")), list()}, "weights must hold a number for each key"},
		"ZUNIONSTORE with weights":                           {"sortedset.zunionstore", []value.Value{s("d"), list(s("a"), s("b")), list(f(1), i(2))}, ""},
		"ZREMRANGEBYRANK back past the start removes all":    {"sortedset.zremrangebyrank", []value.Value{s("k"), i(0), i(-101)}, "stop must be from -2"},
		"ZREMRANGEBYRANK to the last but one":                {"sortedset.zremrangebyrank", []value.Value{s("k"), i(0), i(-2)}, ""},
		"an aggregate of another name means SUM":             {"sortedset.zunionstore", []value.Value{s("d"), list(s("a")), none, s("avg")}, "aggregate must be sum, min or max"},
		"ZADD with gt and lt":                                {"sortedset.zadd", []value.Value{s("k"), s("m"), f(1), none, none, b(true), b(true)}, "gt and lt exclude each other"},
		"ZADD of infinity":                                   {"sortedset.zadd", []value.Value{s("k"), s("m"), f(math.Inf(1))}, "score must be finite"},
		"longitude 180 spills into the latitude":             {"geospatial.geoadd", []value.Value{s("k"), place(10, 180)}, "write longitude 180 as -180"},
		"a longitude that rounds to 180 spills too":          {"geospatial.geoadd", []value.Value{s("k"), place(10, 179.9999999)}, "write longitude 180 as -180"},
		"longitude -180":                                     {"geospatial.geoadd", []value.Value{s("k"), place(90, -180)}, ""},
		"longitude before latitude, where it shows":          {"geospatial.geoadd", []value.Value{s("k"), place(151.2, -33.8)}, "the latitude, which comes first"},
		"places without coordinates":                         {"geospatial.geoadd", []value.Value{s("k"), list(list(s("a"), f(1), s("m")))}, "the latitude, which comes first"},
		"GEOADD of nothing":                                  {"geospatial.geoadd", []value.Value{s("k"), list()}, "locations must not be empty"},
		"a centre off the map":                               {"geospatial.georadius", []value.Value{s("k"), f(91), f(0), f(1)}, "lat must be from -90 to 90"},
		"an unknown unit means metres on RESP3":              {"geospatial.geodist", []value.Value{s("k"), s("a"), s("b"), s("yd")}, "unit must be m, km, mi or ft"},
		"without distances the server does not sort":         {"geospatial.georadius", []value.Value{s("k"), f(0), f(0), f(1), none, b(false), none, none, s("ASC")}, "sort needs with_dist"},
		"without distances count drops any":                  {"geospatial.geosearch_box_by_member", []value.Value{s("k"), s("m"), f(1), f(1), none, b(false), none, i(1)}, "count needs with_dist"},
		"without distances all":                              {"geospatial.georadius", []value.Value{s("k"), i(0), i(0), f(1), none, b(false)}, ""},
		"SADD of nothing leaves an empty set":                {"set.add", []value.Value{s("k"), list()}, "members must not be empty"},
		"PFADD of nothing makes an empty HyperLogLog":        {"hyperloglog.pfadd", []value.Value{s("k"), list()}, "elements must not be empty"},
		"PFMERGE of nothing":                                 {"hyperloglog.pfmerge", []value.Value{s("k"), list()}, "sources must not be empty"},
		"PFMERGE of the empty key":                           {"hyperloglog.pfmerge", []value.Value{s("k"), list(s(""))}, ""},
		"BITOP of another name":                              {"bitmap.bitop", []value.Value{s("d"), s("and"), list(s("a"))}, "operation must be AND, OR, XOR or NOT"},
	} {
		_, err := Lookup(c.command).Validate(c.args)
		switch {
		case c.message == "" && err != nil:
			t.Errorf("%s: harmless, and refused: %v", quirk, err)
		case c.message != "" && err == nil:
			t.Errorf("%s: sent", quirk)
		case err != nil && (err.Code != errs.InvalidArgument || err.Command != c.command || !strings.Contains(err.Message, c.message)):
			t.Errorf("%s: %v, not %q", quirk, err, c.message)
		}
	}
}

// SynapRPC has latitude before longitude, but for GEOSEARCH; RESP3 has longitude
// first throughout (protocol: synaprpc quirk 14). The forms of the table say which.
func TestGeoFormsNameTheOrderOfTheirWire(t *testing.T) {
	for _, c := range geospatialFamily.Commands {
		for wire, n := range map[string]*Native{"SynapRPC": c.RPC, "RESP3": c.RESP3} {
			if n == nil {
				continue
			}
			lat, lon := strings.Index(n.Args, " lat "), strings.Index(n.Args, " lon ")
			first := "lonlat"
			if wire == "SynapRPC" && c.ServerName() != "geospatial.geosearch" {
				first = "latlon"
			}
			if lat >= 0 && (lat < lon) != (first == "latlon") {
				t.Errorf("%s on %s: %s is not %s", c.Name, wire, n.Args, first)
			}
			if strings.Contains(n.Args, "locations") && !strings.Contains(n.Args, ":"+first) {
				t.Errorf("%s on %s: %s is not %s", c.Name, wire, n.Args, first)
			}
			replies := map[string]string{"SynapRPC": "latlon-", "RESP3": "lonlat-"}[wire]
			if strings.Contains(n.Reply, "l") && strings.Contains(n.Reply, "-") && !strings.HasPrefix(n.Reply, replies) {
				t.Errorf("%s on %s: the reply is %s, not %s", c.Name, wire, n.Reply, replies)
			}
		}
		// In the table and so in every host latitude stands first.
		lat, lon := -1, -1
		for i := range c.Args {
			switch c.Args[i].Name {
			case "lat":
				lat = i
			case "lon":
				lon = i
			}
		}
		if (lat >= 0) != (lon >= 0) || lat > lon {
			t.Errorf("%s: the arguments have no latitude before longitude", c.Name)
		}
	}
}
