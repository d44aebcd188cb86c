/* Every typed function of synap.h, fidelity, bad input, and the asynchronous side,
 * on the address in argv[1] ("memory://" or "http" for a test server). */
#include <poll.h>
#include <stdio.h>

#include "synap.h"

static synap_client client;
static synap_error err = SYNAP_ERROR_INIT;
static int checks;

#define CHECK(x)                                                                                            \
    do {                                                                                                    \
        checks++;                                                                                           \
        if (!(x)) {                                                                                         \
            fprintf(stderr, "%s:%d: %s failed; last error: %s\n", __FILE__, __LINE__, #x,                   \
                    err.message != NULL ? err.message : "none");                                            \
            exit(1);                                                                                        \
        }                                                                                                   \
    } while (0)
#define OK(call) CHECK((call) == SYNAP_OK)
/* The call fails with a code; its error is looked at and freed. */
#define FAILS(code_, call)                        \
    do {                                          \
        CHECK((call) == (code_));                 \
        CHECK(err.code == (code_) && err.message != NULL && err.message[0] != '\0'); \
        synap_error_free(&err);                   \
    } while (0)

static int same(synap_bytes b, const void *data, size_t len) {
    return b.len == len && (len == 0 || memcmp(b.data, data, len) == 0);
}

static int is(synap_str s, const char *text) { return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0; }

/* What was put in comes out, byte for byte and with its type. */
static void round_trip(synap_blob in, synap_kind kind) {
    synap_reply out;
    OK(synap_kv_set(client, synap_cstr("f"), in, NULL, 0, NULL, &err));
    OK(synap_kv_get(client, synap_cstr("f"), 0, &out, &err));
    CHECK(out.value.kind == kind && same(synap_value_bytes(out.value), in.data, in.len));
    synap_reply_free(&out);
    OK(synap_kv_get_bytes(client, synap_cstr("f"), 0, &out, &err));
    CHECK(out.value.kind == SYNAP_BYTES && same(synap_value_bytes(out.value), in.data, in.len));
    synap_reply_free(&out);
}

static void fidelity(int binary) {
    static const char *texts[] = {"123", "true", "null", "{}", "", "\xf0\x9f\x98\x80", "\"quoted\"", "<binary data: 3 bytes>"};
    static char big[1 << 20];
    size_t i;
    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        round_trip(synap_text(texts[i]), SYNAP_STR);
    round_trip(synap_text_n("a\0b", 3), SYNAP_STR);
    memset(big, 'x', sizeof big);
    round_trip(synap_text_n(big, sizeof big), SYNAP_STR);
    if (binary)
        round_trip(synap_binary("\xde\xad\xbe\xef", 4), SYNAP_BYTES);
    else
        FAILS(SYNAP_EINVALID_ARGUMENT, synap_kv_set(client, synap_cstr("f"), synap_binary("\xde\xad\xbe\xef", 4), NULL, 0, NULL, &err));
}

