package wazero

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/libsynap/libsynap/core/value"
)

// post carries out a request of the plugin.
func post(t testing.TB, r value.Value) (status int, body string) {
	t.Helper()
	method, _ := r.Index(1).AsStr()
	url, _ := r.Index(2).AsStr()
	authorization, _ := r.Index(3).AsStr()
	text, _ := r.Index(4).AsBlob()
	req, err := http.NewRequest(method, url, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
