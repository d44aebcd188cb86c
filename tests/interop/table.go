package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/libsynap/libsynap/core/errs"
)

// code is the name of an error of ours.
func code(err error) string {
	var e *errs.Error
	if errors.As(err, &e) {
		return e.Code.String()
	}
	return "not our error: " + err.Error()
}

const same = "yes"

// row writes one line of a table.
func row(b *strings.Builder, cells ...string) {
	for i, c := range cells {
		c = strings.ReplaceAll(c, "|", `\|`)
		if i > 0 && c != same && c != "–" && c != "as Synap" && !strings.HasPrefix(c, "**") && c != "---" {
			c = "`" + c + "`"
		}
		fmt.Fprintf(b, "| %s ", c)
	}
	b.WriteString("|\n")
}

const intro = `<!-- Written by "go run ./tests/interop -write"; make test-interop compares it with what the programs do. -->
# Beside other programs

What the test found when this client shared a server with the official Python SDK, and when it spoke to Redis.

## The official Python SDK

` + "`synap-sdk` 1.4.0 from PyPI against the test server. *yes* means that the SDK and this client agree; anything else is what was seen instead. The last column says what was expected. `SynapException`, `TypeError` and `UnsupportedCommandError` are raised by the SDK, other names of errors come from this client." + `

`

const between = `
Where it matters:

- A TTL that the SDK sets over ` + "`synap://`" + ` is lost: it sends ` + "`EX`" + `, which that wire ignores. This client sends the number alone.
- Over ` + "`resp3://`" + ` the SDK cannot read bytes that are not UTF-8, and if they come inside a list, as messages do, it loses its place: from then on every call gets the reply to an earlier one. Open a new client after such an error. Over HTTP it cannot send bytes at all.
- The SDK reads stored text as JSON where it can, so a text of digits comes back as a number.
- A queue's size, the limit of stream reads and the prefix of scans do not reach the server, nor does a message's priority over the native wires.
- What the SDK reads of a stream is the JSON text of an event, or its bytes over HTTP, and not the value.

## Redis

This client on ` + "`redis://`" + ` with Debian's Redis 7.0 and a password: each line ran on the test server's RESP3 and on Redis. *as Synap* means that the results were equal.

`

const after = `
- Redis has no queues, no streams of this kind and no ` + "`kv.stats`" + `: they fail with the typed error ` + "`Unsupported`" + `.
- ` + "`MATCH`" + ` of ` + "`SCAN`" + ` is a prefix on Synap and a pattern on Redis, where a scan of a prefix so finds only a key of that very name. Redis also answers a part of the keys and a cursor, which this client does not follow. Use ` + "`kv.keys`" + ` there.
- ` + "`PERSIST`" + ` of a key without a TTL is true on Synap and false on Redis.
`

// counts are the cells of a table and those that are no agreement.
type counts struct{ cells, differ int }

func (n *counts) add(agrees bool) {
	n.cells++
	if !agrees {
		n.differ++
	}
}
