package main

func docsOutputs() []output { return nil }