static void key_value(void) {
    synap_pair pairs[2];
    synap_str keys[3];
    synap_reply r;
    synap_list l;
    synap_value v;
    synap_str s;
    synap_kv_stats_t stats;
    synap_kv_set_options set = SYNAP_KV_SET_OPTIONS_INIT;
    synap_kv_scan_options scan = SYNAP_KV_SCAN_OPTIONS_INIT;
    synap_writer json;
    bool b = false;
    int64_t n = 0;
    set.ttl = 3600;
    OK(synap_kv_set(client, synap_cstr("k"), synap_text("v"), &set, 0, &b, &err));
    CHECK(b);
    OK(synap_kv_ttl(client, synap_cstr("k"), 0, &n, &b, &err));
    CHECK(b && n > 3590 && n <= 3600);
    OK(synap_kv_persist(client, synap_cstr("k"), 0, &b, &err));
    OK(synap_kv_ttl(client, synap_cstr("k"), 0, &n, &b, &err));
    CHECK(!b);
    OK(synap_kv_expire(client, synap_cstr("k"), 100, 0, &b, &err));
    CHECK(b);
    memset(&set, 0, sizeof set);
    set.nx = true;
    OK(synap_kv_set(client, synap_cstr("k"), synap_text("w"), &set, 0, &b, &err));
    CHECK(!b);
    OK(synap_kv_exists(client, synap_cstr("k"), 0, &b, &err));
    CHECK(b);
    OK(synap_kv_get(client, synap_cstr("missing"), 0, &r, &err));
    CHECK(r.value.kind == SYNAP_NIL);
    synap_reply_free(&r);
    OK(synap_kv_append(client, synap_cstr("k"), synap_text("alue"), 0, &n, &err));
    CHECK(n == 5);
    OK(synap_kv_getrange(client, synap_cstr("k"), 1, 2, 0, &r, &err));
    CHECK(is(synap_value_str(r.value), "al"));
    synap_reply_free(&r);
    OK(synap_kv_setrange(client, synap_cstr("k"), 1, synap_text("AL"), 0, &n, &err));
    OK(synap_kv_strlen(client, synap_cstr("k"), 0, &n, &err));
    CHECK(n == 5);
    OK(synap_kv_getset(client, synap_cstr("k"), synap_text("new"), 0, &r, &err));
    CHECK(is(synap_value_str(r.value), "vALue"));
    synap_reply_free(&r);
    OK(synap_kv_incr(client, synap_cstr("c"), 0, &n, &err));
    OK(synap_kv_incrby(client, synap_cstr("c"), 10, 0, &n, &err));
    OK(synap_kv_decr(client, synap_cstr("c"), 0, &n, &err));
    OK(synap_kv_decrby(client, synap_cstr("c"), 3, 0, &n, &err));
    CHECK(n == 7);
    pairs[0].key = synap_cstr("m1");
    pairs[0].value = synap_text("x");
    pairs[1].key = synap_cstr("m2");
    pairs[1].value = synap_text("5");
    OK(synap_kv_mset(client, pairs, 2, 0, &err));
    keys[0] = synap_cstr("m1");
    keys[1] = synap_cstr("none");
    keys[2] = synap_cstr("m2");
    OK(synap_kv_mget(client, keys, 3, 0, &l, &err));
    CHECK(synap_list_next(&l, &v) && is(synap_value_str(v), "x"));
    CHECK(synap_list_next(&l, &v) && v.kind == SYNAP_NIL);
    CHECK(synap_list_next(&l, &v) && is(synap_value_str(v), "5"));
    CHECK(!synap_list_next(&l, &v));
    synap_list_free(&l);
    OK(synap_kv_msetnx(client, pairs, 2, 0, &b, &err));
    CHECK(!b);
    OK(synap_kv_mdel(client, keys, 3, 0, &n, &err));
    CHECK(n == 2);
    synap_writer_init(&json);
    synap_write_map(&json, 1);
    synap_write_cstr(&json, "a");
    synap_write_int(&json, INT64_MIN);
    OK(synap_kv_set_json(client, synap_cstr("j"), &json, NULL, 0, &b, &err));
    synap_writer_free(&json);
    OK(synap_kv_get_json(client, synap_cstr("j"), 0, &r, &err));
    CHECK(synap_value_int(synap_value_get(r.value, "a")) == INT64_MIN);
    synap_reply_free(&r);
    scan.prefix = synap_cstr("j");
    OK(synap_kv_scan(client, &scan, 0, &l, &err));
    CHECK(synap_list_next_str(&l, &s) && is(s, "j") && !synap_list_next_str(&l, &s));
    synap_list_free(&l);
    OK(synap_kv_keys(client, 0, &l, &err));
    CHECK(l.left >= 3);
    synap_list_free(&l);
    OK(synap_kv_dbsize(client, 0, &n, &err));
    OK(synap_kv_stats(client, 0, &stats, &err));
    CHECK(stats.sets > 0 && stats.hit_rate > 0);
    synap_kv_stats_free(&stats);
    OK(synap_kv_delete(client, synap_cstr("k"), 0, &b, &err));
    CHECK(b);
    OK(synap_kv_flushdb(client, 0, &n, &b, &err));
    OK(synap_kv_flushall(client, 0, &n, &b, &err));
}

