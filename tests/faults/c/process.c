/* What a host process survives: process SCENARIO. Each scenario is run in a process
 * of its own and must end by itself, with status 0, before run.sh kills it. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "synap.h"

static synap_error err = SYNAP_ERROR_INIT;
static char url[64];

static void check(int ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "process: %s: %s\n", what, err.message != NULL ? err.message : "failed");
    exit(1);
}

static synap_client open_at(const char *address) {
    synap_client c = 0;
    check(synap_open_url(address, &c, &err) == SYNAP_OK, "open");
    return c;
}

/* A listener on loopback; url names it. Nobody answers there. */
static int listen_silently(void) {
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 64) == 0, "listen");
    check(getsockname(fd, (struct sockaddr *)&a, &n) == 0, "getsockname");
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(a.sin_port));
    return fd;
}

static uint64_t start_test_server(void) {
    synap_buf info = SYNAP_BUF_INIT;
    uint64_t server = 0;
    synap_str s;
    check(synap_testserver_start(NULL, 0, &server, &info, &err) == SYNAP_OK, "test server");
    s = synap_value_str(synap_value_get(synap_parse(info), "http"));
    snprintf(url, sizeof url, "%.*s", (int)s.len, s.data);
    synap_buf_free(&info);
    return server;
}

static int32_t submit_get(synap_client c, uint64_t tag) {
    synap_writer w;
    int32_t code;
    synap_writer_init(&w);
    synap_kv_get_frame(&w, synap_cstr("k"));
    code = synap_submit(c, synap_writer_data(&w), w.len, 60000, tag, NULL);
    synap_writer_free(&w);
    return code;
}

static void *call(void *client) {
    synap_kv_get(*(synap_client *)client, synap_cstr("k"), 60000, NULL, NULL);
    return NULL;
}

static void *poll_for_ends(void *client) {
    synap_buf buf;
    synap_poll(*(synap_client *)client, 1, 60000, &buf, NULL);
    return NULL;
}

static void in_thread(void *(*f)(void *), synap_client *c) {
    pthread_t t;
    check(pthread_create(&t, NULL, f, c) == 0, "pthread_create");
}

/* ---- Fork --------------------------------------------------------------------------- */

/* Every function that can fail does so at once in a child. */
static int refused(synap_client c, uint64_t server) {
    synap_client other = 0;
    synap_buf buf = SYNAP_BUF_INIT;
    int32_t fd = 0;
    uint64_t n = 0;
    int ok = synap_kv_exists(c, synap_cstr("k"), 0, NULL, &err) == SYNAP_EFORK;
    ok = ok && err.code == SYNAP_EFORK && strstr(err.message, "fork") != NULL && err.command[0] == '\0' && err.transport[0] == '\0';
    synap_error_free(&err);
    ok = ok && synap_open_url("memory://", &other, NULL) == SYNAP_EFORK && other == 0;
    ok = ok && synap_start(c, "x", 1, 0, 1000, &n, &buf, NULL) == SYNAP_EFORK && synap_wait(c, 1, 1000, &buf, NULL) == SYNAP_EFORK;
    ok = ok && submit_get(c, 1) == SYNAP_EFORK && synap_cancel(c, 1, NULL) == SYNAP_EFORK;
    ok = ok && synap_poll(c, 1, 1000, &buf, NULL) == SYNAP_EFORK && synap_completion_fd(c, &fd, NULL) == SYNAP_EFORK;
    ok = ok && synap_testserver_start(NULL, 0, &n, &buf, NULL) == SYNAP_EFORK && synap_testserver_stop(server, NULL) == SYNAP_EFORK;
    ok = ok && synap_close(c, NULL) == SYNAP_EFORK;
    synap_set_log(NULL, NULL);
    /* What does not enter Go works. */
    ok = ok && strcmp(synap_version(), SYNAP_VERSION) == 0 && synap_abi_version() == SYNAP_ABI_VERSION && synap_capabilities() != 0;
    synap_buf_free(&buf);
    return ok;
}

