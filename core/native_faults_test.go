package core

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
	"github.com/libsynap/libsynap/core/wire/resp3"
	"github.com/libsynap/libsynap/core/wire/synaprpc"
)

// asked is a native request that arrived at a peer.
type asked struct {
	id   uint32
	name string
	args []string
}

// readNative reads the next request of the wire that the address has.
func (l *link) readNative(scheme string) (asked, bool) {
	if scheme == "resp3" {
		return l.readRESP3()
	}
	var size [4]byte
	if _, err := io.ReadFull(l.r, size[:]); err != nil {
		return asked{}, false
	}
	body := make([]byte, binary.LittleEndian.Uint32(size[:]))
	if _, err := io.ReadFull(l.r, body); err != nil {
		return asked{}, false
	}
	r, err := synaprpc.ParseRequest(string(body))
	if err != nil {
		return asked{}, false
	}
	a := asked{id: r.ID, name: r.Name}
	for _, v := range r.Args {
		s, _ := v.AsBlob()
		a.args = append(a.args, s)
	}
	return a, true
}

func (l *link) readRESP3() (asked, bool) {
	var buf []byte
	var scan resp3.Scanner
	for {
		b, err := l.r.ReadByte()
		if err != nil {
			return asked{}, false
		}
		buf = append(buf, b)
		n, err := scan.Scan(buf, 1<<20)
		if err != nil {
			return asked{}, false
		}
		if n == 0 {
			continue
		}
		r, _ := resp3.Parse(string(buf))
		var a asked
		for i, v := range r.Value.Items() {
			s, _ := v.AsBlob()
			if i == 0 {
				a.name = s
			} else {
				a.args = append(a.args, s)
			}
		}
		return a, true
	}
}

// nativeReply is the bytes of a reply to a request.
func nativeReply(scheme string, a asked, text string) []byte {
	if scheme == "resp3" {
		return []byte(fmt.Sprintf("$%d\r\n%s\r\n", len(text), text))
	}
	return synaprpc.AppendReply(nil, a.id, value.BytesOf(text))
}

func (l *link) replyNative(scheme string, a asked, text string) {
	_, _ = l.Write(nativeReply(scheme, a, text))
}

// nativePeer answers every request through f and greets by itself.
func nativePeer(t *testing.T, scheme string, f func(l *link, a asked) bool) string {
	p := listen(t, "", func(l *link) {
		for {
			a, ok := l.readNative(scheme)
			if !ok {
				return
			}
			if a.name == "HELLO" {
				_, _ = l.Write([]byte("%1\r\n+server\r\n+synap\r\n"))
				continue
			}
			if !f(l, a) {
				return
			}
		}
	})
	return scheme + "://" + p.addr()
}

// onNative runs a test on both native wires.
func onNative(t *testing.T, f func(t *testing.T, scheme string)) {
	for _, scheme := range []string{"synap", "resp3"} {
		t.Run(scheme, func(t *testing.T) { f(t, scheme) })
	}
}

func TestNativeRepliesInPieces(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		c := open(t, nativePeer(t, scheme, func(l *link, a asked) bool {
			for _, b := range nativeReply(scheme, a, "value of "+a.args[0]) {
				_, _ = l.Write([]byte{b})
			}
			return true
		}))
		for i := range 20 {
			key := fmt.Sprint("k", i)
			if v, found, err := c.KV.Get(background, key); err != nil || !found || v != "value of "+key {
				t.Fatalf("%v %v %v", v, found, err)
			}
		}
	})
}

func TestNativeRepliesThatComeTogether(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		var held []byte
		n := 0
		c := open(t, nativePeer(t, scheme, func(l *link, a asked) bool {
			held = append(held, nativeReply(scheme, a, a.args[0])...)
			if n++; n%10 == 0 {
				_, _ = l.Write(held)
				held = nil
			}
			return true
		}))
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				key := fmt.Sprint("k", i)
				if v, _, err := c.KV.Get(background, key); err != nil || v != key {
					t.Errorf("%s: %v %v", key, v, err)
				}
			})
		}
		all.Wait()
	})
}

// Whoever gives up leaves its late reply to nobody.
func TestLateNativeRepliesReachNobody(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		c := open(t, nativePeer(t, scheme, func(l *link, a asked) bool {
			if a.args[0] == "slow" {
				time.Sleep(100 * time.Millisecond)
			}
			l.replyNative(scheme, a, a.args[0])
			return true
		}))
		if _, _, err := c.KV.Get(background, "first"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(background, 30*time.Millisecond)
		defer cancel()
		_, _, err := c.KV.Get(ctx, "slow")
		failed(t, err, errs.Timeout)
		for i := range 5 {
			key := fmt.Sprint("k", i)
			if v, _, err := c.KV.Get(background, key); err != nil || v != key {
				t.Fatalf("%v %v", v, err)
			}
		}
	})
}

