package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
)

func TestCredentials(t *testing.T) {
	s := serve(t, testserver.Config{User: "root", Password: "s3cret", APIKey: "sk_key", RequireAuth: true})
	for name, c := range map[string]struct {
		options []Option
		code    errs.Code
	}{
		"none":           {nil, errs.Unauthenticated},
		"user":           {[]Option{With("username", "root"), With("password", "s3cret")}, 0},
		"key":            {[]Option{WithAPIKey("sk_key")}, 0},
		"wrong password": {[]Option{With("username", "root"), With("password", "wrong-s3cret")}, errs.Unauthenticated},
		"wrong key":      {[]Option{WithAPIKey("sk_wrong-s3cret")}, errs.Unauthenticated},
	} {
		client := open(t, s.URL(), c.options...)
		_, err := client.KV.Set(background, "k", "v", nil)
		_, rest := client.KV.Append(background, "k", "v")
		v, batched := client.Frame(background, batch("kv.incr", "n", "kv.get", "k"))
		if c.code == 0 {
			if err != nil || rest != nil || batched != nil || outcome(v.Index(0)) != "ok" {
				t.Errorf("%s: %v %v %v", name, err, rest, batched)
			}
			continue
		}
		for _, err := range []error{err, rest} {
			if e := failed(t, err, c.code); e.Status != 401 || e.MaybeApplied || strings.Contains(e.Error(), "s3cret") || !strings.Contains(e.Message, "api_key") {
				t.Errorf("%s: %+v", name, e)
			}
		}
		if got := outcomes(t, v, batched); got != "Unauthenticated Unauthenticated" {
			t.Errorf("%s: %s", name, got)
		}
	}
	c := open(t, strings.Replace(s.URL(), "http://", "http://root:s3cret@", 1))
	if _, err := c.KV.Incr(background, "n"); err != nil {
		t.Error(err)
	}
	if got := c.String(); got != "synap client for "+s.URL() || strings.Contains(fmt.Sprint(c.cfg), "s3cret") {
		t.Errorf("%s / %v", got, c.cfg)
	}
	// Anonymous callers may use the envelope and not the REST routes (protocol:
	// auth-and-ops 1).
	anonymous := open(t, serve(t, testserver.Config{User: "root", Password: "s3cret"}).URL())
	if _, err := anonymous.KV.Set(background, "k", "v", nil); err != nil {
		t.Error(err)
	}
}

func TestSecretsThatAServerEchoes(t *testing.T) {
	p := listen(t, "", func(l *link) {
		for {
			a, ok := l.next()
			if !ok {
				return
			}
			echo := a.Header.Get("Authorization")
			switch a.command {
			case "kv.get":
				l.status(200, `{"success":false,"request_id":"`+a.id+`","payload":null,"error":"Invalid request: `+echo+`"}`)
			default:
				l.status(401, "bad credentials: "+echo)
			}
		}
	})
	var logged strings.Builder
	for _, options := range [][]Option{{WithAPIKey("sk_s3cret")}, {With("username", "root"), With("password", "s3cret")}} {
		c := open(t, p.url(), append(options, WithLog(func(_ int, m string) { logged.WriteString(m) }))...)
		_, _, read := c.KV.Get(background, "k")
		_, write := c.KV.Incr(background, "k")
		_, push := c.PubSub.Subscribe(background, []string{"t"}, nil)
		for _, err := range []error{read, write, push} {
			if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "cm9vdDpzM2NyZXQ=") {
				t.Errorf("%v", err)
			}
		}
	}
	if strings.Contains(logged.String(), "s3cret") {
		t.Error(logged.String())
	}
}

func TestStoresByName(t *testing.T) {
	one, same, other, private := open(t, "memory://tests-a"), open(t, "memory://tests-a"), open(t, "memory://tests-b"), open(t, "memory://")
	if _, err := one.KV.Set(background, "k", "v", nil); err != nil {
		t.Fatal(err)
	}
	for c, want := range map[*Client]bool{one: true, same: true, other: false, private: false, open(t, "memory://"): false} {
		if found, err := c.KV.Exists(background, "k"); err != nil || found != want {
			t.Errorf("%s: %v %v", c, found, err)
		}
	}
	one.Close()
	if found, err := same.KV.Exists(background, "k"); err != nil || !found {
		t.Errorf("the store went with the first of two clients: %v", err)
	}
	same.Close()
	if found, err := open(t, "memory://tests-a").KV.Exists(background, "k"); err != nil || found {
		t.Errorf("the store outlived its clients: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for address, options := range map[string][]Option{
		"": nil, "localhost:15500": nil, "amqp://h": nil, "http://": nil, "http://h?nope=1": nil,
		"http://a": {With("nope", 1)}, "http://b": {With("timeout", struct{}{})}, "http://c": {With("timeout", -1)}, "http://d": {WithAPIKey("k"), With("username", "u"), With("password", "p")},
	} {
		c, err := Open(address, options...)
		if e := failed(t, err, errs.InvalidArgument); c != nil || e.Message == "" {
			t.Errorf("%q: %+v", address, e)
		}
	}
	for _, option := range []Option{With("timeout", 2*time.Second), With("timeout", "2s"), With("timeout", 2), With("timeout", 2.0), WithTimeout(2 * time.Second)} {
		if c := open(t, "memory://", option); c.cfg.Timeout != 2*time.Second {
			t.Errorf("%v", c.cfg.Timeout)
		}
	}
}