static void forked(void) {
    uint64_t server = start_test_server();
    synap_client clients[2];
    int i, status;
    clients[0] = open_at("memory://");
    clients[1] = open_at(url);
    for (i = 0; i < 2; i++) {
        pid_t child;
        check(synap_kv_set(clients[i], synap_cstr("k"), synap_text("v"), NULL, 0, NULL, &err) == SYNAP_OK, "kv.set");
        child = fork();
        if (child == 0)
            exit(refused(clients[i], server) ? 7 : 1); /* a full exit, with all destructors */
        status = 0;
        check(child > 0 && waitpid(child, &status, 0) == child, "fork");
        check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a call in the forked child did not fail with SYNAP_EFORK, or its exit hung");
        check(synap_kv_exists(clients[i], synap_cstr("k"), 0, NULL, &err) == SYNAP_OK, "the parent after a fork");
    }
}

static void forked_in_flight(void) {
    synap_client c;
    pid_t child;
    int status = 0;
    (void)listen_silently();
    c = open_at(url);
    in_thread(call, &c);
    check(submit_get(c, 1) == SYNAP_OK, "submit");
    poll(NULL, 0, 100);
    child = fork();
    if (child == 0)
        exit(refused(c, 0) ? 7 : 1);
    check(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7, "fork with calls in flight");
}

/* ---- A defect inside the library ------------------------------------------------------- */

static char logged[256];

static void remember(void *user, int32_t level, const char *message, size_t len) {
    (void)user;
    if (level == 2 && len > 17 && strncmp(message, "panic: test.panic", 17) == 0)
        memcpy(logged, message, 17);
}

static int poisoned(synap_client c) {
    bool b = false;
    int ok = synap_kv_exists(c, synap_cstr("k"), 0, &b, &err) == SYNAP_EPANIC;
    synap_error_free(&err);
    return ok;
}

/* A panic is an error of its call; that client is unusable, others work, the process lives. */
static void panicked(void) {
    synap_client in_call, in_start, in_submit, other;
    synap_completion done;
    synap_buf buf;
    synap_list l;
    synap_writer w;
    uint64_t id = 0;
    int i;
    synap_set_log(remember, NULL);
    (void)start_test_server();
    other = open_at("memory://");
    synap_writer_init(&w);
    synap_command_frame(&w, synap_cstr("test.panic"), NULL);
    for (i = 0; i < 2; i++) { /* where calls run on the caller's thread, and where they do not */
        const char *address = i == 0 ? "memory://" : url;
        in_call = open_at(address);
        check(synap_call(in_call, synap_writer_data(&w), w.len, 0, &buf, &err) == SYNAP_EPANIC, "a panic in a call");
        check((err.flags & SYNAP_MAYBE_APPLIED) != 0 && strcmp(err.command, "test.panic") == 0, "the error of a panic");
        synap_error_free(&err);
        check(poisoned(in_call), "the client after a panic");
        in_start = open_at(address);
        check(synap_start(in_start, synap_writer_data(&w), w.len, 0, 1000, &id, &buf, &err) == SYNAP_EPANIC, "a panic in a started call");
        synap_error_free(&err);
        check(poisoned(in_start), "the client after a panic in a started call");
        in_submit = open_at(address);
        check(synap_submit(in_submit, synap_writer_data(&w), w.len, 0, 1, &err) == SYNAP_OK, "submit");
        check(synap_poll(in_submit, 1, 1000, &buf, &err) == SYNAP_OK, "poll");
        synap_list_take(&l, &buf);
        check(synap_completion_next(&l, &done) && done.failure.code == SYNAP_EPANIC, "a panic in a submitted call");
        synap_list_free(&l);
        check(poisoned(in_submit), "the client after a panic in a submitted call");
        check(synap_kv_exists(other, synap_cstr("k"), 0, NULL, &err) == SYNAP_OK, "another client after a panic");
        check(synap_close(in_call, &err) == SYNAP_OK && synap_close(in_start, &err) == SYNAP_OK && synap_close(in_submit, &err) == SYNAP_OK,
              "closing a client after a panic");
    }
    check(logged[0] == 'p', "the log after a panic");
    synap_writer_free(&w);
    /* Outside of a call, in the export itself. */
    in_call = open_at("memory://");
    check(synap_command(in_call, synap_cstr("test.panic.boundary"), NULL, 0, NULL, &err) == SYNAP_EPANIC, "a panic in an export");
    synap_error_free(&err);
    check(poisoned(in_call) && submit_get(in_call, 1) == SYNAP_EPANIC, "the client after a panic in an export");
    check(synap_kv_exists(other, synap_cstr("k"), 0, NULL, &err) == SYNAP_OK && synap_close(in_call, &err) == SYNAP_OK, "another client");
}

