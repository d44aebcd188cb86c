package engine_test

import (
	"testing"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

func TestGeospatialVectors(t *testing.T) { replay(t, "http-geospatial", nil) }

const sicily = `{"key":"g","locations":[{"lat":38.115556,"lon":13.361389,"member":"Palermo"},{"lat":37.502669,"lon":15.087269,"member":"Catania"}]}`

func TestGeospatialEdges(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "geospatial.geoadd", sicily)
	w.steps(t, engine.Envelope, []step{
		// One bad location rejects all of them; with ch nothing counts as added.
		{"geospatial.geoadd", `{"key":"n","locations":[{"lat":1,"lon":1,"member":"a"},{"lat":-90.5,"lon":1,"member":"b"}]}`, `Invalid value: Latitude must be between -90 and 90, got: -90.5`},
		{"geospatial.geoadd", `{"key":"n","locations":[{"lat":91,"lon":1,"member":"a"},{"lat":1,"lon":1}]}`, `Invalid request: Location missing 'member'`},
		{"key.exists", `{"key":"n"}`, `{"exists":false,"key":"n"}`},
		{"geospatial.geoadd", `{"key":"n","locations":[{"lat":1,"lon":1,"member":"a"}],"ch":true}`, `{"added":0,"key":"n"}`},
		{"sortedset.zcard", `{"key":"n"}`, `{"count":1,"key":"n"}`},
		// Without distances there is nothing to sort by, and count cuts the order of
		// the scores.
		{"geospatial.georadius", `{"key":"g","center_lat":38.1,"center_lon":13.3,"radius":300,"unit":"KM","count":1}`, `{"key":"g","results":[{"member":"Catania"}]}`},
		{"geospatial.georadius", `{"key":"g","center_lat":38.1,"center_lon":13.3,"radius":300,"unit":"km","sort":"DESC"}`, `{"key":"g","results":[{"member":"Catania"},{"member":"Palermo"}]}`},
		{"geospatial.georadius", `{"key":"g","center_lat":38.1,"center_lon":13.3,"radius":300,"unit":"km","count":0}`, `{"key":"g","results":[]}`},
		{"geospatial.georadius", `{"key":"g","center_lat":38.1,"center_lon":13.3,"radius":-1}`, `{"key":"g","results":[]}`},
		// A radius is compared in metres, with the usual miles and feet.
		{"geospatial.georadiusbymember", `{"key":"g","member":"Palermo","radius":103.29,"unit":"miles"}`, `{"key":"g","results":[{"member":"Catania"},{"member":"Palermo"}]}`},
		{"geospatial.georadiusbymember", `{"key":"g","member":"Palermo","radius":545365,"unit":"ft"}`, `{"key":"g","results":[{"member":"Palermo"}]}`},
		// The circle goes before the box; what is no circle is not there.
		{"geospatial.geosearch", `{"key":"g","from_lonlat":[15,37],"by_radius":[1,"m"],"by_box":[900,900,"km"]}`, `{"key":"g","results":[]}`},
		{"geospatial.geosearch", `{"key":"g","from_lonlat":[15,37],"by_radius":[1],"by_box":[900,900,"km"]}`, `{"key":"g","results":[{"member":"Catania"},{"member":"Palermo"}]}`},
		{"geospatial.geosearch", `{"key":"g","from_lonlat":[15,37],"by_box":[20,900,"km"]}`, `{"key":"g","results":[{"member":"Catania"}]}`},
		{"geospatial.geopos", `{"key":"g","members":["none",5]}`, `{"coordinates":[null],"key":"g"}`},
	})
}

// TestGeospatialFaces: a unit that is none is no area on the envelope, metres on
// the REST route, and an error on the native wires. Members are bytes.
func TestGeospatialFaces(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "geospatial.geoadd", sicily)
	const search = `{"key":"g","from_member":"Palermo","by_radius":[1,"yd"]}`
	w.steps(t, engine.Envelope, []step{{"geospatial.geosearch", search, `Invalid request: Either 'by_radius' or 'by_box' must be provided`}})
	w.steps(t, engine.Routed, []step{{"geospatial.geosearch", search, `{"key":"g","results":[{"member":"Palermo"}]}`}})
	w.steps(t, engine.Raw, []step{{"geospatial.geosearch", search, `Invalid value: Invalid distance unit: yd. Must be one of: m, km, mi, ft`}})

	str, odd := value.Str, value.BytesOf("\xff")
	exec := func(name string, kv ...value.Value) value.Value {
		t.Helper()
		reply, errText := w.Exec(w.now, engine.Raw, name, "r", value.Map(kv...))
		if errText != "" {
			t.Fatal(errText)
		}
		return reply
	}
	exec("geospatial.geoadd", str("key"), str("b"), str("locations"), value.Array(value.Map(str("lat"), value.Int(1), str("lon"), value.Int(2), str("member"), odd)))
	if hash := exec("geospatial.geohash", str("key"), str("b"), str("members"), value.Array(odd, str("none"))).Field("geohashes"); hash.Len() != 2 || hash.Index(0).Len() != 11 || !hash.Index(1).IsNil() {
		t.Errorf("geohash: %v", hash)
	}
	found := exec("geospatial.georadiusbymember", str("key"), str("b"), str("member"), odd, str("radius"), value.Int(1)).Field("results")
	if found.Len() != 1 || !value.Equal(found.Index(0).Field("member"), odd) {
		t.Errorf("georadiusbymember: %v", found)
	}
}

// TestGeospatialStats: what counts, by member or by call (recorded natively:
// SynapRPC GEOSTATS after its cases).
func TestGeospatialStats(t *testing.T) {
	w := newWorld()
	w.must(t, engine.Envelope, "geospatial.geoadd", sicily)
	w.must(t, engine.Envelope, "geospatial.geoadd", sicily)
	w.must(t, engine.Envelope, "geospatial.geoadd", `{"key":"none","locations":[]}`)
	w.must(t, engine.Envelope, "geospatial.geodist", `{"key":"g","member1":"Palermo","member2":"none"}`)
	w.must(t, engine.Envelope, "geospatial.geodist", `{"key":"g","member1":"Palermo","member2":"Palermo"}`)
	w.must(t, engine.Envelope, "geospatial.geohash", `{"key":"none","members":["a","b"]}`)
	w.must(t, engine.Envelope, "geospatial.georadius", `{"key":"none","center_lat":1,"center_lon":1,"radius":1}`)
	w.must(t, engine.Envelope, "geospatial.georadiusbymember", `{"key":"g","member":"Palermo","radius":1}`)
	w.must(t, engine.Envelope, "geospatial.geosearch", `{"key":"g","from_lonlat":[1,1],"by_box":[1,1,"m"]}`)
	w.must(t, engine.Envelope, "sortedset.zrem", `{"key":"g","members":["Palermo","Catania"]}`)
	const want = `{"geoadd_count":4,"geodist_count":1,"geohash_count":2,"geopos_count":0,"georadius_count":2,"total_keys":1,"total_locations":2}`
	if got := w.must(t, engine.Envelope, "geospatial.stats", `{}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