func TestNativeConnectionsThatBreak(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		for name, half := range map[string]bool{"before the reply": false, "within the reply": true} {
			t.Run(name, func(t *testing.T) {
				var mu sync.Mutex
				count := map[string]int{}
				c := open(t, nativePeer(t, scheme, func(l *link, a asked) bool {
					mu.Lock()
					count[a.name]++
					n := count[a.name]
					mu.Unlock()
					if n > 1 {
						l.replyNative(scheme, a, a.args[0])
						return true
					}
					if reply := nativeReply(scheme, a, a.args[0]); half {
						_, _ = l.Write(reply[:len(reply)/2])
					}
					return false
				}), With("backoff", "1ms"))
				if v, _, err := c.KV.Get(background, "k"); err != nil || v != "k" {
					t.Errorf("a read is not repeated: %v %v", v, err)
				}
				_, err := c.KV.Append(background, "k", "v")
				if e := failed(t, err, errs.Connection); !e.MaybeApplied || e.Retryable {
					t.Errorf("%+v", e)
				}
				mu.Lock()
				defer mu.Unlock()
				if count["GET"] != 2 || count["APPEND"] != 1 {
					t.Errorf("sent %v", count)
				}
			})
		}
	})
}

func TestNativeServersThatSayNothing(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		address := nativePeer(t, scheme, func(*link, asked) bool { return true })
		c := open(t, address, With("timeout", "80ms"))
		start := time.Now()
		_, err := c.KV.Append(background, "k", "v")
		if e := failed(t, err, errs.Timeout); !e.MaybeApplied {
			t.Errorf("%+v", e)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A connection on which nothing comes back is not used for the next call.
func TestStalledNativeConnectionsAreLeft(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		c := open(t, nativePeer(t, scheme, func(l *link, a asked) bool {
			if l.n == 1 {
				<-l.peer.done
				return false
			}
			l.replyNative(scheme, a, a.args[0])
			return true
		}), With("timeout", "100ms"))
		_, _, err := c.KV.Get(background, "k")
		failed(t, err, errs.Timeout)
		if v, _, err := c.KV.Get(background, "k"); err != nil || v != "k" {
			t.Errorf("%v %v", v, err)
		}
	})
}

func TestWhatIsNotANativeServer(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		for name, bytes := range map[string]string{
			"another wire": "HTTP/1.1 400 Bad Request\r\n\r\n", "no tag": "\x03\x00\x00\x00\x92\x00\x01", "an empty frame": "\x00\x00\x00\x00",
			"a huge frame": "\xff\xff\xff\x7f", "a wrong id": "\x0b\x00\x00\x00\x92\x63\x81\xa2Ok\xa4Null",
		} {
			t.Run(name, func(t *testing.T) {
				p := listen(t, "", func(l *link) {
					for {
						if _, ok := l.readNative(scheme); !ok {
							return
						}
						_, _ = l.Write([]byte(bytes))
					}
				})
				c := open(t, scheme+"://"+p.addr(), With("timeout", "300ms"), With("max_reply_bytes", 4096))
				_, _, err := c.KV.Get(background, "k")
				e, ok := err.(*errs.Error)
				if !ok || (e.Code != errs.Protocol && e.Code != errs.TooLarge && e.Code != errs.Timeout) {
					t.Errorf("%v", err)
				}
				if name == "another wire" && ok && e.Code != errs.Protocol {
					t.Errorf("what is no reply at all: %v", err)
				}
				if ok && e.Code == errs.Timeout {
					t.Errorf("only bytes that look like a length are waited for: %v", err)
				}
			})
		}
	})
}

func TestNativeRepliesOverTheLimit(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		c := open(t, nativePeer(t, scheme, func(l *link, a asked) bool {
			text := a.args[0]
			if text == "big" {
				text = strings.Repeat("x", 10_000)
			}
			l.replyNative(scheme, a, text)
			return true
		}), With("max_reply_bytes", 5000))
		_, _, err := c.KV.Get(background, "big")
		if e := failed(t, err, errs.TooLarge); !strings.Contains(e.Message, "max_reply_bytes") {
			t.Errorf("%v", e)
		}
		if v, _, err := c.KV.Get(background, "small"); err != nil || v != "small" {
			t.Errorf("%v %v", v, err)
		}
	})
}

