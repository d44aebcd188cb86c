// The programs that the tests talk to. Each listens on loopback on a free port,
// says its address in its first line, and ends with the test.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

async function start(program, args, prefix) {
  const child = spawn(root + program, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  const lines = createInterface({ input: child.stdout });
  const address = await Promise.race([
    new Promise((resolve) => lines.on("line", (line) => line.startsWith(prefix) && resolve(line.slice(prefix.length).trim()))),
    ended.then((code) => Promise.reject(new Error(`${program} ended with ${code} before it listened`))),
  ]);
  return { address, stop };
}

/** Serves the built playground; address ends with a slash. */
export const startSite = () => start("build/serve", ["-port", "0", "-testserver", ""], "playground:");

/** Starts a test server with the flags of build/synap-testserver. */
export const startServer = (...flags) => start("build/synap-testserver", ["-http", "127.0.0.1:0", ...flags], "synap-testserver: http");

/** Starts an HTTP server that answers as handle does. */
export async function startHTTP(handle) {
  const server = createServer(handle);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://127.0.0.1:${server.address().port}`, stop };
}

/** Runs a command on a server from outside the browser and returns its payload. */
export async function command(server, name, payload) {
  const response = await fetch(server.address + "/api/v1/command", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ command: name, request_id: "outside", payload }),
  });
  const reply = await response.json();
  if (!reply.success) throw new Error(`${name}: ${reply.error}`);
  return reply.payload;
}
