/* The benchmark worker of the C interface: bench-c ADDRESS OP INFLIGHT SECONDS.
 *
 * It does what tests/bench/main.go says of workers. One in flight are calls that
 * block; more are calls submitted by one thread, which polls for their ends. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <time.h>

#include "synap.h"

enum { TEXT = 100, BATCH = 100, KEEP = 1 << 20, MOST_IN_FLIGHT = 1024 };

static synap_client client;
static synap_error err = SYNAP_ERROR_INIT;
static char text[TEXT + 1]; /* the value and the payload of every operation */
static char keys[MOST_IN_FLIGHT][24];

/* The latencies of one measurement, in nanoseconds: the last KEEP of them. */
static int64_t samples[KEEP];
static int64_t count;

static void fail(const char *what) {
    fprintf(stderr, "bench-c: %s: %s\n", what, err.message != NULL ? err.message : "not what was expected");
    exit(1);
}

static void check(int ok, const char *what) {
    if (!ok)
        fail(what);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void record(int64_t latency) { samples[count++ % KEEP] = latency; }

static int is_text(synap_bytes b) { return b.len == TEXT && memcmp(b.data, text, TEXT) == 0; }

static synap_str queue_name(void) { return synap_cstr("bench"); }

/* ---- One at a time ------------------------------------------------------------ */

static void get(void) {
    synap_reply r;
    check(synap_kv_get(client, synap_cstr(keys[0]), 0, &r, &err) == SYNAP_OK && is_text(synap_value_bytes(r.value)), "kv.get");
    synap_reply_free(&r);
}

static void set(void) {
    check(synap_kv_set(client, synap_cstr(keys[0]), synap_text_n(text, TEXT), NULL, 0, NULL, &err) == SYNAP_OK, "kv.set");
}

static void queue(void) {
    synap_reply id;
    synap_queue_message_t m;
    bool found = false;
    check(synap_queue_publish(client, queue_name(), synap_bytes_of(text, TEXT), NULL, 0, &id, &err) == SYNAP_OK, "queue.publish");
    synap_reply_free(&id);
    check(synap_queue_consume(client, queue_name(), synap_cstr(keys[0]), 0, &m, &found, &err) == SYNAP_OK && found && is_text(m.payload),
          "queue.consume");
    check(synap_queue_ack(client, queue_name(), m.message_id, 0, &err) == SYNAP_OK, "queue.ack");
    synap_queue_message_free(&m);
}

static void batch(void) {
    synap_writer w;
    synap_list outcomes;
    synap_value reply;
    synap_failure failure;
    int i, succeeded = 0;
    synap_writer_init(&w);
    synap_batch_frame(&w, BATCH);
    for (i = 0; i < BATCH; i++)
        synap_kv_set_frame(&w, synap_cstr(keys[0]), synap_text_n(text, TEXT), NULL);
    check(synap_batch(client, &w, 0, &outcomes, &err) == SYNAP_OK, "batch");
    while (synap_outcome_next(&outcomes, &reply, &failure))
        succeeded += failure.code == SYNAP_OK;
    check(succeeded == BATCH, "batch");
    synap_list_free(&outcomes);
}

static void measure_one(void (*operation)(void), double seconds) {
    int64_t before = now(), end = before + (int64_t)(seconds * 1e9);
    for (count = 0; before < end;) {
        int64_t after;
        operation();
        after = now();
        record(after - before);
        before = after;
    }
}

/* ---- Many in flight ------------------------------------------------------------- */

typedef enum { GET, SET, PUBLISH, CONSUME, ACK } step;

/* One caller in flight: its tag is its place in the list. */
static struct {
    step step;
    int64_t began;
} callers[MOST_IN_FLIGHT];

static void submit(uint64_t i, step s, synap_str message_id) {
    synap_writer w;
    synap_str key = synap_cstr(keys[i]);
    synap_writer_init(&w);
    switch (s) {
    case GET: synap_kv_get_frame(&w, key); break;
    case SET: synap_kv_set_frame(&w, key, synap_text_n(text, TEXT), NULL); break;
    case PUBLISH: synap_queue_publish_frame(&w, queue_name(), synap_bytes_of(text, TEXT), NULL); break;
    case CONSUME: synap_queue_consume_frame(&w, queue_name(), key); break;
    case ACK: synap_queue_ack_frame(&w, queue_name(), message_id); break;
    }
    callers[i].step = s;
    check(synap_submit(client, synap_writer_data(&w), w.len, 0, i, &err) == SYNAP_OK, "submit");
    synap_writer_free(&w);
}

/* Goes on with a caller whose call has ended. False: its operation is complete. */
static bool proceed(const synap_completion *c) {
    synap_queue_message_t m;
    if (c->failure.code != SYNAP_OK) {
        fprintf(stderr, "bench-c: %.*s\n", (int)c->failure.message.len, c->failure.message.data);
        exit(1);
    }
    switch (callers[c->tag].step) {
    case GET: check(is_text(synap_value_bytes(c->reply)), "kv.get"); return false;
    case SET: return false;
    case PUBLISH: submit(c->tag, CONSUME, synap_cstr(NULL)); return true;
    case CONSUME:
        check(c->reply.kind == SYNAP_ARRAY, "queue.consume");
        synap_queue_message_read(c->reply, &m);
        check(is_text(m.payload), "queue.consume");
        submit(c->tag, ACK, m.message_id);
        return true;
    case ACK: return false;
    }
    return false;
}

static void measure_many(step first, int in_flight, double seconds) {
    int64_t t = now(), end = t + (int64_t)(seconds * 1e9);
    int i, under_way = in_flight;
    count = 0;
    for (i = 0; i < in_flight; i++) {
        callers[i].began = now();
        submit((uint64_t)i, first, synap_cstr(NULL));
    }
    while (under_way > 0) {
        synap_buf buf;
        synap_list ended;
        synap_completion c;
        check(synap_poll(client, MOST_IN_FLIGHT, 10000, &buf, &err) == SYNAP_OK, "poll");
        synap_list_take(&ended, &buf);
        check(ended.left > 0, "poll");
        while (synap_completion_next(&ended, &c)) {
            if (proceed(&c))
                continue;
            t = now();
            record(t - callers[c.tag].began);
            if (t >= end) {
                under_way--;
                continue;
            }
            callers[c.tag].began = t;
            submit(c.tag, first, synap_cstr(NULL));
        }
        synap_list_free(&ended);
    }
}

/* ---- The program ------------------------------------------------------------------ */

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*one)(void);
        step first;
    } operations[] = {{"get", get, GET}, {"set", set, SET}, {"queue", queue, PUBLISH}, {"batch", batch, SET}};
    size_t op = 0, n = sizeof operations / sizeof operations[0];
    int i, in_flight, warm;
    double seconds, elapsed = 0;
    int64_t kept;
    if (argc != 5 || synap_abi_version() != SYNAP_ABI_VERSION) {
        fprintf(stderr, "usage: bench-c ADDRESS OP INFLIGHT SECONDS (with the library of this header)\n");
        return 2;
    }
    while (op < n && strcmp(operations[op].name, argv[2]) != 0)
        op++;
    in_flight = atoi(argv[3]);
    seconds = atof(argv[4]);
    check(op < n && in_flight >= 1 && in_flight <= MOST_IN_FLIGHT && seconds > 0, "OP, INFLIGHT or SECONDS");
    check(operations[op].one != batch || in_flight == 1, "INFLIGHT of batch, which is measured one at a time");
    for (i = 0; i < TEXT; i++)
        text[i] = "The quick brown fox. "[i % 21];
    check(synap_open_url(argv[1], &client, &err) == SYNAP_OK, "open");
    for (i = in_flight - 1; i >= 0; i--) {
        snprintf(keys[i], sizeof keys[i], "bench:%d", i);
        check(synap_kv_set(client, synap_cstr(keys[i]), synap_text_n(text, TEXT), NULL, 0, NULL, &err) == SYNAP_OK, "kv.set");
    }
    check(synap_queue_create(client, queue_name(), NULL, 0, &err) == SYNAP_OK, "queue.create");
    for (warm = 1; warm >= 0; warm--) {
        int64_t start = now();
        if (in_flight == 1)
            measure_one(operations[op].one, warm ? seconds / 5 : seconds);
        else
            measure_many(operations[op].first, in_flight, warm ? seconds / 5 : seconds);
        elapsed = (double)(now() - start) / 1e9;
    }
    check(synap_close(client, &err) == SYNAP_OK, "close");
    kept = count < KEEP ? count : KEEP;
    qsort(samples, (size_t)kept, sizeof samples[0], by_size);
    printf("{\"ops\":%lld,\"seconds\":%.6f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
           (long long)(operations[op].one == batch ? count * BATCH : count), elapsed,
           (double)samples[(kept - 1) * 50 / 100] / 1000, (double)samples[(kept - 1) * 99 / 100] / 1000);
    return 0;
}