static void watch(void) {
    synap_str key = synap_cstr("w:*");
    synap_watch_event_t event;
    synap_list l;
    bool found = false;
    int64_t sub = 0;
    OK(synap_kv_watch(client, &key, 1, NULL, 0, &sub, &err));
    OK(synap_kv_set(client, synap_cstr("w:1"), synap_text("v"), NULL, 0, NULL, &err));
    OK(synap_kv_watch_next(client, sub, 5000, &event, &found, &err));
    CHECK(found && is(event.key, "w:1") && is(event.event, "set") && is(event.value, "v") && event.version == 1 && event.lost == 0);
    synap_watch_event_free(&event);
    OK(synap_kv_watch_next(client, sub, 20, &event, &found, &err));
    CHECK(!found);
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_kv_watch_next(client, sub, 20, NULL, NULL, &err));
    OK(synap_unsubscribe(client, sub, &err));
    FAILS(SYNAP_ECLOSED, synap_next(client, sub, 10, 20, &l, &err));
}

static void queue(void) {
    synap_queue_create_options create = SYNAP_QUEUE_CREATE_OPTIONS_INIT;
    synap_queue_publish_options publish = SYNAP_QUEUE_PUBLISH_OPTIONS_INIT;
    synap_queue_nack_options nack = SYNAP_QUEUE_NACK_OPTIONS_INIT;
    synap_queue_message_t m;
    synap_queue_stats_t stats;
    synap_reply id;
    synap_list l;
    uint8_t all[256];
    bool found = false, b = false;
    int64_t n = 0, sub = 0;
    int i;
    for (i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    create.max_depth = 100;
    OK(synap_queue_create(client, synap_cstr("q"), &create, 0, &err));
    publish.has_priority = true;
    publish.priority = 0;
    OK(synap_queue_publish(client, synap_cstr("q"), synap_bytes_of(all, sizeof all), &publish, 0, &id, &err));
    OK(synap_queue_consume(client, synap_cstr("q"), synap_cstr("w"), 0, &m, &found, &err));
    CHECK(found && same(m.payload, all, sizeof all) && m.priority == 0 && m.has_max_retries && m.max_retries == 3);
    CHECK(m.message_id.len == synap_value_str(id.value).len);
    synap_reply_free(&id);
    OK(synap_queue_nack(client, synap_cstr("q"), m.message_id, NULL, 0, &err));
    synap_queue_message_free(&m);
    OK(synap_queue_follow(client, synap_cstr("q"), synap_cstr("w"), NULL, 0, &sub, &err));
    OK(synap_next(client, sub, 1, 5000, &l, &err));
    CHECK(synap_queue_message_next(&l, &m) && m.retry_count == 1);
    OK(synap_queue_ack(client, synap_cstr("q"), m.message_id, 0, &err));
    nack.has_requeue = true;
    FAILS(SYNAP_ENOT_FOUND, synap_queue_nack(client, synap_cstr("q"), m.message_id, &nack, 0, &err));
    synap_list_free(&l);
    OK(synap_unsubscribe(client, sub, &err));
    OK(synap_queue_consume(client, synap_cstr("q"), synap_cstr("w"), 0, &m, &found, &err));
    CHECK(!found);
    OK(synap_queue_stats(client, synap_cstr("q"), 0, &stats, &err));
    CHECK(stats.published == 1 && stats.consumed == 2 && stats.acked == 1 && stats.nacked == 1);
    synap_queue_stats_free(&stats);
    OK(synap_queue_list(client, 0, &l, &err));
    CHECK(l.left == 1);
    synap_list_free(&l);
    OK(synap_queue_purge(client, synap_cstr("q"), 0, &n, &err));
    OK(synap_queue_delete(client, synap_cstr("q"), 0, &b, &err));
    CHECK(b);
    FAILS(SYNAP_ENOT_FOUND, synap_queue_consume(client, synap_cstr("typo"), synap_cstr("w"), 0, &m, &found, &err));
}

static void stream(void) {
    synap_stream_event_t event;
    synap_followed_event_t followed;
    synap_stream_stats_t stats;
    synap_writer data;
    synap_list l;
    int64_t offset = -1, sub = 0;
    bool created = false;
    OK(synap_stream_create(client, synap_cstr("r"), NULL, 0, &err));
    FAILS(SYNAP_EALREADY_EXISTS, synap_stream_create(client, synap_cstr("r"), NULL, 0, &err));
    OK(synap_stream_get_or_create(client, synap_cstr("r"), 0, &created, &err));
    CHECK(!created);
    synap_writer_init(&data);
    synap_write_float(&data, 1.0);
    OK(synap_stream_publish(client, synap_cstr("r"), synap_cstr("e"), &data, 0, &offset, &err));
    CHECK(offset == 0);
    synap_writer_free(&data);
    OK(synap_stream_consume(client, synap_cstr("r"), synap_cstr("s"), NULL, 0, &l, &err));
    CHECK(synap_stream_event_next(&l, &event) && event.data.kind == SYNAP_FLOAT && event.data.as.number == 1.0);
    synap_list_free(&l);
    OK(synap_stream_follow(client, synap_cstr("r"), synap_cstr("s"), NULL, 0, &sub, &err));
    OK(synap_next(client, sub, 10, 5000, &l, &err));
    CHECK(synap_followed_event_next(&l, &followed) && followed.offset == 0 && followed.lost == 0);
    synap_list_free(&l);
    OK(synap_unsubscribe(client, sub, &err));
    OK(synap_stream_stats(client, synap_cstr("r"), 0, &stats, &err));
    CHECK(stats.message_count == 1 && stats.generation > 0);
    synap_stream_stats_free(&stats);
    OK(synap_stream_list(client, 0, &l, &err));
    CHECK(l.left == 1);
    synap_list_free(&l);
    OK(synap_stream_delete(client, synap_cstr("r"), 0, &err));
    FAILS(SYNAP_ENOT_FOUND, synap_stream_stats(client, synap_cstr("r"), 0, &stats, &err));
}

static void pubsub(void) {
    synap_str topics[2];
    synap_str_pair meta;
    synap_pubsub_publish_options options = SYNAP_PUBSUB_PUBLISH_OPTIONS_INIT;
    synap_pubsub_message_t m;
    synap_published_t p;
    synap_topic_info_t info;
    synap_pubsub_stats_t stats;
    synap_writer text;
    synap_list l;
    int64_t sub = 0, n = 0;
    topics[0] = synap_cstr("t.exact");
    topics[1] = synap_cstr("t.#");
    OK(synap_pubsub_subscribe(client, topics, 2, NULL, 0, &sub, &err));
    meta.key = synap_cstr("k");
    meta.value = synap_cstr("v");
    options.metadata = &meta;
    options.metadata_count = 1;
    synap_writer_init(&text);
    synap_write_cstr(&text, "123");
    OK(synap_pubsub_publish(client, synap_cstr("t.exact"), &text, &options, 0, &p, &err));
    CHECK(p.subscribers_matched == 1);
    synap_writer_free(&text);
    OK(synap_next(client, sub, 10, 5000, &l, &err));
    CHECK(synap_pubsub_message_next(&l, &m) && is(m.topic, "t.exact") && is(synap_value_str(m.message), "123"));
    CHECK(is(synap_value_str(synap_value_get(m.metadata, "k")), "v") && m.message_id.len == p.message_id.len);
    synap_published_free(&p);
    synap_list_free(&l);
    OK(synap_pubsub_topics(client, 0, &l, &err));
    CHECK(l.left >= 1);
    synap_list_free(&l);
    OK(synap_pubsub_info(client, synap_cstr("t.exact"), 0, &info, &err));
    CHECK(info.subscriber_count == 1 && info.message_count == 1);
    synap_topic_info_free(&info);
    OK(synap_pubsub_stats(client, 0, &stats, &err));
    CHECK(stats.messages_published >= 1);
    synap_pubsub_stats_free(&stats);
    OK(synap_unsubscribe(client, sub, &err));
    OK(synap_pubsub_unsubscribe(client, synap_cstr("nobody"), NULL, 0, &n, &err));
    CHECK(n == 0);
    topics[0] = synap_cstr("#.bad");
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_pubsub_subscribe(client, topics, 1, NULL, 0, &sub, &err));
}

