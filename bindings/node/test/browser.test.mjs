// The browser's side, with fetch and WebSocket of the test's own making, or Node's.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { dist, startServer, until, utf8 } from "./helpers.mjs";

const { BrowserTransport } = await import(join(dist, "esm/io-browser.js"));
const { Host } = await import(join(dist, "esm/host.js"));
const { Families } = await import(join(dist, "esm/generated/families.js"));
const sdk = await import(join(dist, "esm/browser.js"));
const { WebSocket } = createRequire(join(dist, "cjs/node.js"))("undici");
globalThis.crypto ??= webcrypto; // Node 18 has it elsewhere
const module = new WebAssembly.Module(readFileSync(join(dist, "synap.wasm")));

/** Opens a client over what stands in for a browser; `clock` makes time and timers the test's own. */
async function open(t, address, net, options = {}, clock = null) {
  const host = new Host({
    load: async () => module,
    sockets: false,
    transport: (settings, answers) => new BrowserTransport({ fetch, WebSocket, ...net }, settings, answers),
    environment: () => ({}),
    random: (to) => crypto.getRandomValues(to),
    now: () => clock?.now ?? Date.now(),
    timer(ms, run) {
      if (clock !== null) return clock.timer(ms, run);
      const timer = setTimeout(run, ms);
      return { stop: () => clearTimeout(timer), keepAlive: () => {} };
    },
  });
  const channel = await host.open(address, options);
  const client = Object.assign(new Families(channel), { close: () => channel.close() });
  t.after(() => host.dispose());
  return client;
}

/** Makes a fetch of a function from a request's command to its reply. */
const replying = (reply) => async (url, init) => {
  const { command, request_id, payload } = JSON.parse(new TextDecoder().decode(init.body));
  const text = JSON.stringify({ success: true, request_id, payload: await reply(command, payload, init), error: null });
  return new Response(text, { status: 200 });
};

/** A WebSocket that does what the test says. */
class Socket {
  static all = [];
  constructor(url) {
    this.url = url;
    this.closed = false;
    Socket.all.push(this);
  }
  close() {
    this.closed = true;
  }
}

test("against a server", async (t) => {
  const server = await startServer(t);
  const client = await open(t, server.url, {});
  await client.kv.set("k", "é");
  assert.equal(await client.kv.get("k"), "é");
  await client.kv.mset(Array.from({ length: 50 }, (_, i) => [`k${i}`, String(i)]));
  assert.deepEqual(await client.kv.mget(["k0", "k49", "none"]), ["0", "49", null]);
  const messages = await client.pubsub.subscribe(["t"]);
  await client.pubsub.publish("t", { a: 1 });
  assert.deepEqual((await messages.next({ timeoutMs: 5000 })).message, { a: 1 });
  await messages.close();
  await until(async () => (await client.pubsub.publish("t", 1)).subscribersMatched === 0, "the WebSocket is closed");
});

test("a request says what it must and no more", async (t) => {
  const seen = [];
  const client = await open(t, "https://user:secret@example.org/prefix", {
    fetch: (url, init) => {
      seen.push([url, init]);
      return replying(() => "v")(url, init);
    },
  });
  assert.equal(await client.kv.get("k"), "v");
  const [[url, init]] = seen;
  assert.equal(url, "https://example.org:15500/prefix/api/v1/command");
  assert.deepEqual(init.headers, { "Content-Type": "application/json", Authorization: `Basic ${btoa("user:secret")}` });
  assert.deepEqual([init.method, init.cache, init.credentials, init.redirect], ["POST", "no-store", "omit", "error"]);
});

test("fetch fails, and the text says what a browser hides", async (t) => {
  let calls = 0;
  const client = await open(t, "http://example.org", { fetch: async () => Promise.reject(new TypeError("Failed to fetch", { cause: calls++ })) }, { backoffMs: 1 });
  await assert.rejects(client.kv.get("k"), (e) => e.code === "Connection" && /Failed to fetch/.test(e.message) && /CORS/.test(e.message) && /Access-Control-Allow-Origin/.test(e.message));
  assert.equal(calls, 4, "a read is repeated");
  await assert.rejects(client.kv.incr("n"), (e) => e.code === "Connection" && e.maybeApplied);
  assert.equal(calls, 5, "nobody knows whether it was seen");
});

