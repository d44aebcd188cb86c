// Go is the agent of the Go client: see tests/faults/sockets/agent.go.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/errs"
)

type agent struct {
	client *core.Client
	next   func(ctx context.Context) (text string, lost int64, err error)
}

func main() {
	var a agent
	var out sync.Mutex
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		answer := func() {
			text, err := a.run(words[1:])
			out.Lock()
			defer out.Unlock()
			fmt.Println(words[0], outcome(text, err))
		}
		if words[1] == "open" || words[1] == "close" {
			answer()
		} else {
			go answer()
		}
	}
}

func outcome(text string, err error) string {
	var e *errs.Error
	switch {
	case err == nil:
		return "ok " + text
	case errors.As(err, &e):
		return fmt.Sprintf("error %s %v %s", e.Code.String(), e.MaybeApplied, e.Message)
	}
	return fmt.Sprint("error untyped false ", err)
}

func (a *agent) run(words []string) (string, error) {
	var err error
	switch words[0] {
	case "open":
		a.client, err = core.Open(words[1])
		return "", err
	case "close":
		return "", a.client.Close()
	}
	timeout, err := strconv.Atoi(words[2])
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(timeout)*time.Millisecond)
	defer cancel()
	switch words[0] {
	case "get":
		v, found, err := a.client.KV.Get(ctx, words[1])
		if err == nil && !found {
			v = "nothing"
		}
		return v, err
	case "incr":
		n, err := a.client.KV.Incr(ctx, words[1])
		return strconv.FormatInt(n, 10), err
	case "subscribe":
		f, err := a.client.PubSub.Subscribe(ctx, []string{words[1]}, nil)
		a.next = func(ctx context.Context) (string, int64, error) {
			m, err := f.Next(ctx)
			return m.Message.String(), m.Lost, err
		}
		return "", err
	case "follow":
		f, err := a.client.Stream.Follow(ctx, words[1], "agent", nil)
		a.next = func(ctx context.Context) (string, int64, error) {
			e, err := f.Next(ctx)
			return e.Data.String(), e.Lost, err
		}
		return "", err
	case "next":
		text, lost, err := a.next(ctx)
		return fmt.Sprint(text, " ", lost), err
	}
	return "", fmt.Errorf("no operation %q", words[0])
}
