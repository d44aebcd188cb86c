package native

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

var geoCommands = family{
	"GEOADD":            {run: geoAdd},
	"GEOPOS":            {params: []param{key, members}, name: "geospatial.geopos", reply: geoPositions},
	"GEOHASH":           {params: []param{key, members}, name: "geospatial.geohash", reply: part("geohashes")},
	"GEODIST":           {params: []param{key, {kind: blob, field: "member1"}, {kind: blob, field: "member2"}}, run: geoDistance},
	"GEORADIUS":         {params: []param{key, geoFirst, geoSecond, radius, unit}, run: geoRadius},
	"GEORADIUSBYMEMBER": {params: []param{key, member, radius, unit}, run: geoRadiusByMember},
	"GEOSEARCH":         {params: []param{key}, run: geoSearch},
	"GEOSTATS":          {wires: RPC, name: "geospatial.stats", reply: report("total_keys", "total_locations", "geoadd_count", "geodist_count", "georadius_count", "geopos_count", "geohash_count")},
}

// The wires give the two coordinates in different orders: SynapRPC latitude first,
// RESP3 longitude first (protocol: synaprpc quirk 14).
var (
	geoFirst  = param{kind: number, field: "first", complaint: "longitude must be a float"}
	geoSecond = param{kind: number, field: "second", complaint: "latitude must be a float"}
	radius    = param{kind: number, field: "radius", complaint: "radius must be a float"}
	unit      = param{kind: text, field: "unit"}
)

func (c *call) latLon(first, second value.Value) (lat, lon value.Value) {
	if c.wire == RPC {
		return first, second
	}
	return second, first
}

// geoAdd reads flags and then threes of coordinates and member.
func geoAdd(c *call) (Result, string) {
	if c.wire == RESP && len(c.args) < 4 {
		return Result{}, c.arity()
	}
	c.set("key", value.Str(c.text(0, "key")))
	i := 1
	for ; i < len(c.args); i++ {
		word := c.wordAt(i)
		if word != "NX" && word != "XX" && word != "CH" {
			break
		}
		c.set(strings.ToLower(word), value.Bool(true))
	}
	if c.wrong == "" && (len(c.args)-i)%3 != 0 {
		c.complain("wrong number of arguments for 'GEOADD': expected lat/lon/member triplets",
			"syntax error: expected longitude latitude member triplets")
	}
	var locations []value.Value
	for ; i < len(c.args) && c.wrong == ""; i += 3 {
		lat, lon := c.latLon(value.Float(c.float(i, geoFirst.complaint)), value.Float(c.float(i+1, geoSecond.complaint)))
		locations = append(locations, object(value.Str("lat"), lat, value.Str("lon"), lon, value.Str("member"), value.BytesOf(c.blob(i+2))))
	}
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	c.set("locations", value.Array(locations...))
	answer, errText := c.exec("geospatial.geoadd")
	return plain(answer.Field("added")), errText
}

// place writes coordinates: numbers on SynapRPC, text with six decimals on RESP3.
func (c *call) place(at value.Value) value.Value {
	if at.IsNil() {
		return at
	}
	lat, lon := at.Field("lat"), at.Field("lon")
	if c.wire == RPC {
		return value.Array(lat, lon)
	}
	return value.Array(decimals(lon, 6), decimals(lat, 6))
}

func (c *call) distance(d value.Value) value.Value {
	if c.wire == RESP {
		return decimals(d, 4)
	}
	return d
}

// decimals writes a number with a fixed number of decimals.
func decimals(v value.Value, n int) value.Value {
	f, ok := v.AsFloat()
	if !ok {
		return v
	}
	return value.Str(strconv.FormatFloat(f, 'f', n, 64))
}

func geoPositions(c *call, answer value.Value) Result {
	list := answer.Field("coordinates")
	places := make([]value.Value, list.Len())
	for i := range places {
		places[i] = c.place(list.Index(i))
	}
	return plain(value.Array(places...))
}

