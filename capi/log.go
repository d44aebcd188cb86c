package main

// #include "abi.h"
// #include <stdlib.h>
import "C"

import (
	"sync"
	"unsafe"
)

// logger is the log function of the host, if it has set one.
var logger struct {
	sync.RWMutex
	fn   C.synap_log_fn
	user unsafe.Pointer
}

//export goSynapSetLog
func goSynapSetLog(fn C.synap_log_fn, user unsafe.Pointer) {
	var code C.int32_t
	defer guard(&code, nil, 0)
	logger.Lock()
	defer logger.Unlock()
	logger.fn, logger.user = fn, user
}

// logMessage calls the host's log function, on whatever thread the event
// happened. It holds the lock meanwhile, so that after synap_set_log returns the
// old function is not called any more.
func logMessage(level int, message string) {
	logger.RLock()
	defer logger.RUnlock()
	if logger.fn == nil {
		return
	}
	text := C.CString(message)
	defer C.free(unsafe.Pointer(text))
	C.synap_shim_log(logger.fn, logger.user, C.int32_t(level), text, C.size_t(len(message)))
}
