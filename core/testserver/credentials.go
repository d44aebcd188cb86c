package testserver

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/valyala/fasthttp"
)

// credentials are what a request shows. They are read from the header as sent
// and from the query without decoding (protocol: auth-and-ops 1).
type credentials struct {
	key            string
	basic          bool
	user, password string
	readable       bool // the Basic form had a user and a password
}

func readCredentials(authorization []byte, hasHeader bool, query []byte) (c credentials) {
	if !hasHeader {
		c.key = queryKey(query)
		return c
	}
	header := string(authorization)
	if key, ok := strings.CutPrefix(header, "Bearer "); ok {
		c.key = strings.TrimSpace(key)
	} else if encoded, ok := strings.CutPrefix(header, "Basic "); ok {
		c.basic = true
		decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
		if err == nil {
			c.user, c.password, c.readable = strings.Cut(string(decoded), ":")
		}
	}
	return c
}

// queryKey returns the raw value of api_key.
func queryKey(query []byte) string {
	for part := range bytes.SplitSeq(query, []byte("&")) {
		if key, ok := bytes.CutPrefix(part, []byte("api_key=")); ok {
			return string(key)
		}
	}
	return ""
}

// authenticate says who a request comes from, or that it is refused with 401.
func (s *store) authenticate(path []byte, ctx *fasthttp.RequestCtx) (identity, bool) {
	if !s.enabled {
		return identity{everything: true, admin: true}, true
	}
	if p := string(path); p == "/health" || p == "/metrics" {
		return identity{}, true
	}
	header := ctx.Request.Header.Peek("Authorization")
	return s.decide(readCredentials(header, header != nil, ctx.URI().QueryString()))
}

// decide applies the order of the rules: key, then password, then nobody.
func (s *store) decide(c credentials) (identity, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.key != "":
		if k := s.authenticateKey(c.key); k != nil {
			return k.identity(), true
		}
		return identity{}, false
	case c.basic:
		if u := s.authenticateUser(c.user, c.password); u != nil && c.readable {
			return u.identity(), true
		}
		return identity{}, false
	}
	return identity{}, !s.require
}