// unitOf is a unit as the engine takes it. On RESP3 what is none means metres.
func (c *call) unitOf(name string) value.Value {
	switch lower := strings.ToLower(name); {
	case c.wire == RPC:
		return value.Str(name)
	case lower == "m" || lower == "km" || lower == "mi" || lower == "ft":
		return value.Str(name)
	}
	return value.Str("m")
}

func geoDistance(c *call) (Result, string) {
	if len(c.args) > 3 {
		c.set("unit", c.unitOf(c.text(3, "unit")))
	}
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	answer, errText := c.exec("geospatial.geodist")
	return plain(c.distance(answer.Field("distance"))), errText
}

func geoRadius(c *call) (Result, string) {
	lat, lon := c.latLon(c.field("first"), c.field("second"))
	c.set("center_lat", lat)
	c.set("center_lon", lon)
	return c.around("geospatial.georadius", 5)
}

func geoRadiusByMember(c *call) (Result, string) {
	return c.around("geospatial.georadiusbymember", 4)
}

// around runs a search whose options begin at argument i.
func (c *call) around(name string, i int) (Result, string) {
	given, _ := c.field("unit").AsStr()
	c.set("unit", c.unitOf(given))
	c.geoOptions(i)
	return c.search(name)
}

// search answers members alone, or with a place for the distance and one for the
// coordinates if either is asked for.
func (c *call) search(name string) (Result, string) {
	answer, errText := c.exec(name)
	if errText != "" {
		return Result{}, errText
	}
	more := !c.field("with_dist").IsNil() || !c.field("with_coord").IsNil()
	list := answer.Field("results")
	items := make([]value.Value, list.Len())
	for i := range items {
		hit := list.Index(i)
		items[i] = asBytes(hit.Field("member"))
		if more {
			items[i] = value.Array(items[i], c.distance(hit.Field("distance")), c.place(hit.Field("coord")))
		}
	}
	return plain(value.Array(items...)), ""
}

// geoOptions reads what may stand in any order from argument i on. Unknown words
// are skipped.
func (c *call) geoOptions(i int) {
	for ; i < len(c.args); i++ {
		switch word := c.wordAt(i); word {
		case "WITHDIST":
			c.set("with_dist", value.Bool(true))
		case "WITHCOORD":
			c.set("with_coord", value.Bool(true))
		case "ASC", "DESC":
			c.set("sort", value.Str(word))
		case "COUNT":
			if n, ok := c.countAt(i + 1); ok {
				c.set("count", value.Uint(n))
				i++
			}
		}
	}
}

// countAt returns argument i as a count in either form.
func (c *call) countAt(i int) (uint64, bool) {
	if n, ok := c.intAt(i); ok && c.wire == RPC {
		return uint64(n), true
	}
	s, _ := c.textAt(i)
	return parseUnsigned(s)
}

// leastSearch is how many arguments RESP3 wants: a key, a member and a radius.
const leastSearch = 6

// geoSearch takes the longitude first on both wires.
func geoSearch(c *call) (Result, string) {
	if c.wire == RESP && len(c.args) < leastSearch {
		return Result{}, c.arity()
	}
	for i := 1; i < len(c.args) && c.wrong == ""; i++ {
		switch c.wordAt(i) {
		case "FROMMEMBER":
			c.set("from_member", value.BytesOf(c.blob(i+1)))
			i++
		case "FROMLONLAT":
			c.set("from_lonlat", value.Array(value.Float(c.float(i+1, geoFirst.complaint)), value.Float(c.float(i+2, geoSecond.complaint))))
			i += 2
		case "BYRADIUS":
			c.set("by_radius", value.Array(value.Float(c.float(i+1, radius.complaint)), c.unitOf(c.text(i+2, "unit"))))
			i += 2
		case "BYBOX":
			c.set("by_box", value.Array(value.Float(c.float(i+1, "width must be a float")), value.Float(c.float(i+2, "height must be a float")), c.unitOf(c.text(i+3, "unit"))))
			i += 3
		}
	}
	c.geoOptions(1)
	if c.wrong != "" {
		return Result{}, c.wrong
	}
	return c.search("geospatial.geosearch")
}
