#ifndef SYNAP_MSGPACK_H
#define SYNAP_MSGPACK_H

#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Writing MessagePack --------------------------------------------------------
 * A writer grows as needed. When memory runs out it remembers, and the call that
 * uses it fails; no write needs checking. */

typedef struct synap_writer {
    uint8_t *data; /* small while NULL */
    size_t len;
    size_t cap;
    bool failed;
    uint8_t small[240];
} synap_writer;

SYNAP_INLINE void synap_writer_init(synap_writer *w) {
    w->data = NULL;
    w->len = 0;
    w->cap = sizeof w->small;
    w->failed = false;
}

SYNAP_INLINE void synap_writer_free(synap_writer *w) {
    free(w->data);
    synap_writer_init(w);
}

SYNAP_INLINE const uint8_t *synap_writer_data(const synap_writer *w) { return w->data != NULL ? w->data : w->small; }

/* Room for n more bytes, NULL if there is none to be had. */
SYNAP_INLINE uint8_t *synap_writer_room(synap_writer *w, size_t n) {
    if (w->failed || n > SIZE_MAX / 2 - w->len) {
        w->failed = true;
        return NULL;
    }
    if (w->len + n > w->cap) {
        size_t cap = w->cap * 2 > w->len + n ? w->cap * 2 : w->len + n;
        uint8_t *grown = (uint8_t *)realloc(w->data, cap);
        if (grown == NULL) {
            w->failed = true;
            return NULL;
        }
        if (w->data == NULL)
            memcpy(grown, w->small, w->len);
        w->data = grown;
        w->cap = cap;
    }
    w->len += n;
    return (w->data != NULL ? w->data : w->small) + w->len - n;
}

SYNAP_INLINE void synap_write_raw(synap_writer *w, const void *data, size_t len) {
    uint8_t *p = len == 0 ? NULL : synap_writer_room(w, len);
    if (p != NULL && data != NULL)
        memcpy(p, data, len);
    else if (len != 0)
        w->failed = true;
}

/* A head byte and a big-endian number of size bytes. */
SYNAP_INLINE void synap_write_head(synap_writer *w, uint8_t head, uint64_t n, int size) {
    uint8_t *p = synap_writer_room(w, (size_t)size + 1);
    if (p == NULL)
        return;
    *p++ = head;
    while (size-- > 0)
        *p++ = (uint8_t)(n >> (8 * size));
}

SYNAP_INLINE void synap_write_nil(synap_writer *w) { synap_write_head(w, 0xc0, 0, 0); }

SYNAP_INLINE void synap_write_bool(synap_writer *w, bool b) { synap_write_head(w, b ? 0xc3 : 0xc2, 0, 0); }

SYNAP_INLINE void synap_write_uint(synap_writer *w, uint64_t n) {
    if (n < 0x80)
        synap_write_head(w, (uint8_t)n, 0, 0);
    else
        synap_write_head(w, 0xcf, n, 8);
}

SYNAP_INLINE void synap_write_int(synap_writer *w, int64_t n) {
    if (n >= 0)
        synap_write_uint(w, (uint64_t)n);
    else
        synap_write_head(w, 0xd3, (uint64_t)n, 8);
}

SYNAP_INLINE void synap_write_float(synap_writer *w, double f) {
    uint64_t bits;
    memcpy(&bits, &f, sizeof bits);
    synap_write_head(w, 0xcb, bits, 8);
}

SYNAP_INLINE void synap_write_array(synap_writer *w, size_t count) {
    if (count < 16)
        synap_write_head(w, (uint8_t)(0x90 | count), 0, 0);
    else if (count <= 0xffffffffu)
        synap_write_head(w, 0xdd, count, 4);
    else
        w->failed = true;
}

SYNAP_INLINE void synap_write_map(synap_writer *w, size_t pairs) {
    if (pairs < 16)
        synap_write_head(w, (uint8_t)(0x80 | pairs), 0, 0);
    else if (pairs <= 0xffffffffu)
        synap_write_head(w, 0xdf, pairs, 4);
    else
        w->failed = true;
}