test("a reply is cut off, or too large", async (t) => {
  const pieces = (...texts) => new Response(new ReadableStream({
    pull(controller) {
      const text = texts.shift();
      if (text === undefined) controller.error(new TypeError("network error"));
      else controller.enqueue(utf8(text));
    },
  }));
  const broken = await open(t, "http://example.org", { fetch: async () => pieces('{"succ', "ess") });
  await assert.rejects(broken.kv.incr("n"), (e) => e.code === "Connection" && e.maybeApplied && /network error/.test(e.message));
  const large = await open(t, "http://example.org", { fetch: async () => pieces(...Array(100).fill("x".repeat(1000))) }, { maxReplyBytes: 5000 });
  await assert.rejects(large.kv.get("k"), { code: "TooLarge" });
});

test("deadlines and signals abort the fetch, and only that one", async (t) => {
  const aborted = [];
  const client = await open(t, "http://example.org", {
    fetch: (url, init) => new Promise((resolve, reject) => {
      const { command } = JSON.parse(new TextDecoder().decode(init.body));
      init.signal.addEventListener("abort", () => {
        aborted.push(command);
        reject(init.signal.reason);
      });
      if (command === "kv.get") setTimeout(() => resolve(replying(() => "v")(url, init)), 60);
    }),
  });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 10);
  const ends = await Promise.allSettled([client.kv.incr("n", { timeoutMs: 30 }), client.kv.decr("n", { signal: controller.signal }), client.kv.get("k")]);
  assert.deepEqual(ends.map((e) => e.value ?? e.reason.code), ["Timeout", "Canceled", "v"]);
  assert.deepEqual(aborted, ["kv.decr", "kv.incr"]);
});

test("requests of one lane keep their order and stop at the first failure", async (t) => {
  const seen = [];
  let underWay = 0;
  const client = await open(t, "http://example.org", {
    fetch: replying(async (command, { key }) => {
      assert.equal(++underWay, 1, "one at a time");
      seen.push(key);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      underWay--;
      if (key === "k5") throw new TypeError("Failed to fetch");
      return { value: 1 };
    }),
  }, { maxRetries: 0 });
  await assert.rejects(client.kv.mset(Array.from({ length: 9 }, (_, i) => [`k${i}`, "v"])), { code: "Connection" });
  assert.deepEqual(seen, ["k0", "k1", "k2", "k3", "k4", "k5"]);
});

test("a path that a browser would change is not sent", async (t) => {
  const client = await open(t, "http://example.org", { fetch: () => assert.fail("it was sent") }, { maxRetries: 0 });
  for (const key of ["..", "."]) await assert.rejects(client.kv.append(key, "v"), (e) => e.code === "Connection" && !e.maybeApplied && /another path/.test(e.message));
});

test("WebSockets carry the key in the address, because they have no headers", async (t) => {
  Socket.all = [];
  const client = await open(t, "http://example.org?api_key=a%2Bb", { WebSocket: Socket });
  const next = client.pubsub.subscribe(["t"]).next();
  await until(() => Socket.all.length === 1, "a WebSocket is made");
  assert.match(Socket.all[0].url, /^ws:\/\/example\.org:15500\/pubsub\/ws\?topics=t(,[^&]*)?&api_key=a%2Bb$/);
  Socket.all[0].onopen();
  Socket.all[0].onmessage({ data: JSON.stringify({ type: "connected", subscriber_id: "s", topics: ["t"], subscription_count: 1 }) });
  Socket.all[0].onmessage({ data: new ArrayBuffer(1) });
  Socket.all[0].onmessage({ data: JSON.stringify({ type: "message", message_id: "i", topic: "t", payload: 5, metadata: null, timestamp: 1 }) });
  assert.equal((await next).message, 5);
  await client.close();
  assert.ok(Socket.all[0].closed);

  const named = await open(t, "http://user:secret@example.org", { WebSocket: Socket });
  await assert.rejects(named.pubsub.subscribe(["t"]).next(), (e) => e.code === "InvalidArgument" && /apiKey/.test(e.message));
});