static void raw_and_batch(void) {
    synap_writer w, payload;
    synap_reply r;
    synap_list l;
    synap_value v;
    synap_failure f;
    synap_writer_init(&payload);
    synap_write_map(&payload, 2);
    synap_write_cstr(&payload, "key");
    synap_write_cstr(&payload, "raw");
    synap_write_cstr(&payload, "value");
    synap_write_cstr(&payload, "1");
    OK(synap_command(client, synap_cstr("kv.set"), &payload, 0, &r, &err));
    CHECK(synap_value_bool(synap_value_get(r.value, "success")));
    synap_reply_free(&r);
    synap_writer_free(&payload);
    FAILS(SYNAP_EUNSUPPORTED, synap_command(client, synap_cstr("kv.nope"), NULL, 0, &r, &err));
    synap_writer_init(&w);
    synap_batch_frame(&w, 3);
    synap_kv_incr_frame(&w, synap_cstr("raw"));
    synap_queue_stats_frame(&w, synap_cstr("nope"));
    synap_kv_get_frame(&w, synap_cstr("raw"));
    OK(synap_batch(client, &w, 0, &l, &err));
    CHECK(synap_outcome_next(&l, &v, &f) && f.code == 0 && synap_value_int(v) == 2);
    CHECK(synap_outcome_next(&l, &v, &f) && f.code == SYNAP_ENOT_FOUND && f.message.len > 0);
    CHECK(synap_outcome_next(&l, &v, &f) && f.code == 0 && is(synap_value_str(v), "2"));
    CHECK(!synap_outcome_next(&l, &v, &f));
    synap_list_free(&l);
}

