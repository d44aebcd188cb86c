package engine

var hashCommands = map[string]handler{}

type hashStore struct{}
