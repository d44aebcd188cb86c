/**
 * MessagePack as it crosses the boundary to synap.wasm, tuned for small messages.
 *
 * Arguments become bytes here and nowhere else. What JavaScript alone can get
 * wrong (a type without a MessagePack form, lone surrogates, inexact integers)
 * fails here with InvalidArgumentError before anything is called; all other rules
 * about arguments live in the module.
 */
import { InvalidArgumentError, ProtocolError } from "./generated/errors.js";
import type { CallOptions } from "./types.js";

/** How deep JSON values may nest (the module's own bound), and replies. */
const MAX_DEPTH = 100;
const MAX_REPLY_DEPTH = 140;
const TWO32 = 0x1_0000_0000;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
/** Texts up to this many units are encoded by a loop, which is faster than a call. */
const SHORT_TEXT = 64;
const FIRST_SIZE = 1024;
/** A writer that grew beyond this starts anew, so that one large value is not held for ever. */
const KEPT_SIZE = 1 << 18;

const encoder = new TextEncoder();
// A BOM is text like any other.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

type NodeBuffer = Uint8Array & { toString(encoding: "utf8", start: number, end: number): string };
/** Node's Buffer, which decodes text and copies bytes faster; nothing in browsers. */
const NodeBuffer = (globalThis as unknown as { Buffer?: (abstract new () => NodeBuffer) & { from(b: ArrayBuffer | Uint8Array): NodeBuffer } }).Buffer;

/** Returns the view of a buffer that decodes fastest. */
export function viewOf(buffer: ArrayBuffer): Uint8Array {
  return typeof NodeBuffer?.from === "function" ? NodeBuffer.from(buffer) : new Uint8Array(buffer);
}

/** Returns a copy of bytes for the host's own use: in Node from a pool. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return typeof NodeBuffer?.from === "function" ? NodeBuffer.from(bytes) : bytes.slice();
}

function typeName(v: unknown): string {
  if (v === null) return "null";
  if (typeof v !== "object") return typeof v;
  const name = (v as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === "string" && name !== "" ? name : "object";
}

/**
 * A number that JSON is to hold as a float even if it is whole: `new Float(1)` is
 * written as 1.0, which matters to readers in other languages, 1 as 1. Both are
 * read as the number 1.
 */
export class Float {
  constructor(readonly value: number) {}
}

/** Writes one request. */
export class Writer {
  /** The bytes written are those before `length`. */
  bytes = new Uint8Array(FIRST_SIZE);
  length = 0;
  /** The command being written, for errors. */
  command = "";
  private view = new DataView(this.bytes.buffer);

  /** Empties the writer. */
  reset(): void {
    if (this.bytes.length > KEPT_SIZE) {
      this.bytes = new Uint8Array(FIRST_SIZE);
      this.view = new DataView(this.bytes.buffer);
    }
    this.length = 0;
    this.command = "";
  }

  refuse(what: string, why: string): never {
    throw new InvalidArgumentError(what === "" ? why : `${what} ${why}`, { command: this.command });
  }

  private reserve(n: number): void {
    const need = this.length + n;
    if (need <= this.bytes.length) return;
    const bigger = new Uint8Array(Math.max(need, 2 * this.bytes.length));
    bigger.set(this.bytes.subarray(0, this.length));
    this.bytes = bigger;
    this.view = new DataView(bigger.buffer);
  }

  private byte(b: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = b;
  }

  private head(b: number, n: number): void {
    this.reserve(5);
    this.bytes[this.length] = b;
    this.view.setUint32(this.length + 1, n);
    this.length += 5;
  }

