// Where synap.wasm comes from, what can be wrong with it, and how it ends.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { ClosedError, ConnectionError, InvalidArgumentError, PanicError, SynapClient, UnsupportedError, dispose, init, memoryBytes } from "synap-sdk";
import { connect, dist, listen, root } from "./helpers.mjs";
import { fakeModule } from "./fake-module.mjs";

const require = createRequire(import.meta.url);
const path = join(dist, "synap.wasm");
const file = readFileSync(path);

after(() => dispose());

/** Starts anew with a module from elsewhere. */
async function from(wasm) {
  await dispose();
  await init({ wasm });
}

async function works() {
  const client = await SynapClient.connect("memory://");
  await client.kv.set("k", "v");
  assert.equal(await client.kv.get("k"), "v");
  await client.close();
}

async function serve(t, answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/synap.wasm`;
}

test("the module comes from wherever it is said to be", async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(200, { "content-type": "application/wasm" }).end(file));
  for (const wasm of [path, pathToFileURL(path), pathToFileURL(path).href, url, new URL(url), file, new Uint8Array(file), new Uint8Array(file).buffer, await WebAssembly.compile(file), await fetch(url), fetch(url), Promise.resolve(file)]) {
    await from(wasm);
    await works();
  }
  await dispose();
  await init();
  await works();
  await assert.rejects(init({ wasm: path }), /loaded already/);
  await init();
});

test("what is no synap.wasm is refused, and the next try starts anew", async (t) => {
  const page = Buffer.from("<!doctype html><title>Not found</title>");
  const html = await serve(t, (_, response) => response.end(page));
  const missing = await serve(t, (_, response) => response.writeHead(404).end(page));
  const empty = Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]);
  for (const [wasm, Kind, what] of [
    [page, InvalidArgumentError, /not WebAssembly; it looks like a web page/],
    [html, InvalidArgumentError, /web page/],
    [missing, ConnectionError, /HTTP 404/],
    ["http://127.0.0.1:1/synap.wasm", ConnectionError, /cannot be loaded from/],
    ["/no/such/file.wasm", InvalidArgumentError, /cannot be read/],
    [Buffer.alloc(0), InvalidArgumentError, /not WebAssembly/],
    [file.subarray(0, 100_000), InvalidArgumentError, /cannot be compiled/],
    [empty, InvalidArgumentError, /does not export _initialize/],
    [fakeModule({ synap_abi: 2 }), UnsupportedError, /version 2 .* this package version 1/],
    [fakeModule({ _initialize: "trap" }), PanicError, /failed to start: unreachable/],
    [fakeModule({ synap_abi: 1 }, "no such import"), UnsupportedError, /does not fit this package/],
    [5, InvalidArgumentError, /number/],
    [{}, InvalidArgumentError, /must be a URL/],
    [() => Promise.reject(new Error("no luck")), Error, /no luck/],
  ]) {
    await assert.rejects(from(typeof wasm === "function" ? wasm() : wasm), (e) => e instanceof Kind && what.test(e.message), String(what));
  }
  await from(path);
  await works();
});

test("an environment without WebAssembly, and one that forbids it", async () => {
  await dispose();
  const real = globalThis.WebAssembly;
  try {
    globalThis.WebAssembly = undefined;
    await assert.rejects(init({ wasm: path }), (e) => e instanceof UnsupportedError && /no WebAssembly/.test(e.message));
    // The texts of Chromium and Firefox.
    for (const text of [
      "WebAssembly.compile(): Refused to compile or instantiate WebAssembly module because 'unsafe-eval' is not an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\"",
      "call to WebAssembly.compile() blocked by CSP",
    ]) {
      globalThis.WebAssembly = { ...Object.fromEntries(Object.getOwnPropertyNames(real).map((name) => [name, real[name]])), compile: () => Promise.reject(new real.CompileError(text)) };
      await assert.rejects(init({ wasm: path }), (e) => e instanceof UnsupportedError && /wasm-unsafe-eval/.test(e.message));
    }
  } finally {
    globalThis.WebAssembly = real;
  }
  await init({ wasm: path });
  await works();
});

test("a trap fails what is in flight, and the next client gets a new instance", async (t) => {
  await from(fakeModule({ synap_abi: 1, synap_alloc: 1024, synap_open: 1, synap_submit: "trap" }));
  const one = await SynapClient.connect("memory://");
  await assert.rejects(one.kv.get("k"), (e) => e instanceof PanicError && /unreachable/.test(e.message) && e.command === "kv.get" && e.cause instanceof WebAssembly.RuntimeError);
  await assert.rejects(one.kv.get("k"), PanicError);
  await one.close();

  await from(fakeModule({ synap_abi: 1, synap_alloc: 1024, synap_open: 1, synap_cancel: "trap" }));
  const client = await SynapClient.connect("memory://");
  const controller = new AbortController();
  const calls = [client.kv.get("a"), client.kv.get("b", { signal: controller.signal }), client.pubsub.subscribe(["t"]).next()];
  setImmediate(() => controller.abort());
  for (const { reason } of await Promise.allSettled(calls)) assert.ok(reason instanceof PanicError || reason.code === "Canceled", String(reason));
  assert.ok(client.closed);
  const second = new AbortController();
  setTimeout(() => second.abort(), 20);
  const next = await SynapClient.connect("memory://");
  await assert.rejects(next.kv.get("k", { signal: second.signal }), PanicError, "that instance was another, with the same defect");
  await from(path);
  await works();
});

test("disposing ends everything, and the next client starts anew", async (t) => {
  const server = await listen(t, () => {});
  await from(path);
  const [http, memory] = [await SynapClient.connect(server.url), await SynapClient.connect("memory://")];
  const messages = await memory.pubsub.subscribe(["t"]);
  const calls = [http.kv.get("k"), http.kv.watch(["k"]).next(), messages.next()];
  const ends = Promise.allSettled(calls);
  await new Promise(setImmediate);
  assert.ok(memoryBytes() > 0);
  await dispose();
  for (const { reason } of await ends) assert.ok(reason instanceof ClosedError, String(reason));
  assert.equal(memoryBytes(), 0);
  assert.ok(http.closed && memory.closed);
  await assert.rejects(http.kv.get("k"), ClosedError);
  await Promise.all([http.close(), messages.close(), dispose()]);
  await works();
});

test("import and require give the same", async () => {
  const required = require("synap-sdk");
  assert.equal(required.SynapClient, SynapClient);
  assert.equal(required.SynapError, (await import("synap-sdk")).SynapError);
});

test("a memory that is thrown away is given back", async () => {
  const script = `
    const { SynapClient, dispose } = require("synap-sdk");
    const used = () => { gc(); gc(); return process.memoryUsage().rss / 2 ** 20; };
    (async () => {
      let before;
      for (let i = 0; i < 60; i++) {
        const client = await SynapClient.connect("memory://");
        await client.kv.set("k", "x".repeat(8 << 20));
        await dispose();
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (i === 15) before = used();
      }
      console.log(used() - before);
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "-e", script], { cwd: join(root, "bindings/node"), timeout: 60_000 });
  assert.ok(Number(stdout) < 150, `${stdout.trim()} MiB more after 45 instances of more than 20 MiB each`);
});
