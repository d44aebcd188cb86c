// What the tests share: servers that really listen, and clients that are closed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SynapClient } from "synap-sdk";

export const root = join(fileURLToPath(import.meta.url), "../../../..");
export const dist = join(root, "bindings/node/dist");
const program = process.env.SYNAP_TESTSERVER ?? join(root, "build/synap-testserver");

const children = new Set();
process.on("exit", () => children.forEach((child) => child.kill()));
process.once("SIGTERM", () => process.exit(1));

/** Starts a test server; it ends with the test t, or by stop(). */
export async function startServer(t, ...options) {
  const at = options.includes("-http") ? [] : ["-http", "127.0.0.1:0"];
  const child = spawn(program, [...at, ...options], { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  const failed = once(child, "exit").then(([code]) => Promise.reject(new Error(`the test server ended with ${code}`)));
  failed.catch(() => {});
  const listeners = 1 + new Set(options.filter((option) => option === "-rpc" || option === "-resp3")).size;
  let text = "";
  while (text.split("\n").length <= listeners) text += (await Promise.race([once(child.stdout, "data"), failed]))[0];
  const urls = Object.fromEntries(text.trim().split("\n").map((line) => line.split(" ").slice(-2)));
  const server = {
    url: urls.http,
    rpc: urls.rpc,
    resp3: urls.resp3,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
  t?.after(() => server.stop());
  return server;
}

/** Starts a test server with the native wires too. */
export function startNative(t, ...options) {
  return startServer(t, "-rpc", "127.0.0.1:0", "-resp3", "127.0.0.1:0", ...options);
}

/** Opens a client that is closed when the test t ends. */
export async function connect(t, address, options) {
  const client = await SynapClient.connect(address, options);
  t.after(() => client.close());
  return client;
}

/** Runs a test on the embedded engine and over HTTP, each with an empty store. */
export function onEach(test, name, run) {
  test(`${name} (memory)`, async (t) => run(await connect(t, "memory://"), t));
  test(`${name} (http)`, async (t) => run(await connect(t, (await startServer(t)).url), t));
}

/**
 * Listens where `serve(socket, text)` gets what a client sends, request by
 * request, and the number of the connection.
 */
export async function listen(t, serve) {
  let connections = 0;
  const sockets = new Set();
  const server = createServer((socket) => {
    const number = ++connections;
    sockets.add(socket);
    let text = "";
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      text += data;
      for (;;) {
        const head = text.indexOf("\r\n\r\n");
        if (head < 0) return;
        const size = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
        if (text.length < head + 4 + size) return;
        const request = text.slice(0, head + 4 + size);
        text = text.slice(head + 4 + size);
        serve(socket, request, number);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  t.after(close);
  return { url: `http://127.0.0.1:${server.address().port}`, close, connections: () => connections };
}

/** Answers a request as Synap does. */
export function answer(socket, request, payload) {
  const id = JSON.parse(request.slice(request.indexOf("\r\n\r\n") + 4)).request_id;
  respond(socket, 200, JSON.stringify({ success: true, request_id: id, payload, error: null }));
}

export function respond(socket, status, body) {
  socket.write(`HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** Waits until a condition holds. */
export async function until(holds, what) {
  for (const end = Date.now() + 10_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`it never came about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A port on which nothing listens. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const bytes = (...b) => Uint8Array.from(b);
export const utf8 = (text) => new TextEncoder().encode(text);