  /**
   * Begins the frame of a typed call (op 0) or subscription (op 3): `least`
   * arguments follow, or `most` if an option is given, which is what it returns.
   */
  begin(op: 0 | 3, command: string, least: number, most: number, options: object | null | undefined, names: ReadonlySet<string>): boolean {
    this.command = command;
    let more = false;
    if (options !== undefined && options !== null) {
      if (typeof options !== "object") this.refuse("options", `must be an object, not ${typeName(options)}`);
      for (const name in options) {
        if (names.has(name)) more ||= (options as Record<string, unknown>)[name] != null;
        else if (name !== "signal" && name !== "timeoutMs") {
          this.refuse("", `unknown option ${JSON.stringify(name)}; the options are ${[...names, "timeoutMs", "signal"].join(", ")}`);
        }
      }
    }
    this.byte(0x93);
    this.byte(op);
    this.text(command, "command");
    this.array(more ? most : least);
    return more;
  }

  /** Writes nothing in the place of an option that is absent, and returns whether it is. */
  absent(v: unknown): v is null | undefined {
    if (v !== undefined && v !== null) return false;
    this.byte(0xc0);
    return true;
  }

  nil(): void {
    this.byte(0xc0);
  }

  /** Writes the header of an array of n elements. */
  array(n: number): void {
    if (n < 16) this.byte(0x90 | n);
    else this.head(0xdd, n);
  }