test("a WebSocket that is refused, breaks, or says nothing", async (t) => {
  Socket.all = [];
  class Refused extends Socket {
    constructor(url) {
      super(url);
      setTimeout(() => this.onclose(), 1);
    }
  }
  const refused = await open(t, "http://example.org", { WebSocket: Refused }, { maxRetries: 2, backoffMs: 1 });
  await assert.rejects(refused.kv.watch(["k"]).next(), (e) => e.code === "Connection" && /1\.3\.1/.test(e.message));
  assert.equal(Socket.all.length, 3);
  const silent = await open(t, "http://example.org", { WebSocket: Socket }, { maxRetries: 0, connectTimeoutMs: 30 });
  await assert.rejects(silent.kv.watch(["k"]).next(), { code: "Connection" });
  assert.ok(Socket.all.at(-1).closed);
  class Impossible {
    constructor() {
      throw new DOMException("mixed content", "SecurityError");
    }
  }
  const impossible = await open(t, "http://example.org", { WebSocket: Impossible }, { maxRetries: 0 });
  await assert.rejects(impossible.kv.watch(["k"]).next(), { code: "Connection" });
});

test("settings that a browser cannot obey are refused", async (t) => {
  for (const options of [{ tlsCa: "x" }, { tlsInsecure: true }, { tlsCert: "x", tlsKey: "y" }]) {
    await assert.rejects(open(t, "https://example.org", {}, options), { code: "InvalidArgument" });
  }
});

test("a tab that slept for an hour", async (t) => {
  const clock = {
    now: 1.7e12,
    timers: new Set(),
    timer(ms, run) {
      const timer = { at: clock.now + ms, run };
      clock.timers.add(timer);
      return { stop: () => clock.timers.delete(timer), keepAlive: () => {} };
    },
    async sleep(ms) {
      clock.now += ms;
      for (const timer of [...clock.timers].filter(({ at }) => at <= clock.now)) {
        clock.timers.delete(timer);
        timer.run();
      }
      await new Promise(setImmediate);
    },
  };
  const waiting = [];
  Socket.all = [];
  const client = await open(t, "http://example.org", {
    WebSocket: Socket,
    fetch: (url, init) => new Promise((resolve) => waiting.push(() => resolve(replying(() => "v")(url, init)))),
  }, {}, clock);
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

  // Woken by its timer, late: the call is over its deadline.
  const late = assert.rejects(client.kv.incr("n"), { code: "Timeout" });
  await settle();
  await clock.sleep(3_600_000);
  await late;

  // Woken by the network before any timer: the reply that came is a reply.
  const answered = client.kv.get("k");
  await settle();
  clock.now += 3_600_000;
  waiting.at(-1)();
  assert.equal(await answered, "v");

  // The subscription finds its connection gone, and connects again.
  const messages = client.pubsub.subscribe(["t"]);
  const next = messages.next();
  const welcome = { data: JSON.stringify({ type: "connected", subscriber_id: "s", topics: ["t"], subscription_count: 1 }) };
  await settle();
  Socket.all[0].onopen();
  Socket.all[0].onmessage(welcome);
  await settle();
  clock.now += 3_600_000;
  Socket.all[0].onclose();
  await until(async () => {
    await clock.sleep(1000);
    return Socket.all.length === 2;
  }, "it connects again");
  Socket.all[1].onopen();
  Socket.all[1].onmessage(welcome);
  Socket.all[1].onmessage({ data: JSON.stringify({ type: "message", message_id: "i", topic: "t", payload: "after", metadata: null, timestamp: 1 }) });
  const { message, lost } = await next;
  assert.deepEqual([message, lost], ["after", -1]);

  // A TTL that passed meanwhile has passed.
  const memory = await open(t, "memory://", {}, {}, clock);
  await memory.kv.set("k", "v", { ttl: 60 });
  clock.now += 61_000;
  assert.equal(await memory.kv.get("k"), null);
});

test("the page's own module is looked for beside the script", async () => {
  const asked = [];
  const real = globalThis.fetch;
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    throw new TypeError("Failed to fetch");
  };
  try {
    await assert.rejects(sdk.init(), (e) => e instanceof sdk.ConnectionError && e.retryable && /Failed to fetch/.test(e.message));
  } finally {
    globalThis.fetch = real;
  }
  assert.deepEqual(asked, [new URL("synap.wasm", `file://${dist}/`).href]);
  await sdk.init({ wasm: readFileSync(join(dist, "synap.wasm")) });
  const client = await sdk.SynapClient.connect("memory://");
  await client.kv.set("k", "v");
  assert.equal(await client.kv.get("k"), "v");
  await client.close();
  await sdk.dispose();
});
