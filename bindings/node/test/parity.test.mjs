// The surface of the package is that of the command table, nothing left out.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as sdk from "synap-sdk";
import { connect, dist, root } from "./helpers.mjs";
import * as table from "./generated/table.mjs";

/** Lists family.method of a client or batch. */
function methods(of) {
  const out = [];
  for (const [family, object] of Object.entries(of)) {
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(object))) {
      if (name !== "constructor") out.push(`${family}.${name}`);
    }
  }
  return out.sort();
}
const spelled = (name) => `${name.split(".")[0]}.${table.commands[name].method}`;
const declarations = (path) => readFileSync(join(dist, path), "utf8");

test("every command has a method and no other is there", async (t) => {
  const client = await connect(t, "memory://");
  const names = Object.keys(table.commands);
  assert.deepEqual(methods(client), names.map(spelled).sort());
  assert.deepEqual(methods(client.batch()), names.filter((n) => table.commands[n].reply !== "stream").map(spelled).sort());
});

test("parameters and their documentation are those of the table", () => {
  for (const [name, { method, required, optional }] of Object.entries(table.commands)) {
    const text = declarations(`cjs/generated/${name.split(".")[0]}.d.ts`);
    const found = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*${method}\\(([^)]*)\\)`).exec(text);
    assert.ok(found, `${name} is not documented`);
    const [, doc, parameters] = found;
    const given = parameters.split(/,(?![^<]*>)/).map((p) => p.trim().split(/\??:/)[0]);
    assert.deepEqual(given, [...required, "options"], name);
    for (const parameter of given) assert.ok(doc.includes(`@param ${parameter} `), `${name}: ${parameter}`);
    for (const option of optional) {
      assert.ok(doc.includes(`\`${option}\``), `${name}: ${option}`);
      assert.match(text, new RegExp(`^ {4}${option}\\?: `, "m"), `${name}: ${option}`);
    }
  }
});

test("errors are those of the table", () => {
  for (const [, code] of table.errors) {
    const Kind = sdk[`${code}Error`];
    const error = new Kind("what happened", { statusCode: 404, command: "kv.get" });
    assert.ok(error instanceof sdk.SynapError && error instanceof Error);
    assert.deepEqual([error.code, error.name, error.message, error.statusCode, error.command], [code, `${code}Error`, "what happened", 404, "kv.get"]);
  }
});

test("options are those of the library", async (t) => {
  const text = declarations("cjs/options.d.ts");
  for (const option of table.options) assert.match(text, new RegExp(`\\*/\\s+${option}\\?: `), `${option} is declared and documented`);
  assert.equal(text.match(/^ {4}\w+\?: /gm).length, table.options.length + 1, "and bigint, no more");
  await assert.rejects(sdk.SynapClient.connect("memory://", { timeout: 5 }), (e) => [...table.options, "bigint"].every((o) => e.message.includes(o)));
});

test("both environments export the same", async () => {
  const names = (path) => [...declarations(path).matchAll(/export (?:declare )?(?:class|function|type|interface) (\w+)/g)].map((m) => m[1]).sort();
  assert.deepEqual(names("esm/browser.d.ts"), names("cjs/node.d.ts"));
  const browser = await import(join(dist, "esm/browser.js"));
  assert.deepEqual(Object.keys(browser).sort(), Object.keys(sdk).sort());
});

test("the version is that of the project", () => {
  const version = readFileSync(join(root, "VERSION"), "utf8").trim();
  assert.equal(sdk.VERSION, version);
  assert.equal(JSON.parse(readFileSync(join(root, "bindings/node/package.json"))).version, version);
});
