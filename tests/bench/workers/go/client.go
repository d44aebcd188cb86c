package main

import (
	"context"
	"fmt"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/value"
)

const queue = "bench"

// openClient makes the operation with package core.
func openClient(address, op string, inFlight int) (operation, error) {
	c, err := core.Open(address)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	keys := make([]string, inFlight)
	for i := range keys {
		keys[i] = fmt.Sprint("bench:", i)
		if _, err := c.KV.Set(ctx, keys[i], text, nil); err != nil {
			return nil, err
		}
	}
	switch op {
	case "get":
		return func(slot int) error {
			got, _, err := c.KV.Get(ctx, keys[slot])
			if err == nil && got != text {
				err = fmt.Errorf("kv.get returned %q", got)
			}
			return err
		}, nil
	case "set":
		return func(slot int) error {
			_, err := c.KV.Set(ctx, keys[slot], text, nil)
			return err
		}, nil
	case "queue":
		payload := []byte(text)
		return func(slot int) error {
			if _, err := c.Queue.Publish(ctx, queue, payload, nil); err != nil {
				return err
			}
			message, err := c.Queue.Consume(ctx, queue, keys[slot])
			if err != nil {
				return err
			}
			if message == nil || string(message.Payload) != text {
				return fmt.Errorf("queue.consume returned %v", message)
			}
			return c.Queue.Ack(ctx, queue, message.MessageID)
		}, c.Queue.Create(ctx, queue, nil)
	case "batch":
		set := value.Array(value.Int(0), value.Str("kv.set"), value.Array(value.Str(keys[0]), value.Str(text)))
		commands := make([]value.Value, batchSize)
		for i := range commands {
			commands[i] = set
		}
		frame := string(value.AppendMsgpack(nil, value.Array(value.Int(2), value.Array(commands...))))
		return func(int) error {
			replies, err := c.Frame(ctx, frame)
			if err == nil && (replies.Len() != batchSize || replies.Index(batchSize-1).Len() != 1) {
				err = fmt.Errorf("the batch returned %v", replies)
			}
			return err
		}, nil
	}
	return nil, unknownOperation(op)
}
