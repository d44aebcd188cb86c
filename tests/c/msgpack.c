/* The MessagePack code of synap.h. It is linked without the library and run under
 * sanitizers and valgrind: every input lies in a block of exactly its size, so
 * that a read beyond it is found. */
#include <stdio.h>

#include "synap.h"

void synap_buf_free(synap_buf *buf) {
    free(buf->data);
    buf->data = NULL;
    buf->len = 0;
}

static int checks;

#define CHECK(x)                                                      \
    do {                                                              \
        checks++;                                                     \
        if (!(x)) {                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);   \
            exit(1);                                                  \
        }                                                             \
    } while (0)

/* A block of exactly len bytes. */
static synap_buf block(const void *data, size_t len) {
    synap_buf b;
    b.data = (uint8_t *)malloc(len == 0 ? 1 : len);
    b.len = len;
    if (b.data == NULL)
        exit(2);
    if (len != 0)
        memcpy(b.data, data, len);
    return b;
}

/* What a writer holds, as received; the writer is emptied. */
static synap_buf sent(synap_writer *w) {
    synap_buf b;
    CHECK(!w->failed);
    b = block(synap_writer_data(w), w->len);
    synap_writer_free(w);
    return b;
}

/* Whether the buffer is one whole value and nothing else. */
static bool whole(synap_buf b) {
    const uint8_t *p = b.data, *end = b.data + b.len;
    return synap_skip(&p, end) && p == end;
}

static void integers(void) {
    static const int64_t values[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, INT64_MAX,
                                     -1, -32, -33, -128, -129, -32768, -32769, -2147483648LL, -2147483649LL, INT64_MIN};
    static const uint64_t unsigneds[] = {(uint64_t)INT64_MAX + 1, UINT64_MAX};
    synap_writer w;
    size_t i;
    for (i = 0; i < sizeof values / sizeof *values; i++) {
        synap_buf b;
        synap_value v;
        synap_writer_init(&w);
        synap_write_int(&w, values[i]);
        b = sent(&w);
        v = synap_parse(b);
        CHECK(whole(b) && v.kind == SYNAP_INT && v.as.integer == values[i] && synap_value_int(v) == values[i]);
        synap_buf_free(&b);
    }
    for (i = 0; i < sizeof unsigneds / sizeof *unsigneds; i++) {
        synap_buf b;
        synap_value v;
        synap_writer_init(&w);
        synap_write_uint(&w, unsigneds[i]);
        b = sent(&w);
        v = synap_parse(b);
        CHECK(whole(b) && v.kind == SYNAP_UINT && v.as.uinteger == unsigneds[i]);
        synap_buf_free(&b);
    }
}

static void texts_and_bytes(void) {
    static const size_t lengths[] = {0, 1, 31, 32, 239, 240, 255, 256, 65535, 65536, 300000};
    size_t i, k;
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];
        char *data = (char *)malloc(n + 1);
        synap_writer w;
        synap_buf b;
        synap_value v;
        if (data == NULL)
            exit(2);
        for (k = 0; k < n; k++)
            data[k] = (char)(k * 7);
        synap_writer_init(&w);
        synap_write_array(&w, 3);
        synap_write_blob(&w, synap_text_n(data, n));
        synap_write_blob(&w, synap_binary(data, n));
        synap_write_nil(&w);
        b = sent(&w);
        CHECK(whole(b));
        v = synap_value_at(synap_parse(b), 0);
        CHECK(v.kind == SYNAP_STR && v.as.len == n && memcmp(v.data, data, n) == 0);
        CHECK(synap_value_str(v).len == n && synap_value_bytes(v).len == n);
        v = synap_value_at(synap_parse(b), 1);
        CHECK(v.kind == SYNAP_BYTES && v.as.len == n && memcmp(v.data, data, n) == 0);
        CHECK(synap_value_str(v).data == NULL && synap_value_bytes(v).len == n);
        CHECK(synap_value_at(synap_parse(b), 2).kind == SYNAP_NIL && synap_value_at(synap_parse(b), 3).kind == SYNAP_INVALID);
        synap_buf_free(&b);
        free(data);
    }
}

