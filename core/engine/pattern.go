package engine

import "strings"

// pattern is one subscription by pattern.
type pattern struct {
	text     string
	segments []string // "#" is only ever the last
	sub      *Subscriber
}

// newPattern checks and splits a pattern (protocol: http-messaging 4, pattern
// rules).
func newPattern(text string, s *Subscriber) (*pattern, string) {
	segments := strings.Split(text, ".")
	count := 0
	for _, segment := range segments {
		if segment == "#" {
			count++
		}
	}
	switch {
	case count > 1:
		return nil, "Invalid value: Pattern can only contain one # wildcard"
	case count == 1 && segments[len(segments)-1] != "#":
		return nil, "Invalid value: # wildcard must be at the end of pattern"
	}
	return &pattern{text, segments, s}, ""
}

// matches reports whether a message to the topic is for the pattern.
func (p *pattern) matches(topic string) bool {
	rest, more := topic, true
	for _, want := range p.segments {
		if want == "#" {
			return true
		}
		if !more {
			return false
		}
		var segment string
		segment, rest, more = strings.Cut(rest, ".")
		if !glob(want, segment) {
			return false
		}
	}
	return !more
}

// glob matches one segment: each * stands for any text, the empty one too.
func glob(want, s string) bool {
	prefix, want, star := strings.Cut(want, "*")
	if !star {
		return prefix == s
	}
	if !strings.HasPrefix(s, prefix) {
		return false
	}
	s = s[len(prefix):]
	for {
		piece, rest, more := strings.Cut(want, "*")
		if !more {
			return strings.HasSuffix(s, piece)
		}
		at := strings.Index(s, piece)
		if at < 0 {
			return false
		}
		s, want = s[at+len(piece):], rest
	}
}
