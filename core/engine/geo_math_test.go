package engine

import (
	"math"
	"testing"
)

// TestGeoDistances: the digits that the server shows, in every unit and for
// several centres (recorded natively, where numbers travel as they are).
func TestGeoDistances(t *testing.T) {
	palermo := geoPlace(geoPoint{38.115556, 13.361389}.score())
	catania := geoPlace(geoPoint{37.502669, 15.087269}.score())
	for i, c := range []struct {
		from, to geoPoint
		unit     geoUnit
		want     float64
	}{
		{palermo, catania, geoMetre, 166227.65811260766},
		{catania, palermo, geoKilometre, 166.22765811260768},
		{palermo, catania, geoMile, 103.29544788381946},
		{palermo, catania, geoFoot, 545366.3331437372},
		{geoPoint{37, 15}, palermo, geoKilometre, 190.38881627191594},
		{geoPoint{37, 15}, palermo, geoMetre, 190388.81627191592},
		{geoPoint{37, 15}, catania, geoKilometre, 56.42531289684085},
		{geoPoint{37, 15}, catania, geoMetre, 56425.31289684085},
		{geoPoint{38, 14}, palermo, geoKilometre, 57.37025712471844},
		{geoPoint{38, 14}, catania, geoKilometre, 110.43417523897892},
		{palermo, palermo, geoMetre, 0},
		{geoPoint{90, 0}, geoPoint{-90, 0}, geoMetre, math.Pi * 6371000},
	} {
		if got := c.unit.distance(c.from, c.to); got != c.want {
			t.Errorf("%d: got %v, want %v", i, got, c.want)
		}
	}
}

func TestArcsine(t *testing.T) {
	for x := 0.0; x <= 1; x += 1.0 / 4096 {
		if got, want := arcsine(x), math.Asin(x); math.Abs(got-want) > 1e-15 {
			t.Errorf("arcsine(%v): got %v, want %v", x, got, want)
		}
	}
}

// TestGeoScores: the scores that the server stores, and what it makes of scores
// that are no places.
func TestGeoScores(t *testing.T) {
	for p, want := range map[geoPoint]float64{
		{38.115556, 13.361389}: 3205450965582199,
		{37.502669, 15.087269}: 3190116523371063,
		{-90, -180}:            0,
		{90, -180}:             1 << 52,
		{-90, 180}:             1 << 26, // one cell too far: the first of the next latitude
	} {
		if got := p.score(); got != want {
			t.Errorf("%v: got %.0f, want %.0f", p, got, want)
		}
	}
	for _, score := range []float64{-1, math.NaN(), math.Inf(-1)} {
		if got := geoPlace(score); got != (geoPoint{-90, -180}) {
			t.Errorf("%v: got %v", score, got)
		}
	}
	if got := geoPlace(math.Inf(1)); math.IsInf(got.lat, 0) || got.lon >= 180 {
		t.Errorf("+Inf: got %v", got)
	}
}
