// Deadlines, cancelling, retries, lost connections, and the end of a client.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { CanceledError, ClosedError, ConnectionError, InvalidArgumentError, SynapClient, TimeoutError, TooLargeError, UnauthenticatedError } from "synap-sdk";
import { inspect } from "node:util";
import { answer, connect, freePort, listen, onEach, respond, root, startServer } from "./helpers.mjs";

const commandOf = (request) => JSON.parse(request.slice(request.indexOf("\r\n\r\n") + 4)).command;

test("a deadline ends a call, and only that one", async (t) => {
  const server = await listen(t, (socket, request) => {
    if (commandOf(request) !== "kv.incr") answer(socket, request, "v");
  });
  const client = await connect(t, server.url);
  const began = Date.now();
  const [slow, fast] = await Promise.allSettled([client.kv.incr("n", { timeoutMs: 100 }), client.kv.get("k")]);
  assert.ok(slow.reason instanceof TimeoutError && slow.reason.maybeApplied && slow.reason.command === "kv.incr" && slow.reason.transport === "http");
  assert.ok(Date.now() - began < 2000);
  assert.equal(fast.value, "v");
  for (const options of [{ timeoutMs: 80 }, {}]) {
    const impatient = await connect(t, `${server.url}?timeout=80ms`, options);
    await assert.rejects(impatient.kv.incr("n"), TimeoutError);
  }
});

test("wrong deadlines are refused", async (t) => {
  const client = await connect(t, "memory://");
  for (const timeoutMs of [0, -1, NaN, Infinity, "5", 1e12]) await assert.rejects(client.kv.get("k", { timeoutMs }), InvalidArgumentError);
  await assert.rejects(client.kv.get("k", { timeout: 5 }), /unknown option "timeout"/);
  await assert.rejects(client.kv.get("k", 5), InvalidArgumentError);
  assert.equal(await client.kv.get("k", null), null);
});

test("a signal gives a call up, and only that one", async (t) => {
  const server = await listen(t, (socket, request) => {
    if (commandOf(request) !== "kv.incr") setTimeout(() => answer(socket, request, "v"), 50);
  });
  const client = await connect(t, server.url);
  const controller = new AbortController();
  const calls = [client.kv.incr("n", { signal: controller.signal }), client.kv.get("k"), client.kv.get("k", { signal: new AbortController().signal })];
  setTimeout(() => controller.abort(new Error("enough")), 20);
  const [given, ...others] = await Promise.allSettled(calls);
  assert.ok(given.reason instanceof CanceledError && given.reason.maybeApplied && given.reason.command === "kv.incr");
  assert.equal(given.reason.cause.message, "enough");
  assert.deepEqual(others.map((o) => o.value), ["v", "v"]);
  await assert.rejects(client.kv.incr("n", { signal: AbortSignal.timeout(20) }), (e) => e instanceof CanceledError && e.cause.name === "TimeoutError");
});

test("a signal that has aborted sends nothing", async (t) => {
  const server = await listen(t, () => assert.fail("something was sent"));
  const client = await connect(t, server.url);
  await assert.rejects(client.kv.incr("n", { signal: AbortSignal.abort("no") }), (e) => e instanceof CanceledError && !e.maybeApplied && e.cause === "no");
  assert.equal(server.connections(), 0);
});

onEach(test, "a signal is let go when the call has ended", async (client) => {
  let listeners = 0;
  const signal = { aborted: false, addEventListener: () => listeners++, removeEventListener: () => listeners-- };
  await client.kv.get("k", { signal });
  await assert.rejects(client.queue.stats("none", { signal }));
  assert.equal(listeners, 0);
});

onEach(test, "one signal serves many calls", async (client, t) => {
  const warned = [];
  process.on("warning", (w) => warned.push(w.message));
  const controller = new AbortController();
  await client.queue.create("q");
  const { signal } = controller;
  const calls = Array.from({ length: 50 }, (_, i) => client.kv.incr(`n${i}`, { signal }));
  const waits = Array.from({ length: 20 }, () => client.queue.follow("q", "w", { signal }).next());
  await Promise.all(calls);
  const ends = Promise.allSettled(waits);
  controller.abort();
  for (const end of await ends) assert.ok(end.reason instanceof CanceledError, String(end.reason));
  await new Promise(setImmediate);
  assert.deepEqual(warned, []);
});

