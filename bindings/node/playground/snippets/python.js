import { given, quoted, quotedList } from "./literals.js";

/** A JSON value as Python writes it. */
function json(value) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return "[" + value.map(json).join(", ") + "]";
  if (typeof value === "object") return "{" + Object.entries(value).map(([k, v]) => quoted(k) + ": " + json(v)).join(", ") + "}";
  return String(value);
}

const bytes = (text) => (/^[\x20-\x7e]*$/.test(text) ? "b" + quoted(text) : quoted(text) + ".encode()");
const keywords = (args, names) => given(args, names).map(([name, value]) => `, ${name}=${value}`).join("");
const each = (subscription, print) => [`for item in ${subscription}:`, `    print(${print})  # item.lost: how many were lost before it`];

export const calls = {
  "kv.set": (a) => [`client.kv.set(${quoted(a.key)}, ${quoted(a.value)}${keywords(a, ["ttl"])})`],
  "kv.get": (a) => [`print(client.kv.get(${quoted(a.key)}))`],
  "kv.delete": (a) => [`print(client.kv.delete(${quoted(a.key)}))`],
  "kv.incr": (a) => [`print(client.kv.incr(${quoted(a.key)}))`],
  "kv.scan": (a) => [`print(client.kv.scan(${a.prefix === undefined ? "" : quoted(a.prefix)}))`],
  "kv.watch": (a) => each(`client.kv.watch(${quotedList(a.keys)})`, "item.key, item.event, item.value"),

  "queue.create": (a) => [`client.queue.create(${quoted(a.name)}${keywords(a, ["max_depth", "ack_deadline_secs"])})`],
  "queue.publish": (a) => [`print(client.queue.publish(${quoted(a.queue)}, ${bytes(a.payload)}${keywords(a, ["priority"])}))`],
  "queue.consume": (a) => [
    `message = client.queue.consume(${quoted(a.queue)}, ${quoted(a.consumer_id)})`,
    "if message:",
    "    print(message.message_id, message.payload)",
  ],
  "queue.ack": (a) => [`client.queue.ack(${quoted(a.queue)}, ${quoted(a.message_id)})`],
  "queue.nack": (a) => [`client.queue.nack(${quoted(a.queue)}, ${quoted(a.message_id)})`],
  "queue.stats": (a) => [`print(client.queue.stats(${quoted(a.queue)}))`],

  "stream.get_or_create": (a) => [`print(client.stream.get_or_create(${quoted(a.room)}))`],
  "stream.publish": (a) => [`print(client.stream.publish(${quoted(a.room)}, ${quoted(a.event)}, ${json(a.data)}))`],
  "stream.consume": (a) => [
    `for item in client.stream.consume(${quoted(a.room)}, ${quoted(a.subscriber_id)}${keywords(a, ["from_offset"])}):`,
    "    print(item.offset, item.event, item.data)",
  ],
  "stream.follow": (a) =>
    each(`client.stream.follow(${quoted(a.room)}, ${quoted(a.subscriber_id)}${keywords(a, ["from_offset"])})`, "item.offset, item.event, item.data"),

  "pubsub.publish": (a) => [`print(client.pubsub.publish(${quoted(a.topic)}, ${json(a.message)}))`],
  "pubsub.subscribe": (a) => each(`client.pubsub.subscribe(${quotedList(a.topics)})`, "item.topic, item.message"),
};

export const wrap = (url, note, lines) =>
  [
    "from synap_sdk import SynapClient",
    "",
    ...(note ? ["# " + note] : []),
    `with SynapClient(${quoted(url)}) as client:`,
    ...lines.map((line) => "    " + line),
  ].join("\n");
