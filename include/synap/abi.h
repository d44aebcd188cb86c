/* The binary interface of libsynap: its functions, and the types that cross with
 * them. synap.h says what holds for all of them. */
#ifndef SYNAP_ABI_H
#define SYNAP_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codes_gen.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SYNAP_API extern __attribute__((visibility("default")))
#define SYNAP_INLINE static inline __attribute__((unused))
#else
#define SYNAP_API extern
#define SYNAP_INLINE static inline
#endif
/* Marks what the caller gets to own, and what is only lent. Both are empty. */
#define SYNAP_OWN
#define SYNAP_BORROWED

#define SYNAP_ABI_VERSION 1

/* Bits of synap_error.flags. */
#define SYNAP_RETRYABLE 1u     /* the same call may succeed later */
#define SYNAP_MAYBE_APPLIED 2u /* the command may have taken effect */

/* Bits of synap_capabilities(). */
#define SYNAP_HAS_MEMORY 1u     /* memory:// */
#define SYNAP_HAS_HTTP 2u       /* http:// and https:// */
#define SYNAP_HAS_PUSH_WS 4u    /* subscriptions over WebSocket */
#define SYNAP_HAS_TESTSERVER 8u /* synap_testserver_start */
#define SYNAP_HAS_RPC 16u       /* synap:// and synaps://, and pushes from there */
#define SYNAP_HAS_RESP3 32u     /* resp3:// and resp3s:// */

/* ---- Types of the boundary -------------------------------------------------- */

/* A client: a number that stays invalid once closed. 0 is never a client. */
typedef uint64_t synap_client;

/* Bytes that the caller owns. */
typedef struct synap_buf {
    uint8_t *data;
    size_t len;
} synap_buf;

/* What went wrong. message, command and transport end with NUL and live until
 * synap_error_free. status is the HTTP status, 0 where there is none. */
typedef struct synap_error {
    int32_t code;
    int32_t status;
    uint32_t flags;
    char *message;
    const char *command;
    const char *transport;
} synap_error;

#define SYNAP_ERROR_INIT {0, 0, 0, NULL, NULL, NULL}
#define SYNAP_BUF_INIT {NULL, 0}

/* ---- Functions of the library ----------------------------------------------- */

/** \brief Version of the library, such as "0.1.0". \since 0.1 */
SYNAP_API const char *synap_version(void);

/** \brief Version of the interface; must equal SYNAP_ABI_VERSION. \since 0.1 */
SYNAP_API uint32_t synap_abi_version(void);

/** \brief What this build can do: SYNAP_HAS_… bits. \since 0.1 */
SYNAP_API uint64_t synap_capabilities(void);

/** \brief Opens a client. No connection is made yet.
 * \param url     memory://[name], http://, https://, synap://, synaps://, resp3:// or resp3s://; empty:
 *                the environment variable SYNAP_URL.
 * \param options MessagePack map from name to value, or NULL; the names stand in codes_gen.h. Times
 *                are seconds.
 * \return SYNAP_OK, SYNAP_EINVALID_ARGUMENT. \since 0.1 */
SYNAP_API int32_t synap_open(const char *url, size_t url_len, const void *options, size_t options_len,
                             synap_client *out, synap_error *err);

/** \brief Closes a client. Its calls in flight end with SYNAP_ECLOSED, its subscriptions end, a
 *        waiting synap_poll gets what has ended or SYNAP_ECLOSED.
 * \return SYNAP_OK; SYNAP_ECLOSED if it was closed already. \since 0.1 */
SYNAP_API int32_t synap_close(synap_client client, synap_error *err);

/** \brief Makes one request and waits for its reply.
 * \param req        A request frame; the _frame functions below write them.
 * \param timeout_ms Deadline in milliseconds, 0 for the client's own.
 * \param reply      Receives the reply, one MessagePack value. \since 0.1 */
SYNAP_API int32_t synap_call(synap_client client, const void *req, size_t len, int64_t timeout_ms,
                             SYNAP_OWN synap_buf *reply, synap_error *err);

/** \brief synap_call that returns SYNAP_PENDING after wait_ms, with a number for synap_wait or
 *        synap_cancel in *call: for hosts that must look at signals now and then. \since 0.1 */
SYNAP_API int32_t synap_start(synap_client client, const void *req, size_t len, int64_t timeout_ms, int64_t wait_ms,
                              uint64_t *call, SYNAP_OWN synap_buf *reply, synap_error *err);

/** \brief Waits up to wait_ms for a started call. SYNAP_PENDING: not done yet. Any other result ends
 *        it: its number is used up. \since 0.1 */
SYNAP_API int32_t synap_wait(synap_client client, uint64_t call, int64_t wait_ms,
                             SYNAP_OWN synap_buf *reply, synap_error *err);

/** \brief Makes a request without waiting; its end comes out of synap_poll under the tag.
 * \param tag Chosen by the caller, below 2^63, unique among its requests in flight.
 * \return SYNAP_OK: the request will end, once, whatever happens to it. A code: it was not taken.
 * \since 0.1 */
