package testserver

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"
)

// compressFrom is the smallest body that is compressed (protocol: auth-and-ops 4).
const compressFrom = 32

// compress gzips the reply if the client takes it. A compressed reply is chunked
// and has no length.
func (r *request) compress() {
	body := r.ctx.Response.Body()
	if len(body) < compressFrom {
		return
	}
	h := &r.ctx.Response.Header
	h.Set("Vary", "accept-encoding")
	if accept := r.ctx.Request.Header.Peek("Accept-Encoding"); len(accept) == 0 || !acceptsGzip(string(accept)) {
		return
	}
	h.Set("Content-Encoding", "gzip")
	r.ctx.Response.SetBodyStream(bytes.NewReader(fasthttp.AppendGzipBytes(nil, body)), -1)
}

// acceptsGzip reads an Accept-Encoding header; a weight of 0 refuses.
func acceptsGzip(accept string) bool {
	for item := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(item, ";")
		if coding = strings.TrimSpace(coding); !strings.EqualFold(coding, "gzip") && !strings.EqualFold(coding, "x-gzip") {
			continue
		}
		weight = strings.ReplaceAll(weight, " ", "")
		return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
	}
	return false
}
