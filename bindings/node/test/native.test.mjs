// The native wires: SynapRPC and RESP3 over TCP and TLS.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as dial, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createServer as createTls } from "node:tls";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { ClosedError, SynapClient, UnsupportedError } from "synap-sdk";
import { bytes, connect, dist, freePort, startNative, until, utf8 } from "./helpers.mjs";

/** Runs a test over both wires, each with an empty store. */
function onBoth(name, run, ...options) {
  for (const wire of ["rpc", "resp3"]) {
    test(`${name} (${wire})`, async (t) => run((await startNative(t, ...options))[wire], t));
  }
}

onBoth("calls, binary values and TTL", async (url, t) => {
  const { kv, queue, stream } = await connect(t, url);
  await kv.set("k", bytes(255, 0, 1), { ttl: 60 });
  assert.deepEqual(await kv.get("k"), bytes(255, 0, 1));
  const ttl = await kv.ttl("k");
  assert.ok(ttl > 57 && ttl <= 60, `ttl ${ttl}`);
  await kv.set("t", "ünïcode");
  assert.equal(await kv.get("t"), "ünïcode");
  assert.equal(await kv.get("none"), null);
  assert.equal(await kv.incr("n"), 1);
  assert.deepEqual(await kv.mget(["t", "none"]), ["ünïcode", null]);
  await queue.create("q");
  await queue.publish("q", bytes(0, 254));
  const message = await queue.consume("q", "w");
  assert.deepEqual(message.payload, bytes(0, 254));
  await queue.ack("q", message.messageId);
  assert.equal(await queue.consume("q", "w"), null);
  await stream.create("s");
  await stream.publish("s", "e", { n: 1 });
  assert.deepEqual((await stream.consume("s", "me")).map(({ data }) => data), [{ n: 1 }]);
  await assert.rejects(queue.stats("nowhere"), { code: "NotFound", command: "queue.stats" });
});

onBoth("large values, many calls and batches", async (url, t) => {
  const client = await connect(t, url);
  const large = "x".repeat(5 << 20);
  await client.kv.set("large", large);
  assert.equal(await client.kv.get("large"), large);
  const counts = await Promise.all(Array.from({ length: 3000 }, () => client.kv.incr("n")));
  assert.equal(new Set(counts).size, 3000);
  const batch = client.batch();
  for (let i = 0; i < 1000; i++) batch.kv.set(`b${i}`, `${i}`);
  const wrong = batch.kv.incr("b7x");
  await batch.execute();
  assert.equal(await wrong.result(), 1);
  assert.equal(await client.kv.get("b999"), "999");
});

test("what a wire has no form for is refused, and nothing is sent", async (t) => {
  const server = await startNative(t);
  const client = await connect(t, server.resp3);
  await assert.rejects(client.queue.publish("q", utf8("m"), { maxRetries: 9 }), { name: "UnsupportedError", transport: "resp3" });
  await assert.rejects(client.pubsub.subscribe(["t"]).next(), (e) => e instanceof UnsupportedError && /RESP3/.test(e.message));
});

onBoth("credentials", async (url, t) => {
  const client = await connect(t, url, { username: "root", password: "pw" });
  await client.kv.set("k", "v");
  await assert.rejects((await connect(t, url)).kv.get("k"), { code: "Unauthenticated" });
  await assert.rejects((await connect(t, url, { username: "root", password: "no" })).kv.get("k"), (e) => e.code === "Unauthenticated" && !e.maybeApplied);
}, "-user", "root", "-password", "pw");

/** Listens and hands each connection to `serve`. */
async function listen(t, serve) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { at: `127.0.0.1:${server.address().port}`, sockets };
}

test("timeout and cancel, with a server that says nothing", async (t) => {
  const { at } = await listen(t, (socket) => socket.resume());
  const client = await connect(t, `synap://${at}`);
  await assert.rejects(client.kv.incr("n", { timeoutMs: 60 }), (e) => e.code === "Timeout" && e.maybeApplied);
  await assert.rejects(client.kv.get("n", { timeoutMs: 60 }), (e) => e.code === "Timeout" && !e.maybeApplied);
  const controller = new AbortController();
  const call = client.kv.incr("n", { signal: controller.signal });
  setTimeout(() => controller.abort("enough"), 20);
  await assert.rejects(call, (e) => e.code === "Canceled" && e.cause === "enough");
  const pending = client.kv.get("n");
  setTimeout(() => client.close(), 20);
  await assert.rejects(pending, ClosedError);
});

test("a cancelled call leaves the others their replies", async (t) => {
  const { rpc, resp3 } = await startNative(t);
  for (const url of [rpc, resp3]) {
    const { kv } = await connect(t, url);
    await Promise.all(Array.from({ length: 100 }, (_, i) => kv.set(`k${i}`, `v${i}`)));
    const calls = Array.from({ length: 300 }, (_, i) => {
      const controller = new AbortController();
      const call = kv.get(`k${i % 100}`, { signal: controller.signal });
      if (i % 3 === 0) controller.abort();
      return call.then((v) => assert.equal(v, `v${i % 100}`), (e) => assert.equal(e.code, "Canceled"));
    });
    await Promise.all(calls);
  }
});

