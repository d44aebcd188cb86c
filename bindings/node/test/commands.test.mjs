// Every command of the table is called, by clients and batches, on both transports.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, onEach, startServer, utf8 } from "./helpers.mjs";
import { commands, records } from "./generated/table.mjs";

/** Checks a record: its fields are those of the table, and some have values. */
const record = (name, fields = {}) => (got) => {
  assert.deepEqual(Object.keys(got), records[name]);
  for (const [field, value] of Object.entries(fields)) assert.deepStrictEqual(got[field], value, field);
};
const number = (got) => assert.strictEqual(typeof got, "number");
const id = (got) => assert.ok(typeof got === "string" && got.length > 0);
const sorted = (...want) => (got) => assert.deepStrictEqual([...got].sort(), want);
const messageId = (state) => state["queue.consume"].messageId;

// [command, arguments, result or check], in order. An argument that is a function
// gets the latest results by command.
const CALLS = [
  ["kv.set", ["k", "v", { ttl: 100 }], true],
  ["kv.set", ["k", "w", { nx: true }], false],
  ["kv.set", ["k", "v", { xx: true, keepttl: true }], true],
  ["kv.ttl", ["k"], (n) => assert.ok(n > 90 && n <= 100)],
  ["kv.get", ["k"], "v"],
  ["kv.get_bytes", ["k"], utf8("v")],
  ["kv.exists", ["k"], true],
  ["kv.persist", ["k"], true],
  ["kv.ttl", ["k"], null],
  ["kv.expire", ["k", 50], true],
  ["kv.delete", ["k"], true],
  ["kv.delete", ["k"], false],
  ["kv.set_json", ["j", { a: [1, null] }, { ttl: 5 }], true],
  ["kv.get_json", ["j"], { a: [1, null] }],
  ["kv.incr", ["n"], 1],
  ["kv.incrby", ["n", 5], 6],
  ["kv.decr", ["n"], 5],
  ["kv.decrby", ["n", 3], 2],
  ["kv.mset", [[["a", "1"], ["b", "2"]]], undefined],
  ["kv.mset", [{ c: "3" }], undefined],
  ["kv.mget", [["a", "x", "c"]], ["1", null, "3"]],
  ["kv.msetnx", [[["a", "9"], ["d", "4"]]], false],
  ["kv.msetnx", [new Map([["d", "4"]])], true],
  ["kv.mdel", [new Set(["a", "b", "x"])], 2],
  ["kv.append", ["s", "Hello"], 5],
  ["kv.append", ["s", " World"], 11],
  ["kv.getrange", ["s", 0, 4], "Hello"],
  ["kv.setrange", ["s", 6, "Redis"], 11],
  ["kv.strlen", ["s"], 11],
  ["kv.getset", ["s", "new"], "Hello Redis"],
  ["kv.scan", [{ prefix: "s", limit: 10 }], ["s"]],
  ["kv.keys", [], sorted("c", "d", "j", "n", "s")],
  ["kv.dbsize", [], number],
  ["kv.stats", [], record("KVStats")],
  ["kv.flushdb", [], number],
  ["kv.flushall", [], number],
  ["kv.keys", [], []],
  ["queue.create", ["q", { maxDepth: 10, ackDeadlineSecs: 30 }], undefined],
  ["queue.publish", ["q", utf8("one"), { priority: 1 }], id],
  ["queue.publish", ["q", utf8("two"), { priority: 9, maxRetries: 2 }], id],
  ["queue.consume", ["q", "w"], record("QueueMessage", { payload: utf8("two"), priority: 9, retryCount: 0, maxRetries: 2 })],
  ["queue.ack", ["q", messageId], undefined],
  ["queue.consume", ["q", "w"], record("QueueMessage", { payload: utf8("one"), priority: 1 })],
  ["queue.nack", ["q", messageId, { requeue: true }], undefined],
  ["queue.stats", ["q"], record("QueueStats", { depth: 1, acked: 1, nacked: 1 })],
  ["queue.list", [], ["q"]],
  ["queue.purge", ["q"], 1],
  ["queue.consume", ["q", "w"], null],
  ["queue.delete", ["q"], true],
  ["stream.create", ["r", { partitions: 1, retentionHours: 24 }], undefined],
  ["stream.get_or_create", ["r"], false],
  ["stream.publish", ["r", "user.signup", { id: 1 }], 0],
  ["stream.publish", ["r", "user.login", "text"], 1],
  ["stream.consume", ["r", "me", { fromOffset: 1, limit: 10 }], ([event, ...rest]) => {
    assert.equal(rest.length, 0);
    record("StreamEvent", { offset: 1, event: "user.login", data: "text" })(event);
  }],
  ["stream.stats", ["r"], record("StreamStats", { name: "r", messageCount: 2, maxOffset: 1 })],
  ["stream.list", [], ["r"]],
  ["stream.delete", ["r"], undefined],
  ["pubsub.publish", ["t", "hello", { metadata: { a: "b" } }], record("Published", { subscribersMatched: 0 })],
  ["pubsub.topics", [], []],
  ["pubsub.stats", [], record("PubSubStats", { messagesPublished: 1 })],
];

