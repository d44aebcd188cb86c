// MessagePack: what is written is read back, in the shortest or a legal form.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { InvalidArgumentError, ProtocolError } from "synap-sdk";
import { dist } from "./helpers.mjs";

const { Float, Writer, decode, viewOf } = createRequire(import.meta.url)(`${dist}/cjs/msgpack.js`);

function write(use) {
  const w = new Writer();
  use(w);
  return w.bytes.slice(0, w.length);
}
const json = (v) => write((w) => w.json(v, "v"));
const back = (v, bigints) => decode(json(v), 0, undefined, bigints);
const hex = (text) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

test("values come back", () => {
  const long = Array.from({ length: 70_000 }, (_, i) => i);
  for (const v of [
    null, true, false, 0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1,
    -1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 32), -(2 ** 53) + 1, 0.5, -0.25, 1e300, 5e-324, 2 ** 60,
    "", "a", "é", "\u{1f600}", "a\0b", "\ufeffbom", "x".repeat(31), "x".repeat(32), "x".repeat(63), "x".repeat(64), "é".repeat(40), "x".repeat(70_000),
    [], {}, [[]], [1, [2, { a: [null] }]], { z: 1, a: "2" }, long, Object.fromEntries(long.slice(0, 20).map((i) => [`k${i}`, i])),
  ]) {
    assert.deepStrictEqual(back(v), v);
  }
});

test("integers that a number cannot hold are bigints, exact to the last", () => {
  for (const v of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 53n), -(2n ** 53n) - 1n, -(2n ** 63n), 2n ** 64n - 1n]) {
    assert.strictEqual(back(v), v);
  }
  assert.strictEqual(back(5n), 5, "a small one comes back as a number");
  assert.strictEqual(back(2n ** 53n - 1n), 2 ** 53 - 1);
  for (const v of [0, 5, -5, 300, 2 ** 40, -(2 ** 40)]) assert.strictEqual(back(v, true), BigInt(v));
  assert.strictEqual(back(1.5, true), 1.5, "floats stay floats");
  for (const v of [2n ** 64n, -(2n ** 63n) - 1n]) assert.throws(() => json(v), /int64/);
});

test("floats keep their bits", () => {
  assert.ok(Object.is(back(-0), -0));
  assert.deepEqual(json(new Float(1)), hex("cb 3ff0000000000000"));
  assert.deepEqual(json(1), hex("01"));
  assert.ok(Number.isNaN(back(NaN)), "the module refuses it, not the codec");
});

test("bytes are copies", () => {
  const source = hex("c4 02 0102");
  const read = decode(source);
  assert.deepStrictEqual(read, Uint8Array.of(1, 2));
  source[2] = 9;
  assert.deepStrictEqual(read, Uint8Array.of(1, 2));
  assert.deepStrictEqual(back(Buffer.from("x")), Uint8Array.of(120), "a Buffer is written as bytes, not by its toJSON()");
});

test("every form that the format allows is read", () => {
  for (const [bytes, want] of [
    ["d9 01 61", "a"], ["da 0001 61", "a"], ["db 00000001 61", "a"],
    ["c5 0001 07", Uint8Array.of(7)], ["c6 00000001 07", Uint8Array.of(7)],
    ["dc 0001 01", [1]], ["dd 00000001 01", [1]], ["de 0001 a161 01", { a: 1 }], ["df 00000001 a161 01", { a: 1 }],
    ["cc ff", 255], ["cd ffff", 65535], ["ce ffffffff", 2 ** 32 - 1], ["cf 0000000000000005", 5],
    ["d0 80", -128], ["d1 8000", -32768], ["d2 80000000", -(2 ** 31)], ["d3 fffffffffffffffb", -5], ["ca 3fc00000", 1.5], ["ff", -1], ["e0", -32],
  ]) {
    assert.deepStrictEqual(decode(hex(bytes)), want, bytes);
    assert.deepStrictEqual(decode(viewOf(hex(bytes).buffer)), want, `${bytes} in Node's own buffer`);
  }
});

test("a reply that is cut off or goes on is refused", () => {
  const whole = json({ a: ["text", 1.5, 2n ** 60n, Buffer.from("b")] });
  for (let n = 0; n < whole.length; n++) assert.throws(() => decode(whole, 0, n), ProtocolError);
  assert.throws(() => decode(hex("01 01")), ProtocolError);
  for (const bad of ["c1", "dd ffffffff", "df ffffffff", "db ffffffff 61", "c7 00 00"]) assert.throws(() => decode(hex(bad)), ProtocolError, bad);
  assert.throws(() => decode(new Uint8Array(1000).fill(0x91)), ProtocolError);
});

