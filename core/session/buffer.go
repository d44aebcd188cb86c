package session

import (
	"github.com/libsynap/libsynap/core/command"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Unknown marks a loss whose size nobody knows.
const Unknown = -1

// Buffer holds pushed items until they are read: a bounded ring that drops its
// oldest items when full and counts them, on the item that follows the gap. It
// is not safe for concurrent use.
type Buffer struct {
	ring    []value.Value
	head, n int
	gap     int64 // lost before the next item to come
}

// NewBuffer returns a Buffer for size items.
func NewBuffer(size int) *Buffer { return &Buffer{ring: make([]value.Value, size)} }

// Len is the number of items held.
func (b *Buffer) Len() int { return b.n }

// Full reports whether the next Push drops an item.
func (b *Buffer) Full() bool { return b.n == len(b.ring) }

// Gap records a loss before the next item to come.
func (b *Buffer) Gap(lost int64) { b.gap = addLost(b.gap, lost) }

// Push appends an item: a record whose last field is lost.
func (b *Buffer) Push(item value.Value) {
	if b.gap != 0 {
		item = withLost(item, addLost(b.gap, lostOf(item)))
		b.gap = 0
	}
	if b.Full() {
		lost := addLost(lostOf(b.ring[b.head]), 1)
		b.head = (b.head + 1) % len(b.ring)
		if b.n--; b.n > 0 {
			next := b.ring[b.head]
			b.ring[b.head] = withLost(next, addLost(lost, lostOf(next)))
		} else {
			item = withLost(item, addLost(lost, lostOf(item)))
		}
	}
	b.ring[(b.head+b.n)%len(b.ring)] = item
	b.n++
}

// Take removes and returns up to max items.
func (b *Buffer) Take(max int) []value.Value {
	items := make([]value.Value, min(max, b.n))
	for i := range items {
		items[i] = b.ring[b.head]
		b.ring[b.head] = value.Nil
		b.head = (b.head + 1) % len(b.ring)
	}
	b.n -= len(items)
	return items
}

func lostOf(record value.Value) int64 {
	n, _ := record.Index(record.Len() - 1).AsInt()
	return n
}

func addLost(a, b int64) int64 {
	if a == Unknown || b == Unknown {
		return Unknown
	}
	return a + b
}

// PushItem decodes a pushed object into the record of the subscription cmd.
func PushItem(cmd *command.Command, object value.Value) (value.Value, *errs.Error) {
	return decodeRecord(cmd, object)
}

// WithLost returns a pushed record with its lost count set.
func WithLost(record value.Value, lost int64) value.Value { return withLost(record, lost) }
