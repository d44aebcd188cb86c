package command

import "math"

// Latitude stands before longitude everywhere in this table. The wires differ, and
// their forms below name the order that each wants: SynapRPC has latitude first but
// for GEOSEARCH, RESP3 longitude first, and so has from_lonlat of the envelope
// (protocol: http-data quirk 16, synaprpc quirk 14).
const (
	docLat    = "Latitude of the centre."
	docLon    = "Longitude of the centre."
	docRadius = "How far from the centre, in unit."
	docCentre = "The member at the centre."
	docUnit   = "m, km, mi or ft."
)

var (
	geoUnits = []string{"m", "km", "mi", "ft"}

	argGeoKey     = Arg{Name: "key", Type: String, Required: true, Doc: "The set of places, a sorted set."}
	argGeoMembers = Arg{Name: "members", Type: BlobList, Required: true, Doc: "The members."}

	// The server sorts only what it has distances for, and cuts what it has not
	// sorted: without with_dist the nearest is not first, and count drops any.
	argWithDist  = Arg{Name: "with_dist", Type: Bool, Default: "true", Sent: true, Doc: "Tell distances. False spares them, and with them the order: sort and count are refused then."}
	argWithCoord = Arg{Name: "with_coord", Type: Bool, Default: "false", Doc: "Tell where the members are."}
	argGeoCount  = Arg{Name: "count", With: "with_dist", Type: Int, Min: 1, Max: maxU32, Doc: "At most so many: the first in the order of sort. Only with distances, by which the server orders."}
	argGeoSort   = Arg{Name: "sort", With: "with_dist", Type: String, OneOf: []string{"ASC", "DESC"}, Doc: "ASC for the nearest first, which absent means too, or DESC."}
)

// Where geosearch has arguments of georadius: some in lists, all elements of which
// are sent, and each in place of others. All is written out, so that the table is
// data and no code builds it: that is a tenth of the size in the WASM module.
var (
	argCenterLat  = Arg{Name: "lat", Type: Float, Required: true, Unit: "degrees", Min: -90, Max: 90, Field: "center_lat", Doc: docLat}
	argCenterLon  = Arg{Name: "lon", Type: Float, Required: true, Unit: "degrees", Min: -180, Max: 180, Field: "center_lon", Doc: docLon}
	argRadius     = Arg{Name: "radius", Type: Float, Required: true, Doc: docRadius}
	argUnit       = Arg{Name: "unit", Type: String, Default: "m", OneOf: geoUnits, Doc: docUnit}
	argGeoMember  = Arg{Name: "member", Type: Blob, Required: true, Doc: docCentre}
	argFromLat    = Arg{Name: "lat", Type: Float, Required: true, Unit: "degrees", Min: -90, Max: 90, Choice: true, Field: "from_lonlat[1]", Doc: docLat}
	argFromLon    = Arg{Name: "lon", Type: Float, Required: true, Unit: "degrees", Min: -180, Max: 180, Choice: true, Field: "from_lonlat[0]", Doc: docLon}
	argFromMember = Arg{Name: "member", Type: Blob, Required: true, Choice: true, Field: "from_member", Doc: docCentre}
	argByRadius   = Arg{Name: "radius", Type: Float, Required: true, Choice: true, Field: "by_radius[0]", Doc: docRadius}
	argRadiusUnit = Arg{Name: "unit", Type: String, Default: "m", Sent: true, OneOf: geoUnits, Field: "by_radius[1]", Doc: docUnit}
	argByWidth    = Arg{Name: "width", Type: Float, Required: true, Choice: true, Field: "by_box[0]", Doc: "West to east, in unit."}
	argByHeight   = Arg{Name: "height", Type: Float, Required: true, Choice: true, Field: "by_box[1]", Doc: "South to north, in unit."}
	argBoxUnit    = Arg{Name: "unit", Type: String, Default: "m", Sent: true, OneOf: geoUnits, Field: "by_box[2]", Doc: docUnit}
)

const geoOptions = ` with_dist?"WITHDIST" with_coord?"WITHCOORD" ["COUNT" count] [sort]`

var recordGeoHit = &Record{Name: "GeoHit", Doc: "A member that a search found.", Fields: []Field{
	{Name: "member", Type: Blob, Doc: "Text if it is valid UTF-8, else bytes."},
	{Name: "distance", Type: FloatOrNil, Doc: "From the centre, in the unit of the search, of a box in metres; nothing without with_dist."},
	{Name: "lat", Type: FloatOrNil, Unit: "degrees", Path: "coord.lat", Doc: "Latitude; nothing without with_coord."},
	{Name: "lon", Type: FloatOrNil, Unit: "degrees", Path: "coord.lon", Doc: "Longitude; nothing without with_coord."},
}}

var recordGeoPoint = &Record{Name: "GeoPoint", Doc: "A place on earth.", Fields: []Field{
	{Name: "lat", Type: Float, Unit: "degrees", Doc: "Latitude, to some centimetres of what was stored."},
	{Name: "lon", Type: Float, Unit: "degrees", Doc: "Longitude, to some centimetres of what was stored."},
}}

