// The conformance driver of the Node client (tests/conformance/runner, driver.go).
import { createRequire } from "node:module";
import { Float, SynapClient, SynapError } from "../../../bindings/node/dist/node.mjs";

const require = createRequire(import.meta.url);
const { Writer, decode } = require("../../../bindings/node/dist/cjs/msgpack.js");
const { errorNumber } = require("../../../bindings/node/dist/cjs/generated/errors.js");

let client = null;

/** Keeps whole floats apart from integers, which are bigints here. */
function exact(v) {
  if (typeof v === "number") return new Float(v);
  if (Array.isArray(v)) return v.map(exact);
  if (typeof v !== "object" || v === null || v instanceof Uint8Array) return v;
  return Object.fromEntries(Object.entries(v).map(([key, member]) => [key, exact(member)]));
}

/** Writes an answer to standard output. */
function answer(parts) {
  const w = new Writer();
  w.json(exact(parts), "answer");
  const size = Buffer.alloc(4);
  size.writeUInt32LE(w.length);
  process.stdout.write(Buffer.concat([size, w.bytes.subarray(0, w.length)]));
}

async function run([operation, name, payload]) {
  try {
    if (operation === "open") {
      await client?.close();
      client = await SynapClient.connect(name, { bigint: true });
      answer([null]);
    } else answer([await client.command(name, payload)]);
  } catch (e) {
    if (!(e instanceof SynapError)) throw e;
    const flags = (e.retryable ? 1n : 0n) + (e.maybeApplied ? 2n : 0n);
    answer([null, [BigInt(errorNumber(e)), BigInt(e.statusCode ?? 0), flags, e.message, e.command, e.transport]]);
  }
}

let input = Buffer.alloc(0);
for await (const chunk of process.stdin) {
  input = Buffer.concat([input, chunk]);
  while (input.length >= 4 && input.length >= 4 + input.readUInt32LE(0)) {
    const end = 4 + input.readUInt32LE(0);
    const request = exact(decode(input, 4, end, true));
    input = input.subarray(end);
    await run(request);
  }
}
await client?.close();
