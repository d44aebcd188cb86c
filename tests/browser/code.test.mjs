// The code shown is the call that was clicked, and it works: every program is
// checked by its language's tools, and run where it ends by itself.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { launch } from "./chromium.mjs";
import { visit } from "./page.mjs";
import { command, root, startServer, startSite } from "./programs.mjs";

const run = promisify(execFile);
// The underscore keeps Go's ./... from the programs in it.
const folder = root + "build/_snippets/";

let browser, site, server, visitor;

before(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder + "node_modules", { recursive: true });
  symlinkSync(root + "bindings/node", folder + "node_modules/synap-sdk");
  [browser, site, server] = await Promise.all([launch(), startSite(), startServer()]);
  visitor = await visit(browser, site);
  await visitor.state("ok");
});

after(async () => {
  await browser?.close();
  await Promise.all([site?.stop(), server?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

test("the tabs show the call that was clicked last", async () => {
  const expect = async (lines) => {
    for (const [language, line] of Object.entries(lines)) {
      const code = await visitor.code(language);
      assert.ok(code.includes(line), `${language}: no ${line} in\n${code}`);
      assert.ok(code.includes("memory://"), "it connects where the page does");
    }
  };
  await visitor.fill("Keys", "Key", 'a"b');
  await visitor.fill("Keys", "TTL", "60");
  await visitor.click("Keys", "Set", "kv.set");
  await expect({
    Python: 'client.kv.set("a\\"b", "John Doe", ttl=60)',
    JavaScript: 'await client.kv.set("a\\"b", "John Doe", { ttl: 60 });',
    C: "options.ttl = 60;",
    Go: 'client.KV.Set(ctx, "a\\"b", "John Doe", &core.KVSetOptions{TTL: 60})',
  });
  await visitor.click("Watch", "Watch", "kv.watch");
  await expect({
    Python: 'for item in client.kv.watch(["user:*"]):',
    JavaScript: 'for await (const item of client.kv.watch(["user:*"])) {',
    C: "synap_kv_watch(client, keys, 1, NULL, 0, &subscription, &err)",
    Go: 'client.KV.Watch(ctx, []string{"user:*"}, nil)',
  });
  await visitor.panel("Queues");
  await visitor.click("Queue", "Create", "queue.create");
  await visitor.click("Publish", "Publish", "queue.publish");
  const [, id] = /messageId: "([^"]+)"/.exec(await visitor.click("Consume", "Consume", "queue.consume"));
  await visitor.click("Consume", "Ack", "queue.ack");
  await expect({
    Python: `client.queue.ack("jobs", "${id}")`,
    JavaScript: `await client.queue.ack("jobs", "${id}");`,
    C: `synap_queue_ack(client, synap_cstr("jobs"), synap_cstr("${id}"), 0, &err)`,
    Go: `client.Queue.Ack(ctx, "jobs", "${id}")`,
  });
});

test("the code can be copied", async () => {
  await visitor.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const shown = await visitor.code("Go");
  await visitor.page.getByRole("button", { name: "Copy" }).click();
  await visitor.page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await visitor.page.evaluate(() => navigator.clipboard.readText()), shown);
});

// What a literal must survive: quotes, escapes of some language, a trigraph, a
// printf verb, controls, text beyond ASCII and beyond 16 bits.
const nasty = `"'\\n ??/ %s $x \${y} #{z} \` \t\n\u0001 ü\u2028\ufeff😀`;
const nastyJSON = { [nasty]: [nasty, null, true, -1.5, 7, { __proto__x: [] }] };

/** Every command that the page offers, with arguments. Those without end only compile. */
const calls = [
  { command: "kv.set", args: { key: nasty, value: nasty, ttl: 100 } },
  { command: "kv.get", args: { key: nasty }, prints: nasty },
  { command: "kv.delete", args: { key: nasty } },
  { command: "kv.incr", args: { key: "n" } },
  { command: "kv.scan", args: { prefix: "n" }, prints: "n" },
  { command: "kv.scan", args: {} },
  { command: "kv.watch", args: { keys: [nasty, "b:*"] }, endless: true },
  { command: "queue.create", args: { name: nasty, max_depth: 50, ack_deadline_secs: 9 } },
  { command: "queue.publish", args: { queue: nasty, payload: nasty, priority: 0 } },
  { command: "queue.publish", args: { queue: nasty, payload: "plain 'ASCII'" } },
  { command: "queue.consume", args: { queue: nasty, consumer_id: nasty } },
  { command: "queue.ack", args: { queue: nasty }, message: true },
  { command: "queue.nack", args: { queue: nasty }, message: true },
  { command: "queue.stats", args: { queue: nasty } },
  { command: "stream.get_or_create", args: { room: nasty } },
  { command: "stream.publish", args: { room: nasty, event: nasty, data: nastyJSON } },
  { command: "stream.consume", args: { room: nasty, subscriber_id: nasty, from_offset: 0 } },
  { command: "stream.follow", args: { room: nasty, subscriber_id: "s", from_offset: 1 }, endless: true },
  { command: "pubsub.publish", args: { topic: "a.b", message: nastyJSON } },
  { command: "pubsub.subscribe", args: { topics: ["a.*", nasty] }, endless: true },
];

test("the page offers no other command", async () => {
  const offered = await visitor.page.evaluate(() => [...new Set([...document.querySelectorAll("[data-call], [data-feed]")].map((b) => b.dataset.call ?? b.dataset.feed))]);
  const settled = ["queue.ack", "queue.nack"]; // buttons that come with a message
  assert.deepEqual([...offered, ...settled].sort(), [...new Set(calls.map((c) => c.command))].sort());
});

/** Returns the program of a call, as the page makes it. */
const program = (language, call) =>
  visitor.page.evaluate(
    async ([id, address, call]) => {
      const { languages, program } = await import("./snippets/index.js");
      return program(languages.find((l) => l.id === id), { url: address, secret: true }, call);
    },
    [language, server.address, call],
  );

/** How each language runs a file, and checks one that would not end. */
const tools = {
  python: {
    file: "program.py",
    check: (file) => run(root + "build/venv/bin/python", ["-m", "py_compile", file]),
    run: (file) => run(root + "build/venv/bin/python", [file]),
  },
  javascript: {
    file: "program.mjs",
    check: (file) => run("node", ["--check", file]),
    run: (file) => run("node", [file]),
  },
  c: {
    file: "program.c",
    check: (file) =>
      run("gcc", ["-std=c99", "-Wall", "-Wextra", "-Werror", "-I" + root + "include", "-o", file + ".out", file, "-L" + root + "build", "-lsynap", "-Wl,-rpath," + root + "build"]),
    run: (file) => tools.c.check(file).then(() => run(file + ".out", [])),
  },
};

for (const [language, tool] of Object.entries(tools)) {
  test(`${language}: every program works`, { timeout: 60_000 }, async () => {
    await command(server, "kv.flushdb", {}).catch(() => {});
    for (const { command: name, args, endless, message, prints } of calls) {
      if (message) args.message_id = await take();
      const file = folder + tool.file;
      writeFileSync(file, await program(language, { command: name, args }));
      const say = (error) => Promise.reject(new Error(`${name}: ${error.message}\n${error.stdout}${error.stderr}`));
      const { stdout } = await (endless ? tool.check(file) : tool.run(file)).catch(say);
      if (prints) assert.ok(stdout.includes(prints), `${name} prints ${stdout}`);
    }
    await checkEffects();
  });
}

test("go: every program compiles, and those with the hardest literals work", { timeout: 60_000 }, async () => {
  const packages = [];
  for (const [i, call] of calls.entries()) {
    const name = `go${i}`;
    mkdirSync(folder + name);
    writeFileSync(`${folder}${name}/main.go`, await program("go", call.message ? { ...call, args: { ...call.args, message_id: nasty } } : call));
    packages.push(`./build/_snippets/${name}`);
  }
  await run("go", ["vet", ...packages], { cwd: root });
  assert.equal(execFileSync("gofmt", ["-l", ...packages], { cwd: root, encoding: "utf8" }), "", "as gofmt writes it");
  await command(server, "queue.create", { name: nasty });
  await command(server, "stream.get_or_create", { room: nasty });
  for (const name of ["kv.set", "queue.publish", "stream.publish"]) {
    await run("go", ["run", packages[calls.findIndex((c) => c.command === name)]], { cwd: root });
  }
  assert.equal(await command(server, "kv.get", { key: nasty }), nasty);
  await checkEffects();
});

/** Takes a message out of the queue from outside and returns its id. */
async function take() {
  await command(server, "queue.publish", { queue: nasty, payload: [1] });
  const { message } = await command(server, "queue.consume", { queue: nasty, consumer_id: "outside" });
  return message.id;
}

/** What the programs put into the server is what the page would have put there. */
async function checkEffects() {
  const events = await command(server, "stream.consume", { room: nasty, subscriber_id: "outside", from_offset: 0, limit: 1000 });
  const { event, data } = events.events.at(-1);
  assert.equal(event, nasty);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(new Uint8Array(data))), nastyJSON);
}
