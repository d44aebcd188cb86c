package engine

import (
	"slices"
	"strings"
)

// geoCounters are all that geospatial data has of its own: the members are those
// of a sorted set, with places as scores (protocol: http-data 10).
type geoCounters struct {
	keys, locations                       int64 // ever added: they never shrink
	adds, dists, searches, places, hashes int64
}

// geoLocation is a member and where it is to be.
type geoLocation struct {
	member string
	geoPoint
}

// geoAdd adds locations, all or, if a place is wrong, none, and returns how many
// members are new: with ch, none, because those that changed are not counted
// instead.
func (e *Engine) geoAdd(key string, locations []geoLocation, nx, xx, ch bool) (added int64, errText string) {
	for i := range locations {
		if errText := locations[i].check(); errText != "" {
			return 0, errText
		}
	}
	had := e.zsets.sets[key] != nil
	for i := range locations {
		l := &locations[i]
		if fresh, _ := e.zsets.add(key, l.member, l.score(), zaddFlags{nx: nx, xx: xx}); fresh && !ch {
			added++
		}
	}
	if !had && e.zsets.sets[key] != nil {
		e.geo.keys++
	}
	e.geo.locations += added
	e.geo.adds += int64(len(locations))
	return added, ""
}

// geoPosition is the place of a member, if it is one.
func (e *Engine) geoPosition(key, member string) (geoPoint, bool) {
	score, ok := e.zsets.score(key, member)
	return geoPlace(score), ok
}

// geoPlaces returns the places of members, nil for those that are none.
func (e *Engine) geoPlaces(key string, members []string) []*geoPoint {
	e.geo.places += int64(len(members))
	places := make([]*geoPoint, len(members))
	for i, m := range members {
		if p, ok := e.geoPosition(key, m); ok {
			places[i] = &p
		}
	}
	return places
}

// geoHashes returns the geohashes of members, "" for those that are none.
func (e *Engine) geoHashes(key string, members []string) []string {
	e.geo.hashes += int64(len(members))
	hashes := make([]string, len(members))
	for i, m := range members {
		if p, ok := e.geoPosition(key, m); ok {
			hashes[i] = p.geohash()
		}
	}
	return hashes
}

// geoDistance is the distance of two members, if both are.
func (e *Engine) geoDistance(key, member1, member2 string, unit geoUnit) (float64, bool) {
	a, okA := e.geoPosition(key, member1)
	b, okB := e.geoPosition(key, member2)
	if !okA || !okB {
		return 0, false
	}
	e.geo.dists++
	return unit.distance(a, b), true
}

// geoArea is what a search covers: a circle, or a box if it is not round.
type geoArea struct {
	round         bool
	radius        float64
	width, height float64
	unit          geoUnit
}

// geoOptions are what a search returns. Only distances that are returned are
// sorted by: without withDist the members come in the order of their scores, and
// count cuts that order (protocol: http-data 10).
type geoOptions struct {
	withDist, withCoord bool
	descending          bool
	limited             bool
	count               uint64
}

// geoHit is a member that a search has found.
type geoHit struct {
	member   string
	distance float64 // of a circle in its unit, of a box in metres
	place    geoPoint
}

// geoMemberPlace is the centre of a search around a member.
func (e *Engine) geoMemberPlace(key, member string) (geoPoint, string) {
	p, ok := e.geoPosition(key, member)
	if !ok {
		return p, "Key not found: Member not found in geospatial key: " + strings.ToValidUTF8(member, "\uFFFD")
	}
	return p, ""
}

// geoSearch finds the members of an area around a centre. A missing key is an
// empty result, before anything about the area is looked at: nil, if none was
// given, is an error only with a key.
func (e *Engine) geoSearch(key string, centre geoPoint, area *geoArea, o geoOptions) ([]geoHit, string) {
	if errText := centre.check(); errText != "" {
		return nil, errText
	}
	z := e.zsets.sets[key]
	if z == nil {
		return nil, ""
	}
	if area == nil {
		return nil, "Invalid request: Either 'by_radius' or 'by_box' must be provided"
	}
	e.geo.searches++
	unit, limit := area.unit, area.radius*area.unit.metres
	var box geoBox
	if !area.round {
		unit = geoMetre
		box = newGeoBox(centre, area.width*area.unit.metres, area.height*area.unit.metres)
	}
	var hits []geoHit
	for _, chunk := range z.order.chunks {
		for _, m := range chunk {
			p := geoPlace(m.score)
			if area.round && geoMetre.distance(centre, p) <= limit || !area.round && box.holds(p) {
				hits = append(hits, geoHit{m.member, unit.distance(centre, p), p})
			}
		}
	}
	if o.withDist {
		slices.SortStableFunc(hits, func(a, b geoHit) int {
			if o.descending {
				a, b = b, a
			}
			return compareScores(a.distance, b.distance)
		})
	}
	if o.limited && o.count < uint64(len(hits)) {
		hits = hits[:o.count]
	}
	return hits, ""
}
