package host

import (
	"context"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Subscription delivers the items of a topic, watched key, stream or queue.
type Subscription struct {
	c    *Client
	name string
	id   int64
}

// Subscribe starts the subscription of a table entry (pubsub.subscribe, kv.watch,
// stream.follow, queue.follow) with positional arguments. It returns when the
// server has confirmed it.
func (c *Client) Subscribe(ctx context.Context, name string, args ...value.Value) (*Subscription, error) {
	v, err := c.Frame(ctx, frame(3, name, args))
	if err != nil {
		return nil, err
	}
	id, _ := v.AsInt()
	return &Subscription{c, name, id}, nil
}

// Next returns the items that have come, at most max, and waits for the first.
// Each item is a record: an array of the fields in the table's order. When ctx
// ends it fails with errs.Timeout or errs.Canceled, and the subscription lives
// on. One goroutine reads at a time.
func (s *Subscription) Next(ctx context.Context, max int) ([]value.Value, error) {
	request := string(value.AppendMsgpack(nil, value.Array(value.Int(4), value.Int(s.id), value.Int(int64(max)))))
	for {
		v, err := s.c.Frame(ctx, request)
		if err == nil && v.Len() > 0 {
			return v.Items(), nil
		}
		if err == nil && ctx.Err() != nil {
			err = s.c.about(canceled(ctx))
		}
		if err != nil {
			if e, ok := err.(*errs.Error); ok {
				e.Command = s.name
			}
			return nil, err
		}
	}
}

// Close ends the subscription. Closing twice is harmless.
func (s *Subscription) Close() {
	_, _ = s.c.Frame(context.Background(), string(value.AppendMsgpack(nil, value.Array(value.Int(5), value.Int(s.id)))))
}