test("names that JavaScript holds dear are members like others", () => {
  const read = back(JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "toString": 3}'));
  assert.deepEqual(Object.keys(read), ["__proto__", "constructor", "toString"]);
  assert.strictEqual(Object.getPrototypeOf(read), Object.prototype);
  assert.strictEqual({}.a, undefined);
});

test("JSON of JavaScript", () => {
  assert.deepEqual(back({ a: 1, b: undefined }), { a: 1 }, "undefined members are left out, as by JSON.stringify");
  assert.deepEqual(back({ at: new Date(0) }), { at: "1970-01-01T00:00:00.000Z" }, "toJSON() is asked");
  assert.deepEqual(back(Object.create(null, { a: { value: 1, enumerable: true } })), { a: 1 });
  class Point {}
  for (const [v, what] of [
    [undefined, /undefined/], [[undefined], /undefined/], [[1, , 2], /undefined/], [() => 1, /function/], [Symbol("s"), /symbol/],
    [new Map([["a", 1]]), /Map/], [new Set([1]), /Set/], [new Point(), /Point/], [Promise.resolve(1), /Promise/], [new Uint16Array(1), /Uint16Array/], ["\ud800", /surrogate/],
    [{ "\udfff": 1 }, /surrogate/],
  ]) {
    assert.throws(() => json(v), (e) => e instanceof InvalidArgumentError && what.test(e.message), String(what));
  }
  const circle = {};
  circle.me = circle;
  assert.throws(() => json(circle), /nested deeper than 100/);
});

test("what can only be a mistake is refused", () => {
  const refused = (use, what) => assert.throws(() => write(use), (e) => e instanceof InvalidArgumentError && what.test(e.message), String(what));
  refused((w) => w.text(5, "key"), /key must be text \(a string\), not number/);
  refused((w) => w.text(null, "key"), /not null/);
  refused((w) => w.text("a\ud800", "key"), /lone surrogate/);
  refused((w) => w.text("\udc00" + "x".repeat(100), "key"), /lone surrogate/);
  refused((w) => w.data("text", "payload"), /payload must be bytes.*encode text first/);
  refused((w) => w.data([1], "payload"), /not Array/);
  refused((w) => w.blob({ a: 1 }, "value"), /setJson/);
  refused((w) => w.int(1.5, "ttl"), /ttl must be an integer, not 1.5/);
  refused((w) => w.int(2 ** 53, "n"), /bigint/);
  refused((w) => w.int("5", "n"), /not string/);
  refused((w) => w.int(NaN, "n"), /NaN/);
  refused((w) => w.int(true, "n"), /not boolean/);
  refused((w) => w.bool(1, "nx"), /true or false/);
  refused((w) => w.float("1", "f"), /number/);
  refused((w) => w.texts("keys", "keys"), /a list of texts, not string/);
  refused((w) => w.texts(["a", 1], "keys"), /keys: an element must be text/);
  refused((w) => w.texts(Buffer.from("a"), "keys"), /not Buffer/);
  refused((w) => w.pairs([["a"]], "pairs"), /pairs/);
  refused((w) => w.pairs("ab", "pairs"), /not string/);
  refused((w) => w.pairs({ a: 1 }, "pairs"), /a value must be text/);
  refused((w) => w.textMap(new Map(), "metadata"), /plain object/);
  refused((w) => w.textMap({ a: 1 }, "metadata"), /a value must be text/);
  refused((w) => w.begin(0, "kv.set", 1, 2, { tll: 5 }, new Set(["ttl"])), /unknown option "tll"; the options are ttl, timeoutMs, signal/);
  refused((w) => w.begin(0, "kv.set", 1, 2, 5, new Set()), /must be an object/);
});

test("lists come from whatever can be iterated", () => {
  const read = (use) => decode(write(use));
  assert.deepEqual(read((w) => w.texts(new Set(["a", "b"]), "keys")), ["a", "b"]);
  assert.deepEqual(read((w) => w.texts((function* () { yield "a"; })(), "keys")), ["a"]);
  for (const pairs of [[["a", "1"]], new Map([["a", "1"]]), { a: "1" }]) assert.deepEqual(read((w) => w.pairs(pairs, "pairs")), [["a", "1"]]);
  assert.deepEqual(read((w) => w.textMap({ a: "b", c: undefined }, "metadata")), { a: "b" });
});

test("a large value is not held for ever", () => {
  const w = new Writer();
  w.text("x".repeat(1 << 20), "v");
  w.reset();
  assert.ok(w.bytes.length < 1 << 16);
});