test("a port on which nothing listens, or something else", async (t) => {
  const client = await connect(t, `resp3://127.0.0.1:${await freePort()}`, { maxRetries: 1 });
  await assert.rejects(client.kv.incr("n"), (e) => e.code === "Connection" && e.retryable && !e.maybeApplied && /ECONNREFUSED/.test(e.message));
  const { at } = await listen(t, (socket) => socket.on("data", () => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")));
  await assert.rejects((await connect(t, `synap://${at}`)).kv.get("k"), (e) => /^(Protocol|TooLarge)$/.test(e.code));
  await assert.rejects((await connect(t, `resp3://${at}`)).kv.get("k"), { code: "Protocol" });
});

test("a reply over max_reply_bytes is the fault of its call alone", async (t) => {
  const { rpc } = await startNative(t);
  const client = await connect(t, rpc, { maxReplyBytes: 4096 });
  await client.kv.set("large", "x".repeat(10_000));
  await client.kv.set("small", "s");
  const [large, small] = await Promise.allSettled([client.kv.get("large"), client.kv.get("small")]);
  assert.equal(large.reason?.code, "TooLarge");
  assert.equal(small.value, "s");
});

onBoth("replies in pieces", async (url, t) => {
  const to = new URL(url.replace(/^\w+/, "http"));
  // A proxy that lets each byte travel alone.
  const { at } = await listen(t, (socket) => {
    const server = dial(Number(to.port), to.hostname);
    socket.setNoDelay(true);
    socket.on("data", (data) => server.write(data));
    server.on("data", async (data) => {
      for (const byte of data) {
        socket.write(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
    });
    socket.on("close", () => server.destroy());
  });
  const { kv } = await connect(t, `${url.split(":")[0]}://${at}`);
  await kv.set("k", "vä");
  assert.equal(await kv.get("k"), "vä");
});

test("a subscription, and its end on the server", async (t) => {
  const { rpc } = await startNative(t);
  const client = await connect(t, rpc);
  const sub = await client.pubsub.subscribe(["news.*"]);
  const watch = await client.kv.watch(["k"]);
  await client.pubsub.publish("news.a", { n: 1 });
  await client.kv.set("k", "v");
  const { topic, message, lost } = await sub.next({ timeoutMs: 5000 });
  assert.deepEqual([topic, message, lost], ["news.a", { n: 1 }, 0]);
  assert.equal((await watch.next({ timeoutMs: 5000 })).key, "k");
  assert.equal((await client.pubsub.publish("news.b", "x")).subscribersMatched, 1);
  await sub.close();
  await until(async () => (await client.pubsub.publish("news.b", "x")).subscribersMatched === 0, "the server has forgotten the subscriber");
  // Closing the client ends what is open, too.
  const other = await SynapClient.connect(rpc);
  await other.pubsub.subscribe(["news.*"]);
  await other.close();
  await until(async () => (await client.pubsub.publish("news.b", "x")).subscribersMatched === 0, "the server has forgotten the other subscriber");
});

test("followers over the native wires", async (t) => {
  const server = await startNative(t);
  for (const url of [server.rpc, server.resp3]) {
    const client = await connect(t, url);
    const name = url.slice(0, 5);
    await client.stream.create(name);
    await client.queue.create(name);
    const events = await client.stream.follow(name, "me");
    const messages = await client.queue.follow(name, "w");
    await client.stream.publish(name, "e", 7);
    await client.queue.publish(name, utf8("m"));
    assert.equal((await events.next({ timeoutMs: 5000 })).data, 7);
    assert.deepEqual((await messages.next({ timeoutMs: 5000 })).payload, utf8("m"));
    await events.close();
    await messages.close();
  }
});

test("pushes of a stock server come over SynapRPC", async (t) => {
  const { url, rpc } = await startNative(t, "-stock");
  const client = await connect(t, url, { push: rpc });
  const sub = await client.pubsub.subscribe(["t"]);
  await client.pubsub.publish("t", "x");
  assert.equal((await sub.next({ timeoutMs: 5000 })).message, "x");
  const nowhere = `synap://127.0.0.1:${await freePort()}`;
  await assert.rejects((await connect(t, url, { push: "ws" })).pubsub.subscribe(["t"]).next(), (e) => e.code === "Unsupported" && /stock build/.test(e.message));
  await assert.rejects((await connect(t, url, { push: nowhere, maxRetries: 0 })).pubsub.subscribe(["t"]).next(), (e) => e.code === "Connection" && /ECONNREFUSED/.test(e.message));
});

test("a stock server beside SynapRPC on its usual port", async (t) => {
  // On an address that only this test has, so that the port is free.
  const at = "127.13.77.1";
  const server = await startNative(t, "-stock", "-http", `${at}:0`, "-rpc", `${at}:15501`);
  const sub = await (await connect(t, server.url)).pubsub.subscribe(["t"]);
  await (await connect(t, server.rpc)).pubsub.publish("t", "x");
  assert.equal((await sub.next({ timeoutMs: 5000 })).message, "x");
  const lonely = await startNative(t, "-stock");
  await assert.rejects((await connect(t, lonely.url, { maxRetries: 0 })).pubsub.subscribe(["t"]).next(), (e) => {
    return e.code === "Unsupported" && /Over WebSocket: .*Over SynapRPC at synap:\/\/127.0.0.1:15501: .*push=synap/s.test(e.message);
  });
});

test("the server restarts", async (t) => {
  const port = await freePort();
  const start = () => startNative(t, "-rpc", `127.0.0.1:${port}`);
  let server = await start();
  const client = await connect(t, `synap://127.0.0.1:${port}`, { maxRetries: 20 });
  const sub = await client.pubsub.subscribe(["t"]);
  await client.kv.set("k", "v");
  await server.stop();
  const call = client.kv.incr("n"); // not sent, so that it may be repeated
  server = await start();
  assert.equal(await call, 1);
  assert.equal(await client.kv.get("k"), null);
  await until(async () => (await client.pubsub.publish("t", "x")).subscribersMatched === 1, "the subscription is back");
  assert.equal((await sub.next({ timeoutMs: 5000 })).lost, -1);
});

test("TLS through a proxy", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "synap-native-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = (name) => join(folder, name);
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=s", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", file("key"), "-out", file("crt")], { stdio: "pipe" });
  const { rpc, resp3 } = await startNative(t);
  for (const [scheme, url] of [["synaps", rpc], ["rediss", resp3]]) {
    const to = new URL(url.replace(/^\w+/, "http"));
    const sockets = new Set();
    const proxy = createTls({ key: readFileSync(file("key")), cert: readFileSync(file("crt")) }, (socket) => {
      const server = dial(Number(to.port), to.hostname);
      sockets.add(socket);
      socket.on("error", () => {});
      server.on("error", () => {});
      socket.pipe(server).pipe(socket);
    });
    proxy.on("tlsClientError", () => {});
    proxy.listen(0);
    await once(proxy, "listening");
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
    for (const host of ["127.0.0.1", "localhost"]) {
      const address = `${scheme}://${host}:${proxy.address().port}`;
      for (const options of [{ tlsCa: file("crt") }, { tlsCa: readFileSync(file("crt"), "utf8") }, { tlsInsecure: true }]) {
        const client = await connect(t, address, options);
        await client.kv.set("k", "v");
        assert.equal(await client.kv.get("k"), "v");
      }
      await assert.rejects((await connect(t, address, { maxRetries: 0 })).kv.get("k"), (e) => e.code === "Connection" && /not trusted .*tlsCa/.test(e.message));
    }
    const client = await connect(t, `${scheme}://127.0.0.1:${proxy.address().port}`, { tlsCa: file("crt") });
    if (scheme === "synaps") {
      const sub = await client.pubsub.subscribe(["t"]);
      await client.pubsub.publish("t", "x");
      assert.equal((await sub.next({ timeoutMs: 5000 })).message, "x");
    }
  }
});

test("connections are shared, and given back", async (t) => {
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => /^TCP|^TLS/.test(kind)).length;
  const server = await startNative(t);
  const before = sockets();
  for (const url of [server.rpc, server.resp3]) {
    const client = await SynapClient.connect(url);
    for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 100 }, () => client.kv.incr("n")));
    assert.ok(open(server) <= 1, `${open(server)} connections`);
    await client.close();
  }
  await until(() => sockets() <= before, "the sockets are closed");

  function open() {
    return process._getActiveHandles().filter((h) => h.remotePort !== undefined && h.constructor.name === "Socket" && !h.destroyed).length;
  }
});

test("a process ends although connections and subscriptions are open", async (t) => {
  const { rpc } = await startNative(t);
  const program = `
    const { SynapClient } = await import(${JSON.stringify(pathToFileURL(join(dist, "node.mjs")).href)});
    const client = await SynapClient.connect(${JSON.stringify(rpc)});
    await client.kv.set("k", "v");
    await client.pubsub.subscribe(["t"]);
    console.log("done");`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { timeout: 10_000 });
  assert.equal(stdout, "done\n");
});

test("a browser has no TCP", async () => {
  const { SynapClient } = await import(pathToFileURL(join(dist, "esm/browser.js")).href);
  const { init, dispose } = await import(pathToFileURL(join(dist, "esm/browser.js")).href);
  await init({ wasm: readFileSync(join(dist, "synap.wasm")) });
  for (const address of ["synap://localhost", "resp3s://localhost"]) {
    await assert.rejects(SynapClient.connect(address), (e) => e.code === "Unsupported" && /needs TCP, which a browser does not have; use http:\/\//.test(e.message));
  }
  await dispose();
});
