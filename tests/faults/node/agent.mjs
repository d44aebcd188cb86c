// The agent of the Node client: see tests/faults/sockets/agent.go.
import { createInterface } from "node:readline";
import { SynapClient, SynapError } from "../../../bindings/node/dist/node.mjs";

let client;
let items;

async function run(op, what, timeout) {
  const options = { timeoutMs: Number(timeout) };
  switch (op) {
    case "open":
      client = await SynapClient.connect(what);
      return "";
    case "close":
      await client.close();
      return "";
    case "get":
      return String((await client.kv.get(what, options)) ?? "nothing");
    case "incr":
      return String(await client.kv.incr(what, options));
    case "subscribe":
      items = await client.pubsub.subscribe([what], options);
      return "";
    case "follow":
      items = await client.stream.follow(what, "agent", options);
      return "";
    default: {
      const item = await items.next(options);
      return `${item.message ?? item.data} ${item.lost}`;
    }
  }
}

function failure(e) {
  if (e instanceof SynapError) return `error ${e.code} ${e.maybeApplied} ${e.message}`;
  return `error untyped false ${e}`;
}

// Requests run side by side; only open and close are waited for.
let before = Promise.resolve();
createInterface({ input: process.stdin }).on("line", (line) => {
  const [number, ...words] = line.split(" ");
  before = before.then(() => {
    const ended = run(...words).then((text) => `ok ${text}`, failure).then((text) => process.stdout.write(`${number} ${text}\n`));
    return words[0] === "open" || words[0] === "close" ? ended : undefined;
  });
});
