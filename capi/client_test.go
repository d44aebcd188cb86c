package main

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// silent returns the address of a server that takes connections and never
// answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String()
}

func open(t *testing.T, address string) *client {
	t.Helper()
	c, err := core.Open(address, core.WithTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return newClient(c)
}

// incr is the frame of a call that has an effect.
var incr = string(value.AppendMsgpack(nil, value.Array(value.Int(0), value.Str("kv.incr"), value.Array(value.Str("k")))))

// Submissions, cancellations and polls from many threads, and a close in their
// middle: each call that was taken ends once.
func TestEverySubmittedCallEndsOnce(t *testing.T) {
	for _, address := range []string{"memory://", silent(t)} {
		c := open(t, address)
		var mu sync.Mutex
		taken, ended := map[uint64]bool{}, map[uint64]int{}
		var submitters, pollers sync.WaitGroup
		for i := range uint64(4) {
			submitters.Go(func() {
				for tag := i * 1000; tag < i*1000+60; tag++ {
					if c.submit(incr, 0, tag) == nil {
						mu.Lock()
						taken[tag] = true
						mu.Unlock()
					}
					if tag%3 == 0 {
						c.cancel(tag)
					}
				}
			})
			pollers.Go(func() {
				for {
					list, err := c.queue.take(7, time.Minute)
					if err != nil {
						return
					}
					v, _, _ := value.ParseMsgpack(string(list))
					mu.Lock()
					for k := 0; k < v.Len(); k++ {
						tag, _ := v.Index(k).Index(0).AsUint()
						ended[tag]++
					}
					mu.Unlock()
				}
			})
		}
		submitters.Wait()
		c.close()
		pollers.Wait()
		if len(taken) != 240 {
			t.Errorf("%s: %d of 240 calls were taken", address, len(taken))
		}
		for tag := range taken {
			if ended[tag] != 1 {
				t.Errorf("%s: call %d ended %d times", address, tag, ended[tag])
			}
		}
	}
}

func TestCloseWhileCallsAreBeingSubmitted(t *testing.T) {
	for range 50 {
		c := open(t, silent(t))
		var wg sync.WaitGroup
		for i := range uint64(4) {
			wg.Go(func() {
				for tag := i * 1000; tag < i*1000+20; tag++ {
					_ = c.submit(incr, 0, tag)
				}
			})
		}
		c.close()
		wg.Wait()
		inFlight := func() int {
			c.mu.Lock()
			defer c.mu.Unlock()
			return len(c.submitted)
		}
		for deadline := time.Now().Add(5 * time.Second); inFlight() > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d calls never ended", inFlight())
			}
		}
	}
}

func TestATagIsFreeAgainWhenItsCallHasEnded(t *testing.T) {
	c := open(t, silent(t))
	defer c.close()
	if err := c.submit(incr, 0, 5); err != nil {
		t.Fatal(err)
	}
	if err := c.submit(incr, 0, 5); !errors.Is(err, errs.InvalidArgument) {
		t.Error("a tag in flight was taken again:", err)
	}
	c.cancel(5)
	if err := c.submit(incr, 0, 5); err != nil {
		t.Error("the tag of an ended call was refused:", err)
	}
}

// A panic while a completion is put must not end the process, nor lose the tag.
func TestAPanicInACompletionPoisonsTheClient(t *testing.T) {
	c := open(t, "memory://")
	defer c.close()
	s := &submission{}
	c.submitted[9] = s
	c.complete(9, s, value.Nil, (*errs.Error)(nil)) // a typed nil, on which encoding panics
	v, _, _ := value.ParseMsgpack(string(must(c.queue.take(1, 0))))
	if code, _ := v.Index(0).Index(2).Index(0).AsInt(); errs.Code(code) != errs.Panic || !c.poisoned.Load() {
		t.Errorf("got %d, poisoned %v", code, c.poisoned.Load())
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
