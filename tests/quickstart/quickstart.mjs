// The guide's quick start in JavaScript, against the address in argv. It prints
// nothing unless a step fails.
import assert from "node:assert/strict";
import { SynapClient } from "../../bindings/node/dist/node.mjs";

const [address, ...rest] = process.argv.slice(2);
if (address === undefined || rest.length > 0) {
  console.error("usage: quickstart.mjs ADDRESS");
  process.exit(2);
}

async function keyValue(client) {
  await client.kv.set("user:1", "John Doe", { ttl: 3600 });
  assert.equal(await client.kv.get("user:1"), "John Doe");
  assert.equal(await client.kv.delete("user:1"), true);
}

async function queue(client) {
  // SynapRPC creates queues without options.
  await client.queue.create("jobs-node", { maxDepth: 1000 });
  await client.queue.publish("jobs-node", new TextEncoder().encode("Hello"), { priority: 5 });
  const message = await client.queue.consume("jobs-node", "worker-1");
  assert.equal(new TextDecoder().decode(message?.payload), "Hello");
  await client.queue.ack("jobs-node", message.messageId);
}

async function stream(client) {
  await client.stream.getOrCreate("notifications-node");
  const offset = await client.stream.publish("notifications-node", "user.signup", "New user registered");
  const events = await client.stream.consume("notifications-node", "user-1", { fromOffset: offset, limit: 10 });
  assert.deepEqual(events.map(({ event, data }) => [event, data]), [["user.signup", "New user registered"]]);
}

async function pubsub(client) {
  const messages = await client.pubsub.subscribe(["notifications.*"]);
  await client.pubsub.publish("notifications.email", "New order received");
  for await (const message of messages) {
    assert.deepEqual([message.topic, message.message], ["notifications.email", "New order received"]);
    break;
  }
}

try {
  const client = await SynapClient.connect(address);
  for (const step of [keyValue, queue, stream, pubsub]) await step(client);
  await client.close();
} catch (e) {
  console.error("quickstart (Node):", e);
  process.exitCode = 1;
}
