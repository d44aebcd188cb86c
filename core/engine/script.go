package engine

var scriptCommands = map[string]handler{}

type scriptStore struct{}
