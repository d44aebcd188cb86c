/* Calls in flight: closing under them, cancelling one of them, deadlines, tags,
 * threads that share a client, and the log function. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "synap.h"

static char silent_url[64]; /* of a server that takes connections and never answers */

#define CHECK(x)                                                    \
    do {                                                            \
        if (!(x)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
            exit(1);                                                \
        }                                                           \
    } while (0)
#define OK(call) CHECK((call) == SYNAP_OK)

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_ms(int ms) { poll(NULL, 0, ms); }

static void start_silent_server(void) {
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 64) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    snprintf(silent_url, sizeof silent_url, "http://127.0.0.1:%d", ntohs(a.sin_port));
}

static synap_client open_at(const char *url) {
    synap_client c = 0;
    OK(synap_open_url(url, &c, NULL));
    return c;
}

/* Submits kv.incr, which has an effect, with a deadline of a minute. */
static int32_t submit_incr(synap_client c, uint64_t tag, int64_t timeout_ms) {
    synap_writer w;
    int32_t code;
    synap_writer_init(&w);
    synap_kv_incr_frame(&w, synap_cstr("k"));
    code = synap_submit(c, synap_writer_data(&w), w.len, timeout_ms, tag, NULL);
    synap_writer_free(&w);
    return code;
}

/* Polls once and returns how many completions came, all with this code. */
static int polled(synap_client c, int64_t wait_ms, int32_t code) {
    synap_completion done;
    synap_list l;
    synap_buf buf;
    int n = 0;
    OK(synap_poll(c, 100, wait_ms, &buf, NULL));
    synap_list_take(&l, &buf);
    while (synap_completion_next(&l, &done)) {
        CHECK(done.failure.code == code && done.failure.message.len > 0 && (done.failure.flags & SYNAP_MAYBE_APPLIED) != 0);
        n++;
    }
    synap_list_free(&l);
    return n;
}

/* ---- Closing while other threads wait ---------------------------------------------- */

typedef struct waiter {
    synap_client client;
    uint64_t number; /* of a subscription or a started call */
    int32_t code;
    int32_t flags;
    int completions;
} waiter;

static void *wait_in_call(void *arg) {
    waiter *w = (waiter *)arg;
    synap_error err = SYNAP_ERROR_INIT;
    w->code = synap_kv_incr(w->client, synap_cstr("k"), 60000, NULL, &err);
    w->flags = (int32_t)err.flags;
    synap_error_free(&err);
    return NULL;
}

static void *wait_in_next(void *arg) {
    waiter *w = (waiter *)arg;
    w->code = synap_next(w->client, (int64_t)w->number, 1, 60000, NULL, NULL);
    return NULL;
}

static void *wait_in_wait(void *arg) {
    waiter *w = (waiter *)arg;
    synap_buf reply;
    w->code = synap_wait(w->client, w->number, 60000, &reply, NULL);
    return NULL;
}

static void *wait_in_poll(void *arg) {
    waiter *w = (waiter *)arg;
    synap_buf buf = SYNAP_BUF_INIT;
    synap_list l;
    synap_completion c;
    w->code = synap_poll(w->client, 100, 60000, &buf, NULL);
    synap_list_take(&l, &buf);
    while (synap_completion_next(&l, &c)) {
        CHECK(c.failure.code == SYNAP_ECLOSED && (c.failure.flags & SYNAP_MAYBE_APPLIED) != 0);
        w->completions++;
    }
    synap_list_free(&l);
    return NULL;
}

/* Closes the client while wait waits in a thread, which must then end soon. */
static waiter close_under(synap_client c, void *(*wait)(void *), uint64_t number) {
    waiter w;
    pthread_t thread;
    int64_t start;
    memset(&w, 0, sizeof w);
    w.client = c;
    w.number = number;
    CHECK(pthread_create(&thread, NULL, wait, &w) == 0);
    pause_ms(100);
    start = now_ms();
    OK(synap_close(c, NULL));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(now_ms() - start < 1000);
    return w;
}

