// Package config turns an address, options and the environment into one checked
// configuration. It is the only parser of addresses and options: every host
// hands its input here unchanged.
package config

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/span"
	"github.com/libsynap/libsynap/core/value"
)

// Schemes.
const (
	Memory = "memory"
	HTTP   = "http"
	HTTPS  = "https"
	RPC    = "synap" // SynapRPC
	RPCS   = "synaps"
	RESP3  = "resp3" // also written redis
	RESP3S = "resp3s"
)

// Defaults of the options.
const (
	DefaultTimeout        = 5 * span.Second
	DefaultConnectTimeout = 3 * span.Second
	DefaultBackoff        = 50 * span.Millisecond
	DefaultMaxRetries     = 3
	DefaultPoolSize       = 64
	DefaultMaxInFlight    = 100_000
	DefaultMaxReplyBytes  = 64 << 20
	DefaultPort           = "15500"
	DefaultRPCPort        = "15501"
	DefaultRESP3Port      = "6379"
)

// Config is a checked configuration. It holds secrets: print String, not the
// struct.
type Config struct {
	Scheme string
	// Host is host:port, with brackets round an IPv6 address; empty for memory.
	Host string
	// Path is a prefix of every HTTP path, for servers behind a proxy; no final /.
	Path string
	// Name is the store of memory://name.
	Name string

	Timeout        span.Duration
	ConnectTimeout span.Duration
	Backoff        span.Duration
	MaxRetries     int
	PoolSize       int
	MaxInFlight    int
	MaxReplyBytes  int
	APIKey         string
	Username       string
	Password       string
	TLSCA          string
	TLSCert        string
	TLSKey         string
	TLSInsecure    bool
	// Push is auto, ws, rpc, or the address of the SynapRPC listener that pushes
	// come from.
	Push string
}

// Native reports whether the wire is SynapRPC or RESP3.
func (c *Config) Native() bool { return c.RPC() || c.RESP3() }

// RPC reports whether the wire is SynapRPC.
func (c *Config) RPC() bool { return c.Scheme == RPC || c.Scheme == RPCS }

// RESP3 reports whether the wire is RESP3.
func (c *Config) RESP3() bool { return c.Scheme == RESP3 || c.Scheme == RESP3S }

// TLS reports whether connections are encrypted.
func (c *Config) TLS() bool { return c.Scheme == HTTPS || c.Scheme == RPCS || c.Scheme == RESP3S }

// PushConfig returns the configuration of the SynapRPC connection that pushes of
// an HTTP address come from: what push names, or the same host's default port.
func (c *Config) PushConfig() *Config {
	p := *c
	p.Path, p.APIKey = "", ""
	if c.Push != "auto" && c.Push != "ws" && c.Push != "rpc" {
		named := Config{}
		if _, err := named.parseAddress(c.Push); err == nil { // checked by Parse
			p.Scheme, p.Host = named.Scheme, named.Host
			if named.Username != "" || named.Password != "" {
				p.Username, p.Password = named.Username, named.Password
			}
			return &p
		}
	}
	p.Scheme = RPC
	if i := strings.LastIndexByte(c.Host, ':'); i >= 0 {
		p.Host = c.Host[:i+1] + DefaultRPCPort
	}
	return &p
}

// String returns the address without credentials.
func (c *Config) String() string {
	if c.Scheme == Memory {
		return "memory://" + c.Name
	}
	return c.Scheme + "://" + c.Host + c.Path
}

// Redact returns a text that came from outside with the client's secrets masked:
// servers and proxies echo what they were sent.
func (c *Config) Redact(text string) string {
	mask := func(secret string) {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	mask(c.APIKey)
	if c.Password != "" {
		mask(base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password)))
		mask(c.Password)
	}
	return text
}

// option describes one option: how its text is checked and where it goes.
type option struct {
	name string
	doc  string
	set  func(c *Config, text string) string // returns what is wrong, "" if nothing
}

func duration(at func(c *Config) *span.Duration, lo, hi span.Duration, bounds string) func(*Config, string) string {
	return func(c *Config, text string) string {
		d, ok := parseDuration(text)
		if !ok {
			return "must be a number of seconds, or a number with the unit ms, s or m"
		}
		if d < lo || d > hi {
			return "must be from " + bounds
		}
		*at(c) = d
		return ""
	}
}

func integer(at func(c *Config) *int, lo, hi int) func(*Config, string) string {
	return func(c *Config, text string) string {
		n, err := strconv.Atoi(text)
		if err != nil || n < lo || n > hi {
			return "must be an integer from " + strconv.Itoa(lo) + " to " + strconv.Itoa(hi)
		}
		*at(c) = n
		return ""
	}
}