SYNAP_INLINE void synap_write_str(synap_writer *w, synap_str s) {
    if (s.len < 32)
        synap_write_head(w, (uint8_t)(0xa0 | s.len), 0, 0);
    else if (s.len <= 0xffffffffu)
        synap_write_head(w, 0xdb, s.len, 4);
    else
        w->failed = true;
    synap_write_raw(w, s.data, s.len);
}

SYNAP_INLINE void synap_write_cstr(synap_writer *w, const char *s) { synap_write_str(w, synap_cstr(s)); }

SYNAP_INLINE void synap_write_bytes(synap_writer *w, synap_bytes b) {
    if (b.len <= 0xffffffffu)
        synap_write_head(w, 0xc6, b.len, 4);
    else
        w->failed = true;
    synap_write_raw(w, b.data, b.len);
}

SYNAP_INLINE void synap_write_blob(synap_writer *w, synap_blob b) {
    synap_str s;
    if (b.is_bytes) {
        synap_write_bytes(w, synap_bytes_of(b.data, b.len));
        return;
    }
    s.data = (const char *)b.data;
    s.len = b.len;
    synap_write_str(w, s);
}

/* Copies the one value that another writer holds; NULL or an empty one is nil. */
SYNAP_INLINE void synap_write_value(synap_writer *w, const synap_writer *v) {
    if (v == NULL || v->len == 0) {
        synap_write_nil(w);
        return;
    }
    if (v->failed)
        w->failed = true;
    synap_write_raw(w, synap_writer_data(v), v->len);
}

SYNAP_INLINE void synap_write_strs(synap_writer *w, const synap_str *list, size_t count) {
    size_t i;
    synap_write_array(w, count);
    for (i = 0; i < count; i++)
        synap_write_str(w, list[i]);
}

SYNAP_INLINE void synap_write_floats(synap_writer *w, const double *list, size_t count) {
    size_t i;
    synap_write_array(w, count);
    for (i = 0; i < count; i++)
        synap_write_float(w, list[i]);
}

SYNAP_INLINE void synap_write_places(synap_writer *w, const synap_place *list, size_t count) {
    size_t i;
    synap_write_array(w, count);
    for (i = 0; i < count; i++) {
        synap_write_array(w, 3);
        synap_write_float(w, list[i].latitude);
        synap_write_float(w, list[i].longitude);
        synap_write_blob(w, list[i].member);
    }
}

SYNAP_INLINE void synap_write_blobs(synap_writer *w, const synap_blob *list, size_t count) {
    size_t i;
    synap_write_array(w, count);
    for (i = 0; i < count; i++)
        synap_write_blob(w, list[i]);
}

SYNAP_INLINE void synap_write_pairs(synap_writer *w, const synap_pair *list, size_t count) {
    size_t i;
    synap_write_array(w, count);
    for (i = 0; i < count; i++) {
        synap_write_array(w, 2);
        synap_write_str(w, list[i].key);
        synap_write_blob(w, list[i].value);
    }
}

SYNAP_INLINE void synap_write_str_pairs(synap_writer *w, const synap_str_pair *list, size_t count) {
    size_t i;
    synap_write_map(w, count);
    for (i = 0; i < count; i++) {
        synap_write_str(w, list[i].key);
        synap_write_str(w, list[i].value);
    }
}

/* ---- Reading MessagePack ---------------------------------------------------------
 * A synap_value is a view: it borrows from the buffer it was read from. Reading
 * never goes beyond the buffer; what is malformed reads as SYNAP_INVALID. */

typedef enum synap_kind {
    SYNAP_INVALID = 0,
    SYNAP_NIL,
    SYNAP_BOOL,
    SYNAP_INT,
    SYNAP_UINT, /* an integer above INT64_MAX */
    SYNAP_FLOAT,
    SYNAP_STR,
    SYNAP_BYTES,
    SYNAP_ARRAY,
    SYNAP_MAP
} synap_kind;

