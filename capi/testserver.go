package main

// #include "abi.h"
import "C"

import (
	"unsafe"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/testserver"
	"github.com/libsynap/libsynap/core/value"
)

var servers handles[*testserver.Server]

//export goSynapTestserverStart
func goSynapTestserverStart(opts unsafe.Pointer, n C.size_t, out *C.uint64_t, info *C.synap_buf, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, 0)
	o, err := options(opts, n)
	if err != nil {
		return fail(e, err)
	}
	if out == nil || info == nil {
		return invalid(e, "server or info is NULL")
	}
	cfg := testserver.Config{HTTP: "127.0.0.1:0"}
	for i := 0; i < o.Len(); i++ {
		k, v := o.Pair(i)
		name, _ := k.AsStr()
		text, isText := v.AsStr()
		flag, isFlag := v.AsBool()
		switch {
		case name == "http" && isText:
			cfg.HTTP = text
		case name == "rpc" && isText:
			cfg.RPC = text
		case name == "resp3" && isText:
			cfg.RESP3 = text
		case name == "user" && isText:
			cfg.User, cfg.RequireAuth = text, true
		case name == "password" && isText:
			cfg.Password = text
		case name == "api_key" && isText:
			cfg.APIKey, cfg.RequireAuth = text, true
		case name == "stock" && isFlag:
			cfg.Stock = flag
		default:
			return invalid(e, "the options of a test server are http, rpc, resp3, user, password, api_key (texts) and stock (a boolean)")
		}
	}
	s, err := testserver.Start(cfg)
	if err != nil {
		return fail(e, errs.New(errs.Connection, err.Error()))
	}
	*out = C.uint64_t(servers.add(s))
	urls := []value.Value{value.Str("http"), value.Str(s.URL())}
	if cfg.RPC != "" {
		urls = append(urls, value.Str("rpc"), value.Str(s.RPCURL()))
	}
	if cfg.RESP3 != "" {
		urls = append(urls, value.Str("resp3"), value.Str(s.RESP3URL()))
	}
	outputValue(info, value.Map(urls...))
	return 0
}

//export goSynapTestserverStop
func goSynapTestserverStop(h C.uint64_t, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, 0)
	s := servers.remove(uint64(h))
	if s == nil {
		return fail(e, errs.New(errs.Closed, "the test server is stopped, or this is not a handle that synap_testserver_start gave"))
	}
	if err := s.Close(); err != nil {
		return fail(e, errs.New(errs.Server, err.Error()))
	}
	return 0
}
