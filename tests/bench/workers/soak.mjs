// Makes many calls of one instance of the module, through the package for Node:
// soak.mjs ADDRESS CALLS. It reports the size of the module's memory, which never
// shrinks, after a fifth of them and at the end.
import { SynapClient, memoryBytes } from "../../../bindings/node/dist/node.mjs";
import { TEXT, expect, keyOf } from "./common.mjs";

/** The calls of a round: most on the engine in the module, one by one, the others over HTTP, together. */
const ENGINE = 900;
const HTTP = 100;

const [address, calls] = [process.argv[2], Number(process.argv[3])];
const engine = await SynapClient.connect("memory://");
const web = await SynapClient.connect(address);
const rounds = Math.ceil(calls / (ENGINE + HTTP));
const start = performance.now();
let early = 0;

for (let i = 0; i < rounds; i++) {
  if (i === Math.floor(rounds / 5)) early = memoryBytes();
  for (let j = 0; j < ENGINE / 2; j++) {
    const key = keyOf((i + j) % 100);
    const value = TEXT.slice(0, (i + j) % TEXT.length);
    await engine.kv.set(key, value, { ttl: 60 });
    expect(await engine.kv.get(key), value);
  }
  await Promise.all(Array.from({ length: HTTP }, (_, slot) => (slot % 2 ? web.kv.get(keyOf(slot)) : web.kv.set(keyOf(slot), TEXT))));
}

const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ calls: rounds * (ENGINE + HTTP), seconds, bytes_after_fifth: early, bytes_at_end: memoryBytes() }));
await Promise.all([engine.close(), web.close()]);
