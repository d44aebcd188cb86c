package engine

// due says when something is due, and for what.
type due struct {
	at  int64
	key string
}

// dueHeap is a binary heap, earliest first.
type dueHeap []due

func (h *dueHeap) push(d due) {
	*h = append(*h, d)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if s[up].at <= s[i].at {
			return
		}
		s[up], s[i] = s[i], s[up]
		i = up
	}
}

func (h *dueHeap) pop() due {
	s := *h
	first, last := s[0], len(s)-1
	s[0] = s[last]
	s[last] = due{}
	*h = s[:last]
	s = s[:last]
	for i := 0; ; {
		small := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < len(s) && s[down].at < s[small].at {
				small = down
			}
		}
		if small == i {
			return first
		}
		s[small], s[i] = s[i], s[small]
		i = small
	}
}
