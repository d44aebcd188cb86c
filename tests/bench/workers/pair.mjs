// Measures the module alone, in Node: pair.mjs WASM OP INFLIGHT SECONDS.
//
// A pair is what the module does for one call over HTTP: it takes the frame of a
// kv.get, asks for a request, takes the response and hands out the completion. This
// host answers at once and does nothing else. OP is pair: INFLIGHT frames go in,
// then their responses, as from a host that finds many answers when it looks at
// its network; or batch: one frame with so many commands goes in.
import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { BATCH, SETTLED, TEXT, expect, keyOf, parameters, report } from "./common.mjs";

const require = createRequire(import.meta.url);
const dist = "../../../bindings/node/dist/cjs/";
const { wasi } = require(`${dist}wasi.js`);
const { decode, written } = require(`${dist}msgpack.js`);

const { address: wasm, op, inFlight, seconds } = parameters();
const commands = op === "batch" ? BATCH : 1; // of one frame

// ---- What the module imports -----------------------------------------------------

let exports;
let view;
let wakeAt = Infinity;
let checking = true; // while it warms up, every completion is read
let completions = 0;

const MARK = '"request_id":"';
const BEFORE = Buffer.from('{"success":true,"request_id":"');
const AFTER = Buffer.from(`","payload":"${TEXT}"}`);
let idAt = 0; // where a request has its id, the same for all
const responses = Array.from({ length: inFlight * commands }, () => ({ request: 0, body: Buffer.alloc(BEFORE.length + 16 + AFTER.length, BEFORE), length: 0 }));
let asked = 0;

function memory() {
  if (view === undefined || view.length === 0) view = Buffer.from(exports.memory.buffer); // new when it has grown
  return view;
}

const imports = {
  completed(_client, p, n) {
    const from = memory();
    p >>>= 0;
    completions += from[p] & 15; // a list of fewer than sixteen, or of more in two bytes
    if (from[p] === 0xdc) completions += from.readUInt16BE(p + 1) - 12;
    if (!checking) return;
    for (const [, reply, error] of decode(from, p, p + n)) {
      if (error !== undefined) throw new Error(error.join());
      if (commands === 1) expect(reply, TEXT);
      else for (const [one] of reply) expect(one, TEXT);
    }
  },

  // Makes the response, which has to have the request's id.
  http_request(_client, request, p) {
    const from = memory();
    const to = responses[asked++];
    p >>>= 0;
    if (idAt === 0) idAt = from.indexOf(MARK, p) + MARK.length - p;
    let n = BEFORE.length;
    for (let i = p + idAt, c; (c = from[i]) !== 34; i++) to.body[n++] = c;
    to.body.set(AFTER, n);
    to.request = request;
    to.length = n + AFTER.length;
  },

  wake_at(ms) {
    wakeAt = Math.min(wakeAt, ms);
  },

  http_abort() {},
  stream_open() {},
  stream_close() {},
  socket_open() {},
  socket_write() {},
  socket_close() {},
  log() {},
};

// ---- Calls of the module ---------------------------------------------------------

const module = new WebAssembly.Module(readFileSync(wasm));
({ exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi(module, () => exports.memory, randomFillSync), synap_host: imports }));
exports._initialize();

function put(bytes, n) {
  const p = exports.synap_alloc(n);
  memory().set(n === bytes.length ? bytes : bytes.subarray(0, n), p >>> 0);
  return p;
}

const open = written((w) => w.json(["http://h", null, null]));
const client = exports.synap_open(Date.now(), put(open, open.length), open.length);
expect(client > 0, true);

const frames = Array.from({ length: inFlight }, (_, slot) => {
  const command = [0, "kv.get", [keyOf(slot)]];
  return written((w) => w.json(op === "batch" ? [2, Array(BATCH).fill(command)] : command)).slice();
});

/** Makes as many calls as may be in flight. */
function round() {
  asked = completions = 0;
  for (let slot = 0; slot < inFlight; slot++) {
    const frame = frames[slot];
    exports.synap_submit(Date.now(), client, slot + 1, 0, put(frame, frame.length), frame.length);
  }
  for (let i = 0; i < responses.length; i++) {
    const { request, body, length } = responses[i];
    exports.synap_http_response(Date.now(), client, request, 200, put(body, length), length);
  }
  const now = Date.now();
  if (now >= wakeAt) {
    wakeAt = Infinity;
    exports.synap_tick(now);
  }
}

function measure(seconds) {
  const latencies = [];
  const start = performance.now();
  const end = start + 1000 * seconds;
  for (let before = start; before < end; ) {
    round();
    expect(asked, responses.length);
    expect(completions, inFlight);
    const now = performance.now();
    latencies.push(now - before);
    before = now;
  }
  return { count: latencies.length * responses.length, elapsed: (performance.now() - start) / 1000, latencies: Float64Array.from(latencies).sort() };
}

measure(Math.max(seconds / 5, SETTLED));
checking = false;
report(measure(seconds));
