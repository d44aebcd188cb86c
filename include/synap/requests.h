#ifndef SYNAP_REQUESTS_H
#define SYNAP_REQUESTS_H

#include "msgpack.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Replies ----------------------------------------------------------------------- */

/* One value that the caller owns. */
typedef struct synap_reply {
    SYNAP_OWN synap_buf owner;
    synap_value value;
} synap_reply;

/* The _take functions make a received buffer a typed result. Where the result goes
 * may be NULL: then it is dropped. */
SYNAP_INLINE void synap_bool_take(bool *out, synap_buf *buf) {
    if (out != NULL)
        *out = synap_value_bool(synap_parse(*buf));
    synap_buf_free(buf);
}

SYNAP_INLINE void synap_int_take(int64_t *out, bool *present, synap_buf *buf) {
    synap_value v = synap_parse(*buf);
    if (out != NULL)
        *out = synap_value_int(v);
    if (present != NULL)
        *present = v.kind == SYNAP_INT;
    synap_buf_free(buf);
}

SYNAP_INLINE void synap_float_or_nil_take(double *out, bool *present, synap_buf *buf) {
    synap_value v = synap_parse(*buf);
    if (out != NULL)
        *out = synap_value_float(v);
    if (present != NULL)
        *present = v.kind == SYNAP_FLOAT || v.kind == SYNAP_INT;
    synap_buf_free(buf);
}

SYNAP_INLINE void synap_float_take(double *out, synap_buf *buf) {
    if (out != NULL)
        *out = synap_value_float(synap_parse(*buf));
    synap_buf_free(buf);
}

SYNAP_INLINE void synap_reply_take(synap_reply *r, synap_buf *buf) {
    if (r == NULL) {
        synap_buf_free(buf);
        return;
    }
    r->owner = *buf;
    r->value = synap_parse(*buf);
}

SYNAP_INLINE void synap_reply_free(synap_reply *r) {
    if (r == NULL)
        return;
    synap_buf_free(&r->owner);
    memset(r, 0, sizeof *r);
}

/* A list that the caller owns, read from front to back. */
typedef struct synap_list {
    SYNAP_OWN synap_buf owner;
    size_t left; /* elements not yet read */
    const uint8_t *at;
} synap_list;

SYNAP_INLINE void synap_list_take(synap_list *l, synap_buf *buf) {
    synap_value v = synap_parse(*buf);
    if (l == NULL) {
        synap_buf_free(buf);
        return;
    }
    l->owner = *buf;
    l->left = v.kind == SYNAP_ARRAY ? v.as.len : 0;
    l->at = v.data;
}

SYNAP_INLINE void synap_list_free(synap_list *l) {
    if (l == NULL)
        return;
    synap_buf_free(&l->owner);
    memset(l, 0, sizeof *l);
}

/* Reads the next element; false at the end. */
SYNAP_INLINE bool synap_list_next(synap_list *l, synap_value *out) {
    const uint8_t *end = l->owner.data + l->owner.len, *start = l->at;
    if (l->left == 0)
        return false;
    *out = synap_read(&start, end);
    if (!synap_skip(&l->at, end)) {
        l->left = 0;
        return false;
    }
    l->left--;
    return true;
}

SYNAP_INLINE bool synap_list_next_str(synap_list *l, synap_str *out) {
    synap_value v;
    if (!synap_list_next(l, &v))
        return false;
    *out = synap_value_str(v);
    return true;
}

/* An error inside a batch or completion: texts are borrowed from it. */
typedef struct synap_failure {
    int32_t code;
    int32_t status;
    uint32_t flags;
    synap_str message;
} synap_failure;

SYNAP_INLINE synap_failure synap_value_failure(synap_value v) {
    synap_failure f;
    f.code = (int32_t)synap_value_int(synap_value_at(v, 0));
    f.status = (int32_t)synap_value_int(synap_value_at(v, 1));
    f.flags = (uint32_t)synap_value_int(synap_value_at(v, 2));
    f.message = synap_value_str(synap_value_at(v, 3));
    return f;
}

/* One ended request of synap_poll. */
typedef struct synap_completion {
    uint64_t tag;
    synap_value reply;     /* SYNAP_NIL if it failed */
    synap_failure failure; /* code 0 if it did not */
} synap_completion;

