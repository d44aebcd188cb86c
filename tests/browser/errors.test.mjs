// What goes wrong is said as a typed error, not in the console only.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./chromium.mjs";
import { visit } from "./page.mjs";
import { command, startHTTP, startServer, startSite } from "./programs.mjs";

let browser, site, visitor;

before(async () => {
  [browser, site] = await Promise.all([launch(), startSite()]);
  visitor = await visit(browser, site);
  await visitor.state("ok");
});

after(async () => {
  await browser?.close();
  await site?.stop();
});

/** Connects in vain; returns the error that is shown. */
async function refused(address, key) {
  await visitor.connect(address, key);
  const shown = await visitor.result("connect", "error");
  assert.match(await visitor.state("error"), /^Not connected: \w+$/);
  assert.ok(await visitor.page.getByRole("button", { name: "Set" }).isDisabled(), "commands need a connection");
  return shown;
}

test("wrong addresses", async (t) => {
  for (const [address, message] of [
    ["", /address is empty/],
    ["localhost:15500", /no scheme/],
    ["ftp://localhost", /unknown scheme "ftp"/],
    ["http://localhost:99999", /port must be a number from 1 to 65535/],
    ["http://localhost:15500?nonsense=1", /unknown option "nonsense"/],
  ]) {
    const shown = await refused(address);
    assert.match(shown, /^InvalidArgument\s/);
    assert.match(shown, message);
  }
});

test("a refused connection", async (t) => {
  const gone = await startHTTP(() => {});
  await gone.stop();
  assert.match(await refused(gone.address), /^Connection\s[^]*can be tried again/);
});

test("a server without CORS", async (t) => {
  const server = await startHTTP((request, response) => response.end("{}"));
  t.after(server.stop);
  const shown = await refused(server.address);
  assert.match(shown, /^Connection\s/);
  assert.match(shown, /CORS|browser/, "the message names what a browser does not tell apart");
});

test("something that is no Synap server", async (t) => {
  const server = await startHTTP((request, response) => {
    response.writeHead(200, { "access-control-allow-origin": "*", "access-control-allow-headers": "*", "content-type": "text/html" });
    response.end("<h1>Hello</h1>");
  });
  t.after(server.stop);
  assert.match(await refused(server.address), /^Protocol\s/);
});

test("an API key: missing, wrong and right", async (t) => {
  const server = await startServer("-api-key", "sk_right");
  t.after(server.stop);
  assert.match(await refused(server.address), /^Unauthenticated\s/);
  const shown = await refused(server.address, "sk_wrong");
  assert.match(shown, /^Unauthenticated\s/);
  await visitor.connect(server.address, "sk_right");
  await visitor.state("ok");
  await visitor.panel("Pub/Sub");
  await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe");
  await visitor.click("Publish", "Publish", "pubsub.publish");
  await visitor.feed("Subscribe", "New order received");
  for (const language of ["Python", "JavaScript", "C", "Go"]) {
    const code = await visitor.code(language);
    assert.ok(!code.includes("sk_right"), "a key never stands in code");
    assert.match(code, /SYNAP_API_KEY/);
  }
});

test("credentials in an address are not shown", async (t) => {
  const server = await startServer("-user", "root", "-password", "s3cret-pw");
  t.after(server.stop);
  await visitor.connect(server.address.replace("://", "://root:s3cret-pw@"));
  await visitor.state("ok");
  assert.ok(!(await visitor.page.locator("body").innerText()).includes("s3cret-pw"));
});

test("a stock server refuses WebSockets, everything else works", async (t) => {
  const server = await startServer("-stock");
  t.after(server.stop);
  await visitor.connect(server.address);
  await visitor.state("ok");
  await visitor.panel("Pub/Sub");
  const shown = await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe", "error");
  assert.match(shown, /^Connection\s/);
  assert.match(shown, /push channel[^]*stock Synap 1\.3\.1/);
  assert.ok(await visitor.part("Subscribe").getByRole("button", { name: "Subscribe" }).isEnabled());
  await visitor.panel("Key-value");
  await visitor.click("Keys", "Set", "kv.set");
  await visitor.panel("Streams");
  await visitor.click("Room", "Get or create", "stream.get_or_create");
  await visitor.click("Append", "Append", "stream.publish");
  await visitor.click("Read and follow", "Follow", "stream.follow");
  await visitor.feed("Read and follow", "New user registered");
});

test("a connection that breaks under a command: it may have been applied", async (t) => {
  const server = await startServer();
  t.after(server.stop);
  let breaking = false;
  // A proxy that loses the server's answer. It keeps no connection open: on one
  // that was used before, Chromium itself sends a request again.
  const proxy = await startHTTP(async (request, response) => {
    const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "*", connection: "close" };
    if (request.method === "OPTIONS") return response.writeHead(200, headers).end();
    const body = await new Response(request).text();
    const reply = await fetch(server.address + request.url, { method: "POST", headers: { "content-type": "application/json" }, body });
    const text = await reply.text();
    if (breaking) return request.socket.destroy();
    response.writeHead(reply.status, { ...headers, "content-type": "application/json" }).end(text);
  });
  t.after(proxy.stop);
  await visitor.connect(proxy.address);
  await visitor.state("ok");
  await visitor.panel("Key-value");
  await visitor.fill("Keys", "Key", "count");
  breaking = true;
  const shown = await visitor.click("Keys", "Increment", "kv.incr", "error");
  assert.match(shown, /^Connection\s[^]*may have been applied/);
  assert.equal((await command(server, "kv.get", { key: "count" })).toString(), "1", "it was, once: nothing repeats it");
});

test("the last attempt to connect counts, whichever is answered last", async (t) => {
  let answer;
  const asked = new Promise((resolve) => (answer = resolve));
  const slow = await startHTTP((request, response) => answer(() => response.writeHead(503, { "access-control-allow-origin": "*", "access-control-allow-headers": "*" }).end()));
  t.after(slow.stop);
  await visitor.connect(slow.address);
  const late = await asked;
  await visitor.page.getByLabel("In this tab").check();
  await visitor.page.getByRole("button", { name: "Connect" }).click();
  assert.match(await visitor.state("ok"), /^Connected to memory:/);
  late();
  await visitor.page.locator("#log li", { hasText: slow.address }).waitFor();
  assert.match(await visitor.state("ok"), /^Connected to memory:/);
  await visitor.panel("Key-value");
  await visitor.click("Keys", "Set", "kv.set");
});

test("a page that may not compile WebAssembly says so", async (t) => {
  const strict = await visit(browser, site, { path: "missing" });
  await strict.page.route("**/", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(" 'wasm-unsafe-eval'", "") });
  });
  await strict.page.goto(site.address);
  assert.match(await strict.state("error"), /^Not connected: Unsupported$/);
  assert.match(await strict.result("connect memory://", "error"), /wasm-unsafe-eval/);
  await strict.close();
});

test("a page without its module says so", async (t) => {
  const bare = await visit(browser, site, { path: "missing" });
  await bare.page.route("**/*.wasm", (route) => route.fulfill({ status: 404, body: "" }));
  await bare.page.goto(site.address);
  await bare.state("error");
  assert.match(await bare.result("connect memory://", "error"), /synap\.wasm/);
  await bare.close();
});
