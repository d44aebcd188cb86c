import { given } from "./literals.js";

/** A text as a C string literal in UTF-8. */
function quoted(text) {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0);
    if (char === '"' || char === "\\" || char === "?") out += "\\" + char; // ? because of trigraphs
    else if (char === "\n") out += "\\n";
    else if (code < 0x20 || code === 0x7f) out += "\\" + code.toString(8).padStart(3, "0");
    else out += char;
  }
  return '"' + out + '"';
}

const str = (text) => `synap_cstr(${quoted(text)})`;
const size = (text) => new TextEncoder().encode(text).length;
const text = (field) => `(int)${field}.len, ${field}.data`;

/** The statements that write a JSON value. */
function written(value) {
  const write = (kind, argument) => `synap_write_${kind}(&data${argument === undefined ? "" : ", " + argument});`;
  if (value === null) return [write("nil")];
  if (typeof value === "string") return [write("cstr", quoted(value))];
  if (typeof value === "boolean") return [write("bool", value)];
  if (typeof value === "bigint" || Number.isInteger(value)) return [write("int", `INT64_C(${value})`)];
  if (typeof value === "number") return [write("float", value)];
  if (Array.isArray(value)) return [write("array", value.length), ...value.flatMap(written)];
  const members = Object.entries(value);
  return [write("map", members.length), ...members.flatMap(([k, v]) => [write("cstr", quoted(k)), ...written(v)])];
}

// Optional numbers that have a flag of their own, because 0 is not their default.
const flagged = new Set(["priority"]);

/** The declaration of options with its assignments, and what to pass. */
function options(type, args, names) {
  const members = given(args, names);
  if (!members.length) return { lines: [], passed: "NULL" };
  return {
    lines: [
      `synap_${type}_options options = SYNAP_${type.toUpperCase()}_OPTIONS_INIT;`,
      ...members.flatMap(([name, value]) => [
        ...(flagged.has(name) ? [`options.has_${name} = true;`] : []),
        `options.${name} = ${typeof value === "string" ? str(value) : value};`,
      ]),
    ],
    passed: "&options",
  };
}

const checked = (call) => [`if (${call} != SYNAP_OK)`, "    goto failed;"];

const each = (declared, call, type, print) => [
  ...declared,
  "int64_t subscription;",
  ...checked(call),
  "for (;;) {",
  "    synap_list items;",
  `    synap_${type}_t item;`,
  "    if (synap_next(client, subscription, 100, 1000, &items, &err) != SYNAP_OK)",
  "        goto failed;",
  `    while (synap_${type}_next(&items, &item))`,
  `        printf(${print}); /* item.lost: how many were lost before it */`,
  "    synap_list_free(&items);",
  "}",
];

const patterns = (name, list) => `synap_str ${name}[] = {${list.map(str).join(", ")}};`;

