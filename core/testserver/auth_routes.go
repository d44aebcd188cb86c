package testserver

import (
	"net/netip"
	"slices"
	"time"

	"github.com/libsynap/libsynap/core/value"
)

// The /auth routes (protocol: auth-and-ops 3).
var authRoutes = []route{
	{method: "POST", path: "/auth/login", body: &shape{"struct LoginRequest", []field{{name: "username", read: str}, {name: "password", read: str}}}, run: login},
	{method: "GET", path: "/auth/me", run: whoAmI},
	{method: "POST", path: "/auth/keys", body: keyBody, run: createKey},
	{method: "GET", path: "/auth/keys", run: listKeys},
	{method: "DELETE", path: "/auth/keys/{key_id}", run: revokeKey},
	{method: "POST", path: "/auth/users", body: userBody, run: admins(createUser)},
	{method: "GET", path: "/auth/users", run: admins(listUsers)},
	{method: "GET", path: "/auth/users/{username}", run: getUser},
	{method: "DELETE", path: "/auth/users/{username}", run: admins(deleteUser)},
	{method: "POST", path: "/auth/users/{username}/password", body: &shape{"struct ChangePasswordRequest", []field{{name: "new_password", read: str}}}, run: changePassword},
	{method: "POST", path: "/auth/users/{username}/enable", run: admins(enableUser(true))},
	{method: "POST", path: "/auth/users/{username}/disable", run: admins(enableUser(false))},
	{method: "POST", path: "/auth/users/{username}/roles", body: &shape{"struct GrantRoleRequest", []field{{name: "role", read: str}}}, run: admins(grantRole)},
	{method: "DELETE", path: "/auth/users/{username}/roles/{role}", run: admins(revokeRole)},
	{method: "GET", path: "/auth/roles", run: admins(listRoles)},
}

var keyBody = &shape{"struct CreateApiKeyRequest", []field{
	{name: "name", read: str},
	{name: "expires_in_seconds", rule: optional, read: u64},
	{name: "permissions", rule: optional, read: list(nested(&shape{"struct PermissionRequest", []field{{name: "resource", read: str}, {name: "action", read: str}}}))},
	{name: "allowed_ips", rule: optional, read: list(str)},
}}

var userBody = &shape{"struct CreateUserRequest", []field{
	{name: "username", read: str},
	{name: "password", read: str},
	{name: "roles", rule: optional, read: list(str)},
	{name: "is_admin", rule: optional, read: boolean},
}}

// admins lets only administrators through, and locks the store.
func admins(run func(*request)) func(*request) {
	return func(r *request) {
		if !r.who.admin {
			r.fail("Invalid request: Admin permission required")
			return
		}
		s := r.server.auth
		s.mu.Lock()
		defer s.mu.Unlock()
		run(r)
	}
}

// done answers that something was done, or was not.
func (r *request) done(success bool, message string) {
	r.json(object("success", success, "message", message))
}

func (u *user) report() value.Value {
	return object("username", u.name, "roles", texts(u.roles), "is_admin", u.admin, "enabled", u.enabled)
}

func texts(list []string) value.Value {
	items := make([]value.Value, len(list))
	for i, s := range list {
		items[i] = value.Str(s)
	}
	return value.Array(items...)
}

// timestamp is a time as the server writes it, nil if it is zero.
func timestamp(t time.Time) value.Value {
	if t.IsZero() {
		return value.Nil
	}
	return value.Str(t.UTC().Format("2006-01-02T15:04:05.000000000+00:00"))
}

func textOrNil(s string) value.Value {
	if s == "" {
		return value.Nil
	}
	return value.Str(s)
}

// login only says whether a password is right; there are no sessions.
func login(r *request) {
	s := r.server.auth
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.authenticateUser(r.text("username"), r.text("password")); u != nil {
		r.json(object("success", true, "user", u.report(), "message", "Login successful"))
		return
	}
	r.json(object("success", false, "user", value.Nil, "message", "Invalid credentials"))
}

func whoAmI(r *request) {
	if !r.who.known {
		r.fail("Invalid request: Not authenticated")
		return
	}
	r.json(object("username", r.who.username, "roles", value.Array(), "is_admin", r.who.admin, "enabled", true))
}

// longestKey is as far ahead as a key may expire. The server ends its process
// beyond 8·10¹² seconds; here that is an error (protocol: auth-and-ops 3, quirks).
const longestKey = 8_000_000_000_000

func createKey(r *request) {
	at := time.Now()
	k := &apiKey{id: randomUUID(), name: r.text("name"), owner: r.who.username, created: at}
	if u, ok := r.field("expires_in_seconds").AsUint(); ok {
		seconds := int64(u) // 2^64-1 is -1: expired already
		if seconds > longestKey || seconds < -longestKey {
			r.fail("Invalid request: expires_in_seconds is out of range")
			return
		}
		k.expires = time.Unix(at.Unix()+seconds, int64(at.Nanosecond()))
	}
	for _, p := range r.field("permissions").Items() {
		resource, _ := p.Field("resource").AsStr()
		name, _ := p.Field("action").AsStr()
		k.permissions = append(k.permissions, permission{resource, parseAction(name)})
	}
	for _, ip := range r.field("allowed_ips").Items() {
		text, _ := ip.AsStr()
		if addr, err := netip.ParseAddr(text); err == nil {
			k.allowed = append(k.allowed, addr)
		}
	}
	text := randomKey()
	s := r.server.auth
	s.mu.Lock()
	s.add(k, text)
	s.mu.Unlock()
	r.json(object("success", true, "key", object("id", k.id, "key", text, "name", k.name,
		"expires_at", timestamp(k.expires), "created_at", timestamp(k.created)), "message", "API key created successfully"))
}

