// Command capi is libsynap.so: the Go half of the C ABI. What users call are the
// functions of shim.c, which refuse to enter Go in a forked child and then call
// these. No Go pointer crosses: inputs are copied on entry, outputs are
// allocated with malloc, clients are handles.
package main

// #include "abi.h"
// #include <stdlib.h>
// #include <string.h>
import "C"

import (
	"fmt"
	"runtime/debug"
	"time"
	"unsafe"

	"github.com/libsynap/libsynap/core"
	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

func main() {}

// pending is what synap_start and synap_wait return while a call runs.
const pending = -1

// maxInput bounds inputs: a larger length is a mistake of the caller, such as a
// negative number.
const maxInput = 1 << 31

// guard turns a panic in an export into SYNAP_EPANIC and poisons its client, if
// it has one. Panics inside a call are caught nearer to their cause, in core;
// this is for the boundary itself.
func guard(code *C.int32_t, e *C.synap_error, h C.uint64_t) {
	if r := recover(); r != nil {
		if c := clients.get(uint64(h)); c != nil {
			*code = fail(e, c.poison(r))
			return
		}
		*code = fail(e, panicked(r))
	}
}

// panicked logs a panic and makes it an error.
func panicked(cause any) *errs.Error {
	logMessage(core.LogWarning, "panic: "+fmt.Sprint(cause)+"\n"+string(debug.Stack()))
	return &errs.Error{Code: errs.Panic, MaybeApplied: true, Message: "a defect inside libsynap"}
}

// fail fills the error and returns its code.
func fail(e *C.synap_error, err error) C.int32_t {
	x := failure(err)
	if e == nil {
		return C.int32_t(x.Code)
	}
	e.code, e.status, e.flags = C.int32_t(x.Code), C.int32_t(x.Status), 0
	if x.Retryable {
		e.flags |= 1
	}
	if x.MaybeApplied {
		e.flags |= 2
	}
	// One block holds the three texts, so that one free gives all back.
	text := x.Message + "\x00" + x.Command + "\x00" + x.Transport + "\x00"
	block := C.malloc(C.size_t(len(text)))
	copy(unsafe.Slice((*byte)(block), len(text)), text)
	e.message = (*C.char)(block)
	e.command = (*C.char)(unsafe.Add(block, len(x.Message)+1))
	e.transport = (*C.char)(unsafe.Add(block, len(x.Message)+len(x.Command)+2))
	return C.int32_t(x.Code)
}

func invalid(e *C.synap_error, message string) C.int32_t {
	return fail(e, errs.New(errs.InvalidArgument, message))
}

// input copies bytes of the caller.
func input(p unsafe.Pointer, n C.size_t) (string, bool) {
	if n == 0 {
		return "", true
	}
	if p == nil || n > maxInput {
		return "", false
	}
	return string(unsafe.Slice((*byte)(p), int(n))), true
}

// output hands bytes to the caller, who frees them with synap_buf_free.
func output(out *C.synap_buf, b []byte) {
	out.len = C.size_t(len(b))
	out.data = (*C.uint8_t)(C.malloc(C.size_t(max(len(b), 1))))
	copy(unsafe.Slice((*byte)(unsafe.Pointer(out.data)), len(b)), b)
}

func outputValue(out *C.synap_buf, v value.Value) {
	output(out, value.AppendMsgpack(make([]byte, 0, 128), v))
}

// options decodes a MessagePack map of options.
func options(p unsafe.Pointer, n C.size_t) (value.Value, error) {
	s, ok := input(p, n)
	if !ok {
		return value.Nil, errs.New(errs.InvalidArgument, "options is NULL or its length absurd")
	}
	if s == "" {
		return value.Nil, nil
	}
	v, rest, err := value.ParseMsgpack(s)
	if err != nil || rest != "" {
		return value.Nil, errs.New(errs.InvalidArgument, "options is not one MessagePack map")
	}
	return v, nil
}

//export goSynapOpen
func goSynapOpen(url unsafe.Pointer, urlLen C.size_t, opts unsafe.Pointer, optsLen C.size_t, out *C.uint64_t, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, 0)
	address, ok := input(url, urlLen)
	if !ok || out == nil {
		return invalid(e, "url or out is NULL, or the length of url absurd")
	}
	o, err := options(opts, optsLen)
	if err != nil {
		return fail(e, err)
	}
	c, err := core.OpenWith(address, o, getenv, logMessage)
	if err != nil {
		return fail(e, err)
	}
	*out = C.uint64_t(clients.add(newClient(c)))
	return 0
}

// getenv reads the environment as C sees it: Go's own copy is that of the start
// of the process, and hosts change theirs.
func getenv(name string) string {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return C.GoString(C.getenv(n))
}

//export goSynapClose
func goSynapClose(h C.uint64_t, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, h)
	c := clients.remove(uint64(h))
	if c == nil {
		return fail(e, errClosed())
	}
	c.close()
	return 0
}

