/* What tests/c/calls_gen.c is written in: results are printed as JSON in the notation of
 * tests/parity/calls, one step a line, for tests/parity/check to judge. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "synap.h"

/* One group of calls; each gets a client with an empty store. */
typedef struct calls_group {
    const char *family;
    int number; /* in the file of its family */
    void (*run)(synap_client client);
} calls_group;

static synap_error calls_error = SYNAP_ERROR_INIT;
static bool first; /* no comma before the next element */

SYNAP_INLINE synap_str text(const char *data, size_t len) {
    synap_str s;
    s.data = data;
    s.len = len;
    return s;
}

/* A text that a later step needs; nobody saves many. */
static struct {
    char name[32], data[256];
    size_t len;
} saved[8];

SYNAP_INLINE synap_str saved_text(const char *name) {
    size_t i;
    for (i = 0; i < sizeof saved / sizeof *saved; i++) {
        if (strcmp(saved[i].name, name) == 0)
            return text(saved[i].data, saved[i].len);
    }
    fprintf(stderr, "nothing was saved as %s\n", name);
    exit(1);
}

SYNAP_INLINE void save_text(const char *name, synap_str s) {
    size_t i = 0;
    while (saved[i].name[0] != '\0' && strcmp(saved[i].name, name) != 0)
        i++;
    if (i == sizeof saved / sizeof *saved || s.len > sizeof saved[i].data)
        exit(1);
    strcpy(saved[i].name, name);
    memcpy(saved[i].data, s.data, s.len);
    saved[i].len = s.len;
}

/* Begins the line of a step, and ends it if the step failed. */
SYNAP_INLINE bool succeeds(int32_t code) {
    if (code == SYNAP_OK) {
        printf("{\"ok\":");
        return true;
    }
    printf("{\"error\":%d,\"message\":\"", (int)code);
    if (calls_error.code != code || calls_error.message == NULL)
        printf("the error says otherwise");
    else {
        const char *p;
        for (p = calls_error.message; *p != '\0'; p++)
            putchar(*p == '"' || *p == '\\' || (unsigned char)*p < ' ' ? ' ' : *p);
    }
    printf("\"}\n");
    synap_error_free(&calls_error);
    return false;
}

SYNAP_INLINE void end_step(void) { printf("}\n"); }

SYNAP_INLINE void print_null(void) { printf("null"); }
SYNAP_INLINE void print_bool(bool b) { printf(b ? "true" : "false"); }
SYNAP_INLINE void print_int(int64_t n) { printf("%" PRId64, n); }

SYNAP_INLINE void print_double(double f) {
    if (isnan(f))
        printf("{\"$float\":\"nan\"}");
    else if (isinf(f))
        printf("{\"$float\":\"%s\"}", f > 0 ? "inf" : "-inf");
    else
        printf("%.17g", f);
}

SYNAP_INLINE void print_str(synap_str s) {
    size_t i;
    if (s.data == NULL) {
        print_null();
        return;
    }
    putchar('"');
    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c < ' ' || c == '"' || c == '\\')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

SYNAP_INLINE void print_bytes(synap_bytes b) {
    const unsigned char *p = (const unsigned char *)b.data;
    size_t i;
    if (p == NULL) {
        print_null();
        return;
    }
    printf("{\"$bytes\":\"");
    for (i = 0; i < b.len; i++)
        printf("%02x", p[i]);
    printf("\"}");
}

SYNAP_INLINE void begin_list(void) {
    putchar('[');
    first = true;
}

SYNAP_INLINE void begin_item(void) {
    if (!first)
        putchar(',');
    first = false;
}

SYNAP_INLINE void end_list(void) {
    putchar(']');
    first = false;
}

SYNAP_INLINE void begin_map(void) {
    putchar('{');
    first = true;
}

SYNAP_INLINE void print_name(const char *name) {
    begin_item();
    printf("\"%s\":", name);
}

SYNAP_INLINE void end_map(void) {
    putchar('}');
    first = false;
}

SYNAP_INLINE void print_value(synap_value v) {
    const uint8_t *p = v.data;
    size_t left = v.as.len;
    switch (v.kind) {
    case SYNAP_BOOL:
        print_bool(v.as.boolean);
        break;
    case SYNAP_INT:
        print_int(v.as.integer);
        break;
    case SYNAP_UINT:
        printf("%" PRIu64, v.as.uinteger);
        break;
    case SYNAP_FLOAT:
        print_double(v.as.number);
        break;
    case SYNAP_STR:
        print_str(synap_value_str(v));
        break;
    case SYNAP_BYTES:
        print_bytes(synap_value_bytes(v));
        break;
    case SYNAP_ARRAY:
        begin_list();
        while (left > 0) {
            begin_item();
            print_value(synap_element(&p, v.end, &left));
        }
        end_list();
        break;
    case SYNAP_MAP:
        begin_map();
        left *= 2;
        while (left > 0) {
            begin_item();
            print_str(synap_value_str(synap_element(&p, v.end, &left)));
            putchar(':');
            print_value(synap_element(&p, v.end, &left));
        }
        end_map();
        break;
    default:
        print_null();
    }
}

SYNAP_INLINE void print_blob(synap_blob b) {
    if (b.is_bytes)
        print_bytes(synap_bytes_of(b.data, b.len));
    else
        print_str(text((const char *)b.data, b.len));
}

SYNAP_INLINE void print_list(synap_list *l) {
    synap_value v;
    begin_list();
    while (synap_list_next(l, &v)) {
        begin_item();
        print_value(v);
    }
    end_list();
}

extern const calls_group calls_groups[];

int main(void) {
    const calls_group *g;
    for (g = calls_groups; g->family != NULL; g++) {
        synap_client client = 0;
        if (synap_open_url("memory://", &client, NULL) != SYNAP_OK)
            return 1;
        printf("{\"family\":\"%s\",\"group\":%d}\n", g->family, g->number);
        g->run(client);
        if (synap_close(client, NULL) != SYNAP_OK)
            return 1;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
