package engine

// dueHeap holds the keys that expire, the next one first. Each knows its place,
// so that a key whose TTL changes or that is deleted leaves nothing behind.
type dueHeap []*item

// set puts an item where its new time belongs; 0 takes it off.
func (h *dueHeap) set(it *item, at int64) {
	had := it.expires != 0
	it.expires = at
	switch {
	case at == 0 && had:
		h.remove(it)
	case at != 0 && !had:
		it.place = len(*h)
		*h = append(*h, it)
		h.up(it.place)
	case at != 0:
		h.up(it.place)
		h.down(it.place)
	}
}

// remove takes an item off.
func (h *dueHeap) remove(it *item) {
	s := *h
	i, last := it.place, len(s)-1
	s.swap(i, last)
	s[last] = nil
	*h = s[:last]
	if i < last {
		h.up(i)
		h.down(i)
	}
}

func (h dueHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h dueHeap) up(i int) {
	for i > 0 && h[i].expires < h[(i-1)/2].expires {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (h dueHeap) down(i int) {
	for {
		next := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h) && h[child].expires < h[next].expires {
				next = child
			}
		}
		if next == i {
			return
		}
		h.swap(i, next)
		i = next
	}
}
