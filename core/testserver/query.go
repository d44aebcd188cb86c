package testserver

import (
	"errors"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/libsynap/libsynap/core/value"
)

// queryNumber is an unsigned number that a strict query may hold.
type queryNumber struct {
	name     string
	bits     int
	required bool
}

// queryNumbers reads the numbers of a query as a map; what is wrong is answered
// here. Other members of the query do not matter.
func (r *request) queryNumbers(numbers []queryNumber) (value.Value, bool) {
	var items []value.Value
	args := r.ctx.QueryArgs()
	wrong := ""
	for name, text := range args.All() {
		for _, n := range numbers {
			if n.name != string(name) || wrong != "" {
				continue
			}
			u, msg := parseUsize(string(text), n.bits)
			if msg != "" {
				wrong = n.name + ": " + msg
			}
			items = append(items, value.Str(n.name), value.Uint(u))
		}
	}
	query := value.Map(items...)
	for _, n := range numbers {
		if _, given := query.Get(n.name); n.required && !given && wrong == "" {
			wrong = "missing field `" + n.name + "`"
		}
	}
	if wrong != "" {
		r.refuse(fasthttp.StatusBadRequest, "Failed to deserialize query string: "+wrong)
		return value.Nil, false
	}
	return query, true
}

// parseUsize reads an unsigned number, or says what is wrong in the server's words.
func parseUsize(s string, bits int) (u uint64, wrong string) {
	u, err := strconv.ParseUint(strings.TrimPrefix(s, "+"), 10, bits)
	switch {
	case err == nil:
		return u, ""
	case s == "":
		return 0, "cannot parse integer from empty string"
	case errors.Is(err, strconv.ErrRange):
		return 0, "number too large to fit in target type"
	}
	return 0, "invalid digit found in string"
}
