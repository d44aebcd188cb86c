package main

import "sync"

// handles gives out numbers for objects. A number is generation<<32 | slot + 1:
// one that was closed never finds the object that took its slot.
type handles[T any] struct {
	mu    sync.RWMutex
	slots []slot[T]
	free  []uint32
}

type slot[T any] struct {
	generation uint32
	used       bool
	object     T
}

func (h *handles[T]) add(object T) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	var i uint32
	if n := len(h.free); n > 0 {
		i = h.free[n-1]
		h.free = h.free[:n-1]
	} else {
		i = uint32(len(h.slots))
		h.slots = append(h.slots, slot[T]{})
	}
	s := &h.slots[i]
	s.generation++
	s.used, s.object = true, object
	return uint64(s.generation)<<32 | uint64(i+1)
}

// get returns the object of a handle, the zero T for one that is closed or
// never was.
func (h *handles[T]) get(handle uint64) (object T) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if s := h.find(handle); s != nil {
		object = s.object
	}
	return object
}

func (h *handles[T]) remove(handle uint64) (object T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.find(handle); s != nil {
		var none T
		object, s.object, s.used = s.object, none, false
		h.free = append(h.free, uint32(handle)-1)
	}
	return object
}

func (h *handles[T]) find(handle uint64) *slot[T] {
	i := uint32(handle)
	if i == 0 || int(i) > len(h.slots) {
		return nil
	}
	if s := &h.slots[i-1]; s.used && s.generation == uint32(handle>>32) {
		return s
	}
	return nil
}