typedef struct synap_value {
    synap_kind kind;
    union {
        bool boolean;
        int64_t integer;
        uint64_t uinteger;
        double number;
        size_t len; /* bytes of text and bytes, elements of an array, pairs of a map */
    } as;
    SYNAP_BORROWED const uint8_t *data; /* text and bytes: the content; array and map: the first element */
    const uint8_t *end;                 /* the end of the buffer */
} synap_value;

/* Reads the value at *p, moves *p behind its head (and its content, if it is not
 * an array or map). */
SYNAP_INLINE synap_value synap_read(const uint8_t **p, const uint8_t *end) {
    synap_value v;
    uint8_t c;
    uint64_t n = 0;
    int size = 0;
    memset(&v, 0, sizeof v);
    v.end = end;
    if (*p == NULL || *p >= end)
        return v;
    c = *(*p)++;
    if (c < 0x80 || c >= 0xe0) {
        v.kind = SYNAP_INT;
        v.as.integer = c < 0x80 ? (int64_t)c : (int64_t)c - 256;
        return v;
    }
    if (c >= 0xc4 && c <= 0xc6)
        size = 1 << (c - 0xc4);
    else if (c == 0xca || c == 0xcb)
        size = 4 << (c - 0xca);
    else if (c >= 0xcc && c <= 0xcf)
        size = 1 << (c - 0xcc);
    else if (c >= 0xd0 && c <= 0xd3)
        size = 1 << (c - 0xd0);
    else if (c >= 0xd9 && c <= 0xdb)
        size = 1 << (c - 0xd9);
    else if (c >= 0xdc && c <= 0xdd)
        size = 2 << (c - 0xdc);
    else if (c >= 0xde && c <= 0xdf)
        size = 2 << (c - 0xde);
    if (end - *p < size)
        return v;
    for (; size > 0; size--)
        n = n << 8 | *(*p)++;
    if (c < 0x90 || c == 0xde || c == 0xdf) {
        v.kind = SYNAP_MAP;
        v.as.len = (size_t)(c < 0x90 ? (uint64_t)(c & 0x0f) : n);
        v.data = *p;
    } else if (c < 0xa0 || c == 0xdc || c == 0xdd) {
        v.kind = SYNAP_ARRAY;
        v.as.len = (size_t)(c < 0xa0 ? (uint64_t)(c & 0x0f) : n);
        v.data = *p;
    } else if (c < 0xc0 || (c >= 0xd9 && c <= 0xdb) || (c >= 0xc4 && c <= 0xc6)) {
        if (c < 0xc0)
            n = c & 0x1f;
        if ((uint64_t)(end - *p) < n)
            return v;
        v.kind = c >= 0xc4 && c <= 0xc6 ? SYNAP_BYTES : SYNAP_STR;
        v.as.len = (size_t)n;
        v.data = *p;
        *p += n;
    } else if (c == 0xc0) {
        v.kind = SYNAP_NIL;
    } else if (c == 0xc2 || c == 0xc3) {
        v.kind = SYNAP_BOOL;
        v.as.boolean = c == 0xc3;
    } else if (c == 0xca) {
        uint32_t bits = (uint32_t)n;
        float f;
        memcpy(&f, &bits, sizeof f);
        v.kind = SYNAP_FLOAT;
        v.as.number = (double)f;
    } else if (c == 0xcb) {
        v.kind = SYNAP_FLOAT;
        memcpy(&v.as.number, &n, sizeof n);
    } else if (c >= 0xcc && c <= 0xcf) {
        if (n > (uint64_t)INT64_MAX) {
            v.kind = SYNAP_UINT;
            v.as.uinteger = n;
        } else {
            v.kind = SYNAP_INT;
            v.as.integer = (int64_t)n;
        }
    } else if (c >= 0xd0 && c <= 0xd3) {
        v.kind = SYNAP_INT;
        v.as.integer = c == 0xd0   ? (int64_t)(int8_t)(uint8_t)n
                       : c == 0xd1 ? (int64_t)(int16_t)(uint16_t)n
                       : c == 0xd2 ? (int64_t)(int32_t)(uint32_t)n
                                   : (int64_t)n;
    }
    return v;
}

