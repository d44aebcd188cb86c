package engine

var listCommands = map[string]handler{}

type listStore struct{}