SYNAP_API int32_t synap_submit(synap_client client, const void *req, size_t len, int64_t timeout_ms, uint64_t tag,
                               synap_error *err);

/** \brief Gives up a call. A submitted one ends with SYNAP_ECANCELED unless it has ended already; a
 *        started one is forgotten: do not wait for it any more. No other call is disturbed.
 * \return SYNAP_OK also if there is no such call. \since 0.1 */
SYNAP_API int32_t synap_cancel(synap_client client, uint64_t tag_or_call, synap_error *err);

/** \brief Takes up to max ended requests, waiting up to wait_ms for the first.
 * \param completions Receives a list; read it with synap_completion_next. \since 0.1 */
SYNAP_API int32_t synap_poll(synap_client client, size_t max, int64_t wait_ms,
                             SYNAP_OWN synap_buf *completions, synap_error *err);

/** \brief A descriptor that is readable while synap_poll has something to give: for poll(2), epoll
 *        and event loops. It belongs to the client; do not read, write or close it. \since 0.1 */
SYNAP_API int32_t synap_completion_fd(synap_client client, int32_t *fd, synap_error *err);

/** \brief Frees a buffer; NULL and a freed one are harmless. \since 0.1 */
SYNAP_API void synap_buf_free(synap_buf *buf);

/** \brief Frees what an error holds; NULL and an empty one are harmless. \since 0.1 */
SYNAP_API void synap_error_free(synap_error *err);

/** \brief Sets a function that is told of connection events (level 1 information, 2 warning), NULL
 *        for none. It is called from threads of the library, must return soon and must not call the
 *        library. When synap_set_log returns, the function that was set before is not called any more.
 * \since 0.1 */
typedef void (*synap_log_fn)(void *user, int32_t level, const char *message, size_t len);
SYNAP_API void synap_set_log(synap_log_fn fn, void *user);

/** \brief Starts a test server on the embedded engine: for tests and demos only.
 * \param options MessagePack map, or NULL: http (address, default 127.0.0.1:0), rpc and resp3
 *                (addresses of the native wires, off if absent), user, password, api_key,
 *                stock (true: refuse WebSockets as stock Synap 1.3.1 does).
 * \param info    Receives a MessagePack map: the members http, rpc and resp3 are the URLs of what
 *                is served. \since 0.1 */
SYNAP_API int32_t synap_testserver_start(const void *options, size_t len, uint64_t *server,
                                         SYNAP_OWN synap_buf *info, synap_error *err);

/** \brief Stops a test server. \since 0.1 */
SYNAP_API int32_t synap_testserver_stop(uint64_t server, synap_error *err);

/* ---- Inputs ------------------------------------------------------------------ */

/* Text: valid UTF-8, any byte value but no need of a NUL at the end. */
typedef struct synap_str {
    SYNAP_BORROWED const char *data;
    size_t len;
} synap_str;

/* Bytes. */
typedef struct synap_bytes {
    SYNAP_BORROWED const void *data;
    size_t len;
} synap_bytes;

/* Text or bytes, such as a key-value value. */
typedef struct synap_blob {
    SYNAP_BORROWED const void *data;
    size_t len;
    bool is_bytes;
} synap_blob;

typedef struct synap_pair {
    synap_str key;
    synap_blob value;
} synap_pair;

/* A place on earth, in degrees, under the name of a member. */
typedef struct synap_place {
    double latitude;
    double longitude;
    synap_blob member;
} synap_place;

typedef struct synap_str_pair {
    synap_str key;
    synap_str value;
} synap_str_pair;

/* Text of a C string. */
SYNAP_INLINE synap_str synap_cstr(const char *s) {
    synap_str r;
    r.data = s;
    r.len = s == NULL ? 0 : strlen(s);
    return r;
}

SYNAP_INLINE synap_bytes synap_bytes_of(const void *data, size_t len) {
    synap_bytes r;
    r.data = data;
    r.len = len;
    return r;
}

/* A value that is the text of a C string. */
SYNAP_INLINE synap_blob synap_text(const char *s) {
    synap_blob r;
    r.data = s;
    r.len = s == NULL ? 0 : strlen(s);
    r.is_bytes = false;
    return r;
}

/* A value that is text of a given length. */
SYNAP_INLINE synap_blob synap_text_n(const char *s, size_t len) {
    synap_blob r;
    r.data = s;
    r.len = len;
    r.is_bytes = false;
    return r;
}

/* A value that is bytes. */
SYNAP_INLINE synap_blob synap_binary(const void *data, size_t len) {
    synap_blob r;
    r.data = data;
    r.len = len;
    r.is_bytes = true;
    return r;
}

/* Opens a client for an address without options. */
SYNAP_INLINE int32_t synap_open_url(const char *url, synap_client *out, synap_error *err) {
    return synap_open(url, url == NULL ? 0 : strlen(url), NULL, 0, out, err);
}

#ifdef __cplusplus
}
#endif

#endif
