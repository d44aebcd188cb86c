// Package sim plays the event-driven client against the embedded engine through a
// network that exists only in its head. Time is virtual, nothing runs beside
// anything else, and every decision comes from a seed, so a run is repeated by its
// number.
//
// A run has a few clients (core/loop), each on one of the wires, and one server on
// an engine (core/engine). The network between them delays, cuts before, within
// and after a message in either direction, writes halves, lets independent
// connections overtake each other, leaves the server's end of a broken connection
// alive, stalls, refuses, answers garbage, or never answers; the server freezes and
// restarts, and then has lost what a real one loses. All faults of a seed are its
// weather. Towards the end the weather clears, so that what should recover can be
// seen to.
//
// The engine reports every command that it carries out. As each call names itself
// in what it writes or asks, that ledger tells how often each one was applied and
// what the server answered to it, and a run is judged against it:
//
//   - every frame ends once, and by its deadline;
//   - a call that succeeded has the reply that the server gave to it and to no other;
//   - what may not be repeated is applied at most once, exactly once if the call
//     succeeded, and never if its error does not say that it may have been;
//   - a message that was acked stays acked, and none is lost;
//   - subscribers and followers get each item once and in order, or a count of lost
//     ones that covers the gap, and still hear the last one after all breaks;
//   - in the end nothing is left: no frame, request, socket or timer, and where no
//     connection broke no subscriber on the server.
//
// Where the weather is fine throughout, calls must also succeed.
//
//	go test ./tests/sim                        10,000 seeds
//	go test ./tests/sim -sim.seeds=1000000 -sim.from=10000
//	go test ./tests/sim -run TestSeeds -sim.seed=17 -v    the events of one run
//
// A run that fails is made as short as it goes before its events are printed:
// operations and kinds of faults are left out for as long as it still fails.
package sim
