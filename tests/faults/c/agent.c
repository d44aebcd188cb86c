/* The agent of the C client: see tests/faults/sockets/agent.go. Every request has a
 * thread of its own. */
#include <pthread.h>
#include <stdio.h>

#include "synap.h"

static synap_client client;
static int64_t subscription;
static bool follows;
static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;

typedef struct {
    char number[16], op[16], what[256];
    long timeout;
} request;

static void answer(const request *r, int32_t code, const synap_error *err, const char *text) {
    pthread_mutex_lock(&printing);
    if (code == SYNAP_OK)
        printf("%s ok %s\n", r->number, text);
    else
        printf("%s error %d %s %s\n", r->number, (int)err->code, (err->flags & SYNAP_MAYBE_APPLIED) != 0 ? "true" : "false",
               err->message != NULL ? err->message : "");
    fflush(stdout);
    pthread_mutex_unlock(&printing);
}

static void say_value(char *to, size_t size, synap_value v) {
    synap_str s = synap_value_str(v);
    if (v.kind == SYNAP_NIL)
        snprintf(to, size, "nothing");
    else if (v.kind == SYNAP_INT)
        snprintf(to, size, "%lld", (long long)synap_value_int(v));
    else
        snprintf(to, size, "%.*s", (int)s.len, s.data == NULL ? "" : s.data);
}

static int32_t next(const request *r, char *text, size_t size, synap_error *err) {
    char item[200] = "";
    int64_t lost = 0;
    bool found = false;
    int32_t code;
    if (follows) {
        synap_followed_event_t e;
        code = synap_stream_follow_next(client, subscription, r->timeout, &e, &found, err);
        if (code == SYNAP_OK && found) {
            say_value(item, sizeof item, e.data);
            lost = e.lost;
            synap_followed_event_free(&e);
        }
    } else {
        synap_pubsub_message_t m;
        code = synap_pubsub_subscribe_next(client, subscription, r->timeout, &m, &found, err);
        if (code == SYNAP_OK && found) {
            say_value(item, sizeof item, m.message);
            lost = m.lost;
            synap_pubsub_message_free(&m);
        }
    }
    if (code == SYNAP_OK && !found) { /* the other hosts' next fails then */
        err->code = SYNAP_ETIMEOUT;
        return SYNAP_ETIMEOUT;
    }
    snprintf(text, size, "%s %lld", item, (long long)lost);
    return code;
}

static void *run(void *arg) {
    request *r = (request *)arg;
    synap_error err = SYNAP_ERROR_INIT;
    synap_str what = synap_cstr(r->what);
    char text[256] = "";
    int32_t code;
    if (strcmp(r->op, "open") == 0) {
        code = synap_open_url(r->what, &client, &err);
    } else if (strcmp(r->op, "close") == 0) {
        code = synap_close(client, &err);
    } else if (strcmp(r->op, "get") == 0) {
        synap_reply reply;
        code = synap_kv_get(client, what, r->timeout, &reply, &err);
        if (code == SYNAP_OK) {
            say_value(text, sizeof text, reply.value);
            synap_reply_free(&reply);
        }
    } else if (strcmp(r->op, "incr") == 0) {
        int64_t n = 0;
        code = synap_kv_incr(client, what, r->timeout, &n, &err);
        snprintf(text, sizeof text, "%lld", (long long)n);
    } else if (strcmp(r->op, "subscribe") == 0) {
        follows = false;
        code = synap_pubsub_subscribe(client, &what, 1, NULL, r->timeout, &subscription, &err);
    } else if (strcmp(r->op, "follow") == 0) {
        follows = true;
        code = synap_stream_follow(client, what, synap_cstr("agent"), NULL, r->timeout, &subscription, &err);
    } else {
        code = next(r, text, sizeof text, &err);
    }
    answer(r, code, &err, text);
    synap_error_free(&err);
    free(r);
    return NULL;
}

int main(void) {
    char line[400];
    while (fgets(line, sizeof line, stdin) != NULL) {
        request *r = (request *)calloc(1, sizeof *r);
        pthread_t t;
        if (r == NULL || sscanf(line, "%15s %15s %255s %ld", r->number, r->op, r->what, &r->timeout) < 2)
            return 1;
        if (strcmp(r->op, "open") == 0 || strcmp(r->op, "close") == 0)
            run(r);
        else if (pthread_create(&t, NULL, run, r) != 0 || pthread_detach(t) != 0)
            return 1;
    }
    return 0;
}