func text(at func(c *Config) *string) func(*Config, string) string {
	return func(c *Config, s string) string {
		if strings.ContainsAny(s, "\r\n\x00") && !strings.HasPrefix(s, "-----BEGIN") {
			return "must not contain line breaks or NUL"
		}
		*at(c) = s
		return ""
	}
}

// options lists every option; the order is that of the docs.
var options = []option{
	{"timeout", "deadline of a call, all attempts included", duration(func(c *Config) *span.Duration { return &c.Timeout }, span.Millisecond, span.Hour, "1ms to 1h0m0s")},
	{"connect_timeout", "deadline of one connection attempt", duration(func(c *Config) *span.Duration { return &c.ConnectTimeout }, span.Millisecond, span.Hour, "1ms to 1h0m0s")},
	{"max_retries", "further attempts after the first", integer(func(c *Config) *int { return &c.MaxRetries }, 0, 100)},
	{"backoff", "longest wait before the first retry; doubles with each", duration(func(c *Config) *span.Duration { return &c.Backoff }, 0, span.Minute, "0s to 1m0s")},
	{"pool_size", "most connections", integer(func(c *Config) *int { return &c.PoolSize }, 1, 10_000)},
	{"max_in_flight", "most calls at once; one more fails", integer(func(c *Config) *int { return &c.MaxInFlight }, 1, 10_000_000)},
	{"max_reply_bytes", "largest reply that is read", integer(func(c *Config) *int { return &c.MaxReplyBytes }, 1024, 1<<31-1)},
	{"api_key", "sent as a bearer token", text(func(c *Config) *string { return &c.APIKey })},
	{"username", "sent with password as basic credentials", text(func(c *Config) *string { return &c.Username })},
	{"password", "", text(func(c *Config) *string { return &c.Password })},
	{"tls_ca", "certificates to trust instead of the system's: a file or PEM text", text(func(c *Config) *string { return &c.TLSCA })},
	{"tls_cert", "client certificate: a file or PEM text", text(func(c *Config) *string { return &c.TLSCert })},
	{"tls_key", "key of the client certificate: a file or PEM text", text(func(c *Config) *string { return &c.TLSKey })},
	{"tls_insecure", "true accepts any certificate", func(c *Config, s string) string {
		switch s {
		case "true", "1", "on":
			c.TLSInsecure = true
		case "false", "0", "off":
			c.TLSInsecure = false
		default:
			return "must be true or false"
		}
		return ""
	}},
	{"push", "where pushes of an HTTP address come from: auto, ws (WebSocket), rpc (SynapRPC on the same host), or an address synap://host:port", func(c *Config, s string) string {
		if s != "auto" && s != "ws" && s != "rpc" {
			var named Config
			query, err := named.parseAddress(s)
			if err != nil || query != "" || !named.RPC() {
				return "must be auto, ws, rpc or an address such as synap://host:15501"
			}
		}
		c.Push = s
		return ""
	}},
}

// Names lists the options in the order of the docs.
func Names() []string {
	names := make([]string, len(options))
	for i := range options {
		names[i] = options[i].name
	}
	return names
}

// isText reports whether an option is a text; all others are spelled as one.
func isText(name string) bool {
	switch name {
	case "api_key", "username", "password", "tls_ca", "tls_cert", "tls_key", "push":
		return true
	}
	return false
}

func isCredential(name string) bool {
	return name == "api_key" || name == "username" || name == "password"
}