static void others(void) {
    static const double numbers[] = {0.0, 1.5, -2.25, 1e300, 5e-324};
    synap_writer w;
    synap_buf b;
    synap_value v;
    size_t i;
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        synap_writer_init(&w);
        synap_write_float(&w, numbers[i]);
        b = sent(&w);
        v = synap_parse(b);
        CHECK(whole(b) && v.kind == SYNAP_FLOAT && memcmp(&v.as.number, &numbers[i], sizeof(double)) == 0);
        synap_buf_free(&b);
    }
    synap_writer_init(&w);
    synap_write_map(&w, 3);
    synap_write_cstr(&w, "nested");
    synap_write_array(&w, 2);
    synap_write_map(&w, 1);
    synap_write_cstr(&w, "yes");
    synap_write_bool(&w, false);
    synap_write_nil(&w);
    synap_write_cstr(&w, "yes");
    synap_write_bool(&w, true);
    synap_write_int(&w, 5); /* a key that is not text */
    synap_write_cstr(&w, "five");
    b = sent(&w);
    v = synap_parse(b);
    CHECK(whole(b) && v.kind == SYNAP_MAP && v.as.len == 3);
    CHECK(synap_value_bool(synap_value_get(v, "yes")) && synap_value_get(v, "no").kind == SYNAP_INVALID);
    CHECK(synap_value_get(synap_value_get(v, "nested"), "yes").kind == SYNAP_INVALID);
    CHECK(synap_value_get(synap_value_at(synap_value_get(v, "nested"), 0), "yes").kind == SYNAP_BOOL);
    CHECK(synap_value_int(v) == 0 && !synap_value_bool(v) && synap_value_str(v).data == NULL && synap_value_float(v) == 0.0);
    synap_buf_free(&b);
}

static void long_lists(void) {
    static const size_t lengths[] = {0, 15, 16, 65535, 65536};
    size_t i, k;
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        synap_writer w;
        synap_buf b;
        synap_list l;
        synap_value v;
        synap_writer_init(&w);
        synap_write_array(&w, lengths[i]);
        for (k = 0; k < lengths[i]; k++)
            synap_write_int(&w, (int64_t)k);
        b = sent(&w);
        CHECK(whole(b));
        synap_list_take(&l, &b);
        for (k = 0; synap_list_next(&l, &v); k++)
            CHECK(synap_value_int(v) == (int64_t)k);
        CHECK(k == lengths[i]);
        synap_list_free(&l);
        synap_writer_init(&w);
        synap_write_map(&w, lengths[i]);
        for (k = 0; k < lengths[i]; k++) {
            synap_write_int(&w, (int64_t)k);
            synap_write_nil(&w);
        }
        b = sent(&w);
        CHECK(whole(b) && synap_parse(b).as.len == lengths[i]);
        synap_buf_free(&b);
    }
}

/* Forms that the writer does not use but others do. */
static void foreign_forms(void) {
    static const struct {
        const char *bytes;
        size_t len;
        synap_kind kind;
        int64_t integer; /* or a length */
    } forms[] = {
        {"\xff", 1, SYNAP_INT, -1},
        {"\xe0", 1, SYNAP_INT, -32},
        {"\xcc\xff", 2, SYNAP_INT, 255},
        {"\xcd\xff\xfe", 3, SYNAP_INT, 65534},
        {"\xce\xff\xff\xff\xfe", 5, SYNAP_INT, 4294967294},
        {"\xd0\x80", 2, SYNAP_INT, -128},
        {"\xd1\x80\x00", 3, SYNAP_INT, -32768},
        {"\xd2\x80\x00\x00\x00", 5, SYNAP_INT, -2147483648LL},
        {"\xd9\x01x", 3, SYNAP_STR, 1},
        {"\xda\x00\x01x", 4, SYNAP_STR, 1},
        {"\xc4\x01x", 3, SYNAP_BYTES, 1},
        {"\xc5\x00\x01x", 4, SYNAP_BYTES, 1},
        {"\xdc\x00\x01\xc0", 4, SYNAP_ARRAY, 1},
        {"\xde\x00\x01\xc0\xc0", 5, SYNAP_MAP, 1},
    };
    static const uint8_t half[] = {0xca, 0x3f, 0x00, 0x00, 0x00};
    synap_buf b;
    size_t i;
    for (i = 0; i < sizeof forms / sizeof *forms; i++) {
        synap_value v;
        b = block(forms[i].bytes, forms[i].len);
        v = synap_parse(b);
        CHECK(whole(b) && v.kind == forms[i].kind);
        CHECK(v.kind == SYNAP_INT ? v.as.integer == forms[i].integer : v.as.len == (size_t)forms[i].integer);
        synap_buf_free(&b);
    }
    b = block(half, sizeof half);
    CHECK(whole(b) && synap_value_float(synap_parse(b)) == 0.5);
    synap_buf_free(&b);
}

