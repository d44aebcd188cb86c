// Every panel, on the engine in the tab and on a server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./chromium.mjs";
import { visit } from "./page.mjs";
import { startServer, startSite } from "./programs.mjs";

let browser, site, server;

before(async () => {
  [browser, site, server] = await Promise.all([launch(), startSite(), startServer()]);
});

after(async () => {
  await browser?.close();
  await Promise.all([site?.stop(), server?.stop()]);
});

for (const where of ["memory://", "http://"]) {
  describe(where, () => {
    let visitor;

    before(async () => {
      visitor = await visit(browser, site);
      assert.match(await visitor.state("ok"), /^Connected to memory:\/\/: 0 keys$/);
      if (where === "http://") {
        await visitor.connect(server.address);
        await visitor.state("ok");
      }
    });

    // The page is quiet: whatever stands in the console is a defect.
    after(async () => {
      assert.deepEqual(visitor.complaints, []);
      await visitor.close();
    });

    test("keys", async () => {
      await visitor.fill("Keys", "Key", "user:1");
      await visitor.fill("Keys", "Value", 'line 1\nline "2" ✓');
      assert.match(await visitor.click("Keys", "Set", "kv.set"), /true/);
      assert.equal(await visitor.click("Keys", "Get", "kv.get"), '"line 1\\nline \\"2\\" ✓"');
      assert.match(await visitor.click("Keys", "Increment", "kv.incr", "error"), /InvalidArgument\s+.*not a valid integer\s+status 400/);
      assert.match(await visitor.click("Keys", "Delete", "kv.delete"), /is deleted.*\s+true/);
      assert.match(await visitor.click("Keys", "Delete", "kv.delete"), /no such key.*\s+false/);
      assert.equal(await visitor.click("Keys", "Get", "kv.get"), "There is no such key.");
      assert.equal(await visitor.click("Keys", "Increment", "kv.incr"), "1");
      await visitor.fill("List", "Prefix", "user:");
      assert.equal(await visitor.click("List", "List keys", "kv.scan"), '1 key.\n\n"user:1"');
    });

    test("a TTL is sent, or refused before anything is", async () => {
      await visitor.fill("Keys", "TTL", "soon");
      assert.match(await visitor.click("Keys", "Set", "kv.set", "error"), /Not sent\s+ttl is a whole number/);
      assert.equal(await visitor.part("Keys").getByLabel("TTL").getAttribute("aria-invalid"), "true");
      await visitor.fill("Keys", "TTL", "1");
      await visitor.click("Keys", "Set", "kv.set");
      await visitor.page.waitForTimeout(1500);
      assert.equal(await visitor.click("Keys", "Get", "kv.get"), "There is no such key.");
      await visitor.fill("Keys", "TTL", "");
    });

    test("watching keys", async () => {
      assert.match(await visitor.click("Watch", "Watch", "kv.watch"), /Delivering/);
      await visitor.fill("Keys", "Value", "watched");
      await visitor.click("Keys", "Set", "kv.set");
      await visitor.click("Keys", "Delete", "kv.delete");
      assert.deepEqual(
        (await visitor.feed("Watch", "del")).map((text) => text.split(/\s+/)),
        [["user:1", "del"], ["user:1", "set", '"watched"']],
      );
      await visitor.part("Watch").getByRole("button", { name: "Stop" }).click();
      await visitor.part("Watch").getByRole("button", { name: "Watch" }).waitFor();
      await visitor.click("Keys", "Set", "kv.set");
      assert.equal((await visitor.feed("Watch", "del")).length, 2, "nothing comes after the end");
    });

    test("queues", async () => {
      await visitor.panel("Queues");
      await visitor.fill("Queue", "Name", "panel-jobs");
      assert.match(await visitor.click("Publish", "Publish", "queue.publish", "error"), /NotFound\s+Queue not found: panel-jobs\s+status 404/);
      await visitor.fill("Queue", "Max depth", "2");
      await visitor.click("Queue", "Create", "queue.create");
      assert.equal(await visitor.click("Consume", "Consume", "queue.consume"), "No message waits.");
      await visitor.fill("Publish", "Payload", "Grüße");
      await visitor.fill("Publish", "Priority", "7");
      assert.match(await visitor.click("Publish", "Publish", "queue.publish"), /"[0-9a-f-]{36}"/);
      await visitor.click("Publish", "Publish", "queue.publish");
      assert.match(await visitor.click("Publish", "Publish", "queue.publish", "error"), /ResourceExhausted/);
      assert.match(await visitor.click("Consume", "Consume", "queue.consume"), /payload: "Grüße" \(7 bytes\)\npriority: 7\nretryCount: 0/);
      const held = visitor.part("Consume").locator("#held > li");
      assert.match(await held.innerText(), /panel-jobs\s+"Grüße" \(7 bytes\)\s+priority 7\s+Ack/);
      await visitor.click("Consume", "Nack", "queue.nack");
      assert.equal(await held.count(), 0);
      await visitor.click("Consume", "Consume", "queue.consume");
      await visitor.click("Consume", "Ack", "queue.ack");
      await visitor.click("Consume", "Consume", "queue.consume");
      assert.match(await held.innerText(), /priority 7, attempt 2/, "the message that was rejected comes again");
      await visitor.click("Consume", "Ack", "queue.ack");
      assert.match(await visitor.click("Queue", "Stats", "queue.stats"), /depth: 0\n(.*\n)*acked: 2\nnacked: 1/);
    });

    test("streams", async () => {
      await visitor.panel("Streams");
      await visitor.fill("Room", "Name", "panel-room");
      assert.match(await visitor.click("Append", "Append", "stream.publish", "error"), /NotFound/);
      assert.match(await visitor.click("Room", "Get or create", "stream.get_or_create"), /is created/);
      assert.match(await visitor.click("Room", "Get or create", "stream.get_or_create"), /was there/);
      assert.match(await visitor.click("Append", "Append", "stream.publish"), /offset:\s+0$/);
      await visitor.click("Read and follow", "Follow", "stream.follow");
      await visitor.feed("Read and follow", "New user registered");
      await visitor.part("Append").getByLabel("Sent as").selectOption("json");
      await visitor.fill("Append", "Data", '{"id": 9007199254740993, "tags": ["a", null, 1.5]}');
      await visitor.click("Append", "Append", "stream.publish");
      const events = await visitor.feed("Read and follow", "9007199254740993");
      assert.match(events[0], /#1\s+user\.signup\s+\{id: 9007199254740993, tags: \["a", null, 1\.5\]\}/, "integers keep their digits");
      assert.match(events[1], /#0\s+user\.signup\s+"New user registered"/);
      await visitor.fill("Append", "Data", "{");
      assert.match(await visitor.click("Append", "Append", "stream.publish", "error"), /Not sent\s+data is not JSON/);
      await visitor.part("Read and follow").getByRole("button", { name: "Stop" }).click();
      await visitor.fill("Read and follow", "From offset", "1");
      assert.match(await visitor.click("Read and follow", "Read once", "stream.consume"), /^1 event\.\s+\{offset: 1, event: "user\.signup"/);
    });

    test("pub/sub", async () => {
      await visitor.panel("Pub/Sub");
      assert.match(await visitor.click("Publish", "Publish", "pubsub.publish"), /0 subscribers/);
      await visitor.fill("Subscribe", "Topics or patterns", "notifications.*  other.#");
      await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe");
      assert.match(await visitor.click("Publish", "Publish", "pubsub.publish"), /1 subscriber\./);
      await visitor.fill("Publish", "Topic", "other.a.b");
      await visitor.part("Publish").getByLabel("Sent as").selectOption("json");
      await visitor.fill("Publish", "Message", "[1, -0.5]");
      await visitor.click("Publish", "Publish", "pubsub.publish");
      const messages = await visitor.feed("Subscribe", "other.a.b");
      assert.equal(messages.length, 2);
      assert.match(messages[0], /other\.a\.b\s+\[1, -0\.5\]/);
      assert.match(messages[1], /notifications\.email\s+"New order received"/);
      await visitor.fill("Subscribe", "Topics or patterns", "#.b");
      await visitor.part("Subscribe").getByRole("button", { name: "Stop" }).click();
      await visitor.part("Subscribe").getByRole("button", { name: "Subscribe" }).waitFor();
      assert.match(await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe", "error"), /InvalidArgument/);
    });

    test("calls are listed with what became of them and how long they took", async () => {
      const calls = await visitor.page.locator("#log li").allInnerTexts();
      assert.match(calls[0], /^pubsub\.subscribe\s+InvalidArgument\s+[\d.]+ m?s$/);
      assert.match(calls[1], /^pubsub\.publish\s+ok\s+[\d.]+ m?s$/);
      await visitor.page.getByRole("button", { name: "Clear" }).click();
      assert.equal(await visitor.page.locator("#log li").count(), 0);
    });

    test("connecting anew ends what belonged to the old connection", async () => {
      await visitor.fill("Subscribe", "Topics or patterns", "x");
      await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe");
      await visitor.page.getByLabel("In this tab").check();
      await visitor.page.getByRole("button", { name: "Connect" }).click();
      await visitor.part("Subscribe").getByRole("button", { name: "Subscribe" }).waitFor();
      assert.match(await visitor.state("ok"), /^Connected to memory:/);
      assert.match(await visitor.click("Publish", "Publish", "pubsub.publish"), /0 subscribers/);
    });
  });
}

test("what did not fit a subscription's buffer is counted", async (t) => {
  const visitor = await visit(browser, site);
  t.after(() => visitor.close());
  await visitor.connect("memory://shared");
  await visitor.state("ok");
  await visitor.panel("Pub/Sub");
  await visitor.click("Subscribe", "Subscribe", "pubsub.subscribe");
  // More at once than the 1024 that a subscription keeps, from another client.
  await visitor.page.evaluate(async () => {
    const { SynapClient } = await import("./sdk/browser.js");
    const client = await SynapClient.connect("memory://shared");
    await Promise.all(Array.from({ length: 2000 }, (_, i) => client.pubsub.publish("notifications.n", i)));
  });
  await visitor.feed("Subscribe", "1999");
  const tally = await visitor.part("Subscribe").locator(".tally").innerText();
  const [, received, lost] = /^(\d+) received, (\d+) lost$/.exec(tally) ?? assert.fail(tally);
  assert.equal(Number(received) + Number(lost), 2000, tally);
  assert.equal(await visitor.part("Subscribe").locator(".feed > li").count(), 200, "the list stays short");
});
