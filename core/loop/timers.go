package loop

// timer is something to do at a time. Its zero value waits for nothing.
type timer struct {
	at    int64
	seq   uint64 // timers of one time go off in the order in which they were set
	place int    // in the heap, from 1; 0 if it is not in there
	do    func()
}

func (t *timer) waits() bool { return t.place > 0 }

// timers holds what is to be done, the next one first. A timer that is stopped
// leaves nothing behind: calls that end in time, as nearly all do, must not be
// remembered until their deadlines.
type timers struct {
	heap []*timer
	seq  uint64
}

// set lets t do something when the time has come, instead of what it waited for.
func (h *timers) set(t *timer, at int64, do func()) {
	h.stop(t)
	h.seq++
	h.heap = append(h.heap, t)
	t.at, t.seq, t.place, t.do = at, h.seq, len(h.heap), do
	h.up(t.place - 1)
}

// stop takes a timer off; one that waits for nothing is left alone.
func (h *timers) stop(t *timer) {
	if !t.waits() {
		return
	}
	i, last := t.place-1, len(h.heap)-1
	h.swap(i, last)
	h.heap[last] = nil
	h.heap = h.heap[:last]
	t.place = 0
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
	h.heap[i].place, h.heap[j].place = i+1, j+1
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