//export goSynapCall
func goSynapCall(h C.uint64_t, req unsafe.Pointer, n C.size_t, timeoutMS C.int64_t, reply *C.synap_buf, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, h)
	c, frame, code := enter(h, req, n, timeoutMS, e)
	if code != 0 {
		return code
	}
	if reply == nil {
		return invalid(e, "reply is NULL")
	}
	v, err := c.core.Do(frame, duration(timeoutMS))
	if err != nil {
		return fail(e, c.verdict(err))
	}
	outputValue(reply, v)
	return 0
}

//export goSynapStart
func goSynapStart(h C.uint64_t, req unsafe.Pointer, n C.size_t, timeoutMS, waitMS C.int64_t, id *C.uint64_t, reply *C.synap_buf, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, h)
	c, frame, code := enter(h, req, n, timeoutMS, e)
	if code != 0 {
		return code
	}
	if reply == nil || id == nil || waitMS < 0 {
		return invalid(e, "call or reply is NULL, or wait_ms negative")
	}
	call := c.start(frame, duration(timeoutMS))
	if !c.wait(call, duration(waitMS)) {
		*id = C.uint64_t(c.keep(call))
		return pending
	}
	return finish(call, reply, e)
}

//export goSynapWait
func goSynapWait(h, id C.uint64_t, waitMS C.int64_t, reply *C.synap_buf, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, h)
	c := clients.get(uint64(h))
	if c == nil {
		return fail(e, errClosed())
	}
	if reply == nil || waitMS < 0 {
		return invalid(e, "reply is NULL, or wait_ms negative")
	}
	call := c.kept(uint64(id))
	if call == nil {
		return invalid(e, "no such call; synap_wait takes what synap_start gave, until it is done")
	}
	if !c.wait(call, duration(waitMS)) {
		return pending
	}
	c.forget(uint64(id))
	return finish(call, reply, e)
}

func finish(call *blocking, reply *C.synap_buf, e *C.synap_error) C.int32_t {
	if call.err != nil {
		return fail(e, call.err)
	}
	outputValue(reply, call.v)
	return 0
}

//export goSynapSubmit
func goSynapSubmit(h C.uint64_t, req unsafe.Pointer, n C.size_t, timeoutMS C.int64_t, tag C.uint64_t, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, h)
	c, frame, code := enter(h, req, n, timeoutMS, e)
	if code != 0 {
		return code
	}
	if err := c.submit(frame, duration(timeoutMS), uint64(tag)); err != nil {
		return fail(e, err)
	}
	return 0
}

//export goSynapCancel
func goSynapCancel(h, id C.uint64_t, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, h)
	c := clients.get(uint64(h))
	if c == nil {
		return fail(e, errClosed())
	}
	c.cancel(uint64(id))
	return 0
}

//export goSynapPoll
func goSynapPoll(h C.uint64_t, most C.size_t, waitMS C.int64_t, out *C.synap_buf, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, h)
	c := clients.get(uint64(h))
	if c == nil {
		return fail(e, errClosed())
	}
	if out == nil || most == 0 || waitMS < 0 {
		return invalid(e, "completions is NULL, max 0 or wait_ms negative")
	}
	list, err := c.queue.take(int(min(most, maxInput)), duration(waitMS))
	if err != nil {
		return fail(e, err)
	}
	output(out, list)
	return 0
}

//export goSynapCompletionFD
func goSynapCompletionFD(h C.uint64_t, fd *C.int32_t, e *C.synap_error) (code C.int32_t) {
	defer guard(&code, e, h)
	c := clients.get(uint64(h))
	if c == nil {
		return fail(e, errClosed())
	}
	if fd == nil {
		return invalid(e, "fd is NULL")
	}
	n, err := c.queue.descriptor()
	if err != nil {
		return fail(e, err)
	}
	*fd = C.int32_t(n)
	return 0
}

// enter finds the client of a request and copies the request frame.
func enter(h C.uint64_t, req unsafe.Pointer, n C.size_t, timeoutMS C.int64_t, e *C.synap_error) (*client, string, C.int32_t) {
	c := clients.get(uint64(h))
	if c == nil {
		return nil, "", fail(e, errClosed())
	}
	if c.poisoned.Load() {
		return nil, "", fail(e, errs.New(errs.Panic, "this client is unusable after a defect inside libsynap; open a new one"))
	}
	frame, ok := input(req, n)
	if !ok || frame == "" {
		return nil, "", invalid(e, "the request is NULL, empty or its length absurd")
	}
	if timeoutMS < 0 {
		return nil, "", invalid(e, "timeout_ms is negative: the time for this call is over, or the number is a mistake")
	}
	testPanic(frame)
	return c, frame, 0
}

func errClosed() *errs.Error {
	return errs.New(errs.Closed, "the client is closed, or this is not a handle that synap_open gave")
}

// duration turns milliseconds, which are not negative, into a duration that
// cannot overflow.
func duration(ms C.int64_t) time.Duration {
	const most = int64(1000 * time.Hour / time.Millisecond)
	return time.Duration(min(int64(ms), most)) * time.Millisecond
}
