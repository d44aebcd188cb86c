package loop

import (
	"testing"

	"github.com/libsynap/libsynap/core/errs"
)

// A batch that is cancelled says so of the calls too that had succeeded already.
func TestCancelledBatchOwnsUpToWhatIsDone(t *testing.T) {
	w := open(t, "http://h")
	w.batch(1, "kv.incr", args(str("n")), "kv.get", args(str("n")))
	w.answer()
	w.c.Cancel(w.now, 1)
	w.settle()
	if err := w.failure(1, errs.Canceled); !err.MaybeApplied {
		t.Errorf("%v hides that the counter was raised", err)
	}
	w.atRest()

	w.batch(2, "kv.get", args(str("n")), "kv.get", args(str("n")))
	w.answer()
	w.c.Cancel(w.now, 2)
	w.settle()
	if err := w.failure(2, errs.Canceled); err.MaybeApplied {
		t.Errorf("%v, although nothing of it changes anything", err)
	}
}