static void closing(void) {
    synap_str topic = synap_cstr("t");
    synap_buf buf;
    synap_writer frame;
    synap_client c;
    struct pollfd p;
    uint64_t call = 0;
    int64_t subscription = 0;
    int32_t fd = -1;
    waiter w = close_under(open_at(silent_url), wait_in_call, 0);
    CHECK(w.code == SYNAP_ECLOSED && w.flags == SYNAP_MAYBE_APPLIED);

    c = open_at("memory://");
    OK(synap_pubsub_subscribe(c, &topic, 1, NULL, 0, &subscription, NULL));
    CHECK(close_under(c, wait_in_next, (uint64_t)subscription).code == SYNAP_ECLOSED);

    CHECK(close_under(open_at("memory://"), wait_in_poll, 0).code == SYNAP_ECLOSED);

    c = open_at(silent_url);
    OK(submit_incr(c, 1, 60000));
    OK(submit_incr(c, 2, 60000));
    w = close_under(c, wait_in_poll, 0);
    CHECK(w.code == SYNAP_OK && w.completions == 2);
    CHECK(synap_poll(c, 1, 0, &buf, NULL) == SYNAP_ECLOSED && submit_incr(c, 3, 0) == SYNAP_ECLOSED);

    c = open_at(silent_url);
    synap_writer_init(&frame);
    synap_kv_incr_frame(&frame, synap_cstr("k"));
    CHECK(synap_start(c, synap_writer_data(&frame), frame.len, 60000, 10, &call, &buf, NULL) == SYNAP_PENDING);
    CHECK(close_under(c, wait_in_wait, call).code == SYNAP_ECLOSED);
    synap_writer_free(&frame);

    /* Who watches a duplicate of the descriptor is woken. */
    c = open_at("memory://");
    OK(synap_completion_fd(c, &fd, NULL));
    p.fd = dup(fd);
    p.events = POLLIN;
    CHECK(p.fd >= 0 && poll(&p, 1, 0) == 0);
    OK(synap_close(c, NULL));
    CHECK(poll(&p, 1, 1000) == 1);
    close(p.fd);
}

/* ---- Cancelling, deadlines, tags ------------------------------------------------------ */

static void cancelling(void) {
    synap_client c = open_at(silent_url);
    int64_t start = now_ms();
    OK(submit_incr(c, 1, 60000));
    OK(submit_incr(c, 2, 60000));
    CHECK(submit_incr(c, 2, 60000) == SYNAP_EINVALID_ARGUMENT); /* in flight */
    pause_ms(50);
    OK(synap_cancel(c, 1, NULL));
    OK(synap_cancel(c, 1, NULL));
    OK(synap_cancel(c, 99, NULL));
    CHECK(polled(c, 1000, SYNAP_ECANCELED) == 1);
    CHECK(polled(c, 50, 0) == 0); /* the other lives on */
    OK(submit_incr(c, 1, 100));   /* the tag is free again */
    CHECK(polled(c, 2000, SYNAP_ETIMEOUT) == 1);
    CHECK(now_ms() - start < 3000);
    OK(synap_close(c, NULL));
}

static void numbers(void) {
    synap_client c = open_at("memory://");
    synap_buf buf;
    synap_writer w;
    uint64_t call = 0;
    synap_writer_init(&w);
    synap_kv_incr_frame(&w, synap_cstr("k"));
    CHECK(submit_incr(c, (uint64_t)1 << 63, 0) == SYNAP_EINVALID_ARGUMENT && submit_incr(c, UINT64_MAX, 0) == SYNAP_EINVALID_ARGUMENT);
    CHECK(submit_incr(c, 1, -1) == SYNAP_EINVALID_ARGUMENT);
    CHECK(synap_kv_incr(c, synap_cstr("k"), -1, NULL, NULL) == SYNAP_EINVALID_ARGUMENT);
    CHECK(synap_start(c, synap_writer_data(&w), w.len, 0, -1, &call, &buf, NULL) == SYNAP_EINVALID_ARGUMENT);
    CHECK(synap_poll(c, 1, -1, &buf, NULL) == SYNAP_EINVALID_ARGUMENT && synap_poll(c, 0, 0, &buf, NULL) == SYNAP_EINVALID_ARGUMENT);
    CHECK(synap_wait(c, 12345, 0, &buf, NULL) == SYNAP_EINVALID_ARGUMENT);
    CHECK(synap_call(c, synap_writer_data(&w), w.len, 0, NULL, NULL) == SYNAP_EINVALID_ARGUMENT);
    CHECK(synap_poll(c, 1, 0, NULL, NULL) == SYNAP_EINVALID_ARGUMENT && synap_completion_fd(c, NULL, NULL) == SYNAP_EINVALID_ARGUMENT);
    CHECK(synap_kv_watch(c, NULL, 0, NULL, 0, NULL, NULL) == SYNAP_EINVALID_ARGUMENT);
    /* An absurdly long wait is a long wait, not an overflow. */
    OK(synap_call(c, synap_writer_data(&w), w.len, INT64_MAX, &buf, NULL));
    synap_buf_free(&buf);
    OK(submit_incr(c, UINT64_MAX >> 1, 0));
    OK(synap_poll(c, SIZE_MAX, INT64_MAX, &buf, NULL));
    synap_buf_free(&buf);
    /* Nothing of all this has run but the last two. */
    {
        int64_t n = 0;
        OK(synap_kv_incr(c, synap_cstr("k"), 0, &n, NULL));
        CHECK(n == 3);
    }
    synap_writer_free(&w);
    OK(synap_close(c, NULL));
}

