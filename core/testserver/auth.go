package testserver

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// store holds users and API keys, in memory only (protocol: auth-and-ops 1).
//
// Passwords are kept as salted SHA-256 and compared in constant time. The server
// spends 0.25 s on each comparison to be slow for a thief; a test server keeps no
// password worth stealing and would only make tests slow.
type store struct {
	enabled, require bool
	root             string

	mu    sync.Mutex
	users map[string]*user
	keys  []*apiKey
	byKey map[[sha256.Size]byte]*apiKey
}

type user struct {
	name           string
	salt           [16]byte
	hash           [sha256.Size]byte
	roles          []string
	admin, enabled bool
}

type apiKey struct {
	id, name, owner string
	permissions     []permission
	allowed         []netip.Addr
	created         time.Time
	expires, used   time.Time // zero: never
	uses            int64
	sum             [sha256.Size]byte
}

// roles are what roles grant; none can be added.
var roles = map[string][]permission{
	"admin":    {{"*", actionAll}},
	"readonly": {{"*", actionRead}},
}

func newStore(cfg Config) *store {
	s := &store{
		enabled: cfg.User != "" || cfg.Password != "" || cfg.APIKey != "",
		require: cfg.RequireAuth,
		root:    cfg.User,
		users:   map[string]*user{},
		byKey:   map[[sha256.Size]byte]*apiKey{},
	}
	if s.root == "" {
		s.root = "root"
	}
	if cfg.User != "" || cfg.Password != "" {
		root := newUser(s.root, cfg.Password, []string{"admin"}, true)
		s.users[s.root] = root
	}
	if cfg.APIKey != "" {
		s.add(&apiKey{id: randomUUID(), name: "preset", owner: s.root, permissions: roles["admin"], created: time.Now()}, cfg.APIKey)
	}
	return s
}

func newUser(name, password string, roles []string, admin bool) *user {
	u := &user{name: name, roles: roles, admin: admin, enabled: true}
	u.setPassword(password)
	return u
}

func (u *user) setPassword(password string) {
	rand.Read(u.salt[:])
	u.hash = saltedHash(u.salt, password)
}

func saltedHash(salt [16]byte, password string) [sha256.Size]byte {
	return sha256.Sum256(append(salt[:], password...))
}

// authenticateUser checks a password; disabled users have none that is right.
func (s *store) authenticateUser(name, password string) *user {
	u := s.users[name]
	if u == nil {
		return nil
	}
	hash := saltedHash(u.salt, password)
	if subtle.ConstantTimeCompare(hash[:], u.hash[:]) != 1 || !u.enabled {
		return nil
	}
	return u
}

func (s *store) add(k *apiKey, text string) {
	k.sum = sha256.Sum256([]byte(text))
	s.keys = append(s.keys, k)
	s.byKey[k.sum] = k
}

func (s *store) remove(k *apiKey) {
	s.keys = slices.DeleteFunc(s.keys, func(other *apiKey) bool { return other == k })
	delete(s.byKey, k.sum)
}

// everyPeer is where the server thinks every client is: its HTTP listener does
// not tell the peer's address (protocol: auth-and-ops 3, quirks).
var everyPeer = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// authenticateKey finds a key that is valid now, and counts its use.
func (s *store) authenticateKey(text string) *apiKey {
	k := s.byKey[sha256.Sum256([]byte(text))]
	at := time.Now()
	if k == nil || (!k.expires.IsZero() && !at.Before(k.expires)) || (len(k.allowed) > 0 && !slices.Contains(k.allowed, everyPeer)) {
		return nil
	}
	k.used = at
	k.uses++
	return k
}

func (u *user) identity() identity {
	id := identity{username: u.name, admin: u.admin, everything: u.admin, known: true}
	for _, r := range u.roles {
		id.permissions = append(id.permissions, roles[r]...)
	}
	return id
}

func (k *apiKey) identity() identity {
	return identity{username: k.owner, known: true, permissions: k.permissions}
}

// commonPasswords are refused; the server's own list is as short.
var commonPasswords = []string{"password", "12345678", "123456789", "1234567890", "qwerty123", "password1", "password123", "admin123", "letmein1", "welcome1", "iloveyou"}

// checkPassword returns why a new password is refused, "" if it is not.
func checkPassword(password string) string {
	switch {
	case len(password) < 8:
		return "Invalid request: Password must be at least 8 characters long"
	case slices.Contains(commonPasswords, strings.ToLower(password)):
		return "Invalid request: Password is too common. Please choose a stronger password"
	}
	return ""
}
