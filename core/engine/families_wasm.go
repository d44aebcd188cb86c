//go:build wasip1

package engine

import "strings"

// families are those that the engine inside the WASM module serves. The others
// would take a tenth of what may be downloaded before a page works (RATIONALE.md
// has the figures); against a server the module has them all.
var (
	families     = []family{kvCommands, queueCommands, streamCommands, pubsubCommands, keyCommands, hashCommands, listCommands}
	restFamilies []family
)

var keyspaces = []keyspace{listSpace, hashSpace, stringSpace}

// hasTransactions is a constant so that a build without them has nothing of them.
const hasTransactions = false

// unknown is the server's error text for a command that it has not, and says
// so where only this build has it not.
func unknown(name string) string {
	family, _, _ := strings.Cut(name, ".")
	switch family {
	case "script":
		return noScripts
	case "set", "sortedset", "bitmap", "geospatial", "hyperloglog", "transaction", "memory", "topics", "groups":
		return "Unknown command: " + name + " (memory:// of the WASM module has the families kv, key, hash, list, queue, stream and pubsub)"
	}
	return "Unknown command: " + name
}
