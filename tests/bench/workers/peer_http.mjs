// The benchmark worker of HTTP clients for Node that know nothing of Synap:
// peer_http.mjs undici|fetch ADDRESS OP INFLIGHT SECONDS. They send what our
// client sends and look at the JSON of every answer; nobody sets a deadline.
import { createRequire } from "node:module";
import { QUEUE, TEXT, expect, keyOf, parameters, run } from "./common.mjs";

/** As many connections as our client has if it is told nothing else. */
const CONNECTIONS = 64;
const PATH = "/api/v1/command";
const headers = { "content-type": "application/json" };

/** Ways to post a body: each returns the answer's JSON. */
const ways = {
  undici(address) {
    const { Pool } = createRequire(new URL("../../../bindings/node/package.json", import.meta.url))("undici");
    const pool = new Pool(address, { connections: CONNECTIONS });
    return async (body) => (await pool.request({ path: PATH, method: "POST", headers, body })).body.json();
  },
  fetch: (address) => async (body) => (await fetch(address + PATH, { method: "POST", headers, body })).json(),
};

const [way] = process.argv.splice(2, 1);
const asked = parameters();
const post = ways[way](asked.address);
let last = 0;

async function command(name, payload) {
  const reply = await post(JSON.stringify({ command: name, request_id: String(++last), payload }));
  if (reply.success !== true) throw new Error(`${name}: ${JSON.stringify(reply)}`);
  return reply.payload;
}

const keys = Array.from({ length: asked.inFlight }, (_, slot) => keyOf(slot));
const payload = new TextEncoder().encode(TEXT);

const operations = {
  async get(slot) {
    expect(await command("kv.get", { key: keys[slot] }), TEXT);
  },

  set: (slot) => command("kv.set", { key: keys[slot], value: TEXT }),

  async queue(slot) {
    await command("queue.publish", { queue: QUEUE, payload: Array.from(payload) });
    const { message } = await command("queue.consume", { queue: QUEUE, consumer_id: keys[slot] });
    expect(Buffer.compare(Uint8Array.from(message.payload), payload), 0);
    await command("queue.ack", { queue: QUEUE, message_id: message.id });
  },
};

await Promise.all(keys.map((key) => command("kv.set", { key, value: TEXT })));
await command("queue.create", { name: QUEUE });
await run(operations[asked.op], asked);
process.exit(0); // connections at rest would keep the process
