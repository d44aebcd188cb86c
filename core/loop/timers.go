package loop

// timer is something to do at a time.
type timer struct {
	at    int64
	seq   uint64 // timers of one time go off in the order in which they were set
	place int    // in the heap, -1 if it is not in there
	do    func()
}

// timers holds what is to be done, the next one first. A timer that is stopped
// leaves nothing behind: calls that end in time, as nearly all do, must not be
// remembered until their deadlines.
type timers struct {
	heap []*timer
	seq  uint64
}

// set runs do when the time has come.
func (h *timers) set(at int64, do func()) *timer {
	h.seq++
	t := &timer{at: at, seq: h.seq, place: len(h.heap), do: do}
	h.heap = append(h.heap, t)
	h.up(t.place)
	return t
}

// stop takes a timer off; one that has gone off or is nil is left alone.
func (h *timers) stop(t *timer) {
	if t == nil || t.place < 0 {
		return
	}
	i, last := t.place, len(h.heap)-1
	h.swap(i, last)
	h.heap[last] = nil
	h.heap = h.heap[:last]
	t.place = -1
	if i < last {
		h.up(i)
		h.down(i)
	}
}

// next is when the first timer is due, 0 if there is none.
func (h *timers) next() int64 {
	if len(h.heap) == 0 {
		return 0
	}
	return h.heap[0].at
}

// run does what is due by now.
func (h *timers) run(now int64) {
	for len(h.heap) > 0 && h.heap[0].at <= now {
		t := h.heap[0]
		h.stop(t)
		t.do()
	}
}

func (h *timers) less(i, j int) bool {
	a, b := h.heap[i], h.heap[j]
	return a.at < b.at || (a.at == b.at && a.seq < b.seq)
}

func (h *timers) swap(i, j int) {
	h.heap[i], h.heap[j] = h.heap[j], h.heap[i]
	h.heap[i].place, h.heap[j].place = i, j
}

func (h *timers) up(i int) {
	for i > 0 && h.less(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (h *timers) down(i int) {
	for {
		first := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h.heap) && h.less(child, first) {
				first = child
			}
		}
		if first == i {
			return
		}
		h.swap(i, first)
		i = first
	}
}
