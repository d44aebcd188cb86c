package engine

// messageList is a list of messages; each message is in one list at most.
type messageList struct {
	head, tail *message
	n          int
}

// insert puts a message before another one, nil being the end.
func (l *messageList) insert(m, before *message) {
	m.next = before
	if before == nil {
		m.prev, l.tail = l.tail, m
	} else {
		m.prev, before.prev = before.prev, m
	}
	if m.prev == nil {
		l.head = m
	} else {
		m.prev.next = m
	}
	l.n++
}

func (l *messageList) pushBack(m *message) { l.insert(m, nil) }

func (l *messageList) remove(m *message) {
	if m.prev == nil {
		l.head = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		l.tail = m.prev
	} else {
		m.next.prev = m.prev
	}
	m.prev, m.next = nil, nil
	l.n--
}

// waitingList is the waiting list of a queue. A published message goes before the
// first one of lower priority, a requeued one to the very end, ignoring its
// priority (protocol: queue rules 1 and 4); so the list is not sorted.
type waitingList struct {
	messageList
	// lower[p] is the first message of a priority below p, nil if there is none:
	// the place of a message of priority p that is published.
	lower [maxPriority + 1]*message
}

func (w *waitingList) publish(m *message) {
	at := w.lower[m.priority]
	w.insert(m, at)
	// Where lower[p] stands before at, it stands before m too.
	for p := m.priority + 1; p <= maxPriority; p++ {
		if w.lower[p] == at {
			w.lower[p] = m
		}
	}
}

func (w *waitingList) requeue(m *message) {
	w.pushBack(m)
	for p := m.priority + 1; p <= maxPriority; p++ {
		if w.lower[p] == nil {
			w.lower[p] = m
		}
	}
}

// take removes the first message and returns it, nil if there is none.
func (w *waitingList) take() *message {
	m := w.head
	if m == nil {
		return nil
	}
	rest := m.next
	w.remove(m)
	// lower[p] passes each message once at most, as what is published later never
	// lands behind it without being below p itself.
	for p := m.priority + 1; p <= maxPriority; p++ {
		if w.lower[p] != m {
			continue
		}
		next := rest
		for next != nil && next.priority >= p {
			next = next.next
		}
		w.lower[p] = next
	}
	return m
}
