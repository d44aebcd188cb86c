import { given, quoted } from "./literals.js";

/** A JSON value as Go writes it. */
function json(value) {
  if (value === null) return "nil";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return "[]any{" + value.map(json).join(", ") + "}";
  if (typeof value === "object") return "map[string]any{" + Object.entries(value).map(([k, v]) => quoted(k) + ": " + json(v)).join(", ") + "}";
  return String(value);
}

const texts = (list) => "[]string{" + list.map(quoted).join(", ") + "}";

// Optional numbers that are pointers, because 0 is not their default.
const pointers = new Set(["priority"]);
const fields = { ttl: "TTL", max_depth: "MaxDepth", ack_deadline_secs: "AckDeadlineSecs", priority: "Priority", from_offset: "FromOffset", prefix: "Prefix" };

function options(type, args, names) {
  const members = given(args, names).map(([name, value]) => {
    const written = typeof value === "string" ? quoted(value) : pointers.has(name) ? `core.Int64(${value})` : value;
    return `${fields[name]}: ${written}`;
  });
  return members.length ? `&core.${type}{${members.join(", ")}}` : "nil";
}

const checked = (assignment) => [`if ${assignment}; err != nil {`, "\tlog.Fatal(err)", "}"];

const printed = (names, call) => [`${names}, err := ${call}`, "if err != nil {", "\tlog.Fatal(err)", "}", `fmt.Println(${names})`];

const each = (subscription, print) => [
  `items, err := ${subscription}`,
  "if err != nil {",
  "\tlog.Fatal(err)",
  "}",
  "for item, err := range items.All(ctx) {",
  "\tif err != nil {",
  "\t\tlog.Fatal(err)",
  "\t}",
  `\tfmt.Println(${print}) // item.Lost: how many were lost before it`,
  "}",
];

export const calls = {
  "kv.set": (a) => printed("written", `client.KV.Set(ctx, ${quoted(a.key)}, ${quoted(a.value)}, ${options("KVSetOptions", a, ["ttl"])})`),
  "kv.get": (a) => printed("value, found", `client.KV.Get(ctx, ${quoted(a.key)})`),
  "kv.delete": (a) => printed("existed", `client.KV.Delete(ctx, ${quoted(a.key)})`),
  "kv.incr": (a) => printed("number", `client.KV.Incr(ctx, ${quoted(a.key)})`),
  "kv.scan": (a) => printed("keys", `client.KV.Scan(ctx, ${options("KVScanOptions", a, ["prefix"])})`),
  "kv.watch": (a) => each(`client.KV.Watch(ctx, ${texts(a.keys)}, nil)`, "item.Key, item.Event, item.Value"),

  "queue.create": (a) => checked(`err := client.Queue.Create(ctx, ${quoted(a.name)}, ${options("QueueCreateOptions", a, ["max_depth", "ack_deadline_secs"])})`),
  "queue.publish": (a) =>
    printed("id", `client.Queue.Publish(ctx, ${quoted(a.queue)}, []byte(${quoted(a.payload)}), ${options("QueuePublishOptions", a, ["priority"])})`),
  "queue.consume": (a) => [
    `message, err := client.Queue.Consume(ctx, ${quoted(a.queue)}, ${quoted(a.consumer_id)})`,
    "if err != nil {",
    "\tlog.Fatal(err)",
    "}",
    "if message != nil {",
    "\tfmt.Println(message.MessageID, string(message.Payload))",
    "}",
  ],
  "queue.ack": (a) => checked(`err := client.Queue.Ack(ctx, ${quoted(a.queue)}, ${quoted(a.message_id)})`),
  "queue.nack": (a) => checked(`err := client.Queue.Nack(ctx, ${quoted(a.queue)}, ${quoted(a.message_id)}, nil)`),
  "queue.stats": (a) => printed("stats", `client.Queue.Stats(ctx, ${quoted(a.queue)})`),

  "stream.get_or_create": (a) => printed("created", `client.Stream.GetOrCreate(ctx, ${quoted(a.room)})`),
  "stream.publish": (a) => printed("offset", `client.Stream.Publish(ctx, ${quoted(a.room)}, ${quoted(a.event)}, ${json(a.data)})`),
  "stream.consume": (a) => [
    `events, err := client.Stream.Consume(ctx, ${quoted(a.room)}, ${quoted(a.subscriber_id)}, ${options("StreamConsumeOptions", a, ["from_offset"])})`,
    "if err != nil {",
    "\tlog.Fatal(err)",
    "}",
    "for _, item := range events {",
    "\tfmt.Println(item.Offset, item.Event, item.Data)",
    "}",
  ],
  "stream.follow": (a) =>
    each(
      `client.Stream.Follow(ctx, ${quoted(a.room)}, ${quoted(a.subscriber_id)}, ${options("StreamFollowOptions", a, ["from_offset"])})`,
      "item.Offset, item.Event, item.Data",
    ),

  "pubsub.publish": (a) => printed("published", `client.PubSub.Publish(ctx, ${quoted(a.topic)}, ${json(a.message)}, nil)`),
  "pubsub.subscribe": (a) => each(`client.PubSub.Subscribe(ctx, ${texts(a.topics)}, nil)`, "item.Topic, item.Message"),
};

export function wrap(url, note, lines) {
  const imports = ["context", "fmt", "log"].filter((name) => name !== "fmt" || lines.some((line) => line.includes("fmt.")));
  return [
    "package main",
    "",
    "import (",
    ...imports.map((name) => `\t"${name}"`),
    "",
    `\t"github.com/libsynap/libsynap/core"`,
    ")",
    "",
    "func main() {",
    "\tctx := context.Background()",
    ...(note ? ["\t// " + note] : []),
    `\tclient, err := core.Open(${quoted(url)})`,
    "\tif err != nil {",
    "\t\tlog.Fatal(err)",
    "\t}",
    "\tdefer client.Close()",
    ...lines.map((line) => "\t" + line),
    "}",
  ].join("\n");
}
