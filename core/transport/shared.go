package transport

import (
	"crypto/tls"

	"github.com/libsynap/libsynap/core/config"
	"github.com/libsynap/libsynap/core/errs"
)

// TLSConfig builds the TLS settings of https. It and Reason are shared with
// wasm/host, which moves bytes for another client.
func TLSConfig(cfg *config.Config) (*tls.Config, *errs.Error) { return tlsConfig(cfg) }

// Reason is the innermost text of an I/O error.
func Reason(err error) string { return reason(err) }
