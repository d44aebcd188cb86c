// Package runner replays recorded exchanges of a Synap server ("vectors") and
// says where they differ: against our test server (role server), against our
// client with a scripted peer in the server's place (role client), and through
// the bindings of other languages (role host).
//
// The vectors and their conventions are those of the protocol pages: steps of
// http-messaging ("Vector conventions"), http-data 17 and websocket ("Vector
// steps"), and for the native wires synaprpc 11. Over those the role server
// compares bytes, the role client our codecs, and the role host the recordings of
// HTTP by the rules of native_host.go. Whatever a vector holds that the runner
// does not know is a failure, never a pass.
package runner
