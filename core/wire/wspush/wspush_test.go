package wspush

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func TestPathsOfUpgrades(t *testing.T) {
	for _, c := range []struct {
		route string
		names []string
		want  string
	}{
		{"/pubsub/ws", []string{"a"}, "/pubsub/ws?topics=a"},
		{"/pubsub/ws", []string{"a.b", "news.*", "x.#"}, "/pubsub/ws?topics=a.b,news.*,x.%23"}, // # would start a fragment
		{"/kv/ws", []string{"user:1", "user:*"}, "/kv/ws?keys=user:1,user:*"},
		{"/kv/ws", []string{"a b", "a+b", "100%", "é&=?", "\x00"}, "/kv/ws?keys=a%20b,a%2Bb,100%25,%C3%A9%26%3D%3F,%00"},
	} {
		got, err := Path(c.route, c.names)
		if err != nil || got != c.want {
			t.Errorf("%s, not %s (%v)", got, c.want, err)
		}
		u, bad := url.Parse(got)
		if bad != nil {
			t.Fatal(bad)
		}
		q := u.Query()
		if names := strings.Split(q.Get("topics")+q.Get("keys"), ","); !slices.Equal(names, c.names) {
			t.Errorf("%s is read as %q", got, names)
		}
	}
	// Quirk: the list is cut at commas and empty items are dropped (protocol:
	// websocket, /pubsub/ws).
	for _, names := range [][]string{{"a,b"}, {"ok", ""}, {""}} {
		if p, err := Path("/pubsub/ws", names); err == nil || err.Code != errs.InvalidArgument {
			t.Errorf("%q: %s %v", names, p, err)
		}
	}
}

func TestFrames(t *testing.T) {
	for text, want := range map[string]Kind{
		`{"type":"connected","subscriber_id":"x","topics":["a"],"subscription_count":1}`:                        Welcome,
		`{"type":"message","message_id":"i","topic":"t","payload":{"error":"x"},"metadata":null,"timestamp":1}`: Message,
		`{"type":"later"}`: Ignored,
		`{}`:               Ignored,
		`{"type":5}`:       Ignored,
	} {
		f, err := Parse(text)
		if err != nil || f.Kind != want || f.Err != nil {
			t.Errorf("%s: %v %v", text, f.Kind, err)
		}
	}
	f, _ := Parse(`{"type":"message","topic":"t","payload":[1,2]}`)
	if topic, _ := f.Item.Field("topic").AsStr(); topic != "t" || !value.Equal(f.Item.Field("payload"), value.ByteArray("\x01\x02")) {
		t.Error("the item is not the frame's object")
	}
	// A bad pattern: the upgrade succeeds, then one frame tells.
	f, err := Parse(`{"error":"Invalid value: # wildcard must be at the end of pattern"}`)
	if err != nil || f.Kind != Failure || f.Err.Code != errs.InvalidArgument {
		t.Errorf("%v %v %v", f.Kind, f.Err, err)
	}
	for _, text := range []string{"", "hello", "[]", "null", `"x"`, `{"type":`, "{\"type\":\"\xff\"}"} {
		if _, err := Parse(text); err == nil || err.Code != errs.Protocol {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRefusedUpgrades(t *testing.T) {
	const stock = "Missing request extension: Extension of type `axum::extract::connect_info::ConnectInfo<core::net::socket_addr::SocketAddr>` was not found. Perhaps you forgot to add it? See `axum::Extension`."
	for _, c := range []struct {
		status    int
		body      string
		code      errs.Code
		retryable bool
		says      string
	}{
		// Quirk: the stock build answers every upgrade so (protocol: websocket).
		{500, stock, errs.Unsupported, false, "stock build of Synap 1.3.1"},
		{500, "boom", errs.Server, true, "boom"},
		{500, "", errs.Server, true, "failed to open a push channel"},
		{503, "<html>", errs.Server, true, "failed to open a push channel"},
		{401, "", errs.Unauthenticated, false, "credentials"},
		{403, `{"error":"x"}`, errs.PermissionDenied, false, "credentials"},
		{400, "At least one topic required in query param: ?topics=topic1,topic2", errs.InvalidArgument, false, "At least one topic"},
		{400, "", errs.InvalidArgument, false, "refused the subscription"},
		{404, "", errs.Protocol, false, "no WebSocket route"},
		{200, "<html>", errs.Protocol, false, "no WebSocket route"},
		{302, "", errs.Protocol, false, "no WebSocket route"},
	} {
		err := Refused(c.status, c.body)
		if err.Code != c.code || err.Retryable != c.retryable || !strings.Contains(err.Message, c.says) || err.Status != c.status || err.MaybeApplied {
			t.Errorf("%d %q: %+v", c.status, c.body, err)
		}
	}
	if err := Refused(500, strings.Repeat("x", 5000)); len(err.Message) > 320 {
		t.Errorf("%d bytes", len(err.Message))
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"type":"connected"}`, `{"type":"message","topic":"t","payload":null}`, `{"error":"Invalid value: x"}`, "[]", "", `{"type":"message","error":"x"}`, `{"type":"x","type":"message"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		frame, err := Parse(text)
		switch {
		case err != nil:
			if err.Code != errs.Protocol || frame.Kind != Ignored || frame.Err != nil {
				t.Fatalf("%q: %v and a frame of kind %d", text, err, frame.Kind)
			}
		case (frame.Kind == Failure) != (frame.Err != nil):
			t.Fatalf("%q: kind %d with %v", text, frame.Kind, frame.Err)
		case (frame.Kind == Message) != (frame.Item.Kind() == value.KindMap):
			t.Fatalf("%q: kind %d with an item of %s", text, frame.Kind, frame.Item.Kind())
		}
	})
}
