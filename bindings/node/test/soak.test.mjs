// Many calls, clients and subscriptions without growth. SYNAP_SOAK is the number
// of calls, 50,000 if absent; 1,000,000 is a good long run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SynapClient, init, memoryBytes } from "synap-sdk";
import { connect, listen, startServer } from "./helpers.mjs";

const CALLS = Number(process.env.SYNAP_SOAK ?? 50_000);
const MiB = 2 ** 20;

/** Runs work again and again; the memory of the module must have stopped growing after a fifth of it. */
async function plateau(t, times, work) {
  await init();
  let before = 0;
  for (let i = 0; i < times; i++) {
    if (i === Math.ceil(times / 5)) before = memoryBytes();
    await work(i);
  }
  const grown = (memoryBytes() - before) / MiB;
  t.diagnostic(`${(memoryBytes() / MiB).toFixed(1)} MiB, ${grown.toFixed(1)} MiB more than after a fifth`);
  assert.ok(grown <= 4, `the module's memory grew by ${grown} MiB`);
}

test(`${CALLS} calls on the embedded engine`, async (t) => {
  const client = await connect(t, "memory://");
  await plateau(t, CALLS / 50, async (i) => {
    const key = `k${i % 100}`;
    for (let j = 0; j < 25; j++) {
      await client.kv.set(key, "x".repeat(j * 20), { ttl: 60 });
      await client.kv.get(key);
    }
  });
});

test(`${CALLS} calls over HTTP, 64 at once`, async (t) => {
  const client = await connect(t, (await startServer(t)).url);
  await plateau(t, CALLS / 1000, () => Promise.all(Array.from({ length: 64 }, async (_, lane) => {
    for (let i = lane; i < 1000; i += 64) await (i % 2 ? client.kv.get("k") : client.kv.set("k", String(i)));
  })));
});

test("messages, one wait each", async (t) => {
  const client = await connect(t, "memory://");
  const messages = await client.pubsub.subscribe(["t"]);
  await plateau(t, CALLS / 10, async (i) => {
    const next = messages.next();
    await client.pubsub.publish("t", i);
    assert.equal((await next).message, i);
  });
});

test("clients and subscriptions that come and go", async (t) => {
  await plateau(t, CALLS / 100, async (i) => {
    const client = await SynapClient.connect("memory://");
    await client.kv.set("k", "x".repeat(10_000));
    const [a, b] = await Promise.all([client.pubsub.subscribe(["t"]), client.kv.watch(["k"])]);
    await client.kv.set("k", "v");
    assert.equal((await b.next()).value, "v");
    await a.close();
    await client.close();
  });
});

test("calls that are given up", async (t) => {
  const silent = await listen(t, () => {});
  const client = await connect(t, silent.url, { poolSize: 8 });
  await plateau(t, CALLS / 500, async () => {
    const controller = new AbortController();
    const calls = Array.from({ length: 20 }, () => client.kv.get("k", { signal: controller.signal }));
    setImmediate(() => controller.abort());
    for (const { reason } of await Promise.allSettled(calls)) assert.equal(reason.code, "Canceled");
  });
});

test("large values", async (t) => {
  const client = await connect(t, "memory://");
  const large = "x".repeat(4 * MiB);
  await plateau(t, 100, async () => {
    await client.kv.set("k", large);
    assert.equal((await client.kv.get("k")).length, large.length);
  });
});