test("replies find their calls", async (t) => {
  const server = await listen(t, (socket, request) => {
    const { key } = JSON.parse(request.slice(request.indexOf("\r\n\r\n") + 4)).payload;
    setTimeout(() => answer(socket, request, `of ${key}`), Math.random() * 20);
  });
  const client = await connect(t, server.url, { poolSize: 50 });
  const controller = new AbortController();
  const calls = Array.from({ length: 300 }, (_, i) => client.kv.get(`k${i}`, i % 3 === 0 ? { signal: controller.signal } : {}));
  setTimeout(() => controller.abort(), 15);
  for (const [i, call] of (await Promise.allSettled(calls)).entries()) {
    if (call.status === "fulfilled") assert.equal(call.value, `of k${i}`);
    else assert.ok(i % 3 === 0 && call.reason instanceof CanceledError);
  }
});

test("what may be repeated is repeated when the connection breaks, what may not is not", async (t) => {
  const seen = [];
  const server = await listen(t, (socket, request, connection) => {
    seen.push(commandOf(request));
    if (connection === 1) socket.destroy();
    else answer(socket, request, commandOf(request) === "kv.get" ? "v" : { value: 1 });
  });
  const client = await connect(t, server.url);
  assert.equal(await client.kv.get("k"), "v");
  assert.deepEqual(seen, ["kv.get", "kv.get"]);
  const other = await listen(t, (socket, request) => {
    seen.push(commandOf(request));
    socket.destroy();
  });
  const second = await connect(t, other.url);
  seen.length = 0;
  await assert.rejects(second.kv.incr("n"), (e) => e instanceof ConnectionError && e.maybeApplied);
  assert.deepEqual(seen, ["kv.incr"]);
});

test("a reply that is cut off is no reply", async (t) => {
  const server = await listen(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"success":true');
    setTimeout(() => socket.destroy(), 20);
  });
  const client = await connect(t, server.url, { maxRetries: 0 });
  await assert.rejects(client.kv.incr("n"), (e) => e instanceof ConnectionError && e.maybeApplied);
});

test("nonsense in place of a reply", async (t) => {
  for (const [status, body, code] of [[200, "<html>", "Protocol"], [200, "{}", "Protocol"], [200, "", "Protocol"], [404, "not here", "Protocol"], [503, "later", "Server"], [401, "", "Unauthenticated"], [302, "", "Protocol"]]) {
    const server = await listen(t, (socket) => respond(socket, status, body));
    const client = await connect(t, server.url, { maxRetries: 0 });
    await assert.rejects(client.kv.get("k"), { code }, `${status} ${body}`);
  }
});

test("a reply that is too large is not read", async (t) => {
  const server = await startServer(t);
  const client = await connect(t, server.url, { maxReplyBytes: 10_000 });
  await client.kv.set("k", "x".repeat(20_000));
  await assert.rejects(client.kv.get("k"), (e) => e instanceof TooLargeError && /max_reply_bytes/.test(e.message));
  await client.kv.set("k", "x".repeat(5_000));
  assert.equal((await client.kv.get("k")).length, 5_000);
});

test("nobody listens", async (t) => {
  const client = await connect(t, `http://127.0.0.1:${await freePort()}`, { backoffMs: 1 });
  await assert.rejects(client.kv.incr("n"), (e) => e instanceof ConnectionError && e.retryable && !e.maybeApplied && /refused/i.test(e.message));
  const nowhere = await connect(t, "http://host.invalid", { maxRetries: 0 });
  await assert.rejects(nowhere.kv.get("k"), ConnectionError);
});

test("a connection that does not come about ends in time", async (t) => {
  const client = await connect(t, "http://192.0.2.1", { connectTimeoutMs: 100, maxRetries: 0, timeoutMs: 10_000 });
  const began = Date.now();
  await assert.rejects(client.kv.get("k"), (e) => e instanceof ConnectionError || e instanceof TimeoutError);
  assert.ok(Date.now() - began < 5000);
});

