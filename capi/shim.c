/* The functions that users call. Each compares the process id before it enters
 * Go: the Go runtime does not survive a fork, and a call into it from a forked
 * child would hang for ever instead of failing. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi.h"
#include "constants_gen.h"

#define EXPORT __attribute__((visibility("default")))

extern int32_t goSynapOpen(const void *, size_t, const void *, size_t, uint64_t *, synap_error *);
extern int32_t goSynapClose(uint64_t, synap_error *);
extern int32_t goSynapCall(uint64_t, const void *, size_t, int64_t, synap_buf *, synap_error *);
extern int32_t goSynapStart(uint64_t, const void *, size_t, int64_t, int64_t, uint64_t *, synap_buf *, synap_error *);
extern int32_t goSynapWait(uint64_t, uint64_t, int64_t, synap_buf *, synap_error *);
extern int32_t goSynapSubmit(uint64_t, const void *, size_t, int64_t, uint64_t, synap_error *);
extern int32_t goSynapCancel(uint64_t, uint64_t, synap_error *);
extern int32_t goSynapPoll(uint64_t, size_t, int64_t, synap_buf *, synap_error *);
extern int32_t goSynapCompletionFD(uint64_t, int32_t *, synap_error *);
extern int32_t goSynapTestserverStart(const void *, size_t, uint64_t *, synap_buf *, synap_error *);
extern int32_t goSynapTestserverStop(uint64_t, synap_error *);
extern void goSynapSetLog(synap_log_fn, void *);

static pid_t loaded_in;

__attribute__((constructor)) static void remember_process(void) { loaded_in = getpid(); }

/* Fills the error of a call in a forked child. */
static int32_t forked(synap_error *err) {
    static const char text[] = "the process was forked after libsynap was loaded; load it in the child, after the fork";
    if (err != NULL) {
        err->code = CODE_FORK;
        err->status = 0;
        err->flags = 0;
        err->message = malloc(sizeof text + 1);
        if (err->message != NULL) {
            memcpy(err->message, text, sizeof text);
            err->message[sizeof text] = '\0';
            err->command = err->transport = err->message + sizeof text;
        } else {
            err->command = err->transport = "";
        }
    }
    return CODE_FORK;
}

#define REFUSE_FORK(err)               \
    do {                               \
        if (getpid() != loaded_in)     \
            return forked(err);        \
    } while (0)

EXPORT const char *synap_version(void) { return LIBRARY_VERSION; }

EXPORT uint32_t synap_abi_version(void) { return 1; }

/* Bits: 1 memory://, 2 http(s)://, 4 pushes over WebSocket, 8 test server. */
EXPORT uint64_t synap_capabilities(void) { return 1 | 2 | 4 | 8 | 16 | 32; }

EXPORT int32_t synap_open(const char *url, size_t url_len, const void *options, size_t options_len, uint64_t *out, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapOpen(url, url_len, options, options_len, out, err);
}

EXPORT int32_t synap_close(uint64_t client, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapClose(client, err);
}

EXPORT int32_t synap_call(uint64_t client, const void *req, size_t len, int64_t timeout_ms, synap_buf *reply, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapCall(client, req, len, timeout_ms, reply, err);
}

EXPORT int32_t synap_start(uint64_t client, const void *req, size_t len, int64_t timeout_ms, int64_t wait_ms, uint64_t *call, synap_buf *reply, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapStart(client, req, len, timeout_ms, wait_ms, call, reply, err);
}

EXPORT int32_t synap_wait(uint64_t client, uint64_t call, int64_t wait_ms, synap_buf *reply, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapWait(client, call, wait_ms, reply, err);
}

EXPORT int32_t synap_submit(uint64_t client, const void *req, size_t len, int64_t timeout_ms, uint64_t tag, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapSubmit(client, req, len, timeout_ms, tag, err);
}

EXPORT int32_t synap_cancel(uint64_t client, uint64_t tag_or_call, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapCancel(client, tag_or_call, err);
}

EXPORT int32_t synap_poll(uint64_t client, size_t max, int64_t wait_ms, synap_buf *completions, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapPoll(client, max, wait_ms, completions, err);
}

EXPORT int32_t synap_completion_fd(uint64_t client, int32_t *fd, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapCompletionFD(client, fd, err);
}

EXPORT int32_t synap_testserver_start(const void *options, size_t len, uint64_t *server, synap_buf *info, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapTestserverStart(options, len, server, info, err);
}

EXPORT int32_t synap_testserver_stop(uint64_t server, synap_error *err) {
    REFUSE_FORK(err);
    return goSynapTestserverStop(server, err);
}

EXPORT void synap_set_log(synap_log_fn fn, void *user) {
    if (getpid() == loaded_in)
        goSynapSetLog(fn, user);
}

EXPORT void synap_buf_free(synap_buf *buf) {
    if (buf == NULL)
        return;
    free(buf->data);
    buf->data = NULL;
    buf->len = 0;
}

EXPORT void synap_error_free(synap_error *err) {
    if (err == NULL)
        return;
    free(err->message);
    memset(err, 0, sizeof *err);
}

void synap_shim_log(synap_log_fn fn, void *user, int32_t level, const char *message, size_t len) {
    fn(user, level, message, len);
}
