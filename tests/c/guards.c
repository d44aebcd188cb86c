/* What happens when the process forks, a defect panics inside the library, or the
 * process ends with calls in flight. Each must end within 2 s, in order. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "synap.h"

static synap_client client;
static synap_error err = SYNAP_ERROR_INIT;

static void check(int ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "guards: %s: %s\n", what, err.message != NULL ? err.message : "failed");
    exit(1);
}

/* In a forked child every function fails at once; the parent works on. */
static void after_fork(void) {
    int status = 0;
    bool b = false;
    pid_t child = fork();
    if (child == 0) {
        synap_client other = 0;
        synap_buf buf = SYNAP_BUF_INIT;
        int32_t fd = 0;
        uint64_t server = 0;
        int ok = synap_kv_exists(client, synap_cstr("k"), 0, &b, &err) == SYNAP_EFORK && err.message != NULL;
        synap_error_free(&err);
        ok = ok && synap_open_url("memory://", &other, NULL) == SYNAP_EFORK;
        ok = ok && synap_submit(client, "x", 1, 0, 1, NULL) == SYNAP_EFORK;
        ok = ok && synap_poll(client, 1, 1000, &buf, NULL) == SYNAP_EFORK;
        ok = ok && synap_completion_fd(client, &fd, NULL) == SYNAP_EFORK;
        ok = ok && synap_testserver_start(NULL, 0, &server, &buf, NULL) == SYNAP_EFORK;
        ok = ok && synap_close(client, NULL) == SYNAP_EFORK;
        _exit(ok ? 0 : 1);
    }
    check(child > 0 && waitpid(child, &status, 0) == child, "fork");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a call in the forked child did not fail with SYNAP_EFORK");
    check(synap_kv_exists(client, synap_cstr("k"), 0, &b, &err) == SYNAP_OK, "the parent after a fork");
}

/* A panic inside the library is an error; that client is unusable, others work. */
static void after_panic(void) {
    synap_client other = 0;
    synap_completion done;
    synap_reply r;
    synap_list l;
    synap_buf buf;
    synap_writer w;
    bool b = false;
    check(synap_open_url("memory://", &other, &err) == SYNAP_OK, "open");
    check(synap_command(client, synap_cstr("test.panic"), NULL, 0, &r, &err) == SYNAP_EPANIC, "a panic in a call");
    synap_error_free(&err);
    check(synap_kv_exists(client, synap_cstr("k"), 0, &b, &err) == SYNAP_EPANIC, "the client after a panic");
    synap_error_free(&err);
    check(synap_kv_exists(other, synap_cstr("k"), 0, &b, &err) == SYNAP_OK, "another client after a panic");
    synap_writer_init(&w);
    synap_command_frame(&w, synap_cstr("test.panic"), NULL);
    check(synap_submit(other, synap_writer_data(&w), w.len, 0, 1, &err) == SYNAP_OK, "submit");
    check(synap_poll(other, 1, 1000, &buf, &err) == SYNAP_OK, "poll");
    synap_list_take(&l, &buf);
    check(synap_completion_next(&l, &done) && done.failure.code == SYNAP_EPANIC, "a panic in a submitted call");
    synap_list_free(&l);
}

/* The process ends although a call is in flight. */
static void exit_in_flight(void) {
    synap_str topic = synap_cstr("silent");
    synap_writer w;
    int64_t sub = 0;
    check(synap_pubsub_subscribe(client, &topic, 1, NULL, 0, &sub, &err) == SYNAP_OK, "subscribe");
    synap_writer_init(&w);
    synap_next_frame(&w, sub, 1);
    check(synap_submit(client, synap_writer_data(&w), w.len, 60000, 1, &err) == SYNAP_OK, "submit");
    exit(0);
}

int main(int argc, char **argv) {
    check(argc == 2 && synap_open_url("memory://", &client, &err) == SYNAP_OK, "open");
    if (strcmp(argv[1], "fork") == 0)
        after_fork();
    else if (strcmp(argv[1], "panic") == 0)
        after_panic();
    else
        exit_in_flight();
    printf("guards: %s\n", argv[1]);
    return 0;
}
