/* synap.h: the C interface of libsynap. What is declared neither here nor in the
 * files below is not part of it.
 *
 * Ownership, once for all: inputs are borrowed until the call returns; every
 * synap_buf you receive is yours and is freed once with synap_buf_free. The typed
 * results below hold one synap_buf each and have a _free function of their own;
 * texts and values inside them are borrowed from it.
 *
 * Errors: every function that can fail returns SYNAP_OK (0) or a SYNAP_E… code,
 * and fills *err if err is not NULL; free it with synap_error_free before it is
 * used again. After a failure no other output is written.
 *
 * Threads: every function may be called from any thread; a client may be shared.
 * Fork: load the library after a fork. In a forked child every function returns
 * SYNAP_EFORK at once.
 *
 * Linking: pkg-config synap, or find_package(Synap) in CMake. C99, C11 and C++17.
 *
 *     synap_client client;
 *     synap_reply name;
 *     synap_error err = SYNAP_ERROR_INIT;
 *     if (synap_open_url("http://localhost:15500", &client, &err) != SYNAP_OK ||
 *         synap_kv_get(client, synap_cstr("user:1"), 0, &name, &err) != SYNAP_OK) {
 *         fprintf(stderr, "%s\n", err.message);
 *         exit(1);
 *     }
 *     synap_str text = synap_value_str(name.value);
 *     printf("%.*s\n", (int)text.len, text.data);
 *     synap_reply_free(&name);
 *     synap_close(client, NULL);
 */
#ifndef SYNAP_H
#define SYNAP_H

#include "synap/abi.h"          /* the functions of the library */
#include "synap/msgpack.h"      /* writing requests, reading replies */
#include "synap/requests.h"     /* replies, batches, subscriptions, completions */
#include "synap/commands_gen.h" /* a typed function per command */

#endif
