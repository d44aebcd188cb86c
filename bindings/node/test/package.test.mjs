// The package as it is published: packed, installed, imported in every way.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { webcrypto } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { root } from "./helpers.mjs";

globalThis.crypto ??= webcrypto; // Node 18 has it elsewhere
const run = promisify(execFile);
const here = join(root, "bindings/node");
const require = createRequire(import.meta.url);
const tsc = require.resolve("typescript/bin/tsc");
let project, packed;

/** Runs Node in the project that has the package installed. */
const node = (...args) => run(process.execPath, args, { cwd: project, timeout: 60_000 });

before(async () => {
  project = mkdtempSync(join(tmpdir(), "synap-package-"));
  const tarball = process.env.SYNAP_TARBALL ?? join(project, (await run("npm", ["pack", "--silent", "--pack-destination", project], { cwd: here })).stdout.trim());
  writeFileSync(join(project, "package.json"), '{ "private": true }');
  // The one dependency is there already: nothing need be fetched.
  await run("npm", ["install", "--offline", "--ignore-scripts", "--silent", join(here, "node_modules/undici"), tarball], { cwd: project });
  packed = join(project, "node_modules/synap-sdk");
});

after(() => rmSync(project, { recursive: true, force: true }));

test("the package holds what it needs and no more", () => {
  assert.deepEqual(readdirSync(packed).sort(), ["LICENSE", "README.md", "dist", "package.json"]);
  assert.deepEqual(readdirSync(join(packed, "dist")).sort(), ["cjs", "esm", "node.d.mts", "node.mjs", "synap.wasm"]);
  const { dependencies, scripts } = JSON.parse(readFileSync(join(packed, "package.json")));
  assert.deepEqual(Object.keys(dependencies), ["undici"]);
  for (const name of ["install", "preinstall", "postinstall", "prepare"]) assert.equal(scripts[name], undefined);
  assert.doesNotMatch(readFileSync(join(here, "package-lock.json"), "utf8"), /https?:\/\/[^"]*registry|"resolved"/);
});

test("import, require and import() in Node", async () => {
  const use = `const client = await SynapClient.connect("memory://"); await client.kv.set("k", "v"); console.log(await client.kv.get("k")); await client.close();`;
  writeFileSync(join(project, "a.mjs"), `import { SynapClient } from "synap-sdk"; ${use}`);
  writeFileSync(join(project, "b.cjs"), `const { SynapClient } = require("synap-sdk"); (async () => { ${use} })();`);
  writeFileSync(join(project, "c.cjs"), `(async () => { const { SynapClient } = await import("synap-sdk"); ${use} })();`);
  writeFileSync(join(project, "d.mjs"), `import { readFileSync } from "node:fs"; import { createRequire } from "node:module";
    import { init, SynapClient } from "synap-sdk"; await init({ wasm: readFileSync(createRequire(import.meta.url).resolve("synap-sdk/synap.wasm")) }); ${use}`);
  for (const file of ["a.mjs", "b.cjs", "c.cjs", "d.mjs"]) {
    const { stdout, stderr } = await node(file);
    assert.deepEqual([stdout, stderr], ["v\n", ""], file);
  }
});

test("nothing happens on import", async () => {
  const { stdout } = await node("-e", `
    const names = () => Object.getOwnPropertyNames(globalThis).join();
    const before = names();
    const { memoryBytes } = require("synap-sdk");
    console.log(names() === before, memoryBytes());`);
  assert.equal(stdout, "true 0\n", "no new globals, and the module is not loaded");
});

test("strict TypeScript, with every way to find modules", async (t) => {
  cpSync(join(here, "test/consumer/usage.ts"), join(project, "usage.ts"));
  writeFileSync(join(project, "minimal.ts"), `import { SynapClient } from "synap-sdk"; void SynapClient.connect("memory://").then((client) => client.kv.incr("n"));`);
  cpSync(join(here, "test/generated/examples.ts"), join(project, "examples.ts"));
  mkdirSync(join(project, "node_modules/@types"), { recursive: true });
  cpSync(join(here, "node_modules/@types/node"), join(project, "node_modules/@types/node"), { recursive: true });
  cpSync(join(here, "node_modules/undici-types"), join(project, "node_modules/undici-types"), { recursive: true });
  const common = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true, skipLibCheck: false, target: "ES2022", lib: ["ES2022", "ESNext.Disposable", "DOM"], types: [] };
  for (const [name, options, type] of [
    ["nodenext as ES module", { module: "NodeNext", moduleResolution: "NodeNext" }, "module"],
    ["nodenext as CommonJS", { module: "NodeNext", moduleResolution: "NodeNext" }, "commonjs"],
    ["bundler", { module: "ESNext", moduleResolution: "Bundler" }, "module"],
    ["bundler of a browser", { module: "ESNext", moduleResolution: "Bundler", customConditions: ["browser"] }, "module"],
    ["node10", { module: "CommonJS", moduleResolution: "Node10" }, "commonjs"],
    ["with Node's types in place of the DOM's", { module: "NodeNext", moduleResolution: "NodeNext", lib: ["ES2022", "ESNext.Disposable"], types: ["node"] }, "module"],
    ["with neither", { module: "NodeNext", moduleResolution: "NodeNext", lib: ["ES2022"] }, "module"],
  ]) {
    // A program that knows neither Node nor the DOM still understands the types.
    const files = options.lib?.length === 1 ? ["minimal.ts"] : ["usage.ts", "examples.ts"];
    await t.test(name, async () => {
      writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type }));
      const outDir = join(project, name.replaceAll(" ", "-"));
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...common, ...options, outDir }, files }));
      await node(tsc, "-p", project).catch((e) => assert.fail(e.stdout));
      if (name !== "bundler of a browser") await node(join(outDir, files[0].replace(".ts", ".js")));
    });
  }
});

