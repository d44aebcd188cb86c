/* The conformance driver of the C interface (tests/conformance/runner, driver.go).
 * Request frames go to synap_call as they come. */
#include <stdio.h>

#include "synap.h"

/* Reads n bytes; false at the end of input. */
static bool read_all(void *data, size_t n) { return n == 0 || fread(data, 1, n, stdin) == n; }

static void answer(const uint8_t *data, size_t len) {
    uint8_t size[4];
    int i;
    for (i = 0; i < 4; i++)
        size[i] = (uint8_t)(len >> (8 * i));
    fwrite(size, 1, 4, stdout);
    fwrite(data, 1, len, stdout);
    fflush(stdout);
}

/* [reply]: data is one MessagePack value. */
static void answer_reply(const uint8_t *data, size_t len) {
    synap_writer w;
    synap_writer_init(&w);
    synap_write_array(&w, 1);
    synap_write_raw(&w, data, len);
    answer(synap_writer_data(&w), w.len);
    synap_writer_free(&w);
}

/* [nil, [code, status, flags, message, command, transport]] */
static void answer_error(const synap_error *err) {
    synap_writer w;
    synap_writer_init(&w);
    synap_write_array(&w, 2);
    synap_write_nil(&w);
    synap_write_array(&w, 6);
    synap_write_int(&w, err->code);
    synap_write_int(&w, err->status);
    synap_write_int(&w, err->flags);
    synap_write_cstr(&w, err->message);
    synap_write_cstr(&w, err->command);
    synap_write_cstr(&w, err->transport);
    answer(synap_writer_data(&w), w.len);
    synap_writer_free(&w);
}

/* Whether the request is ["open", address], and the address. */
static bool is_open(const uint8_t *data, size_t len, synap_str *address) {
    synap_buf buf;
    synap_value request;
    synap_str op;
    buf.data = (uint8_t *)data;
    buf.len = len;
    request = synap_parse(buf);
    op = synap_value_str(synap_value_at(request, 0));
    *address = synap_value_str(synap_value_at(request, 1));
    return op.len == 4 && memcmp(op.data, "open", 4) == 0;
}

int main(void) {
    static const uint8_t nil = 0xc0;
    synap_client client = 0;
    uint8_t size[4];
    while (read_all(size, 4)) {
        size_t len = (size_t)size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
        uint8_t *request = (uint8_t *)malloc(len + 1);
        synap_error err = SYNAP_ERROR_INIT;
        synap_buf reply = SYNAP_BUF_INIT;
        synap_str address;
        int32_t code;
        if (request == NULL || !read_all(request, len))
            return 1;
        if (is_open(request, len, &address)) {
            if (client != 0)
                synap_close(client, NULL);
            code = synap_open(address.data, address.len, NULL, 0, &client, &err);
        } else {
            code = synap_call(client, request, len, 0, &reply, &err);
        }
        if (code != SYNAP_OK)
            answer_error(&err);
        else if (reply.data == NULL)
            answer_reply(&nil, 1);
        else
            answer_reply(reply.data, reply.len);
        synap_error_free(&err);
        synap_buf_free(&reply);
        free(request);
    }
    return client == 0 || synap_close(client, NULL) == SYNAP_OK ? 0 : 1;
}