var recordGeoStats = &Record{Name: "GeoStats", Doc: "Counters of the places.", Fields: []Field{
	{Name: "total_keys", Type: Int, Doc: "Keys ever made; never goes down."},
	{Name: "total_locations", Type: Int, Doc: "Places ever added; never goes down."},
	{Name: "geoadd_count", Type: Int, Doc: "Places given to geoadd."},
	{Name: "geodist_count", Type: Int, Doc: "Calls of geodist."},
	{Name: "georadius_count", Type: Int, Doc: "Searches."},
	{Name: "geopos_count", Type: Int, Doc: "Calls of geopos."},
	{Name: "geohash_count", Type: Int, Doc: "Calls of geohash."},
}}

const noMember = "NotFound if there is no such member."

var geoHits = Reply{Kind: ReplyRecords, Field: "results", Record: recordGeoHit}

var geospatialFamily = Family{Name: "geospatial", Doc: "Places on earth under the names of members: distances and searches. Arguments and results have latitude before longitude on every wire.", Commands: []Command{
	{Name: "geospatial.geoadd", Summary: "Adds places, or moves them.",
		Args: []Arg{argGeoKey, {Name: "locations", Type: Places, Required: true, NonEmpty: true, Doc: "Places as (latitude, longitude, member). Longitude 180 is refused: write -180."},
			{Name: "nx", Without: "xx", Type: Bool, Default: "false", Doc: "Only add: leave members where they are."},
			{Name: "xx", Type: Bool, Default: "false", Doc: "Only move: add nothing."}},
		HTTP: HTTP{Command: "geospatial.geoadd"}, RPC: native("GEOADD", `key nx?"NX" xx?"XX" locations...:latlon`, "int key"), RESP3: native("GEOADD", `key nx?"NX" xx?"XX" locations...:lonlat`, "int key"),
		Reply: Reply{Kind: ReplyInt, Field: "added", Doc: "How many were new."}, Traits: write,
		Example: `client.geospatial.geoadd("cities", [(52.52, 13.405, "berlin"), (48.8566, 2.3522, "paris")])`},
	{Name: "geospatial.geopos", Summary: "Returns where members are.",
		Args: []Arg{argGeoKey, argGeoMembers},
		HTTP: HTTP{Command: "geospatial.geopos"}, RPC: native("GEOPOS", "key members...", "latlon-points key"), RESP3: native("GEOPOS", "key members...", "lonlat-points key"),
		Reply: Reply{Kind: ReplyMaybeRecords, Field: "coordinates", Record: recordGeoPoint, Doc: "One place per member asked for, in order; nothing where there is no such member. RESP3 carries 6 decimals."}, Traits: read,
		Example: `client.geospatial.geopos("cities", ["berlin", "atlantis"])`},
	{Name: "geospatial.geodist", Summary: "Returns the distance between two members.",
		Args: []Arg{argGeoKey, {Name: "member1", Type: Blob, Required: true, Doc: "One member."}, {Name: "member2", Type: Blob, Required: true, Doc: "The other."}, argUnit},
		HTTP: HTTP{Command: "geospatial.geodist"}, RPC: native("GEODIST", "key member1 member2 unit", "score key member1 member2 unit"), RESP3: native("GEODIST", "key member1 member2 unit", "score key member1 member2 unit"),
		Reply: Reply{Kind: ReplyFloatOrNil, Field: "distance", Doc: "Nothing if one of them is missing. RESP3 carries 4 decimals."}, Traits: read,
		Example: `client.geospatial.geodist("cities", "berlin", "paris", unit="km")`},
	{Name: "geospatial.geohash", Summary: "Returns the geohashes of members.",
		Args: []Arg{argGeoKey, argGeoMembers},
		HTTP: HTTP{Command: "geospatial.geohash"}, RPC: native("GEOHASH", "key members...", "list key"), RESP3: native("GEOHASH", "key members...", "list key"),
		Reply: Reply{Kind: ReplyBlobs, Field: "geohashes", Doc: "One text of 11 characters per member asked for, in order; nothing where there is no such member."}, Traits: read,
		Example: `client.geospatial.geohash("cities", ["berlin"])`},
	{Name: "geospatial.georadius", Summary: "Finds the members within a distance of a place.",
		Args: []Arg{argGeoKey, argCenterLat, argCenterLon, argRadius, argUnit, argWithDist, argWithCoord, argGeoCount, argGeoSort},
		HTTP: HTTP{Command: "geospatial.georadius"}, RPC: native("GEORADIUS", "key lat lon radius unit"+geoOptions, "latlon-hits key"), RESP3: native("GEORADIUS", "key lon lat radius unit"+geoOptions, "lonlat-hits key"),
		Reply: geoHits, Traits: read,
		Example: `client.geospatial.georadius("cities", 52.5, 13.4, 100, unit="km", count=5)`},
	{Name: "geospatial.georadiusbymember", Summary: "Finds the members within a distance of a member.",
		Args: []Arg{argGeoKey, argGeoMember, argRadius, argUnit, argWithDist, argWithCoord, argGeoCount, argGeoSort},
		HTTP: HTTP{Command: "geospatial.georadiusbymember"}, RPC: native("GEORADIUSBYMEMBER", "key member radius unit"+geoOptions, "latlon-hits key"), RESP3: native("GEORADIUSBYMEMBER", "key member radius unit"+geoOptions, "lonlat-hits key"),
		Reply: geoHits, Traits: read, Errors: noMember,
		Example: `client.geospatial.georadiusbymember("cities", "berlin", 1000, unit="km", with_coord=True)`},
	{Name: "geospatial.geosearch_box", Summary: "Finds the members in a box round a place.", Wire: "geospatial.geosearch",
		Args:    []Arg{argGeoKey, argFromLat, argFromLon, argByWidth, argByHeight, argBoxUnit, argWithDist, argWithCoord, argGeoCount, argGeoSort},
		Ignored: "with_hash", HTTP: HTTP{Command: "geospatial.geosearch"}, RPC: native("GEOSEARCH", `key "FROMLONLAT" lon lat "BYBOX" width height unit`+geoOptions, "latlon-hits key"), RESP3: native("GEOSEARCH", `key "FROMLONLAT" lon lat "BYBOX" width height unit`+geoOptions, "lonlat-hits key"),
		Reply: geoHits, Traits: read,
		Example: `client.geospatial.geosearch_box("cities", 52.5, 13.4, 400, 200, unit="km")`},
	{Name: "geospatial.geosearch_box_by_member", Summary: "Finds the members in a box round a member.", Wire: "geospatial.geosearch",
		Args:    []Arg{argGeoKey, argFromMember, argByWidth, argByHeight, argBoxUnit, argWithDist, argWithCoord, argGeoCount, argGeoSort},
		Ignored: "with_hash", HTTP: HTTP{Command: "geospatial.geosearch"}, RPC: native("GEOSEARCH", `key "FROMMEMBER" member "BYBOX" width height unit`+geoOptions, "latlon-hits key"), RESP3: native("GEOSEARCH", `key "FROMMEMBER" member "BYBOX" width height unit`+geoOptions, "lonlat-hits key"),
		Reply: geoHits, Traits: read, Errors: noMember,
		Example: `client.geospatial.geosearch_box_by_member("cities", "berlin", 400, 200, unit="km")`},
	{Name: "geospatial.geosearch", Summary: "Finds the members within a distance of a place, like georadius.",
		Args:    []Arg{argGeoKey, argFromLat, argFromLon, argByRadius, argRadiusUnit, argWithDist, argWithCoord, argGeoCount, argGeoSort},
		Ignored: "with_hash", HTTP: HTTP{Command: "geospatial.geosearch"}, RPC: native("GEOSEARCH", `key "FROMLONLAT" lon lat "BYRADIUS" radius unit`+geoOptions, "latlon-hits key"), RESP3: native("GEOSEARCH", `key "FROMLONLAT" lon lat "BYRADIUS" radius unit`+geoOptions, "lonlat-hits key"),
		Reply: geoHits, Traits: read,
		Example: `client.geospatial.geosearch("cities", 52.5, 13.4, 100, unit="km")`},
	{Name: "geospatial.geosearch_by_member", Summary: "Finds the members within a distance of a member, like georadiusbymember.", Wire: "geospatial.geosearch",
		Args:    []Arg{argGeoKey, argFromMember, argByRadius, argRadiusUnit, argWithDist, argWithCoord, argGeoCount, argGeoSort},
		Ignored: "with_hash", HTTP: HTTP{Command: "geospatial.geosearch"}, RPC: native("GEOSEARCH", `key "FROMMEMBER" member "BYRADIUS" radius unit`+geoOptions, "latlon-hits key"), RESP3: native("GEOSEARCH", `key "FROMMEMBER" member "BYRADIUS" radius unit`+geoOptions, "lonlat-hits key"),
		Reply: geoHits, Traits: read, Errors: noMember,
		Example: `client.geospatial.geosearch_by_member("cities", "berlin", 100, unit="km")`},
	{Name: "geospatial.stats", Summary: "Returns counters of the places.",
		HTTP: HTTP{Command: "geospatial.stats"}, RPC: native("GEOSTATS", "", "map"),
		Reply: Reply{Kind: ReplyRecord, Record: recordGeoStats}, Traits: read,
		Example: `client.geospatial.stats()`},
}}

// wrapsLongitude reports whether the server rounds a longitude to 180, which its
// 26 bits cannot hold and which spills into the latitude (protocol: http-data 10).
func wrapsLongitude(lon float64) bool {
	const cells = 1 << 26
	return math.Round((lon+180)/360*cells) >= cells
}