  /** Writes bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  text(v: unknown, what: string): void {
    if (typeof v !== "string") this.refuse(what, `must be text (a string), not ${typeName(v)}`);
    const n = v.length;
    if (n < SHORT_TEXT) {
      this.reserve(n + 2);
      const { bytes } = this;
      let at = this.length;
      if (n < 32) bytes[at++] = 0xa0 | n;
      else {
        bytes[at++] = 0xd9;
        bytes[at++] = n;
      }
      let i = 0;
      for (; i < n; i++) {
        const c = v.charCodeAt(i);
        if (c > 0x7f) break;
        bytes[at++] = c;
      }
      if (i === n) {
        this.length = at;
        return;
      }
    }
    this.longText(v, what);
  }

  private longText(v: string, what: string): void {
    if (!wellFormed(v)) this.refuse(what, "must be valid Unicode: it holds a lone surrogate");
    this.reserve(3 * v.length + 5);
    const { written } = encoder.encodeInto(v, this.bytes.subarray(this.length + 5));
    this.head(0xdb, written);
    this.length += written;
  }

  data(v: unknown, what: string): void {
    if (!isBytes(v)) {
      this.refuse(what, `must be bytes (a Uint8Array), not ${typeName(v)}` + (typeof v === "string" ? "; encode text first, with new TextEncoder().encode(text)" : ""));
    }
    this.head(0xc6, v.length);
    this.raw(v);
  }

  blob(v: unknown, what: string): void {
    if (typeof v === "string") this.text(v, what);
    else if (isBytes(v)) this.data(v, what);
    else this.refuse(what, `must be text (a string) or bytes (a Uint8Array), not ${typeName(v)}; store other values with setJson or as text`);
  }

  int(v: unknown, what: string): void {
    if (typeof v === "number") {
      if (!Number.isSafeInteger(v)) {
        this.refuse(what, Number.isInteger(v) ? "is beyond the integers that a number holds exactly; give a bigint" : `must be an integer, not ${String(v)}`);
      }
      this.safeInt(v);
    } else if (typeof v === "bigint") this.bigInt(v, what);
    else this.refuse(what, `must be an integer, not ${typeName(v)}`);
  }

  private safeInt(v: number): void {
    if (v >= -32 && v < 128) {
      this.byte(v & 0xff);
      return;
    }
    this.reserve(9);
    const { view, length: at } = this;
    if (v >= -0x8000_0000 && v < 0x8000_0000) {
      this.bytes[at] = 0xd2;
      view.setInt32(at + 1, v);
      this.length = at + 5;
      return;
    }
    this.bytes[at] = 0xd3;
    view.setInt32(at + 1, Math.floor(v / TWO32));
    view.setUint32(at + 5, v >>> 0);
    this.length = at + 9;
  }

  private bigInt(v: bigint, what: string): void {
    if (v < MIN_INT64 || v > MAX_UINT64) this.refuse(what, "must be within the int64 range");
    this.reserve(9);
    this.bytes[this.length] = v < 0n ? 0xd3 : 0xcf;
    this.view.setBigInt64(this.length + 1, BigInt.asIntN(64, v));
    this.length += 9;
  }

  float(v: unknown, what: string): void {
    if (typeof v !== "number") this.refuse(what, `must be a number, not ${typeName(v)}`);
    this.double(v);
  }

  private double(v: number): void {
    this.reserve(9);
    this.bytes[this.length] = 0xcb;
    this.view.setFloat64(this.length + 1, v);
    this.length += 9;
  }

  bool(v: unknown, what: string): void {
    if (typeof v !== "boolean") this.refuse(what, `must be true or false, not ${typeName(v)}`);
    this.byte(v ? 0xc3 : 0xc2);
  }

  texts(v: unknown, what: string): void {
    const list = this.listed(v, what, "a list of texts");
    this.array(list.length);
    const element = `${what}: an element`;
    for (const e of list) this.text(e, element);
  }

  floats(v: unknown, what: string): void {
    const list = this.listed(v, what, "a list of numbers");
    this.array(list.length);
    for (const e of list) this.float(e, `${what}: an element`);
  }

  places(v: unknown, what: string): void {
    const list = this.listed(v, what, "a list of [latitude, longitude, member]");
    this.array(list.length);
    for (const place of list) {
      if (!Array.isArray(place) || place.length !== 3) this.refuse(what, "must hold only [latitude, longitude, member]");
      const [latitude, longitude, member] = place as unknown[];
      this.array(3);
      this.float(latitude, `${what}: a latitude`);
      this.float(longitude, `${what}: a longitude`);
      this.blob(member, `${what}: a member`);
    }
  }

  blobs(v: unknown, what: string): void {
    const list = this.listed(v, what, "a list of texts or Uint8Arrays");
    this.array(list.length);
    const element = `${what}: an element`;
    for (const e of list) this.blob(e, element);
  }

  pairs(v: unknown, what: string): void {
    const list = plain(v) ? Object.entries(v) : this.listed(v, what, "a list of [key, value] pairs, a Map or a plain object");
    this.array(list.length);
    for (const pair of list) {
      if (!Array.isArray(pair) || pair.length !== 2) this.refuse(what, `must hold only [key, value] pairs, not ${typeName(pair)}`);
      this.array(2);
      this.text(pair[0], `${what}: a key`);
      this.blob(pair[1], `${what}: a value`);
    }
  }

  textMap(v: unknown, what: string): void {
    if (!plain(v)) this.refuse(what, `must be a plain object from text to text, not ${typeName(v)}`);
    const entries = Object.entries(v).filter(([, e]) => e !== undefined);
    this.head(0xdf, entries.length);
    for (const [k, e] of entries) {
      this.text(k, `${what}: a key`);
      this.text(e, `${what}: a value`);
    }
  }

  private listed(v: unknown, what: string, wanted: string): unknown[] {
    if (Array.isArray(v)) return v;
    // Text and bytes can be iterated too, but never mean a list.
    if (typeof v !== "object" || v === null || isBytes(v) || !(Symbol.iterator in v)) {
      this.refuse(what, `must be ${wanted}, not ${typeName(v)}`);
    }
    return [...(v as Iterable<unknown>)];
  }

  /** Writes any value that JSON can hold; bytes pass and the module judges them. */
  json(v: unknown, what: string, depth = 0): void {
    switch (typeof v) {
      case "string":
        return this.text(v, what);
      case "number":
        // -0 and what is beyond the exact integers keep their bits as floats.
        return Number.isSafeInteger(v) && !Object.is(v, -0) ? this.safeInt(v) : this.double(v);
      case "boolean":
        return this.byte(v ? 0xc3 : 0xc2);
      case "bigint":
        return this.bigInt(v, what);
      case "object":
        if (v === null) return this.byte(0xc0);
        if (isBytes(v)) return this.data(v, what);
        return this.container(v, what, depth);
    }
    this.refuse(what, v === undefined ? "holds undefined where a value must be; JSON has only null" : `cannot hold a ${typeof v}`);
  }

