package engine

var groupsCommands = map[string]handler{}

type groupStore struct{}
