package testserver

import (
	"strconv"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// The geospatial routes (protocol: http-data 10).
var geoRoutes = []route{
	{method: "GET", path: "/geospatial/stats", run: routed("geospatial.stats")},
	{method: "POST", path: "/geospatial/{key}/geoadd", body: geoaddBody, run: routed("geospatial.geoadd", "key")},
	{method: "GET", path: "/geospatial/{key}/geodist/{member1}/{member2}", run: geoGeodist},
	{method: "GET", path: "/geospatial/{key}/georadius", run: geoGeoradius},
	{method: "GET", path: "/geospatial/{key}/georadiusbymember/{member}", run: geoGeoradiusbymember},
	{method: "POST", path: "/geospatial/{key}/geopos", body: &shape{"struct GeoPosRequest", []field{{name: "members", read: list(str)}}}, run: routed("geospatial.geopos", "key")},
	{method: "POST", path: "/geospatial/{key}/geohash", body: &shape{"struct GeoHashRequest", []field{{name: "members", read: list(str)}}}, run: routed("geospatial.geohash", "key")},
	{method: "POST", path: "/geospatial/{key}/geosearch", body: geosearchBody, run: geoGeosearch},
}

var geoaddBody = &shape{"struct GeoAddRequest", []field{
	{name: "locations", read: list(nested(&shape{"struct GeoLocation", []field{{name: "lat", read: f64}, {name: "lon", read: f64}, {name: "member", read: str}}}))},
	{name: "nx", rule: defaulted, read: boolean},
	{name: "xx", rule: defaulted, read: boolean},
	{name: "ch", rule: defaulted, read: boolean},
}}

var geosearchBody = &shape{"struct GeoSearchRequest", []field{
	{name: "from_member", rule: optional, read: str},
	{name: "from_lonlat", rule: optional, read: tuple(f64, f64)},
	{name: "by_radius", rule: optional, read: tuple(f64, str)},
	{name: "by_box", rule: optional, read: tuple(f64, f64, str)},
	{name: "with_dist", rule: defaulted, read: boolean},
	{name: "with_coord", rule: defaulted, read: boolean},
	{name: "count", rule: optional, read: usize},
	{name: "sort", rule: optional, read: str},
}}

// geoResults answers a search. Its items have every member, null where it was
// not asked for.
func (r *request) geoResults(command string, payload value.Value) {
	reply, ok := r.exec(engine.Routed, command, payload)
	if !ok {
		return
	}
	hits := reply.Field("results").Items()
	items := make([]value.Value, len(hits))
	for i, h := range hits {
		items[i] = object("member", h.Field("member"), "distance", h.Field("distance"), "coord", h.Field("coord"))
	}
	r.json(object("key", r.params[0], "results", value.Array(items...)))
}

func geoGeodist(r *request) {
	payload := r.payload("key", "member1", "member2")
	if unit := r.query("unit"); unit != "" {
		payload = with(payload, "unit", unit)
	}
	if reply, ok := r.exec(engine.Envelope, "geospatial.geodist", payload); ok {
		r.json(object("key", r.params[0], "distance", reply.Field("distance"), "unit", reply.Field("unit")))
	}
}

// queryFloat adds a number of the query to a payload; without one the request is
// refused.
func (r *request) queryFloat(payload *value.Value, name, as string) bool {
	f, err := strconv.ParseFloat(r.query(name), 64)
	if err != nil {
		r.fail("Invalid request: Missing '" + name + "' parameter")
		return false
	}
	*payload = with(*payload, as, value.Float(f))
	return true
}

// geoOptions adds the options of a search, which the routes spell without
// underscores.
func (r *request) geoOptions(payload value.Value) value.Value {
	for _, name := range []string{"unit", "sort"} {
		if text := r.query(name); text != "" {
			payload = with(payload, name, text)
		}
	}
	return with(payload, "count", parseUint(r.query("count")), "with_dist", r.query("withdist") == "true", "with_coord", r.query("withcoord") == "true")
}

func geoGeoradius(r *request) {
	payload := r.payload("key")
	if r.queryFloat(&payload, "lat", "center_lat") && r.queryFloat(&payload, "lon", "center_lon") && r.queryFloat(&payload, "radius", "radius") {
		r.geoResults("geospatial.georadius", r.geoOptions(payload))
	}
}

func geoGeoradiusbymember(r *request) {
	payload := r.payload("key", "member")
	if r.queryFloat(&payload, "radius", "radius") {
		r.geoResults("geospatial.georadiusbymember", r.geoOptions(payload))
	}
}

func geoGeosearch(r *request) { r.geoResults("geospatial.geosearch", r.payload("key")) }
