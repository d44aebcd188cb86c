package main

import (
	"os"
	"runtime"
	"runtime/pprof"
)

// profiles are the files to write profiles to, "" for none.
type profiles struct {
	cpu, allocs string
	running     *os.File
}

func (p *profiles) start() (err error) {
	if p.allocs != "" {
		runtime.MemProfileRate = 4096
	}
	if p.cpu == "" {
		return nil
	}
	if p.running, err = os.Create(p.cpu); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.running)
}

func (p *profiles) stop() error {
	if p.running != nil {
		pprof.StopCPUProfile()
		if err := p.running.Close(); err != nil {
			return err
		}
	}
	if p.allocs == "" {
		return nil
	}
	f, err := os.Create(p.allocs)
	if err != nil {
		return err
	}
	defer f.Close()
	runtime.GC() // counts what is pending
	return pprof.Lookup("allocs").WriteTo(f, 0)
}
