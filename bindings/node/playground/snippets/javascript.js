import { given, quoted, quotedList } from "./literals.js";

/** A JSON value as JavaScript writes it. */
function json(value) {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "bigint") return value + "n";
  if (Array.isArray(value)) return "[" + value.map(json).join(", ") + "]";
  // A computed name, because __proto__: as a plain one is no member.
  const name = (k) => (k === "__proto__" ? `["__proto__"]` : quoted(k));
  if (value && typeof value === "object") return "{ " + Object.entries(value).map(([k, v]) => name(k) + ": " + json(v)).join(", ") + " }";
  return String(value);
}

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const bytes = (text) => `new TextEncoder().encode(${quoted(text)})`;

function options(args, names) {
  const members = given(args, names).map(([name, value]) => `${camel(name)}: ${typeof value === "string" ? quoted(value) : value}`);
  return members.length ? `, { ${members.join(", ")} }` : "";
}

const each = (subscription, print) => [
  `for await (const item of ${subscription}) {`,
  `  console.log(${print}); // item.lost: how many were lost before it`,
  "}",
];

export const calls = {
  "kv.set": (a) => [`await client.kv.set(${quoted(a.key)}, ${quoted(a.value)}${options(a, ["ttl"])});`],
  "kv.get": (a) => [`console.log(await client.kv.get(${quoted(a.key)}));`],
  "kv.delete": (a) => [`console.log(await client.kv.delete(${quoted(a.key)}));`],
  "kv.incr": (a) => [`console.log(await client.kv.incr(${quoted(a.key)}));`],
  "kv.scan": (a) => [`console.log(await client.kv.scan(${options(a, ["prefix"]).slice(2)}));`],
  "kv.watch": (a) => each(`client.kv.watch(${quotedList(a.keys)})`, "item.key, item.event, item.value"),

  "queue.create": (a) => [`await client.queue.create(${quoted(a.name)}${options(a, ["max_depth", "ack_deadline_secs"])});`],
  "queue.publish": (a) => [`console.log(await client.queue.publish(${quoted(a.queue)}, ${bytes(a.payload)}${options(a, ["priority"])}));`],
  "queue.consume": (a) => [
    `const message = await client.queue.consume(${quoted(a.queue)}, ${quoted(a.consumer_id)});`,
    "if (message) {",
    "  console.log(message.messageId, new TextDecoder().decode(message.payload));",
    "}",
  ],
  "queue.ack": (a) => [`await client.queue.ack(${quoted(a.queue)}, ${quoted(a.message_id)});`],
  "queue.nack": (a) => [`await client.queue.nack(${quoted(a.queue)}, ${quoted(a.message_id)});`],
  "queue.stats": (a) => [`console.log(await client.queue.stats(${quoted(a.queue)}));`],

  "stream.get_or_create": (a) => [`console.log(await client.stream.getOrCreate(${quoted(a.room)}));`],
  "stream.publish": (a) => [`console.log(await client.stream.publish(${quoted(a.room)}, ${quoted(a.event)}, ${json(a.data)}));`],
  "stream.consume": (a) => [
    `for (const item of await client.stream.consume(${quoted(a.room)}, ${quoted(a.subscriber_id)}${options(a, ["from_offset"])})) {`,
    "  console.log(item.offset, item.event, item.data);",
    "}",
  ],
  "stream.follow": (a) =>
    each(`client.stream.follow(${quoted(a.room)}, ${quoted(a.subscriber_id)}${options(a, ["from_offset"])})`, "item.offset, item.event, item.data"),

  "pubsub.publish": (a) => [`console.log(await client.pubsub.publish(${quoted(a.topic)}, ${json(a.message)}));`],
  "pubsub.subscribe": (a) => each(`client.pubsub.subscribe(${quotedList(a.topics)})`, "item.topic, item.message"),
};

export const wrap = (url, note, lines) =>
  [
    `import { SynapClient } from "synap-sdk";`,
    "",
    ...(note ? ["// " + note] : []),
    `const client = await SynapClient.connect(${quoted(url)});`,
    ...lines,
    "await client.close();",
  ].join("\n");