static void malformed(void) {
    static const char *heads[] = {"\xc1", "\xc7\x01\x01x", "\xd4\x01x", "\xd8", "\xdb\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff" "abc",
                                  "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff\xc2", "\xa5" "abcd", "\x93\x01\x02", "\x81\x01"};
    static const char record[] = "\x95\xa1m\xc4\x01p\x05\x00\x03";
    synap_value v;
    synap_buf b;
    size_t i;
    for (i = 0; i < sizeof heads / sizeof *heads; i++) {
        b = block(heads[i], strlen(heads[i]));
        CHECK(!whole(b));
        synap_buf_free(&b);
    }
    /* Cut anywhere, a record reads as far as it goes and no farther. */
    for (i = 0; i < sizeof record; i++) {
        synap_queue_message_t m;
        bool found = false;
        b = block(record, i);
        CHECK(whole(b) == (i == sizeof record - 1));
        synap_queue_message_take(&m, &found, synap_parse(b), &b);
        CHECK(found == (i > 0) && m.priority == (i > 6 ? 5 : 0) && m.has_max_retries == (i > 8));
        synap_queue_message_free(&m);
    }
    b.data = NULL;
    b.len = 0;
    v = synap_parse(b);
    CHECK(v.kind == SYNAP_INVALID && synap_value_at(v, 0).kind == SYNAP_INVALID && synap_value_get(v, "k").kind == SYNAP_INVALID);
}

/* Looks at everything that a reader can look at. */
static size_t visit(synap_value v, int depth) {
    size_t sum = v.kind == SYNAP_STR || v.kind == SYNAP_BYTES ? v.as.len : 1, left;
    const uint8_t *p = v.data;
    if (sum > 1)
        sum += v.data[0] + v.data[v.as.len - 1];
    if (depth > 20 || (v.kind != SYNAP_ARRAY && v.kind != SYNAP_MAP))
        return sum;
    left = v.kind == SYNAP_MAP ? 2 * v.as.len : v.as.len;
    while (left > 0)
        sum += visit(synap_element(&p, v.end, &left), depth + 1);
    return sum + visit(synap_value_at(v, 1), depth + 1) + visit(synap_value_get(v, "k"), depth + 1);
}

static void noise(void) {
    static const uint8_t heads[] = {0x92, 0x93, 0x82, 0xa1, 0xa3, 0xc4, 0xc6, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xca, 0xcf, 0xd3, 0xc1, 0xc7, 'k', 0};
    uint64_t x = 88172645463325252ULL;
    size_t sum = 0;
    int round;
    for (round = 0; round < 20000; round++) {
        uint8_t data[40];
        size_t i, n;
        synap_buf b;
        for (i = 0; i < sizeof data; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            data[i] = x & 0x100 ? heads[x % sizeof heads] : (uint8_t)(x >> 16);
        }
        n = (size_t)(x >> 32) % (sizeof data + 1);
        b = block(data, n);
        sum += whole(b) ? 1 : 0;
        sum += visit(synap_parse(b), 0);
        synap_buf_free(&b);
    }
    CHECK(sum > 0);
}

/* A writer that failed says so, whatever is written afterwards. */
static void writers(void) {
    synap_writer w, v;
    synap_writer_init(&w);
    synap_write_bytes(&w, synap_bytes_of(NULL, 3));
    synap_write_int(&w, 1);
    CHECK(w.failed);
    synap_writer_init(&v);
    synap_write_value(&v, &w);
    CHECK(v.failed);
    synap_writer_free(&v);
    synap_writer_free(&w);
    CHECK(!w.failed && w.len == 0);
    synap_write_raw(&w, "x", SIZE_MAX);
    CHECK(w.failed);
    synap_writer_free(&w);
    synap_write_value(&w, NULL);
    synap_write_value(&w, &v);
    CHECK(w.len == 2 && synap_writer_data(&w)[0] == 0xc0 && synap_writer_data(&w)[1] == 0xc0);
    synap_writer_free(&w);
}

int main(void) {
    integers();
    texts_and_bytes();
    others();
    long_lists();
    foreign_forms();
    malformed();
    noise();
    writers();
    printf("MessagePack: %d checks\n", checks);
    return 0;
}