/* A handle that was closed never reaches a client that was opened later. */
static void handles(void) {
    enum { COUNT = 300 };
    synap_client old[COUNT];
    int i;
    for (i = 0; i < COUNT; i++) {
        old[i] = open_at("memory://");
        OK(synap_close(old[i], NULL));
    }
    (void)open_at("memory://");
    for (i = 0; i < COUNT; i++)
        CHECK(old[i] != 0 && synap_kv_exists(old[i], synap_cstr("k"), 0, NULL, NULL) == SYNAP_ECLOSED && synap_close(old[i], NULL) == SYNAP_ECLOSED);
}

/* ---- Threads that share a client -------------------------------------------------------- */

static synap_client shared;

static void *count(void *arg) {
    char key[16], text[32];
    int i;
    snprintf(key, sizeof key, "k%d", (int)(intptr_t)arg);
    for (i = 0; i < 300; i++) {
        synap_reply r;
        snprintf(text, sizeof text, "%s is %d", key, i);
        OK(synap_kv_set(shared, synap_cstr(key), synap_text(text), NULL, 0, NULL, NULL));
        OK(synap_kv_get(shared, synap_cstr(key), 0, &r, NULL));
        CHECK(r.value.as.len == strlen(text) && memcmp(r.value.data, text, strlen(text)) == 0);
        synap_reply_free(&r);
    }
    return NULL;
}

static void sharing(const char *url) {
    pthread_t threads[8];
    intptr_t i;
    shared = open_at(url);
    for (i = 0; i < 8; i++)
        CHECK(pthread_create(&threads[i], NULL, count, (void *)i) == 0);
    for (i = 0; i < 8; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    OK(synap_close(shared, NULL));
}

/* ---- The log function ---------------------------------------------------------------------- */

static char logged[4096];

static void remember(void *user, int32_t level, const char *message, size_t len) {
    size_t used = strlen(logged);
    CHECK(user == logged && level >= 1 && level <= 2);
    if (used + len + 2 < sizeof logged)
        snprintf(logged + used, sizeof logged - used, "%.*s\n", (int)len, message);
}

static void logging(void) {
    synap_client c = open_at("http://user:secret-word@127.0.0.1:1?backoff=0.01");
    synap_error err = SYNAP_ERROR_INIT;
    size_t n;
    synap_set_log(remember, logged);
    CHECK(synap_kv_exists(c, synap_cstr("k"), 0, NULL, &err) == SYNAP_ECONNECTION);
    CHECK(strstr(logged, "127.0.0.1:1") != NULL && strstr(logged, "secret-word") == NULL);
    CHECK(strstr(err.message, "127.0.0.1:1") != NULL && strstr(err.message, "secret-word") == NULL);
    CHECK(strcmp(err.command, "kv.exists") == 0 && strcmp(err.transport, "http") == 0);
    synap_error_free(&err);
    CHECK(err.message == NULL);
    synap_set_log(NULL, NULL);
    n = strlen(logged);
    CHECK(synap_kv_exists(c, synap_cstr("k"), 0, NULL, NULL) == SYNAP_ECONNECTION && strlen(logged) == n);
    OK(synap_close(c, NULL));
}

int main(void) {
    synap_buf info;
    synap_str url;
    char text[64];
    uint64_t server = 0;
    start_silent_server();
    closing();
    cancelling();
    numbers();
    handles();
    OK(synap_testserver_start(NULL, 0, &server, &info, NULL));
    url = synap_value_str(synap_value_get(synap_parse(info), "http"));
    snprintf(text, sizeof text, "%.*s", (int)url.len, url.data);
    synap_buf_free(&info);
    sharing(text);
    sharing("memory://");
    OK(synap_testserver_stop(server, NULL));
    logging();
    printf("calls in flight: closing, cancelling, deadlines, threads, log\n");
    return 0;
}
