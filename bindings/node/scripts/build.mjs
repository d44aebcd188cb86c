// Builds dist/: CommonJS for Node (with an entry for import, so that both share
// one copy of everything), ES modules for browsers, and synap.wasm.
//
//     node scripts/build.mjs path/to/synap.wasm
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const wasm = resolve(process.argv[2] ?? join(here, "../../build/synap.wasm"));
const dist = join(here, "dist.new");
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
for (const project of ["tsconfig.json", "tsconfig.browser.json"]) {
  const out = join(dist, project === "tsconfig.json" ? "cjs" : "esm");
  execFileSync(process.execPath, [tsc, "-p", join(here, project), "--outDir", out], { stdio: "inherit" });
}
writeFileSync(join(dist, "cjs/package.json"), '{ "type": "commonjs" }\n');
writeFileSync(join(dist, "esm/package.json"), '{ "type": "module", "sideEffects": false }\n');
const names = Object.keys(createRequire(import.meta.url)(join(dist, "cjs/node.js"))).sort();
writeFileSync(join(dist, "node.mjs"), `export { ${names.join(", ")} } from "./cjs/node.js";\n`);
writeFileSync(join(dist, "node.d.mts"), 'export * from "./cjs/node.js";\n');
cpSync(wasm, join(dist, "synap.wasm"));
cpSync(join(here, "../../LICENSE"), join(here, "LICENSE"));
// Whoever uses the old one meanwhile finds it whole.
rmSync(join(here, "dist"), { recursive: true, force: true });
renameSync(dist, join(here, "dist"));
