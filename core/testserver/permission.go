package testserver

import "strings"

// action is what a permission allows (protocol: auth-and-ops 2).
type action uint8

const (
	actionRead action = iota + 1
	actionWrite
	actionDelete
	actionAdmin
	actionConfigure
	actionAll
)

var actionNames = [...]string{"", "read", "write", "delete", "admin", "configure", "all"}

func (a action) String() string { return actionNames[a] }

// parseAction reads an action; unknown names become read, as on the server.
func parseAction(name string) action {
	for i, n := range actionNames {
		if i > 0 && n == name {
			return action(i)
		}
	}
	return actionRead
}

// covers reports whether a granted action allows a wanted one.
func (a action) covers(wanted action) bool {
	switch a {
	case actionAll:
		return true
	case actionConfigure:
		return wanted == actionConfigure || wanted == actionRead || wanted == actionWrite
	}
	return a == wanted
}

// permission grants an action on the resources that match a pattern.
type permission struct {
	resource string
	action   action
}

func (p permission) allows(resource string, wanted action) bool {
	return p.action.covers(wanted) && matchResource(p.resource, resource)
}

// matchResource matches a resource against a pattern: exact, *, prefix*, *suffix,
// or a:*:b with at least one segment for the star.
func matchResource(pattern, resource string) bool {
	before, after, star := strings.Cut(pattern, "*")
	switch {
	case !star:
		return pattern == resource
	case after == "":
		return strings.HasPrefix(resource, before)
	case before == "":
		return strings.HasSuffix(resource, after)
	}
	return len(resource) > len(before)+len(after) && strings.HasPrefix(resource, before) && strings.HasSuffix(resource, after)
}

// identity is who a request comes from.
type identity struct {
	username    string
	everything  bool // passes every check
	admin       bool // may manage users and roles
	known       bool // has shown credentials
	permissions []permission
}

func (i *identity) may(resource string, wanted action) bool {
	if i.everything {
		return true
	}
	for _, p := range i.permissions {
		if p.allows(resource, wanted) {
			return true
		}
	}
	return false
}
