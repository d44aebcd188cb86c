package testserver

import "testing"

// The bitmap routes are strict about their queries.
func TestBitmapRoutes(t *testing.T) {
	const bad = "Failed to deserialize query string: "
	play(t, start(t, Config{}), []restStep{
		{"POST", "/bitmap/b/setbit", `{"offset":9,"value":1}`, 200, `{"key":"b","old_value":0}`},
		{"GET", "/bitmap/b/getbit/9", "", 200, `{"key":"b","offset":9,"value":1}`},
		{"GET", "/bitmap/b/bitcount?start=%2B9&other=x", "", 200, `{"count":1,"key":"b"}`},
		{"GET", "/bitmap/b/bitcount?end=", "", 400, bad + "end: cannot parse integer from empty string"},
		{"GET", "/bitmap/b/bitcount?end=-1", "", 400, bad + "end: invalid digit found in string"},
		{"GET", "/bitmap/b/bitcount?end=18446744073709551616", "", 400, bad + "end: number too large to fit in target type"},
		{"GET", "/bitmap/b/bitpos?value=256&start=x", "", 400, bad + "value: number too large to fit in target type"},
		{"GET", "/bitmap/b/bitpos?start=1", "", 400, bad + "missing field `value`"},
		{"GET", "/bitmap/b/bitpos?value=2", "", 400, `{"code":400,"error":"Invalid value: Bit value must be 0 or 1"}`},
		{"POST", "/bitmap/b/bitfield", `[{"operation":"INCRBY","offset":0,"width":8,"increment":1,"overflow":"sat"}]`, 200, `{"results":[1],"key":"b"}`},
		{"POST", "/bitmap/b/bitfield", `[{"operation":"GET","offset":0,"width":8,"overflow":"bogus"}]`, 200, `{"results":[1],"key":"b"}`},
		{"POST", "/bitmap/b/setbit", `{"offset":18446744073709551615,"value":1}`, 400, `{"code":400,"error":"Invalid value: offset is out of range"}`},
	})
}

// Searches have every member in their items, null where it was not asked for.
func TestGeospatialRoutes(t *testing.T) {
	play(t, start(t, Config{}), []restStep{
		{"POST", "/geospatial/g/geoadd", `{"locations":[{"lat":1,"lon":2,"member":"a/b"}]}`, 200, `{"added":1,"key":"g"}`},
		{"GET", "/geospatial/g/geodist/a%2Fb/a%2Fb", "", 200, `{"key":"g","distance":0.0,"unit":"m"}`},
		{"GET", "/geospatial/g/georadiusbymember/a%2Fb?radius=1&withdist=true&count=x", "", 200, `{"key":"g","results":[{"member":"a/b","distance":0.0,"coord":null}]}`},
		{"GET", "/geospatial/g/georadiusbymember/a%2Fb?radius=x", "", 400, `{"code":400,"error":"Invalid request: Missing 'radius' parameter"}`},
		{"POST", "/geospatial/g/geosearch", `{"from_member":"a/b","by_radius":[1,"yards"]}`, 200, `{"key":"g","results":[{"member":"a/b","distance":null,"coord":null}]}`},
		{"POST", "/geospatial/g/geosearch", `{"from_lonlat":5}`, 422, unreadable + "from_lonlat: invalid type: integer `5`, expected a tuple of size 2 at line 1 column 16"},
		{"POST", "/geospatial/g/geosearch", `{"by_box":[1,"x","m"]}`, 422, unreadable + "by_box[1]: invalid type: string \"x\", expected f64 at line 1 column 16"},
	})
}