test("a server that restarts is found again", async (t) => {
  const port = await freePort();
  let server = await startServer(t, "-http", `127.0.0.1:${port}`);
  const client = await connect(t, server.url);
  await client.kv.set("k", "v");
  await server.stop();
  await assert.rejects(client.kv.get("k", { timeoutMs: 200 }));
  server = await startServer(t, "-http", `127.0.0.1:${port}`);
  assert.equal(await client.kv.set("k", "v"), true);
});

onEach(test, "a batch runs in order and tells what failed", async (client) => {
  const batch = client.batch();
  for (let i = 0; i < 300; i++) batch.kv.append("list", `${i},`);
  const got = batch.kv.get("list");
  assert.equal(batch.size, 301);
  assert.throws(() => got.result(), /has not run/);
  const results = await batch.execute();
  assert.equal(got.result(), Array.from({ length: 300 }, (_, i) => `${i},`).join(""));
  assert.equal(results.length, 301);
  assert.equal(batch.size, 0);
  assert.deepEqual(await batch.execute(), []);

  batch.kv.set("a", "text");
  const failed = batch.kv.incr("a");
  const after = batch.kv.get("a");
  await assert.rejects(batch.execute(), { code: "InvalidArgument", command: "kv.incr" });
  assert.equal(after.result(), "text", "what follows runs all the same");
  assert.equal(failed.error.code, "InvalidArgument");
  assert.throws(() => failed.result(), { code: "InvalidArgument" });

  batch.kv.incr("a");
  batch.kv.get("a");
  const [error, value] = await batch.execute({ throwOnError: false });
  assert.equal(error.code, "InvalidArgument");
  assert.equal(value, "text");
});

test("a wrong call leaves a batch as it was", async (t) => {
  const client = await connect(t, "memory://");
  const batch = client.batch();
  batch.kv.set("k", "v");
  assert.throws(() => batch.kv.set("k", 5), InvalidArgumentError);
  assert.throws(() => batch.kv.set("k", "v", { timeoutMs: 5 }), /execute\(\)/);
  assert.throws(() => batch.kv.set("k", "v", { tll: 5 }), /unknown option/);
  batch.kv.get("k");
  assert.deepEqual(await batch.execute(), [true, "v"]);
});

test("a batch that breaks in the middle is not sent twice", async (t) => {
  const seen = [];
  const server = await listen(t, (socket, request, connection) => {
    const { key } = JSON.parse(request.slice(request.indexOf("\r\n\r\n") + 4)).payload;
    seen.push([connection, key]);
    if (seen.length === 1) answer(socket, request, { value: 1 });
    else socket.destroy();
  });
  const client = await connect(t, server.url, { maxRetries: 0 });
  const batch = client.batch();
  for (let i = 0; i < 200; i++) batch.kv.incr(`k${i}`);
  const results = await batch.execute({ throwOnError: false });
  assert.equal(results[0], 1);
  assert.ok(results.slice(1).every((e) => e instanceof ConnectionError));
  assert.ok(results[1].maybeApplied, "it may have been seen");
  assert.ok(!results[199].maybeApplied, "it was never written");
  assert.deepEqual(new Set(seen.map(([connection]) => connection)), new Set([1]), "nothing went over another connection");
  assert.equal(await client.kv.incr("later").catch((e) => e.code), "Connection");
});

test("closing a client ends what is in flight", async (t) => {
  const server = await listen(t, () => {});
  const client = await SynapClient.connect(server.url);
  const batch = client.batch();
  batch.kv.incr("a");
  batch.kv.incr("b");
  const calls = [client.kv.incr("n"), client.kv.get("k"), batch.execute(), client.stream.follow("r", "me").next(), client.kv.watch(["k"]).next()];
  const ends = Promise.allSettled(calls);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.close();
  for (const [i, end] of (await ends).entries()) assert.ok(end.reason instanceof ClosedError, `call ${i}: ${end.reason}`);
  await client.close();
  assert.ok(client.closed);
  await assert.rejects(client.kv.get("k"), (e) => e instanceof ClosedError && e.command === "kv.get" && e.transport === "http");
  await assert.rejects(client.batch().execute().then(() => client.command("x")), ClosedError);
});

