package main

func cppOutputs() []output { return nil }
