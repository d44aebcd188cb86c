/* Compiled, not run: the binary interface is what it was, and the library was
 * built to the types and prototypes that users see. */
#include "synap.h"

#define LAYOUT(type, size, last, offset)                      \
    _Static_assert(sizeof(type) == (size), #type " changed"); \
    _Static_assert(offsetof(type, last) == (offset), #type " changed")

/* What crosses the boundary. Fields are never moved, and none is added without a
 * new SYNAP_ABI_VERSION. */
_Static_assert(SYNAP_ABI_VERSION == 1, "the layouts below are those of version 1");
LAYOUT(synap_buf, 16, len, 8);
LAYOUT(synap_error, 40, transport, 32);
_Static_assert(offsetof(synap_error, status) == 4 && offsetof(synap_error, flags) == 8 && offsetof(synap_error, message) == 16,
               "synap_error changed");
_Static_assert(sizeof(synap_client) == 8, "synap_client changed");
_Static_assert(SYNAP_EINVALID_ARGUMENT == 1 && SYNAP_ENOT_FOUND == 7 && SYNAP_ECLOSED == 14 && SYNAP_EPANIC == 17,
               "codes never change their numbers");

/* The shim against the header: the same names must have the same types. */
#include "../../capi/shim.c"
_Static_assert(CODE_FORK == SYNAP_EFORK, "the shim answers a fork with another code");

/* The types that Go sees against those that users see. */
#undef SYNAP_ABI_H
#undef SYNAP_SHIM_H
#define synap_buf go_buf
#define synap_error go_error
#define synap_log_fn go_log_fn
#define synap_shim_log go_shim_log
#include "../../capi/abi.h"
#undef synap_buf
#undef synap_error
_Static_assert(sizeof(go_buf) == sizeof(synap_buf) && offsetof(go_buf, len) == offsetof(synap_buf, len), "synap_buf differs");
_Static_assert(sizeof(go_error) == sizeof(synap_error) && offsetof(go_error, status) == offsetof(synap_error, status) &&
                   offsetof(go_error, flags) == offsetof(synap_error, flags) && offsetof(go_error, message) == offsetof(synap_error, message) &&
                   offsetof(go_error, command) == offsetof(synap_error, command) && offsetof(go_error, transport) == offsetof(synap_error, transport),
               "synap_error differs");
