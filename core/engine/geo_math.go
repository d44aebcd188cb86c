package engine

import (
	"math"
	"strings"
)

// geoPoint is a place on the sphere, in degrees.
type geoPoint struct{ lat, lon float64 }

const geoSteps = 1 << 26 // a side of the grid of places

// check returns what is wrong with a place that a caller gave.
func (p geoPoint) check() string {
	switch {
	case !(p.lat >= -90 && p.lat <= 90):
		return "Invalid value: Latitude must be between -90 and 90, got: " + plainFloat(p.lat)
	case !(p.lon >= -180 && p.lon <= 180):
		return "Invalid value: Longitude must be between -180 and 180, got: " + plainFloat(p.lon)
	}
	return ""
}

// score is the place as the score of a sorted set: its cell of the grid, latitude
// above longitude. Longitude 180 is one cell too far and runs into the latitude,
// as on the server (protocol: http-data 10).
func (p geoPoint) score() float64 {
	lat := uint64(math.Round((p.lat + 90) * geoSteps / 180))
	lon := uint64(math.Round((p.lon + 180) * geoSteps / 360))
	return float64(lat<<26 | lon)
}

// geoPlace is the place of a score. Any score is one: sorted set commands can
// write what they like.
func geoPlace(score float64) geoPoint {
	cell := uint64(0)
	switch {
	case score >= math.MaxUint64:
		cell = math.MaxUint64
	case score > 0:
		cell = uint64(score)
	}
	return geoPoint{
		lat: float64(cell>>26)*180/geoSteps - 90,
		lon: float64(cell%geoSteps)*360/geoSteps - 180,
	}
}

// geoUnit is a unit of distances. The sphere's radius is a round number in every
// unit, so the units do not convert into each other; a search radius is compared
// in metres (protocol: http-data 10).
type geoUnit struct{ radius, metres float64 }

var (
	geoMetre     = geoUnit{6371000, 1}
	geoKilometre = geoUnit{6371, 1000}
	geoMile      = geoUnit{3959, 1609.34}
	geoFoot      = geoUnit{20902231, 0.3048}
)

func parseGeoUnit(name string) (geoUnit, string) {
	switch strings.ToLower(name) {
	case "m", "meter", "meters":
		return geoMetre, ""
	case "km", "kilometer", "kilometers":
		return geoKilometre, ""
	case "mi", "mile", "miles":
		return geoMile, ""
	case "ft", "foot", "feet":
		return geoFoot, ""
	}
	return geoMetre, "Invalid value: Invalid distance unit: " + name + ". Must be one of: m, km, mi, ft"
}

// distance is the haversine distance of two places, to the last digit that the
// server shows: hence the order of the steps, and the conversions, which keep Go
// from fusing a product and a sum.
func (u geoUnit) distance(a, b geoPoint) float64 {
	const degree = math.Pi / 180
	latA, latB := a.lat*degree, b.lat*degree
	lat := math.Sin((float64(latB) - float64(latA)) / 2)
	lon := math.Sin((float64(b.lon*degree) - float64(a.lon*degree)) / 2)
	h := float64(lat*lat) + float64(math.Cos(latA)*math.Cos(latB)*float64(lon*lon))
	return 2 * u.radius * arcsine(min(math.Sqrt(h), 1))
}

// arcsine is the arcsine of a number from 0 to 1, by its series: math.Asin is
// often off by one in the last digit.
func arcsine(x float64) float64 {
	if x > 0.5 {
		return math.Pi/2 - 2*arcsine(math.Sqrt((1-x)/2))
	}
	// The sum is that of all terms but the first, so that only the last addition
	// rounds at the size of the result.
	sum, term, square := 0.0, x, x*x
	for k := 1.0; ; k++ {
		term *= square * (2*k - 1) / (2 * k)
		next := sum + term/(2*k+1)
		if next == sum {
			return x + sum
		}
		sum = next
	}
}

// geoBox is a box of degrees around a centre.
type geoBox struct{ low, high geoPoint }

// newGeoBox takes the sides in metres, of which a degree has 111000.
func newGeoBox(centre geoPoint, width, height float64) geoBox {
	const degree = 111000
	lat := height / 2 / degree
	lon := width / 2 / (degree * math.Cos(centre.lat*math.Pi/180))
	return geoBox{geoPoint{centre.lat - lat, centre.lon - lon}, geoPoint{centre.lat + lat, centre.lon + lon}}
}

func (b *geoBox) holds(p geoPoint) bool {
	return p.lat >= b.low.lat && p.lat <= b.high.lat && p.lon >= b.low.lon && p.lon <= b.high.lon
}

// geohash is the usual text of a place: five bits a letter, each halving the
// longitude and the latitude in turn.
func (p geoPoint) geohash() string {
	const letters = "0123456789bcdefghjkmnpqrstuvwxyz"
	low, high := [2]float64{-180, -90}, [2]float64{180, 90}
	at := [2]float64{p.lon, p.lat}
	var text [11]byte
	for i := range text {
		letter := 0
		for bit := range 5 {
			side := (i*5 + bit) % 2
			middle := (low[side] + high[side]) / 2
			letter <<= 1
			if at[side] >= middle {
				letter |= 1
				low[side] = middle
			} else {
				high[side] = middle
			}
		}
		text[i] = letters[letter]
	}
	return string(text[:])
}
