package testserver

import (
	"encoding/base64"
	"testing"
	"time"
)

// Resources and actions as auth-and-ops 2 lists them.
func TestPermissionPatterns(t *testing.T) {
	tests := []struct {
		pattern, granted string
		resource, wanted string
		allowed          bool
	}{
		{"*", "all", "queue:x", "delete", true},
		{"*", "read", "queue:x", "read", true},
		{"*", "read", "queue:x", "write", false},
		{"queue:x", "write", "queue:x", "write", true},
		{"queue:x", "write", "queue:xy", "write", false},
		{"queue:x", "write", "queue:x", "read", false},
		{"queue:x", "admin", "queue:x", "read", false},
		{"queue:*", "read", "queue:", "read", true},
		{"queue:*", "read", "stream:x", "read", false},
		{"stream:au-*", "configure", "stream:au-1", "configure", true},
		{"stream:au-*", "configure", "stream:au-1", "read", true},
		{"stream:au-*", "configure", "stream:au-1", "write", true},
		{"stream:au-*", "configure", "stream:au-1", "delete", false},
		{"stream:au-*", "configure", "stream:other", "configure", false},
		{"*:orders", "read", "queue:orders", "read", true},
		{"*:orders", "read", "queue:orders2", "read", false},
		{"kv:*:name", "read", "kv:user:name", "read", true},
		{"kv:*:name", "read", "kv::name", "read", false},
		{"kv:*:name", "read", "kv:user:names", "read", false},
		{"kv:x", "bogus", "kv:x", "read", true},
		{"kv:x", "bogus", "kv:x", "write", false},
	}
	for _, test := range tests {
		p := permission{test.pattern, parseAction(test.granted)}
		if got := p.allows(test.resource, parseAction(test.wanted)); got != test.allowed {
			t.Errorf("%s %s: %s on %s = %v", test.granted, test.pattern, test.wanted, test.resource, got)
		}
	}
}

func basic(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

// The order of the rules of auth-and-ops 1, required and not.
func TestDecisionOrder(t *testing.T) {
	s := newStore(Config{User: "root", Password: "pa:ss", APIKey: "good"})
	const refused, anonymous = "refused", "anonymous"
	tests := []struct {
		name, header, query string
		required, optional  string
	}{
		{"nothing", "-", "", refused, anonymous},
		{"basic", basic("root:pa:ss"), "", "root", "root"},
		{"wrong password", basic("root:pa"), "", refused, refused},
		{"unknown user", basic("nobody:pa:ss"), "", refused, refused},
		{"no password", basic("root"), "", refused, refused},
		{"not base64", "Basic !!!", "", refused, refused},
		{"basic in lower case", "basic " + basic("root:pa:ss")[6:], "", refused, anonymous},
		{"bearer", "Bearer good", "", "root", "root"},
		{"bearer with blanks", "Bearer   good ", "", "root", "root"},
		{"wrong key", "Bearer bad", "", refused, refused},
		{"empty key", "Bearer ", "", refused, anonymous},
		{"bearer in lower case", "bearer good", "", refused, anonymous},
		{"bare key", "good", "", refused, anonymous},
		{"other scheme", "ApiKey good", "", refused, anonymous},
		{"key in the query", "-", "a=1&api_key=good", "root", "root"},
		{"wrong key in the query", "-", "api_key=bad", refused, refused},
		{"empty key in the query", "-", "api_key=", refused, anonymous},
		{"key in the query encoded", "-", "api_key=g%6Fod", refused, refused},
		{"query name in upper case", "-", "API_KEY=good", refused, anonymous},
		{"header hides the query", "Digest x", "api_key=good", refused, anonymous},
		{"empty header hides the query", "", "api_key=good", refused, anonymous},
		{"header wins", basic("root:bad"), "api_key=good", refused, refused},
	}
	for _, test := range tests {
		for _, require := range []bool{true, false} {
			s.require = require
			who, ok := s.decide(readCredentials([]byte(test.header), test.header != "-", []byte(test.query)))
			got, want := who.username, test.optional
			switch {
			case !ok:
				got = refused
			case !who.known:
				got = anonymous
			}
			if require {
				want = test.required
			}
			if got != want {
				t.Errorf("%s (required %v): %s, want %s", test.name, require, got, want)
			}
		}
	}
}

func TestKeysEndAndUsersAreDisabled(t *testing.T) {
	s := newStore(Config{User: "root", Password: "secret"})
	s.add(&apiKey{id: "1", expires: time.Now().Add(-time.Second)}, "late")
	s.add(&apiKey{id: "2", expires: time.Now().Add(time.Hour)}, "early")
	if s.authenticateKey("late") != nil || s.authenticateKey("early") == nil {
		t.Error("a key is valid until it expires")
	}
	k := s.authenticateKey("early")
	if k.uses != 2 || k.used.IsZero() {
		t.Errorf("%d uses, want 2", k.uses)
	}
	s.remove(k)
	if s.authenticateKey("early") != nil {
		t.Error("a revoked key is valid")
	}
	if s.authenticateUser("root", "secret") == nil {
		t.Fatal("root is refused")
	}
	s.users["root"].enabled = false
	if s.authenticateUser("root", "secret") != nil {
		t.Error("a disabled user is let in")
	}
}

func TestPasswordRules(t *testing.T) {
	for password, ok := range map[string]bool{"seven77": false, "eight888": true, "Password": false, "12345678": false, "correct horse": true} {
		if (checkPassword(password) == "") != ok {
			t.Errorf("%q: %q", password, checkPassword(password))
		}
	}
}