// [command, arguments, what to do then, check of the item]
const SUBSCRIPTIONS = [
  ["pubsub.subscribe", [["t.*"], { buffer: 10 }], (c) => c.pubsub.publish("t.a", { n: 1 }, { metadata: { a: "b" } }), record("PubSubMessage", { topic: "t.a", message: { n: 1 }, metadata: { a: "b" }, lost: 0 })],
  ["kv.watch", [["w:*"]], (c) => c.kv.set("w:1", "x"), record("WatchEvent", { key: "w:1", event: "set", value: "x", truncated: false, lost: 0 })],
  ["stream.follow", ["r", "me", { fromOffset: 0 }], (c) => c.stream.publish("r", "e", [1]), record("FollowedEvent", { offset: 0, event: "e", data: [1], lost: 0 })],
  ["queue.follow", ["q", "w", { prefetch: 2 }], (c) => c.queue.publish("q", utf8("p")), record("QueueMessage", { payload: utf8("p") })],
];

const method = (of, name) => {
  const family = of[name.split(".")[0]];
  return family[commands[name].method].bind(family);
};
const judge = (name, want, got) => (typeof want === "function" ? want(got) : assert.deepStrictEqual(got, want, name));
const resolve = (args, state) => args.map((a) => (typeof a === "function" ? a(state) : a));

test("the lists name every command", () => {
  const named = new Set([...CALLS, ...SUBSCRIPTIONS].map(([name]) => name).concat("pubsub.info", "pubsub.unsubscribe"));
  // The commands of all other families are called by calls-table.test.mjs alone.
  const here = Object.keys(commands).filter((name) => /^(kv|queue|stream|pubsub)\./.test(name));
  assert.deepEqual([...named].sort(), here.sort());
});

onEach(test, "calls", async (client) => {
  const state = {};
  for (const [name, args, want] of CALLS) {
    state[name] = await method(client, name)(...resolve(args, state), ...(args.length === 0 ? [{ timeoutMs: 4000 }] : []));
    judge(name, want, state[name]);
  }
});

onEach(test, "calls in batches", async (client) => {
  const state = {};
  const batch = client.batch();
  for (const [name, args, want] of CALLS) {
    const result = method(batch, name)(...resolve(args, state));
    const [value] = await batch.execute();
    judge(name, want, value);
    assert.strictEqual(result.result(), value);
    state[name] = value;
  }
});

onEach(test, "subscriptions", async (client) => {
  await client.stream.create("r");
  await client.queue.create("q");
  for (const [name, args, act, check] of SUBSCRIPTIONS) {
    const subscription = await method(client, name)(...args);
    await act(client);
    check(await subscription.next({ timeoutMs: 5000 }));
    await subscription.close();
  }
});

onEach(test, "commands about a subscriber", async (client) => {
  const { subscriber_id } = await client.command("pubsub.subscribe", { topics: ["news"] });
  assert.deepStrictEqual(await client.pubsub.topics(), ["news"]);
  record("TopicInfo", { topic: "news", subscriberCount: 1 })(await client.pubsub.info("news"));
  assert.strictEqual(await client.pubsub.unsubscribe(subscriber_id, { topics: ["news"] }), 1);
  const batch = client.batch();
  batch.pubsub.info("news");
  batch.pubsub.unsubscribe(subscriber_id);
  assert.deepEqual((await batch.execute()).map((v) => typeof v), ["object", "number"]);
});

test("raw commands", async (t) => {
  for (const address of ["memory://", (await startServer(t)).url]) {
    const client = await connect(t, address);
    await client.command("kv.set", { key: "k", value: "v" });
    assert.strictEqual(await client.command("kv.get", { key: "k" }), "v");
    assert.deepStrictEqual((await client.command("kv.keys")).keys, ["k"]);
    const batch = client.batch();
    batch.command("hash.set", { key: "h", field: "f", value: "1" });
    const got = batch.command("hash.get", { key: "h", field: "f" });
    await batch.execute();
    assert.deepStrictEqual(got.result(), { found: true, value: "1" });
    await assert.rejects(client.command("kv.nope"), { code: "Unsupported", command: "kv.nope" });
    await assert.rejects(client.command(5), { code: "InvalidArgument" });
  }
});
