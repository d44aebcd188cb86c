/* The guide's quick start in C, against the address in argv[1]. It prints nothing
 * unless a step fails. */
#include <stdio.h>

#include "synap.h"

static synap_client client;
static synap_error err = SYNAP_ERROR_INIT;

/* Ends the program if a step failed. */
static void check(int ok, const char *step) {
    if (ok)
        return;
    fprintf(stderr, "quickstart (C): %s: %s\n", step, err.message != NULL ? err.message : "unexpected result");
    exit(1);
}

static int is(synap_str s, const char *text) { return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0; }

static void key_value(void) {
    synap_kv_set_options options = SYNAP_KV_SET_OPTIONS_INIT;
    synap_reply value;
    bool deleted = false;
    options.ttl = 3600;
    check(synap_kv_set(client, synap_cstr("user:1"), synap_text("John Doe"), &options, 0, NULL, &err) == SYNAP_OK, "kv.set");
    check(synap_kv_get(client, synap_cstr("user:1"), 0, &value, &err) == SYNAP_OK, "kv.get");
    check(is(synap_value_str(value.value), "John Doe"), "kv.get");
    synap_reply_free(&value);
    check(synap_kv_delete(client, synap_cstr("user:1"), 0, &deleted, &err) == SYNAP_OK && deleted, "kv.delete");
}

static void queue(void) {
    synap_queue_create_options settings = SYNAP_QUEUE_CREATE_OPTIONS_INIT;
    synap_queue_publish_options options = SYNAP_QUEUE_PUBLISH_OPTIONS_INIT;
    synap_queue_message_t message;
    synap_reply id;
    bool found = false;
    settings.max_depth = 1000;
    options.has_priority = true;
    options.priority = 5;
    check(synap_queue_create(client, synap_cstr("jobs-c"), &settings, 0, &err) == SYNAP_OK, "queue.create");
    check(synap_queue_publish(client, synap_cstr("jobs-c"), synap_bytes_of("Hello", 5), &options, 0, &id, &err) == SYNAP_OK,
          "queue.publish");
    synap_reply_free(&id);
    check(synap_queue_consume(client, synap_cstr("jobs-c"), synap_cstr("worker-1"), 0, &message, &found, &err) == SYNAP_OK,
          "queue.consume");
    check(found && message.payload.len == 5 && memcmp(message.payload.data, "Hello", 5) == 0, "queue.consume");
    check(synap_queue_ack(client, synap_cstr("jobs-c"), message.message_id, 0, &err) == SYNAP_OK, "queue.ack");
    synap_queue_message_free(&message);
}

static void stream(void) {
    synap_stream_consume_options options = SYNAP_STREAM_CONSUME_OPTIONS_INIT;
    synap_stream_event_t event;
    synap_writer data;
    synap_list events;
    int64_t offset = -1;
    check(synap_stream_get_or_create(client, synap_cstr("notifications-c"), 0, NULL, &err) == SYNAP_OK, "stream.get_or_create");
    synap_writer_init(&data);
    synap_write_cstr(&data, "New user registered");
    check(synap_stream_publish(client, synap_cstr("notifications-c"), synap_cstr("user.signup"), &data, 0, &offset, &err) == SYNAP_OK,
          "stream.publish");
    synap_writer_free(&data);
    options.from_offset = offset;
    options.has_limit = true;
    options.limit = 10;
    check(synap_stream_consume(client, synap_cstr("notifications-c"), synap_cstr("user-1"), &options, 0, &events, &err) == SYNAP_OK,
          "stream.consume");
    check(synap_stream_event_next(&events, &event), "stream.consume");
    check(is(event.event, "user.signup") && is(synap_value_str(event.data), "New user registered"), "stream.consume");
    synap_list_free(&events);
}

static void pubsub(void) {
    synap_str topic = synap_cstr("notifications.*");
    synap_pubsub_message_t message;
    synap_published_t published;
    synap_writer text;
    bool found = false;
    int64_t subscription = 0;
    check(synap_pubsub_subscribe(client, &topic, 1, NULL, 0, &subscription, &err) == SYNAP_OK, "pubsub.subscribe");
    synap_writer_init(&text);
    synap_write_cstr(&text, "New order received");
    check(synap_pubsub_publish(client, synap_cstr("notifications.email"), &text, NULL, 0, &published, &err) == SYNAP_OK,
          "pubsub.publish");
    synap_writer_free(&text);
    synap_published_free(&published);
    check(synap_pubsub_subscribe_next(client, subscription, 5000, &message, &found, &err) == SYNAP_OK && found, "next");
    check(is(message.topic, "notifications.email") && is(synap_value_str(message.message), "New order received"), "next");
    synap_pubsub_message_free(&message);
    check(synap_unsubscribe(client, subscription, &err) == SYNAP_OK, "unsubscribe");
}

int main(int argc, char **argv) {
    if (argc != 2 || synap_abi_version() != SYNAP_ABI_VERSION) {
        fprintf(stderr, "usage: quickstart ADDRESS (with the library of this header)\n");
        return 2;
    }
    check(synap_open_url(argv[1], &client, &err) == SYNAP_OK, "open");
    key_value();
    queue();
    stream();
    pubsub();
    check(synap_close(client, &err) == SYNAP_OK, "close");
    return 0;
}
