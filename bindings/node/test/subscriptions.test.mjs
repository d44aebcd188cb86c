// Subscriptions: how they begin, deliver, resume, tell of loss, and end.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { inspect, promisify } from "node:util";
import { CanceledError, ClosedError, InvalidArgumentError, LazySubscription, NotFoundError, Subscription, TimeoutError, UnauthenticatedError, UnsupportedError, setLog } from "synap-sdk";
import { connect, freePort, listen, onEach, respond, root, startServer, until, utf8 } from "./helpers.mjs";

onEach(test, "awaited it is registered; for await delivers, break closes", async (client) => {
  const messages = await client.pubsub.subscribe(["news.*", "news.local"]);
  assert.ok(messages instanceof Subscription && !(messages instanceof LazySubscription));
  for (let i = 0; i < 600; i++) await client.pubsub.publish("news.local", i);
  let next = 0;
  for await (const m of messages) {
    assert.deepEqual([m.topic, m.message, m.lost], ["news.local", next, 0], "each comes once and in order");
    if (++next === 600) break;
  }
  assert.ok(messages.closed);
  await assert.rejects(messages.next(), ClosedError);
  await until(async () => (await client.pubsub.publish("news.local", 1)).subscribersMatched === 0, "the server knows");
});

onEach(test, "the object can be used at once", async (client, t) => {
  const messages = client.pubsub.subscribe(["t"]);
  assert.equal(inspect(messages), "Subscription <pubsub.subscribe, not started>");
  const first = messages.next();
  // It has been asked to begin; give it time to.
  await until(async () => (await client.pubsub.publish("t", "x")).subscribersMatched > 0, "it is registered");
  assert.equal((await first).message, "x");
  assert.equal(inspect(messages), "Subscription <pubsub.subscribe, open>");
  await messages.close();
  await messages.close();
  for await (const m of messages) assert.fail(`got ${m}`);
  assert.equal(inspect(messages), "Subscription <pubsub.subscribe, closed>");
});

onEach(test, "next ends in time and loses nothing", async (client, t) => {
  const messages = await client.pubsub.subscribe(["t"]);
  t.after(() => messages.close());
  const began = Date.now();
  await assert.rejects(messages.next({ timeoutMs: 30 }), (e) => e instanceof TimeoutError && e.retryable && e.command === "pubsub.subscribe");
  await assert.rejects(messages.next({ timeoutMs: 0 }), TimeoutError);
  assert.ok(Date.now() - began < 3000);
  const controller = new AbortController();
  const waiting = messages.next({ signal: controller.signal });
  setTimeout(() => controller.abort("enough"), 10);
  await assert.rejects(waiting, (e) => e instanceof CanceledError && e.cause === "enough");
  await assert.rejects(messages.next({ timeoutMs: -1 }), InvalidArgumentError);
  const [a, b] = await Promise.allSettled([messages.next(), messages.next(), client.pubsub.publish("t", 1)]);
  assert.equal(a.value.message, 1);
  assert.match(b.reason.message, /another read/);
  await client.pubsub.publish("t", 2);
  assert.equal((await messages.next()).message, 2);
});

onEach(test, "closing ends a wait", async (client) => {
  const messages = await client.pubsub.subscribe(["t"]);
  const waiting = assert.rejects(messages.next(), ClosedError);
  const watch = await client.kv.watch(["k"]);
  const loop = (async () => {
    for await (const _ of watch) assert.fail();
  })();
  setTimeout(() => messages.close(), 10);
  await waiting;
  await client.close();
  await loop;
});

onEach(test, "a signal ends a subscription", async (client) => {
  const controller = new AbortController();
  const messages = await client.pubsub.subscribe(["t"], { signal: controller.signal });
  setTimeout(() => controller.abort("enough"), 10);
  await assert.rejects((async () => {
    for await (const _ of messages) assert.fail();
  })(), (e) => e instanceof CanceledError && e.cause === "enough");
  assert.ok(messages.closed);
  await assert.rejects(client.pubsub.subscribe(["t"], { signal: AbortSignal.abort("no") }).then(), (e) => e instanceof CanceledError && e.cause === "no");
});

