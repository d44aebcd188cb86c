package main

import (
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// tags takes completions and returns their tags.
func tags(t *testing.T, q *completions, max int, d time.Duration) []uint64 {
	t.Helper()
	list, err := q.take(max, d)
	if err != nil {
		t.Fatal("take:", err)
	}
	v, rest, err := value.ParseMsgpack(string(list))
	if err != nil || rest != "" || v.Kind() != value.KindArray {
		t.Fatalf("take gave no single MessagePack array: %x", list)
	}
	var out []uint64
	for i := 0; i < v.Len(); i++ {
		tag, ok := v.Index(i).Index(0).AsUint()
		if !ok {
			t.Fatalf("completion %d has no tag", i)
		}
		out = append(out, tag)
	}
	return out
}

func put(q *completions, from, to uint64) {
	for tag := from; tag < to; tag++ {
		q.put(tag, value.Str("reply"), nil)
	}
}

func TestCompletionsComeOnceAndInOrder(t *testing.T) {
	q := newCompletions()
	next, given := uint64(0), uint64(0)
	for _, step := range []struct{ put, take, want int }{
		{0, 1, 0}, {10, 3, 3}, {0, 3, 3}, {5, 100, 9}, {0, 100, 0}, {1, 1, 1}, {300, 299, 299}, {2, 1, 1}, {0, 5, 2},
	} {
		put(q, given, given+uint64(step.put))
		given += uint64(step.put)
		got := tags(t, q, step.take, 0)
		if len(got) != step.want {
			t.Fatalf("%+v gave %d completions", step, len(got))
		}
		for _, tag := range got {
			if tag != next {
				t.Fatalf("got completion %d where %d is due", tag, next)
			}
			next++
		}
	}
}

func TestAnErrorCompletionSaysWhatFailed(t *testing.T) {
	q := newCompletions()
	q.put(1<<63-1, value.Nil, &errs.Error{Code: errs.NotFound, Status: 404, Message: "gone", Command: "kv.get", Transport: "http", MaybeApplied: true})
	list, _ := q.take(1, 0)
	v, _, _ := value.ParseMsgpack(string(list))
	want := value.Array(value.Array(value.Uint(1<<63-1), value.Nil, value.Array(
		value.Int(int64(errs.NotFound)), value.Int(404), value.Int(2), value.Str("gone"), value.Str("kv.get"), value.Str("http"))))
	if string(value.AppendMsgpack(nil, v)) != string(value.AppendMsgpack(nil, want)) {
		t.Errorf("got %x", list)
	}
}

// readable reports whether poll(2) would find the descriptor readable.
func readable(fd int) bool {
	var set syscall.FdSet
	set.Bits[fd/64] |= 1 << (fd % 64)
	n, _ := syscall.Select(fd+1, &set, nil, nil, &syscall.Timeval{})
	return n == 1
}

func TestTheDescriptorIsReadableWhileCompletionsWait(t *testing.T) {
	q := newCompletions()
	put(q, 0, 1) // before there is a descriptor
	fd, err := q.descriptor()
	if err != nil {
		t.Fatal(err)
	}
	if !readable(fd) {
		t.Error("not readable although a completion waits from before")
	}
	tags(t, q, 9, 0)
	if readable(fd) {
		t.Error("readable although nothing waits")
	}
	put(q, 1, 4)
	tags(t, q, 2, 0)
	if !readable(fd) {
		t.Error("not readable although one of three completions is left")
	}
	tags(t, q, 2, 0)
	if readable(fd) {
		t.Error("readable although all were taken")
	}
	watch, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(watch)
	q.close()
	if !readable(watch) {
		t.Error("closing does not wake who watches a duplicate")
	}
	if _, err := q.descriptor(); !errors.Is(err, errs.Closed) {
		t.Error("a closed queue gives a descriptor:", err)
	}
}

func TestTakeWaitsForTheFirstCompletion(t *testing.T) {
	q := newCompletions()
	time.AfterFunc(20*time.Millisecond, func() { put(q, 0, 1) })
	if got := tags(t, q, 9, time.Minute); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	start := time.Now()
	if got := tags(t, q, 9, 30*time.Millisecond); len(got) != 0 || time.Since(start) < 30*time.Millisecond {
		t.Errorf("got %v after %v", got, time.Since(start))
	}
}

func TestCloseWakesAllWhoWait(t *testing.T) {
	q := newCompletions()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if list, err := q.take(1, time.Minute); !errors.Is(err, errs.Closed) {
				t.Errorf("take gave %x, %v", list, err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	q.close()
	wg.Wait()
}

func TestEveryCompletionReachesOneOfSeveralTakers(t *testing.T) {
	const count = 2000
	q := newCompletions()
	seen := make(chan uint64, 2*count)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				list, err := q.take(3, time.Minute)
				if err != nil {
					return
				}
				v, _, _ := value.ParseMsgpack(string(list))
				for i := 0; i < v.Len(); i++ {
					tag, _ := v.Index(i).Index(0).AsUint()
					seen <- tag
				}
			}
		})
	}
	go put(q, 0, count)
	got := map[uint64]bool{}
	for len(got) < count {
		select {
		case tag := <-seen:
			if got[tag] {
				t.Fatalf("completion %d came twice", tag)
			}
			got[tag] = true
		case <-time.After(10 * time.Second):
			t.Fatalf("only %d of %d completions came", len(got), count)
		}
	}
	q.close()
	wg.Wait()
}
