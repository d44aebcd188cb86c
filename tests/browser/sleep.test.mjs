// A tab that the browser puts to sleep: timers are late or stand still.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./chromium.mjs";
import { visit } from "./page.mjs";
import { command, startServer, startSite } from "./programs.mjs";

let browser, site, server;

before(async () => {
  [browser, site, server] = await Promise.all([launch(), startSite(), startServer()]);
});

after(async () => {
  await browser?.close();
  await Promise.all([site?.stop(), server?.stop()]);
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Stops a tab's process while something happens outside: the way of a machine
 * that sleeps, and harsher than that of a browser with a hidden tab.
 */
async function asleep(visitor, meanwhile) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  await visitor.page.evaluate(() => {
    window.beats = 0;
    setInterval(() => window.beats++, 20);
  });
  for (const id of renderers) process.kill(id, "SIGSTOP");
  try {
    await meanwhile();
  } finally {
    for (const id of renderers) process.kill(id, "SIGCONT");
  }
  assert.ok((await visitor.page.evaluate(() => window.beats)) < 20, "the tab slept");
}

test("the engine's clock goes on: what expired while the tab slept is gone", async () => {
  const visitor = await visit(browser, site);
  await visitor.state("ok");
  await visitor.fill("Keys", "TTL", "1");
  await visitor.click("Keys", "Set", "kv.set");
  await asleep(visitor, () => pause(1500));
  assert.equal(await visitor.click("Keys", "Get", "kv.get"), "There is no such key.");
  assert.deepEqual(visitor.complaints, []);
  await visitor.close();
});

test("subscriptions and followers go on after sleep", async () => {
  const visitor = await visit(browser, site);
  await visitor.connect(server.address);
  await visitor.state("ok");
  await visitor.panel("Streams");
  await visitor.click("Room", "Get or create", "stream.get_or_create");
  await visitor.click("Read and follow", "Follow", "stream.follow");
  await visitor.panel("Pub/Sub");
  await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe");
  await asleep(visitor, async () => {
    for (let i = 0; i < 50; i++) {
      await command(server, "pubsub.publish", { topic: "notifications.n", payload: i });
      await command(server, "stream.publish", { room: "notifications", event: "n", data: i });
    }
    await pause(1000);
  });
  const messages = await visitor.feed("Subscribe", /notifications\.n\s+49\b/);
  assert.equal(messages.length, 50, "every message once, none lost");
  await visitor.panel("Streams");
  const events = await visitor.feed("Read and follow", /#49\s/);
  assert.equal(events.length, 50);
  assert.deepEqual(visitor.complaints, []);
  await visitor.close();
});

test("a server that went away meanwhile: the subscription comes back and says that some may be lost", async (t) => {
  const first = await startServer();
  t.after(first.stop);
  const visitor = await visit(browser, site);
  await visitor.connect(first.address);
  await visitor.state("ok");
  await visitor.panel("Pub/Sub");
  await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe");
  let second;
  t.after(() => second?.stop());
  await asleep(visitor, async () => {
    await first.stop();
    await pause(300);
    second = await startServer("-http", first.address.slice("http://".length));
    await pause(700);
  });
  for (let i = 0; ; i++) {
    const { subscribers_matched: matched } = await command(second, "pubsub.publish", { topic: "notifications.back", payload: "again" });
    if (matched > 0) break;
    assert.ok(i < 60, "the subscription does not come back");
    await pause(100);
  }
  const messages = await visitor.feed("Subscribe", "again");
  assert.match(messages[0], /notifications\.back\s+"again"/);
  assert.match(messages[1], /Some may be lost here/);
  assert.match(await visitor.part("Subscribe").locator(".tally").innerText(), /^\d+ received, 1 gap of unknown size$/);
  await visitor.click("Publish", "Publish", "pubsub.publish");
  await visitor.feed("Subscribe", "New order received");
  await visitor.close();
});

test("a call whose deadline passed in sleep ends, with its reply or a typed timeout", async () => {
  const visitor = await visit(browser, site);
  await visitor.state("ok");
  const { page } = visitor;
  // A server that answers later than the deadline of 300 ms.
  await page.route("http://slow.test:15500/**", async (route) => {
    await pause(900);
    await route.abort().catch(() => {}); // given up meanwhile
  });
  await page.evaluate(async () => {
    const { SynapClient } = await import("./sdk/browser.js");
    const client = await SynapClient.connect("http://slow.test:15500");
    window.outcome = client.kv.incr("n", { timeoutMs: 300 }).then(String, (error) => `${error.code} ${error.maybeApplied}`);
  });
  await asleep(visitor, () => pause(700));
  assert.equal(await page.evaluate(() => window.outcome), "Timeout true");
  assert.equal(await visitor.click("Keys", "Get", "kv.get"), "There is no such key.", "the module lives on");
  await visitor.close();
});
