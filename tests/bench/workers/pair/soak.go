package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/libsynap/libsynap/core/value"
)

// soakRound is how many calls a round of the soak makes: half of them on the
// engine in the module, half over HTTP.
const soakRound = 100

func soak(path string, calls int) error {
	m, err := load(path)
	if err != nil {
		return err
	}
	m.checking = false // replies differ here
	memory, web := m.open("memory://"), m.open("http://h")
	rounds := calls / soakRound
	var early uint32
	start := time.Now()
	for i := range rounds {
		if i == rounds/5 {
			early = m.memory.Size()
		}
		m.completions = 0
		for j := range soakRound / 4 {
			key := fmt.Sprint("bench:", (i+j)%100)
			m.frame(memory, 1, value.AppendMsgpack(nil, command("kv.set", key, text[:i*7919%len(text)])))
			m.frame(memory, 2, value.AppendMsgpack(nil, get(key)))
			m.frame(web, 3+2*j, value.AppendMsgpack(nil, get(key)))
			m.frame(web, 4+2*j, value.AppendMsgpack(nil, get("other")))
		}
		m.answer(web)
		if m.completions != soakRound {
			return fmt.Errorf("%d of %d calls have ended", m.completions, soakRound)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"calls": rounds * soakRound, "seconds": time.Since(start).Seconds(),
		"bytes_after_fifth": early, "bytes_at_end": m.memory.Size()})
}