onEach(test, "what cannot be subscribed to is told by the first read and by await", async (client) => {
  for (const begin of [() => client.queue.follow("none", "w"), () => client.stream.follow("none", "me")]) {
    await assert.rejects(begin().next(), NotFoundError);
    await assert.rejects(begin().then(), NotFoundError);
    await assert.rejects((async () => {
      for await (const _ of begin()) assert.fail();
    })(), NotFoundError);
  }
  await assert.rejects(client.pubsub.subscribe([]).next(), InvalidArgumentError);
  await assert.rejects(client.pubsub.subscribe("t").next(), /a list of texts/);
  await assert.rejects(client.pubsub.subscribe(["a.#.b"]).next(), InvalidArgumentError);
  await assert.rejects(client.pubsub.subscribe(["t"], { overflow: "explode" }).next(), InvalidArgumentError);
  const broken = client.pubsub.subscribe([]);
  await assert.rejects(broken.next());
  await assert.rejects(broken.next(), InvalidArgumentError, "it stays so");
});

onEach(test, "await using closes", async (client) => {
  const messages = await client.pubsub.subscribe(["t"]);
  await messages[Symbol.asyncDispose]();
  assert.ok(messages.closed);
  await client[Symbol.asyncDispose]();
  assert.ok(client.closed);
});

onEach(test, "a full buffer tells what was lost", async (client, t) => {
  const messages = await client.pubsub.subscribe(["t"], { buffer: 10, overflow: "drop_oldest" });
  t.after(() => messages.close());
  for (let i = 0; i < 25; i++) await client.pubsub.publish("t", i);
  await client.kv.get("k");
  await new Promise((resolve) => setTimeout(resolve, 100));
  const first = await messages.next();
  assert.deepEqual([first.message, first.lost], [15, 15]);
  assert.deepEqual([(await messages.next()).message, (await messages.next()).lost], [16, 0]);
});

onEach(test, "arguments are those of the moment", async (client, t) => {
  const topics = ["a"];
  const messages = client.pubsub.subscribe(topics);
  topics[0] = "b";
  const open = await messages;
  t.after(() => open.close());
  await client.pubsub.publish("b", 1);
  await client.pubsub.publish("a", 2);
  assert.equal((await open.next()).message, 2);
});

onEach(test, "a queue is worked off", async (client) => {
  await client.queue.create("q");
  const produced = (async () => {
    for (let i = 0; i < 50; i++) await client.queue.publish("q", utf8(String(i)));
  })();
  const got = [];
  for await (const message of client.queue.follow("q", "w", { prefetch: 8 })) {
    got.push(Number(new TextDecoder().decode(message.payload)));
    await client.queue.ack("q", message.messageId);
    if (got.length === 50) break;
  }
  await produced;
  assert.deepEqual(got, Array.from({ length: 50 }, (_, i) => i));
});

test("a subscription lives through restarts of the server and tells so", async (t) => {
  const port = await freePort();
  const at = ["-http", `127.0.0.1:${port}`];
  let server = await startServer(t, ...at);
  const log = [];
  setLog((level, message) => log.push([level, message]));
  t.after(() => setLog(null));
  const client = await connect(t, server.url, { backoffMs: 5 });
  const messages = await client.pubsub.subscribe(["t"]);
  t.after(() => messages.close());
  await client.pubsub.publish("t", 1);
  assert.equal((await messages.next()).message, 1);

  const waiting = messages.next({ timeoutMs: 15_000 });
  await server.stop();
  server = await startServer(t, ...at);
  await until(async () => (await client.pubsub.publish("t", 2)).subscribersMatched > 0, "it is registered anew");
  const { message, lost } = await waiting;
  assert.deepEqual([message, lost], [2, -1]);
  assert.ok(log.some(([level, text]) => level === "warn" && /broke/.test(text)) && log.some(([level, text]) => level === "info" && /is back/.test(text)));
});

