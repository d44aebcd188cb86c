// What goes in comes out: byte for byte, type for type.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryValueError, Float, InvalidArgumentError, SynapError } from "synap-sdk";
import { bytes, connect, onEach, startServer, utf8 } from "./helpers.mjs";

const TEXTS = ["123", "true", "null", "{}", "", "[1,2]", '"quoted"', "1.0", " padded ", "é", "\u{1f600}", "a\0b", "\0", "\r\n", "\\u0041", "\ufeffbom", "x".repeat(1 << 20)];

onEach(test, "text stays text", async (client) => {
  for (const text of TEXTS) {
    await client.kv.set("k", text);
    assert.strictEqual(await client.kv.get("k"), text);
    assert.deepStrictEqual(await client.kv.getBytes("k"), utf8(text));
    await client.kv.mset([["m", text]]);
    assert.deepStrictEqual(await client.kv.mget(["m", "missing"]), [text, null]);
    assert.strictEqual(await client.kv.getset("m", "new"), text);
  }
});

onEach(test, "bytes that are text come back from getBytes", async (client) => {
  await client.kv.set("k", utf8("123"));
  assert.deepStrictEqual(await client.kv.getBytes("k"), utf8("123"));
  await client.kv.append("k", Buffer.from("4"));
  assert.deepStrictEqual(await client.kv.getBytes("k"), utf8("1234"));
  assert.strictEqual(await client.kv.get("k"), "1234");
});

test("binary values", async (t) => {
  const client = await connect(t, "memory://");
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const value of [bytes(0xde, 0xad, 0xbe, 0xef), all, new Uint8Array(1 << 20).fill(255), all.subarray(128, 200)]) {
    await client.kv.set("k", value);
    assert.deepStrictEqual(await client.kv.get("k"), value.slice());
    assert.deepStrictEqual(await client.kv.mget(["k"]), [value.slice()]);
  }
});

test("binary values are refused over HTTP before anything is sent", async (t) => {
  const client = await connect(t, (await startServer(t)).url);
  for (const call of [() => client.kv.set("k", bytes(0xff)), () => client.kv.append("k", bytes(0xff)), () => client.kv.mset({ k: bytes(0xff) })]) {
    await assert.rejects(call(), (e) => (e instanceof BinaryValueError || e instanceof InvalidArgumentError) && /memory:\/\//.test(e.message));
  }
  assert.strictEqual(await client.kv.get("k"), null);
});

onEach(test, "missing is null", async (client) => {
  assert.strictEqual(await client.kv.get("missing"), null);
  assert.strictEqual(await client.kv.getBytes("missing"), null);
  assert.strictEqual(await client.kv.getJson("missing"), null);
  await client.queue.create("q");
  assert.strictEqual(await client.queue.consume("q", "w"), null);
});

onEach(test, "JSON values", async (client, t) => {
  await client.stream.create("room");
  const messages = await client.pubsub.subscribe(["t"]);
  t.after(() => messages.close());
  for (const value of [
    null, true, false, 0, -1, 1.5, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 2 ** 53 - 1, "", "123", "é\u{1f600}", [], {}, [1, [2, { a: null }]], { z: 1, a: [true], m: "" },
  ]) {
    await client.kv.setJson("k", value);
    assert.deepStrictEqual(await client.kv.getJson("k"), value);
    const offset = await client.stream.publish("room", "e", value);
    const [event] = await client.stream.consume("room", "me", { fromOffset: offset });
    assert.deepStrictEqual(event.data, value);
    await client.pubsub.publish("t", value);
    assert.deepStrictEqual((await messages.next({ timeoutMs: 5000 })).message, value);
  }
  await client.kv.setJson("k", { z: 1, a: 2, m: 3 });
  assert.deepEqual(Object.keys(await client.kv.getJson("k")), ["z", "a", "m"], "members keep their order");
  assert.strictEqual(await client.kv.get("k"), '{"z":1,"a":2,"m":3}');
  await client.kv.setJson("k", [1, new Float(1), 1.5]);
  assert.strictEqual(await client.kv.get("k"), "[1,1.0,1.5]");
});

onEach(test, "what JSON cannot hold is refused", async (client) => {
  for (const value of [NaN, Infinity, -Infinity, undefined, new Map(), bytes(1), [() => 1]]) {
    await assert.rejects(client.kv.setJson("k", value), InvalidArgumentError, String(value));
  }
  assert.strictEqual(await client.kv.get("k"), null);
});

onEach(test, "queue payloads are bytes", async (client) => {
  await client.queue.create("q");
  for (const payload of [bytes(), utf8("123"), bytes(0xde, 0xad), Uint8Array.from({ length: 256 }, (_, i) => i), new Uint8Array(100_000)]) {
    await client.queue.publish("q", payload);
    assert.deepStrictEqual((await client.queue.consume("q", "w")).payload, payload);
  }
});

onEach(test, "integers are exact over the whole range", async (client) => {
  await client.kv.set("n", String(2n ** 53n));
  assert.strictEqual(await client.kv.incr("n"), 2n ** 53n + 1n);
  assert.strictEqual(await client.kv.decrby("n", 2), 2 ** 53 - 1);
  await client.kv.set("n", "0");
  assert.strictEqual(await client.kv.incrby("n", 2n ** 63n - 1n), 2n ** 63n - 1n);
  await assert.rejects(client.kv.incr("n"), InvalidArgumentError);
  await client.kv.set("n", "0");
  assert.strictEqual(await client.kv.incrby("n", -(2n ** 63n)), -(2n ** 63n));
  await assert.rejects(client.kv.incrby("n", 2n ** 63n), InvalidArgumentError);
  await assert.rejects(client.kv.incrby("n", 2 ** 53), /bigint/);
});

test("integers of the user are bigints on request, counts are not", async (t) => {
  const client = await connect(t, "memory://", { bigint: true });
  assert.strictEqual(await client.kv.incr("n"), 1n);
  await client.kv.setJson("j", { a: 1, b: [2, 1.5] });
  assert.deepStrictEqual(await client.kv.getJson("j"), { a: 1n, b: [2n, 1.5] });
  assert.strictEqual(await client.kv.strlen("n"), 1);
  assert.strictEqual(await client.kv.ttl("n"), null);
  assert.strictEqual(typeof (await client.kv.stats()).gets, "number");
  await client.stream.create("r");
  assert.strictEqual(await client.stream.publish("r", "e", 7), 0);
  const [event] = await client.stream.consume("r", "me");
  assert.deepStrictEqual([event.offset, event.data, typeof event.timestamp], [0, 7n, "number"]);
  const batch = client.batch();
  batch.kv.incr("n");
  batch.kv.strlen("n");
  assert.deepStrictEqual(await batch.execute(), [2n, 1]);
  await assert.rejects(client.queue.stats("none"), (e) => e instanceof SynapError && e.statusCode === 404);
});

onEach(test, "any text is a key", async (client) => {
  for (const key of ["", " ", "é", "a/b", "a?b=c#d", "%41", "\u{1f600}", "a b", "x".repeat(1000), "..", "\0", "__proto__"]) {
    assert.strictEqual(await client.kv.set(key, "v"), true);
    assert.strictEqual(await client.kv.get(key), "v", JSON.stringify(key));
    if (key !== "") assert.strictEqual(await client.kv.append(key, "w"), 2);
    assert.strictEqual(await client.kv.delete(key), true);
    assert.strictEqual(await client.kv.exists(key), false);
  }
});
