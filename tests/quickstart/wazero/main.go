// Command quickstart runs the guide's quick start through synap.wasm under wazero
// against the address in its argument. It prints nothing unless a step fails. The
// module is build/synap.wasm, or the file that SYNAP_WASM names.
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/wasm/host"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: quickstart ADDRESS")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart (wazero):", err)
		os.Exit(1)
	}
}

func run(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	h, err := host.New(ctx, host.Options{Path: cmp.Or(os.Getenv("SYNAP_WASM"), "build/synap.wasm")})
	if err != nil {
		return err
	}
	defer h.Close()
	client, err := h.Open(ctx, address)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, step := range []func(context.Context, *host.Client) error{keyValue, queue, stream, pubSub} {
		if err := step(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

func str(s string) value.Value { return value.Str(s) }

// expect fails unless a reply is the text.
func expect(what string, v value.Value, want string) error {
	if s, ok := v.AsBlob(); !ok || s != want {
		return fmt.Errorf("%s: %q of kind %s", what, s, v.Kind())
	}
	return nil
}

func keyValue(ctx context.Context, client *host.Client) error {
	if _, err := client.Call(ctx, "kv.set", str("user:1"), str("John Doe"), value.Int(3600)); err != nil {
		return err
	}
	name, err := client.Call(ctx, "kv.get", str("user:1"))
	if err != nil {
		return err
	}
	if err := expect("kv.get", name, "John Doe"); err != nil {
		return err
	}
	deleted, err := client.Call(ctx, "kv.delete", str("user:1"))
	if b, _ := deleted.AsBool(); err != nil || !b {
		return fmt.Errorf("kv.delete: %v, %v", b, err)
	}
	return nil
}

func queue(ctx context.Context, client *host.Client) error {
	if _, err := client.Call(ctx, "queue.create", str("jobs-wazero"), value.Int(1000)); err != nil {
		return err
	}
	if _, err := client.Call(ctx, "queue.publish", str("jobs-wazero"), value.BytesOf("Hello"), value.Int(5)); err != nil {
		return err
	}
	message, err := client.Call(ctx, "queue.consume", str("jobs-wazero"), str("worker-1"))
	if err != nil {
		return err
	}
	if err := expect("queue.consume", message.Index(1), "Hello"); err != nil {
		return err
	}
	_, err = client.Call(ctx, "queue.ack", str("jobs-wazero"), message.Index(0))
	return err
}

func stream(ctx context.Context, client *host.Client) error {
	if _, err := client.Call(ctx, "stream.get_or_create", str("notifications-wazero")); err != nil {
		return err
	}
	offset, err := client.Call(ctx, "stream.publish", str("notifications-wazero"), str("user.signup"), str("New user registered"))
	if err != nil {
		return err
	}
	events, err := client.Call(ctx, "stream.consume", str("notifications-wazero"), str("user-1"), offset, value.Int(10))
	if err != nil || events.Len() != 1 {
		return fmt.Errorf("stream.consume: %d events, %v", events.Len(), err)
	}
	return expect("stream event", events.Index(0).Index(2), "New user registered")
}

func pubSub(ctx context.Context, client *host.Client) error {
	messages, err := client.Subscribe(ctx, "pubsub.subscribe", value.Array(str("notifications.*")))
	if err != nil {
		return err
	}
	defer messages.Close()
	if _, err := client.Call(ctx, "pubsub.publish", str("notifications.email"), str("New order received")); err != nil {
		return err
	}
	items, err := messages.Next(ctx, 1)
	if err != nil {
		return err
	}
	return expect("topic", items[0].Index(0), "notifications.email")
}
