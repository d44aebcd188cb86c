package main

import (
	"sync"
	"testing"
)

func TestAHandleFindsOnlyItsOwnObject(t *testing.T) {
	var h handles[*int]
	objects := make([]int, 100)
	given := make([]uint64, len(objects))
	for i := range objects {
		given[i] = h.add(&objects[i])
	}
	for i, handle := range given {
		if handle == 0 {
			t.Fatal("0 was given out, which must never be a handle")
		}
		if h.get(handle) != &objects[i] {
			t.Errorf("handle %#x finds another object", handle)
		}
	}
	for _, never := range []uint64{0, 1, given[0] &^ 0xffffffff, given[0] + 1<<32, given[99] + 1, 1<<64 - 1} {
		if h.get(never) != nil || h.remove(never) != nil {
			t.Errorf("handle %#x, which was never given out, finds an object", never)
		}
	}
}

func TestAClosedHandleStaysInvalidWhenItsSlotIsTaken(t *testing.T) {
	var h handles[*int]
	first, second := new(int), new(int)
	old := h.add(first)
	if h.remove(old) != first || h.remove(old) != nil {
		t.Error("remove must give the object once")
	}
	handle := h.add(second)
	if uint32(handle) != uint32(old) || handle == old {
		t.Errorf("handles %#x, then %#x: the slot must be taken again under another number", old, handle)
	}
	if h.get(old) != nil || h.get(handle) != second {
		t.Error("the closed handle finds what took its slot")
	}
}

func TestHandlesAreSafeForConcurrentUse(t *testing.T) {
	var h handles[*int]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				object := new(int)
				handle := h.add(object)
				if h.get(handle) != object || h.remove(handle) != object || h.get(handle) != nil {
					t.Error("a handle does not find its object")
					return
				}
			}
		})
	}
	wg.Wait()
}