/* Moves *p over one whole value. False if it is malformed or nested too deep. */
SYNAP_INLINE bool synap_skip(const uint8_t **p, const uint8_t *end) {
    uint64_t left = 1;
    while (left > 0) {
        synap_value v = synap_read(p, end);
        left--;
        if (v.kind == SYNAP_INVALID)
            return false;
        if (v.kind == SYNAP_ARRAY)
            left += v.as.len;
        else if (v.kind == SYNAP_MAP)
            left += 2 * (uint64_t)v.as.len;
    }
    return true;
}

/* Reads the next element of an array of which *left are unread. */
SYNAP_INLINE synap_value synap_element(const uint8_t **p, const uint8_t *end, size_t *left) {
    const uint8_t *at = *p;
    synap_value v;
    memset(&v, 0, sizeof v);
    if (*left == 0)
        return v;
    v = synap_read(&at, end);
    *left = synap_skip(p, end) ? *left - 1 : 0;
    return v;
}

/* The value that a buffer holds. */
SYNAP_INLINE synap_value synap_parse(synap_buf buf) {
    const uint8_t *p = buf.data;
    return synap_read(&p, buf.data == NULL ? NULL : buf.data + buf.len);
}

/* Element i of an array; SYNAP_INVALID if there is none. Reads from the start. */
SYNAP_INLINE synap_value synap_value_at(synap_value v, size_t i) {
    const uint8_t *p = v.data;
    synap_value none;
    memset(&none, 0, sizeof none);
    if (v.kind != SYNAP_ARRAY || i >= v.as.len)
        return none;
    while (i-- > 0) {
        if (!synap_skip(&p, v.end))
            return none;
    }
    return synap_read(&p, v.end);
}

/* The value of a text key in a map; SYNAP_INVALID if there is none. */
SYNAP_INLINE synap_value synap_value_get(synap_value v, const char *key) {
    const uint8_t *p = v.data;
    size_t i, n = strlen(key);
    synap_value none;
    memset(&none, 0, sizeof none);
    if (v.kind != SYNAP_MAP)
        return none;
    for (i = 0; i < v.as.len; i++) {
        synap_value k = synap_read(&p, v.end);
        if (k.kind == SYNAP_STR && k.as.len == n && memcmp(k.data, key, n) == 0)
            return synap_read(&p, v.end);
        if (k.kind == SYNAP_INVALID || k.kind == SYNAP_ARRAY || k.kind == SYNAP_MAP || !synap_skip(&p, v.end))
            return none;
    }
    return none;
}

SYNAP_INLINE bool synap_value_bool(synap_value v) { return v.kind == SYNAP_BOOL && v.as.boolean; }
SYNAP_INLINE int64_t synap_value_int(synap_value v) { return v.kind == SYNAP_INT ? v.as.integer : 0; }

SYNAP_INLINE double synap_value_float(synap_value v) {
    if (v.kind == SYNAP_INT)
        return (double)v.as.integer;
    return v.kind == SYNAP_FLOAT ? v.as.number : 0.0;
}

/* The text of a value; empty with data NULL if it is not text. */
SYNAP_INLINE synap_str synap_value_str(synap_value v) {
    synap_str s;
    s.data = v.kind == SYNAP_STR ? (const char *)v.data : NULL;
    s.len = v.kind == SYNAP_STR ? v.as.len : 0;
    return s;
}

/* The content of a text or bytes value; empty with data NULL if it is neither. */
SYNAP_INLINE synap_bytes synap_value_bytes(synap_value v) {
    bool has = v.kind == SYNAP_STR || v.kind == SYNAP_BYTES;
    return synap_bytes_of(has ? v.data : NULL, has ? v.as.len : 0);
}

/* The same, telling text from bytes. */
SYNAP_INLINE synap_blob synap_value_blob(synap_value v) {
    synap_bytes content = synap_value_bytes(v);
    synap_blob b;
    b.data = content.data;
    b.len = content.len;
    b.is_bytes = v.kind == SYNAP_BYTES;
    return b;
}

#ifdef __cplusplus
}
#endif

#endif
