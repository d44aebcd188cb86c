// The conformance driver of the browser client: the protocol of conformance
// drivers (tests/conformance/runner, driver.go) on standard input and output, the
// client in a page in Chromium.
import { launch } from "../../browser/chromium.mjs";
import { startSite } from "../../browser/programs.mjs";

/** Runs in the page: makes window.answer, from a frame to its answer, both in base64. */
async function prepare() {
  const { Float, SynapClient, SynapError } = await import("./sdk/browser.js");
  const { errorNumber } = await import("./sdk/generated/errors.js");
  const { Writer, decode } = await import("./sdk/msgpack.js");

  /** Keeps whole floats apart from integers, which are bigints here. */
  function exact(v) {
    if (typeof v === "number") return new Float(v);
    if (Array.isArray(v)) return v.map(exact);
    if (typeof v !== "object" || v === null || v instanceof Uint8Array) return v;
    return Object.fromEntries(Object.entries(v).map(([key, member]) => [key, exact(member)]));
  }

  let client;
  async function run([operation, name, payload]) {
    if (operation !== "open") return client.command(name, payload);
    await client?.close();
    client = await SynapClient.connect(name, { bigint: true });
    return null;
  }

  window.answer = async (text) => {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    let parts;
    try {
      parts = [await run(exact(decode(bytes, 0, bytes.length, true)))];
    } catch (e) {
      if (!(e instanceof SynapError)) throw e;
      const flags = (e.retryable ? 1n : 0n) + (e.maybeApplied ? 2n : 0n);
      parts = [null, [BigInt(errorNumber(e)), BigInt(e.statusCode ?? 0), flags, e.message, e.command, e.transport]];
    }
    const w = new Writer();
    w.json(exact(parts), "answer");
    let out = "";
    for (const byte of w.bytes.subarray(0, w.length)) out += String.fromCharCode(byte);
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
