package config

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/errs"
)

const schemes = "memory://, http://, https://, synap:// or resp3://"

// parseAddress reads scheme, credentials, host, port and path into c and returns
// the query. Error texts never repeat the address: it may hold a password.
func (c *Config) parseAddress(address string) (query string, err *errs.Error) {
	if address == "" {
		return "", invalid("the address is empty; give one such as http://localhost:15500 or memory://, or set SYNAP_URL")
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return "", invalid("the address has no scheme; it must start with " + schemes)
	}
	for i := 0; i < len(rest); i++ {
		if rest[i] <= ' ' || rest[i] == 0x7f {
			return "", invalid("the address contains a space or control character; write it percent-encoded")
		}
	}
	if i := strings.IndexByte(rest, '#'); i >= 0 {
		return "", invalid("the address has a fragment (#); write # in a password as %23")
	}
	rest, query, _ = strings.Cut(rest, "?")
	if _, path, _ := strings.Cut(rest, "/"); strings.Contains(path, "@") || strings.Contains(query, "@") {
		// Most likely a password with / or ? in it. Read as path or option it would
		// end up in messages and on the wire.
		return "", invalid("an @ stands after the host; write / ? @ in a username or password as %2F %3F %40, and @ in an option as %40")
	}
	switch c.Scheme = strings.ToLower(scheme); c.Scheme {
	case Memory:
		if strings.ContainsAny(rest, "/@:") {
			return "", invalid("a memory address is memory:// or memory://name")
		}
		c.Name, err = unescape(rest)
		return query, err
	case HTTP, HTTPS, RPC, RPCS, RESP3, RESP3S:
	case "redis":
		c.Scheme = RESP3
	case "rediss":
		c.Scheme = RESP3S
	default:
		return "", invalid("unknown scheme" + named(scheme) + "; the address must start with " + schemes)
	}
	authority, path, _ := strings.Cut(rest, "/")
	c.Path = strings.TrimRight(path, "/")
	if c.Path != "" {
		if c.Native() {
			return "", invalid("a " + c.Scheme + ":// address has no path: this wire has no databases and no prefixes")
		}
		c.Path = "/" + c.Path
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, password, found := strings.Cut(authority[:i], ":")
		authority = authority[i+1:]
		if !found {
			return "", invalid("credentials in an address are user:password@")
		}
		if c.Username, err = unescape(user); err != nil {
			return "", err
		}
		if c.Password, err = unescape(password); err != nil {
			return "", err
		}
	}
	return query, c.parseHost(authority)
}

// named quotes a scheme for a message, unless it may be something else: what
// stands before :// in user:password@http://host.
func named(scheme string) string {
	for i := 0; i < len(scheme); i++ {
		switch b := scheme[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '+', b == '-', b == '.':
		default:
			return ""
		}
	}
	return " " + strconv.Quote(clip(scheme))
}

func clip(s string) string {
	if len(s) > 20 {
		return s[:20]
	}
	return s
}

func (c *Config) parseHost(authority string) *errs.Error {
	host, port := authority, ""
	if strings.HasPrefix(authority, "[") {
		end := strings.IndexByte(authority, ']')
		if end < 0 {
			return invalid("the address has [ without ]")
		}
		host, port = authority[:end+1], authority[end+1:]
		if inner := host[1:end]; inner == "" || strings.Trim(inner, "0123456789abcdefABCDEF:.") != "" || !strings.Contains(inner, ":") {
			return invalid("what stands in brackets must be an IPv6 address")
		}
		if port != "" && port[0] != ':' {
			return invalid("after ] only :port may follow")
		}
		port = strings.TrimPrefix(port, ":")
		if strings.HasSuffix(authority, ":") {
			return invalid("the port is missing after the colon")
		}
	} else {
		switch strings.Count(authority, ":") {
		case 0:
		case 1:
			host, port, _ = strings.Cut(authority, ":")
			if port == "" {
				return invalid("the port is missing after the colon")
			}
		default:
			return invalid("write an IPv6 address in brackets: http://[::1]:15500")
		}
		for i := 0; i < len(host); i++ {
			switch b := host[i]; {
			case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '.', b == '-', b == '_', b >= 0x80:
			default:
				return invalid("the host contains the character " + strconv.QuoteRune(rune(b)))
			}
		}
	}
	if host == "" {
		return invalid("the address has no host")
	}
	if port == "" {
		port = DefaultPort
		switch {
		case c.RPC():
			port = DefaultRPCPort
		case c.RESP3():
			port = DefaultRESP3Port
		}
	}
	n, err := strconv.ParseUint(port, 10, 32)
	if err != nil || n < 1 || n > 65535 {
		return invalid("the port must be a number from 1 to 65535")
	}
	c.Host = host + ":" + strconv.FormatUint(n, 10)
	return nil
}

func parseQuery(query string, into map[string]string) *errs.Error {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		name, val, _ := strings.Cut(pair, "=")
		if !known(name) {
			return invalid("unknown option " + strconv.Quote(clip(name)) + " in the address; the options are " + strings.Join(Names(), ", "))
		}
		if _, twice := into[name]; twice {
			return invalid("option " + name + " stands twice in the address")
		}
		s, err := unescape(val)
		if err != nil {
			return err
		}
		into[name] = s
	}
	return nil
}

func unescape(s string) (string, *errs.Error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", invalid("the address has a % without two hexadecimal digits")
		}
		b, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", invalid("the address has a % without two hexadecimal digits")
		}
		out = append(out, byte(b))
		i += 2
	}
	return string(out), nil
}
