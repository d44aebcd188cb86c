// Measures the codecs in Node: codec.mjs WASM codec 1 SECONDS.
import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, parameters, run } from "./common.mjs";

const { wasi } = createRequire(import.meta.url)("../../../bindings/node/dist/cjs/wasi.js");
/** Pairs of one call, so that the call itself hardly counts. */
const AT_ONCE = 100;
/** The length of a result: the text in MessagePack. */
const RESULT = 102;
const asked = parameters();
const module = new WebAssembly.Module(readFileSync(asked.address));
let exports;
({ exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi(module, () => exports.memory, randomFillSync) }));
exports._initialize();
await run(async () => expect(exports.pairs(AT_ONCE), RESULT), asked, AT_ONCE);
