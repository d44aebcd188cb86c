// Command quickstart runs the guide's quick start through package core against
// the address in its argument. It prints nothing unless a step fails.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/libsynap/libsynap/core"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: quickstart ADDRESS")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart (Go):", err)
		os.Exit(1)
	}
}

func run(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client, err := core.Open(address)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, step := range []func(context.Context, *core.Client) error{keyValue, queue, stream, pubSub} {
		if err := step(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

func keyValue(ctx context.Context, client *core.Client) error {
	if _, err := client.KV.Set(ctx, "user:1", "John Doe", &core.KVSetOptions{TTL: 3600}); err != nil {
		return err
	}
	name, found, err := client.KV.Get(ctx, "user:1")
	if err != nil || !found || name != "John Doe" {
		return fmt.Errorf("kv.get: %q, %v, %v", name, found, err)
	}
	if deleted, err := client.KV.Delete(ctx, "user:1"); err != nil || !deleted {
		return fmt.Errorf("kv.delete: %v, %v", deleted, err)
	}
	return nil
}

func queue(ctx context.Context, client *core.Client) error {
	if err := client.Queue.Create(ctx, "jobs-go", &core.QueueCreateOptions{MaxDepth: 1000}); err != nil {
		return err
	}
	if _, err := client.Queue.Publish(ctx, "jobs-go", []byte("Hello"), &core.QueuePublishOptions{Priority: core.Int64(5)}); err != nil {
		return err
	}
	message, err := client.Queue.Consume(ctx, "jobs-go", "worker-1")
	if err != nil || message == nil || string(message.Payload) != "Hello" {
		return fmt.Errorf("queue.consume: %+v, %v", message, err)
	}
	return client.Queue.Ack(ctx, "jobs-go", message.MessageID)
}

func stream(ctx context.Context, client *core.Client) error {
	if _, err := client.Stream.GetOrCreate(ctx, "notifications-go"); err != nil {
		return err
	}
	offset, err := client.Stream.Publish(ctx, "notifications-go", "user.signup", "New user registered")
	if err != nil {
		return err
	}
	events, err := client.Stream.Consume(ctx, "notifications-go", "user-1", &core.StreamConsumeOptions{FromOffset: offset, Limit: core.Int64(10)})
	if err != nil || len(events) != 1 {
		return fmt.Errorf("stream.consume: %+v, %v", events, err)
	}
	var text string
	if err := events[0].Data.Decode(&text); err != nil || text != "New user registered" {
		return fmt.Errorf("stream event: %q, %v", text, err)
	}
	return nil
}

func pubSub(ctx context.Context, client *core.Client) error {
	messages, err := client.PubSub.Subscribe(ctx, []string{"notifications.*"}, nil)
	if err != nil {
		return err
	}
	defer messages.Close()
	if _, err := client.PubSub.Publish(ctx, "notifications.email", "New order received", nil); err != nil {
		return err
	}
	message, err := messages.Next(ctx)
	if err != nil || message.Topic != "notifications.email" || message.Message.String() != `"New order received"` {
		return fmt.Errorf("pubsub.subscribe: %+v, %v", message, err)
	}
	return nil
}
