package engine

var keyCommands = map[string]handler{}
