package main

func cOutputs() []output { return nil }
