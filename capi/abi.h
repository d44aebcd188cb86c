/* The types that cross between shim and Go. Users see them in include/synap/abi.h,
 * which repeats them: Go's build does not notice changes to headers outside of this
 * folder. tests/c/abi.c compares the two, and compiles shim.c against the prototypes
 * that users see. */
#ifndef SYNAP_SHIM_H
#define SYNAP_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifndef SYNAP_ABI_H
typedef struct synap_buf {
    uint8_t *data;
    size_t len;
} synap_buf;

typedef struct synap_error {
    int32_t code;
    int32_t status;
    uint32_t flags;
    char *message;
    const char *command;
    const char *transport;
} synap_error;

typedef void (*synap_log_fn)(void *user, int32_t level, const char *message, size_t len);
#endif

/* shim.c: calls the log function of the user. */
void synap_shim_log(synap_log_fn fn, void *user, int32_t level, const char *message, size_t len);

#endif
