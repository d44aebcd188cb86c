package engine

var topicsCommands = map[string]handler{}

type topicStore struct{}
