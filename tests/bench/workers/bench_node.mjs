// The benchmark worker of the package for Node. In flight are promises.
import { SynapClient } from "../../../bindings/node/dist/node.mjs";
import { BATCH, QUEUE, TEXT, expect, keyOf, parameters, run } from "./common.mjs";

const asked = parameters();
const client = await SynapClient.connect(asked.address);
const { kv, queue } = client;
const keys = Array.from({ length: asked.inFlight }, (_, slot) => keyOf(slot));
const payload = new TextEncoder().encode(TEXT);

const operations = {
  async get(slot) {
    expect(await kv.get(keys[slot]), TEXT);
  },

  set: (slot) => kv.set(keys[slot], TEXT),

  async queue(slot) {
    await queue.publish(QUEUE, payload);
    const message = await queue.consume(QUEUE, keys[slot]);
    expect(Buffer.compare(message.payload, payload), 0);
    await queue.ack(QUEUE, message.messageId);
  },

  async batch(slot) {
    const batch = client.batch();
    for (let i = 0; i < BATCH; i++) batch.kv.set(keys[slot], TEXT);
    expect((await batch.execute()).length, BATCH);
  },
};

await Promise.all(keys.map((key) => kv.set(key, TEXT)));
await queue.create(QUEUE);
await run(operations[asked.op], asked, asked.op === "batch" ? BATCH : 1);
await client.close();