test("esbuild makes a bundle for browsers", async () => {
  const { build } = require("esbuild");
  writeFileSync(join(project, "app.js"), `export { SynapClient, init, NotFoundError } from "synap-sdk";`);
  const outfile = join(project, "bundle.mjs");
  const { metafile, warnings } = await build({ entryPoints: [join(project, "app.js")], bundle: true, platform: "browser", format: "esm", minify: true, outfile, metafile: true, absWorkingDir: project, logLevel: "silent" });
  assert.deepEqual(warnings, []);
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.some((i) => i.endsWith("esm/browser.js")) && !inputs.some((i) => i.includes("undici") || i.includes("cjs")), inputs.join(" "));
  const { SynapClient, NotFoundError, init } = await import(pathToFileURL(outfile));
  await init({ wasm: readFileSync(join(packed, "dist/synap.wasm")) });
  const client = await SynapClient.connect("memory://");
  await assert.rejects(client.queue.stats("none"), (e) => e instanceof NotFoundError && e.name === "NotFoundError");
  await client.close();
  // Of a program that uses nothing of it, nothing is left.
  writeFileSync(join(project, "none.js"), `import "synap-sdk"; import { SynapClient } from "synap-sdk"; console.log("x");`);
  const { outputFiles } = await build({ entryPoints: [join(project, "none.js")], bundle: true, platform: "browser", format: "esm", minify: true, write: false, absWorkingDir: project, logLevel: "silent" });
  assert.ok(outputFiles[0].text.length < 100, outputFiles[0].text.slice(0, 300));
});

test("esbuild makes a bundle for Node", async () => {
  const { build } = require("esbuild");
  writeFileSync(join(project, "package.json"), '{ "private": true }');
  writeFileSync(join(project, "server.mjs"), `import { readFileSync } from "node:fs"; import { init, SynapClient } from "synap-sdk";
    await init({ wasm: readFileSync(process.argv[2]) }); const client = await SynapClient.connect("memory://"); await client.kv.set("k", "v"); console.log(await client.kv.get("k")); await client.close();`);
  await build({ entryPoints: [join(project, "server.mjs")], bundle: true, platform: "node", format: "esm", outfile: join(project, "server.bundle.mjs"), absWorkingDir: project, logLevel: "silent", banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url); const __dirname = import.meta.dirname ?? "";` } });
  assert.equal((await node("server.bundle.mjs", join(packed, "dist/synap.wasm"))).stdout, "v\n");
});