// Quirk: HELLO 3 AUTH authenticates nobody, and a server whose authentication is
// off refuses every AUTH (protocol: resp3 quirk 1, synaprpc 4).
func TestNativeCredentials(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		var mu sync.Mutex
		var greetings []string
		p := listen(t, "", func(l *link) {
			for {
				a, ok := l.readNative(scheme)
				if !ok {
					return
				}
				mu.Lock()
				if a.name == "AUTH" {
					greetings = append(greetings, strings.Join(a.args, " "))
				}
				mu.Unlock()
				switch {
				case a.name == "HELLO":
					_, _ = l.Write([]byte("%1\r\n+server\r\n+synap\r\n"))
				case a.name == "AUTH" && a.args[len(a.args)-1] == "right" && scheme == "resp3":
					_, _ = l.Write([]byte("+OK\r\n"))
				case a.name == "AUTH" && a.args[len(a.args)-1] == "right":
					_, _ = l.Write(synaprpc.AppendReply(nil, a.id, value.Str("OK")))
				case a.name == "AUTH" && scheme == "resp3":
					_, _ = l.Write([]byte("-ERR WRONGPASS invalid username-password pair or user is disabled.\r\n"))
				case a.name == "AUTH":
					_, _ = l.Write(synaprpc.AppendFailure(nil, a.id, "WRONGPASS invalid username-password pair or user is disabled."))
				default:
					l.replyNative(scheme, a, "v")
				}
			}
		})
		c := open(t, scheme+"://root:right@"+p.addr())
		if _, _, err := c.KV.Get(background, "k"); err != nil {
			t.Error(err)
		}
		c = open(t, scheme+"://root:wrong@"+p.addr())
		_, _, err := c.KV.Get(background, "k")
		if e := failed(t, err, errs.Unauthenticated); !strings.Contains(e.Message, "authentication is off") || strings.Contains(e.Message, "wrong") || e.MaybeApplied {
			t.Errorf("%+v", e)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(greetings) != 2 || greetings[0] != "root right" {
			t.Errorf("greeted with %q", greetings)
		}
	})
}

// What has no form on a wire is refused before anything is sent.
func TestCommandsWithoutANativeForm(t *testing.T) {
	onNative(t, func(t *testing.T, scheme string) {
		c := open(t, nativePeer(t, scheme, func(_ *link, a asked) bool {
			t.Errorf("%s was sent", a.name)
			return false
		}))
		for name, call := range map[string]func() error{
			"nx":          func() error { _, err := c.KV.Set(background, "k", "v", &KVSetOptions{Nx: true}); return err },
			"config":      func() error { return c.Queue.Create(background, "q", &QueueCreateOptions{MaxDepth: 5}) },
			"pubsub.info": func() error { _, err := c.PubSub.Info(background, "t"); return err },
			"metadata": func() error {
				_, err := c.PubSub.Publish(background, "t", 1, &PubSubPublishOptions{Metadata: map[string]string{"a": "b"}})
				return err
			},
			"a raw option": func() error {
				_, err := c.Command(background, "kv.set", value.Map(value.Str("key"), value.Str("k"), value.Str("value"), value.Str("v"), value.Str("nx"), value.Bool(true)))
				return err
			},
			"a raw name": func() error { _, err := c.Command(background, "group.join", value.Map()); return err },
		} {
			e, ok := call().(*errs.Error)
			if !ok || e.Code != errs.Unsupported || e.MaybeApplied {
				t.Errorf("%s: %v", name, e)
			}
		}
		// The server would deliver the text of it (protocol: resp3 quirk 12).
		if scheme == "resp3" {
			_, err := c.PubSub.Publish(background, "t", []int{1}, nil)
			failed(t, err, errs.Unsupported)
		}
		_, err := c.Command(background, "kv.setrange", value.Map(value.Str("key"), value.Str("k"), value.Str("offset"), value.Int(1<<40), value.Str("value"), value.Str("v")))
		failed(t, err, errs.InvalidArgument)
	})
}

// Quirk: the TTL is the third argument as Int; EX is ignored on SynapRPC (protocol:
// synaprpc quirk 2).
func TestNativeTTL(t *testing.T) {
	var got []byte
	p := listen(t, "", func(l *link) {
		buf := make([]byte, 4096)
		n, _ := l.r.Read(buf)
		got = append(got, buf[:n]...)
		_, _ = l.Write(synaprpc.AppendReply(nil, 0, value.Str("OK")))
		<-l.peer.done
	})
	c := open(t, "synap://"+p.addr())
	if _, err := c.KV.Set(background, "k", "v", &KVSetOptions{TTL: 60}); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(got, []byte("\x81\xa3Int\x3c")) {
		t.Errorf("sent %x", got)
	}
}
