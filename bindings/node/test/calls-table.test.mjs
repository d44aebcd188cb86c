// The calls of tests/parity/calls, through the methods of clients and batches. Every
// host runs the same ones; tests/parity/calls/README.md describes their notation.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SynapError } from "synap-sdk";
import { connect, root, startServer } from "./helpers.mjs";
import { commands } from "./generated/table.mjs";

const folder = join(root, "tests/parity/calls");
const files = readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
/** Their commands are called one by one in commands.test.mjs. */
const byHand = new Set(["queue", "stream", "pubsub"]);
/** What the engine inside the module knows; all else needs a server. */
const embedded = new Set(["kv", "key", "hash", "list"]);

const isNumber = (v) => typeof v === "number" || typeof v === "bigint";
const isMap = (v) => typeof v === "object" && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array);
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, c) => c.toUpperCase());
const spelled = (name) => [name.split(".")[0], commands[name].method];

/** Returns what follows a marker of the notation, undefined if v is none of that name. */
function marker(v, name) {
  return isMap(v) && (Object.keys(v).length === 1 || name === "$subset") ? v[name] : undefined;
}

/** Returns the value that the notation spells. */
function plain(v, saved) {
  if (Array.isArray(v)) return v.map((e) => plain(e, saved));
  if (!isMap(v)) return v;
  if (marker(v, "$bytes") !== undefined) return Uint8Array.from(Buffer.from(v.$bytes, "hex"));
  if (marker(v, "$int") !== undefined) return BigInt(v.$int);
  if (marker(v, "$float") !== undefined) return { inf: Infinity, "-inf": -Infinity, nan: NaN }[v.$float];
  if (marker(v, "$saved") !== undefined) {
    const [name, field] = v.$saved.split(".");
    return field === undefined ? saved[name] : saved[name][camel(field)];
  }
  return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, plain(e, saved)]));
}

const kinds = {
  null: (v) => v === null || v === undefined,
  bool: (v) => typeof v === "boolean",
  int: (v) => Number.isInteger(v) || typeof v === "bigint",
  float: isNumber,
  text: (v) => typeof v === "string",
  bytes: (v) => v instanceof Uint8Array,
  list: Array.isArray,
  map: isMap,
};

/** Whether a result is what is expected; record says that its objects are records, not maps. */
function matches(want, got, record, saved) {
  const same = (w, g) => matches(w, g, record, saved);
  const list = Array.isArray(got) ? got : null;
  const literal = ["$bytes", "$int", "$float", "$saved"].some((name) => marker(want, name) !== undefined);
  if (literal) return same(plain(want, saved), got);
  let w;
  if ((w = marker(want, "$unordered"))) return list !== null && w.length === list.length && distinct(w, list, same);
  if ((w = marker(want, "$subset"))) return list?.length === want.count && distinct(list, w, (g, e) => same(e, g));
  if ((w = marker(want, "$one_of"))) return w.some((e) => same(e, got));
  if ((w = marker(want, "$between"))) return isNumber(got) && w[0] <= got && got <= w[1];
  if ((w = marker(want, "$any"))) return kinds[w](got);
  if (want === null) return got === null || got === undefined;
  if (isNumber(want)) return isNumber(got) && (want == got || (want !== want && got !== got));
  if (want instanceof Uint8Array) return got instanceof Uint8Array && Buffer.compare(want, got) === 0;
  if (Array.isArray(want)) return list !== null && list.length === want.length && want.every((e, i) => same(e, list[i]));
  if (!isMap(want)) return want === got;
  if (!isMap(got)) return false;
  const value = ([k, e]) => Object.hasOwn(got, k) && matches(e, got[k], false, saved);
  if (record) return Object.entries(want).every(([k, e]) => value([camel(k), e]));
  return Object.keys(want).length === Object.keys(got).length && Object.entries(want).every(value);
}

/** Whether each of few has an element of its own in many. */
function distinct(few, many, same) {
  const left = [...many];
  return few.every((one) => {
    const found = left.findIndex((other) => same(one, other));
    if (found >= 0) left.splice(found, 1);
    return found >= 0;
  });
}

/** The arguments of a step's method: the required ones, then the options. */
function argumentsOf(step, saved) {
  const { required, optional } = commands[step.command];
  const given = step.args ?? [];
  const value = Array.isArray(given)
    ? (name, i) => plain(given[i], saved)
    : (name) => plain(Object.entries(given).find(([k]) => camel(k) === name)?.[1], saved);
  const out = required.map(value);
  const options = optional.map((name, i) => [name, value(name, required.length + i)]).filter(([, v]) => v !== undefined && v !== null);
  if (options.length > 0) out.push(Object.fromEntries(options));
  return out;
}

/** Goes through the steps of a group; invoke calls a method. */
async function run(steps, invoke) {
  const saved = {};
  for (const [i, step] of steps.entries()) {
    const where = `step ${i + 1}: ${JSON.stringify(step)}`;
    let got;
    try {
      got = await invoke(...spelled(step.command), argumentsOf(step, saved));
    } catch (error) {
      if (!(error instanceof SynapError)) throw error;
      assert.equal(error.code, step.expect_error, `${where}\nfails with ${error}`);
      continue;
    }
    const spell = () => `${where}\ngives ${JSON.stringify(got, (_, v) => (typeof v === "bigint" ? `${v}n` : v))}`;
    assert.ok(step.expect_error === undefined, spell());
    const record = commands[step.command].reply.startsWith("record");
    if (step.expect !== undefined) assert.ok(matches(step.expect, got, record, saved), spell());
    if (step.save !== undefined) saved[step.save] = got;
  }
}

test("no command is left out", () => {
  const called = new Set(files.flatMap((f) => f.groups.flatMap((g) => g.steps.map((s) => s.command))));
  const wanted = Object.keys(commands).filter((name) => commands[name].reply !== "stream" && !byHand.has(name.split(".")[0]));
  assert.deepEqual(wanted.filter((name) => !called.has(name)), []);
});

for (const { family, groups } of files) {
  for (const { name, on = ["memory", "http"], steps } of groups) {
    const flavours = async (t, open) => {
      const client = await connect(t, await open());
      await run(steps, (family, method, args) => client[family][method](...args));
      const other = await connect(t, await open());
      await run(steps, async (family, method, args) => {
        const batch = other.batch();
        const waiting = batch[family][method](...args);
        await batch.execute();
        return waiting.result();
      });
    };
    const inside = steps.every((s) => embedded.has(s.command.split(".")[0]));
    if (inside && on.includes("memory")) test(`${family}: ${name} (memory)`, (t) => flavours(t, () => "memory://"));
    if (on.includes("http")) test(`${family}: ${name} (http)`, (t) => flavours(t, async () => (await startServer(t)).url));
  }
}