  private container(v: object, what: string, depth: number): void {
    if (depth >= MAX_DEPTH) this.refuse(what, `is nested deeper than ${MAX_DEPTH} levels`);
    if (v instanceof Float) return this.float(v.value, what);
    const { toJSON } = v as { toJSON?: unknown };
    if (typeof toJSON === "function") return this.json((v as { toJSON(): unknown }).toJSON(), what, depth + 1);
    if (Array.isArray(v)) {
      this.array(v.length);
      for (let i = 0; i < v.length; i++) this.json(v[i], what, depth + 1);
      return;
    }
    if (!plain(v)) this.refuse(what, `cannot hold a ${typeName(v)}: only null, booleans, numbers, bigints, texts, arrays, plain objects and what has toJSON() have a JSON form`);
    const keys = Object.keys(v);
    // Members that are undefined are left out, as JSON.stringify does, so their
    // number is known last.
    const at = this.length;
    if (keys.length < 16) this.byte(0x80);
    else this.head(0xdf, 0);
    let count = 0;
    for (const key of keys) {
      const member = v[key];
      if (member === undefined) continue;
      this.text(key, what);
      this.json(member, what, depth + 1);
      count++;
    }
    if (keys.length < 16) this.bytes[at] = 0x80 | count;
    else this.view.setUint32(at + 1, count);
  }
}

const SURROGATE = /\p{Surrogate}/u;

function wellFormed(s: string): boolean {
  const test = (s as { isWellFormed?(): boolean }).isWellFormed;
  return test === undefined ? !SURROGATE.test(s) : test.call(s);
}

/** Reports whether v is a Uint8Array, of this realm or another. */
function isBytes(v: unknown): v is Uint8Array {
  return v instanceof Uint8Array || Object.prototype.toString.call(v) === "[object Uint8Array]";
}

/** Reports whether v is an object literal, of this realm or another. */
function plain(v: unknown): v is Record<string, unknown> {
  if (typeof v !== "object" || v === null || Array.isArray(v)) return false;
  const prototype: unknown = Object.getPrototypeOf(v);
  return prototype === null || prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && !(Symbol.iterator in v));
}

const free: Writer[] = [];

/** Lends an empty writer, to give back with `giveBack`. */
export function borrow(): Writer {
  // More than one is lent when toJSON() of a value that is written makes calls.
  return free.pop() ?? new Writer();
}

export function giveBack(w: Writer): void {
  w.reset();
  free.push(w);
}

/** Returns the bytes that a function writes. */
export function written(write: (w: Writer) => void): Uint8Array {
  const w = borrow();
  try {
    write(w);
    return w.bytes.slice(0, w.length);
  } finally {
    giveBack(w);
  }
}

/** Returns the milliseconds of a per-call timeout, 0 for the client's. */
export function timeoutOf(options: CallOptions | null | undefined, command: string): number {
  const ms = options?.timeoutMs;
  if (ms === undefined || ms === null) return 0;
  if (typeof ms !== "number" || !(ms > 0 && ms <= 1e11)) {
    throw new InvalidArgumentError("timeoutMs must be a number of milliseconds above 0 and at most 1e11", { command });
  }
  return ms;
}

// --- replies ------------------------------------------------------------------

// The reply being decoded. Decoding calls nothing else, so one set is enough.
let input: Uint8Array = new Uint8Array();
let pos = 0;
let limit = 0;
let wide = false;
let lent = false;
let fast: NodeBuffer | null = null;

/**
 * Returns the one value that bytes[start, end) spell. Integers are numbers where
 * that is exact, else bigints; with `bigints` always bigints. Bytes are copies;
 * with `views` they are views of the input.
 */
export function decode(bytes: Uint8Array, start = 0, end = bytes.length, bigints = false, views = false): unknown {
  lent = views;
  input = bytes;
  pos = start;
  limit = end;
  wide = bigints;
  fast = NodeBuffer !== undefined && bytes instanceof NodeBuffer ? bytes : null;
  const v = value(0);
  if (pos !== limit) malformed();
  return v;
}