// Parse builds a Config from an address, options (a map from name to value, or
// nil) and the environment. An option wins over the address, the address over
// the environment, and credentials count as one: whoever names any of them
// decides all. getenv may be nil. An empty address means SYNAP_URL.
func Parse(address string, opts value.Value, getenv func(string) string) (*Config, *errs.Error) {
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	if address == "" {
		address = getenv("SYNAP_URL")
	}
	c := &Config{
		Timeout: DefaultTimeout, ConnectTimeout: DefaultConnectTimeout, Backoff: DefaultBackoff,
		MaxRetries: DefaultMaxRetries, PoolSize: DefaultPoolSize, MaxInFlight: DefaultMaxInFlight,
		MaxReplyBytes: DefaultMaxReplyBytes, Push: "auto",
	}
	query, err := c.parseAddress(address)
	if err != nil {
		return nil, err
	}
	given, err := optionTexts(opts)
	if err != nil {
		return nil, err
	}
	fromURL := map[string]string{}
	if err := parseQuery(query, fromURL); err != nil {
		return nil, err
	}
	fromEnv := map[string]string{}
	for _, o := range options {
		if v := getenv("SYNAP_" + strings.ToUpper(o.name)); v != "" {
			fromEnv[o.name] = v
		}
	}
	for _, level := range []map[string]string{given, fromURL} { // the environment is not of one address alone
		for name := range level {
			if strings.HasPrefix(name, "tls_") && !c.TLS() {
				return nil, invalid("option " + name + " is for https, synaps and resp3s addresses")
			}
		}
	}
	named := c.Username != "" || c.Password != "" // in the address itself
	for _, level := range []map[string]string{given, fromURL} {
		for name := range level {
			named = named || isCredential(name)
		}
	}
	if named {
		for name := range fromEnv {
			if isCredential(name) {
				delete(fromEnv, name)
			}
		}
	}
	for name := range given {
		if isCredential(name) {
			c.Username, c.Password = "", ""
			for _, n := range []string{"api_key", "username", "password"} {
				delete(fromURL, n)
			}
			break
		}
	}
	for _, level := range []map[string]string{fromEnv, fromURL, given} {
		for _, o := range options {
			if s, ok := level[o.name]; ok {
				if wrong := o.set(c, s); wrong != "" {
					return nil, invalid("option " + o.name + " " + wrong)
				}
			}
		}
	}
	return c, c.check()
}

func (c *Config) check() *errs.Error {
	switch {
	case c.APIKey != "" && (c.Username != "" || c.Password != ""):
		return invalid("give api_key or username and password, not both")
	case c.APIKey != "" && c.Native():
		return invalid("the native wires take no API keys (protocol: synaprpc 4): give username and password")
	case c.Username == "" && c.Password != "" && c.Native(): // the user "default"
	case (c.Username == "") != (c.Password == ""):
		return invalid("username and password go together")
	case strings.Contains(c.Username, ":"):
		return invalid("a username cannot contain a colon")
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return invalid("tls_cert and tls_key go together")
	}
	for _, b := range []byte(c.APIKey) {
		if b <= ' ' || b >= 0x7f {
			return invalid("api_key must be printable ASCII without spaces")
		}
	}
	if c.ConnectTimeout > c.Timeout {
		c.ConnectTimeout = c.Timeout
	}
	return nil
}

func invalid(message string) *errs.Error { return errs.New(errs.InvalidArgument, message) }

// optionTexts checks the names of given options and turns their values to text.
func optionTexts(opts value.Value) (map[string]string, *errs.Error) {
	out := map[string]string{}
	if opts.IsNil() {
		return out, nil
	}
	if opts.Kind() != value.KindMap {
		return nil, invalid("options must be a map from name to value")
	}
	for i := 0; i < opts.Len(); i++ {
		k, v := opts.Pair(i)
		name, ok := k.AsStr()
		if !ok {
			return nil, invalid("an option's name must be text")
		}
		if !known(name) {
			return nil, invalid("unknown option " + strconv.Quote(name) + "; the options are " + strings.Join(Names(), ", "))
		}
		if v.IsNil() {
			continue // absent
		}
		if isText(name) && v.Kind() != value.KindStr {
			return nil, invalid("option " + name + " must be text, not " + v.Kind().String())
		}
		switch v.Kind() {
		case value.KindStr:
			out[name], _ = v.AsStr()
		case value.KindBool:
			b, _ := v.AsBool()
			out[name] = strconv.FormatBool(b)
		case value.KindInt:
			n, _ := v.AsInt()
			out[name] = strconv.FormatInt(n, 10)
		case value.KindFloat:
			f, _ := v.AsFloat()
			out[name] = strconv.FormatFloat(f, 'f', -1, 64)
		default:
			return nil, invalid("option " + name + " cannot be of type " + v.Kind().String())
		}
	}
	return out, nil
}

func known(name string) bool {
	for i := range options {
		if options[i].name == name {
			return true
		}
	}
	return false
}

// parseDuration reads a number of seconds or a number with a unit.
func parseDuration(s string) (span.Duration, bool) {
	unit := span.Second
	switch {
	case strings.HasSuffix(s, "ms"):
		s, unit = s[:len(s)-2], span.Millisecond
	case strings.HasSuffix(s, "s"):
		s = s[:len(s)-1]
	case strings.HasSuffix(s, "m"):
		s, unit = s[:len(s)-1], span.Minute
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= 1e9) {
		return 0, false
	}
	return span.Duration(f * float64(unit)), true
}