/* 1000 requests at once, all of them come back once, told by the descriptor. */
static void asynchronous(void) {
    enum { COUNT = 1000 };
    static unsigned char seen[COUNT];
    synap_writer w;
    synap_completion c;
    synap_list l;
    synap_buf buf;
    struct pollfd p;
    int32_t fd = -1;
    int i, got = 0;
    OK(synap_completion_fd(client, &fd, &err));
    for (i = 0; i < COUNT; i++) {
        synap_writer_init(&w);
        synap_kv_exists_frame(&w, synap_cstr("raw"));
        OK(synap_submit(client, synap_writer_data(&w), w.len, 0, (uint64_t)i, &err));
        synap_writer_free(&w);
    }
    while (got < COUNT) {
        p.fd = fd;
        p.events = POLLIN;
        CHECK(poll(&p, 1, 5000) == 1);
        OK(synap_poll(client, 100, 0, &buf, &err));
        synap_list_take(&l, &buf);
        while (synap_completion_next(&l, &c)) {
            CHECK(c.failure.code == 0 && synap_value_bool(c.reply) && c.tag < COUNT && !seen[c.tag]);
            seen[c.tag] = 1;
            got++;
        }
        synap_list_free(&l);
    }
    p.fd = fd;
    p.events = POLLIN;
    CHECK(poll(&p, 1, 0) == 0);
}

/* A cancelled call ends at once with SYNAP_ECANCELED. */
static void cancelled(void) {
    synap_str topic = synap_cstr("silent");
    synap_completion c;
    synap_writer w;
    synap_list l;
    synap_buf buf;
    uint64_t call = 0;
    int64_t sub = 0;
    OK(synap_pubsub_subscribe(client, &topic, 1, NULL, 0, &sub, &err));
    synap_writer_init(&w);
    synap_next_frame(&w, sub, 1);
    OK(synap_submit(client, synap_writer_data(&w), w.len, 60000, 7, &err));
    OK(synap_cancel(client, 7, &err));
    OK(synap_poll(client, 10, 2000, &buf, &err));
    synap_list_take(&l, &buf);
    CHECK(synap_completion_next(&l, &c) && c.tag == 7 && c.failure.code == SYNAP_ECANCELED);
    synap_list_free(&l);
    CHECK(synap_start(client, synap_writer_data(&w), w.len, 60000, 20, &call, &buf, &err) == SYNAP_PENDING);
    CHECK(synap_wait(client, call, 20, &buf, &err) == SYNAP_PENDING);
    OK(synap_cancel(client, call, &err));
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_wait(client, call, 20, &buf, &err));
    synap_writer_free(&w);
    OK(synap_unsubscribe(client, sub, &err));
}

