// How a strict TypeScript project uses the package: it must compile, and run.
import { NotFoundError, SynapClient, SynapError, TimeoutError, dispose, type CallOptions, type Integer, type KVSetArgs, type PubSubMessage, type QueueMessage, type Subscription } from "synap-sdk";

function same<T>(actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${String(actual)} is not ${String(expected)}`);
}

export async function main(address: string): Promise<void> {
  await using client = await SynapClient.connect(address, { timeoutMs: 5000, bigint: false });
  const options: KVSetArgs & CallOptions = { ttl: 3600n, timeoutMs: 1000, signal: new AbortController().signal };
  same<boolean>(await client.kv.set("k", new Uint8Array([65]), options), true);
  const value: string | Uint8Array | null = await client.kv.get("k");
  same(value, "A");
  const n: Integer = await client.kv.incr("n");
  same(n, 1);
  const length: number = await client.kv.strlen("k");
  same(length, 1);
  const ttl: number | null = await client.kv.ttl("n");
  same(ttl, null);
  const json: unknown = await client.kv.getJson("n");
  same(json, 1);
  await client.kv.mset({ a: "1" });
  await client.kv.mset(new Map([["a", "1"]]));
  const values: (string | Uint8Array | null)[] = await client.kv.mget(new Set(["a"]));
  same(values[0], "1");

  await client.queue.create("q");
  await client.queue.publish("q", new Uint8Array([1]), { priority: 5 });
  const message: QueueMessage | null = await client.queue.consume("q", "w");
  if (message === null) throw new Error("no message");
  same<number>(message.payload.length, 1);
  await client.queue.ack("q", message.messageId);

  const batch = client.batch();
  const result = batch.kv.get("k");
  const all: unknown[] = await batch.execute({ throwOnError: false });
  same(all.length, 1);
  const queued: string | Uint8Array | null = result.result();
  same(queued, "A");

  const messages: Subscription<PubSubMessage> = await client.pubsub.subscribe(["t.*"], { overflow: "drop_oldest" });
  await client.pubsub.publish("t.a", { deep: [1, null] }, { metadata: { a: "b" } });
  for await (const { topic, lost } of messages) {
    same<string>(topic, "t.a");
    same<number>(lost, 0);
    break;
  }
  {
    await using watch = await client.kv.watch(["k"]);
    const error: unknown = await watch.next({ timeoutMs: 1 }).catch((e: unknown) => e);
    same(error instanceof TimeoutError, true);
  }
  try {
    await client.queue.stats("none");
    throw new Error("there is no such queue");
  } catch (e) {
    if (!(e instanceof SynapError)) throw e;
    const status: number | null = e.statusCode;
    same(status, 404);
    if (e instanceof NotFoundError) same<"NotFound">(e.code, "NotFound");
  }
}

export async function wrong(client: SynapClient): Promise<void> {
  // @ts-expect-error a key is text
  await client.kv.get(5);
  // @ts-expect-error a value is text or bytes
  await client.kv.set("k", 5);
  // @ts-expect-error no such option
  await client.kv.set("k", "v", { tll: 5 });
  // @ts-expect-error a text is no list of texts
  await client.kv.mget("k");
  // @ts-expect-error a payload is bytes
  await client.queue.publish("q", "text");
  // @ts-expect-error one of two
  client.pubsub.subscribe(["t"], { overflow: "explode" });
  // @ts-expect-error the result may be null
  (await client.kv.get("k")).length;
  // @ts-expect-error bigint or number
  (await client.kv.incr("n")) + 1;
  // @ts-expect-error clients are made by connect
  new SynapClient();
  // @ts-expect-error no such client option
  await SynapClient.connect("memory://", { timeout: 5 });
}

void main("memory://").then(dispose);