/* ---- The end of the process ---------------------------------------------------------------- */

static void exit_in_calls(void) {
    static synap_client c;
    (void)listen_silently();
    c = open_at(url);
    in_thread(call, &c);
    in_thread(poll_for_ends, &c);
    check(submit_get(c, 1) == SYNAP_OK, "submit");
    poll(NULL, 0, 100);
    exit(0);
}

static void exit_in_subscription(void) {
    synap_str topic = synap_cstr("silent");
    synap_writer w;
    int64_t sub = 0;
    synap_client c = open_at("memory://");
    check(synap_pubsub_subscribe(c, &topic, 1, NULL, 0, &sub, &err) == SYNAP_OK, "subscribe");
    synap_writer_init(&w);
    synap_next_frame(&w, sub, 1);
    check(synap_submit(c, synap_writer_data(&w), w.len, 60000, 1, &err) == SYNAP_OK, "submit");
    exit(0);
}

static void *exit_here(void *unused) {
    (void)unused;
    poll(NULL, 0, 100);
    exit(0);
}

static void exit_by_another_thread(void) {
    synap_client c;
    (void)listen_silently();
    c = open_at(url);
    in_thread(exit_here, NULL);
    call(&c);
    check(0, "the call in flight ended before the process");
}

/* ---- Signals, and peers that go away ---------------------------------------------------------- */

/* The host keeps its own signals: the library installs nothing for them. */
static void signals(void) {
    static const int theirs[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGWINCH};
    size_t i;
    check(synap_kv_exists(open_at("memory://"), synap_cstr("k"), 0, NULL, &err) == SYNAP_OK, "call");
    for (i = 0; i < sizeof theirs / sizeof *theirs; i++) {
        struct sigaction was;
        check(sigaction(theirs[i], NULL, &was) == 0 && was.sa_handler == SIG_DFL, "a signal of the host is taken");
    }
}

static void *slam_doors(void *fd) {
    for (;;) { /* takes connections and resets them in the middle of the request */
        struct linger now = {1, 0};
        char some[1000];
        int c = accept(*(int *)fd, NULL, NULL);
        if (c < 0 || read(c, some, sizeof some) < 0)
            continue;
        setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(c);
    }
    return NULL;
}

/* Writing to a connection that is gone is an error of the call, not a SIGPIPE. */
static void peer_gone(void) {
    static char big[1 << 20];
    static int fd;
    pthread_t t;
    synap_client c;
    uint64_t server = start_test_server();
    int i;
    c = open_at(url);
    check(synap_kv_set(c, synap_cstr("k"), synap_text("v"), NULL, 0, NULL, &err) == SYNAP_OK, "kv.set");
    check(synap_testserver_stop(server, &err) == SYNAP_OK, "stop");
    check(synap_kv_incr(c, synap_cstr("n"), 0, NULL, &err) == SYNAP_ECONNECTION, "a call after the server has gone");
    synap_error_free(&err);
    fd = listen_silently();
    check(pthread_create(&t, NULL, slam_doors, &fd) == 0, "pthread_create");
    memset(big, 'x', sizeof big);
    c = open_at(url);
    for (i = 0; i < 20; i++) {
        check(synap_kv_append(c, synap_cstr("k"), synap_text_n(big, sizeof big), 0, NULL, &err) == SYNAP_ECONNECTION, "a call whose connection is reset");
        synap_error_free(&err);
    }
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {{"fork", forked}, {"fork-in-flight", forked_in_flight}, {"panic", panicked},
                     {"exit-in-calls", exit_in_calls}, {"exit-in-subscription", exit_in_subscription},
                     {"exit-by-another-thread", exit_by_another_thread}, {"signals", signals}, {"peer-gone", peer_gone}};
    size_t i;
    for (i = 0; argc == 2 && i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    }
    fprintf(stderr, "usage: process SCENARIO\n");
    return 2;
}
