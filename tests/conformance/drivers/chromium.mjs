// The conformance driver of the browser client: the protocol of conformance
// drivers (tests/conformance/runner, driver.go) on standard input and output, the
// client in a page in Chromium.
import { launch } from "../../browser/chromium.mjs";
import { startSite } from "../../browser/programs.mjs";

/** Runs in the page: makes window.answer, from the text of a frame to that of its answer. */
async function prepare() {
  const { SynapClient, SynapError } = await import("./sdk/browser.js");
  const { errorOf } = await import("./sdk/generated/errors.js");
  const { decode } = await import("./sdk/msgpack.js");

  const numbers = new Map();
  for (let n = 1; n <= 17; n++) numbers.set(errorOf([n, 0, 0, "", "", ""]).code, BigInt(n));

  // Integers are bigints and floats are numbers here, so that none turns into the
  // other on the way to the runner.
  const head = (kind, n) => [kind, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  const long = (kind, set) => {
    const view = new DataView(new ArrayBuffer(9));
    view.setUint8(0, kind);
    set(view);
    return [...new Uint8Array(view.buffer)];
  };
  const joined = (kind, count, parts) => [...head(kind, count), ...parts.flat()];
  function pack(v) {
    if (v === null || v === undefined) return [0xc0];
    if (typeof v === "boolean") return [v ? 0xc3 : 0xc2];
    if (typeof v === "number") return long(0xcb, (view) => view.setFloat64(1, v));
    if (typeof v === "bigint") return v < 0n ? long(0xd3, (view) => view.setBigInt64(1, v)) : long(0xcf, (view) => view.setBigUint64(1, v));
    if (typeof v === "string") {
      const bytes = new TextEncoder().encode(v);
      return joined(0xdb, bytes.length, [[...bytes]]);
    }
    if (v instanceof Uint8Array) return joined(0xc6, v.length, [[...v]]);
    if (Array.isArray(v)) return joined(0xdd, v.length, v.map(pack));
    return joined(0xdf, Object.keys(v).length, Object.entries(v).map(([k, m]) => [...pack(k), ...pack(m)]));
  }

  const failure = (e) => [
    null,
    [numbers.get(e.code), BigInt(e.statusCode ?? 0), BigInt(e.retryable) + 2n * BigInt(e.maybeApplied), e.message, e.command, e.transport],
  ];

  let client;
  async function run([operation, name, payload]) {
    if (operation !== "open") return client.command(name, payload);
    await client?.close();
    client = await SynapClient.connect(name, { bigint: true });
  }

  window.answer = async (text) => {
    const request = decode(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
    let parts;
    try {
      parts = [await run(request)];
    } catch (e) {
      if (!(e instanceof SynapError)) throw e;
      parts = failure(e);
    }
    let out = "";
    for (const byte of pack(parts)) out += String.fromCharCode(byte);
    return btoa(out);
  };
}

/** Yields the frames on standard input as base64 text. */
async function* frames() {
  let waiting = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32LE()) {
      const end = 4 + waiting.readUInt32LE();
      yield waiting.toString("base64", 4, end);
      waiting = waiting.subarray(end);
    }
  }
}

const [browser, site] = await Promise.all([launch(), startSite()]);
try {
  const page = await browser.newPage();
  await page.goto(site.address);
  await page.evaluate(prepare);
  for await (const frame of frames()) {
    const answer = Buffer.from(await page.evaluate((text) => window.answer(text), frame), "base64");
    const size = Buffer.alloc(4);
    size.writeUInt32LE(answer.length);
    process.stdout.write(Buffer.concat([size, answer]));
  }
} finally {
  await Promise.all([browser.close(), site.stop()]);
}
