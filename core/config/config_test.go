package config

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// secret stands in every password and key of the vectors.
const secret = "s3cret"

type vector struct {
	Name    string
	Address string
	Options json.RawMessage
	Env     map[string]string
	Config  map[string]any
	String  string
	Error   string
}

func vectors(t testing.TB) []vector {
	text, err := os.ReadFile("testdata/addresses.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vector }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func (v *vector) parse(t testing.TB) (*Config, *errs.Error) {
	options := value.Nil
	if v.Options != nil {
		var err error
		if options, err = value.ParseJSON(string(v.Options)); err != nil {
			t.Fatal(err)
		}
	}
	return Parse(v.Address, options, func(name string) string { return v.Env[name] })
}

// members are a Config as the vectors write it.
func members(c *Config) map[string]any {
	return map[string]any{
		"scheme": c.Scheme, "host": c.Host, "path": c.Path, "name": c.Name,
		"timeout": c.Timeout.String(), "connect_timeout": c.ConnectTimeout.String(), "backoff": c.Backoff.String(),
		"max_retries": float64(c.MaxRetries), "pool_size": float64(c.PoolSize), "max_in_flight": float64(c.MaxInFlight), "max_reply_bytes": float64(c.MaxReplyBytes),
		"api_key": c.APIKey, "username": c.Username, "password": c.Password,
		"tls_ca": c.TLSCA, "tls_cert": c.TLSCert, "tls_key": c.TLSKey, "tls_insecure": c.TLSInsecure, "push": c.Push,
	}
}

// defaults are the documented ones, written out so that changing one is noticed.
func defaults() map[string]any {
	return map[string]any{
		"scheme": "", "host": "", "path": "", "name": "",
		"timeout": "5s", "connect_timeout": "3s", "backoff": "50ms", "max_retries": 3.0, "pool_size": 64.0, "max_in_flight": 100000.0, "max_reply_bytes": 67108864.0,
		"api_key": "", "username": "", "password": "", "tls_ca": "", "tls_cert": "", "tls_key": "", "tls_insecure": false, "push": "auto",
	}
}

func TestAddresses(t *testing.T) {
	list := vectors(t)
	if len(list) < 150 {
		t.Fatalf("only %d vectors", len(list))
	}
	for _, v := range list {
		t.Run(v.Name, func(t *testing.T) {
			c, err := v.parse(t)
			if v.Error != "" {
				switch {
				case err == nil:
					t.Fatalf("accepted as %s", c)
				case err.Code != errs.InvalidArgument:
					t.Errorf("code %v", err.Code)
				case !strings.Contains(err.Message, v.Error):
					t.Errorf("%q lacks %q", err.Message, v.Error)
				case strings.Contains(err.Error(), secret):
					t.Errorf("%q tells a secret", err.Error())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			for name, m := range v.Config {
				if _, ok := want[name]; !ok {
					t.Fatalf("the vector names %q", name)
				}
				want[name] = m
			}
			for name, got := range members(c) {
				if got != want[name] {
					t.Errorf("%s is %#v, not %#v", name, got, want[name])
				}
			}
			if v.String != "" && c.String() != v.String {
				t.Errorf("String is %s", c)
			}
			if strings.Contains(c.String(), secret) {
				t.Errorf("String %s tells a secret", c)
			}
		})
	}
}

func TestOptionNames(t *testing.T) {
	want := "timeout connect_timeout max_retries backoff pool_size max_in_flight max_reply_bytes api_key username password tls_ca tls_cert tls_key tls_insecure push"
	if got := strings.Join(Names(), " "); got != want {
		t.Errorf("%s", got)
	}
}

func TestOptionsThatJSONCannotWrite(t *testing.T) {
	for name, options := range map[string]value.Value{
		"bytes":          value.Map(value.Str("api_key"), value.BytesOf(secret)),
		"a name that is": value.Map(value.Int(1), value.Str("x")),
		"a list":         value.Array(value.Str(secret)),
		"text":           value.Str(secret),
	} {
		if c, err := Parse("http://h", options, nil); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v %v", name, c, err)
		}
	}
	// The later of equal names counts, as in any map.
	c, err := Parse("http://h", value.Map(value.Str("timeout"), value.Int(1), value.Str("timeout"), value.Int(2)), nil)
	if err != nil || c.Timeout != 2*time.Second {
		t.Errorf("%v %v", c, err)
	}
}

// Servers and proxies echo what they were sent.
func TestForeignTextsAreRedacted(t *testing.T) {
	for address, texts := range map[string]map[string]string{
		"http://h?api_key=" + secret: {
			"the key " + secret + " (" + secret + ") is unknown": "the key *** (***) is unknown", "": "", "nothing of it": "nothing of it",
		},
		"http://u:" + secret + "@h": {
			"Authorization: Basic dTpzM2NyZXQ= of u with " + secret: "Authorization: Basic *** of u with ***",
		},
		"http://h": {"no secrets": "no secrets"},
	} {
		c, err := Parse(address, value.Nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range texts {
			if got := c.Redact(text); got != want {
				t.Errorf("%q becomes %q, not %q", text, got, want)
			}
		}
	}
}

// Nothing that stands where a password belongs may come out again, however it is
// mangled.
func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Address, "", "", string(v.Options))
	}
	for _, s := range [][2]string{{"", ""}, {"12/", ""}, {"12?", "=1"}, {"12?timeout=5&", "="}, {"#", ""}, {"%", "%4"}, {"@h/", ""}, {"@h?api_key=", ""}, {"://", "://"}, {":", "["}} {
		f.Add("", s[0], s[1], "")
	}
	f.Fuzz(func(t *testing.T, address, before, after, options string) {
		o, err := value.ParseJSON(options)
		if err != nil {
			o = value.Nil
		}
		if c, bad := Parse(address, o, nil); bad == nil {
			again, bad := Parse(c.String(), value.Nil, nil)
			if c.Scheme == Memory {
				return // the name is shown decoded
			}
			if bad != nil || again.Host != c.Host || again.Path != c.Path || again.Scheme != c.Scheme {
				t.Fatalf("%q becomes %s, which is read as %v (%v)", address, c, again, bad)
			}
		} else if bad.Code != errs.InvalidArgument || bad.Message == "" {
			t.Fatalf("%q: %v", address, bad)
		}
		c, bad := Parse("http://user:"+before+secret+after+"@host", value.Nil, nil)
		if bad != nil && strings.Contains(bad.Error(), secret) {
			t.Fatalf("%q tells a secret", bad.Error())
		}
		if bad == nil && strings.Contains(c.String(), secret) {
			t.Fatalf("%s tells a secret", c)
		}
	})
}