export const calls = {
  "kv.set"(a) {
    const o = options("kv_set", a, ["ttl"]);
    return [...o.lines, ...checked(`synap_kv_set(client, ${str(a.key)}, synap_text(${quoted(a.value)}), ${o.passed}, 0, NULL, &err)`)];
  },
  "kv.get": (a) => [
    "synap_reply reply;",
    ...checked(`synap_kv_get(client, ${str(a.key)}, 0, &reply, &err)`),
    "synap_bytes value = synap_value_bytes(reply.value); /* kind SYNAP_NIL: there is no such key */",
    `printf("%.*s\\n", (int)value.len, (const char *)value.data);`,
    "synap_reply_free(&reply);",
  ],
  "kv.delete": (a) => [
    "bool existed;",
    ...checked(`synap_kv_delete(client, ${str(a.key)}, 0, &existed, &err)`),
    `printf("%s\\n", existed ? "deleted" : "no such key");`,
  ],
  "kv.incr": (a) => [
    "int64_t number;",
    ...checked(`synap_kv_incr(client, ${str(a.key)}, 0, &number, &err)`),
    `printf("%lld\\n", (long long)number);`,
  ],
  "kv.scan"(a) {
    const o = options("kv_scan", a, ["prefix"]);
    return [
      ...o.lines,
      "synap_list keys;",
      "synap_str key;",
      ...checked(`synap_kv_scan(client, ${o.passed}, 0, &keys, &err)`),
      "while (synap_list_next_str(&keys, &key))",
      `    printf("%.*s\\n", ${text("key")});`,
      "synap_list_free(&keys);",
    ];
  },
  "kv.watch": (a) =>
    each([patterns("keys", a.keys)], `synap_kv_watch(client, keys, ${a.keys.length}, NULL, 0, &subscription, &err)`, "watch_event",
      `"%.*s %.*s\\n", ${text("item.key")}, ${text("item.event")}`),

  "queue.create"(a) {
    const o = options("queue_create", a, ["max_depth", "ack_deadline_secs"]);
    return [...o.lines, ...checked(`synap_queue_create(client, ${str(a.name)}, ${o.passed}, 0, &err)`)];
  },
  "queue.publish"(a) {
    const o = options("queue_publish", a, ["priority"]);
    const payload = `synap_bytes_of(${quoted(a.payload)}, ${size(a.payload)})`;
    return [...o.lines, ...checked(`synap_queue_publish(client, ${str(a.queue)}, ${payload}, ${o.passed}, 0, NULL, &err)`)];
  },
  "queue.consume": (a) => [
    "synap_queue_message_t message;",
    "bool found;",
    ...checked(`synap_queue_consume(client, ${str(a.queue)}, ${str(a.consumer_id)}, 0, &message, &found, &err)`),
    "if (found) {",
    `    printf("%.*s: %zu bytes\\n", ${text("message.message_id")}, message.payload.len);`,
    "    synap_queue_message_free(&message);",
    "}",
  ],
  "queue.ack": (a) => checked(`synap_queue_ack(client, ${str(a.queue)}, ${str(a.message_id)}, 0, &err)`),
  "queue.nack": (a) => checked(`synap_queue_nack(client, ${str(a.queue)}, ${str(a.message_id)}, NULL, 0, &err)`),
  "queue.stats": (a) => [
    "synap_queue_stats_t stats;",
    ...checked(`synap_queue_stats(client, ${str(a.queue)}, 0, &stats, &err)`),
    `printf("%lld waiting, %lld acked\\n", (long long)stats.depth, (long long)stats.acked);`,
    "synap_queue_stats_free(&stats);",
  ],

  "stream.get_or_create": (a) => [
    "bool created;",
    ...checked(`synap_stream_get_or_create(client, ${str(a.room)}, 0, &created, &err)`),
    `printf("%s\\n", created ? "created" : "was there");`,
  ],
  "stream.publish": (a) => [
    "int64_t offset;",
    "synap_writer data;",
    "synap_writer_init(&data);",
    ...written(a.data),
    ...checked(`synap_stream_publish(client, ${str(a.room)}, ${str(a.event)}, &data, 0, &offset, &err)`),
    `printf("offset %lld\\n", (long long)offset);`,
    "synap_writer_free(&data);",
  ],
  "stream.consume"(a) {
    const o = options("stream_consume", a, ["from_offset"]);
    return [
      ...o.lines,
      "synap_list items;",
      "synap_stream_event_t item;",
      ...checked(`synap_stream_consume(client, ${str(a.room)}, ${str(a.subscriber_id)}, ${o.passed}, 0, &items, &err)`),
      "while (synap_stream_event_next(&items, &item))",
      `    printf("%lld %.*s\\n", (long long)item.offset, ${text("item.event")});`,
      "synap_list_free(&items);",
    ];
  },
  "stream.follow"(a) {
    const o = options("stream_follow", a, ["from_offset"]);
    return each(o.lines, `synap_stream_follow(client, ${str(a.room)}, ${str(a.subscriber_id)}, ${o.passed}, 0, &subscription, &err)`, "followed_event",
      `"%lld %.*s\\n", (long long)item.offset, ${text("item.event")}`);
  },

  "pubsub.publish": (a) => [
    "synap_published_t published;",
    "synap_writer data;",
    "synap_writer_init(&data);",
    ...written(a.message),
    ...checked(`synap_pubsub_publish(client, ${str(a.topic)}, &data, NULL, 0, &published, &err)`),
    `printf("%lld subscribers\\n", (long long)published.subscribers_matched);`,
    "synap_published_free(&published);",
    "synap_writer_free(&data);",
  ],
  "pubsub.subscribe": (a) =>
    each([patterns("topics", a.topics)], `synap_pubsub_subscribe(client, topics, ${a.topics.length}, NULL, 0, &subscription, &err)`, "pubsub_message",
      `"%.*s\\n", ${text("item.topic")}`),
};

export const wrap = (url, note, lines) =>
  [
    "#include <stdio.h>",
    "#include <synap.h>",
    "",
    "int main(void) {",
    "    synap_client client;",
    "    synap_error err = SYNAP_ERROR_INIT;",
    ...(note ? ["    /* " + note + " */"] : []),
    `    if (synap_open_url(${quoted(url)}, &client, &err) != SYNAP_OK)`,
    "        goto failed;",
    ...lines.map((line) => "    " + line),
    // A subscription is read for ever.
    ...(lines.includes("for (;;) {") ? [] : ["    synap_close(client, NULL);", "    return 0;"]),
    "failed:",
    `    fprintf(stderr, "%s\\n", err.message);`,
    "    synap_error_free(&err);",
    "    return 1;",
    "}",
  ].join("\n");