test("a follower notices a room that was made anew", async (t) => {
  const client = await connect(t, "memory://");
  await client.stream.create("r");
  const events = await client.stream.follow("r", "me");
  t.after(() => events.close());
  for (const data of ["a", "b"]) await client.stream.publish("r", "e", data);
  assert.deepEqual([(await events.next()).data, (await events.next()).data], ["a", "b"]);
  const waiting = events.next();
  const batch = client.batch();
  batch.stream.delete("r");
  batch.stream.create("r");
  batch.stream.publish("r", "e", "c");
  await batch.execute();
  const { offset, data, lost } = await waiting;
  assert.deepEqual([offset, data, lost], [0, "c", -1]);
});

test("stock servers refuse every upgrade, and the error says what to do", async (t) => {
  const client = await connect(t, (await startServer(t, "-stock")).url);
  await assert.rejects(client.pubsub.subscribe(["t"]).next(), (e) => e instanceof UnsupportedError && /1\.3\.1/.test(e.message) && e.statusCode === 500);
  await client.queue.create("q");
  await client.queue.publish("q", utf8("x"));
  const queue = client.queue.follow("q", "w");
  assert.deepEqual((await queue.next()).payload, utf8("x"));
  await queue.close();
});

test("credentials reach the push channel, and their refusal the caller", async (t) => {
  for (const [server, good, bad] of [
    [await startServer(t, "-api-key", "sk"), { apiKey: "sk" }, { apiKey: "no" }],
    [await startServer(t, "-user", "u", "-password", "p"), { username: "u", password: "p" }, { username: "u", password: "x" }],
  ]) {
    const client = await connect(t, server.url, good);
    const messages = await client.pubsub.subscribe(["t"]);
    await client.pubsub.publish("t", 1);
    assert.equal((await messages.next()).message, 1);
    await messages.close();
    await assert.rejects((await connect(t, server.url, bad)).kv.watch(["k"]).next(), (e) => e instanceof UnauthenticatedError && e.statusCode === 401 && e.command === "kv.watch");
  }
});

test("a push channel that does not come about", async (t) => {
  const silent = await listen(t, () => {});
  const patient = await connect(t, silent.url, { connectTimeoutMs: 100, maxRetries: 1, backoffMs: 1 });
  await assert.rejects(patient.pubsub.subscribe(["t"]).next(), { command: "pubsub.subscribe" });
  await assert.rejects(patient.pubsub.subscribe(["t"], { timeoutMs: 50 }).next(), TimeoutError);
  const controller = new AbortController();
  const given = patient.pubsub.subscribe(["t"], { signal: controller.signal }).next();
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(given, CanceledError);
  const lazy = patient.pubsub.subscribe(["t"]);
  const closed = assert.rejects(lazy.next(), ClosedError);
  await lazy.close();
  await closed;
  for (const [status, body, code] of [[404, "no", "Protocol"], [403, "", "PermissionDenied"], [400, "bad topic", "InvalidArgument"]]) {
    const server = await listen(t, (socket) => respond(socket, status, body));
    const client = await connect(t, server.url, { maxRetries: 0 });
    await assert.rejects(client.pubsub.subscribe(["t"]).next(), (e) => e.code === code && e.statusCode === status);
  }
  const nobody = await connect(t, `http://127.0.0.1:${await freePort()}`, { maxRetries: 0 });
  await assert.rejects(nobody.pubsub.subscribe(["t"]).next(), { code: "Connection" });
});

test("a server that never says goodbye does not keep the process", async (t) => {
  const silent = await listen(t, (socket, request) => {
    const key = /sec-websocket-key: (.*)\r\n/i.exec(request)[1];
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const text = JSON.stringify({ type: "connected", subscriber_id: "s", topics: ["t"], subscription_count: 1 });
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
  });
  const script = `
    import { SynapClient } from "synap-sdk";
    const client = await SynapClient.connect(${JSON.stringify(silent.url)});
    await client.kv.watch(["k"]);
    await client.close();
    console.log("closed");`;
  const began = Date.now();
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd: `${root}/bindings/node`, timeout: 10_000 });
  assert.equal(stdout.trim(), "closed");
  assert.ok(Date.now() - began < 8000);
});