function malformed(): never {
  throw new ProtocolError("a reply of the WASM module is malformed");
}

function u8(): number {
  if (pos >= limit) malformed();
  return input[pos++]!;
}

function u16(): number {
  return (u8() << 8) | u8();
}

function u32(): number {
  return u16() * 0x10000 + u16();
}

function integer(n: number): Integer {
  return wide ? BigInt(n) : n;
}

type Integer = number | bigint;

/** Returns hi * 2^32 + lo, where hi is signed or not. */
function long(hi: number, lo: number): Integer {
  if (wide || hi >= 0x20_0000 || hi < -0x20_0000 || (hi === -0x20_0000 && lo === 0)) return BigInt(hi) * BigInt(TWO32) + BigInt(lo);
  return hi * TWO32 + lo;
}

function text(n: number): string {
  const start = pos;
  const end = start + n;
  if (end > limit) malformed();
  pos = end;
  if (n < 20) {
    let s = "";
    let i = start;
    for (; i < end; i++) {
      const c = input[i]!;
      if (c > 0x7f) break;
      s += String.fromCharCode(c);
    }
    if (i === end) return s;
  }
  return fast === null ? decoder.decode(input.subarray(start, end)) : fast.toString("utf8", start, end);
}

function data(n: number): Uint8Array {
  const start = pos;
  pos = start + n;
  if (pos > limit) malformed();
  if (lent) return input.subarray(start, pos);
  const out = new Uint8Array(n);
  out.set(input.subarray(start, pos));
  return out;
}

function float(size: 4 | 8): number {
  if (pos + size > limit) malformed();
  const view = new DataView(input.buffer, input.byteOffset + pos, size);
  pos += size;
  return size === 4 ? view.getFloat32(0) : view.getFloat64(0);
}

function list(n: number, depth: number): unknown[] {
  if (depth >= MAX_REPLY_DEPTH || n > limit - pos) malformed();
  const out: unknown[] = [];
  for (; n > 0; n--) out.push(value(depth + 1));
  return out;
}

function map(n: number, depth: number): Record<string, unknown> {
  if (depth >= MAX_REPLY_DEPTH || 2 * n > limit - pos) malformed();
  const out: Record<string, unknown> = {};
  for (; n > 0; n--) {
    const key = String(value(depth + 1));
    const member = value(depth + 1);
    // Assigned, this key would change the prototype.
    if (key === "__proto__") Object.defineProperty(out, key, { value: member, enumerable: true, configurable: true, writable: true });
    else out[key] = member;
  }
  return out;
}

function value(depth: number): unknown {
  const c = u8();
  if (c < 0x80) return integer(c);
  if (c < 0x90) return map(c & 0x0f, depth);
  if (c < 0xa0) return list(c & 0x0f, depth);
  if (c < 0xc0) return text(c & 0x1f);
  if (c >= 0xe0) return integer(c - 0x100);
  switch (c) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return data(u8());
    case 0xc5:
      return data(u16());
    case 0xc6:
      return data(u32());
    case 0xca:
      return float(4);
    case 0xcb:
      return float(8);
    case 0xcc:
      return integer(u8());
    case 0xcd:
      return integer(u16());
    case 0xce:
      return integer(u32());
    case 0xcf:
      return long(u32(), u32());
    case 0xd0:
      return integer((u8() << 24) >> 24);
    case 0xd1:
      return integer((u16() << 16) >> 16);
    case 0xd2:
      return integer(u32() | 0);
    case 0xd3:
      return long(u32() | 0, u32());
    case 0xd9:
      return text(u8());
    case 0xda:
      return text(u16());
    case 0xdb:
      return text(u32());
    case 0xdc:
      return list(u16(), depth);
    case 0xdd:
      return list(u32(), depth);
    case 0xde:
      return map(u16(), depth);
    case 0xdf:
      return map(u32(), depth);
  }
  return malformed();
}