static void bad_input(void) {
    static const char *addresses[] = {"", "localhost:15500", "ftp://h", "http://", "http://h:0", "http://h:70000", "http://h:x", "http://a b",
                                      "http://h?nope=1", "http://u@h", "memory://a/b"};
    synap_kv_set_options set = SYNAP_KV_SET_OPTIONS_INIT;
    synap_client c = 0;
    synap_reply r;
    synap_buf buf;
    size_t i;
    for (i = 0; i < sizeof addresses / sizeof *addresses; i++)
        FAILS(SYNAP_EINVALID_ARGUMENT, synap_open_url(addresses[i], &c, &err));
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_open(NULL, 5, NULL, 0, &c, &err));
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_open("memory://", 9, "x", 1, &c, &err));
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_call(client, NULL, 10, 0, &buf, &err));
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_call(client, "\x93", 1, 0, &buf, &err));
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_call(client, "\x93", (size_t)-1, 0, &buf, &err));
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_kv_get(client, synap_cstr("\xff"), 0, &r, &err));
    set.ttl = -1;
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_kv_set(client, synap_cstr("k"), synap_text("v"), &set, 0, NULL, &err));
    FAILS(SYNAP_EINVALID_ARGUMENT, synap_kv_setrange(client, synap_cstr("k"), INT64_MAX, synap_text("v"), 0, NULL, &err));
    CHECK(synap_kv_get(0, synap_cstr("k"), 0, &r, NULL) == SYNAP_ECLOSED);
    FAILS(SYNAP_ECLOSED, synap_close(12345, &err));
    FAILS(SYNAP_ECONNECTION, (synap_open_url("http://127.0.0.1:1?max_retries=0", &c, &err), synap_kv_exists(c, synap_cstr("k"), 0, NULL, &err)));
    OK(synap_close(c, &err));
    synap_buf_free(NULL);
    synap_error_free(NULL);
    memset(&buf, 0, sizeof buf);
    synap_buf_free(&buf);
}

int main(int argc, char **argv) {
    synap_buf info = SYNAP_BUF_INIT;
    synap_reply r;
    uint64_t server = 0;
    int http = argc == 2 && strcmp(argv[1], "http") == 0;
    CHECK(argc == 2 && synap_abi_version() == SYNAP_ABI_VERSION && strcmp(synap_version(), SYNAP_VERSION) == 0);
    CHECK((synap_capabilities() & (SYNAP_HAS_MEMORY | SYNAP_HAS_HTTP)) == (SYNAP_HAS_MEMORY | SYNAP_HAS_HTTP));
    if (http) {
        synap_str url;
        OK(synap_testserver_start(NULL, 0, &server, &info, &err));
        url = synap_value_str(synap_value_get(synap_parse(info), "http"));
        OK(synap_open(url.data, url.len, NULL, 0, &client, &err));
        synap_buf_free(&info);
    } else {
        OK(synap_open_url(argv[1], &client, &err));
    }
    fidelity(!http);
    key_value();
    watch();
    queue();
    stream();
    pubsub();
    raw_and_batch();
    asynchronous();
    cancelled();
    bad_input();
    OK(synap_close(client, &err));
    FAILS(SYNAP_ECLOSED, synap_close(client, &err));
    FAILS(SYNAP_ECLOSED, synap_kv_get(client, synap_cstr("k"), 0, &r, &err));
    if (http) {
        OK(synap_testserver_stop(server, &err));
        FAILS(SYNAP_ECLOSED, synap_testserver_stop(server, &err));
    }
    printf("C API on %s: %d checks\n", argv[1], checks);
    return 0;
}
