package engine

import "slices"

// deque is a list of texts, a ring.
type deque struct {
	ring    []string
	head, n int
}

// at returns the place of element i, which must be there.
func (d *deque) at(i int) *string { return &d.ring[(d.head+i)%len(d.ring)] }

func (d *deque) grow() {
	if d.n < len(d.ring) {
		return
	}
	d.set(d.items(), max(8, 2*d.n))
}

// items returns the elements in order.
func (d *deque) items() []string {
	items := make([]string, d.n)
	for i := range items {
		items[i] = *d.at(i)
	}
	return items
}

// set makes items the elements, with room for size.
func (d *deque) set(items []string, size int) {
	d.ring, d.head, d.n = make([]string, size), 0, len(items)
	copy(d.ring, items)
}

func (d *deque) pushBack(s string) {
	d.grow()
	d.n++
	*d.at(d.n - 1) = s
}

func (d *deque) pushFront(s string) {
	d.grow()
	d.n++
	d.head = (d.head + len(d.ring) - 1) % len(d.ring)
	d.ring[d.head] = s
}

func (d *deque) popBack() string {
	p := d.at(d.n - 1)
	s := *p
	*p = ""
	d.n--
	return s
}

func (d *deque) popFront() string {
	s := d.ring[d.head]
	d.ring[d.head] = ""
	d.head = (d.head + 1) % len(d.ring)
	d.n--
	return s
}

// remove takes out up to |count| elements equal to text, from the tail for a
// negative count, all for 0. For 0 the answer is what remains (quirk 10).
func (d *deque) remove(text string, count int64) int64 {
	items := d.items()
	limit := int64(d.n)
	switch {
	case count > 0:
		limit = min(limit, count)
	case count < 0 && count > -limit:
		limit = -count
	}
	if count < 0 {
		slices.Reverse(items)
	}
	removed := int64(0)
	items = slices.DeleteFunc(items, func(s string) bool {
		if s != text || removed == limit {
			return false
		}
		removed++
		return true
	})
	if count < 0 {
		slices.Reverse(items)
	}
	d.set(items, max(len(items), 1))
	if count == 0 {
		return int64(d.n)
	}
	return removed
}
