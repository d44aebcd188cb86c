//go:build !wasip1

package engine

// families are the families that the engine serves: those of the command
// envelope, and those that only REST routes reach.
var (
	families     = []family{kvCommands, queueCommands, streamCommands, pubsubCommands, keyCommands, hashCommands, listCommands, setCommands, zsetCommands, bitmapCommands, hllCommands, geoCommands, scriptCommands, transactionCommands, memoryCommands}
	restFamilies = []family{topicsCommands, groupsCommands}
)

var keyspaces = []keyspace{zsetSpace, setSpace, listSpace, hashSpace, stringSpace}

// hasTransactions says whether commands can be queued and watched.
const hasTransactions = true

// unknown is the server's error text for a command that it has not.
func unknown(name string) string { return "Unknown command: " + name }
