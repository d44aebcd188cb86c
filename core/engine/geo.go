package engine

import (
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

var geoCommands = family{
	{"geospatial.geoadd", geoGeoadd}, {"geospatial.geodist", geoGeodist}, {"geospatial.geopos", geoGeopos}, {"geospatial.geohash", geoGeohash},
	{"geospatial.georadius", geoGeoradius}, {"geospatial.georadiusbymember", geoGeoradiusbymember}, {"geospatial.geosearch", geoGeosearch},
	{"geospatial.stats", geoStats},
}

// float returns a number field.
func (c *call) float(field string) (float64, string) {
	f, ok := c.payload.Field(field).AsFloat()
	if !ok {
		return 0, missing(field)
	}
	return f, ""
}

// unit reads the optional unit, metres without one.
func (c *call) unit() (name string, unit geoUnit, errText string) {
	name, ok := c.payload.Field("unit").AsStr()
	if !ok {
		name = "m"
	}
	unit, errText = parseGeoUnit(name)
	return name, unit, errText
}

// geoOptions reads the options of a search.
func (c *call) geoOptions() geoOptions {
	o := geoOptions{withDist: c.bool("with_dist"), withCoord: c.bool("with_coord")}
	o.count, o.limited = c.uint("count")
	sort, _ := c.payload.Field("sort").AsStr()
	o.descending = strings.EqualFold(sort, "DESC")
	return o
}

func geoGeoadd(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	list := c.payload.Field("locations")
	if list.Kind() != value.KindArray {
		return value.Nil, "Invalid request: Missing 'locations' array"
	}
	locations := make([]geoLocation, list.Len())
	for i := range locations {
		v, l := list.Index(i), &locations[i]
		var ok bool
		if l.lat, ok = v.Field("lat").AsFloat(); !ok {
			return value.Nil, "Invalid request: Location missing 'lat'"
		}
		if l.lon, ok = v.Field("lon").AsFloat(); !ok {
			return value.Nil, "Invalid request: Location missing 'lon'"
		}
		if l.member, ok = c.memberText(v.Field("member")); !ok {
			return value.Nil, "Invalid request: Location missing 'member'"
		}
	}
	added, errText := e.geoAdd(key, locations, c.bool("nx"), c.bool("xx"), c.bool("ch"))
	return keyed("added", value.Int(added), key), errText
}

func geoGeodist(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	var members [2]string
	for i, name := range []string{"member1", "member2"} {
		var ok bool
		if members[i], ok = c.memberText(c.payload.Field(name)); !ok {
			return value.Nil, missing(name)
		}
	}
	name, unit, errText := c.unit()
	if errText != "" {
		return value.Nil, errText
	}
	distance := value.Nil
	if d, ok := e.geoDistance(key, members[0], members[1], unit); ok {
		distance = value.Float(d)
	}
	return object(
		value.Str("key"), value.Str(key),
		value.Str("member1"), c.memberValue(members[0]), value.Str("member2"), c.memberValue(members[1]),
		value.Str("distance"), distance, value.Str("unit"), value.Str(name)), ""
}

// geoMembers reads the key and a list of members of which what is no text is
// dropped.
func (c *call) geoMembers() (key string, members []string, errText string) {
	if key, errText = c.str("key"); errText != "" {
		return "", nil, errText
	}
	list := c.payload.Field("members")
	if list.Kind() != value.KindArray {
		return "", nil, "Invalid request: Missing 'members' array"
	}
	for i := range list.Len() {
		if m, ok := c.memberText(list.Index(i)); ok {
			members = append(members, m)
		}
	}
	return key, members, ""
}

func (p geoPoint) value() value.Value {
	return object(value.Str("lat"), value.Float(p.lat), value.Str("lon"), value.Float(p.lon))
}

func geoGeopos(e *Engine, c *call) (value.Value, string) {
	key, members, errText := c.geoMembers()
	if errText != "" {
		return value.Nil, errText
	}
	items := make([]value.Value, len(members))
	for i, p := range e.geoPlaces(key, members) {
		if p != nil {
			items[i] = p.value()
		}
	}
	return keyed("coordinates", value.Array(items...), key), ""
}

func geoGeohash(e *Engine, c *call) (value.Value, string) {
	key, members, errText := c.geoMembers()
	if errText != "" {
		return value.Nil, errText
	}
	items := make([]value.Value, len(members))
	for i, hash := range e.geoHashes(key, members) {
		if hash != "" {
			items[i] = value.Str(hash)
		}
	}
	return keyed("geohashes", value.Array(items...), key), ""
}

// geoReply runs a search and hands out what it finds.
func (c *call) geoReply(e *Engine, key string, centre geoPoint, area *geoArea) (value.Value, string) {
	o := c.geoOptions()
	hits, errText := e.geoSearch(key, centre, area, o)
	items := make([]value.Value, len(hits))
	for i, h := range hits {
		hit := []value.Value{value.Str("member"), c.memberValue(h.member)}
		if o.withDist {
			hit = append(hit, value.Str("distance"), value.Float(h.distance))
		}
		if o.withCoord {
			hit = append(hit, value.Str("coord"), h.place.value())
		}
		items[i] = object(hit...)
	}
	return keyed("results", value.Array(items...), key), errText
}

func geoGeoradius(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	var numbers [3]float64
	for i, name := range []string{"center_lat", "center_lon", "radius"} {
		if numbers[i], errText = c.float(name); errText != "" {
			return value.Nil, errText
		}
	}
	_, unit, errText := c.unit()
	if errText != "" {
		return value.Nil, errText
	}
	return c.geoReply(e, key, geoPoint{numbers[0], numbers[1]}, &geoArea{round: true, radius: numbers[2], unit: unit})
}

func geoGeoradiusbymember(e *Engine, c *call) (value.Value, string) {
	key, name, errText := c.keyMember()
	if errText != "" {
		return value.Nil, errText
	}
	radius, errText := c.float("radius")
	if errText != "" {
		return value.Nil, errText
	}
	_, unit, errText := c.unit()
	if errText != "" {
		return value.Nil, errText
	}
	centre, errText := e.geoMemberPlace(key, name)
	if errText != "" {
		return value.Nil, errText
	}
	return c.geoReply(e, key, centre, &geoArea{round: true, radius: radius, unit: unit})
}

// geoCentre reads the centre of geosearch: a member, or longitude before latitude.
func (c *call) geoCentre(e *Engine, key string) (geoPoint, string) {
	if name, ok := c.memberText(c.payload.Field("from_member")); ok {
		return e.geoMemberPlace(key, name)
	}
	at := c.payload.Field("from_lonlat")
	lon, okLon := at.Index(0).AsFloat()
	lat, okLat := at.Index(1).AsFloat()
	if !okLon || !okLat || at.Len() != 2 {
		return geoPoint{}, "Invalid request: Either 'from_member' or 'from_lonlat' must be provided"
	}
	return geoPoint{lat, lon}, ""
}

// measures reads numbers followed by a unit. A unit that is none makes the whole
// field count as absent; the REST route takes it for metres, the native wires
// refuse it.
func (c *call) measures(field string, numbers ...*float64) (unit geoUnit, ok bool, errText string) {
	list := c.payload.Field(field)
	if list.Kind() != value.KindArray || list.Len() != len(numbers)+1 {
		return unit, false, ""
	}
	for i, n := range numbers {
		if *n, ok = list.Index(i).AsFloat(); !ok {
			return unit, false, ""
		}
	}
	name, ok := list.Index(len(numbers)).AsStr()
	if !ok {
		return unit, false, ""
	}
	unit, errText = parseGeoUnit(name)
	switch {
	case errText == "" || c.from == Routed:
		return unit, true, ""
	case c.from == Raw:
		return unit, false, errText
	}
	return unit, false, ""
}

// geoArea reads the area of geosearch, nil if there is none; a circle goes before
// a box.
func (c *call) geoArea() (*geoArea, string) {
	area := &geoArea{}
	unit, ok, errText := c.measures("by_radius", &area.radius)
	area.round = ok
	if !ok && errText == "" {
		unit, ok, errText = c.measures("by_box", &area.width, &area.height)
	}
	area.unit = unit
	if !ok {
		area = nil
	}
	return area, errText
}

func geoGeosearch(e *Engine, c *call) (value.Value, string) {
	key, errText := c.str("key")
	if errText != "" {
		return value.Nil, errText
	}
	area, errText := c.geoArea()
	if errText != "" {
		return value.Nil, errText
	}
	centre, errText := c.geoCentre(e, key)
	if errText != "" {
		return value.Nil, errText
	}
	return c.geoReply(e, key, centre, area)
}

func geoStats(e *Engine, _ *call) (value.Value, string) {
	s := &e.geo
	return object(
		value.Str("total_keys"), value.Int(s.keys),
		value.Str("total_locations"), value.Int(s.locations),
		value.Str("geoadd_count"), value.Int(s.adds),
		value.Str("geodist_count"), value.Int(s.dists),
		value.Str("georadius_count"), value.Int(s.searches),
		value.Str("geopos_count"), value.Int(s.places),
		value.Str("geohash_count"), value.Int(s.hashes)), ""
}