/* Reads the next completion; false at the end. */
SYNAP_INLINE bool synap_completion_next(synap_list *l, synap_completion *out) {
    synap_value v, tag;
    if (!synap_list_next(l, &v))
        return false;
    memset(out, 0, sizeof *out);
    tag = synap_value_at(v, 0);
    out->tag = tag.kind == SYNAP_UINT ? tag.as.uinteger : (uint64_t)synap_value_int(tag);
    out->reply = synap_value_at(v, 1);
    if (v.as.len > 2)
        out->failure = synap_value_failure(synap_value_at(v, 2));
    return true;
}

/* Reads the next outcome of a batch; false at the end. */
SYNAP_INLINE bool synap_outcome_next(synap_list *l, synap_value *reply, synap_failure *failure) {
    synap_value v;
    if (!synap_list_next(l, &v))
        return false;
    memset(failure, 0, sizeof *failure);
    *reply = synap_value_at(v, 0);
    if (v.as.len > 1)
        *failure = synap_value_failure(synap_value_at(v, 1));
    return true;
}

/* ---- Requests ------------------------------------------------------------------------ */

/* Makes the request that a writer holds, and empties it. */
SYNAP_INLINE int32_t synap_send(synap_client client, synap_writer *w, int64_t timeout_ms, synap_buf *reply, synap_error *err) {
    int32_t code;
    reply->data = NULL;
    reply->len = 0;
    code = synap_call(client, w->failed ? NULL : synap_writer_data(w), w->len, timeout_ms, reply, err);
    synap_writer_free(w);
    return code;
}

/* Writes the frame of a raw command: the server's own name, and its payload as one MessagePack
 * value (NULL: nil). The reply is that of the server's command envelope. */
SYNAP_INLINE void synap_command_frame(synap_writer *w, synap_str name, const synap_writer *payload) {
    synap_write_array(w, 3);
    synap_write_int(w, 1);
    synap_write_str(w, name);
    synap_write_value(w, payload);
}

/* Runs a raw command: for what has no typed function. */
SYNAP_INLINE int32_t synap_command(synap_client client, synap_str name, const synap_writer *payload, int64_t timeout_ms,
                                   SYNAP_OWN synap_reply *out, synap_error *err) {
    synap_writer w;
    synap_buf reply;
    int32_t code;
    synap_writer_init(&w);
    synap_command_frame(&w, name, payload);
    code = synap_send(client, &w, timeout_ms, &reply, err);
    if (code == SYNAP_OK)
        synap_reply_take(out, &reply);
    return code;
}

/* Starts the frame of a batch: exactly count frames of calls or raw commands follow in the same
 * writer, then synap_batch. They run in order, in as few round trips as possible. */
SYNAP_INLINE void synap_batch_frame(synap_writer *w, size_t count) {
    synap_write_array(w, 2);
    synap_write_int(w, 2);
    synap_write_array(w, count);
}

/* Runs a batch; read the outcomes with synap_outcome_next. */
SYNAP_INLINE int32_t synap_batch(synap_client client, synap_writer *w, int64_t timeout_ms, SYNAP_OWN synap_list *out, synap_error *err) {
    synap_buf reply;
    int32_t code = synap_send(client, w, timeout_ms, &reply, err);
    if (code == SYNAP_OK)
        synap_list_take(out, &reply);
    return code;
}

/* Writes the frame that asks a subscription for up to max items. */
SYNAP_INLINE void synap_next_frame(synap_writer *w, int64_t subscription, int64_t max) {
    synap_write_array(w, 3);
    synap_write_int(w, 4);
    synap_write_int(w, subscription);
    synap_write_int(w, max);
}

/* Waits up to timeout_ms for items of a subscription and takes up to max. An empty list means that
 * none came in time; the subscription lives on. */
SYNAP_INLINE int32_t synap_next(synap_client client, int64_t subscription, int64_t max, int64_t timeout_ms,
                                SYNAP_OWN synap_list *out, synap_error *err) {
    synap_writer w;
    synap_buf reply;
    int32_t code;
    synap_writer_init(&w);
    synap_next_frame(&w, subscription, max);
    code = synap_send(client, &w, timeout_ms, &reply, err);
    if (code == SYNAP_OK)
        synap_list_take(out, &reply);
    return code;
}

/* Ends a subscription. Ending it twice is harmless. */
SYNAP_INLINE int32_t synap_unsubscribe(synap_client client, int64_t subscription, synap_error *err) {
    synap_writer w;
    synap_buf reply;
    int32_t code;
    synap_writer_init(&w);
    synap_write_array(&w, 2);
    synap_write_int(&w, 5);
    synap_write_int(&w, subscription);
    code = synap_send(client, &w, 0, &reply, err);
    synap_buf_free(&reply);
    return code;
}

#ifdef __cplusplus
}
#endif

#endif