test("clients of one name share a store, others do not", async (t) => {
  const [a, b, c, d] = await Promise.all(["memory://x", "memory://x", "memory://y", "memory://"].map((address) => connect(t, address)));
  await a.kv.set("k", "v");
  assert.deepEqual(await Promise.all([b, c, d].map((client) => client.kv.get("k"))), ["v", null, null]);
  await a.close();
  assert.equal(await b.kv.get("k"), "v");
});

test("credentials", async (t) => {
  const keyed = await startServer(t, "-api-key", "sk-secret");
  await assert.rejects((await connect(t, keyed.url)).kv.get("k"), (e) => e instanceof UnauthenticatedError && e.statusCode === 401);
  assert.equal(await (await connect(t, keyed.url, { apiKey: "sk-secret" })).kv.get("k"), null);
  const named = await startServer(t, "-user", "admin", "-password", "pass:word");
  assert.equal(await (await connect(t, named.url, { username: "admin", password: "pass:word" })).kv.get("k"), null);
  const client = await connect(t, named.url.replace("://", "://admin:pass%3Aword@"));
  assert.equal(await client.kv.get("k"), null);
  const wrong = await connect(t, keyed.url, { apiKey: "sk-wrong" });
  const error = await wrong.kv.get("k").catch((e) => e);
  for (const shown of [inspect(client, { depth: 9, showHidden: true }), String(client), JSON.stringify(client), inspect(wrong, { depth: 9 }), inspect(error, { depth: 9 }), JSON.stringify(error)]) {
    assert.doesNotMatch(shown, /pass:|pass%3A|:word|sk-|c2st|YWRt/);
  }
});

test("wrong addresses and options", async () => {
  for (const [address, options, what] of [
    ["localhost", {}, /no scheme/], ["ftp://x", {}, /unknown scheme/], [5, {}, /must be text/], ["memory://", { timeoutMs: "5" }, /timeoutMs/], ["memory://", { timeoutMs: -1 }, /timeoutMs/],
    ["memory://", { maxRetries: 1.5 }, /max_retries/], ["memory://", { bigint: 1 }, /bigint/], ["memory://", 5, /must be an object/], ["http://x?nope=1", {}, /unknown option/],
    ["https://x", { tlsCa: "/no/such/file" }, /tlsCa.*cannot be read/], ["http://x", { apiKey: "a", username: "b", password: "c" }, /not both/],
  ]) {
    await assert.rejects(SynapClient.connect(address, options), (e) => e instanceof InvalidArgumentError && what.test(e.message), `${address} ${JSON.stringify(options)}`);
  }
});

test("the environment", async (t) => {
  process.env.SYNAP_URL = "memory://from-env";
  process.env.SYNAP_TIMEOUT = "nonsense";
  t.after(() => {
    delete process.env.SYNAP_URL;
    delete process.env.SYNAP_TIMEOUT;
  });
  await assert.rejects(SynapClient.connect(), /timeout/);
  delete process.env.SYNAP_TIMEOUT;
  assert.equal(String(await connect(t)), "SynapClient <memory://from-env>");
});

test("a failure names the line that waited for it", async (t) => {
  for (const address of ["memory://", (await startServer(t)).url]) {
    const client = await connect(t, address);
    async function waits() {
      await client.queue.stats("none");
    }
    await assert.rejects(waits(), (e) => /at async waits .*calls\.test\.mjs/.test(e.stack) && !/wasm/.test(e.stack));
  }
});

test("a process ends when nothing is in flight, closed or not", async (t) => {
  const { url } = await startServer(t);
  const script = `
    import { SynapClient } from "synap-sdk";
    for (const address of ["memory://", ${JSON.stringify(url)}]) {
      const client = await SynapClient.connect(address);
      await client.kv.set("k", "v");
      const messages = await client.pubsub.subscribe(["t"]);
      await client.pubsub.publish("t", 1);
      await messages.next();
      if (address.startsWith("http")) await messages.close();
    }
    console.log("done");`;
  const began = Date.now();
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd: `${root}/bindings/node`, timeout: 20_000 });
  assert.equal(stdout.trim(), "done");
  assert.ok(Date.now() - began < 15_000);
});