func listKeys(r *request) {
	s := r.server.auth
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []value.Value{}
	for _, k := range s.keys {
		if r.who.admin || k.owner == r.who.username {
			keys = append(keys, object("id", k.id, "name", k.name, "username", textOrNil(k.owner), "expires_at", timestamp(k.expires),
				"enabled", true, "created_at", timestamp(k.created), "last_used_at", timestamp(k.used), "usage_count", int(k.uses)))
		}
	}
	r.json(object("success", true, "keys", value.Array(keys...)))
}

func revokeKey(r *request) {
	s := r.server.auth
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if k.id != r.params[0] {
			continue
		}
		if !r.who.admin && k.owner != r.who.username {
			r.fail("Invalid request: Not authorized to revoke this key")
			return
		}
		s.remove(k)
		r.done(true, "API key revoked")
		return
	}
	r.done(false, "API key not found")
}

// createUser creates the user even if a role turns out unknown (protocol:
// auth-and-ops 3, quirks).
func createUser(r *request) {
	s := r.server.auth
	name, password := r.text("username"), r.text("password")
	if s.users[name] != nil {
		r.fail("Invalid request: User " + name + " already exists")
		return
	}
	if refusal := checkPassword(password); refusal != "" {
		r.fail(refusal)
		return
	}
	admin, _ := r.field("is_admin").AsBool()
	u := newUser(name, password, nil, admin)
	s.users[name] = u
	for _, v := range r.field("roles").Items() {
		role, _ := v.AsStr()
		if !r.grant(u, role) {
			return
		}
	}
	r.done(true, "User "+name+" created successfully")
}

func (r *request) grant(u *user, role string) bool {
	if _, known := roles[role]; !known {
		r.fail("Invalid request: Role " + role + " does not exist")
		return false
	}
	if !slices.Contains(u.roles, role) {
		u.roles = append(u.roles, role)
	}
	return true
}

func listUsers(r *request) {
	users := []value.Value{}
	for _, u := range r.server.auth.users {
		users = append(users, u.report())
	}
	r.json(object("success", true, "users", value.Array(users...)))
}

// user finds the user in the path; an unknown one is answered here.
func (r *request) user() *user {
	u := r.server.auth.users[r.params[0]]
	if u == nil {
		r.fail("Key not found: User " + r.params[0] + " not found")
	}
	return u
}

func getUser(r *request) {
	if !r.who.admin && r.who.username != r.params[0] {
		r.fail("Invalid request: Not authorized to view this user")
		return
	}
	s := r.server.auth
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := r.user(); u != nil {
		r.json(u.report())
	}
}

func deleteUser(r *request) {
	s, name := r.server.auth, r.params[0]
	switch {
	case name == s.root:
		r.fail("Invalid request: Cannot delete root user")
	case s.users[name] == nil:
		r.done(false, "User "+name+" not found")
	default:
		delete(s.users, name)
		r.done(true, "User "+name+" deleted")
	}
}

func changePassword(r *request) {
	if !r.who.admin && r.who.username != r.params[0] {
		r.fail("Invalid request: Not authorized to change this user's password")
		return
	}
	password := r.text("new_password")
	if refusal := checkPassword(password); refusal != "" {
		r.fail(refusal)
		return
	}
	s := r.server.auth
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := r.user(); u != nil {
		u.setPassword(password)
		r.done(true, "Password changed successfully")
	}
}

func enableUser(enabled bool) func(*request) {
	return func(r *request) {
		u := r.user()
		if u == nil {
			return
		}
		u.enabled = enabled
		word := "disabled"
		if enabled {
			word = "enabled"
		}
		r.done(true, "User "+u.name+" "+word)
	}
}

func grantRole(r *request) {
	role := r.text("role")
	if u := r.user(); u != nil && r.grant(u, role) {
		r.done(true, "Role "+role+" granted to user "+u.name)
	}
}

func revokeRole(r *request) {
	u, role := r.user(), r.params[1]
	if u == nil {
		return
	}
	u.roles = slices.DeleteFunc(u.roles, func(other string) bool { return other == role })
	r.done(true, "Role "+role+" revoked from user "+u.name)
}

func listRoles(r *request) {
	list := []value.Value{}
	for name, granted := range roles {
		permissions := make([]value.Value, len(granted))
		for i, p := range granted {
			permissions[i] = object("resource", p.resource, "action", p.action.String())
		}
		list = append(list, object("name", name, "permissions", value.Array(permissions...)))
	}
	r.json(object("success", true, "roles", value.Array(list...)))
}
