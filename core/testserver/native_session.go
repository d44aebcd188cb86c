package testserver

import "github.com/libsynap/libsynap/core/testserver/native"

// session is who a native connection belongs to (protocol: synaprpc 4, resp3 2).
// API keys mean nothing here, and of the permissions only that of administrators.
type session struct {
	store *store
	known bool
	admin bool
}

const (
	wrongPass = "WRONGPASS invalid username-password pair or user is disabled."
	noPerm    = "NOPERM this command requires admin privileges"
	// onlyUser is whom a password alone is for.
	onlyUser = "default"
)

func (s *store) nativeSession() session {
	open := !s.enabled || !s.require
	return session{store: s, known: open, admin: open}
}

// login checks a user's password. A failure leaves an earlier login in force.
func (s *session) login(name, password string) bool {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	u := s.store.authenticateUser(name, password)
	if u == nil {
		return false
	}
	s.known, s.admin = true, u.admin
	return true
}

// may reports whether the session may run a command.
func (s *session) may(name string) bool { return s.admin || !native.NeedsAdmin(name) }
